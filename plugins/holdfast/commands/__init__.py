"""The command line's groups, one module each: `data.py` with an `app` (a Typer) becomes `holdfast data ...`.

A module here imports nothing heavy at its top: the commands do, when they run.
"""

from __future__ import annotations

from typing import Annotated

import typer

from holdfast import settings
from holdfast.settings import MAIN, Settings

Database = Annotated[str, typer.Option(help="Which of the data map's databases; each has a ledger of its own.")]


def every_database() -> dict[str, Settings]:
    """The settings for each database of the policy, by name."""
    from holdfast.policy.load import load_policy

    loaded = settings.load()
    return {name: loaded.at(name) for name in load_policy(loaded.policy).data_map.databases}


def at(database: str) -> Settings:
    """The settings for one of them. Raises SettingsError if there is none of that name."""
    from holdfast.errors import SettingsError

    if database == MAIN:
        return settings.load()  # and no policy need be sound for that
    known = every_database()
    if database not in known:
        raise SettingsError(f"There is no database {database}.", fix=f"name one of {', '.join(known)}.")
    return known[database]


def printable(text: str) -> str:
    """A name that somebody outside gave: who named a file is not to command the terminal."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)

"""The command `holdfast`.

Every module of `holdfast.commands` adds the group of its name. What a person or a server can mend ends in one line, not
in a traceback.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import warnings
from typing import Annotated

import typer
from typer.core import TyperGroup

from holdfast import commands, settings
from holdfast.errors import HoldfastError, description, sqlstate

_UP = "see that the database is up, then run the command again."
_MIGRATED = "run `holdfast migrate`, then `holdfast policy check`: something that should be there is not."
_FIXES = {  # by the beginning of a SQLSTATE
    "08": _UP,
    "57": _UP,
    "53": "free memory, disk or connections where the database runs, then run the command again.",
    "42501": "grant the role what docs/engineers.md lists under 'Your own PostgreSQL'.",
    "42": _MIGRATED,
    "3F": _MIGRATED,
}
_OTHER_FIX = "read your database's own log of this moment, or run the statement by hand: a message may quote a row."
_FILE_FIX = "make it one that you can read and write; HOLDFAST_HOME says where everything is written."


class _Group(TyperGroup):
    """Prints errors as what happened and what to do, in one line, and exits with 1.

    Of the system's errors that is the reason and the file; of the database's the type and the SQLSTATE, because its
    messages quote rows.
    """

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # click's own Context is the base
        # The embedded server's library looks for a session's own folder, and is content without one.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        try:
            return super().invoke(ctx)
        except HoldfastError as error:
            refusal = description(error)
        except BrokenPipeError:
            raise  # whoever read our output has read enough
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            refusal = f"{type(error).__name__}: {error.strerror}{where}. Fix: {_FILE_FIX}"
        except _database_errors() as error:
            code = sqlstate(error) or "08"  # without one, nobody answered
            fix = next((fix for beginning, fix in _FIXES.items() if code.startswith(beginning)), _OTHER_FIX)
            refusal = f"{description(error)}. Fix: {fix}"
        typer.secho(refusal, fg=typer.colors.RED, err=True)
        raise typer.Exit(1)


def _database_errors() -> tuple[type[Exception], ...]:
    """Asked for only once there is an error: the imports take longer than a help text."""
    import psycopg
    import sqlalchemy as sa

    return sa.exc.DBAPIError, psycopg.Error


app = typer.Typer(
    name="holdfast",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Nightly jobs that keep a communications provider's privacy promises, and prove it.",
)


@app.command()
def run(
    leave: Annotated[
        bool, typer.Option("--exit/--stay", envvar="RUN_EXIT", help="End after the table, or stay up until Ctrl-C.")
    ] = False,
    accounts: Annotated[
        int, typer.Option(min=1, help="Size of the synthetic provider, which is made if the database is empty.")
    ] = 2_000,
    port: Annotated[int, typer.Option(help="Airflow's port on loopback; the next free one is taken.")] = 8280,
) -> None:
    """Run the night's work through Airflow on this machine and show what was done.

    Starts PostgreSQL (unless the environment names one), Airflow and, in an empty database, a synthetic provider.
    Exit code 0 only if every run succeeded.
    """
    from rich.console import Console

    from holdfast.night import start
    from holdfast.night.progress import Progress

    console = Console(width=None if sys.stdout.isatty() else 120)
    code = start.run(settings.load(), Progress(console), port=port, accounts=accounts, leave=leave)
    raise typer.Exit(code)


@app.command()
def migrate() -> None:
    """Bring the schema `holdfast` up to this version, and give its roles what the data map says, in every database.

    For databases of your own: before the first night, after an upgrade, and when tables of yours have come.
    """
    from holdfast import database, roles
    from holdfast.policy.load import load_policy

    loaded = settings.load()
    policy = load_policy(loaded.policy)
    for name in policy.data_map.databases:
        here = loaded.at(name)
        engine = database.connect(here)
        applied = database.migrate(engine, loaded.sql / "migrations")
        roles.renew(engine, here)
        if policy.data_map.connections:
            typer.echo(f"{name}:")
        typer.echo("\n".join(applied) or "Nothing to do: the schema is this version's.")


for _module in pkgutil.iter_modules(commands.__path__):
    app.add_typer(importlib.import_module(f"{commands.__name__}.{_module.name}").app, name=_module.name)

"""The command `holdfast`.

Every module of `holdfast.commands` adds the group of its name. Errors of ours end in one sentence, not a traceback.
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
from holdfast.errors import HoldfastError


class _Group(TyperGroup):
    """Prints a HoldfastError as what happened and what to do, without a traceback, and exits with 1."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # click's own Context is the base
        # The embedded server's library looks for a session's own folder, and is content without one.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        try:
            return super().invoke(ctx)
        except HoldfastError as error:
            typer.secho(f"{type(error).__name__}: {error}", fg=typer.colors.RED, err=True)
            raise typer.Exit(1) from None


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

    Starts PostgreSQL (unless HOLDFAST_DATABASE_URL names one), Airflow and, in an empty database, a synthetic provider.
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
    """Bring the database's schema `holdfast` up to this version; for a database of your own, before the first night."""
    from holdfast import database

    loaded = settings.load()
    for name in database.migrate(database.connect(loaded), loaded.sql / "migrations"):
        typer.echo(name)


for _module in pkgutil.iter_modules(commands.__path__):
    app.add_typer(importlib.import_module(f"{commands.__name__}.{_module.name}").app, name=_module.name)

"""`holdfast data`: the synthetic provider's data, for a first look, for trials and for tests."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from holdfast import settings

app = typer.Typer(no_args_is_help=True, help="The synthetic provider's data.")


@app.command()
def make(
    accounts: Annotated[int, typer.Option(min=1, help="How many accounts; each has about 40 call records.")] = 2_000,
    seed: Annotated[int, typer.Option(help="The same seed and day give the same data.")] = 1,
    as_of: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The night it is made for; today unless given.")
    ] = None,
    backlog: Annotated[
        bool, typer.Option("--backlog", help="As if retention had never run: about a third is due.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop the schema `provider` first, and its recordings.")
    ] = False,
) -> None:
    """Make invented accounts, calls, invoices and the rest, with known answers; in an empty database only."""
    from holdfast import database
    from holdfast.errors import SettingsError
    from holdfast.synthetic import provider

    loaded = settings.load()
    engine = database.connect(loaded)
    if replace:
        provider.drop(engine, loaded.objects)
    if not provider.is_empty(engine):
        raise SettingsError("The database holds provider data already.", fix="add --replace to drop it first.")
    night = as_of.replace(tzinfo=dt.UTC) if as_of else dt.datetime.now(tz=dt.UTC)
    made = provider.make(
        engine, accounts=accounts, seed=seed, as_of=night, backlog=backlog, objects=loaded.objects, progress=None
    )
    for table, rows in made.items():
        typer.echo(f"{rows:>12,}  {table}")


@app.command()
def deliver() -> None:
    """Let the provider's systems deliver their hold data now, as they do every night; else it goes stale."""
    from holdfast import database
    from holdfast.synthetic import provider

    provider.deliver_feeds(database.connect(settings.load()), dt.datetime.now(tz=dt.UTC))
    typer.echo("Every source system has delivered; `holdfast hold refresh` reads what they have.")

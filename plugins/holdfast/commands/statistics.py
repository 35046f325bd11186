"""`holdfast statistics`: take facts, freeze, restate and reproduce months, look for broken safeguards."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast import settings

if TYPE_CHECKING:
    import sqlalchemy as sa

app = typer.Typer(no_args_is_help=True, help="Statistics of automated suspensions and their reviews.")
Month = Annotated[str, typer.Option(help="The month, as 2026-05.")]


@app.command()
def take() -> None:
    """Take facts from the provider's rows as they are now."""
    from holdfast.suspension_statistics import steps

    loaded, engine = _connected()
    taken = steps.take_facts(engine, loaded)
    typer.echo(f"{taken['new']:,} new facts, {taken['changed']:,} corrected, {taken['days']:,} days arrived.")


@app.command()
def run(month: Month) -> None:
    """Freeze a month, unless it is frozen, and write its report."""
    from holdfast.suspension_statistics import steps

    loaded, engine = _connected()
    done = steps.freeze_month(engine, loaded, month=month)
    typer.echo(f"Version {done['version']} of {month}: {done['digest']}")
    typer.echo(f"Report: {steps.write_report(engine, loaded, month=month)['report']}")


@app.command()
def restate(
    month: Month, reason: Annotated[str, typer.Option(help="Why, as a code of small letters and hyphens: late-facts.")]
) -> None:
    """Add a version of what is known now; what was published before stays readable."""
    from holdfast import database
    from holdfast.suspension_statistics import months, rules, steps

    loaded, engine = _connected()
    with database.transaction(engine) as connection:
        version, is_new = months.restate(
            connection, loaded.policy, rules.month_of(month), reason=reason, made_by=getpass.getuser()
        )
    typer.echo(f"Version {version.version} of {month}: {version.digest}" if is_new else "There is nothing to restate.")
    typer.echo(f"Report: {steps.write_report(engine, loaded, month=month)['report']}")


@app.command()
def reproduce(month: Month) -> None:
    """Compute a frozen month again from the facts and compare digests. Exit code 1 if they differ."""
    from holdfast.suspension_statistics import steps

    loaded, engine = _connected()
    found = steps.reproduce_month(engine, loaded, month=month)
    typer.echo(f"Version {found['version']} of {month} is reproduced: {found['digest']}")


@app.command()
def versions() -> None:
    """Every version of every month."""
    from holdfast import database
    from holdfast.suspension_statistics import store

    _, engine = _connected()
    with database.transaction(engine) as connection:
        for one in store.versions(connection):
            typer.echo(f"{one.month:%Y-%m}  {one.version}  {one.made_at:%Y-%m-%d}  {one.reason:<20} {one.digest}")


@app.command()
def safeguards() -> None:
    """Look for broken safeguards, and say how many of which kind are open."""
    from holdfast.suspension_statistics import steps

    loaded, engine = _connected()
    found = steps.check_safeguards(engine, loaded)
    typer.echo(f"{found['open']} are broken. Report: {steps.write_safeguards(engine, loaded)['report']}")


@app.command()
def pseudonym(
    record: Annotated[str, typer.Argument(help="The key of a decision, as the provider's query gives it.")],
) -> None:
    """The pseudonym under which a decision is listed."""
    from holdfast.evidence.pseudonyms import pseudonym as pseudonym_of
    from holdfast.suspension_facts.take_in import OF_A_DECISION

    typer.echo(pseudonym_of(settings.load().pseudonym_key(), OF_A_DECISION, record))


@app.command()
def definitions(
    to: Annotated[
        Path | None, typer.Option(help="The file to write; docs/definitions.md of the project unless given.")
    ] = None,
) -> None:
    """Write docs/definitions.md from policy/suspension_metrics.yaml."""
    from holdfast.suspension_statistics import definitions as defined

    loaded = settings.load()
    target = to or loaded.project / "docs" / "definitions.md"
    target.write_text(defined.as_markdown(defined.load(loaded.policy)[0]), encoding="utf-8")
    typer.echo(target)


def _connected() -> tuple[settings.Settings, sa.Engine]:
    from holdfast import database

    loaded = settings.load()
    return loaded, database.connect_migrated(loaded)

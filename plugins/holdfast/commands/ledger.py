"""`holdfast ledger`: is the evidence what was written?"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from holdfast.commands import Database, at, every_database, printable
from holdfast.settings import MAIN

_NAMED = 10
app = typer.Typer(no_args_is_help=True, help="The ledger of everything that was deleted, held and decided.")


@app.command()
def verify() -> None:
    """Check every entry, the chain, all seals and reports, in every database; the worst decides on the exit code.

    0: all is as written; 1: altered; 2: no copy outside.
    """
    from holdfast import database
    from holdfast.evidence import reported
    from holdfast.evidence.copies import Copies
    from holdfast.evidence.verify import Verdict, verify

    codes = {Verdict.OK: 0, Verdict.INVALID: 1, Verdict.INCOMPLETE: 2}
    verdicts = []
    databases = every_database()
    for name, loaded in databases.items():
        prefix = f"{name}: " if len(databases) > 1 else ""
        engine = database.connect_migrated(loaded)
        with engine.connect() as connection:
            result = verify(connection, loaded.seals, Copies(loaded.checkpoints))
        for finding in result.findings:
            typer.echo(str(finding))
        if result.left_out:
            typer.echo(f"... and {result.left_out} more findings")
        typer.echo(
            f"{prefix}{result.verdict.value.upper()}: {result.entries} entries up to {result.head_seq},"
            f" {result.sealed_runs} sealed runs, {result.checkpoints} checkpoints,"
            f" {result.uncovered} entries that nothing outside the database covers yet"
        )
        reports = reported.check(engine, loaded.reports)
        for what in reports.altered:
            typer.echo(f"ALTERED: {printable(what)}")
        for state, names in (("not entered", reports.not_entered), ("not there", reports.not_there)):
            if names:
                left_out = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                typer.echo(f"{prefix}reports {state}: {printable(', '.join(names[:_NAMED]))}{left_out}")
        typer.echo(
            f"{prefix}reports: {reports.entered} as the ledger has them, {len(reports.altered)} altered,"
            f" {len(reports.not_entered)} not entered, {len(reports.not_there)} not there"
        )
        verdicts += [result.verdict, *([Verdict.INVALID] if reports.altered else [])]
    raise typer.Exit(codes[max(verdicts, key=[Verdict.OK, Verdict.INCOMPLETE, Verdict.INVALID].index)])


@app.command("list")
def list_entries(
    run: Annotated[int, typer.Argument(help="The run's number, as its report has it.")],
    database: Database = MAIN,
) -> None:
    """Show the entries of one run, as they were written. Exit code 1 if it has none."""
    from holdfast import database as databases
    from holdfast.evidence import ledger

    found = False
    with databases.transaction(databases.connect_migrated(at(database))) as connection:
        for entry in ledger.entries_of_run(connection, run):
            found = True
            typer.echo(entry.text)
    if not found:
        typer.echo(f"The ledger has no entry of run {run}.", err=True)
        raise typer.Exit(1)


@app.command()
def restored(
    by: Annotated[
        str, typer.Option("--by", default_factory=getpass.getuser, help="Who says so; the ledger has a pseudonym.")
    ],
    database: Database = MAIN,
) -> None:
    """Say that the database was restored and what was lost with it is entered again; the jobs may go on."""
    from holdfast import database as databases
    from holdfast.evidence import restored as restores
    from holdfast.evidence.copies import Copies
    from holdfast.evidence.pseudonyms import pseudonym
    from holdfast.holds.register import STAFF

    loaded = at(database)
    place = Copies(loaded.checkpoints)
    with databases.transaction(databases.connect_migrated(loaded)) as connection:
        who = pseudonym(loaded.pseudonym_key(), STAFF, by)
        found = restores.acknowledge(connection, loaded.seals, place, by=who)
    aside = restores.set_aside(loaded.seals, place, found)
    typer.echo(f"The seals of {len(found.seals)} lost runs are in the ledger by name, and now in {aside}.")
    since = f"{found.since:%Y-%m-%d}" if found.since else "DAY, the day of the backup"
    typer.echo(f"Next: holdfast request replay --since {since}")

"""`holdfast emergency`: make an extract, work through what came, decide, look a record up."""

from __future__ import annotations

import datetime as dt
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast import clock, settings

if TYPE_CHECKING:
    import sqlalchemy as sa

app = typer.Typer(no_args_is_help=True, help="999 emergency data: extracts, checks, releases.")
_ZONE = "Europe/London"


@app.command()
def extract(
    delta: Annotated[bool, typer.Option(help="Only what the authority has not been told yet.")] = False,
    layout: Annotated[str, typer.Option(help="A layout of expectations/emergency_data.")] = "ng999-v1",
    to: Annotated[Path | None, typer.Option(help="The folder to write into; the job's inbox unless given.")] = None,
) -> None:
    """Make the provider's own extract of today, from its numbers and their installation addresses."""
    from holdfast import database
    from holdfast.emergency_data import bounds, extracts
    from holdfast.emergency_data import layout_files as layouts
    from holdfast.errors import LayoutError

    loaded, engine = _connected()
    folder = loaded.expectations / "emergency_data"
    known = layouts.load_all(folder)
    if layout not in known:
        raise LayoutError(f"There is no layout {layout}.", fix=f"use one of {', '.join(sorted(known))}.")
    now = dt.datetime.now(tz=dt.UTC).replace(microsecond=0)
    with database.snapshot(engine) as connection:
        written = extracts.write(
            connection,
            to or loaded.emergency / "inbox",
            known[layout],
            provider=bounds.load(folder / "bounds.yaml").provider,
            extract_type="DELTA" if delta else "FULL",
            business_date=clock.local_date(now, _ZONE),
            now=now,
        )
    typer.echo(f"{written.path}  {written.size:,} bytes")


@app.command()
def run() -> None:
    """Work through the inbox as the DAG does: check, quarantine, release, deliver, reconcile."""
    from holdfast.emergency_data import steps

    loaded, engine = _connected()
    steps.prepare(engine, loaded)
    typer.echo(_line(steps.read_responses(engine, loaded)))
    typer.echo(_line(steps.read_calls(engine, loaded)))
    for one in steps.list_providers(engine, loaded):
        worked = steps.work_through(engine, loaded, provider=one["provider"])
        extracts = worked.pop("extracts")
        typer.echo(_line(worked))
        for extract in extracts:
            typer.echo(_line(extract))
    typer.echo(_line(steps.deliver_files(engine, loaded)))
    typer.echo(_line(steps.reconcile(engine, loaded)))


@app.command()
def report() -> None:
    """Write the report of today."""
    from holdfast.emergency_data import steps

    loaded, engine = _connected()
    typer.echo(f"Report: {steps.write_report(engine, loaded)['report']}")


@app.command(name="list")
def list_extracts() -> None:
    """The latest extracts, with what became of their records, and digests for those that wait for a person."""
    from rich.console import Console
    from rich.table import Table

    from holdfast import database, queries

    _, engine = _connected()
    names = ("extract", "file", "state", "records", "released", "quarantined", "broken rules")
    table = Table(*names)
    waiting = []
    with database.transaction(engine) as connection:
        for row in queries.run(connection, "emergency/latest_extracts", {"most": 20}):
            numbers = (row.records, row.released, row.quarantined)
            shown = ("" if number is None else f"{number:,}" for number in numbers)
            table.add_row(str(row.extract_id), row.file_name, row.state, *shown, ", ".join(row.rule_ids or []))
            if row.state == "waiting":
                waiting.append((row.extract_id, row.sha256, ", ".join(row.exceeded or [])))
    Console().print(table)
    for extract_id, sha256, exceeded in waiting:
        typer.echo(f"Extract {extract_id} waits ({exceeded}): {sha256}")


@app.command()
def decide(
    sha256: Annotated[str, typer.Argument(help="The digest of a file that waits, as `list` shows it.")],
    decision: Annotated[str, typer.Argument(help="approved or refused.")],
    reason: Annotated[str, typer.Option(help="A code of small letters and hyphens: agreed-migration.")],
) -> None:
    """Answer for one file that changes more than its bounds allow. The next run goes on with it.

    Only the answer of somebody whom the policy names counts: the name with which you are logged in to this machine.
    """
    from holdfast.emergency_data import approvals, steps
    from holdfast.errors import ExtractRefused

    if decision not in approvals.DECISIONS:
        raise ExtractRefused(f"{decision!r} is no decision.", fix="say approved or refused.")
    loaded, engine = _connected()
    who = getpass.getuser()
    steps.record_approval(engine, loaded, digests=[sha256], decision=decision, decided_by=who, reason=reason)
    typer.echo(f"The file is {approvals.DECISIONS[decision]}.")


@app.command()
def show(
    extract_id: Annotated[int, typer.Argument(help="The extract.")],
    record_no: Annotated[int, typer.Argument(help="The record's number in it, as reports name it.")],
) -> None:
    """Look one record up in quarantine, with all its reasons. It shows names and addresses."""
    from holdfast import database
    from holdfast.emergency_data import quarantine

    loaded, engine = _connected()
    with database.transaction(engine) as connection:
        found = quarantine.look_up(connection, loaded, extract_id, record_no)
    if found is None:
        typer.echo("There is no such record in quarantine.")
        raise typer.Exit(1)
    state = "still in quarantine" if found.ended_at is None else f"{found.ended_how} on {found.ended_at:%Y-%m-%d}"
    typer.echo(f"Record {record_no} of {found.file_name}, {state}")
    for name, value in found.fields.items():
        typer.echo(f"  {name:<22}{value}")
    for rule_id, rule in found.broken.items():
        typer.echo(f"- {rule_id} {rule.meaning if rule else ''}\n  Fix: {rule.fix if rule else ''}")


@app.command()
def exception(
    rule_id: Annotated[str, typer.Argument(help="The rule that may be broken.")],
    number: Annotated[str, typer.Argument(help="The number that may break it, in E.164.")],
    last_day: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"], help="The last day on which it passes.")],
    owner: Annotated[str, typer.Option(help="Who answers for it: small letters and hyphens.")],
    reason: Annotated[str, typer.Option(help="Why, as a code: small letters and hyphens.")],
) -> None:
    """Accept a reviewed oddity: this number passes this rule until a day."""
    from holdfast.emergency_data import exceptions

    loaded, engine = _connected()
    today = clock.local_date(dt.datetime.now(tz=dt.UTC), _ZONE)
    made = exceptions.accept(
        engine,
        loaded,
        rule_id=rule_id,
        number=number,
        last_day=last_day.date(),
        owner=owner,
        reason=reason,
        today=today,
    )
    typer.echo(f"Exception {made} is in force.")


@app.command()
def end_call(
    report_id: Annotated[str, typer.Argument(help="The authority's id of a report of a call without data.")],
    reason: Annotated[str, typer.Option(help="Why, as a code: small letters and hyphens, such as not-our-number.")],
) -> None:
    """End a report of a 999 call that no record of ours can mend. Other reports end by themselves."""
    from holdfast import database
    from holdfast.emergency_data import calls
    from holdfast.evidence.pseudonyms import pseudonym
    from holdfast.holds.register import STAFF

    loaded, engine = _connected()
    by = pseudonym(loaded.pseudonym_key(), STAFF, getpass.getuser())
    with database.transaction(engine) as connection:
        calls.end(connection, report_id, by=by, reason=reason, now=dt.datetime.now(tz=dt.UTC))
    typer.echo("The report is ended.")


@app.command()
def send_again(
    sequence: Annotated[int, typer.Argument(help="The sequence number of the release in which they were rejected.")],
    code: Annotated[str, typer.Option(help="The authority's code, as the report has it.")],
    reason: Annotated[str, typer.Option(help="Why they were right, as a code: small letters and hyphens.")],
) -> None:
    """Send rejected records again as they were, because the authority was wrong. Others wait to be corrected."""
    from holdfast import database
    from holdfast.emergency_data import inputs, rejects
    from holdfast.evidence.pseudonyms import pseudonym
    from holdfast.holds.register import STAFF

    loaded, engine = _connected()
    by, now = pseudonym(loaded.pseudonym_key(), STAFF, getpass.getuser()), dt.datetime.now(tz=dt.UTC)
    provider = inputs.bounds(loaded).provider
    with database.transaction(engine) as connection:
        records = rejects.send_again(
            connection, provider=provider, sequence=sequence, code=code, by=by, reason=reason, now=now
        )
    typer.echo(f"{records:,} records go out again with our next extract.")


@app.command()
def supply(
    list_name: Annotated[str, typer.Argument(help="allocated_block, postcode or postcode_ended.")],
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns key and value.")],
) -> None:
    """Load a list that the project cannot bring along, such as Ofcom's allocated blocks. Its rules run from then on."""
    from holdfast import database
    from holdfast.emergency_data import reference

    _, engine = _connected()
    with database.transaction(engine) as connection:
        number = reference.supply(connection, list_name, file)
    typer.echo(f"{number:,} entries.")


def _connected() -> tuple[settings.Settings, sa.Engine]:
    from holdfast import database

    loaded = settings.load()
    return loaded, database.connect_migrated(loaded)


def _line(result: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in result.items())

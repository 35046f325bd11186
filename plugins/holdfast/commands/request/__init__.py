"""`holdfast request`: requests to delete, from receipt to answer."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast import settings
from holdfast.commands.request.desk import At, By, Number, carry_out, day, one_of, open_desk, rules, say, table

if TYPE_CHECKING:
    from holdfast.deletion_requests.deadlines import Deadline, Waiting

app = typer.Typer(no_args_is_help=True, help="Deletion requests: take them in, decide them, watch their deadlines.")

_WARN_DAYS = 365  # before the table of bank holidays ends: a year is more than any deadline can reach


@app.command()
def add(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="The request's own code; no name, no number.")],
    subject: Annotated[str, typer.Option(help="The account it is about.")],
    channel: Annotated[str, typer.Option(help="form, email, post, telephone, support or file.")],
    by: By,
    received_at: Annotated[
        str | None, typer.Option(help="Day, or day and time, as 2026-11-24 09:30; now if not given.")
    ] = None,
    scope: Annotated[
        str, typer.Option(help="account, or dataset, dataset#record, category:name with ; between them.")
    ] = "account",
    identity_confirmed_at: Annotated[
        str | None, typer.Option(help="When it became clear that the person is who they say, if it is.")
    ] = None,
) -> None:
    """Take a request in. It is linked to an open one of the same account that asks for the same."""
    from holdfast.deletion_requests import fields, receipt
    from holdfast.errors import RequestError

    with open_desk() as desk:
        written = {
            "reference": reference,
            "channel": channel,
            "received_at": received_at or desk.now.isoformat(),
            "subject_key": subject,
            "scope": scope,
            "identity_confirmed_at": identity_confirmed_at or "",
        }
        found = fields.read(written, desk.policy, desk.terms, desk.now)
        if isinstance(found, fields.NewRequest):
            taken = receipt.receive(desk.connection, desk.policy, desk.terms, [found], by=by, now=desk.now)[0]
            fault = taken if isinstance(taken, fields.Fault) else None
        else:
            fault = found[0]
        if fault is not None:
            raise RequestError(f"{fault.field} ({fault.check}): {fault.what}", fix=fault.fix)
        say(desk, desk.find(reference))


@app.command("list")
def list_requests(
    state: Annotated[str | None, typer.Option(help="List the requests in this state, instead of counting all.")] = None,
) -> None:
    """Count the requests in each state, or list those in one."""
    from holdfast.deletion_requests import register

    with open_desk() as desk:
        if state is None:
            counts = register.counts(desk.connection)
            heads: Sequence[str] = ("state", "requests", "repeat another", "oldest received on", "meaning")
            rows: list[Sequence[object]] = [
                (one.state, one.requests, one.duplicates, day(desk, one.oldest_received_at), one.meaning)
                for one in counts
            ]
        else:
            wanted = [register.State(one_of(state, register.State))]
            heads = ("request", "reference", "channel", "received on", "repeats")
            rows = [
                (
                    one.request_id,
                    one.reference,
                    one.channel,
                    day(desk, one.moments.received_at),
                    one.duplicate_of or "",
                )
                for one in register.in_states(desk.connection, wanted)
            ]
    table(heads, rows)


@app.command()
def show(request: Number) -> None:
    """Show one request: what it asks for, its deadline, and the states it has gone through."""
    from holdfast.deletion_requests import register, scope
    from holdfast.evidence.pseudonyms import pseudonym
    from holdfast.holds.register import SUBJECT

    with open_desk() as desk:
        found = desk.find(request)
        typer.echo(
            f"Request {found.request_id} ({found.reference}), by {found.channel}, for {scope.describe(found.scope)}"
        )
        typer.echo(f"Subject {pseudonym(settings.load().pseudonym_key(), SUBJECT, found.subject_key)}")
        say(desk, found)
        for one in register.transitions(desk.connection, found.request_id):
            run = "" if one.run_id is None else f" in run {one.run_id}"
            typer.echo(f"  {one.at:%Y-%m-%d %H:%M} UTC  {one.from_state} -> {one.to_state}  {one.by_whom}{run}")


@app.command()
def confirmation(request: Number, file: Annotated[Path, typer.Argument(help="The page to write, HTML.")]) -> None:
    """Write the confirmation of a decided request: what was erased, who was told, and where it is proved."""
    from holdfast.deletion_requests import confirmation as confirmations
    from holdfast.store import write_whole

    with open_desk() as desk:
        number = desk.find(request).request_id
        found = confirmations.compose(desk.connection, number, settings.load().pseudonym_key())
        page = confirmations.page_of(found, desk.terms.zone)
    write_whole(file, page.encode())
    typer.echo(str(file))


@app.command()
def identity(
    request: Number,
    by: By,
    received: Annotated[
        bool, typer.Option("--received/--asked", help="The person has answered, or has been asked.")
    ] = False,
    at: At = None,
) -> None:
    """Record that the person was asked who they are, or has answered: the clock starts with the answer."""
    from holdfast.deletion_requests import lifecycle

    change = lifecycle.identity_received if received else lifecycle.request_identity
    carry_out(request, lambda desk, number: change(desk.connection, number, by=by, at=desk.moment(at)))


@app.command()
def fee(
    request: Number,
    by: By,
    paid: Annotated[bool, typer.Option("--paid/--asked", help="The fee has been paid, or asked for.")] = False,
    at: At = None,
) -> None:
    """Record that a fee was asked for, because the request is manifestly unfounded or excessive, or was paid."""
    from holdfast.deletion_requests import lifecycle

    change = lifecycle.fee_paid if paid else lifecycle.request_fee
    carry_out(request, lambda desk, number: change(desk.connection, number, by=by, at=desk.moment(at)))


@app.command()
def verify(request: Number, by: By, at: At = None) -> None:
    """Say that the person is who they say. The cool-off begins."""
    from holdfast.deletion_requests import lifecycle

    carry_out(
        request, lambda desk, number: lifecycle.verify(desk.connection, desk.terms, number, by=by, at=desk.moment(at))
    )


@app.command()
def approve(request: Number, by: By) -> None:
    """Approve what the latest matrix says would be erased. A large one stays assessed until a second person does."""
    from holdfast.deletion_requests import lifecycle

    carry_out(request, lambda desk, number: lifecycle.approve(desk.connection, desk.terms, number, by=by, at=desk.now))


@app.command()
def refuse(
    request: Number,
    by: By,
    reason: Annotated[
        str,
        typer.Option(help="identity_not_confirmed, manifestly_unfounded, excessive, contract_live or not_a_subject."),
    ],
) -> None:
    """Refuse a request as a whole. The person must be told why, and where to complain."""
    from holdfast.deletion_requests import lifecycle
    from holdfast.deletion_requests.register import Refusal

    why = Refusal(one_of(reason, Refusal))
    carry_out(request, lambda desk, number: lifecycle.refuse(desk.connection, number, why, by=by, at=desk.now))


@app.command()
def withdraw(request: Number, by: By, at: At = None) -> None:
    """Take a request back for the account holder: until the cool-off is over."""
    from holdfast.deletion_requests import lifecycle

    carry_out(
        request, lambda desk, number: lifecycle.withdraw(desk.connection, desk.terms, number, by=by, at=desk.moment(at))
    )


@app.command()
def extend(
    request: Number,
    by: By,
    reason: Annotated[str, typer.Option(help="complexity or number_of_requests.")],
    at: At = None,
) -> None:
    """Record that the person was told, with the reason, that it takes up to two months longer; --at: when."""
    from holdfast.deletion_requests import lifecycle
    from holdfast.deletion_requests.register import Extension

    why = Extension(one_of(reason, Extension))
    carry_out(
        request,
        lambda desk, number: lifecycle.extend(
            desk.connection, desk.terms, number, why, notified_at=desk.moment(at), by=by
        ),
    )


@app.command()
def intake(by: By) -> None:
    """Take in every CSV file of the inbox. Exit code 1 if a file or a row was refused; the result file says why."""
    from holdfast import database
    from holdfast.deletion_requests import intake as inbox

    loaded = settings.load()
    policy, terms = rules()
    engine = database.connect_migrated(loaded)
    folder = inbox.inbox_of(loaded)
    results = inbox.take_in(engine, policy, terms, folder, by=by, now=dt.datetime.now(tz=dt.UTC))
    for one in results:
        what = "refused" if one.is_refused else f"{one.new} taken in, {one.known} known before, {one.refused} refused"
        typer.echo(f"{one.name!a}: {what}; see {str(one.result)!a}")
    if not results:
        typer.echo(f"There is no file in {folder}.")
    if any(one.refused for one in results):
        raise typer.Exit(1)


@app.command()
def replay(
    since: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="The day of the backup that was restored.")],
    by: By,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what came back, and change nothing.")] = False,
) -> None:
    """After a restore: find what was erased since and came back, and ask for it again. The next night erases it."""
    from holdfast.deletion_requests import moves
    from holdfast.deletion_requests import replay as replays
    from holdfast.errors import RequestError

    moves.require_person(by)
    with open_desk() as desk:
        if since.date() > desk.terms.day_of(desk.now):
            raise RequestError("The day lies in the future.", fix="give the day of the backup.")
        savepoint = desk.connection.begin_nested()
        found = replays.replay(desk.connection, desk.policy, settings.load(), since=since.date(), by=by, now=desk.now)
        savepoint.rollback() if dry_run else savepoint.commit()
    table(("dataset", "requests", "rows"), [(one.dataset, one.requests, one.rows) for one in found.came_back])
    typer.echo(
        f"{found.rows} rows came back. {found.reopened} completed requests are followed again,"
        f" {found.entered_again} were entered again from the files of erasures."
    )
    if found.unplaced:
        typer.echo(
            f"{found.unplaced} requests for single records cannot be known again: look in letters/ and the inbox."
        )
    typer.echo(
        "Nothing was changed."
        if dry_run
        else "The next run of deletion_requests_reconcile erases them; to have one today, trigger it with"
        f" replay_since {since.date()}."
    )


@app.command()
def deadlines(
    limit: Annotated[int, typer.Option(min=1, help="How many to show, the most urgent first.")] = 50,
) -> None:
    """Show every request that is not answered yet, by its deadline. Exit code 1 if one is overdue."""
    from holdfast.deletion_requests.agenda import agenda
    from holdfast.deletion_requests.deadlines import OVERDUE

    with open_desk() as desk:
        today = desk.terms.day_of(desk.now)
        items = agenda(desk.connection, desk.terms, today)
    heads = ("request", "state", "received on", "clock since", "due on", "days left", "our target", "alert")
    rows = [
        (item.request_id, item.state, item.received_on, *_clock(item.clock, today), item.alert)
        for item in items[:limit]
    ]
    table(heads, rows)
    alerts = Counter(item.alert for item in items)
    typer.echo(", ".join(f"{count} {alert}" for alert, count in sorted(alerts.items())) or "No request is open.")
    if desk.terms.working_days.last < today + dt.timedelta(days=_WARN_DAYS):
        typer.echo("The table of bank holidays ends soon: add a year to policy/bank_holidays.yaml.", err=True)
    if alerts[OVERDUE]:
        raise typer.Exit(1)


def _clock(clock: Deadline | Waiting, today: dt.date) -> Sequence[object]:
    from holdfast.deletion_requests.deadlines import Waiting

    if isinstance(clock, Waiting):
        return (f"waits for {clock.waits_for} since {clock.since}", "-", "-", "-")
    return (clock.starts_on, clock.due_on, clock.days_left(today), clock.internal_target)

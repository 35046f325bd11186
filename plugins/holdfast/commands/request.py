"""`holdfast request`: requests to delete, from receipt to answer."""

from __future__ import annotations

import datetime as dt
import enum
import getpass
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from holdfast import settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from holdfast.deletion_requests.deadlines import Deadline, Terms, Waiting
    from holdfast.deletion_requests.register import Request
    from holdfast.policy.model import Policy

app = typer.Typer(no_args_is_help=True, help="Deletion requests: take them in, decide them, watch their deadlines.")

Number = Annotated[str, typer.Argument(metavar="REQUEST", help="Its number or its reference.")]
By = Annotated[
    str, typer.Option("--by", default_factory=getpass.getuser, help="Who does it; the ledger has a pseudonym.")
]
At = Annotated[
    dt.datetime | None,
    typer.Option(
        "--at", formats=["%Y-%m-%d %H:%M"], help="When it happened, in the controller's time; now if not given."
    ),
]

_WARN_DAYS = 365  # before the table of bank holidays ends: a year is more than any deadline can reach


@dataclass(frozen=True)
class _Desk:
    """What a command works with."""

    connection: sa.Connection
    policy: Policy
    terms: Terms
    now: dt.datetime

    def find(self, request: str) -> Request:
        from holdfast.deletion_requests import register

        return register.get(self.connection, int(request) if request.isdecimal() else request)

    def moment(self, given: dt.datetime | None) -> dt.datetime:
        """The moment given, or now. Raises RequestError for one in the future."""
        from holdfast.errors import RequestError

        moment = self.now if given is None else given.replace(tzinfo=ZoneInfo(self.terms.zone))
        if moment > self.now:
            raise RequestError("The moment lies in the future.", fix="give when it happened.")
        return moment


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

    with _desk() as desk:
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
        _say(desk, desk.find(reference))


@app.command("list")
def list_requests(
    state: Annotated[str | None, typer.Option(help="List the requests in this state, instead of counting all.")] = None,
) -> None:
    """Count the requests in each state, or list those in one."""
    from holdfast.deletion_requests import register

    with _desk() as desk:
        if state is None:
            counts = register.counts(desk.connection)
            heads: Sequence[str] = ("state", "requests", "repeat another", "oldest received on", "meaning")
            rows: list[Sequence[object]] = [
                (one.state, one.requests, one.duplicates, _day(desk, one.oldest_received_at), one.meaning)
                for one in counts
            ]
        else:
            wanted = [register.State(_one_of(state, register.State))]
            heads = ("request", "reference", "channel", "received on", "repeats")
            rows = [
                (
                    one.request_id,
                    one.reference,
                    one.channel,
                    _day(desk, one.moments.received_at),
                    one.duplicate_of or "",
                )
                for one in register.in_states(desk.connection, wanted)
            ]
    _table(heads, rows)


@app.command()
def show(request: Number) -> None:
    """Show one request: what it asks for, its deadline, and the states it has gone through."""
    from holdfast.deletion_requests import register, scope
    from holdfast.evidence.pseudonyms import pseudonym
    from holdfast.holds.register import SUBJECT

    with _desk() as desk:
        found = desk.find(request)
        typer.echo(
            f"Request {found.request_id} ({found.reference}), by {found.channel}, for {scope.describe(found.scope)}"
        )
        typer.echo(f"Subject {pseudonym(settings.load().pseudonym_key(), SUBJECT, found.subject_key)}")
        _say(desk, found)
        for one in register.transitions(desk.connection, found.request_id):
            run = "" if one.run_id is None else f" in run {one.run_id}"
            typer.echo(f"  {one.at:%Y-%m-%d %H:%M} UTC  {one.from_state} -> {one.to_state}  {one.by_whom}{run}")


@app.command()
def confirmation(request: Number, file: Annotated[Path, typer.Argument(help="The page to write, HTML.")]) -> None:
    """Write the confirmation of a decided request: what was erased, who was told, and where it is proved."""
    from holdfast.deletion_requests import confirmation as confirmations
    from holdfast.reports.files import write_whole

    with _desk() as desk:
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
    _change(request, lambda desk, number: change(desk.connection, number, by=by, at=desk.moment(at)))


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
    _change(request, lambda desk, number: change(desk.connection, number, by=by, at=desk.moment(at)))


@app.command()
def verify(request: Number, by: By, at: At = None) -> None:
    """Say that the person is who they say. The cool-off begins."""
    from holdfast.deletion_requests import lifecycle

    _change(
        request, lambda desk, number: lifecycle.verify(desk.connection, desk.terms, number, by=by, at=desk.moment(at))
    )


@app.command()
def approve(request: Number, by: By) -> None:
    """Approve what the latest matrix says would be erased. A large one stays assessed until a second person does."""
    from holdfast.deletion_requests import lifecycle

    _change(request, lambda desk, number: lifecycle.approve(desk.connection, desk.terms, number, by=by, at=desk.now))


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

    why = Refusal(_one_of(reason, Refusal))
    _change(request, lambda desk, number: lifecycle.refuse(desk.connection, number, why, by=by, at=desk.now))


@app.command()
def withdraw(request: Number, by: By, at: At = None) -> None:
    """Take a request back for the account holder: until the cool-off is over."""
    from holdfast.deletion_requests import lifecycle

    _change(
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

    why = Extension(_one_of(reason, Extension))
    _change(
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
    policy, terms = _rules()
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
    with _desk() as desk:
        if since.date() > desk.terms.day_of(desk.now):
            raise RequestError("The day lies in the future.", fix="give the day of the backup.")
        savepoint = desk.connection.begin_nested()
        found = replays.replay(desk.connection, desk.policy, settings.load(), since=since.date(), by=by, now=desk.now)
        savepoint.rollback() if dry_run else savepoint.commit()
    _table(("dataset", "requests", "rows"), [(one.dataset, one.requests, one.rows) for one in found.came_back])
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

    with _desk() as desk:
        today = desk.terms.day_of(desk.now)
        items = agenda(desk.connection, desk.terms, today)
    heads = ("request", "state", "received on", "clock since", "due on", "days left", "our target", "alert")
    rows = [
        (item.request_id, item.state, item.received_on, *_clock(item.clock, today), item.alert)
        for item in items[:limit]
    ]
    _table(heads, rows)
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


def _change(request: str, change: Callable[[_Desk, int], Request]) -> None:
    with _desk() as desk:
        _say(desk, change(desk, desk.find(request).request_id))


def _one_of(given: str, known: type[enum.StrEnum]) -> str:
    from holdfast.errors import RequestError

    if given not in frozenset(known):
        raise RequestError("There is no such state or reason.", fix=f"use one of {', '.join(known)}.")
    return given


def _say(desk: _Desk, request: Request) -> None:
    from holdfast.deletion_requests.agenda import status_of

    for line in status_of(request, desk.terms):
        typer.echo(line)


@contextmanager
def _desk() -> Iterator[_Desk]:
    from holdfast import database

    policy, terms = _rules()
    with database.transaction(database.connect_migrated(settings.load())) as connection:
        yield _Desk(connection, policy, terms, dt.datetime.now(tz=dt.UTC))


def _rules() -> tuple[Policy, Terms]:
    from holdfast.deletion_requests.deadlines import Terms
    from holdfast.policy.load import load_policy
    from holdfast.policy.requests_model import load_requests_policy

    folder = settings.load().policy
    policy = load_policy(folder)
    return policy, Terms.of(policy, load_requests_policy(folder))


def _day(desk: _Desk, moment: dt.datetime | None) -> dt.date | str:
    return "-" if moment is None else desk.terms.day_of(moment)


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, box=box.SIMPLE)
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)

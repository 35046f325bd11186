"""`holdfast hold`: the register of holds, its sources, and holds that people place."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast import clock, settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from holdfast.holds.register import Hold
    from holdfast.policy.model import Policy

app = typer.Typer(no_args_is_help=True, help="Holds: what must not be deleted now, and who says so.")

_DAY = ["%Y-%m-%d"]
By = Annotated[
    str, typer.Option("--by", default_factory=getpass.getuser, help="Who does it; the ledger has a pseudonym.")
]
Restricted = Annotated[bool, typer.Option("--restricted", help="Also what must not be disclosed.")]


@app.command("list")
def list_holds(
    hold_type: Annotated[str | None, typer.Option("--type", help="Only holds of this type.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also those that have ended or were released.")] = False,
    restricted: Restricted = False,
) -> None:
    """Show single holds, those that hold today. A subject appears as the pseudonym that the ledger has."""
    from holdfast.holds import register

    key = settings.load().pseudonym_key()
    with _transaction() as (connection, policy):
        nameable = _nameable(policy, restricted)
        found = register.listed(connection, _today(policy), nameable=nameable, hold_type=hold_type, ended=ended)
    headings = ("hold", "type", "reference", "source", "subject", "records", "period", "ends", "review on")
    _table(headings, [_hold_row(one, key) for one in found])


@app.command("count")
def count_holds(restricted: Restricted = False) -> None:
    """Count the holds that hold today, by authority and type."""
    from holdfast.holds import register

    with _transaction() as (connection, policy):
        found = register.counts(connection, _today(policy), nameable=_nameable(policy, restricted))
    rows = [
        (one.authority, one.hold_type, one.holds, one.subjects, one.next_end or "", one.reviews_overdue)
        for one in found
    ]
    _table(("authority", "type", "holds", "subjects", "first ends on", "reviews overdue"), rows)


@app.command()
def place(
    hold_type: Annotated[str, typer.Argument(metavar="TYPE", help="A type of policy/holds.yaml that is `by_hand`.")],
    reference: Annotated[
        str,
        typer.Argument(metavar="REFERENCE", help="The matter's own code, used once; no name, no number of a customer."),
    ],
    by: By,
    subject: Annotated[str | None, typer.Option(help="The account; every account unless given.")] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="A dataset, several times for several; all that the type can stop unless given."),
    ] = None,
    record: Annotated[str | None, typer.Option(help="The key of one record of one dataset; | between columns.")] = None,
    period_from: Annotated[dt.datetime | None, typer.Option(formats=_DAY, help="First day of the records.")] = None,
    period_to: Annotated[dt.datetime | None, typer.Option(formats=_DAY, help="First day after the records.")] = None,
    ends_on: Annotated[dt.datetime | None, typer.Option(formats=_DAY, help="Last day it holds.")] = None,
    review_on: Annotated[dt.datetime | None, typer.Option(formats=_DAY, help="Day to look at it again.")] = None,
    ground: Annotated[
        str | None, typer.Option(help="A code for the legal ground; the type's own unless given.")
    ] = None,
    allow_absent: Annotated[
        bool, typer.Option("--allow-absent", help="The subject or record is yet to come: place the hold all the same.")
    ] = False,
) -> None:
    """Place a hold. It stops deletion, of a run under way as well, once this command has ended.

    A subject or record that is not there is refused, since a mistyped key would keep nothing.
    """
    from holdfast.holds import everywhere, register
    from holdfast.holds.by_hand import Scope
    from holdfast.retention import presence

    days = _date(period_from), _date(period_to)
    scope = Scope(subject, tuple(dataset) if dataset else None, record, *days)
    policy, engines = _everywhere()
    if not allow_absent:
        presence.require(engines, policy, hold_type, scope)

    def place_in(connection: sa.Connection, database: str) -> int:
        return register.place(
            connection,
            policy,
            hold_type=hold_type,
            reference=reference,
            placed_by=by,
            **dataclasses.asdict(scope),
            ends_on=_date(ends_on),
            review_on=_date(review_on),
            ground=ground,
            database=database,
        )

    hold_id = everywhere.place(engines, place_in)
    typer.echo(f"Hold {hold_id} is placed.")


@app.command()
def release(
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Its number or its reference.")],
    reason: Annotated[str, typer.Option(help="ended, withdrawn, superseded, mistake or source_retired.")],
    by: By,
) -> None:
    """Release a hold that was placed by hand. What it alone covered falls due in the next run."""
    from holdfast.errors import HoldError
    from holdfast.holds import everywhere, register

    reasons = [one.value for one in register.ReleaseReason]
    if reason not in reasons:
        raise HoldError("There is no such reason.", fix=f"use one of {', '.join(reasons)}.")
    policy, engines = _everywhere()
    named = int(hold) if hold.isdecimal() else hold
    number = everywhere.release(engines, policy, named, released_by=by, reason=register.ReleaseReason(reason))
    typer.echo(f"Hold {number} is released.")


@app.command()
def refresh() -> None:
    """Ask every hold source now. Exit code 1 if one of them is not believed."""
    from holdfast.holds import sources

    loaded = settings.load()
    policy, engines = _everywhere()
    now = dt.datetime.now(tz=dt.UTC)
    today = clock.local_date(now, policy.schedule.time_zone)
    states = [
        (name, one)
        for name, engine in engines.items()
        for one in sources.refresh(engine, policy, loaded.at(name), now=now, as_of=today, run_id=None)
    ]
    rows = [
        (
            *_in(policy, name),
            one.source_id,
            one.status,
            *_counts(policy, one.source_id, one.read_holds, one.placed, one.changed, one.ended),
        )
        for name, one in states
    ]
    _table((*_in(policy, "database"), "source", "status", "holds", "placed", "changed", "ended"), rows)
    refused = [one.why for _, one in states if one.why is not None]
    for why in refused:
        typer.echo(why, err=True)
    if refused:
        raise typer.Exit(1)


@app.command()
def accept(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A source that is refused for having shrunk.")],
    holds: Annotated[int, typer.Argument(metavar="HOLDS", help="How many holds it rightly has.")],
    by: By,
) -> None:
    """Say that a source has rightly shrunk to a number of holds; the next refresh believes exactly that number."""
    from holdfast.holds import everywhere

    _, engines = _everywhere()
    everywhere.accept_shrink(engines, source, holds, by)
    typer.echo(f"{holds} holds of {source} are accepted; refresh to read them.")


@app.command("sources")
def list_sources() -> None:
    """Show every hold source as it was found the last time. Only a trusted one lets what it protects be deleted."""
    from holdfast import database
    from holdfast.holds import register

    policy, engines = _everywhere()
    rows: list[tuple[object, ...]] = []
    for name, engine in engines.items():
        with database.transaction(engine) as connection:
            known = {one.source_id: one for one in register.source_states(connection)}
        for source_id in policy.at(name).holds.sources:
            one = known.get(source_id)
            if one is None:
                rows.append((*_in(policy, name), source_id, "never asked", "-", "-", "-", "-"))
            else:
                moments = (_minute(one.checked_at), _minute(one.loaded_at))
                counts = _counts(policy, source_id, one.read_holds, one.accepted_holds)
                rows.append((*_in(policy, name), source_id, one.status, *moments, *counts))
    headings = ("source", "status", "asked at", "complete at", "holds read", "holds last believed")
    _table((*_in(policy, "database"), *headings), rows)


def _everywhere() -> tuple[Policy, dict[str, sa.Engine]]:
    """The policy, and an engine for each of its databases."""
    from holdfast.holds import everywhere
    from holdfast.policy.load import load_policy

    loaded = settings.load()
    policy = load_policy(loaded.policy)
    return policy, everywhere.engines(loaded, policy)


def _in(policy: Policy, database: str) -> tuple[str, ...]:
    """A further column of a table, where there are several databases."""
    return (database,) if policy.data_map.connections else ()


@contextmanager
def _transaction() -> Iterator[tuple[sa.Connection, Policy]]:
    from holdfast import database
    from holdfast.policy.load import load_policy

    loaded = settings.load()
    policy = load_policy(loaded.policy)
    with database.transaction(database.connect_migrated(loaded)) as connection:
        yield connection, policy


def _table(headings: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    from rich.console import Console

    from holdfast.reports import terminal

    terminal.show(Console(), headings, rows)


def _nameable(policy: Policy, restricted: bool) -> frozenset[str] | None:
    """The hold types that may be told of; None is all. Which are left out is said whether there are any or not."""
    from holdfast.policy.disclosure import Disclosure

    if restricted:
        return None
    disclosure = Disclosure.of(policy)
    if disclosure.guarded:
        typer.echo(f"Of the authority {disclosure.other_authorities} nothing is shown without --restricted.", err=True)
    return disclosure.nameable_types


def _hold_row(one: Hold, key: bytes) -> tuple[object, ...]:
    from holdfast.evidence.pseudonyms import pseudonym
    from holdfast.holds.register import SUBJECT

    subject = "every" if one.subject_key is None else pseudonym(key, SUBJECT, one.subject_key)
    records = "all" if one.datasets is None else ", ".join(one.datasets)
    if one.record_key is not None:
        records = f"one of {records}"
    first = f"from {one.period_from}" if one.period_from else ""
    period = " ".join(filter(None, (first, f"before {one.period_to}" if one.period_to else ""))) or "all times"
    end = f"released {one.released_at:%Y-%m-%d}" if one.released_at else one.ends_on or "when released"
    kind = (str(one.hold_id), one.hold_type, one.reference, one.source_id)
    return (*kind, subject, records, period, end, one.review_on or "")


def _today(policy: Policy) -> dt.date:
    return clock.local_date(dt.datetime.now(tz=dt.UTC), policy.schedule.time_zone)


def _date(given: dt.datetime | None) -> dt.date | None:
    return given.date() if given else None


def _minute(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC" if moment else "-"


def _counts(policy: Policy, source_id: str, *counts: int | None) -> list[int | str | None]:
    """Counts of a source; not of one with holds that nobody may know of: with `hold count` they could be worked out."""
    from holdfast.policy.disclosure import Disclosure

    if source_id in Disclosure.of(policy).countable_sources:
        return list(counts)
    return ["not shown"] * len(counts)

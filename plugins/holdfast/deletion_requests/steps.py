"""One function for each task of dags/deletion_requests_reconcile.py, under the task's name.

What is held, planned, erased, verified and sealed is done by `enforcement.night`, as for every job that deletes.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.clock import local_date
from holdfast.deletion_requests import (
    assessment,
    breaks,
    elsewhere,
    erasure_files,
    interlocks,
    letters,
    matrix,
    moves,
    night,
    outbox,
    past_nights,
    replay,
    report,
    settle,
)
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.intake import inbox_of, take_in
from holdfast.deletion_requests.letters_facts import LetterRules
from holdfast.deletion_requests.outbox_mail import transport_of
from holdfast.deletion_requests.recipients import to_tell
from holdfast.deletion_requests.register import State
from holdfast.enforcement import kinds, plan
from holdfast.enforcement import night as shared
from holdfast.enforcement.approval import ask_a_person, check_caps, record_approval
from holdfast.enforcement.night import (
    Result,
    check_policy,
    enforce_shards,
    make_plan,
    refresh_holds,
    seal_run,
    verify_run,
)
from holdfast.enforcement.runs import Run
from holdfast.errors import HeldRowsChanged, RunRefused
from holdfast.evidence import checkpoint, known_key, ledger
from holdfast.holds import keys
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import load_requests_policy
from holdfast.settings import MAIN, Settings

__all__ = [
    "acknowledge_requests",
    "ask_a_person",
    "assess",
    "check_caps",
    "check_policy",
    "conclude",
    "enforce_shards",
    "find_breaks",
    "list_shards",
    "make_plan",
    "notify_recipients",
    "open_run",
    "record_approval",
    "refresh_holds",
    "replay_erasures",
    "seal_run",
    "settle_requests",
    "take_in_requests",
    "take_over_requests",
    "verify_run",
    "write_outcomes",
    "write_report",
]

INTAKE = "intake"
"""Who takes in the files of the inbox, as a user code."""


def open_run(
    engine: sa.Engine, settings: Settings, *, as_of: dt.datetime, dry_run: bool, replay_since: str | None = None
) -> Result:
    """Open tonight's run, or go on with it. A replay after it was sealed is another edition of the same night.

    The provider's tables learn what became of 999 records that are to be ceased, before the sources of holds are read.
    """
    again = bool(replay_since)
    opened = shared.open_run(engine, settings, kinds.DELETION_REQUESTS, as_of=as_of, dry_run=dry_run, again=again)
    policy, run = shared.policy_and_run(engine, settings, int(str(opened["run_id"])))
    if not run.is_dry and settings.database == MAIN and _tells_by_cease(policy, settings):
        with database.transaction(engine) as connection:
            interlocks.note_answers(connection)
    return opened


def take_in_requests(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Take in the files of the inbox, and bring on every request whose cool-off is over."""
    policy, run = shared.policy_and_run(engine, settings, run_id)
    if run.is_dry:
        return {"files": 0, "new": 0, "assessable": 0}
    terms, now = _terms(policy, settings), shared.database_time(engine)
    results = take_in(engine, policy, terms, inbox_of(settings), by=INTAKE, now=now)
    with database.transaction(engine) as connection:
        ready = night.advance(connection, terms, now=now, run_id=run_id)
    return {
        "files": len(results),
        "new": sum(one.new for one in results),
        "refused_rows": sum(one.refused for one in results),
        "refused_files": sum(one.is_refused for one in results),
        "assessable": ready,
    }


def take_over_requests(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Take the main database's requests that are being carried out into this one, and close all others."""
    _, run = shared.policy_and_run(engine, settings, run_id)
    if run.is_dry or run.state not in ("open", "planned"):
        return {}
    with database.transaction(engine) as connection, elsewhere.asking(connection, settings.at(MAIN)) as main:
        return {"requests": elsewhere.take_over(connection, main)}


def assess(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Decide every open request, dataset by dataset; approve what the policy approves by itself, and begin it."""
    policy, run = shared.policy_and_run(engine, settings, run_id)
    if run.state not in ("open", "planned"):
        return assessment.totals(engine, run_id)
    if not run.is_dry:
        terms, now = _terms(policy, settings), shared.database_time(engine)
        # Only of these the night must know beforehand how much they would change. The others, whose numbers grow over
        # the years, are decided once.
        assessment.decide(engine, policy, run_id, (State.ASSESSED,))
        with database.transaction(engine) as connection:
            night.approve_small(connection, terms, now=now, run_id=run_id)
        with database.transaction(engine) as connection:
            approved = queries.run(connection, "deletion_requests/approved_requests").scalars().all()
            moves.move(connection, approved, State.EXECUTING, by=moves.NIGHT, at=now, run_id=run_id)
    assessment.decide(engine, policy, run_id)
    if not run.is_dry:
        with database.transaction(engine) as connection:
            facts: dict[str, ledger.JSON] = {"decisions": assessment.decisions(connection, run_id)}
            ledger.append(connection, "request_assessed", facts, run_id)
    return assessment.totals(engine, run_id)


def replay_erasures(engine: sa.Engine, settings: Settings, *, run_id: int, replay_since: str | None) -> Result:
    """Ask again for what restored backups brought back of all that was erased since a day, if one is given."""
    policy, run = shared.whole_and_run(engine, settings, run_id)
    begun = run.state not in ("open", "planned")
    with database.transaction(engine) as connection:
        if not replay_since:
            if not run.is_dry and not begun:
                replay.pending(connection, run_id)
            return {"rows": 0}
        if queries.run(connection, "deletion_requests/replay_was_made", {"run_id": run_id}).scalar_one():
            return {"rows": 0}
    if begun:
        raise RunRefused(
            f"Run {run_id} has begun its work, so it cannot erase what a replay finds.",
            fix=f"run `holdfast request replay --since {replay_since}` now: the next run erases what it finds.",
        )
    now = shared.database_time(engine)
    since = replay.day(replay_since, local_date(now, policy.schedule.time_zone))
    with database.transaction(engine) as connection:
        savepoint = connection.begin_nested()
        replay.pending(connection, run_id)
        found = replay.replay(connection, policy, settings, since=since, by=moves.NIGHT, now=now, run_id=run_id)
        savepoint.rollback() if run.is_dry else savepoint.commit()
    return {
        "rows": found.rows,
        "reopened": found.reopened,
        "entered_again": found.entered_again,
        "unplaced": found.unplaced,
    }


def list_shards(engine: sa.Engine, settings: Settings, *, run_id: int, wave: int) -> list[Result]:
    """The shards of one wave. Before the first, what statistics need is taken as facts about nobody.

    The matrix is decided again where the plan is made anew.
    """
    policy, run = shared.policy_and_run(engine, settings, run_id)
    if run.state == "planned":
        first = [name for name, one in policy.data_map.datasets.items() if one.facts_first]
        zone = policy.schedule.time_zone
        with database.transaction(engine) as connection:
            key = known_key.require(connection, settings)
            interlocks.keep_facts(connection, first, zone=zone, key=key, run_id=run_id)
    return shared.list_shards(
        engine, settings, run_id=run_id, wave=wave, recount=lambda: assessment.decide(engine, policy, run_id)
    )


def acknowledge_requests(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Keep the addresses of everyone who asked, while they are there, and write what is owed before the work."""
    return _write_letters(engine, _stationery(engine, settings, run_id), run_id)


def write_outcomes(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Write to everyone whose request was carried out or refused what became of it; erase letters past their period."""
    stationery = _stationery(engine, settings, run_id)
    written = _write_letters(engine, stationery, run_id)
    if stationery is None:
        return {**written, "expired": 0}
    return {**written, "expired": letters.erase_expired(engine, stationery, now=shared.database_time(engine))}


def notify_recipients(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Put what recipients must be told into the outbox, and send all that is due, at least once.

    What must leave the 999 data is written down for whatever sends it.
    """
    policy, run = shared.policy_and_run(engine, settings, run_id)
    if run.is_dry:
        return {"queued": 0, "sent": 0, "failed": 0}
    now = shared.database_time(engine)
    whole, _ = shared.whole_and_run(engine, settings, run_id)
    tell = to_tell(whole, load_requests_policy(settings.policy).rules.recipients)
    with database.transaction(engine) as connection:
        queued = outbox.queue(connection, tell, run_id, now=now)
        wanted = 0
        if _tells_by_cease(policy, settings):
            wanted, _ = interlocks.want_ceases(connection, run_id, now=now)
    delivered = outbox.deliver(engine, settings, transport_of(settings), now=now)
    return {"ceases": wanted, "queued": queued, "sent": delivered.sent, "failed": delivered.failed}


def settle_requests(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Write down what was erased for each request, restrict what stays, and move each to where it now stands.

    Matrices of past nights that are past their own period are forgotten.
    """
    whole, run = shared.whole_and_run(engine, settings, run_id)
    policy = whole.at(settings.database)
    if run.state != "verified":
        return assessment.totals(engine, run_id)
    with database.transaction(engine) as connection:
        settle.count(connection, plan.setting_of(connection, policy, run), run_id)
    now = shared.database_time(engine)
    with database.transaction(engine) as connection:
        key = known_key.require(connection, settings)
        if settings.database == MAIN:
            take_back = partial(_take_back, settings=settings, policy=whole, run=run)
            settled = settle.settle(connection, run_id, key=key, at=now, take_back=take_back)
        else:
            settled = settle.settle_share(connection, run_id, key=key)
    with database.transaction(engine) as connection:
        written_alike = keys.read_types(connection, policy).written_alike()
        erasure_files.write(connection, run, settings.erasures, key, written_alike)
    keep = dt.timedelta(days=load_requests_policy(settings.policy).rules.matrix.keep_days)
    forgotten = past_nights.forget(engine, run_id, before=run.as_of_date - keep, now=now)
    return {
        "forgotten": forgotten,
        "completed": settled.completed,
        "partly_completed": settled.partly_completed,
        "restricted": settled.restricted,
        "lifted": settled.lifted,
    }


def find_breaks(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Compare requests, data, holds, restrictions and recipients, and enter what does not agree into the ledger.

    Of a run that stopped on its way too: what stopped it may be an incident.
    """
    policy, run = shared.policy_and_run(engine, settings, run_id)
    if run.is_dry or run.state == "sealed":
        return {}
    now = shared.database_time(engine)
    with database.snapshot(engine) as connection:
        found = breaks.find(connection, policy, _terms(policy, settings), run_id, now=now)
    with database.transaction(engine) as connection:
        breaks.record(connection, run_id, found)
    return {"breaks": len(found), "incidents": sum(one.is_incident for one in found)}


def conclude(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """End as every job that deletes does, and red on an incident however well the rest went. Signs in either case.

    Raises HeldRowsChanged: rows went that a hold should have kept.
    """
    with database.transaction(engine) as connection:
        found = breaks.recorded(connection, run_id) or ()
    if incidents := sorted({one.kind for one in found if one.is_incident}):
        checkpoint.sign(engine, checkpoint.open_log(settings), shared.database_time(engine))
        raise HeldRowsChanged(
            f"Run {run_id} found incidents: {', '.join(incidents)}.",
            fix="wake whoever answers for the data; the report names datasets and requests. Do not clear this task.",
            kinds=incidents,
        )
    return shared.conclude(engine, settings, run_id=run_id)


def write_report(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """The report for compliance staff, however far the run has come."""
    now = shared.database_time(engine)
    with database.transaction(engine) as connection:
        return dict(report.write(connection, settings, run_id, now=now))


def _take_back(connection: sa.Connection, *, settings: Settings, policy: Policy, run: Run) -> None:
    """What further databases decided, of all that is asked for there."""
    if policy.data_map.connections:
        matrix.fill_scope(connection, policy, run.as_of_date)
        elsewhere.take_back(connection, settings, policy, run)


def _write_letters(engine: sa.Engine, stationery: letters.Stationery | None, run_id: int) -> Result:
    if stationery is None:
        return {"written": 0, "failed": 0, "unaddressed": 0, "given_up": 0}
    written = letters.write_owed(engine, stationery, run_id=run_id, now=shared.database_time(engine))
    return {
        "written": len(written.letters),
        "failed": len(written.failed),
        "unaddressed": len(written.unaddressed),
        "given_up": len(written.given_up),
    }


def _stationery(engine: sa.Engine, settings: Settings, run_id: int) -> letters.Stationery | None:
    """What letters are made with; None for a dry run, which writes and erases none."""
    policy, run = shared.whole_and_run(engine, settings, run_id)
    if run.is_dry:
        return None
    requests = load_requests_policy(settings.policy)
    return letters.Stationery(settings, policy, Terms.of(policy, requests), LetterRules.of(requests.rules.letters))


def _tells_by_cease(policy: Policy, settings: Settings) -> bool:
    """Some recipient is told of an erasure by the cease of its 999 record."""
    recipients = load_requests_policy(settings.policy).rules.recipients
    return any(one.kind == "emergency_cease" for one in to_tell(policy, recipients))


def _terms(policy: Policy, settings: Settings) -> Terms:
    return Terms.of(policy, load_requests_policy(settings.policy))

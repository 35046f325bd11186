"""The job's tasks, one function each. What they return is counts, rule ids and digests: nothing that was in a file.

Every step may be repeated: a file that was taken in is not taken in again, an extract that was released not released
again, and a file delivered once for its sequence number.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from holdfast import clock, database, queries
from holdfast.emergency_data import (
    approvals,
    catalogue,
    deliver,
    extracts,
    forget,
    inputs,
    inventory,
    reconciliation,
    reference,
    report,
    store,
)
from holdfast.emergency_data.from_authority import read_calls as read_calls
from holdfast.emergency_data.from_authority import read_responses as read_responses
from holdfast.emergency_data.one_extract import finish_extract
from holdfast.emergency_data.taking_in import (
    EARLY,
    LOADED,
    REFUSED,
    ZONE,
    Folders,
    Taken,
    names_digest,
    sender_of,
    take_in,
    waiting_files,
)
from holdfast.errors import CallsWithoutData, ExtractRefused
from holdfast.evidence import checkpoint
from holdfast.settings import Settings

Result = dict[str, Any]
OWN_LAYOUT = "ng999-v1"


def make_extract(engine: sa.Engine, settings: Settings) -> Result:
    """Put our own extract into the inbox: everything the first time, then what changed. Made once for each day."""
    bounds = inputs.bounds(settings)
    now = inputs.now(engine).replace(microsecond=0)
    day = clock.local_date(now, ZONE)
    folders = Folders.below(settings.emergency)
    layout = inputs.layouts(settings)[OWN_LAYOUT]
    values = {"provider": bounds.provider, "business_date": day}
    with database.snapshot(engine) as connection:
        last = store.last_sequence(connection, bounds.provider)
        if queries.run(connection, "emergency/extract_of_day", values).one_or_none() is not None:
            return {"made": False}
        written = extracts.write(
            connection,
            folders.inbox,
            layout,
            provider=bounds.provider,
            extract_type="FULL" if last is None else "DELTA",
            business_date=day,
            now=now,
        )
    return {"made": True, "file": f"sha256:{written.sha256}", "size": written.size}


def find_missing(engine: sa.Engine, settings: Settings) -> Result:
    """The senders whose extract of today is expected, and is neither in the inbox nor was taken in.

    `seen` is the digest of the names in the folder `inbox`: once it is another one, somebody should ask again.
    """
    bounds, folders = inputs.bounds(settings), Folders.below(settings.emergency)
    known = inputs.layouts(settings)
    seen = names_digest(folders.inbox)
    here = {sender_of(known, path) for path in waiting_files(folders.inbox)}
    day = {"business_date": clock.local_date(inputs.now(engine), ZONE)}
    with database.transaction(engine) as connection:
        here |= {row.provider for row in queries.run(connection, "emergency/senders_of_day", day)}
    return {"senders": sorted(set(bounds.expected) - here), "inbox": str(folders.inbox), "seen": seen}


def prepare(engine: sa.Engine, settings: Settings) -> Result:
    """Read reference lists and number inventory anew, and forget what has had its time."""
    bounds = inputs.bounds(settings)
    now = inputs.now(engine)
    with database.transaction(engine) as connection:
        reference.load_shipped(
            connection, inputs.folder(settings) / "reference", invented_places=bounds.invented_places
        )
        numbers = inventory.refresh(connection, bounds.provider, now)
        forgotten = forget.forget(connection, Folders.below(settings.emergency), now, bounds.kept_days)
    return {"numbers": numbers, "forgotten": forgotten}


def list_providers(engine: sa.Engine, settings: Settings) -> list[Result]:
    """Whose files lie in the inbox or are not finished. Files of names that no layout knows are of nobody."""
    folders = Folders.below(settings.emergency)
    known = inputs.layouts(settings)
    senders = {sender_of(known, path) for path in waiting_files(folders.inbox)}
    with database.transaction(engine) as connection:
        senders |= {row.provider for row in queries.run(connection, "emergency/open_extracts")}
    return [{"provider": one} for one in sorted(senders)]


def work_through(engine: sa.Engine, settings: Settings, *, provider: str) -> Result:
    """One provider's files, one after the other: what a file changes, the next one is checked against.

    It ends at a file that waits for a person; those behind it stay in the inbox.
    """
    bounds, folders = inputs.bounds(settings), Folders.below(settings.emergency)
    known = inputs.layouts(settings)
    files = [path for path in waiting_files(folders.inbox) if sender_of(known, path) == provider]
    taken: list[Taken] = []
    done = [finish_extract(engine, settings, extract_id) for extract_id in _open_extracts(engine, provider)]
    for path in files:
        if any(one["state"] == "waiting" for one in done):
            break
        taken.append(take_in(engine, folders, path, known, bounds, inputs.now(engine)))
        extract_id = taken[-1].extract_id
        if taken[-1].what == LOADED and extract_id is not None:
            done.append(finish_extract(engine, settings, extract_id))
    broken = sorted({rule_id for one in taken if one.what == REFUSED for rule_id in one.rule_ids})
    by_what = {what: sum(one.what == what for one in taken) for what in (LOADED, REFUSED, EARLY)}
    return {"provider": provider, **by_what, "rules_broken": broken, "extracts": done}


def find_waiting(engine: sa.Engine, settings: Settings) -> Result:
    """The digests of the files that wait for a person's answer."""
    with database.transaction(engine) as connection:
        digests = approvals.waiting(connection)
    return {"waits": bool(digests), "digests": digests}


def ask_a_person(engine: sa.Engine, settings: Settings, *, title: str, report: str) -> Result:
    """What to ask about the files that wait, and whom: the user ids that may answer, each with who that is."""
    with database.transaction(engine) as connection:
        return approvals.question(connection, approvals.approvers(settings), title=title, report=report)


def record_approval(
    engine: sa.Engine,
    settings: Settings,
    *,
    digests: list[str],
    decision: str,
    decided_by: str,
    reason: str | None = None,
    airflow_run: str | None = None,
) -> Result:
    """Bind a person's answer to the files with these digests, which leave or do not in the next step.

    Raises ApprovalRefused for the answer of somebody whom the policy does not name, or one without a reason, and
    ExtractRefused for a file that does not wait. `decided_by` is the user id of the log-in, `airflow_run` the id of the
    run that asked; None: by command.
    """
    answer = approvals.Answer(decision, decided_by, reason, inputs.now(engine), airflow_run)
    approvals.record(engine, settings, digests, answer)
    return {"files": len(digests), "decision": decision}


def deliver_files(engine: sa.Engine, settings: Settings) -> Result:
    """Hand over what was released and not delivered, in the order of the sequence numbers."""
    released = Folders.below(settings.emergency).released
    return {"delivered": deliver.deliver(engine, released, deliver.place_of(settings), inputs.now(engine))}


def reconcile(engine: sa.Engine, settings: Settings) -> Result:
    """Compare the authority's records with the number inventory, both ways, and see which addresses must be checked."""
    bounds, now = inputs.bounds(settings), inputs.now(engine)
    with database.transaction(engine) as connection:
        return reconciliation.reconcile(connection, bounds, now)


def write_report(engine: sa.Engine, settings: Settings) -> Result:
    """The report of the day, however far its extracts have come."""
    now = inputs.now(engine)
    folder, known = inputs.folder(settings), inputs.layouts(settings)
    named = catalogue.load_file_rules(folder / "files.yaml") | {
        rule_id: rule
        for layout in known.values()
        for rule_id, rule in catalogue.load(folder / "records.json", layout).rules.items()
    }
    bounds, own = inputs.bounds(settings), catalogue.load(folder / "records.json", known[OWN_LAYOUT])
    day = clock.local_date(now, ZONE)
    with database.snapshot(engine) as connection:
        off = {**bounds.switched_off, **reference.not_supplied(connection, own)}
        return dict(report.write(connection, settings, bounds, named, switched_off=off, day=day, now=now))


def conclude(engine: sa.Engine, settings: Settings, *, since: str) -> Result:
    """Sign what the ledger has. Green only if every file since the run began has left, and who dials 999 is found.

    A record that stands rejected for too long is not green either: whom the alerts go to hears of it each day.

    Raises CallsWithoutData, or else ExtractRefused.
    """
    checkpoint.sign(engine, checkpoint.open_log(settings), inputs.now(engine))
    with database.transaction(engine) as connection:
        values = {"since": dt.datetime.fromisoformat(str(since))}
        counts = queries.run(connection, "emergency/unfinished", values).one()
    if counts.calls:
        raise CallsWithoutData(
            f"The authority had no name and address for {counts.calls} calls to 999.",
            fix="see the top of the report for what each is waiting for, and do that first.",
            calls=counts.calls,
        )
    if counts.refused or counts.waiting or counts.undelivered or counts.overdue:
        raise ExtractRefused(
            f"{counts.refused} files were refused, {counts.waiting} wait for a person, "
            f"{counts.undelivered} are not delivered; {counts.overdue} rejected records are overdue.",
            fix="see the report; `holdfast emergency list` names the files, E506 counts the records.",
            refused=counts.refused,
            waiting=counts.waiting,
            undelivered=counts.undelivered,
            overdue=counts.overdue,
        )
    return {"calls": 0, "refused": 0, "waiting": 0, "undelivered": 0, "overdue": 0}


def _open_extracts(engine: sa.Engine, provider: str) -> list[int]:
    with database.transaction(engine) as connection:
        found = queries.run(connection, "emergency/open_extracts").all()
    return [int(row.extract_id) for row in found if row.provider == provider]

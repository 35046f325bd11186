"""The job's tasks, one function each. What they return is counts, rule ids and digests: nothing that was in a file.

Every step may be repeated: a file that was taken in is not taken in again, an extract that was released not released
again, and a file delivered once for its sequence number.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from holdfast import clock, database, queries
from holdfast.emergency_data import (
    approvals,
    calls,
    catalogue,
    deliver,
    extracts,
    forget,
    inventory,
    judge,
    reconciliation,
    reference,
    release,
    report,
    responses,
    rules,
    staging,
    store,
    validation,
)
from holdfast.emergency_data import bounds as all_bounds
from holdfast.emergency_data import layout as layouts
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.catalogue import Suite
from holdfast.emergency_data.store import Extract
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
from holdfast.errors import CallsWithoutData, ExtractRefused, RuleSetError
from holdfast.evidence import checkpoint, ledger
from holdfast.settings import Settings

Result = dict[str, Any]
_log = logging.getLogger(__name__)
USUAL_DAYS = 28
OWN_LAYOUT = "ng999-v1"


def make_extract(engine: sa.Engine, settings: Settings) -> Result:
    """Put our own extract into the inbox: everything the first time, then what changed. Made once for each day."""
    bounds = _bounds(settings)
    now = _now(engine).replace(microsecond=0)
    day = clock.local_date(now, ZONE)
    folders = Folders.below(settings.emergency)
    layout = layouts.load_all(settings.expectations / "emergency_data")[OWN_LAYOUT]
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
    bounds, folders = _bounds(settings), Folders.below(settings.emergency)
    known = layouts.load_all(settings.expectations / "emergency_data")
    seen = names_digest(folders.inbox)
    here = {sender_of(known, path) for path in waiting_files(folders.inbox)}
    day = {"business_date": clock.local_date(_now(engine), ZONE)}
    with database.transaction(engine) as connection:
        here |= {row.provider for row in queries.run(connection, "emergency/senders_of_day", day)}
    return {"senders": sorted(set(bounds.expected) - here), "inbox": str(folders.inbox), "seen": seen}


def prepare(engine: sa.Engine, settings: Settings) -> Result:
    """Read reference lists and number inventory anew, and forget what has had its time."""
    bounds = _bounds(settings)
    folder = settings.expectations / "emergency_data" / "reference"
    now = _now(engine)
    with database.transaction(engine) as connection:
        reference.load_shipped(connection, folder, invented_places=bounds.invented_places)
        numbers = inventory.refresh(connection, bounds.provider, now)
        forgotten = forget.forget(connection, Folders.below(settings.emergency), now, bounds.kept_days)
    return {"numbers": numbers, "forgotten": forgotten}


def list_providers(engine: sa.Engine, settings: Settings) -> list[Result]:
    """Whose files lie in the inbox or are not finished. Files of names that no layout knows are of nobody."""
    folders = Folders.below(settings.emergency)
    known = layouts.load_all(settings.expectations / "emergency_data")
    senders = {sender_of(known, path) for path in waiting_files(folders.inbox)}
    with database.transaction(engine) as connection:
        senders |= {row.provider for row in queries.run(connection, "emergency/open_extracts")}
    return [{"provider": one} for one in sorted(senders)]


def work_through(engine: sa.Engine, settings: Settings, *, provider: str) -> Result:
    """One provider's files, one after the other: what a file changes, the next one is checked against.

    It ends at a file that waits for a person; those behind it stay in the inbox.
    """
    bounds, folders = _bounds(settings), Folders.below(settings.emergency)
    known = layouts.load_all(settings.expectations / "emergency_data")
    files = [path for path in waiting_files(folders.inbox) if sender_of(known, path) == provider]
    taken: list[Taken] = []
    done = [_finish(engine, settings, extract_id) for extract_id in _open_extracts(engine, provider)]
    for path in files:
        if any(one["state"] == "waiting" for one in done):
            break
        taken.append(take_in(engine, folders, path, known, bounds, _now(engine)))
        extract_id = taken[-1].extract_id
        if taken[-1].what == LOADED and extract_id is not None:
            done.append(_finish(engine, settings, extract_id))
    broken = sorted({rule_id for one in taken if one.what == REFUSED for rule_id in one.rule_ids})
    by_what = {what: sum(one.what == what for one in taken) for what in (LOADED, REFUSED, EARLY)}
    return {"provider": provider, **by_what, "rules_broken": broken, "extracts": done}


def _finish(engine: sa.Engine, settings: Settings, extract_id: int) -> Result:
    judged = judge_extract(engine, settings, extract_id=extract_id)
    if _bounds(settings).second_opinion:
        validate_extract(engine, settings, extract_id=extract_id)
    return judged | release_extract(engine, settings, extract_id=extract_id)


def judge_extract(engine: sa.Engine, settings: Settings, *, extract_id: int) -> Result:
    """Check every record against every rule, and see whether what would leave changes more than it may."""
    bounds = _bounds(settings)
    with database.transaction(engine) as connection:
        store.lock(connection, extract_id)
        extract = store.get(connection, extract_id)
        if extract.state not in ("received", "judged"):
            return {"extract_id": extract_id, "state": extract.state}
        suite = _suite(connection, settings, bounds, extract)
        parameters = bounds.parameters(extract.provider, extract.extract_type, extract.business_date)
        verdict = judge.judge(
            connection, extract_id, suite, parameters, provider=extract.provider, as_of=extract.business_date
        )
        store.record_verdict(connection, extract_id, suite, verdict)
        extract = store.get(connection, extract_id)
        usual = store.usual_volume(connection, extract, USUAL_DAYS)
        figures = rules.figures(release.change(connection, extract, suite, usual), bounds.change)
        store.record_figures(connection, extract_id, figures)
        exceeded = [one.name for one in figures if one.exceeded]
        waits = rules.must_wait(figures)
        if waits:
            store.move(connection, extract_id, "waiting", since=("judged",))
        facts = _facts(extract)
        broken = dict(sorted(verdict.broken.items()))
        judged: dict[str, ledger.JSON] = {
            **facts,
            "rule_set": suite.digest,
            "records": verdict.records,
            "stopped": verdict.stopped,
            "warned": verdict.warned,
            "broken": broken,
            "excepted": dict(verdict.excepted),
        }
        ledger.append(connection, "extract_judged", judged)
        if waits:
            ledger.append(connection, "extract_waits", {**facts, "exceeded": list(exceeded)})
    counts = {"records": verdict.records, "stopped": verdict.stopped, "warned": verdict.warned}
    return {"extract_id": extract_id, "state": "waiting" if waits else "judged", "exceeded": exceeded, **counts}


def validate_extract(engine: sa.Engine, settings: Settings, *, extract_id: int) -> Result:
    """Let Great Expectations look at the extract as well, once, and write its Data Docs beside the day's report."""
    bounds, now = _bounds(settings), _now(engine)
    with database.transaction(engine) as connection:
        extract = store.get(connection, extract_id)
        known = queries.run(connection, "emergency/rules_found", {"extract_id": extract_id})
        found = {row.rule_id: row.records for row in known}
        suite = _suite(connection, settings, bounds, extract)
        is_done = queries.run(connection, "emergency/is_validated", {"extract_id": extract_id}).scalar_one()
    if is_done or extract.state not in ("judged", "waiting"):
        return {"extract_id": extract_id, "expectations": 0}
    parameters = bounds.parameters(extract.provider, extract.extract_type, extract.business_date)
    folder = report.data_docs_of(settings, clock.local_date(now, ZONE))
    expectations = validation.validate(engine, extract_id, suite, parameters, found=found, folder=folder)
    with database.transaction(engine) as connection:
        queries.run(connection, "emergency/record_validation", {"extract_id": extract_id, "at": now})
        facts = {**_facts(extract), "rule_set": suite.digest, "expectations": expectations}
        ledger.append(connection, "extract_validated", facts)
    return {"extract_id": extract_id, "expectations": expectations}


def read_responses(engine: sa.Engine, settings: Settings) -> Result:
    """Match what the authority answered. A response that cannot be matched is kept, and stops no other.

    Raises ExtractRefused at the end if there was such a one.
    """
    folders = Folders.below(settings.emergency)
    now = _now(engine)
    total = {"read": 0, "accepted": 0, "rejected": 0, "unmatched": 0}
    refused = 0
    for path in waiting_files(folders.responses):
        try:
            with database.transaction(engine) as connection:
                matched = responses.apply(connection, responses.read(path), now)
        except ExtractRefused as refusal:
            refused += 1
            _keep_refused(engine, folders, path, "response_refused", refusal)
            continue
        total["read"] += matched.is_new
        for name in ("accepted", "rejected", "unmatched"):
            total[name] += getattr(matched, name)
        path.replace(folders.received / path.name)
    _require_none(refused, "answers of the authority")
    return total


def read_calls(engine: sa.Engine, settings: Settings) -> Result:
    """Read the reports of 999 calls from numbers without data. A file that is none is kept, and stops no other.

    Raises ExtractRefused at the end if there was such a one.
    """
    folders = Folders.below(settings.emergency)
    now = _now(engine)
    new = refused = 0
    for path in waiting_files(folders.calls):
        try:
            reported = calls.read(path, now)
        except ExtractRefused as refusal:
            refused += 1
            _keep_refused(engine, folders, path, "calls_refused", refusal)
            continue
        with database.transaction(engine) as connection:
            new += calls.store(connection, reported, _digest_of(path), now)
        path.replace(folders.received / path.name)
    _require_none(refused, "reports of calls without data")
    return {"new": new}


def _keep_refused(engine: sa.Engine, folders: Folders, path: Path, kind: str, refused: ExtractRefused) -> None:
    digest = _digest_of(path)
    with database.transaction(engine) as connection:
        ledger.append(connection, kind, {"file": f"sha256:{digest}"})
    path.replace(folders.refused / f"{digest[:12]}-{path.name}")
    _log.error("%s", refused)


def _require_none(refused: int, what: str) -> None:
    if refused:
        raise ExtractRefused(
            f"{refused} files of {what} could not be read.",
            fix="look into the folder `refused`, and ask for them again; the others were read.",
            refused=refused,
        )


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
) -> Result:
    """Bind a person's answer to the files with these digests, which leave or do not in the next step.

    Raises ApprovalRefused for the answer of somebody whom the policy does not name, or one without a reason, and
    ExtractRefused for a file that does not wait. `decided_by` is the user id of the log-in.
    """
    now = _now(engine)
    answer = approvals.Answer(decision, decided_by, reason, now)
    approvals.record(engine, settings, digests, answer)
    return {"files": len(digests), "decision": decision}


def release_extract(engine: sa.Engine, settings: Settings, *, extract_id: int) -> Result:
    """Let the good records leave, put the bad ones into quarantine, and prove that these are all."""
    bounds, folders = _bounds(settings), Folders.below(settings.emergency)
    now = _now(engine)
    with database.transaction(engine) as connection:
        store.lock(connection, extract_id)
        extract = store.get(connection, extract_id)
        answer = store.decision_on(connection, extract.sha256)
        if extract.state == "waiting" and answer == "declined":
            return _decline(connection, extract)
        if extract.state == "waiting" and answer != "approved":
            return {"extract_id": extract_id, "state": "waiting"}
        if extract.state not in ("judged", "waiting"):
            return {"extract_id": extract_id, "state": extract.state}
        suite = _suite(connection, settings, bounds, extract)
        if suite.digest != extract.rule_set:
            raise RuleSetError(
                "The rules have changed since the extract was checked.",
                fix="clear the task judge_extract: it checks anew.",
            )
        layout = layouts.load_all(settings.expectations / "emergency_data")[extract.layout]
        done = release.release(connection, extract, suite, layout, folders.released, now)
        if done.records + done.quarantined != extract.records:
            raise ExtractRefused(
                f"{extract.records} records came in, {done.records} would leave and {done.quarantined} stay.",
                fix="keep everything as it is, and look at the tables of this extract.",
            )
        store.move(connection, extract_id, "released", since=("judged", "waiting"))
        _forget(connection, extract_id)
        counts = {
            "records": extract.records,
            "released": done.records,
            "quarantined": done.quarantined,
            "corrected": done.corrected,
            "superseded": done.superseded,
        }
        facts = {**_facts(extract), **counts, "rule_set": suite.digest, "release": f"sha256:{done.file.sha256}"}
        ledger.append(connection, "extract_released", facts)
    return {"extract_id": extract_id, "state": "released", **counts}


def deliver_files(engine: sa.Engine, settings: Settings) -> Result:
    """Hand over what was released and not delivered, in the order of the sequence numbers."""
    released = Folders.below(settings.emergency).released
    return {"delivered": deliver.deliver(engine, released, deliver.place_of(settings), _now(engine))}


def reconcile(engine: sa.Engine, settings: Settings) -> Result:
    """Compare the authority's records with the number inventory, both ways, and see which addresses must be checked."""
    bounds, now = _bounds(settings), _now(engine)
    with database.transaction(engine) as connection:
        return reconciliation.reconcile(connection, bounds, now)


def write_report(engine: sa.Engine, settings: Settings) -> Result:
    """The report of the day, however far its extracts have come."""
    now = _now(engine)
    folder = settings.expectations / "emergency_data"
    known = layouts.load_all(folder)
    named = catalogue.load_file_rules(folder / "files.yaml") | {
        rule_id: rule
        for layout in known.values()
        for rule_id, rule in catalogue.load(folder / "records.json", layout).rules.items()
    }
    bounds, own = _bounds(settings), catalogue.load(folder / "records.json", known[OWN_LAYOUT])
    day = clock.local_date(now, ZONE)
    with database.snapshot(engine) as connection:
        off = {**bounds.switched_off, **reference.not_supplied(connection, own)}
        return dict(report.write(connection, settings, bounds, named, switched_off=off, day=day, now=now))


def conclude(engine: sa.Engine, settings: Settings, *, since: str) -> Result:
    """Sign what the ledger has. Green only if every file since the run began has left, and who dials 999 is found.

    Raises CallsWithoutData, or else ExtractRefused.
    """
    checkpoint.sign(engine, checkpoint.open_log(settings.ledger_key, settings.checkpoints), _now(engine))
    with database.transaction(engine) as connection:
        values = {"since": dt.datetime.fromisoformat(str(since))}
        counts = queries.run(connection, "emergency/unfinished", values).one()
    if counts.calls:
        raise CallsWithoutData(
            f"The authority had no name and address for {counts.calls} calls to 999.",
            fix="see the top of the report for what each is waiting for, and do that first.",
            calls=counts.calls,
        )
    if counts.refused or counts.waiting or counts.undelivered:
        raise ExtractRefused(
            f"{counts.refused} files were refused, {counts.waiting} wait for a person, "
            f"{counts.undelivered} are not delivered.",
            fix="see the report; `holdfast emergency list` names them.",
            refused=counts.refused,
            waiting=counts.waiting,
            undelivered=counts.undelivered,
        )
    return {"calls": 0, "refused": 0, "waiting": 0, "undelivered": 0}


def _open_extracts(engine: sa.Engine, provider: str) -> list[int]:
    with database.transaction(engine) as connection:
        found = queries.run(connection, "emergency/open_extracts").all()
    return [int(row.extract_id) for row in found if row.provider == provider]


def _decline(connection: sa.Connection, extract: Extract) -> Result:
    """A declined file is as one that was refused: nothing of it leaves, and its number may be used again."""
    store.move(connection, extract.extract_id, "declined", since=("waiting",))
    _forget(connection, extract.extract_id)
    return {"extract_id": extract.extract_id, "state": "declined"}


def _forget(connection: sa.Connection, extract_id: int) -> None:
    judge.forget(connection, extract_id)
    staging.drop(connection, extract_id)


def _suite(connection: sa.Connection, settings: Settings, bounds: Bounds, extract: Extract) -> Suite:
    folder = settings.expectations / "emergency_data"
    layout = layouts.load_all(folder)[extract.layout]
    suite = catalogue.load(folder / "records.json", layout)
    return suite.without({**bounds.switched_off, **reference.not_supplied(connection, suite)})


def _bounds(settings: Settings) -> Bounds:
    return all_bounds.load(settings.expectations / "emergency_data" / "bounds.yaml")


def _facts(extract: Extract) -> dict[str, ledger.JSON]:
    return {
        "extract": extract.extract_id,
        "provider": extract.provider,
        "sequence": extract.sequence,
        "file": f"sha256:{extract.sha256}",
    }


def _now(engine: sa.Engine) -> dt.datetime:
    """The database's time: the one clock that every machine of an installation shares."""
    with database.transaction(engine) as connection:
        return cast("dt.datetime", queries.run(connection, "emergency/now").scalar_one())

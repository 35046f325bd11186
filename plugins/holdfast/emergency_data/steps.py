"""The job's tasks, one function each. What they return is counts, rule ids and digests: nothing that was in a file.

Every step may be repeated: a file that was taken in is not taken in again, an extract that was released not released
again, and a file delivered once for its sequence number.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.emergency_data import bounds as all_bounds
from holdfast.emergency_data import catalogue, deliver, inventory, judge, reference, release, rules, staging, store
from holdfast.emergency_data import layout as layouts
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.catalogue import Suite
from holdfast.emergency_data.store import Extract
from holdfast.emergency_data.taking_in import REFUSED, Folders, take_in, waiting_files
from holdfast.errors import ExtractRefused, RuleSetError
from holdfast.evidence import ledger, pseudonyms
from holdfast.settings import Settings

Result = dict[str, Any]
USUAL_DAYS = 28
DECISIONS = {"approved": "extract_approved", "declined": "extract_declined", "expired": "extract_declined"}


def prepare(engine: sa.Engine, settings: Settings) -> Result:
    """Read reference lists and number inventory anew."""
    bounds = _bounds(settings)
    folder = settings.expectations / "emergency_data" / "reference"
    now = _now(engine)
    with database.transaction(engine) as connection:
        reference.load_shipped(connection, folder, invented_places=bounds.invented_places)
        numbers = inventory.refresh(connection, bounds.provider, now)
    return {"numbers": numbers}


def take_in_files(engine: sa.Engine, settings: Settings) -> Result:
    """Take in what lies in the inbox, one after the other; refused files do not stop the others."""
    bounds, folders = _bounds(settings), Folders.below(settings.emergency)
    known = layouts.load_all(settings.expectations / "emergency_data")
    now = _now(engine)
    taken = [take_in(engine, folders, path, known, bounds, now) for path in waiting_files(folders.inbox)]
    by_what = {what: sum(one.what == what for one in taken) for what in ("loaded", "refused", "early")}
    rules_broken = sorted({rule_id for one in taken if one.what == REFUSED for rule_id in one.rule_ids})
    return {**by_what, "rules_broken": rules_broken, "extracts": _open_extracts(engine)}


def list_extracts(engine: sa.Engine) -> list[Result]:
    """The extracts that are to be worked on, with what Airflow calls them."""
    return [{"extract_id": one} for one in _open_extracts(engine)]


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


def find_waiting(engine: sa.Engine) -> Result:
    """The digests of the files that wait for a person, with what they would change."""
    with database.transaction(engine) as connection:
        rows = queries.run(connection, "emergency/waiting_extracts").all()
    return {"waits": bool(rows), "digests": [row.sha256 for row in rows]}


def decide(
    engine: sa.Engine, settings: Settings, *, digests: list[str], decision: str, decided_by: str, reason: str
) -> Result:
    """Record a person's answer for the files with these digests. Raises ExtractRefused for others."""
    who = pseudonyms.pseudonym(settings.pseudonym_key(), "staff", decided_by)
    now = _now(engine)
    with database.transaction(engine) as connection:
        for sha256 in digests:
            known = store.known(connection, sha256)
            if known is None or known[1] != "waiting":
                raise ExtractRefused(
                    "No file with this digest waits for a decision.", fix="see `holdfast emergency list`."
                )
            values = {"sha256": sha256, "decision": decision, "decided_by": who, "reason": reason, "at": now}
            stands = queries.run(connection, "emergency/record_decision", values).one_or_none()
            if stands is not None:
                facts: dict[str, ledger.JSON] = {"file": f"sha256:{sha256}", "by": who, "reason": reason}
                ledger.append(connection, DECISIONS[decision], {**facts, "decision": decision})
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
    folders = Folders.below(settings.emergency)
    now = _now(engine)
    with database.transaction(engine) as connection:
        done = deliver.deliver(connection, folders.released, settings.emergency_outbox, now)
        for one in done:
            store.move(connection, one["extract_id"], "delivered", since=("released",))
        for one in done:
            facts = {"extract": one["extract_id"], "provider": one["provider"], "sequence": one["sequence"]}
            ledger.append(connection, "extract_delivered", {**facts, "file": f"sha256:{one['file']}"})
    return {"delivered": len(done)}


def reconcile(engine: sa.Engine, settings: Settings) -> Result:
    """Compare the authority's records with the number inventory, both ways."""
    provider = _bounds(settings).provider
    now = _now(engine)
    values = {"provider": provider, "at": now}
    with database.transaction(engine) as connection:
        queries.run(connection, "emergency/work_in_memory")
        queries.run(connection, "emergency/stage_gaps")
        queries.run(connection, "emergency/find_gaps", {"provider": provider})
        closed = queries.run(connection, "emergency/close_gaps", values).rowcount
        opened = queries.run(connection, "emergency/open_gaps", values).rowcount
        coverage = queries.run(connection, "emergency/store_coverage", values).one()
        gaps = queries.run(connection, "emergency/open_gap_counts", {"provider": provider}).all()
        counts = {"needing": coverage.needing, "covered": coverage.covered, "opened": opened, "closed": closed}
        by_rule = {row.rule_id: row.gaps for row in gaps}
        ledger.append(connection, "emergency_reconciled", {"provider": provider, **counts, "gaps": by_rule})
    return {**counts, "gaps": by_rule}


def _open_extracts(engine: sa.Engine) -> list[int]:
    with database.transaction(engine) as connection:
        return [int(found) for found in queries.run(connection, "emergency/open_extracts").scalars()]


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

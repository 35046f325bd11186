"""What is done with one extract that was taken in: judge it, let Great Expectations look as well, and release it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from holdfast import clock, database, queries
from holdfast.emergency_data import inputs, judge, release, report, rules, staging, store, validation
from holdfast.emergency_data.store import Extract
from holdfast.emergency_data.taking_in import ZONE, Folders
from holdfast.errors import ExtractRefused, RuleSetError
from holdfast.evidence import ledger
from holdfast.settings import Settings

Result = dict[str, Any]
USUAL_DAYS = 28


def finish_extract(engine: sa.Engine, settings: Settings, extract_id: int) -> Result:
    judged = judge_extract(engine, settings, extract_id=extract_id)
    if inputs.bounds(settings).second_opinion:
        validate_extract(engine, settings, extract_id=extract_id)
    return judged | release_extract(engine, settings, extract_id=extract_id)


def judge_extract(engine: sa.Engine, settings: Settings, *, extract_id: int) -> Result:
    """Check every record against every rule, and see whether what would leave changes more than it may."""
    bounds = inputs.bounds(settings)
    with database.transaction(engine) as connection:
        store.lock(connection, extract_id)
        extract = store.get(connection, extract_id)
        if extract.state not in ("received", "judged"):
            return {"extract_id": extract_id, "state": extract.state}
        suite = inputs.suite(connection, settings, bounds, extract)
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
    bounds, now = inputs.bounds(settings), inputs.now(engine)
    with database.transaction(engine) as connection:
        extract = store.get(connection, extract_id)
        known = queries.run(connection, "emergency/rules_found", {"extract_id": extract_id})
        found = {row.rule_id: row.records for row in known}
        suite = inputs.suite(connection, settings, bounds, extract)
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


def release_extract(engine: sa.Engine, settings: Settings, *, extract_id: int) -> Result:
    """Let the good records leave, put the bad ones into quarantine, and prove that these are all."""
    bounds, folders = inputs.bounds(settings), Folders.below(settings.emergency)
    now = inputs.now(engine)
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
        suite = inputs.suite(connection, settings, bounds, extract)
        if suite.digest != extract.rule_set:
            raise RuleSetError(
                "The rules have changed since the extract was checked.",
                fix="clear the task work_through: it checks anew.",
            )
        layout = inputs.layouts(settings)[extract.layout]
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
        facts["manifest"] = f"sha256:{done.manifest}"
        ledger.append(connection, "extract_released", facts)
    return {"extract_id": extract_id, "state": "released", **counts}


def _decline(connection: sa.Connection, extract: Extract) -> Result:
    """A declined file is as one that was refused: nothing of it leaves, and its number may be used again."""
    store.move(connection, extract.extract_id, "declined", since=("waiting",))
    _forget(connection, extract.extract_id)
    return {"extract_id": extract.extract_id, "state": "declined"}


def _forget(connection: sa.Connection, extract_id: int) -> None:
    judge.forget(connection, extract_id)
    staging.drop(connection, extract_id)


def _facts(extract: Extract) -> dict[str, ledger.JSON]:
    return {
        "extract": extract.extract_id,
        "provider": extract.provider,
        "sequence": extract.sequence,
        "file": f"sha256:{extract.sha256}",
    }

"""Where do the ledger, Airflow's history and the calendar not say the same? Pure; each disagreement has a name.

None of the three is believed over the others: a disagreement says that somebody has to look.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from holdfast.clock import NIGHTS_ZONE, local_date
from holdfast.run_history import calendar
from holdfast.run_history.calendar import Job
from holdfast.run_history.sheets import UNFINISHED, Sheet


@dataclass(frozen=True)
class Kind:
    """What a disagreement means, what to do, and whether the watchdog ends red for it until it is explained."""

    meaning: str
    fix: str
    is_alarm: bool = True


_LOOK = "ask whoever did it, and explain it: `holdfast evidence explain`"
KINDS: Mapping[str, Kind] = {
    "night_not_run": Kind("No run of this night, in Airflow or the ledger", "find out what stopped the scheduler"),
    "not_ended": Kind("A run has not ended by its hour", "open it in Airflow: it waits, or hangs"),
    "run_without_end": Kind(
        "The ledger has the beginning of a run and no end", "see the task that failed, and clear it"
    ),
    "failed_but_done": Kind(
        "Airflow says that it failed, the ledger that it is done", "nothing is to be repeated; explain it"
    ),
    "success_without_evidence": Kind(
        "Airflow says that it succeeded, and the ledger knows nothing of it", "the night was not done: trigger it again"
    ),
    "unknown_to_airflow": Kind(
        "The ledger has a run that Airflow does not have", "it was started elsewhere, or deleted: find out by whom"
    ),
    "intent_without_outcome": Kind(
        "Files were about to be deleted, and nothing says whether they were", "clear the task: it looks at them again"
    ),
    "answer_not_in_ledger": Kind(
        "A person answered in Airflow, and the ledger has no such answer", "clear ask_a_person, to ask again"
    ),
    "marked_by_hand": Kind("A task or run was given its state by hand", _LOOK),
    "deleted_by_hand": Kind("A task or run was deleted by hand", _LOOK),
    "changed_by_hand": Kind("What tasks leave for one another, or else something of a run, was changed by hand", _LOOK),
    "cleared_by_hand": Kind("A task or run was cleared by hand, to run again", _LOOK, is_alarm=False),
    "paused_by_hand": Kind("A job was paused by hand", _LOOK, is_alarm=False),
    "ledger_unread": Kind(
        "The ledger of a further database could not be read", "make it reachable; until then nobody knows its nights"
    ),
    "copy_altered": Kind(
        "A copy of Airflow's history is not what it was when its digest was entered", "treat it as an incident"
    ),
}

_HARMLESS = ("trigger_dag_run", "update_hitl_detail", "reparse_dag_file", "favorite_dag", "unfavorite_dag")
_ACTS = (  # the beginning or a part of an act's name -> what it is
    ("xcom", "changed_by_hand"),
    ("delete_", "deleted_by_hand"),
    ("clear", "cleared_by_hand"),
    ("patch_task", "marked_by_hand"),
    ("bulk_task", "marked_by_hand"),
    ("patch_dag_run", "marked_by_hand"),
    ("bulk_dag_runs", "marked_by_hand"),
    ("patch_dag", "paused_by_hand"),
)
_ANSWERS = {"Approve": "approved", "Refuse": "refused"}
_CLOCKS = dt.timedelta(minutes=5)
"""By which Airflow's clock and the database's may differ."""


@dataclass(frozen=True)
class Disagreement:
    """One of them. `subject` is what it is about, in words that stay the same from night to night.

    Of an act by hand, `told` is what was done, in Airflow's words, and `by` the pseudonym of who did it.
    """

    kind: str
    job: str | None
    night: dt.date | None
    subject: str
    told: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class LedgerRun:
    """A run by our own account. `done` names the tasks whose work is over, `answers` what people decided."""

    run_id: int
    job: str
    night: dt.date
    state: str
    opened_at: dt.datetime
    done: Sequence[str]
    answers: Sequence[str]

    @property
    def is_open(self) -> bool:
        return self.state not in ("sealed", "superseded", "refused")


@dataclass(frozen=True)
class Trace:
    """An entry that a job without runs of its own leaves once it is done; `month` is the one it names, if any."""

    kind: str
    at: dt.datetime
    month: dt.date | None = None


@dataclass(frozen=True)
class Elsewhere:
    """What a further database's own ledger says (None: it could not be read); nights are expected from `since` on."""

    database: str
    since: dt.date
    runs: Sequence[LedgerRun] | None
    intents: Sequence[tuple[int, str, dt.date]] = ()


@dataclass(frozen=True)
class Known:
    """All that is compared. `lost` are the entries whose sheet is gone or altered, `intents` (seq, job, night)."""

    sheets: Sequence[Sheet]
    runs: Sequence[LedgerRun]
    traces: Sequence[Trace]
    lost: Sequence[int] = ()
    intents: Sequence[tuple[int, str, dt.date]] = ()
    elsewhere: Sequence[Elsewhere] = ()


def disagreements(known: Known, now: dt.datetime) -> list[Disagreement]:
    """Every disagreement there is at this moment."""
    found = [*_by_hand(known.sheets)]
    others = [one.database for one in known.elsewhere]
    main = replace(known, sheets=[_narrowed(one, None, others) for one in known.sheets])
    for job in calendar.JOBS:
        found += _of_job(job, main, now)
    for one in known.elsewhere:
        found += _elsewhere(one, known.sheets, others, now)
    found += [Disagreement("copy_altered", None, None, f"entry-{seq}") for seq in known.lost]
    found += [Disagreement("intent_without_outcome", job, night, f"entry-{seq}") for seq, job, night in known.intents]
    return found


def _elsewhere(
    one: Elsewhere, sheets: Iterable[Sheet], others: Sequence[str], now: dt.datetime
) -> Iterator[Disagreement]:
    """The same for a further database: its share of each night against its own ledger."""
    if one.runs is None:
        yield Disagreement("ledger_unread", None, None, one.database)
        return
    later = [sheet for sheet in sheets if (calendar.night_of(sheet) or one.since) >= one.since]
    share = Known([_narrowed(sheet, one.database, others) for sheet in later], one.runs, traces=())
    for job in (job for job in calendar.JOBS if job.in_every_database):
        for found in _of_job(job, share, now):
            if found.kind != "not_ended":  # which the whole run has not, and is said of it
                yield replace(found, subject=f"{one.database}/{found.subject}")
    for seq, name, night in one.intents:
        yield Disagreement("intent_without_outcome", name, night, f"{one.database}/entry-{seq}")


def _narrowed(sheet: Sheet, database: str | None, others: Sequence[str]) -> Sheet:
    """A sheet with the tasks of one database alone; of the main one (None) those that stand in no other's group."""

    def is_theirs(task: str) -> bool:
        group = task.partition(".")[0]
        return group == database if database else group not in others

    parts = (name for name in ("tries", "answers") if name in sheet)
    kept: Sheet = {name: [one for one in sheet[name] if is_theirs(one["task"])] for name in parts}
    return {**sheet, **kept}


def _of_job(job: Job, known: Known, now: dt.datetime) -> Iterator[Disagreement]:
    sheets = [(calendar.night_of(one), one) for one in known.sheets if one["dag"] == job.dag]
    runs = [one for one in known.runs if one.job == job.dag]
    traces = [one for one in known.traces if one.kind in (job.leaves or ())]
    in_airflow = {night for night, sheet in sheets if night is not None and not sheet.get("dry_run")}
    in_ledger = {one.night for one in runs} | {_night_of_trace(job, one) for one in traces}
    first = min(in_airflow | in_ledger, default=None)
    if first is not None:
        for due in calendar.nights(job, first, now):
            if due not in in_airflow | in_ledger:
                yield Disagreement("night_not_run", job.dag, due, due.isoformat())
    went_well = {night for night, sheet in sheets if sheet["state"] == "success"}
    for night, sheet in sheets:
        of_night = [one for one in runs if one.night == night]
        yield from _of_sheet(job, night, sheet, of_night, traces, now)
        if sheet["state"] == "failed" and night not in went_well:
            for task in _failed_but_done(sheet, of_night):
                yield Disagreement("failed_but_done", job.dag, night, f"{sheet['run']}/{task}")
    for run in runs:
        if run.is_open and calendar.deadline(job, run.night) <= now:
            yield Disagreement("run_without_end", job.dag, run.night, f"run-{run.run_id}")
        if run.state == "sealed" and in_airflow and run.night >= min(in_airflow) and run.night not in in_airflow:
            yield Disagreement("unknown_to_airflow", job.dag, run.night, f"run-{run.run_id}")


def _of_sheet(
    job: Job,
    night: dt.date | None,
    sheet: Sheet,
    runs: Sequence[LedgerRun],
    traces: Sequence[Trace],
    now: dt.datetime,
) -> Iterator[Disagreement]:
    subject = sheet["run"]
    if sheet["state"] in UNFINISHED and now >= _ends_by(job, sheet):
        yield Disagreement("not_ended", job.dag, night, subject)
    if sheet["state"] == "success" and not sheet["dry_run"] and not _left_evidence(job, sheet, runs, traces):
        yield Disagreement("success_without_evidence", job.dag, night, subject)
    if job.leaves is None and sheet["state"] not in UNFINISHED:
        decided = {answer for run in runs for answer in run.answers}
        for answer in sheet["answers"]:
            if not decided & {_ANSWERS.get(one, one) for one in answer["chose"]}:
                yield Disagreement("answer_not_in_ledger", job.dag, night, f"{subject}/{answer['task']}")


def _left_evidence(job: Job, sheet: Sheet, runs: Sequence[LedgerRun], traces: Sequence[Trace]) -> bool:
    if job.leaves is None:
        return any(run.state == "sealed" for run in runs)
    began, ended = _moment(sheet["started_at"]), _moment(sheet["ended_at"])
    if began is None or ended is None:
        return False
    return any(began - _CLOCKS <= one.at <= ended + _CLOCKS for one in traces)


def _failed_but_done(sheet: Sheet, runs: Sequence[LedgerRun]) -> list[str]:
    """The tasks whose last attempts Airflow shows as failed, and whose work the ledger shows as over."""
    last = {(one["task"], one["map_index"]): one["state"] for one in sorted(sheet["tries"], key=lambda one: one["try"])}
    failed = {task.rpartition(".")[2] for (task, _), state in last.items() if state == "failed"}
    return sorted(failed & {task for run in runs for task in run.done})


def _by_hand(sheets: Iterable[Sheet]) -> Iterator[Disagreement]:
    for sheet in sheets:
        night = calendar.night_of(sheet)
        for event in sheet["events"]:
            kind = act(event["what"], event["told"]) if event["by"] else None
            if kind is not None and (event["dag"] or _touches_us(event)):
                subject = f"event-{event['event']}-{event['at'][:19]}"
                yield Disagreement(kind, event["dag"], night, subject, _in_words(event), event["by"])


def act(name: str, told: Mapping[str, object]) -> str | None:
    """The kind of what a person did, by the name that Airflow has for it; None if it changes nothing that ran.

    A name that nobody foresaw, of something done to a DAG, is a change.
    """
    if name in _HARMLESS or name.startswith("cli_"):
        return None
    if name in ("patch_dag", "patch_dags") and told.get("is_paused") is False:
        return None
    return next((kind for part, kind in _ACTS if part in name), "changed_by_hand")


def _in_words(event: Mapping[str, Any]) -> str:
    told = event["told"]
    task = event["task"] or told.get("task_ids")
    state = told.get("new_state") or told.get("state")
    return " ".join(
        one if isinstance(one, str) else json.dumps(one) for one in (event["what"], task, state) if one is not None
    )


def _touches_us(event: Mapping[str, object]) -> bool:
    """Of an act on no DAG: is it on one of our connections or variables, or on many things with ours among them?"""
    told = json.dumps(event["told"])
    return any(name in told for name in ("holdfast", *calendar.NAMES))


def _night_of_trace(job: Job, trace: Trace) -> dt.date:
    return trace.month if job.monthly and trace.month else local_date(trace.at, NIGHTS_ZONE)


def _ends_by(job: Job, sheet: Sheet) -> dt.datetime:
    began = _moment(sheet["started_at"]) or _moment(sheet["queued_at"]) or _moment(sheet["as_of"])
    assert began is not None
    return began + dt.timedelta(hours=job.hours)


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)

"""The plugin, and what DAG files are made of: `step`, which turns a function of ours into a task, and other tasks."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Asset, BaseOperator, Param, TaskGroup, chain, task, timezone
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput
from airflow.sdk.plugins_manager import AirflowPlugin

from holdfast import settings
from holdfast_alerts import Alert
from holdfast_alerts import alerts as alerts  # DAG files import from here alone
from holdfast_calls import call_step, databases, steps_of

if TYPE_CHECKING:
    from airflow.sdk.bases.decorator import TaskDecorator

PAGES = "/holdfast"
"""Below which address the compliance pages answer."""
AS_OF = "{{ dag_run.logical_date or dag_run.run_after }}"
"""The moment that a night is for."""
WAVES = (1, 2, 3, 4)
SUSPENSION_DAYS = Asset(name="suspension_days", uri="holdfast://statistics/days")
"""Days of suspensions that have arrived and settled, as partitions: the nightly job says which, the monthly one waits
for those of a month. Of an asset that a DAG refers to by name alone, Airflow would show nobody what is missing."""
DECISIONS = {"Approve": "approved", "Refuse": "refused"}
"""What a person may answer, and what that is in our ledger."""
REASONS = ("agreed-change", "planned-migration", "correction", "looks-wrong", "cannot-be-explained")
"""Why a 999 extract above its bounds may leave, or may not."""
TASK_DEFAULTS = {
    "owner": "data-engineering",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=5),
}
"""Tried again after a half, one and two minutes, give or take: a server that restarts is waited for."""
_WAIT_FOR_TURN = {"retries": 24, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": 0}
"""Another job may be deleting: for two hours its end is awaited, without a task that only sits there."""
_AT_ONCE = 2
"""Tasks of a run that delete at the same time on one machine."""


class HoldfastPlugin(AirflowPlugin):
    """Registers Holdfast with Airflow: the compliance pages, in the navigation and on each DAG and run."""

    name = "holdfast"

    @functools.cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Made when the API server asks: no other process needs a web framework."""
        import holdfast_door

        return [{"app": holdfast_door.make(), "url_prefix": PAGES, "name": "Holdfast"}]

    @functools.cached_property
    def external_views(self) -> list[dict[str, Any]]:
        """One entry in the navigation, since the pages have their own; and one tab on each DAG and on each run."""
        import holdfast_door

        pages = holdfast_door.prefix() + PAGES
        return [
            {
                "name": "Compliance",
                "href": f"{pages}/",
                "destination": "nav",
                "url_route": "compliance",
                "nav_top_level": True,
                "icon": f"{pages}/icon-light.svg",
                "icon_dark_mode": f"{pages}/icon-dark.svg",
            },
            {
                "name": "Compliance",
                "href": f"{pages}/jobs/{{DAG_ID}}",
                "destination": "dag",
                "url_route": "compliance-dag",
            },
            {
                "name": "Compliance",
                "href": f"{pages}/jobs/{{DAG_ID}}/runs/{{RUN_ID}}",
                "destination": "dag_run",
                "url_route": "compliance-run",
            },
        ]


class Approval(HITLOperator):
    """May what is above its bounds be done? Asks those whom the policy names, and records their answer.

    What is asked, and whom, is read from our database and the policy when the question is put. The answer is bound to
    what was asked about, named by digests, and recorded by the task that receives it: what tasks leave for one another
    (XCom) can be edited by whoever may run a DAG. `given` are arguments for the steps, beyond those of every step.
    """

    template_fields = ("given",)

    def __init__(self, *, steps: str, title: str, given: dict[str, Any], **options: Any) -> None:
        super().__init__(subject=title, options=list(DECISIONS), **options)
        self.steps = steps
        self.title = title
        self.given = given

    def execute(self, context: Any) -> None:
        written: Any = call_step(self.steps, "write_report", self.given)
        question = {**self.given, "title": self.title, "report": written["report"]}
        asked: Any = call_step(self.steps, "ask_a_person", question)
        self.subject, self.body = asked["subject"], asked["body"]
        self.assigned_users = [{"id": user, "name": who} for user, who in asked["approvers"].items()]
        try:
            super().execute(context)
        except TaskAwaitingInput as parked:
            parked.kwargs = {**self.given, **asked["about"]}
            raise

    def execute_complete(self, context: Any, event: dict[str, Any], **asked: Any) -> dict[str, str]:
        """Called with the answer, or with its absence, which is an error."""
        answer = super().execute_complete(context, event)
        decision = DECISIONS[answer["chosen_options"][0]]
        given = {
            "decision": decision,
            "decided_by": answer["responded_by_user"]["id"],
            "airflow_run": context.get("run_id"),
        }
        # What somebody typed comes first: it must not take the place of who answered, and for what.
        call_step(self.steps, "record_approval", {**answer["params_input"], **given, **asked})
        return {"decision": decision}


@dataclasses.dataclass(frozen=True)
class Night:
    """One database's share of a night: its tasks stand in a group of its name, those of the main one in none."""

    database: str

    @property
    def group(self) -> AbstractContextManager[object]:
        """What the tasks are made in."""
        return contextlib.nullcontext() if self.database == settings.MAIN else TaskGroup(self.database)

    def task_id(self, name: str) -> str:
        """A task's name in this night, as Airflow has it."""
        return name if self.database == settings.MAIN else f"{self.database}.{name}"

    @property
    def given(self) -> dict[str, str]:
        """The arguments of every step after the first: which run, and in which database if that is not the main one."""
        run_id = f"{{{{ (ti.xcom_pull('{self.task_id('open_run')}') or {{}}).get('run_id') }}}}"
        return {"run_id": run_id, **self.where}

    @property
    def where(self) -> dict[str, str]:
        """The argument that says which database a step works in."""
        return {} if self.database == settings.MAIN else {"database": self.database}

    def left(self, task: str, name: str) -> str:
        """What a task left under a name, as a template."""
        return f"{{{{ ti.xcom_pull('{self.task_id(task)}')['{name}'] }}}}"


def nights() -> list[Night]:
    """One for each database of the installation, the main one first."""
    return [Night(name) for name in databases()]


MAIN_NIGHT = Night(settings.MAIN)


def step(name: str, **options: Any) -> TaskDecorator:
    """A task for the function `holdfast.<package>.steps.<function>`; `name` is `<package>.<function>`.

    The function is imported when the task runs, and called with an engine, the settings and the task's arguments.
    `options` go to the task. A refusal fails the task for good; anything that another attempt may mend is retried.
    """
    package, function_name = name.split(".")

    def run_step(**arguments: Any) -> Any:  # Airflow adds its whole context to the task's own arguments
        return call_step(steps_of(package), function_name, arguments)

    return cast("TaskDecorator", task(task_id=function_name, **options)(run_step))


def announce(asset: Asset, task_id: str) -> Any:
    """A task that says which partitions of an asset have arrived: those whose keys it is given."""

    def say(keys: list[str], outlet_events: Any = None) -> int:
        if keys:  # without any, the event would be of the asset as a whole
            outlet_events[asset].add_partitions(keys)
        return len(keys)

    return task(task_id=task_id, outlets=[asset])(say)


def alert(task_id: str) -> Any:
    """A task that tells people what it is given. It is tried again, and red, while they cannot be told."""
    return task(task_id=task_id)(tell)


def tell(what: str, **context: Any) -> bool:
    """Tell people of the run's job, unless there is nothing to tell; whether there was."""
    if what:
        Alert(what)(context)
    return bool(what)


def approval(package: str, path: Any, night: Night) -> Any:
    """The question about a plan above its caps, and the task that is red unless it was approved; the last of the pair.

    Silence is no answer: after twelve hours the run ends red.
    """
    ask_a_person = Approval(
        task_id="ask_a_person",
        steps=steps_of(package),
        title=package.replace("_", " ").capitalize(),
        given=night.given,
        response_timeout=timedelta(hours=12),
        retries=0,  # another attempt would ask for another twelve hours
    )
    recorded = step(f"{package}.record_approval", trigger_rule="one_done")(
        **night.given, plan_digest=night.left("check_caps", "plan_digest")
    )
    chain(path, ask_a_person, recorded)
    return recorded


def approval_of_extracts(path: Any) -> Any:
    """The question about 999 extracts that would change more than their bounds allow. Silence fails it.

    A reason is chosen from a list, so that nothing about a person can be written there. Until one is, it is null, which
    no answer may leave: Airflow starts no task of which a parameter has no value.
    """
    reason = Param(
        None,
        type=["null", "string"],
        enum=[None, *REASONS],
        title="Reason",
        description="Why it may leave, or may not. An answer without one does not count.",
    )
    ask_a_person = Approval(
        task_id="ask_a_person",
        steps=steps_of("emergency_data"),
        title="999 emergency data",
        given={},
        params={"reason": reason},
        response_timeout=timedelta(hours=8),
        retries=0,
    )
    chain(path, ask_a_person)
    return ask_a_person


def erase(package: str, night: Night, after: Any, *, dry_run_goes_to: str = "write_report") -> tuple[Any, Any]:
    """What every job that deletes does once it knows what is asked: plan, ask a person if need be, work, verify.

    The task that chooses between these ways, and the last one.
    """
    make_plan = step(f"{package}.make_plan")(**night.given)
    check_caps = step(f"{package}.check_caps")(**night.given)

    @task.branch
    def choose_path(exceeded: bool, dry_run: bool) -> str:
        return night.task_id(dry_run_goes_to if dry_run else "ask_a_person" if exceeded else "wave_1.list_shards")

    path = choose_path(night.left("check_caps", "exceeded"), "{{ params.dry_run }}")
    chain(after, make_plan, check_caps, path)
    worked = waves(package, [path, approval(package, path, night)], night)
    verify_run = step(f"{package}.verify_run", trigger_rule="none_failed_min_one_success")(**night.given)
    chain(worked, verify_run)
    return path, verify_run


def waves(package: str, before: list[Any], night: Night) -> list[Any]:
    """The work, children before parents: rows of wave 2 may be referenced by rows of wave 1. Its last tasks.

    What deletes goes to a pool and a queue of its own where the settings name them; that pool then bounds how much is
    done at once.
    """
    place = settings.place_of_deletions()
    for wave in WAVES:
        with TaskGroup(f"wave_{wave}"):
            patience = _WAIT_FOR_TURN if wave == WAVES[0] else {}
            list_shards = step(f"{package}.list_shards", trigger_rule="none_failed_min_one_success", **patience)
            shards = list_shards(**night.given, wave=wave)
            enforce_shards = step(
                f"{package}.enforce_shards",
                map_index_template="{{ task.op_kwargs['label'] }}",
                max_active_tis_per_dagrun=None if "pool" in place else _AT_ONCE,
                **place,
            )
            enforced = enforce_shards.partial(**night.where).expand_kwargs(shards)
        before >> shards
        before = [shards, enforced]
    return before


class FilesArrive(BaseOperator):
    """Wait until every sender whose 999 extract is expected has sent that of the day; fail after `hours`.

    It takes no worker while it waits. Whose is missing is asked anew each time that the inbox has changed.
    """

    def __init__(self, *, hours: int, **options: Any) -> None:
        super().__init__(**options)
        self.hours = hours

    def execute(self, context: Any) -> None:
        """Return at once if nothing is missing, else let the triggerer look every few seconds."""
        self._wait(timezone.utcnow() + timedelta(hours=self.hours))

    def looked(self, context: Any, event: str, until: str) -> None:
        """Called when the inbox has changed, or time is up."""
        self._wait(datetime.fromisoformat(until))

    def _wait(self, until: datetime) -> None:
        from holdfast_triggers import InboxChanges

        missing: Any = call_step(steps_of("emergency_data"), "find_missing", {})
        if not missing["senders"]:
            return
        left = until - timezone.utcnow()
        if left <= timedelta(0):
            raise AirflowFailException(f"No extract of {', '.join(missing['senders'])} has come by its hour.")
        self.defer(
            trigger=InboxChanges(folder=missing["inbox"], seen=missing["seen"], until=until.isoformat()),
            method_name="looked",
            kwargs={"until": until.isoformat()},
            timeout=left + timedelta(minutes=5),  # should the triggerer be gone: it is the one who says that time is up
        )

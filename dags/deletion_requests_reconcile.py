"""
# Deletion requests, reconciled every night

**Promise.** "A request to delete is honoured unless the data is needed for billing, tax, audits or legal obligations."
Every open request gets one decision for each dataset it asks for; what can go goes tonight, what is held stays,
restricted, and is followed until it is gone.

**When it runs.** Every night at 03:30 Europe/London, after retention. It takes in the files of the inbox first. A hold
that has ended needs nobody to remember it: what it blocked is due the same night.

**What it stops for.** A policy that does not fit the database; a matrix that does not add up to the requests times
their datasets; a hold source that is stale, missing or shrunk (what it could protect is unknown, and stays); a plan
above its caps, which waits twelve hours for a person under *Required Actions*. One bad request stops no other.

**When it is red.** Open the task that failed: its last log line says what happened and what to do. Then *Clear* the
failed task: the run goes on after its last commit and counts nothing twice. After the day has passed, leave it: the
next night takes over. To see what a night would do, trigger the DAG with `dry_run`. If `conclude` names an incident,
rows went that a hold should have kept: wake whoever answers for the data before anything is cleared. Whom the
connection `holdfast_alerts` names hears of a night that failed or has not ended by half past five.

**After a backup was restored.** Trigger it with `replay_since`, the day of the backup: what was erased since and came
back is found by pseudonym and erased again, by the same plan and not what a hold keeps now. Tonight's run may be over:
the day then gets another one. If the whole database was restored, the jobs refuse to run until somebody has said so:
`docs/engineers.md`, *After a restore*. Every database is searched: while one does not answer, `replay_erasures` is red.

**Several databases.** It is carried out in each further connection of the data map too, in a group of tasks of its
name. What such a database did not decide, since it was away or failed, is unknown: the request stays open.

**Who decides.** Compliance verifies and approves requests with `holdfast request`; the policy says which are approved
by themselves and which need two people. The data protection officer decides on a plan above its caps.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Param, chain, dag
from airflow.timetables.trigger import CronTriggerTimetable

from holdfast_airflow import AS_OF, MAIN_NIGHT, TASK_DEFAULTS, Night, alerts, erase, nights, step

_TONIGHT = {"as_of": AS_OF, "dry_run": "{{ params.dry_run }}", "replay_since": "{{ params.replay_since }}"}


@dag(
    # Zero, not False: Airflow 3.3.2 takes False for a tenth of a day, and brings up a night that ended so recently.
    schedule=CronTriggerTimetable("30 3 * * *", timezone="Europe/London", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    params={
        "dry_run": Param(False, type="boolean", description="Plan and report only; delete nothing."),
        "replay_since": Param(
            None,
            type=["null", "string"],
            format="date",
            description="After a restore: erase again what was erased since this day (the day of the backup).",
        ),
    },
    default_args=TASK_DEFAULTS,
    render_template_as_native_obj=True,
    description="Decides open deletion requests dataset by dataset, erases what may go, and writes to whoever asked.",
    doc_md=__doc__,
    tags=["deletion requests", "deletes personal data"],
    **alerts(hours=2),
)
def deletion_requests_reconcile() -> None:
    night = MAIN_NIGHT
    run = step("deletion_requests.open_run")(**_TONIGHT)
    refresh_holds = step("deletion_requests.refresh_holds")(**night.given)
    check_policy = step("deletion_requests.check_policy")(**night.given)
    take_in_requests = step("deletion_requests.take_in_requests")(**night.given)
    acknowledge_requests = step("deletion_requests.acknowledge_requests")(**night.given)
    replay_erasures = step("deletion_requests.replay_erasures")(**night.given, replay_since="{{ params.replay_since }}")
    assess = step("deletion_requests.assess")(**night.given)
    chain(run, refresh_holds, check_policy, take_in_requests, acknowledge_requests, replay_erasures, assess)
    path, verify_run = erase("deletion_requests", night, assess)

    settle_requests = step("deletion_requests.settle_requests")(**night.given)
    write_outcomes = step("deletion_requests.write_outcomes")(**night.given)
    notify_recipients = step("deletion_requests.notify_recipients")(**night.given)
    # Also of a night that failed on its way: what stopped it may be an incident.
    find_breaks = step("deletion_requests.find_breaks", trigger_rule="all_done")(**night.given)
    seal_run = step("deletion_requests.seal_run")(**night.given)
    write_report = step("deletion_requests.write_report", trigger_rule="all_done")(**night.given)
    conclude = step("deletion_requests.conclude")(**night.given)
    chain(verify_run, settle_requests, write_outcomes, notify_recipients, find_breaks)
    chain([notify_recipients, find_breaks], seal_run, write_report, conclude)
    path >> write_report
    # A run is as red as its last tasks, and the report is written after any failure: this one is not.
    complete = EmptyOperator(task_id="complete", trigger_rule="none_failed")
    [seal_run, conclude] >> complete
    for other in nights()[1:]:
        with other.group:
            settled, ends = further_database(other, assess)
        # Whether it came to an end or not: what it did not decide is unknown.
        settled >> EmptyOperator(task_id=f"{other.database}_ended", trigger_rule="all_done") >> settle_requests
        ends >> complete


def further_database(night: Night, after: Any) -> tuple[Any, list[Any]]:
    """The share of a further database: the task that settles it, and those that say how it ended."""
    run = step("deletion_requests.open_run")(**_TONIGHT, **night.where)
    refresh_holds = step("deletion_requests.refresh_holds")(**night.given)
    check_policy = step("deletion_requests.check_policy")(**night.given)
    take_over_requests = step("deletion_requests.take_over_requests")(**night.given)
    assess = step("deletion_requests.assess")(**night.given)
    chain(run, refresh_holds, check_policy, take_over_requests, assess)
    after >> take_over_requests
    path, verify_run = erase("deletion_requests", night, assess, dry_run_goes_to="conclude")
    settle_requests = step("deletion_requests.settle_requests")(**night.given)
    seal_run = step("deletion_requests.seal_run")(**night.given)
    conclude = step("deletion_requests.conclude", trigger_rule="none_failed")(**night.given)
    chain(verify_run, settle_requests, seal_run, conclude)
    path >> conclude
    return settle_requests, [seal_run, conclude]


deletion_requests_reconcile()

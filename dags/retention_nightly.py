"""
# Nightly retention

**Promise.** "Personal data is stored only as long as needed to provide the services and run the business." What the
schedule in `policy/retention_schedule.yaml` says is due is deleted or anonymised, unless a hold stops it. Rules with
`undo_days` take rows so much earlier, and what they took is kept encrypted until its day: `end_windows` destroys the
keys whose day has come.

**When it runs.** Every night at 01:30 Europe/London, as of that night. A missed night is not repeated: what it would
have deleted is still due the next night, and the report says that it did not run.

**What it stops for.** A policy that does not fit the database; a hold source that is stale, missing or shrunk (only
what that source could protect is kept back); a plan above its caps, which waits twelve hours for a person under
*Required Actions*; rows that cannot be counted, survive, or vanish unaccounted for. It never stops silently: the run
ends red, and the report is written all the same.

**When it is red.** Open the first task that failed: the last line of its log says what happened and what to do. A
killed task, a lost worker or database needs nobody: it is tried again three times, after about half a minute, one and
two, and goes on after its last commit. A refusal is not tried again:

| red task | what it means | what to do |
| --- | --- | --- |
| `check_policy` | a table or column is not in the policy | `holdfast policy check`; register it; trigger again |
| `end_windows` | no folder of keys of undo windows is named, there, or writable | mend it, clear the task |
| `ask_a_person`, `record_approval` | refused, or no approver answered | clear `ask_a_person`, unless refused |
| `list_shards` | the approved plan has changed since | trigger again: a new plan is made and asked for |
| `enforce_shards` | one shard failed, the rest is done | mend what its log names, clear the task |
| `verify_run` | rows survived, vanished or changed | `HeldRowsChanged`, `ConservationError`: an incident |
| `count_objects` | a store of objects hung, or the database was away | mend it, clear the task |
| `conclude` | a hold source was not believed | `holdfast hold sources`; the next night goes on |
| `conclude` | objects without a row, or a store that could not be listed | `docs/engineers.md`; clear `count_objects` |

Whom the connection `holdfast_alerts` names hears of a night that failed or has not ended by half past three. *Clear* a
task with the tasks after it; nothing is counted twice. After the day has passed, leave the run: the next
night takes over. To see what a night would do, trigger the DAG with `dry_run`.

**Several databases.** Each further connection of the data map has a night of its own, in a group of tasks of its name,
with its own plan, approval, ledger and report. What fails in one does not stop the others, and makes the run red.

**Who decides.** An approver whom `retention_schedule.yaml` names (by default the data protection officer) decides on a
plan above its caps; Airflow refuses anybody else's answer. The on-call data engineer decides on retries. Nobody
approves their own change of policy.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Param, chain, dag
from airflow.timetables.trigger import CronTriggerTimetable

from holdfast_airflow import AS_OF, TASK_DEFAULTS, Night, alerts, erase, nights, step


@dag(
    # Zero, not False: Airflow 3.3.2 takes False for a tenth of a day, and brings up a night that ended so recently.
    schedule=CronTriggerTimetable("30 1 * * *", timezone="Europe/London", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    params={"dry_run": Param(False, type="boolean", description="Plan and report only; delete nothing.")},
    default_args=TASK_DEFAULTS,
    render_template_as_native_obj=True,
    description="Deletes or anonymises what is past its retention period, unless a hold stops it.",
    doc_md=__doc__,
    tags=["retention", "deletes personal data"],
    **alerts(hours=2),
)
def retention_nightly() -> None:
    complete = EmptyOperator(task_id="complete", trigger_rule="none_failed")
    for night in nights():
        with night.group:
            one_database(night) >> complete


def one_database(night: Night) -> list[Any]:
    """A whole night in one database; the tasks that say how it ended."""
    run = step("retention.open_run")(as_of=AS_OF, dry_run="{{ params.dry_run }}", **night.where)
    refresh_holds = step("retention.refresh_holds")(**night.given)
    check_policy = step("retention.check_policy")(**night.given)
    end_windows = step("retention.end_windows")(**night.given)
    chain(run, refresh_holds, check_policy, end_windows)
    path, verify_run = erase("retention", night, end_windows)
    seal_run = step("retention.seal_run")(**night.given)
    # A store that hangs must not keep the next night from beginning, or the report from being written till then.
    count_objects = step("retention.count_objects", execution_timeout=timedelta(hours=1), retries=1)(**night.given)
    write_report = step("retention.write_report", trigger_rule="all_done")(**night.given)
    conclude = step("retention.conclude")(**night.given)
    chain(verify_run, seal_run, count_objects, write_report, conclude)
    path >> write_report
    # A run is as red as its last tasks, and the report is written after any failure: these are not.
    return [seal_run, count_objects, conclude]


retention_nightly()

"""
# Evidence, every morning

**Promise.** What the other jobs say that they did can be checked. Airflow's own history of them is copied to where
nobody can clean or edit it, and compared with the ledger and the calendar.

**When it runs.** Every day at 07:00 Europe/London, after the night's jobs. It reads what changed in Airflow since the
last time, through Airflow's REST API, as the user of the connection `holdfast_airflow` (which `holdfast run` makes by
itself). `airflow db clean` may remove what is older than that.

**What it stops for.** An Airflow that does not answer, or answers less than was asked for: nothing is read as 'no
history'. What it finds stops nothing.

**When it is red.** `conclude` names the kinds of disagreement that nobody explained, and `write_report` lists them:

| disagreement | what to do |
| --- | --- |
| a night not run, a run without an end or past its hour | find out what stopped it; trigger it, or clear its task |
| success without evidence in the ledger | the night was not done, whatever Airflow shows: trigger it again |
| failed, and done by the ledger | nothing is to be repeated; Airflow missed the end of a task |
| marked, changed or deleted by hand | ask whoever did it |
| an answer that the ledger does not have | clear `ask_a_person`, to ask again |
| an altered copy | an incident: `holdfast ledger verify`, and keep the database as it is |

One that cannot be mended is explained: `holdfast evidence explain NUMBER --reason CODE`. It stays in the ledger, and no
longer turns this job red. Tasks that were cleared, and jobs that were paused, are listed and need no reason. Any other
red task: read its last log line, then *Clear* it. Whom the connection `holdfast_alerts` names hears of a red run.

**Who decides.** Compliance accepts a reason; nobody explains their own act.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import chain, dag
from airflow.timetables.trigger import CronTriggerTimetable

from holdfast_airflow import TASK_DEFAULTS, alerts, step


@dag(
    # Zero, not False: Airflow 3.3.2 takes False for a tenth of a day, and brings up a night that ended so recently.
    schedule=CronTriggerTimetable("0 7 * * *", timezone="Europe/London", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    render_template_as_native_obj=True,
    description="Copies Airflow's history of the jobs, and compares it with the ledger and the calendar.",
    doc_md=__doc__,
    tags=["evidence"],
    **alerts(hours=3),
)
def evidence_nightly() -> None:
    copy_history = step("run_history.copy_history")()
    compare = step("run_history.compare")()
    write_report = step("run_history.write_report")()
    chain(copy_history, compare, write_report, step("run_history.conclude")())


evidence_nightly()

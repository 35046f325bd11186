"""
# 999 emergency data

**Promise.** "999 data is processed under Ofcom General Condition 4" (today A3): whoever dials 999 is found where
the number is installed. Every record is checked before it leaves, bad ones are kept back without holding up good
ones, and what the authority has is compared with the number inventory, both ways.

**When it runs.** Every day at 05:00 Europe/London. It reads what the authority has answered and which 999 calls
were made from numbers without data, makes our own extract, waits up to two hours until every sender that
`bounds.yaml` expects has sent its extract, and works through all that lie in the inbox, in the order of their
sequence numbers. A file that comes before its predecessor stays in the inbox for the next run; trigger the DAG once
the other one is there.

**What it stops for.** A broken file is refused whole and kept. A record that breaks a critical rule goes to
quarantine; the others leave. A file that would change more than `expectations/emergency_data/bounds.yaml` allows
waits eight hours for a person under *Required Actions*, and longer in the database. An expected extract that has
not come within two hours is a failure; what did come is worked through all the same.

**When it is red.** `CallsWithoutData` before everything else: somebody called 999 and was not found, and it happens
again until the record is there; the top of the report says what it waits for. Rejected records that nobody has
corrected within three working days keep it red as well. Otherwise the last line of the task
that failed says what happened and what to do; the report is written all the same. *Clear* the task: files are taken
in once, released once and delivered once, however often a step runs. A file that nobody answered for goes on
waiting: *clear* `ask_a_person`, or the next run asks again. Whom the connection `holdfast_alerts` names hears of a
run that failed or has not ended by half past six.

**Who decides.** An approver whom `retention_schedule.yaml` names decides on a file above its bounds; the answer is
recorded, and it is for that file alone, named by its digest. Exceptions are accepted by the owner of addressing,
for a year at most.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import chain, dag, task
from airflow.timetables.trigger import CronTriggerTimetable

from holdfast_airflow import TASK_DEFAULTS, FilesArrive, alerts, approval_of_extracts, step


@dag(
    # Zero, not False: Airflow 3.3.2 takes False for a tenth of a day, and brings up a night that ended so recently.
    schedule=CronTriggerTimetable("0 5 * * *", timezone="Europe/London", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    render_template_as_native_obj=True,
    description="Validates each 999 extract before it leaves, reconciles it both ways, and follows each rejection.",
    doc_md=__doc__,
    tags=["emergency-data"],
    **alerts(hours=1.5),
)
def emergency_data_999() -> None:
    make_extract = step("emergency_data.make_extract", trigger_rule="all_done")()
    files_arrive = FilesArrive(task_id="files_arrive", hours=2)  # late is final; a lost attempt waits anew
    prepare = step("emergency_data.prepare", trigger_rule="all_done")()  # a file that is late holds back no other
    read_responses = step("emergency_data.read_responses")()
    read_calls = step("emergency_data.read_calls", trigger_rule="all_done")()
    providers = step("emergency_data.list_providers")()
    worked = step("emergency_data.work_through", map_index_template="{{ task.op_kwargs['provider'] }}").expand_kwargs(
        providers
    )
    find_waiting = step("emergency_data.find_waiting", trigger_rule="none_failed")()

    @task.branch
    def choose_path(waits: bool) -> str:
        return "ask_a_person" if waits else "deliver_files"

    path = choose_path("{{ ti.xcom_pull('find_waiting')['waits'] }}")  # type: ignore[arg-type]
    ask_a_person = approval_of_extracts(path)
    left = step("emergency_data.list_providers").override(task_id="list_decided")()
    decided = (
        step("emergency_data.work_through", map_index_template="{{ task.op_kwargs['provider'] }}")
        .override(task_id="work_through_decided")
        .expand_kwargs(left)
    )
    deliver_files = step("emergency_data.deliver_files", trigger_rule="all_done")()
    reconcile = step("emergency_data.reconcile", trigger_rule="all_done")()
    write_report = step("emergency_data.write_report", trigger_rule="all_done")()
    conclude = step("emergency_data.conclude")(since="{{ dag_run.start_date }}")

    chain(
        read_responses,
        read_calls,
        make_extract,
        files_arrive,
        prepare,
        providers,
        worked,
        find_waiting,
        path,
    )
    ask_a_person >> left
    [path, decided] >> deliver_files
    chain(deliver_files, reconcile, write_report, conclude)
    # A run is as red as its last tasks, and what went wrong before must show although the report was written.
    [read_responses, read_calls, files_arrive, worked, deliver_files, conclude] >> EmptyOperator(
        task_id="complete", trigger_rule="none_failed"
    )


emergency_data_999()

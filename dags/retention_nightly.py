"""
# Nightly retention

**Promise.** "Personal data is stored only as long as needed to provide the services and run the business." What the
schedule in `policy/retention_schedule.yaml` says is due is deleted or anonymised, unless a hold stops it.

**When it runs.** Every night at 01:30 Europe/London, as of that night. A missed night is not repeated: what it would
have deleted is still due the next night, and the report says that it did not run.

**What it stops for.** A policy that does not fit the database; a hold source that is stale, missing or shrunk (only
what that source could protect is kept back); a plan above its caps, which waits twelve hours for a person under
*Required Actions*; rows that cannot be counted, survive, or vanish unaccounted for. It never stops silently: the run
ends red, and the report is written all the same.

**When it is red.** Open the task that failed: its last log line says what happened and what to do. Then *Clear* the
failed task: the run goes on after its last commit and counts nothing twice. After the day has passed, leave it: the
next night takes over. To see what a night would do, trigger the DAG with `dry_run`.

**Who decides.** The data protection officer decides on a plan above its caps and on the policy; the on-call data
engineer on retries. Nobody approves their own change of policy.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, TaskGroup, chain, dag, task
from airflow.timetables.trigger import CronTriggerTimetable

from holdfast_airflow import step

RUN_ID = "{{ (ti.xcom_pull('open_run') or {}).get('run_id') }}"
WAVES = (1, 2, 3, 4)  # children before parents: rows of wave 2 may be referenced by rows of wave 1
APPROVE, REFUSE = "Approve", "Refuse"


@dag(
    # Unpausing starts no night that has passed: without the zero, Airflow starts one that did within a tenth of a day.
    schedule=CronTriggerTimetable("30 1 * * *", timezone="Europe/London", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    params={"dry_run": Param(False, type="boolean", description="Plan and report only; delete nothing.")},
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    render_template_as_native_obj=True,
    doc_md=__doc__,
    tags=["retention"],
)
def retention_nightly() -> None:
    run = step("retention.open_run")(
        as_of="{{ dag_run.logical_date or dag_run.run_after }}", dry_run="{{ params.dry_run }}"
    )
    refresh_holds = step("retention.refresh_holds")(run_id=RUN_ID)
    check_policy = step("retention.check_policy")(run_id=RUN_ID)
    make_plan = step("retention.make_plan")(run_id=RUN_ID)
    check_caps = step("retention.check_caps")(run_id=RUN_ID)

    @task.branch
    def choose_path(exceeded: bool, dry_run: bool) -> str:
        return "write_report" if dry_run else "ask_a_person" if exceeded else "wave_1.list_shards"

    path = choose_path("{{ ti.xcom_pull('check_caps')['exceeded'] }}", "{{ params.dry_run }}")  # type: ignore[arg-type]
    ask_a_person = HITLOperator(
        task_id="ask_a_person",
        subject="Retention plan {{ ti.xcom_pull('check_caps')['plan_digest'][7:19] }} is above its caps",
        body="Approve only if the figures are expected. The answer holds for this plan and no other.\n\n"
        "{% for name, value in ti.xcom_pull('check_caps').items() %}* {{ name }}: {{ value }}\n{% endfor %}"
        "{% for name, value in ti.xcom_pull('make_plan').items() %}* {{ name }}: {{ value }}\n{% endfor %}",
        options=[APPROVE, REFUSE],
        response_timeout=timedelta(hours=12),
        retries=0,
    )
    record_approval = step("retention.record_approval", trigger_rule="one_done")(
        run_id=RUN_ID,
        plan_digest="{{ ti.xcom_pull('check_caps')['plan_digest'] }}",
        decision="{{ {'Approve': 'approved', 'Refuse': 'refused'}[ti.xcom_pull('ask_a_person')['chosen_options'][0]]"
        " if ti.xcom_pull('ask_a_person') else 'expired' }}",
        decided_by="{{ ti.xcom_pull('ask_a_person')['responded_by_user']['name']"
        " if ti.xcom_pull('ask_a_person') else 'nobody' }}",
    )
    chain(run, refresh_holds, check_policy, make_plan, check_caps, path, ask_a_person, record_approval)

    before = [path, record_approval]
    for wave in WAVES:
        with TaskGroup(f"wave_{wave}"):
            list_shards = step("retention.list_shards", trigger_rule="none_failed_min_one_success")
            shards = list_shards(run_id=RUN_ID, wave=wave)
            enforce_shard = step(
                "retention.enforce_shard",
                map_index_template="{{ task.op_kwargs['label'] }}",
                max_active_tis_per_dagrun=2,
            )
            enforced = enforce_shard.expand_kwargs(shards)
        before >> shards  # type: ignore[operator]
        before = [shards, enforced]

    verify_run = step("retention.verify_run", trigger_rule="none_failed_min_one_success")(run_id=RUN_ID)
    seal_run = step("retention.seal_run")(run_id=RUN_ID)
    write_report = step("retention.write_report", trigger_rule="all_done")(run_id=RUN_ID)
    conclude = step("retention.conclude")(run_id=RUN_ID)
    chain(before, verify_run, seal_run, write_report, conclude)
    path >> write_report
    # A run is as red as its last tasks, and the report is written after any failure: this one is not.
    [seal_run, conclude] >> EmptyOperator(task_id="complete", trigger_rule="none_failed")


retention_nightly()

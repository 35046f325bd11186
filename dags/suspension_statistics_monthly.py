"""
# Suspension statistics of a month

**Promise.** "Accounts suspended by automated decision are told, and can ask for a human review." How often that
happens, and how it ends, is computed from facts about nobody, frozen under a digest, and published so that nobody can
be told.

**When it runs.** Once every day of a month has arrived and settled (ten days, `policy/suspension_statistics.yaml`): not
on a date on which we hope. Airflow shows which days a month still waits for; `suspension_facts_nightly` names those
that are late. For any other month trigger it with `month`: a month that is frozen stays as it is, with the same digest.
Without a month it takes the last one that has settled.

**What it stops for.** A missing day, which it names; figures that do not add up, or that are not defined; a small
number that could be told from what is to be published. Then nothing is frozen, or nothing published.

**When it is red.** Open the task that failed: its last log line says what happened and what to do, then *Clear* it. If
`reproduce_month` fails, the facts or the program are no longer what they were: the frozen version stands, and somebody
must find out why. Late facts change nothing by themselves: the report names months that would be others by what is
known now. To restate one, trigger this with `month` and a `reason`, a code such as `late-facts`.

**Who decides.** Compliance decides to restate a month and to publish an edition. The internal edition is not for
publication.
"""

from __future__ import annotations

from airflow.sdk import (
    MonthWindow,
    Param,
    PartitionedAssetTimetable,
    RollupMapper,
    StartOfMonthMapper,
    WaitForAll,
    chain,
    dag,
)

from holdfast_airflow import SUSPENSION_DAYS, TASK_DEFAULTS, alerts, step

WHOLE_MONTH = RollupMapper(
    upstream_mapper=StartOfMonthMapper(input_format="%Y-%m-%d", output_format="%Y-%m"),
    window=MonthWindow(),
    wait_policy=WaitForAll(),
)


@dag(
    schedule=PartitionedAssetTimetable(assets=SUSPENSION_DAYS, default_partition_mapper=WHOLE_MONTH),
    catchup=False,
    max_active_runs=1,
    params={
        "month": Param(None, type=["null", "string"], pattern=r"^\d{4}-\d{2}$", description="The month, as 2026-05."),
        "reason": Param(None, type=["null", "string"], description="To restate it: why, as a code."),
    },
    default_args=TASK_DEFAULTS,
    render_template_as_native_obj=True,
    description="Freezes, reproduces and reports a month of statistics, once all of its days have settled.",
    doc_md=__doc__,
    tags=["statistics"],
    **alerts(),
)
def suspension_statistics_monthly() -> None:
    freeze_month = step("suspension_statistics.freeze_month")(
        month="{{ params.month or dag_run.partition_key }}", reason="{{ params.reason }}"
    )
    frozen = "{{ ti.xcom_pull('freeze_month')['month'] }}"
    reproduce_month = step("suspension_statistics.reproduce_month")(month=frozen)
    write_report = step("suspension_statistics.write_report")(month=frozen)
    conclude_month = step("suspension_statistics.conclude_month")()
    chain(freeze_month, reproduce_month, write_report, conclude_month)


suspension_statistics_monthly()

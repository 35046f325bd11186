"""
# Suspension facts and safeguards, every night

**Promise.** "Accounts suspended by automated decision are told, and can ask for a human review." Facts that name nobody
are taken from suspensions and reviews while their rows are there, and every suspension is looked through for a broken
safeguard: not told, no review offered, nobody assigned, 999 barred, decided by a machine where the law forbids it.

**When it runs.** Every night at 00:40 Europe/London, before anything is deleted. When it has run, it announces the days
that have arrived and settled; the monthly statistics start once every day of a month was announced.

**What it stops for.** Nothing: what contradicts itself is taken, set aside and counted. Broken safeguards neither stop
it nor make it red, for it has done its work: `check_safeguards` counts them by kind, `write_report` lists them by
pseudonym and age, and as long as one is open `alert_people` tells of it every night, by mail over the connection
`holdfast_alerts` (without it in the log alone).

**When it is red.** `conclude_night` names the days that are late: see that the source system completes them, then
*Clear* `take_facts`. Another red task: read its last log line, then *Clear* it. Facts that are known are not taken
twice.

**Who decides.** Compliance has broken safeguards mended; whoever runs the source system completes a day that is late.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import chain, dag
from airflow.timetables.trigger import CronTriggerTimetable

from holdfast_airflow import SUSPENSION_DAYS, TASK_DEFAULTS, alert, alerts, announce, step


@dag(
    # Zero, not False: Airflow 3.3.2 takes False for a tenth of a day, and brings up a night that ended so recently.
    schedule=CronTriggerTimetable("40 0 * * *", timezone="Europe/London", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    render_template_as_native_obj=True,
    description="Takes facts about nobody from suspensions and reviews, and looks for broken safeguards.",
    doc_md=__doc__,
    tags=["statistics"],
    **alerts(hours=1.5),
)
def suspension_facts_nightly() -> None:
    take_facts = step("suspension_statistics.take_facts")()
    settled_days = step("suspension_statistics.settled_days")()
    announced = announce(SUSPENSION_DAYS, "announce_days")(settled_days)
    check_safeguards = step("suspension_statistics.check_safeguards")()
    write_report = step("suspension_statistics.write_safeguards").override(task_id="write_report")()
    alert_people = alert("alert_people")("{{ ti.xcom_pull('check_safeguards')['alert'] }}")
    conclude_night = step("suspension_statistics.conclude_night")()

    chain(take_facts, [settled_days, check_safeguards])
    chain(check_safeguards, write_report, alert_people)
    chain([announced, alert_people], conclude_night)


suspension_facts_nightly()

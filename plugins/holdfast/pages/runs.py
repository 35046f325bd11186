"""The tabs on a DAG and on a run in Airflow: what that job reported, and its evidence."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from starlette.responses import Response

from holdfast import clock, queries
from holdfast.pages.access import Permission
from holdfast.pages.jobs import BY_DAG, Job
from holdfast.pages.reports import readable
from holdfast.pages.visit import Visit, Visitor, needs

router = APIRouter()
SHOWN = 30

DagId = Annotated[str, Path(max_length=250)]


async def _may_read_dag(request: Request, dag_id: DagId) -> None:
    """Airflow decides on its DAGs one by one, and so do we."""
    if not await request.app.state.site.door.may_read_dag(request, dag_id):
        raise HTTPException(403, "Airflow does not show you this DAG.")


DAG = Depends(_may_read_dag)


@router.get("/jobs/{dag_id}", name="job", dependencies=[needs(Permission.READ), DAG])
def job(visit: Visitor, dag_id: DagId) -> Response:
    """A job's reports and runs."""
    found = _job(visit, dag_id)
    with visit.reading() as connection:
        asked = {"job": found.runs_as, "before_run": None, "runs": SHOWN}
        runs = queries.run(connection, "pages/runs_sealed", asked).all() if found.runs_as else []
    reports = [one for one in readable(visit) if one.job == found.shelf][:SHOWN]
    return visit.page("job.html.j2", job=found, runs=runs, reports=reports)


@router.get("/jobs/{dag_id}/runs/{airflow_run}", name="job_run", dependencies=[needs(Permission.READ), DAG])
def job_run(visit: Visitor, dag_id: DagId, airflow_run: Annotated[str, Path(max_length=250)]) -> Response:
    """What one of Airflow's runs reported: those of its night, or of its month."""
    found = _job(visit, dag_id)
    asked = visit.site.door.run(dag_id, airflow_run)
    if asked is None:
        raise visit.missing("Airflow knows no such run.")
    day = clock.local_date(asked.as_of, visit.site.zone())
    period = asked.month if found.is_monthly else day.isoformat()
    with visit.reading() as connection:
        runs = queries.run(connection, "pages/runs_of_day", {"job": found.runs_as, "day": day}).all()
    of_job = [one for one in readable(visit) if one.job == found.shelf]
    reports = [one for one in of_job if period is None or one.period.startswith(period)][:SHOWN]
    return visit.page(
        "job_run.html.j2", job=found, airflow_run=airflow_run, day=day, period=period, runs=runs, reports=reports
    )


def _job(visit: Visit, dag_id: str) -> Job:
    found = BY_DAG.get(dag_id)
    if found is None:
        raise visit.missing("This DAG is none of Holdfast's jobs.")
    return found

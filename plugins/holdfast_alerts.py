"""Who is told that a job needs somebody: by mail, over the Airflow connection `holdfast_alerts`.

The connection is of type SMTP; its extra has `from_email`, and `to`, an address or several. What is said is the job and
what to look at, never what an error said. Without the connection it is said in the log only.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier, Connection
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

CONNECTION = "holdfast_alerts"
FAILED = "A run has failed. The last line of each task that failed says what happened and what to do."
LATE = "A run has not ended by its hour: something has not come, waits for a person, or hangs."
_log = logging.getLogger(__name__)


class Alert(BaseNotifier):
    """Tell people `what` is to be seen about a job."""

    def __init__(self, what: str, context: Any = None) -> None:
        super().__init__(context=context)
        self.what = what

    def notify(self, context: Any) -> None:
        """Called by the DAG processor when a run has failed."""
        try:
            mail = self._mail(context, Connection.get(CONNECTION))
        except AirflowNotFoundException:
            self._tell_nobody(context)
        else:
            mail.notify(context)

    async def async_notify(self, context: Any) -> None:
        """Called by the triggerer when a deadline has passed."""
        try:
            mail = self._mail(context, await Connection.async_get(CONNECTION))
        except AirflowNotFoundException:
            self._tell_nobody(context)
        else:
            await mail.async_notify(context)

    def _mail(self, context: Any, connection: Any) -> SmtpNotifier:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        return SmtpNotifier(
            to=connection.extra_dejson["to"],
            subject=f"Holdfast: {_job_of(context)} needs somebody",
            html_content=f"<p>{_job_of(context)}: {self.what}</p>",
            smtp_conn_id=CONNECTION,
        )

    def _tell_nobody(self, context: Any) -> None:
        _log.error("%s: %s Nobody was told: there is no connection %s.", _job_of(context), self.what, CONNECTION)


def alerts(*, hours: float | None = None) -> dict[str, Any]:
    """Arguments for a DAG of which people hear when a run fails, and when one has not ended so long after its time.

    Without `hours` for one that starts when its data has come, and so has no time.
    """
    on_failure = {"on_failure_callback": Alert(FAILED)}
    if hours is None:
        return on_failure
    deadline = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(hours=hours),
        callback=AsyncCallback(Alert, kwargs={"what": LATE}),
        name="ended by its hour",
    )
    return {**on_failure, "deadline": deadline}


def _job_of(context: Any) -> str:
    """The DAG's id. A deadline's context has the run as a mapping, that of a failure as an object."""
    run = context["dag_run"]
    return str(run["dag_id"] if isinstance(run, dict) else run.dag_id)

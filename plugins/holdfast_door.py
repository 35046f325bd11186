"""How the compliance pages ask Airflow: who somebody is, what he may see there, and with which database.

Only the API server imports this. `holdfast.pages` does not know Airflow, and is handed what is made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from airflow.configuration import conf, ensure_secrets_loaded
from airflow.sdk import timezone
from airflow.utils.session import create_session
from fastapi import FastAPI, HTTPException, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from holdfast import database, settings
from holdfast.pages.access import Identity
from holdfast.pages.app import build
from holdfast.pages.gate import AirflowRun
from holdfast.settings import MAIN

if TYPE_CHECKING:
    import sqlalchemy as sa

PAGES = "_pages"
"""The end of the name of a database's second connection: by a login that may do what the pages do and nothing else, for
the API server is what people can reach."""


def make() -> FastAPI:
    """The pages of this installation, for Airflow to mount. Raises AirflowConfigException without a secret key."""
    return build(
        settings=settings.load(),
        door=AirflowDoor(),
        secret=conf.get_mandatory_value("api", "secret_key"),
        connect=_connect,
        now=timezone.utcnow,
    )


def prefix() -> str:
    """Where Airflow itself is mounted, without a slash at the end; usually nowhere in particular."""
    return str(urlsplit(conf.get("api", "base_url", fallback="")).path).rstrip("/")


class AirflowDoor:
    """Asks Airflow's auth manager, with the log-in that the browser has, or with a token."""

    async def identify(self, request: Request) -> Identity:
        """Whoever is logged in and may see Airflow at all. Raises HTTPException, 401 or 403, for anybody else."""
        user = await _user_of(request)
        manager = get_auth_manager()
        if not await run_in_threadpool(manager.is_authorized_view, access_view=AccessView.WEBSITE, user=user):
            raise HTTPException(403)
        return Identity(user.get_id(), user.get_name(), *roles_of(user))

    async def may_read_dag(self, request: Request, dag_id: str) -> bool:
        """Whether Airflow would show the runs of this DAG."""
        user = await _user_of(request)
        question: dict[str, Any] = {
            "method": "GET",
            "access_entity": DagAccessEntity.RUN,
            "details": DagDetails(id=dag_id),
            "user": user,
        }
        return bool(await run_in_threadpool(lambda: get_auth_manager().is_authorized_dag(**question)))

    def run(self, dag_id: str, run_id: str) -> AirflowRun | None:
        """What a run is for: the moment that its tasks are given, and the month of its partition or of its trigger."""
        from airflow.models.dagrun import DagRun

        with create_session() as session:
            wanted = (DagRun.logical_date, DagRun.run_after, DagRun.partition_key, DagRun.conf)
            found = session.execute(
                select(*wanted).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
            ).one_or_none()
        if found is None:
            return None
        month = found.partition_key or (found.conf or {}).get("month")
        return AirflowRun(found.logical_date or found.run_after, str(month) if month else None)


async def _user_of(request: Request) -> Any:
    return await get_user(request, None, await bearer_scheme(request))


def roles_of(user: Any) -> tuple[str, tuple[str, ...]]:
    """The auth manager's kind, and its names of the user's roles. Of an unknown kind nothing is known."""
    kind = type(user).__name__
    if kind == "SimpleAuthManagerUser":
        return "simple", (user.role.lower(),) if user.role else ()
    if hasattr(user, "roles"):  # the users of FAB
        return "fab", tuple(role.name for role in user.roles)
    return "unknown", ()


def _connect(name: str = MAIN) -> sa.Engine:
    """An engine for one of the databases, by the Airflow connection of the pages' own or the one that a task has."""
    from holdfast_calls import connection_id, parts_of

    # Each source is asked by itself: Airflow's own look-up takes one that fails for one that has nothing.
    names, sources = (f"{connection_id(name)}{PAGES}", connection_id(name)), ensure_secrets_loaded()
    found = (source.get_connection(conn_id=one) for one in names for source in sources)
    given = next((one for one in found if one is not None), None)
    loaded = settings.load()
    if given is not None:
        loaded = loaded.with_url(name, settings.url_of_connection(**parts_of(given)))
    return database.connect_migrated(loaded.at(name), "holdfast_pages")

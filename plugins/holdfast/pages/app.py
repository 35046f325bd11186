"""The application: the pages in the order of the navigation, behind one gate, and what becomes of an error."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from types import ModuleType
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute

from holdfast.errors import DatabaseUnreachable, HoldfastError, description
from holdfast.pages import (
    emergency,
    evidence,
    forms,
    holds,
    overview,
    reports,
    requests,
    retention,
    runs,
    suspensions,
)
from holdfast.pages.access import Permission
from holdfast.pages.gate import Door, Gate
from holdfast.pages.limits import Limit
from holdfast.pages.site import Site
from holdfast.pages.visit import TEMPLATES, Needs, needs, render
from holdfast.settings import Settings

PAGES: tuple[ModuleType, ...] = (
    *(overview, reports, requests, holds, emergency, suspensions, retention, evidence),
    runs,
)
"""The modules of the pages, in the order of the navigation."""

_SAFE = {"GET", "HEAD"}
_TITLES = {403: "Not allowed", 404: "Not found", 405: "Not so", 422: "Not understood", 429: "Too much at once"}
_NOT_REPEATED = "Reloading does not repeat what a form did. Open the page again from the navigation."
_log = logging.getLogger(__name__)

frame = APIRouter()


@frame.get("/style.css", name="style", dependencies=[needs(Permission.READ)], response_class=FileResponse)
def style() -> FileResponse:
    """The one stylesheet."""
    return FileResponse(TEMPLATES / "style.css", headers={"Cache-Control": "private, max-age=600"})


@frame.get("/icon-{theme}.svg", name="icon", dependencies=[needs(Permission.READ)], response_class=FileResponse)
def icon(theme: Literal["light", "dark"]) -> FileResponse:
    """What Airflow's navigation shows for the pages."""
    return FileResponse(TEMPLATES / f"icon-{theme}.svg", headers={"Cache-Control": "private, max-age=86400"})


def build(
    *,
    settings: Settings,
    door: Door,
    secret: str,
    connect: Callable[..., sa.Engine],
    now: Callable[[], dt.datetime],
    burst: int = 60,
) -> FastAPI:
    """The application, for Airflow to mount. There is no default for `door`: without one, everything would be open.

    `burst` requests of one user are answered at once, and ten a second after that. Raises TypeError for a page with a
    route that does not say who may use it.
    """
    app = FastAPI(
        title="Holdfast", docs_url=None, redoc_url=None, openapi_url=None, default_response_class=HTMLResponse
    )
    site = Site(settings, door, secret, connect, now, time.monotonic)
    app.state.site = site
    app.state.entries = tuple(page.ENTRY for page in PAGES if hasattr(page, "ENTRY"))
    for router in (frame, *(page.router for page in PAGES)):
        app.include_router(router)
    for route in app.routes:
        check_route(route)
    app.add_middleware(
        Gate,
        door=door,
        user_of=lambda who: site.access().user(who),
        limit=Limit(burst=burst, rate=10, clock=time.monotonic),
        problem=_problem,
    )
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HoldfastError, _error_of_ours)
    return app


def check_route(route: BaseRoute) -> None:
    """Raise TypeError unless a route names a permission, and the form's token if it can change something."""
    calls = [one.call for one in route.dependant.dependencies] if isinstance(route, APIRoute) else []
    if not any(isinstance(call, Needs) for call in calls):
        raise TypeError(f"the route {route} does not say who may use it: give it `needs(Permission.…)`")
    assert isinstance(route, APIRoute)
    if not route.methods <= _SAFE and forms.check_form not in calls:
        raise TypeError(f"the route {route.path} takes a form from anywhere: give it `FORM`")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code, "That did not work")
    known = {404: "There is no such page.", 405: _NOT_REPEATED}
    what = known.get(error.status_code, title) if error.detail in ("Not Found", "Method Not Allowed") else error.detail
    response = _problem(request, error.status_code, title, what)
    response.headers.update(error.headers or {})
    return response


def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    names = sorted({str(one["loc"][-1]).replace("_", " ") for one in error.errors() if one["loc"]})
    return _problem(request, 422, _TITLES[422], f"Look again at what was given for: {', '.join(names)}.")


def _error_of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, HoldfastError)
    _log.warning("%s", description(error))
    if isinstance(error, DatabaseUnreachable):  # its message has the address, which is for engineers
        return _problem(request, 503, "Not now", "The database does not answer. The API server's log has its address.")
    return _problem(request, 409, "That did not work", str(error))


def _problem(request: Request, status: int, title: str, what: str) -> Response:
    context = {"title": title, "what": what}
    site: Site = request.app.state.site
    return render(request, site, request.state.visitor, "problem.html.j2", status=status, context=context)

"""Nothing of the pages answers before Airflow's auth manager has said who asks: one gate around the whole application.

Airflow mounts a plugin's application with no authentication of its own. The gate is put around the routes instead of
being named by each, so that styles, a list of routes, an unknown address and whatever is added later are behind it
too. It also limits how often somebody may ask, gives every answer the headers that keep a browser from doing more than
it must, and lets no error tell more than its type.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.errors import HoldfastError, description
from holdfast.pages.access import Identity, Permission, User
from holdfast.pages.limits import Limit

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",  # without it a browser hides where a form comes from
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_UNTRUSTED_SITES = ("cross-site", "same-site")
_SAFE = ("GET", "HEAD")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AirflowRun:
    """The moment that a run of Airflow's is for, and the month (2026-10) if it was started for one."""

    as_of: dt.datetime
    month: str | None


class Door(Protocol):
    """What the pages must know of Airflow; `holdfast_airflow` has the one that asks its auth manager."""

    async def identify(self, request: Request) -> Identity:
        """Who asks. Raises HTTPException, 401 or 403, for somebody who is not logged in or may not see Airflow."""

    async def may_read_dag(self, request: Request, dag_id: str) -> bool:
        """Whether whoever asks may see this DAG's runs in Airflow."""

    def run(self, dag_id: str, run_id: str) -> AirflowRun | None:
        """What one of Airflow's runs is for; None if there is no such run."""


class Gate:
    """ASGI middleware. `user_of` says what an identity is here; `problem` makes the page for a refusal."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        door: Door,
        user_of: Callable[[Identity], User],
        limit: Limit,
        problem: Callable[[Request, int, str, str], Response],
    ) -> None:
        self._app = app
        self._door = door
        self._user_of = user_of
        self._limit = limit
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(Request(scope, receive), send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, request: Request, send: Send) -> None:
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            answer: ASGIApp = await self._refusal(request) or self._app
            await answer(request.scope, request.receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 # a server logs what reaches it, with the values a database quotes
            _log.error("%s %s failed: %s", request.method, _route_of(request), description(error))
            if has_begun:  # half a page must not look like a whole one: the server cuts the line
                raise HoldfastError("The page broke off.", fix="read the line before this one.") from None
            failed = PlainTextResponse("This page failed. The API server's log says where.", 500)
            await failed(request.scope, request.receive, send_with_headers)

    async def _refusal(self, request: Request) -> Response | None:
        """What to answer instead of the page. None: they may come in, and are `request.state.visitor`."""
        try:
            who = await self._door.identify(request)
        except HTTPException as refused:
            if refused.status_code == 401:
                return PlainTextResponse("Log in to Airflow, then open this page again.", 401)
            # An expired log-in, or somebody to whom Airflow shows nothing: it tells us no more.
            words = "Log in to Airflow again. If that does not help: none of your roles may see Airflow itself."
            return PlainTextResponse(words, 403)
        if seconds := self._limit.wait(who.id):
            headers = {"Retry-After": str(math.ceil(seconds))}
            return PlainTextResponse("You ask too often. Wait a little.", 429, headers)
        try:
            user = await run_in_threadpool(self._user_of, who)
        except HoldfastError as error:
            _log.error("%s", description(error))
            return PlainTextResponse("Who may see these pages could not be read. The API server's log says why.", 503)
        request.state.visitor = user
        if not user.may(Permission.READ):
            return self._problem(request, 403, "Not for you", "Your role in Airflow has no place on these pages.")
        if request.method not in _SAFE and request.headers.get("sec-fetch-site") in _UNTRUSTED_SITES:
            return self._problem(request, 403, "Not from here", "The form was sent by another site.")
        return None


def _route_of(request: Request) -> str:
    """The route's pattern and not the address, in which somebody may have typed anything."""
    return str(getattr(request.scope.get("route"), "path", "an unknown address"))

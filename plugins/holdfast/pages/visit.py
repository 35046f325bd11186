"""One request of one user, and what a page may do with it: read, render, send on, enter a look-up in the ledger."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import Depends, HTTPException, Request
from fastapi.params import Depends as Dependency
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from holdfast import database
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF
from holdfast.pages import forms
from holdfast.pages.access import Permission, User
from holdfast.pages.site import Site
from holdfast.reports import html

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Entry:
    """A page's place in the navigation: what is read there, the name of its route, and a line that says what it is."""

    title: str
    route: str
    about: str


class Reason(enum.StrEnum):
    """Why somebody's data are looked at. A code, because what a person writes freely may itself be personal data."""

    THE_PERSON_ASKED = "the-person-asked"
    CORRECTION = "correction"
    COMPLAINT = "complaint"
    LEGAL_CLAIM = "legal-claim"
    AUDIT = "audit"
    INCIDENT = "incident"


class Needs:
    """The permission of a route, as its dependency. Raises HTTPException 403."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> None:
        if not request.state.visitor.may(self.permission):
            raise HTTPException(403, f"Your role may not {self.permission}.")


def needs(permission: Permission) -> Dependency:
    """What every route must be given: `dependencies=[needs(Permission.READ)]`."""
    dependency: Dependency = Depends(Needs(permission))
    return dependency


FORM: Dependency = Depends(forms.check_form)
"""What every route that changes something must be given besides."""


@dataclass(frozen=True)
class Visit:
    """Who asks, and for what."""

    request: Request
    user: User
    site: Site

    @property
    def now(self) -> dt.datetime:
        return self.site.now()

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection that sees one moment and can change nothing."""
        return database.reading(self.site.engine())

    def changing(self) -> AbstractContextManager[sa.Connection]:
        """One transaction; for routes that have `FORM`."""
        return database.transaction(self.site.engine())

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """The page that a template makes; it knows `user`, `url`, `may` and `form_token` besides what it is given."""
        return render(self.request, self.site, self.user, template, status=status, context=context)

    def to(self, route: str, /, **values: Any) -> Response:
        """Send the browser on after a form."""
        return RedirectResponse(address(self.request, route, **values), 303)

    def missing(self, what: str) -> HTTPException:
        """To raise where there is no such thing. `what` is a sentence, without anything that was typed."""
        return HTTPException(404, what)

    def costly(self) -> None:
        """Ask before anything that takes seconds. Raises HTTPException 429 for somebody who wants too much of it."""
        if seconds := self.site.costly.wait(self.user.id):
            wait = math.ceil(seconds)
            raise HTTPException(429, f"That takes much work. Ask again in {wait} seconds.", {"Retry-After": str(wait)})

    @property
    def pseudonym(self) -> str:
        """The user, as the ledger names staff."""
        return pseudonym(self.site.settings.pseudonym_key(), STAFF, self.user.id)

    def looked_up(self, what: str, *, reason: Reason, **numbers: int) -> None:
        """Enter in the ledger that this user looks at somebody's data, and commit it, before anything is read.

        `what` is a code for the kind of record; `numbers` say which one it is. Whoever cannot be recorded sees nothing.
        """
        facts: dict[str, ledger.JSON] = {"what": what, **numbers, "reason": reason.value, "by": self.pseudonym}
        with self.changing() as connection:
            ledger.append(connection, "personal_data_looked_up", facts)


def _visit(request: Request) -> Visit:
    return Visit(request, request.state.visitor, request.app.state.site)


Visitor = Annotated[Visit, Depends(_visit)]
"""The parameter by which a route gets its visit."""


def address(request: Request, route: str, /, **values: Any) -> str:
    """The address of a route, wherever Airflow is mounted; values that the route has no place for become its query."""
    places = next(one.param_convertors for one in request.app.routes if one.name == route)
    path = {name: value for name, value in values.items() if name in places}
    query = {name: str(value) for name, value in values.items() if name not in places and value is not None}
    found = str(request.app.url_path_for(route, **path))
    prefix = str(request.scope.get("root_path", "")).rstrip("/")
    return prefix + found + (f"?{urlencode(query)}" if query else "")


def render(
    request: Request, site: Site, user: User, template: str, *, status: int, context: Mapping[str, Any]
) -> Response:
    """A page of ours for a user. Jinja2 escapes every value, and a name that the template does not know is an error."""

    def form_token() -> Markup:
        field = Markup('<input type="hidden" name="{}" value="{}">')
        return field.format(forms.FIELD, forms.token(request))

    def url(route: str, /, **values: Any) -> str:
        return address(request, route, **values)

    given = {
        "user": user,
        "may": lambda permission: user.may(Permission[permission]),
        "url": url,
        "here": getattr(request.scope.get("route"), "name", ""),
        "form_token": form_token,
        "entries": request.app.state.entries,
        **context,
    }
    made = html.render(TEMPLATES / template, given, zone=site.zone())
    response = HTMLResponse(made, status)
    forms.set_cookie(request, response)
    return response

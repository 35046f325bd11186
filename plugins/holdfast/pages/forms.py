"""Forms that only the page itself can have sent: a signed token in the form, bound to the user and to a cookie.

The signed double-submit pattern: the form's token holds the user's id and the secret of a cookie that no other site can
read or set on a whim; a token that was taken from another user, another browser or another day is refused.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import Form, HTTPException, Request
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.responses import Response

COOKIE = "holdfast_form"
FIELD = "form_token"
_HOURS = 12
_SALT = "holdfast.pages.forms"


def cookie_of(request: Request) -> str:
    """The browser's secret, or a new one for this answer to set."""
    given = request.cookies.get(COOKIE)
    if given and len(given) == 43:
        return given
    if not hasattr(request.state, "form_cookie"):
        request.state.form_cookie = secrets.token_urlsafe(32)
    made: str = request.state.form_cookie
    return made


def token(request: Request) -> str:
    """For the hidden field of a form."""
    return _serializer(request).dumps([request.state.visitor.id, cookie_of(request)])


def set_cookie(request: Request, response: Response) -> None:
    """Let the browser keep the secret, if a form was made with a new one."""
    if hasattr(request.state, "form_cookie"):
        response.set_cookie(
            COOKIE,
            request.state.form_cookie,
            path=request.scope.get("root_path") or "/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )


def check_form(request: Request, form_token: Annotated[str, Form(max_length=500)]) -> None:
    """A dependency of every route that changes something. Raises HTTPException 403 for a form that is not ours."""
    try:
        user, cookie = _serializer(request).loads(form_token, max_age=_HOURS * 3600)
    except (BadData, ValueError):
        user = cookie = ""
    given = request.cookies.get(COOKIE, "")
    if not cookie or user != request.state.visitor.id or not hmac.compare_digest(str(cookie), given):
        raise HTTPException(403, "The form is out of date, or was not made for you. Open the page again and repeat it.")


def _serializer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(request.app.state.site.secret, salt=_SALT)

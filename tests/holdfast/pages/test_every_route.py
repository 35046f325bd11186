"""What must be true of every page, whoever adds it: nobody gets in unasked, nothing is done without our own form."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.testclient import TestClient
from tests.holdfast.pages.conftest import Client

from holdfast.pages import app as pages
from holdfast.pages import forms
from holdfast.pages.access import Permission
from holdfast.pages.app import check_route
from holdfast.pages.visit import FORM, Needs, needs

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
UNKNOWN = ("/", "/docs", "/redoc", "/openapi.json", "/style.css", "/..%2f..%2fetc/passwd", "/static/x", "/nothing")


def routes(app: FastAPI) -> list[APIRoute]:
    found = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(found) == len(app.routes), "a mounted application or a plain route is not walked by these tests"
    return found


def addresses(app: FastAPI) -> list[str]:
    """An address of each route, with something in each of its places."""
    return [address(route) for route in routes(app)]


def address(route: APIRoute) -> str:
    """With numbers where numbers belong, digests where digests do, and a word everywhere else."""
    path = route.path.replace("{report_id}", "0" * 64).replace("{theme}", "light")
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", "1")
    return path


def test_without_a_log_in_no_route_answers_to_any_method(pages_app: FastAPI, as_user: Client) -> None:
    nobody = as_user("")
    for path in {*addresses(pages_app), *UNKNOWN}:
        for method in METHODS:
            answer = nobody.request(method, path, follow_redirects=False)
            assert answer.status_code == 401, f"{method} {path}"
            assert "Holdfast" not in answer.text


def test_somebody_whose_role_has_no_place_here_sees_nothing(pages_app: FastAPI, as_user: Client) -> None:
    stranger = as_user("stranger")
    for path in {*addresses(pages_app), *UNKNOWN}:
        for method in METHODS:
            assert stranger.request(method, path, follow_redirects=False).status_code == 403, f"{method} {path}"


def test_every_route_names_one_permission(pages_app: FastAPI) -> None:
    for route in routes(pages_app):
        named = [one.call for one in route.dependant.dependencies if isinstance(one.call, Needs)]
        assert len(named) == 1, route.path


def test_whatever_changes_something_asks_for_a_form_of_ours(pages_app: FastAPI, as_compliance: TestClient) -> None:
    for route in routes(pages_app):
        changing = route.methods - {"GET", "HEAD"}
        assert bool(changing) == any(one.call is forms.check_form for one in route.dependant.dependencies), route.path
        for method in changing:
            forged = as_compliance.request(method, address(route), data={forms.FIELD: "forged"}, follow_redirects=False)
            assert forged.status_code in (403, 422), f"{method} {route.path}"


def test_a_route_that_says_not_who_may_use_it_cannot_be_built() -> None:
    router = APIRouter()

    @router.get("/open")
    def forgotten() -> Response:
        return Response()

    @router.post("/anybody", dependencies=[needs(Permission.READ)])
    def without_form() -> Response:
        return Response()

    @router.post("/guarded", dependencies=[needs(Permission.READ), FORM])
    def guarded() -> Response:
        return Response()

    forgotten_route, formless, good = router.routes
    with pytest.raises(TypeError, match="who may use it"):
        check_route(forgotten_route)
    with pytest.raises(TypeError, match="a form from anywhere"):
        check_route(formless)
    check_route(good)


def test_an_application_without_a_door_cannot_be_built() -> None:
    with pytest.raises(TypeError, match="door"):
        pages.build(settings=None, secret="", connect=None, now=None)  # type: ignore[call-arg, arg-type]


def test_every_page_of_the_navigation_opens_for_an_auditor(pages_app: FastAPI, as_auditor: TestClient) -> None:
    for entry in pages_app.state.entries:
        answer = as_auditor.get(pages_app.url_path_for(entry.route))
        assert answer.status_code == 200, entry.title
        assert f'aria-current="page">{entry.title}' in answer.text


def test_every_answer_tells_the_browser_to_do_no_more_than_it_must(pages_app: FastAPI, as_user: Client) -> None:
    for user in ("auditor", "", "stranger"):
        for path in {*addresses(pages_app), *UNKNOWN}:
            answer = as_user(user).get(path, follow_redirects=False)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'")
            assert "frame-ancestors 'self'" in policy
            assert "script" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"].startswith(("no-store", "private"))


def test_no_page_has_a_script_a_style_of_its_own_or_anything_from_elsewhere(
    pages_app: FastAPI, as_compliance: TestClient
) -> None:
    for entry in pages_app.state.entries:
        text = as_compliance.get(pages_app.url_path_for(entry.route)).text
        assert "<script" not in text
        assert "style=" not in text
        assert " onclick" not in text
        assert "//" not in text.replace("<!DOCTYPE", "").split("<main")[0].replace("https://", "//")

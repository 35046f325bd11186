"""A form counts only if it was made for this user, in this browser, today. The one that every role has is tried."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from tests.holdfast.pages.conftest import Client

Fields = Callable[[str], dict[str, str]]


def status(browser: TestClient, fields: dict[str, str], **headers: str) -> int:
    return browser.post("/evidence/verify", data=fields, headers=headers).status_code


def test_the_form_of_the_page_is_taken(as_auditor: TestClient, form_of: Fields) -> None:
    assert status(as_auditor, form_of(as_auditor.get("/evidence").text)) == 200


def test_a_form_without_a_token_or_with_a_forged_one_is_refused(as_auditor: TestClient, form_of: Fields) -> None:
    fields = form_of(as_auditor.get("/evidence").text)
    assert status(as_auditor, {}) == 422
    assert status(as_auditor, {"form_token": "x"}) == 403
    assert status(as_auditor, {"form_token": fields["form_token"][:-1] + "A"}) == 403


def test_the_form_of_another_user_is_refused(as_user: Client, form_of: Fields) -> None:
    auditor, dpo = as_user("auditor"), as_user("dpo")
    fields = form_of(auditor.get("/evidence").text)
    dpo.cookies.update(auditor.cookies)
    assert status(dpo, fields) == 403


def test_a_token_without_its_cookie_is_refused(as_user: Client, form_of: Fields) -> None:
    fields = form_of(as_user("auditor").get("/evidence").text)
    elsewhere = as_user("auditor")
    assert status(elsewhere, fields) == 403
    elsewhere.get("/evidence")
    assert status(elsewhere, fields) == 403


def test_a_form_of_yesterday_is_refused(
    as_auditor: TestClient, form_of: Fields, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    fields = form_of(as_auditor.get("/evidence").text)
    later = time.time() + 13 * 3600
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert status(as_auditor, fields) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_sends_is_refused_even_with_a_good_form(
    as_auditor: TestClient, form_of: Fields, site: str
) -> None:
    fields = form_of(as_auditor.get("/evidence").text)
    assert status(as_auditor, fields, **{"Sec-Fetch-Site": site}) == 403
    assert status(as_auditor, fields, **{"Sec-Fetch-Site": "same-origin"}) == 200


def test_the_cookie_is_for_these_pages_and_for_no_script(as_auditor: TestClient) -> None:
    cookie = as_auditor.get("/evidence").headers["set-cookie"]
    assert cookie.startswith("holdfast_form=")
    assert {"HttpOnly", "SameSite=strict", "Path=/holdfast"} <= {part.strip() for part in cookie.split(";")}
    assert "set-cookie" not in as_auditor.get("/evidence").headers, "one is enough for a browser"

"""What people see and do: each page in Airflow's frame, each role, evidence that is taken away and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, FrameLocator, Page, Response
from tests.browser.conftest import Served
from tests.holdfast.pages.conftest import ROLES

from holdfast.evidence import offline, signing
from holdfast.pages.app import PAGES

ENTRIES = [page.ENTRY.title for page in PAGES if hasattr(page, "ENTRY")]
USERS = [user for user in ROLES if user != "stranger"]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
Context = Callable[..., BrowserContext]


def opened(page: Page, served: Served) -> FrameLocator:
    """The pages in Airflow's frame, after one click in its navigation."""
    page.goto(served.address)
    page.get_by_role("link", name="Compliance").first.click()
    frame = page.frame_locator("iframe")
    frame.locator("h1").wait_for()
    return frame


def go(frame: FrameLocator, title: str) -> None:
    """The second click."""
    frame.get_by_role("navigation", name="Compliance").get_by_role("link", name=title, exact=True).click()
    frame.locator(f'nav a[aria-current="page"]:has-text("{title}")').wait_for()


@pytest.mark.parametrize("user", USERS)
def test_every_page_is_two_clicks_away_for_every_role(signed_in: Context, served: Served, user: str) -> None:
    with signed_in(user) as context:
        frame = opened(context.new_page(), served)
        for title in ENTRIES:
            go(frame, title)
            assert frame.locator("h1").inner_text()


def test_nothing_is_asked_of_another_host_and_nothing_is_complained_of(as_auditor: Page, served: Served) -> None:
    asked, complaints = set[str](), list[str]()
    as_auditor.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))
    as_auditor.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    frame = opened(as_auditor, served)
    for title in ENTRIES:
        go(frame, title)
    assert asked <= {"127.0.0.1", ""}, "what has no host is in the page itself"
    assert [one for one in complaints if "Content Security Policy" in one or "holdfast" in one] == []


def test_without_a_log_in_there_is_nothing_to_see(signed_in: Context, served: Served) -> None:
    with signed_in("auditor") as context:
        context.clear_cookies()
        page = context.new_page()
        for path in ("/", "/reports", "/style.css"):
            answer = page.goto(f"{served.pages}{path}")
            assert isinstance(answer, Response)
            assert answer.status == 401
            assert "Holdfast" not in page.content()


@pytest.mark.parametrize(("user", "may"), [("auditor", False), ("engineer", False), ("dpo", True), ("admin", True)])
def test_what_is_not_for_publication_is_shown_to_those_who_may(
    signed_in: Context, served: Served, user: str, may: bool
) -> None:
    with signed_in(user) as context:
        frame = opened(context.new_page(), served)
        go(frame, "Reports")
        frame.locator("table").wait_for()
        assert frame.get_by_role("cell", name="published", exact=True).count() == 1
        assert frame.get_by_role("cell", name="internal", exact=True).count() == may


def test_a_report_is_found_read_and_compared(as_auditor: Page, served: Served) -> None:
    frame = opened(as_auditor, served)
    go(frame, "Reports")
    frame.get_by_label("Job").select_option("retention_nightly")
    frame.get_by_role("button", name="Find").click()
    frame.get_by_text("2 reports").wait_for()
    frame.get_by_role("rowheader").first.get_by_role("link").click()
    frame.get_by_text("Of 45 rows nobody can say").wait_for()
    frame.get_by_role("button", name="Compare").click()
    frame.get_by_text("verdict / standing").wait_for()
    as_auditor.go_back()
    frame.get_by_role("link", name="Read the report").click()
    frame.get_by_text("What was done.").wait_for()


def test_an_auditor_takes_a_pack_away_and_it_verifies(as_auditor: Page, served: Served, tmp_path: Path) -> None:
    frame = opened(as_auditor, served)
    go(frame, "Evidence")
    with as_auditor.expect_download() as download:
        frame.get_by_role("link", name="Pack of run").first.click()
    pack = tmp_path / download.value.suggested_filename
    download.value.save_as(pack)
    key = signing.load(served.home / "keys" / "ledger.key").public
    assert offline.check(pack, [key]).verdict is offline.Verdict.OK


def test_the_ledger_is_verified_by_a_click(as_auditor: Page, served: Served) -> None:
    frame = opened(as_auditor, served)
    go(frame, "Evidence")
    frame.get_by_role("button", name="Verify the whole ledger").click()
    frame.get_by_text("Nothing is amiss").wait_for()


def test_a_dag_and_a_run_in_airflow_have_a_tab_with_their_report_and_evidence(as_auditor: Page, served: Served) -> None:
    for place in ("", f"/runs/{quote(served.dag_run, safe='')}"):
        as_auditor.goto(f"{served.address}/dags/retention_nightly{place}")
        as_auditor.locator('a[href*="/plugin/compliance-"]').click()
        frame = as_auditor.frame_locator("iframe")
        frame.get_by_role("heading", name="Evidence").wait_for()
        assert frame.get_by_role("link", name="Pack of run").count() >= 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_dark_and_light_with_airflow(signed_in: Context, served: Served, theme: str) -> None:
    with signed_in("auditor", color_scheme="null") as context:
        page = context.new_page()
        page.goto(served.address)
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        opened(page, served)
        (frame,) = [one for one in page.frames if one.url.startswith(served.pages)]
        assert frame.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (theme == "dark")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_keeps_anybody_out(signed_in: Context, served: Served, theme: str, width: int) -> None:
    """WCAG 2.2 AA as far as axe can tell: each page of the navigation, and one of each kind behind them."""
    with signed_in("dpo", color_scheme=theme, viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        found = []
        for path in paths(page, served):
            page.goto(path)
            result = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
            found += [f"{path}: {one['id']} at {one['nodes'][0]['target']}" for one in result.response["violations"]]
        assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_record_in_quarantine_is_shown_to_compliance_for_a_reason(
    signed_in: Context, served: Served, theme: str
) -> None:
    with signed_in("dpo", color_scheme=theme) as context:
        page = context.new_page()
        frame = opened(page, served)
        go(frame, "999 data")
        frame.get_by_label("Extract", exact=True).fill("7")
        frame.get_by_label("Record in it").fill("2")
        frame.get_by_label("Why you look").select_option("correction")
        frame.get_by_role("button", name="Show it").click()
        frame.get_by_role("cell", name="EXAMPLESON").wait_for()
        (inner,) = [one for one in page.frames if one.url.startswith(served.pages)]
        assert inner.url.endswith("/emergency-data/record"), "nothing of it is in the address"
        result = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}, "iframes": True})
        ours = [one["id"] for one in result.response["violations"] if len(one["nodes"][0]["target"]) > 1]
        assert ours == [], "in the frame"


def paths(page: Page, served: Served) -> list[str]:
    """The pages of the navigation, the first link of each page's content, and the tabs."""
    page.goto(f"{served.pages}/")
    entries = [str(one.evaluate("link => link.href")) for one in page.locator("nav a").all()]
    behind = []
    for entry in entries:
        page.goto(entry)
        links = page.locator('main a[href^="/holdfast/"]').evaluate_all("links => links.map(link => link.href)")
        behind += [one for one in links if "/files/" not in one and "pack" not in one and "checkpoints" not in one][:2]
    tabs = [f"{served.pages}/jobs/retention_nightly", f"{served.pages}/jobs/retention_nightly/runs/{served.dag_run}"]
    return [*dict.fromkeys([*entries, *behind, *tabs, f"{served.pages}/nothing"])]


def test_the_pages_work_without_javascript(signed_in: Context, served: Served) -> None:
    with signed_in("auditor", java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{served.pages}/")
        for title in ENTRIES:
            page.get_by_role("navigation", name="Compliance").get_by_role("link", name=title, exact=True).click()
            assert page.locator("h1").inner_text()
        page.goto(f"{served.pages}/evidence")
        page.get_by_role("button", name="Verify the whole ledger").click()
        assert page.get_by_text("Nothing is amiss").count() == 1


def test_what_is_printed_is_what_was_read_without_what_is_clicked(as_auditor: Page, served: Served) -> None:
    as_auditor.goto(f"{served.pages}/evidence")
    as_auditor.emulate_media(media="print")
    assert not as_auditor.locator("nav").is_visible()
    assert not as_auditor.get_by_role("button", name="Verify").is_visible()
    assert as_auditor.locator("table").first.is_visible()

"""A hold that compliance places in the browser changes what the night would delete, and its release changes it back.

Its name puts it after the other tests of the session's database, into which it puts the invented provider.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, FrameLocator
from tests.browser.conftest import Served
from tests.browser.test_pages import go, opened
from tests.holdfast.pages.stocked import ACCOUNTS, plan_tonight

from holdfast import roles, settings
from holdfast.synthetic import provider

Context = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def planned(served: Served) -> str:
    """A rule of tonight's plan that has something to delete."""
    now = dt.datetime.now(dt.UTC)  # not when the file was read: that may have been yesterday
    provider.make(served.engine, accounts=ACCOUNTS, seed=7, as_of=now, objects=settings.load().objects)
    roles.renew(served.engine, settings.load())
    run_id = plan_tonight(served.engine, settings.load(), now)
    with served.engine.connect() as connection:
        found = connection.execute(
            sa.text(
                "SELECT rule_id FROM holdfast.plan_rule WHERE run_id = :run AND due_rows > 0 AND held_rows = 0"
                " ORDER BY due_rows DESC, rule_id LIMIT 1"
            ),
            {"run": run_id},
        )
        return str(found.scalar_one())


def due_and_held(frame: FrameLocator, rule: str) -> tuple[int, int]:
    """What the page of retention says of a rule."""
    go(frame, "Retention")
    cells = frame.get_by_role("region", name="Rules").locator("tr", has_text=rule).locator("td")
    due, _, held = (cells.nth(n).inner_text().replace(",", "") for n in range(3))
    return int(due), int(held)


def test_a_hold_that_is_placed_changes_the_plan_of_the_night_until_it_is_released(
    signed_in: Context, served: Served, planned: str
) -> None:
    with served.engine.connect() as connection:
        text = sa.text("SELECT min(dataset) FROM holdfast.plan_rule WHERE rule_id = :rule")
        dataset = connection.execute(text, {"rule": planned}).scalar_one()
    with signed_in("dpo") as context:
        frame = opened(context.new_page(), served)
        due, held = due_and_held(frame, planned)
        assert (due > 0, held) == (True, 0)

        go(frame, "Holds")
        form = frame.locator('form[action$="/holds/place"]')
        form.locator("[name=hold_type]").select_option("AUDIT")
        form.locator("[name=reference]").fill("engagement-2026-4")
        form.locator("[name=ground]").fill("audit-plan")
        form.locator("[name=dataset]").select_option(dataset)
        form.get_by_role("button", name="Place the hold").click()
        frame.get_by_text("is in the register as you asked").wait_for()
        frame.get_by_role("cell", name="engagement-2026-4").wait_for()
        plan_tonight(served.engine, settings.load(), dt.datetime.now(dt.UTC))
        assert due_and_held(frame, planned) == (0, due)

        go(frame, "Holds")
        row = frame.get_by_role("region", name="Single holds").locator("tr", has_text="engagement-2026-4")
        row.locator("[name=reason]").select_option("ended")
        row.get_by_role("button", name="Release").click()
        frame.get_by_text("is in the register as you asked").wait_for()
        plan_tonight(served.engine, settings.load(), dt.datetime.now(dt.UTC))
        assert due_and_held(frame, planned) == (due, 0)


def test_a_mistake_is_said_and_places_nothing(signed_in: Context, served: Served, planned: str) -> None:
    with signed_in("dpo") as context:
        frame = opened(context.new_page(), served)
        go(frame, "Holds")
        form = frame.locator('form[action$="/holds/place"]')
        form.locator("[name=hold_type]").select_option("AUDIT")
        form.locator("[name=reference]").fill("engagement-2026-5")
        form.locator("[name=ground]").fill("audit-plan")
        form.locator("[name=subject]").fill("99999999")
        form.get_by_role("button", name="Place the hold").click()
        frame.get_by_text("There is no such subject").wait_for()
    with served.engine.connect() as connection:
        text = sa.text("SELECT count(*) FROM holdfast.hold WHERE reference = 'engagement-2026-5'")
        assert connection.execute(text).scalar_one() == 0


@pytest.mark.parametrize("user", ["auditor", "engineer"])
def test_who_may_only_read_sees_holds_and_no_form(signed_in: Context, served: Served, planned: str, user: str) -> None:
    with signed_in(user) as context:
        frame = opened(context.new_page(), served)
        go(frame, "Holds")
        frame.get_by_role("region", name="Sources of holds").wait_for()
        assert frame.locator('form[method="post"]').count() == 0

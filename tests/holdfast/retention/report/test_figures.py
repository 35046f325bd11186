"""Figures add up: a sum is the sum of what is shown above it, on the page, in the spreadsheets and in JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.retention.report import cinema
from tests.holdfast.retention.report.editions import count, registers, rule
from tests.holdfast.retention.report.pages import Page, wrong_sums

from holdfast.policy.model import Policy
from holdfast.reports.tables import BYTE_ORDER_MARK
from holdfast.retention.report import exports, figures, page
from holdfast.retention.report.edition import compose
from holdfast.retention.report.registers import Forecast, Held

_ROWS = st.one_of(st.just(0), st.integers(0, 9), st.integers(0, 3_000_000))
_MAYBE = st.one_of(st.none(), _ROWS)


@st.composite
def _nights(draw: st.DrawFn) -> dict[str, Any]:
    """Rules of the cinema with any counts, and what belongs to them."""
    rules, held, forecast, datasets = [], [], [], []
    chosen = draw(st.lists(st.sampled_from(list(cinema.RULES)), unique=True))
    for rule_id in chosen:
        dataset = rule_id.rpartition("-")[0]
        names = ("due_rows", "held_rows", "refused_rows", "waiting_rows", "unknown_rows")
        counts = {name: draw(_ROWS) for name in names}
        acted = draw(st.integers(0, counts["due_rows"]))
        action = "anonymise" if rule_id == "members-2y" else "delete"
        proofs = {"survivors": draw(_MAYBE), "late_rows": draw(_MAYBE)}
        rules.append(rule(rule_id, dataset, action=action, acted_rows=acted, **counts, **proofs))
        for code, authority in (("UNPAID", "billing"), ("TAX", "tax"), ("WARRANT", "legal")):
            rows = draw(st.integers(0, counts["held_rows"]))
            held.append(Held(rule_id, code, authority, code != "WARRANT", rows, None, 1))
        soon = sorted(draw(st.tuples(_ROWS, _ROWS, _ROWS)))
        forecast += [Forecast(rule_id, days, rows) for days, rows in zip((30, 60, 90), soon, strict=True)]
        before, deleted, after = draw(_ROWS), draw(_MAYBE), draw(_MAYBE)
        datasets.append(count(dataset, before_rows=before, deleted_rows=deleted, after_rows=after))
    run = {"mode": draw(st.sampled_from(["enforce", "dry-run"])), "refused_sources": ("counsel",)}
    values = {"held": held, "forecast": forecast, "datasets": datasets}
    return {"rules": rules, "run": run, **{name: tuple(value) for name, value in values.items()}}


@given(_nights())
def test_every_sum_is_the_sum_of_what_is_shown(cinema_policy: Policy, night: dict[str, Any]) -> None:
    edition = compose(registers(cinema_policy, *night.pop("rules"), **night), cinema_policy, cinema.WRITTEN)
    shown = Page(page.html_of(edition, with_charts=False))
    assert wrong_sums(shown) == []
    rows = list(csv.DictReader(io.StringIO(exports.rules_csv(edition).removeprefix(BYTE_ORDER_MARK), newline="")))
    totals = json.loads(exports.json_text(edition))["totals"]
    columns = {
        "planned_rows": "due",
        "done_rows": "acted",
        "survivor_rows": "survivors",
        "late_rows": "late",
        "held_rows": "held",
        "refused_rows": "refused",
        "waiting_rows": "waiting",
        "unknown_rows": "unknown",
        "not_done_rows": "not_acted",
        "overdue_rows": "kept_late",
    }
    for column, total in columns.items():
        cells = [row[column] for row in rows]
        assert totals[total] == (None if "" in cells else sum(int(cell) for cell in cells)), column
    if not edition.run.is_dry:
        assert totals["acted"] == totals["deleted"] + totals["anonymised"]


@given(_nights())
def test_every_row_past_its_period_is_somewhere(cinema_policy: Policy, night: dict[str, Any]) -> None:
    """Done, or part of the debt: no row falls between the two tables."""
    edition = compose(registers(cinema_policy, *night.pop("rules"), **night), cinema_policy, cinema.WRITTEN)
    past = sum(line.due + line.held + line.refused + line.waiting for line in edition.lines)
    assert (edition.totals.acted or 0) + edition.totals.kept_late == past
    assert sum(debt.line.kept_late for debt in edition.debts) == edition.totals.kept_late


def test_rules_of_one_dataset_look_at_the_same_rows(cinema_policy: Policy) -> None:
    rules = (rule("bookings-6y", "bookings", total_rows=70), rule("cards-13m", "bookings", total_rows=70))
    totals = compose(registers(cinema_policy, *rules), cinema_policy, cinema.WRITTEN).totals
    assert (totals.rules, totals.datasets, totals.rows) == (2, 1, 70)


def test_rows_that_arrived_are_told_from_the_counts() -> None:
    sound, came_and_went, missing, too_many, not_counted = figures.dataset_lines(
        [count(), count(after_rows=999), count(after_rows=989), count(after_rows=1_005), count(after_rows=None)]
    )
    assert (sound.arrived, sound.balances) == (1, True)
    assert (came_and_went.arrived, came_and_went.balances) == (9, True)
    assert (missing.arrived, missing.balances) == (-1, False)
    assert (too_many.arrived, too_many.balances) == (15, False)
    assert (not_counted.arrived, not_counted.balances) == (None, None)


def test_the_longest_overdue_comes_first(cinema_policy: Policy) -> None:
    rules = (
        rule("reviews-90d", "reviews", held_rows=1, oldest_due=cinema.NIGHT.replace(month=8)),
        rule("bookings-6y", "bookings", held_rows=1, oldest_due=cinema.NIGHT.replace(year=2019, month=12)),
        rule("cards-13m", "cards", waiting_rows=1, oldest_due=cinema.NIGHT.replace(year=2024)),
    )
    edition = compose(registers(cinema_policy, *rules), cinema_policy, cinema.WRITTEN)
    assert [(debt.line.rule_id, debt.overdue_days) for debt in edition.debts] == [
        ("cards-13m", 334),
        ("bookings-6y", 237),  # six years after the end of the accounting period on 31 March 2020
        ("reviews-90d", 1),
    ]

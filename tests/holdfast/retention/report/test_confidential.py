"""Of some holds not even the existence may be told: not by a name, nor a number, nor by what is missing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.retention.report import cinema
from tests.holdfast.retention.report.editions import registers, rule, source

from holdfast.policy.disclosure import OTHER_OBLIGATIONS, Disclosure
from holdfast.policy.model import Policy
from holdfast.reports.runs import Review
from holdfast.retention.report import exports, page
from holdfast.retention.report.confidential import held_lines
from holdfast.retention.report.edition import compose
from holdfast.retention.report.registers import Held, Registers

LEGAL = ("LITIGATION", "WARRANT", "COVERT_INQUIRY")
OPEN = ("UNPAID", "TAX")
AUTHORITIES = {"UNPAID": "billing", "TAX": "tax", **dict.fromkeys(LEGAL, "legal")}
RULES = (
    rule("bookings-6y", "bookings", due_rows=5, acted_rows=5, held_rows=40),
    rule("reviews-90d", "reviews", held_rows=6),
)
PLANS = {one.rule_id: one for one in RULES}


def held(rule_id: str, hold_type: str, rows: int, until: dt.date | None = None, holds: int = 1) -> Held:
    return Held(rule_id, hold_type, AUTHORITIES[hold_type], hold_type not in LEGAL[1:], rows, until, holds)


def files(policy: Policy, given_registers: Registers) -> dict[str, str]:
    """Every file of the report, without its charts, which show nothing of types."""
    edition = compose(given_registers, policy, cinema.WRITTEN)
    return {
        "index.html": page.html_of(edition, with_charts=False),
        "report.csv": exports.rules_csv(edition),
        "held.csv": exports.held_csv(edition),
        "report.json": exports.json_text(edition),
    }


def test_a_row_that_only_an_unnamed_hold_keeps_is_still_shown_as_held(cinema_policy: Policy) -> None:
    lines = held_lines(Disclosure.of(cinema_policy), [held("reviews-90d", "WARRANT", 6)], PLANS)
    assert [(line.rule_id, line.hold_type, line.authority, line.held_rows) for line in lines] == [
        ("reviews-90d", OTHER_OBLIGATIONS, "legal", 6)
    ]
    assert lines[0].held_until is None
    assert lines[0].holds is None


def test_types_of_other_authorities_keep_their_names(cinema_policy: Policy) -> None:
    given_lines = [held("bookings-6y", "UNPAID", 2, None, 3), held("bookings-6y", "TAX", 30, dt.date(2027, 3, 31))]
    lines = held_lines(Disclosure.of(cinema_policy), given_lines, PLANS)
    assert [(line.hold_type, line.held_rows, line.held_until, line.holds) for line in lines] == [
        ("TAX", 30, dt.date(2027, 3, 31), 1),
        ("UNPAID", 2, None, 3),
    ]


def test_a_single_hold_of_a_named_type_may_be_unnamed_too(cinema_policy: Policy) -> None:
    secret_tax = dataclasses.replace(held("bookings-6y", "TAX", 30), disclosable=False)
    lines = held_lines(Disclosure.of(cinema_policy), [secret_tax], PLANS)
    assert [(line.hold_type, line.authority, line.held_rows) for line in lines] == [(OTHER_OBLIGATIONS, "legal", 30)]


def test_the_sum_of_the_others_does_not_tell_that_two_hold_the_same_rows(cinema_policy: Policy) -> None:
    overlapping = [held("reviews-90d", "WARRANT", 6), held("reviews-90d", "COVERT_INQUIRY", 6)]
    lines = held_lines(Disclosure.of(cinema_policy), overlapping, PLANS)
    assert [line.held_rows for line in lines] == [6]


def test_without_a_policy_every_type_is_told_as_one() -> None:
    lines = held_lines(
        Disclosure.of(None),
        [held("bookings-6y", "UNPAID", 2), held("bookings-6y", "TAX", 30)],
        PLANS,
    )
    assert [(line.hold_type, line.authority, line.held_rows) for line in lines] == [(OTHER_OBLIGATIONS, "any", 32)]


HELD = st.builds(
    held,
    st.sampled_from([one.rule_id for one in RULES]),
    st.sampled_from([*OPEN, *LEGAL]),
    st.integers(0, 6),
    st.one_of(st.none(), st.dates(dt.date(2027, 1, 1), dt.date(2029, 1, 1))),
    st.integers(1, 500),
)


@given(st.lists(HELD, max_size=8, unique_by=lambda one: (one.rule_id, one.hold_type)))
def test_no_file_tells_of_them(cinema_policy: Policy, lines: Sequence[Held]) -> None:
    reviews = tuple(Review(code, dt.date(2031, 7, 7), 888) for code in LEGAL)
    written = files(cinema_policy, registers(cinema_policy, *RULES, held=tuple(lines), reviews=reviews))
    for name, text in written.items():
        shown = re.sub(r"[0-9a-f]{32,}", "", text).lower()
        assert [word for word in (*cinema.SECRETS, *cinema.SECRET_FIGURES, "litigation") if word in shown] == [], name


@given(
    rows=st.integers(1, 40),
    first=st.sampled_from(LEGAL),
    second=st.sampled_from(LEGAL),
    until=st.one_of(st.none(), st.dates(dt.date(2027, 1, 1), dt.date(2029, 1, 1))),
    holds=st.integers(1, 500),
)
def test_a_report_is_the_same_to_the_letter_whichever_of_them_keeps_the_rows(
    cinema_policy: Policy, rows: int, first: str, second: str, until: dt.date | None, holds: int
) -> None:
    """If two reports differ in nothing, no reader can tell a covert inquiry from an ordinary action at law."""
    named = held("bookings-6y", "TAX", 30)
    written = [
        files(
            cinema_policy, registers(cinema_policy, *RULES, held=(named, held("bookings-6y", code, rows, end, number)))
        )
        for code, end, number in ((first, until, holds), (second, None, 1))
    ]
    assert written[0] == written[1]


@pytest.mark.parametrize("status", ["trusted", "stale"])
def test_a_source_that_serves_only_them_is_neither_named_nor_counted(cinema_policy: Policy, status: str) -> None:
    refused = ("whisper",) if status == "stale" else ()
    rules = (rule("reviews-90d", "reviews", refused_rows=9 if refused else 0),)
    given_sources = (source("cashdesk"), source("counsel"), source("whisper", status))
    given_registers = registers(cinema_policy, *rules, sources=given_sources, run={"refused_sources": refused})
    edition = compose(given_registers, cinema_policy, cinema.WRITTEN)
    shown = {one.name: one for one in edition.sources}
    assert list(shown) == ["cashdesk", "counsel", "ledgers", OTHER_OBLIGATIONS]
    assert shown[OTHER_OBLIGATIONS].read_holds is None
    assert shown[OTHER_OBLIGATIONS].loaded_at is None
    assert shown[OTHER_OBLIGATIONS].status == ("trusted" if status == "trusted" else "not trusted")
    assert shown["counsel"].read_holds is None, "its number of holds would tell of one that was added"
    assert shown["cashdesk"].read_holds == 10
    for text in files(cinema_policy, given_registers).values():
        assert "whisper" not in text

"""Whether two rules can meet on one row, by trying every row; and which pairs of rules are refused."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.policy.bad_files import SCHEDULE, second_rule
from tests.holdfast.policy.shop import Edit, edited, policy_of

from holdfast.policy.model import Condition
from holdfast.policy.problems import PolicyRefused
from holdfast.policy.rule_pairs import covers, disjoint

VALUES = (None, "a", "b", "c")
COLUMNS = ("one", "two")
ROWS = [dict(zip(COLUMNS, values, strict=True)) for values in itertools.product(VALUES, repeat=len(COLUMNS))]

_CONDITIONS = st.lists(
    st.sampled_from(COLUMNS).flatmap(
        lambda column: (
            st.builds(Condition, column=st.just(column), is_null=st.booleans())
            | st.builds(Condition, column=st.just(column), is_in=st.sets(st.sampled_from("abc"), min_size=1).map(tuple))
        )
    ),
    max_size=3,
).map(tuple)


def _meets(row: dict[str, str | None], conditions: tuple[Condition, ...]) -> bool:
    return all(row[c.column] in c.is_in if c.is_in else (row[c.column] is None) is c.is_null for c in conditions)


@given(one=_CONDITIONS, two=_CONDITIONS)
def test_rules_said_to_be_disjoint_never_meet(one: tuple[Condition, ...], two: tuple[Condition, ...]) -> None:
    if disjoint(one, two):
        assert not any(_meets(row, one) and _meets(row, two) for row in ROWS)
    assert disjoint(one, two) == disjoint(two, one)


@given(general=_CONDITIONS, special=_CONDITIONS)
def test_a_rule_said_to_cover_another_meets_all_its_rows(
    general: tuple[Condition, ...], special: tuple[Condition, ...]
) -> None:
    if covers(general, special):
        assert all(_meets(row, general) for row in ROWS if _meets(row, special))
    assert covers((), special)
    assert covers(special, special)


_EMPTY_IP = '{do: anonymise, columns: {ip: {to: "null"}}}'
_WEB = "[{column: channel, is_in: [web]}]"
_SHOP = "[{column: channel, is_in: [shop]}]"
_FIRST = "purchases-6y"


def _first(*, strength: str = "statutory", where: str = "[]", action: str = "{do: delete}") -> Edit:
    return Edit(
        SCHEDULE,
        "    action: {do: delete}\n    strength: statutory\n    holds",
        f"    action: {action}\n    where: {where}\n    strength: {strength}\n    holds",
    )


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        pytest.param(
            _first(),
            second_rule(period="brief", where=_WEB, strength="business"),
            {"second": "P213"},
            id="some rows for a shorter time, all for a longer",
        ),
        pytest.param(
            _first(where=_WEB),
            second_rule(period="brief", strength="business"),
            {},
            id="some rows for a longer time, all for a shorter",
        ),
        pytest.param(
            _first(),
            second_rule(period="brief", action=_EMPTY_IP, strength="maximum"),
            {"second": "P212"},
            id="what is kept is kept as it is",
        ),
        pytest.param(
            _first(where=_SHOP),
            second_rule(period="brief", where=_WEB, strength="maximum"),
            {},
            id="no row is of both",
        ),
        pytest.param(
            _first(strength="maximum"),
            second_rule(period="brief", action=_EMPTY_IP, strength="maximum"),
            {},
            id="two steps",
        ),
        pytest.param(
            _first(strength="maximum"),
            second_rule(period="made", action=_EMPTY_IP, strength="maximum"),
            {"second": "P213"},
            id="two steps on one day",
        ),
        pytest.param(
            _first(strength="maximum", action=_EMPTY_IP),
            second_rule(period="brief", action=_EMPTY_IP, strength="maximum"),
            {_FIRST: "P213"},
            id="anonymised before",
        ),
        pytest.param(
            _first(strength="maximum"),
            second_rule(period="brief", where=_WEB, strength="maximum"),
            {},
            id="the explicit rule goes first",
        ),
        pytest.param(
            _first(strength="maximum"),
            second_rule(period="brief", strength="maximum"),
            {_FIRST: "P213"},
            id="deleted before",
        ),
        pytest.param(
            _first(strength="maximum"),
            second_rule(period="brief", strength="business"),
            {_FIRST: "P213"},
            id="deleted before, after it was kept",
        ),
        pytest.param(
            _first(),
            second_rule(period="made", strength="business"),
            {_FIRST: "P213"},
            id="the same twice",
        ),
    ],
)
def test_a_pair_of_which_one_cannot_act_is_refused(first: Edit, second: Edit, refused: dict[str, str]) -> None:
    try:
        policy_of(edited(first, second))
        found = {}
    except PolicyRefused as error:
        found = {p.path.removeprefix("rules."): p.rule.value for p in error.problems}
    assert found == refused

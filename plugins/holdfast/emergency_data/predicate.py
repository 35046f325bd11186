"""A suite as one pass over the records: for each record, the ids of all rules that it breaks.

Each kind of expectation is translated as the library evaluates it: a row that the row condition does not select, or
whose value is NULL, is not looked at. `tests/holdfast/emergency_data/test_equal_to_the_suite.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast.emergency_data import conditions
from holdfast.emergency_data.catalogue import Expectation, Suite
from holdfast.errors import RuleSetError

Condition = sa.ColumnElement[bool]
_Translation = Callable[[sa.FromClause, Mapping[str, Any]], Condition]
SOURCE, STRANGERS, MISFITS = "__source", "__strangers", "__misfits"
"""Where the kinds that count look for the same values, numbers that the inventory does not have, and records of a delta
whose action does not fit the state."""

_NOT_A_PATTERN = "expect_column_values_to_not_match_regex"
_OF_NULLS = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")
_WORTH_A_SCREEN = 3
_OPERATORS: Mapping[str, Callable[[Any, Any], Condition]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "IN": lambda a, b: a.in_(b),
    "NOT_IN": lambda a, b: a.not_in(b),
}


@dataclass(frozen=True)
class Rare:
    """What few records are, sought beforehand, so that nothing large is looked into for each record.

    `repeated` has those that share a number or an address with others, `strangers` the numbers not in the inventory,
    `misfits` the records of a delta whose action does not fit what the authority has.
    """

    repeated: sa.FromClause
    strangers: sa.FromClause
    misfits: sa.FromClause


def failing(suite: Suite, records: sa.FromClause, parameters: Mapping[str, object], rare: Rare) -> dict[str, Condition]:
    """For each rule, when a record breaks it; NULL is no. Raises RuleSetError for an expectation of an unknown kind."""
    broken: dict[str, list[Condition]] = {rule_id: [] for rule_id in suite.rules}
    for alike in _alike(suite.expectations):
        rule_id = alike[0].rule.rule_id
        fails = [_fails(one, records, rare, parameters) for one in alike]
        if len(alike) >= _WORTH_A_SCREEN:
            fails = [sa.and_(_screen(records, alike), sa.or_(*fails))]
        broken[rule_id] += fails
    return {rule_id: sa.or_(*found) for rule_id, found in broken.items()}


def reasons(broken: Mapping[str, Condition]) -> sa.ColumnElement[str]:
    """The ids of the rules that a record breaks, joined by commas; empty where it breaks none."""
    return sa.func.concat_ws(",", *(sa.case((fails, rule_id)) for rule_id, fails in broken.items()), type_=sa.Text)


def _alike(expectations: Sequence[Expectation]) -> list[list[Expectation]]:
    """Neighbours that ask for the same pattern in several columns, together; every other one by itself."""
    groups: list[list[Expectation]] = []
    for one in expectations:
        last = groups[-1][-1] if groups else None
        if last is not None and one.type == _NOT_A_PATTERN and _but_for_the_column(last) == _but_for_the_column(one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _but_for_the_column(one: Expectation) -> tuple[str, str, dict[str, Any]]:
    return one.type, one.rule.rule_id, {name: value for name, value in one.kwargs.items() if name != "column"}


def _screen(records: sa.FromClause, alike: Sequence[Expectation]) -> Condition:
    """Whether any of the columns can have the pattern: all of them in one look, as lines of one text.

    `(?n)` lets ^ and $ stand at the ends of lines, so whatever one value matches, the text matches.
    """
    regex: str = alike[0].kwargs["regex"]
    by_line = f"(?in){regex.removeprefix('(?i)')}" if regex.startswith("(?i)") else f"(?n){regex}"
    text = sa.func.concat_ws("\n", *(records.c[one.kwargs["column"]] for one in alike), type_=sa.Text)
    return text.op("~", is_comparison=True)(by_line)


def _fails(expectation: Expectation, records: sa.FromClause, rare: Rare, parameters: Mapping[str, object]) -> Condition:
    translate = _TRANSLATIONS.get(expectation.type)
    if translate is None:
        raise RuleSetError(
            f"Rule {expectation.rule.rule_id} uses {expectation.type}, which is not known here.",
            fix=f"use one of {', '.join(sorted(_TRANSLATIONS))}.",
        )
    sought = {SOURCE: rare.repeated, STRANGERS: rare.strangers, MISFITS: rare.misfits}
    kwargs = expectation.with_parameters(parameters) | sought
    fails = sa.and_(*_there(records, expectation), sa.not_(translate(records, kwargs)))
    condition = expectation.row_condition
    return fails if condition is None else sa.and_(_selected(records, condition), fails)


def _there(records: sa.FromClause, expectation: Expectation) -> list[Condition]:
    """The values that must not be NULL for the library to look at a row."""
    if expectation.type in _OF_NULLS:
        return []
    names = (expectation.kwargs.get(key) for key in ("column", "column_A", "column_B"))
    return [records.c[name].is_not(None) for name in names if name is not None]


def _selected(records: sa.FromClause, condition: Mapping[str, Any]) -> Condition:
    match condition["type"]:
        case "and":
            return sa.and_(*(_selected(records, one) for one in condition["conditions"]))
        case "comparison" if condition["operator"] in _OPERATORS:
            return _OPERATORS[condition["operator"]](records.c[condition["column"]["name"]], condition["parameter"])
        case "nullity":
            column = records.c[condition["column"]["name"]]
            return sa.and_(column.is_(None) if condition["is_null"] else column.is_not(None))
    raise RuleSetError(
        f"A row condition of the type {condition['type']} is not known here.", fix="use comparisons, joined by and."
    )


def _column(records: sa.FromClause, kwargs: Mapping[str, Any]) -> sa.ColumnElement[str]:
    column: sa.ColumnElement[str] = records.c[kwargs["column"]]
    return column


def _columns(records: sa.FromClause, kwargs: Mapping[str, Any]) -> list[sa.ColumnElement[str]]:
    return [records.c[name] for name in kwargs["column_list"]]


def _pair(records: sa.FromClause, kwargs: Mapping[str, Any]) -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
    return records.c[kwargs["column_A"]], records.c[kwargs["column_B"]]


def _fits_state(records: sa.FromClause, kwargs: Mapping[str, Any]) -> Condition:
    if kwargs["extract_type"] != conditions.FULL:
        return records.c.record_no.not_in(sa.select(kwargs[MISFITS].c.record_no))
    number, action = _columns(records, kwargs)
    return conditions.fits_state(number, action, kwargs["provider"], conditions.FULL, records)


_TRANSLATIONS: Mapping[str, _Translation] = {
    "expect_column_values_to_not_be_null": lambda t, k: _column(t, k).is_not(None),
    "expect_column_values_to_be_null": lambda t, k: _column(t, k).is_(None),
    "expect_column_values_to_match_regex": lambda t, k: _column(t, k).op("~", is_comparison=True)(k["regex"]),
    _NOT_A_PATTERN: lambda t, k: _column(t, k).op("!~", is_comparison=True)(k["regex"]),
    "expect_column_values_to_be_in_set": lambda t, k: _column(t, k).in_(k["value_set"]),
    "expect_column_values_to_not_be_in_set": lambda t, k: _column(t, k).not_in(k["value_set"]),
    "expect_column_value_lengths_to_be_between": lambda t, k: sa.func.length(_column(t, k)) <= k["max_value"],
    "expect_column_days_to_be_between": lambda t, k: conditions.days_between(
        _column(t, k), k.get("earliest"), k.get("latest")
    ),
    "expect_compound_columns_to_be_unique": lambda t, k: conditions.occurs_once(_columns(t, k), k[SOURCE]),
    "expect_column_values_to_be_listed": lambda t, k: conditions.listed(_column(t, k), k["list_name"], k["part"]),
    "expect_column_values_to_not_be_listed": lambda t, k: conditions.not_listed(
        _column(t, k), k["list_name"], k["part"]
    ),
    "expect_column_values_to_start_with_a_listed_block": lambda t, k: conditions.starts_with_listed(
        _column(t, k), k["list_name"]
    ),
    "expect_column_values_to_be_in_inventory": lambda t, k: _column(t, k).not_in(sa.select(k[STRANGERS].c.number_e164)),
    "expect_column_pair_parts_to_be_listed": lambda t, k: conditions.pair_listed(
        *_pair(t, k), k["list_name"], k["part_a"], k["part_b"]
    ),
    "expect_column_pair_to_be_one_number": lambda t, k: conditions.one_number(*_pair(t, k)),
    "expect_column_b_to_not_begin_with_column_a": lambda t, k: conditions.not_beginning_with(*_pair(t, k)),
    "expect_actions_of_a_number_to_be_in_order": lambda t, k: conditions.in_order(_columns(t, k)[0], k[SOURCE]),
    "expect_actions_to_fit_the_state": _fits_state,
    "expect_compound_values_to_occur_at_most": lambda t, k: conditions.at_most(
        _columns(t, k), k["times"], k[SOURCE], k.get("distinct")
    ),
}

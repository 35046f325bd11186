"""What a record must satisfy beyond what the library knows: each condition once, for its suites and for our own pass.

Every function takes columns and says when a value is right, as an expression for PostgreSQL. What it says where a value
is NULL does not count: whether a value may be missing is another rule. The library hands over columns without their
table, so the tables that are looked into have no column of a record's name. Look-ups are IN over a query that stands
by itself: the database makes one hash of it, and may share the records out among processes, which it does not do for
EXISTS. Only what is as large as the provider and asked of few records is looked up by its index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

SCHEMA = "emergency"
FULL = "FULL"
_REFERENCE = sa.table(
    "reference", sa.column("list_name", sa.Text), sa.column("key", sa.Text), sa.column("value", sa.Text), schema=SCHEMA
)
_INVENTORY = sa.table("inventory", sa.column("number", sa.Text), schema=SCHEMA)
_RECORDS = sa.table(
    "number_record",
    sa.column("provider", sa.Text),
    sa.column("number", sa.Text),
    sa.column("state", sa.Text),
    schema=SCHEMA,
)
LIVE_STATES = ("pending", "registered", "failed", "pending_cease")
"""States of a number of which the authority has, or may have, a record."""
_INSERT_REFUSED = ("pending", "registered")

Condition = sa.ColumnElement[bool]
Text = sa.ColumnElement[str]
Source = sa.FromClause


def part_of(value: Text, part: str) -> Text:
    """The part of a value that a list is about. NULL where it has none."""
    match part:
        case "whole":
            return value
        case "upper":
            return sa.func.upper(value, type_=sa.Text)
        case "town":  # however it is punctuated: ST. ALBANS, STOKE-ON-TRENT, KING'S LYNN
            return sa.func.translate(sa.func.upper(value), "-.'", " ", type_=sa.Text)
        case "postcode_area":  # the letters before the first digit
            return sa.func.rtrim(sa.func.left(sa.func.upper(value), 2), "0123456789", type_=sa.Text)
        case "area_code":  # 2x, 11x and 1x1, otherwise four digits; see the national numbering plan
            start = sa.func.substr(value, 4, 4, type_=sa.Text)
            three = sa.or_(start.like("11%"), start.like("1_1%"))
            digits = sa.case((start.like("2%"), 2), (three, 3), else_=4)
            return sa.func.left(start, digits, type_=sa.Text)
    raise ValueError(f"no part of a value is called {part!r}")


def listed(value: Text, list_name: str, part: str) -> Condition:
    """The part stands in the list; a part that is not there stands in none."""
    return _has(list_name, part_of(value, part))


def not_listed(value: Text, list_name: str, part: str) -> Condition:
    """The part does not stand in the list."""
    return sa.not_(_has(list_name, part_of(value, part)))


def pair_listed(a: Text, b: Text, list_name: str, part_a: str, part_b: str) -> Condition:
    """If the list says anything of `a`, it says that `a` goes with `b`. What it does not know it does not judge."""
    key, value = part_of(a, part_a), part_of(b, part_b)
    return sa.or_(sa.not_(_has(list_name, key)), _has(list_name, key, value))


def starts_with_listed(number: Text, list_name: str) -> Condition:
    """Behind +44, the number begins with a block of the list, of 4 to 8 digits."""
    return sa.or_(*(_has(list_name, sa.func.substr(number, 4, digits, type_=sa.Text)) for digits in range(4, 9)))


def days_between(day: Text, earliest: str | None, latest: str | None) -> Condition:
    """Days written as YYYY-MM-DD lie between two others, ends included. They sort as text, byte by byte."""
    bytewise = sa.collate(day, "C")
    bounds = [bytewise >= earliest] if earliest is not None else []
    return sa.and_(*bounds, *([bytewise <= latest] if latest is not None else []))


def one_number(e164: Text, national: Text) -> Condition:
    """The national number is the other one with 0 in place of +44."""
    return national == sa.literal("0").concat(sa.func.substr(e164, 4))


def not_beginning_with(a: Text, b: Text) -> Condition:
    """`b` does not begin with `a` and a space, whatever their case."""
    beginning = sa.func.upper(a).concat(" ")
    return sa.not_(sa.func.starts_with(sa.func.upper(b), beginning))


def in_inventory(number: Text) -> Condition:
    """The provider has the number."""
    return number.in_(sa.select(_INVENTORY.c.number))


def stands_in_inventory(number: Text) -> Condition:
    """The same, for a query that is a join of both."""
    return sa.select(sa.literal(1)).where(_INVENTORY.c.number == number).correlate_except(_INVENTORY).exists()


def occurs_once(columns: Sequence[Text], source: Source) -> Condition:
    """No other row of `source` has the same values, all of them known."""
    rows = source.alias("counted")
    keys = _named_alike(rows, columns)
    often = (
        sa.select(_joined(keys)).where(*(key.is_not(None) for key in keys)).group_by(*keys).having(sa.func.count() > 1)
    )
    return _joined(columns).not_in(often)


def in_order(number: Text, source: Source) -> Condition:
    """The number's actions in the file do not contradict one another: one kind alone, or a cease and then an insert."""
    rows = source.alias("ordered")
    first_of = {code: sa.func.min(rows.c.record_no).filter(rows.c.action == code) for code in ("C", "I")}
    moved = sa.and_(sa.func.count() == 2, sa.func.coalesce(first_of["C"] < first_of["I"], False))
    wrong = (
        sa.select(rows.c.number_e164)
        .where(rows.c.number_e164.is_not(None))
        .group_by(rows.c.number_e164)
        .having(sa.func.count() > 1, sa.func.count(sa.distinct(rows.c.action)) > 1, sa.not_(moved))
    )
    return number.not_in(wrong)


def fits_state(number: Text, action: Text, provider: str, extract_type: str, source: Source) -> Condition:
    """An insert is of a number without live record, an amend or cease of one with it. A full extract inserts anew.

    An insert may follow a cease of its number in the same file; their order is the business of `in_order`. The state is
    looked up number by number in its index: held in memory, that of a large provider would not fit.
    """
    if extract_type == FULL:
        return sa.or_(action == "I", action.is_(None))
    rows = source.alias("ceasing")
    ceasing = sa.select(rows.c.number_e164).where(rows.c.action == "C", rows.c.number_e164.is_not(None))
    return sa.case(
        (action == "I", sa.or_(sa.not_(_has_state(provider, number, _INSERT_REFUSED)), number.in_(ceasing))),
        (sa.and_(action.in_(["A", "C"]), number.is_not(None)), _has_state(provider, number, LIVE_STATES)),
        else_=True,
    )


def misfits(records: Source, provider: str) -> sa.Select[Any]:
    """The records of a delta that `fits_state` does not let pass, sought by joins, which may go to disk."""
    number, action, ceasing = records.c.number_e164, records.c.action, records.alias("ceasing")
    ceases = sa.select(sa.literal(1)).where(ceasing.c.number_e164 == number, ceasing.c.action == "C")
    return (
        sa.union_all(
            sa.select(records.c.record_no)
            .join(_RECORDS, _RECORDS.c.number == number)
            .where(
                action == "I",
                _RECORDS.c.provider == sa.literal(provider),
                _RECORDS.c.state.in_(_INSERT_REFUSED),
                sa.not_(ceases.correlate(records).exists()),
            ),
            sa.select(records.c.record_no).where(
                action.in_(["A", "C"]), number.is_not(None), sa.not_(_has_state(provider, number, LIVE_STATES))
            ),
        )
        .subquery("misfit")
        .select()
    )


def at_most(columns: Sequence[Text], times: int, source: Source, distinct: str | None = None) -> Condition:
    """At most `times` rows (or different values of the column `distinct`) of inserts and amends share the values."""
    rows = source.alias("shared")
    keys = _named_alike(rows, columns)
    number = sa.func.count() if distinct is None else sa.func.count(sa.distinct(rows.c[distinct]))
    often = (
        sa.select(_joined(keys))
        .where(rows.c.action != "C", *(key.is_not(None) for key in keys))
        .group_by(*keys)
        .having(number > times)
    )
    return _joined(columns).not_in(often)


def _named_alike(source: Source, columns: Sequence[Text]) -> list[Text]:
    return [source.c[str(getattr(column, "name", ""))] for column in columns]


def _joined(columns: Sequence[Text]) -> Text:
    """Several values as one, NULL if one is; no value has a tab, which no layout allows."""
    joined = columns[0]
    for column in columns[1:]:
        joined = joined.concat("\t").concat(column)
    return joined


def _has(list_name: str, key: Text, value: Text | None = None) -> Condition:
    rows = sa.select(_REFERENCE.c.key).where(_REFERENCE.c.list_name == sa.literal(list_name))
    if value is None:
        return key.in_(rows)
    return sa.tuple_(key, value).in_(rows.add_columns(_REFERENCE.c.value))


def _has_state(provider: str, number: Text, states: Sequence[str]) -> Condition:
    return (
        sa.select(sa.literal(1))
        .where(_RECORDS.c.provider == sa.literal(provider), _RECORDS.c.number == number, _RECORDS.c.state.in_(states))
        .correlate_except(_RECORDS)
        .exists()
    )

"""What anonymising does to a column, and how to see that it was done. Each strategy changes nothing a second time."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast.enforcement.predicate.rows import Bool, NamedType, Rows
from holdfast.evidence.pseudonyms import pseudonym_in_sql
from holdfast.policy.model import (
    Anonymise,
    GeneraliseDate,
    Strategy,
    ToConstant,
    ToNull,
    ToPseudonym,
    TruncateIp,
    TruncatePostcode,
)

_PSEUDONYM = "^p1:[0-9a-f]{32}$"
_INWARD = "([0-9][A-Za-z]{2})+$"  # more than one only in what is no postcode: none may be left to find a second time


def new_values(rows: Rows, action: Anonymise, key: bytes) -> dict[str, sa.ColumnElement[object]]:
    """The SET clause: column -> its anonymised value. A column that is empty stays empty.

    `key` is the key of all pseudonyms; it is bound as a parameter where a strategy needs it.
    """
    return {name: _new_value(rows, name, strategy, key) for name, strategy in action.columns.items()}


def is_done(rows: Rows, action: Anonymise) -> Bool:
    """True if every column already has the value its strategy would give it."""
    return are_done(rows, action.columns)


def are_done(rows: Rows, columns: Mapping[str, Strategy]) -> Bool:
    """True if each of these columns already has the value its strategy would give it."""
    return sa.and_(sa.true(), *(_is_done(rows, name, strategy) for name, strategy in columns.items()))


def _new_value(rows: Rows, name: str, strategy: Strategy, key: bytes) -> sa.ColumnElement[object]:
    column = rows.column(name)
    match strategy:
        case ToNull():
            return sa.cast(sa.null(), NamedType(rows.type_of(name)))
        case ToConstant(value=value):
            return sa.case((column.is_not(None), sa.cast(value, sa.Text)))
        case ToPseudonym(purpose=purpose):
            replaced = pseudonym_in_sql(key, purpose, sa.cast(column, sa.Text))
            return sa.case((_is_pseudonym(column), column), else_=replaced)
        case TruncateIp():
            return _network(column, strategy)
        case TruncatePostcode():
            return _outward(column)
        case GeneraliseDate():
            return _generalised(rows, name, strategy)


def _is_done(rows: Rows, name: str, strategy: Strategy) -> Bool:
    column = rows.column(name)
    match strategy:
        case ToNull():
            return column.is_(None)
        case ToConstant(value=value):
            return sa.or_(column.is_(None), column == sa.literal(value, sa.Text))
        case ToPseudonym():
            return sa.or_(column.is_(None), _is_pseudonym(column))
        case TruncateIp():
            return sa.or_(column.is_(None), column == _network(column, strategy))
        case TruncatePostcode():
            return sa.or_(column.is_(None), column == _outward(column))
        case GeneraliseDate():
            return sa.or_(column.is_(None), column == _generalised(rows, name, strategy))


def _is_pseudonym(column: sa.ColumnElement[object]) -> Bool:
    return column.op("~")(sa.literal(_PSEUDONYM, sa.Text))


def _outward(column: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
    """What is before the space, or before the digit and two letters that end a postcode written without one."""
    before = sa.func.split_part(sa.func.ltrim(column), " ", 1)
    return sa.func.regexp_replace(before, sa.literal(_INWARD, sa.Text), sa.literal("", sa.Text))


def _network(column: sa.ColumnElement[object], strategy: TruncateIp) -> sa.ColumnElement[object]:
    bits = sa.case((sa.func.family(column) == 4, strategy.ipv4_bits), else_=strategy.ipv6_bits)
    return sa.cast(sa.func.network(sa.func.set_masklen(column, bits)), postgresql.INET)


def _generalised(rows: Rows, name: str, strategy: GeneraliseDate) -> sa.ColumnElement[object]:
    column, kind = rows.column(name), rows.type_of(name)
    precision = sa.literal(strategy.precision, sa.Text)
    if kind == "timestamp with time zone":
        return sa.func.date_trunc(precision, column, rows.policy.schedule.time_zone)
    truncated = sa.func.date_trunc(precision, column)
    return sa.cast(truncated, sa.Date) if kind == "date" else truncated

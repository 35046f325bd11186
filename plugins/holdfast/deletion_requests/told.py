"""What may be told of a decision: counted beside it, as if no hold existed that must not be disclosed.

Leaving the name of such a hold out is not enough: a row that only refers to a held one waits for it, and a row that is
past its own retention period would not be there to be asked for. So the rows are looked at a second time with the holds
that may be disclosed alone (Investigatory Powers Act 2016 s.95(2); docs/decisions/0008-letters.md).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast.enforcement.predicate.erasure import ErasurePredicate
from holdfast.enforcement.predicate.needs import ANYWAY, SECRETLY
from holdfast.enforcement.predicate.rows import Bool

NEEDED, OTHERS, START, SOURCE = "needed", "dataset", "start", "source"
"""Reasons that are no hold and no law: what it is for has not ended; rows that stay refer to it; no day is known that
its law counts from; a source of holds is not believed, so nothing is decided."""
_TEXTS = postgresql.ARRAY(sa.Text)


def of_rows(predicate: ErasurePredicate, what: sa.ColumnElement[str], is_secret: Bool) -> list[sa.ColumnElement[Any]]:
    """Columns of each row: what `key` is made from, whether it is still needed, and for each law the day it starts."""
    is_exempt = what == "exempt"
    touched, over = predicate.outstayed(is_secret)
    return [
        touched.label("touched"),
        over.label("over"),
        sa.case((is_exempt, predicate.kept_by_need()), else_=sa.false()).label("open"),
        *(
            sa.cast(sa.case((is_exempt, law.start_day)), sa.Date).label(f"law_{number}")
            for number, law in enumerate(predicate.laws())
        ),
    ]


def key(each: sa.FromClause) -> sa.ColumnElement[bool]:
    """What a group of rows has in common, beside what a hold can tell apart and what needs them.

    Made from columns, because PostgreSQL asks a question anew wherever it stands.
    """
    waits_secretly = sa.func.coalesce(each.c.needs == SECRETLY, sa.false())
    return sa.and_(each.c.over, sa.or_(each.c.touched, waits_secretly)).label("outstayed")


def of_groups(predicate: ErasurePredicate, each: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """The same of a group of rows, without the key; and of groups taken together."""
    latest = (sa.func.max(each.c[name]).label(name) for name in _law_columns(predicate))
    return [sa.func.bool_or(each.c.open).label("open"), *latest]


def counts(groups: sa.FromClause, is_past: Bool, is_named: Bool) -> list[sa.ColumnElement[Any]]:
    """Numbers of rows of a request. `is_named`: a hold that may be told keeps the group."""
    free = sa.and_(is_past, ~sa.func.coalesce(is_named, sa.false()))
    is_needed = sa.func.coalesce(groups.c.needs == ANYWAY, sa.false())
    return [
        sa.func.sum(groups.c.rows).filter(free, ~is_needed, ~groups.c.outstayed).label("told_due"),
        sa.func.sum(groups.c.rows).filter(free, is_needed).label("told_waiting"),
    ]


def of_holds(pairs: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """Of the holds that may be told and keep rows of a request: types, latest end, is one endless, next review."""
    named: Bool = pairs.c.disclosable
    endless = sa.and_(named, pairs.c.ends_on.is_(None))
    types = sa.func.array_agg(sa.distinct(sa.case((named, pairs.c.hold_type)))).filter(named)
    return [
        types.label("named_types"),
        sa.func.max(pairs.c.ends_on).filter(named).label("named_until"),
        sa.func.bool_or(endless).label("named_endless"),
        sa.func.min(pairs.c.review_on).filter(endless).label("named_review"),
    ]


def values(
    predicate: ErasurePredicate, counted: sa.FromClause, waits: Bool, acts: sa.ColumnElement[str]
) -> dict[str, sa.ColumnElement[Any]]:
    """The columns of the matrix that letters and notices are made from. `waits`: the request may not be carried out."""
    c = counted.c
    laws = [(law, c[name]) for law, name in zip(predicate.laws(), _law_columns(predicate), strict=True)]
    is_due, is_waiting, is_unknown = (_rows(one) > 0 for one in (c.told_due, c.told_waiting, c.unknown))
    distrusted = sa.and_(sa.literal(predicate.is_refused), ~waits)
    codes: list[sa.ColumnElement[Any]] = [
        *(sa.case((first.is_not(None), sa.literal(law.rule_id))) for law, first in laws),
        sa.case((c.open, sa.literal(NEEDED))),
        sa.case((is_waiting, sa.literal(OTHERS))),
        sa.case((is_unknown, sa.literal(START))),
        sa.case((sa.and_(distrusted, sa.or_(is_due, is_waiting)), sa.literal(SOURCE))),
    ]
    reasons = sa.func.array_cat(sa.func.coalesce(c.named_types, _none()), sa.cast(postgresql.array(codes), _TEXTS))
    is_open = sa.or_(sa.func.coalesce(c.open, sa.false()), sa.func.coalesce(c.named_endless, sa.false()), is_unknown)
    ends = (law.end(first) for law, first in laws)
    return {
        "told_action": sa.case((sa.and_(~waits, ~distrusted, is_due), acts)),
        "told_reasons": sa.func.array_remove(reasons, sa.null()),
        "told_until": sa.case((~is_open, sa.func.greatest(c.named_until, *ends))),
        "told_review_on": c.named_review,
        "told_rows": sa.case((distrusted, 0), else_=_rows(c.told_due)),
    }


def _law_columns(predicate: ErasurePredicate) -> list[str]:
    return [f"law_{number}" for number, _ in enumerate(predicate.laws())]


def _rows(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(column, 0)


def _none() -> sa.ColumnElement[Any]:
    return sa.cast(sa.literal("{}"), _TEXTS)

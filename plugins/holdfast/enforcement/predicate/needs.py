"""Which asked-for rows are needed by rows that stay, and which would be as far as people may be told: in one pass.

`Predicate.needed` asks about each row by itself. Asked twice, with all holds and with those alone that may be told, it
took longer than all the rest of the matrix. Here each row that refers to another is looked at once, and what nothing
keeps is not looked at again: what goes in spite of all holds goes without some of them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast.enforcement.predicate.base import Predicate, no
from holdfast.enforcement.predicate.erasure import ErasurePredicate
from holdfast.enforcement.predicate.rows import Bool, Rows
from holdfast.enforcement.references import Reference

ANYWAY, SECRETLY = "anyway", "secretly"
"""Needed, whatever hold is left out; needed by nothing but what a hold keeps that must not be disclosed."""
_GOES = "goes"


@dataclass(frozen=True)
class Needs:
    """`state` of each row is one of the words above, or NULL: nothing that stays refers to it. Selected from `join`."""

    state: sa.ColumnElement[str]
    _joins: tuple[tuple[sa.CTE, Bool], ...]

    def join(self, source: sa.FromClause) -> sa.FromClause:
        for blocked, link in self._joins:
            source = source.outerjoin(blocked, link)
        return source


def needs_of(predicate: ErasurePredicate) -> Needs:
    """What is needed among the rows of this work."""
    anyway: list[Bool] = []
    at_all: list[Bool] = []
    joins: list[tuple[sa.CTE, Bool]] = []
    for reference in predicate.references():
        child = _erased(predicate, reference)
        if reference.event is not None:
            stays, told = predicate.stays(reference), predicate.as_told().stays(reference)
            anyway.append(sa.case((predicate.holding.any_secret(), told), else_=stays))
            at_all.append(stays)
        elif child is None:
            anyway.append(predicate.stays(reference))
        else:
            blocked = _blocked(predicate, reference, child).cte(f"needed_by_{len(joins) + 1}")
            parents = [predicate.rows.column(name) for name in reference.parent_columns]
            link = sa.and_(*(one == parent for one, parent in zip(blocked.c, parents, strict=False)))
            joins.append((blocked, link))
            anyway.append(blocked.c.is_anyway)
            at_all.append(blocked.c.is_anyway.is_not(None))
    states = [(sa.or_(sa.false(), *any_of), word) for any_of, word in ((anyway, ANYWAY), (at_all, SECRETLY))]
    return Needs(sa.case(*states, else_=sa.cast(sa.null(), sa.Text)), tuple(joins))


def _erased(predicate: ErasurePredicate, reference: Reference) -> ErasurePredicate | None:
    """The erasure of the rows that refer; None where nothing of them goes, whatever the holds."""
    setting, name = predicate.setting, reference.child_dataset
    if name is None or name == predicate.dataset or setting.is_worked_off:
        return None
    rows = Rows(setting.policy, setting.catalogue, name, alias=True)
    work: list[Predicate] = [setting.predicate(one, rows) for one in setting.work(name)]
    return next((one for one in work if isinstance(one, ErasurePredicate) and one.deletes), None)


def _blocked(predicate: ErasurePredicate, reference: Reference, child: ErasurePredicate) -> sa.Select[Any]:
    """What rows that stay refer to, each once: the columns they refer by, and whether one stays anyway."""
    links = [child.rows.column(name) for name in reference.child_columns]
    seen = frozenset({predicate.dataset})
    is_requested, among = child.narrowed()
    free, free_as_told = child.goes(seen), child.as_told().goes(seen)
    asked = sa.case((no(among.left_to_do()), ANYWAY), (free, _GOES), (free_as_told, SECRETLY), else_=ANYWAY)
    each = sa.select(*links, sa.case((is_requested, asked), else_=ANYWAY).label("state"))
    # OFFSET 0 keeps the question in one place; merged into what is around it, it would be asked twice.
    rows = each.offset(0).subquery()
    keys = [rows.c[name] for name in reference.child_columns]
    is_anyway = sa.func.bool_or(rows.c.state == ANYWAY).label("is_anyway")
    return sa.select(*keys, is_anyway).where(rows.c.state != _GOES).group_by(*keys)

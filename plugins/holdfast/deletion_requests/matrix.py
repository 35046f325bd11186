"""The matrix: for each open request and each dataset in its scope exactly one decision, made by the database.

A request is joined to its rows by subject or by record. Rows are grouped by what a hold looks at, as the retention plan
does, and the register is asked once for each group; the counts of a request and dataset then make its decision.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import queries
from holdfast.deletion_requests import told
from holdfast.deletion_requests.register import State
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.erasure import Asked, ErasurePredicate, scope_table
from holdfast.enforcement.predicate.needs import SECRETLY, needs_of
from holdfast.enforcement.predicate.requests import PartPredicate
from holdfast.enforcement.predicate.rows import Bool
from holdfast.errors import MatrixIncomplete
from holdfast.policy import parts
from holdfast.policy.model import Missing, Policy, Strength

PLANNED, AFTER = "request_decision", "request_after"
"""The matrix before the work, and the same counted once more after it."""

_KEY = ("run_id", "request_id", "dataset")
_ORDER = ("erase", "anonymise", "unknown", "held", "waiting", "exempt", "not_held")
_RANK = {"legal": 1, "audit": 2, "tax": 3, "billing": 4, "service": 5}


def fill_scope(
    connection: sa.Connection, policy: Policy, as_of: dt.date, states: Collection[State] | None = None
) -> None:
    """Write down what every open request asks for, from its parts or for the whole account; or those in some states."""
    reached = parts.with_subject(policy)
    pairs = [(name, one) for name, dataset in reached.items() for one in parts.categories(dataset)]
    whole = [(name, one) for name, one in pairs if parts.goes_whole(reached[name], one)]
    cut = [(name, one) for name, one in pairs if parts.cut_out(reached[name], one)]
    queries.run(connection, "deletion_requests/clear_scope")
    values = {
        "as_of": as_of,
        "states": None if states is None else [state.value for state in states],
        "datasets": len(reached),
        "whole_of": [name for name, _ in whole],
        "wholes": [category for _, category in whole],
        "cut_of": [name for name, _ in cut],
        "cuts": [category for _, category in cut],
        "elsewhere": list(policy.elsewhere),
    }
    queries.run(connection, "deletion_requests/fill_scope", values)
    queries.run(connection, "deletion_requests/analyze_requests")


def assess(connection: sa.Connection, setting: Setting, run_id: int) -> None:
    """Fill the matrix of a run. Raises MatrixIncomplete if it does not add up to the requests times their datasets."""
    queries.run(connection, "deletion_requests/forget_decisions", {"run_id": run_id})
    _decide_all(connection, setting, run_id, PLANNED)
    values = {"run_id": run_id, "datasets": list(parts.with_subject(setting.policy))}
    sums = queries.run(connection, "deletion_requests/matrix_adds_up", values).one()
    if not sums.asked == sums.decided == sums.matched:
        raise MatrixIncomplete(
            f"{sums.asked} decisions are asked for, {sums.decided} were made, {sums.matched} of them fit.",
            fix="nothing is erased; report it with the run's number.",
            asked=sums.asked,
            decided=sums.decided,
        )


def count_after(connection: sa.Connection, setting: Setting, run_id: int) -> None:
    """Count the matrix once more, after the work, beside the planned one."""
    queries.run(connection, "deletion_requests/forget_after", {"run_id": run_id})
    _decide_all(connection, setting, run_id, AFTER)


def _decide_all(connection: sa.Connection, setting: Setting, run_id: int, table: str) -> None:
    for work_id in setting.work():
        predicate = setting.predicate(work_id)
        if not isinstance(predicate, ErasurePredicate):
            raise TypeError(f"{work_id} is no erasure")
        connection.execute(decide_statement(predicate, run_id, table))
    queries.run(connection, "deletion_requests/analyze_requests")


def decide_statement(predicate: ErasurePredicate, run_id: int, table: str) -> sa.Insert:
    """INSERT the decisions of one dataset: counts of a request's rows, and the one decision they make.

    A request may name records of a dataset and a category of it: then there is a decision already, and both make one.
    What may be told is counted beside it, by `told`.
    """
    counted = _by_request(predicate)
    asked = _asked(predicate)
    c = counted.c
    waits = sa.not_(asked.c.is_ready)
    refused = sa.and_(sa.literal(predicate.is_refused), _rows(c.due) > 0)
    acts = sa.literal("erase" if predicate.deletes else "anonymise")
    rule = sa.literal(_keeping_rule(predicate))
    cases: list[tuple[Bool, sa.ColumnElement[str], sa.ColumnElement[Any]]] = [
        (waits, sa.literal("waiting"), asked.c.waits_for),
        (refused, sa.literal("unknown"), sa.literal("source")),
        (_rows(c.due) > 0, acts, sa.literal("requested")),
        (_rows(c.unknown) > 0, sa.literal("unknown"), sa.literal("start")),
        (_rows(c.held) > 0, sa.literal("held"), c.hold_type),
        (_rows(c.waiting) > 0, sa.literal("waiting"), sa.literal("dataset")),
        (_rows(c.exempt) > 0, sa.literal("exempt"), rule),
    ]
    values: dict[str, sa.ColumnElement[Any]] = {
        "run_id": sa.literal(run_id, sa.BigInteger),
        "request_id": asked.c.request_id,
        "dataset": sa.literal(predicate.dataset),
        "decision": sa.case(*((when, what) for when, what, _ in cases), else_=sa.literal("not_held")),
        "reason": sa.case(*((when, why) for when, _, why in cases), else_=sa.literal("none")),
        "rows_found": _rows(c.found),
        "rows_acted": sa.case((refused, 0), else_=_rows(c.due)),
        "rows_held": _rows(c.held),
        "rows_exempt": _rows(c.exempt),
        "held_until": c.held_until,
        "review_on": c.review_on,
        "disclosable": _rows(c.unnamed) == 0,
        **told.values(predicate, counted, waits, acts),
    }
    chosen = sa.select(*values.values()).select_from(asked.outerjoin(counted, asked.c.request_id == c.request_id))
    target = sa.table(table, *map(sa.column, values), schema="holdfast")
    statement = postgresql.insert(target).from_select(list(values), chosen)
    if not isinstance(predicate, PartPredicate):
        return statement
    return statement.on_conflict_do_update(index_elements=_KEY, set_=_both(target, statement.excluded))


def _both(one: sa.TableClause, other: Any) -> dict[str, sa.ColumnElement[Any]]:
    """One decision of two on the same request and dataset: what is done goes before what is not, as in `cases`."""
    rank = {name: place for place, name in enumerate(_ORDER)}
    first = sa.case(rank, value=one.c.decision) <= sa.case(rank, value=other.decision)
    chosen = {name: sa.case((first, one.c[name]), else_=other[name]) for name in ("decision", "reason")}
    sums = ("rows_found", "rows_acted", "rows_held", "rows_exempt", "told_rows")
    reasons = (
        sa.func.unnest(sa.func.array_cat(one.c.told_reasons, other.told_reasons))
        .table_valued("reason")
        .render_derived()
    )
    all_reasons = sa.select(sa.func.array_agg(sa.distinct(reasons.c.reason))).select_from(reasons).scalar_subquery()

    def latest(name: str, is_kept: sa.ColumnElement[Any], is_kept_too: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The later end; none if one of them has none."""
        both = sa.and_(one.c[name].is_not(None), other[name].is_not(None))
        later = sa.func.greatest(one.c[name], other[name])
        return sa.case((~is_kept, other[name]), (~is_kept_too, one.c[name]), (both, later))

    keeps, keeps_too = (sa.func.cardinality(reasons) > 0 for reasons in (one.c.told_reasons, other.told_reasons))
    return {
        **chosen,
        **{name: one.c[name] + other[name] for name in sums},
        "held_until": latest("held_until", one.c.rows_held > 0, other.rows_held > 0),
        "review_on": sa.func.least(one.c.review_on, other.review_on),
        "disclosable": sa.and_(one.c.disclosable, other.disclosable),
        "told_action": sa.func.coalesce(one.c.told_action, other.told_action),
        "told_reasons": sa.func.coalesce(all_reasons, one.c.told_reasons),
        "told_until": latest("told_until", keeps, keeps_too),
        "told_review_on": sa.func.least(one.c.told_review_on, other.told_review_on),
    }


def _rows(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(column, 0)


def _asked(predicate: ErasurePredicate) -> sa.Subquery:
    """The open requests that ask for something in the dataset, and whether they may be carried out."""
    scope = scope_table()
    columns: list[sa.ColumnElement[Any]] = [
        scope.c.request_id,
        sa.func.bool_and(scope.c.is_ready).label("is_ready"),
        sa.func.max(scope.c.waits_for).label("waits_for"),
    ]
    return sa.select(*columns).where(predicate.asked_in(scope)).group_by(scope.c.request_id).subquery()


def _by_request(predicate: ErasurePredicate) -> sa.Subquery:
    """One row for each request that asks for rows of the dataset which exist."""
    groups = _groups(predicate)
    pairs = _pairs(predicate, groups)
    p = pairs.c
    by_group = (
        sa.select(
            p.number,
            sa.func.bool_or(p.disclosable).label("named"),
            sa.func.bool_or(~p.disclosable).label("unnamed"),
        )
        .group_by(p.number)
        .subquery()
    )
    g, h = groups.c, by_group.c
    is_past, is_held, is_needed = g.what == "past", h.number.is_not(None), g.needs.is_not(None)

    def total(condition: Bool) -> sa.ColumnElement[int]:
        return sa.func.sum(g.rows).filter(condition)

    counts = (
        sa.select(
            g.request_id,
            sa.func.sum(g.rows).label("found"),
            total(g.what == "unknown").label("unknown"),
            total(g.what == "exempt").label("exempt"),
            total(sa.and_(is_past, is_held)).label("held"),
            total(sa.and_(is_past, sa.or_(h.unnamed, g.needs == SECRETLY))).label("unnamed"),
            total(sa.and_(is_past, ~is_held, is_needed)).label("waiting"),
            total(sa.and_(is_past, ~is_held, ~is_needed)).label("due"),
            *told.counts(groups, is_past, h.named),
            *told.of_groups(predicate, groups),
        )
        .select_from(groups.outerjoin(by_group, g.number == h.number))
        .group_by(g.request_id)
        .subquery()
    )
    rank = sa.func.min(sa.func.concat(sa.cast(sa.case(_RANK, value=p.authority), sa.Text), p.hold_type))
    holds = (
        sa.select(
            p.request_id,
            _common_end(p.ends_on).label("held_until"),
            sa.func.min(p.review_on).label("review_on"),
            sa.func.substr(rank, 2).label("hold_type"),
            *told.of_holds(pairs),
        )
        .group_by(p.request_id)
        .subquery()
    )
    joined = counts.outerjoin(holds, counts.c.request_id == holds.c.request_id)
    extra = [column for column in holds.c if column.name != "request_id"]
    return sa.select(*counts.c, *extra).select_from(joined).subquery()


def _common_end(ends_on: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The latest end of the holds; NULL if one of them has no end."""
    return sa.case((sa.func.count() == sa.func.count(ends_on), sa.func.max(ends_on)))


def _pairs(predicate: ErasurePredicate, groups: sa.CTE) -> sa.CTE:
    """Each group of rows past its periods, with each hold that reaches it: one hashed join for each kind of scope."""
    hold, holding = predicate.holding.register(), predicate.holding
    subject = groups.c.subject if predicate.rows.needs_subject else None
    event = groups.c.event if predicate.rows.dataset.event else None
    columns: list[sa.ColumnElement[Any]] = [
        groups.c.number,
        groups.c.request_id,
        hold.c.hold_type,
        hold.c.authority,
        hold.c.disclosable,
        hold.c.ends_on,
        hold.c.review_on,
    ]
    past = sa.and_(groups.c.what == "past", holding.active(hold))
    ways = holding.ways(hold, subject, groups.c.record, event)
    joins = (groups.join(hold, sa.and_(past, way)) for way in ways)
    return sa.union_all(*(sa.select(*columns).select_from(join) for join in joins)).cte("pairs")


def _groups(predicate: ErasurePredicate) -> sa.CTE:
    """The asked-for rows by request, and by all that time, a reference or a hold can tell apart."""
    rows, holding = predicate.rows, predicate.holding
    by_record, event = holding.record_touched(), rows.event_day()
    needs = needs_of(predicate)

    def of(asked: Asked) -> sa.Select[Any]:
        what = sa.case(
            (asked.undecidable, "unknown"),
            (predicate.kept_by_rule(), "exempt"),
            (asked.done, "done"),
            else_="past",
        )
        named = asked.named.c if asked.named is not None else None
        by_period = sa.or_(holding.any_class_period(), named.has_period if named is not None else sa.false())
        row: list[sa.ColumnElement[Any]] = [
            asked.request_id,
            what.label("what"),
            needs.state.label("needs"),
            (named.subject if named is not None else sa.null()).label("subject"),
            sa.case((by_record, holding.record_value())).label("record"),
            (sa.case((by_period, event)) if event is not None else sa.cast(sa.null(), sa.Date)).label("event"),
            *told.of_rows(predicate, what, named.is_secret if named is not None else sa.false()),
        ]
        return sa.select(*row).select_from(needs.join(asked.source))

    # OFFSET 0 keeps each question to a row in one place; merged into what is around it, it would be asked many times.
    each = sa.union_all(*map(of, predicate.asked())).offset(0).subquery()
    names = ("request_id", "what", "needs", "subject", "record", "event")
    keys = [*(each.c[name] for name in names), told.key(each)]
    extra = (sa.func.count().label("rows"), *told.of_groups(predicate, each))
    numbered = sa.select(sa.func.row_number().over().label("number"), *keys, *extra)
    return numbered.group_by(*keys).cte("groups")


def _keeping_rule(predicate: ErasurePredicate) -> str:
    """The rule that exempts rows of this dataset: a statutory one, or else the one whose event has not happened."""
    rules = predicate.setting.policy.rules_for(predicate.dataset)
    statutory = [name for name, rule in rules.items() if rule.strength is Strength.STATUTORY]
    needed = [name for name, rule in rules.items() if rule.start.missing is Missing.NOT_STARTED]
    needed.sort(key=lambda name: rules[name].action.do != "delete")
    return next(iter([*statutory, *needed]), "none")

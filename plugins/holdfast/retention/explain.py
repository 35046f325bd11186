"""Why is this record still here, and until when? The facts of one row, and `holds.decide` over them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import clock, queries
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.rows import Rows
from holdfast.enforcement.predicate.rules import RetentionSetting, RulePredicate
from holdfast.errors import CoverageError
from holdfast.holds.decide import Decision, Outcome, Record, RecordHold, RecordRule, decide
from holdfast.policy.model import Delete, Policy


@dataclass(frozen=True)
class HoldFound:
    """A hold that reaches the record. `authority` and `hold_type` are for restricted eyes where not `disclosable`."""

    hold_type: str
    authority: str
    reference: str
    disclosable: bool
    ends_on: dt.date | None
    review_on: dt.date | None


@dataclass(frozen=True)
class RuleFound:
    """A rule as it meets the record; `last_day` is the last day of the period, None while the start is not known."""

    rule: RecordRule
    law: str
    last_day: dt.date | None


@dataclass(frozen=True)
class Explanation:
    """What is known of one record. `next_look` is the first day on which the outcome may change by itself."""

    dataset: str
    rules: tuple[RuleFound, ...]
    holds: tuple[HoldFound, ...]
    decision: Decision
    next_look: dt.date | None


def explain(
    connection: sa.Connection, policy: Policy, dataset: str, key: str, *, as_of: dt.date, untrusted: frozenset[str]
) -> Explanation | None:
    """Explain the record of `dataset` with this key (columns joined by `|`), or None if there is none.

    `untrusted` are the hold types whose source is not believed. Raises CoverageError for an unknown dataset or a key
    that does not fit the table's.
    """
    if dataset not in policy.data_map.datasets:
        known = ", ".join(policy.data_map.datasets)
        raise CoverageError(f"There is no dataset {dataset!r}.", fix=f"name one of: {known}.")
    now = queries.run(connection, "enforcement/begin_plan").one().holds_as_of
    tables = catalogue.read(connection, policy.data_map.schemas)
    setting = RetentionSetting(policy, tables, as_of, now, untrusted_types=untrusted)
    rows = Rows(policy, setting.catalogue, dataset, alias=True)
    predicates = [RulePredicate(setting, rule_id, rows) for rule_id in policy.rules_for(dataset)]
    found = _facts(connection, rows, predicates, key)
    if found is None:
        return None
    record = Record(
        dataset=dataset,
        key=key,
        subject=found.subject,
        event=found.event,
        needs_subject=rows.needs_subject,
        needed_by_others=any(found._mapping[f"needed_{n}"] for n in range(len(predicates))),
    )
    rules = [_rule(policy, one, found, n) for n, one in enumerate(predicates)]
    holds = _holds(connection, predicates[0], key) if predicates else ()
    reaching = [RecordHold(one.hold_type, ends_on=one.ends_on) for one in holds]
    decision = decide(record, [one.rule for one in rules], reaching, as_of, untrusted_types=untrusted)
    return Explanation(dataset, tuple(rules), holds, decision, _next_look(rules, holds, decision, as_of))


def keys_of(connection: sa.Connection, policy: Policy, dataset: str, subject_key: str, *, limit: int) -> list[str]:
    """The keys of at most so many records of an account, of a dataset whose rows name their account.

    Raises CoverageError for any other: each row of it would have to be followed to its account.
    """
    if dataset not in policy.data_map.datasets:
        raise CoverageError("There is no such dataset.", fix=f"name one of: {', '.join(policy.data_map.datasets)}.")
    rows = Rows(policy, catalogue.read(connection, policy.data_map.schemas), dataset, alias=True)
    if rows.subject_column is None:
        raise CoverageError(f"The rows of {dataset} name no account.", fix="name a record by its key.")
    is_about = rows.subject_value() == sa.cast(subject_key, rows.subject_type)
    chosen = sa.select(rows.key_text).select_from(rows.table).where(is_about).order_by(*rows.key).limit(limit)
    return list(connection.execute(chosen).scalars())


def _facts(connection: sa.Connection, rows: Rows, predicates: list[RulePredicate], key: str) -> sa.Row[Any] | None:
    columns: list[sa.ColumnElement[Any]] = []
    for n, one in enumerate(predicates):
        columns += [
            one.applies().label(f"applies_{n}"),
            _readable(one.start.day_of(one.start.value())).label(f"start_{n}"),
            one.done().label(f"done_{n}"),
            one.needed().label(f"needed_{n}"),
        ]
    subject = sa.cast(rows.subject_value(), sa.Text) if rows.needs_subject else sa.cast(sa.null(), sa.Text)
    event = rows.event_day()
    day = sa.cast(sa.null(), sa.Date) if event is None else _readable(event)
    chosen = sa.select(subject.label("subject"), day.label("event"), *columns).where(rows.has_key(key))
    try:
        return connection.execute(chosen).one_or_none()
    except sa.exc.DataError:
        refusal = CoverageError(
            f"This is no key of {rows.name}: a part of it does not have its column's type.",
            fix=f"give {' | '.join(f'{name} ({rows.type_of(name)})' for name in rows.dataset.key)}.",
        )
    raise refusal  # outside the handler: the driver's error quotes the key


def _readable(day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """PostgreSQL has days before and after Python's calendar, infinity among them: its first or last day instead."""
    first, last = sa.literal(dt.date.min, sa.Date), sa.literal(dt.date.max, sa.Date)
    return sa.case((day > last, last), (day < first, first), else_=day)


def _rule(policy: Policy, predicate: RulePredicate, found: sa.Row[Any], n: int) -> RuleFound:
    rule = predicate.rule
    start: dt.date | None = found._mapping[f"start_{n}"]
    counted = start
    if start is not None and rule.start.counts_from == "end_of_accounting_period":
        counted = clock.accounting_period_end(start, policy.schedule.year_end)
    described = RecordRule(
        rule_id=predicate.work_id,
        period=predicate.period,
        strength=rule.strength,
        start=start,
        applies=bool(found._mapping[f"applies_{n}"]),
        explicit=bool(rule.where),
        missing_is_normal=predicate.start.missing_is_normal,
        hold_types=frozenset(policy.holds_of(predicate.work_id)),
        deletes=isinstance(rule.action, Delete),
        already_done=bool(found._mapping[f"done_{n}"]),
        counted_from=counted,
        undo_days=policy.undo_days_of(predicate.work_id),
    )
    return RuleFound(described, rule.law, predicate.period.after(counted) if counted else None)


def _holds(connection: sa.Connection, predicate: RulePredicate, key: str) -> tuple[HoldFound, ...]:
    rows, holding = predicate.rows, predicate.holding
    hold = holding.register()
    subject = rows.subject_value() if rows.needs_subject else None
    reaches = holding.covers(hold, subject, holding.record_value(), rows.event_day())
    c = hold.c
    chosen = (
        sa.select(c.hold_type, c.authority, c.reference, c.disclosable, c.ends_on, c.review_on)
        .select_from(rows.table.join(hold, sa.and_(holding.active(hold), reaches)))
        .where(rows.has_key(key))
        .order_by(c.authority, c.hold_type, c.reference)
    )
    return tuple(HoldFound(*row) for row in connection.execute(chosen))


def _next_look(
    rules: list[RuleFound], holds: tuple[HoldFound, ...], decision: Decision, as_of: dt.date
) -> dt.date | None:
    """The day after the last day that keeps the record, where every such day is known."""
    day = dt.timedelta(days=1)
    if decision.outcome is Outcome.NOT_DUE:
        keeping = next((one for one in rules if one.rule.rule_id == decision.rule_id), None)
        if keeping is None or keeping.last_day is None:
            return None
        return keeping.last_day + day - keeping.rule.undo_days * day
    if decision.outcome is Outcome.HELD:
        ends = [one.ends_on for one in holds if one.hold_type in decision.hold_types]
        return max(end for end in ends if end) + day if ends and all(ends) else None
    return as_of if decision.acts else None

"""Each record of an extract against every rule, in one pass, and what people have accepted taken out again.

The pass leaves a table `verdict_<n>` with a row for each record that breaks a rule: its number and the ids of all the
rules that it breaks. It lives as long as the extract's own table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import queries
from holdfast.emergency_data import conditions, predicate, staging, statements
from holdfast.emergency_data.catalogue import Suite
from holdfast.emergency_data.conditions import SCHEMA

_EXCEPTION = sa.table(
    "exception",
    *map(sa.column, ("rule_id", "provider", "number", "accepted_on", "last_day", "ended_on")),
    schema=SCHEMA,
)
_ADDRESS = ("premises", "thoroughfare", "postcode")
_FEWEST_AT_AN_ADDRESS = 2
"""No rule minds two records at an address; those with more are looked at more closely."""


@dataclass(frozen=True)
class Verdict:
    """How the records of an extract fared. `broken` and `excepted` count records by rule id."""

    records: int
    stopped: int
    warned: int
    broken: Mapping[str, int]
    excepted: Mapping[str, int]


def verdicts_of(extract_id: int) -> sa.Table:
    """The records that break a rule, of one extract."""
    return sa.Table(
        f"verdict_{extract_id}",
        sa.MetaData(),
        sa.Column("record_no", sa.BigInteger),
        sa.Column("rule_ids", postgresql.ARRAY(sa.Text)),
        schema=SCHEMA,
    )


def stopped(verdicts: sa.Table, suite: Suite) -> sa.ColumnElement[bool]:
    """Whether a verdict has a critical rule in it."""
    return verdicts.c.rule_ids.op("&&", is_comparison=True)(_texts(suite.critical))


def judge(
    connection: sa.Connection,
    extract_id: int,
    suite: Suite,
    parameters: Mapping[str, object],
    *,
    provider: str,
    as_of: dt.date,
) -> Verdict:
    """Check every record, in the caller's transaction. Judging again forgets what was found before."""
    records, verdicts = staging.table_of(extract_id), verdicts_of(extract_id)
    queries.run(connection, "emergency/work_in_memory")
    repeated, strangers = _repeated(connection, records, extract_id), _strangers(connection, records, extract_id)
    is_full = parameters["extract_type"] == conditions.FULL
    misfits = _misfits(connection, records, extract_id, provider, is_full=is_full)
    broken = predicate.failing(suite, records, parameters, predicate.Rare(repeated, strangers, misfits))
    found = predicate.reasons(broken)
    verdicts.drop(connection, checkfirst=True)
    rows = sa.select(
        records.c.record_no, sa.func.string_to_array(found, ",", type_=postgresql.ARRAY(sa.Text)).label("rule_ids")
    ).where(found != "")
    statements.make_table(connection, SCHEMA, verdicts.name, rows)
    statements.make_key(connection, verdicts, "record_no")
    excepted = _take_out_exceptions(connection, records, verdicts, provider, as_of)
    for rare in (repeated, strangers, misfits):
        rare.drop(connection)
    return _counted(connection, records, verdicts, suite, excepted)


def forget(connection: sa.Connection, extract_id: int) -> None:
    """Remove the verdicts of an extract, if there are any."""
    verdicts_of(extract_id).drop(connection, checkfirst=True)


def _repeated(connection: sa.Connection, records: sa.Table, extract_id: int) -> sa.Table:
    """The records that share their number, or their address with two others, sought by hash."""
    repeated = sa.Table(
        f"repeated_{extract_id}",
        sa.MetaData(),
        *(sa.Column(column.name, column.type) for column in records.c),
        schema=SCHEMA,
    )
    number = sa.func.hashtextextended(records.c.number_e164, 0, type_=sa.BigInteger)
    joined: sa.ColumnElement[str] = records.c[_ADDRESS[0]]
    for name in _ADDRESS[1:]:
        joined = joined.concat("\t").concat(records.c[name])
    address = sa.func.hashtextextended(joined, 0, type_=sa.BigInteger)

    def often(value: sa.ColumnElement[int], times: int) -> sa.Select[Any]:
        return sa.select(value).where(value.is_not(None)).group_by(value).having(sa.func.count() > times)

    rows = sa.select(*records.c).where(
        sa.or_(number.in_(often(number, 1)), address.in_(often(address, _FEWEST_AT_AN_ADDRESS)))
    )
    repeated.drop(connection, checkfirst=True)
    statements.make_table(connection, SCHEMA, repeated.name, rows)
    statements.analyze(connection, repeated)
    return repeated


def _strangers(connection: sa.Connection, records: sa.Table, extract_id: int) -> sa.Table:
    """The numbers that the inventory does not have. A join may go to disk; a look-up for each record is in memory."""
    strangers = sa.Table(f"strangers_{extract_id}", sa.MetaData(), sa.Column("number_e164", sa.Text), schema=SCHEMA)
    number = records.c.number_e164
    rows = sa.select(number).where(number.is_not(None), sa.not_(conditions.stands_in_inventory(number)))
    strangers.drop(connection, checkfirst=True)
    statements.make_table(connection, SCHEMA, strangers.name, rows)
    statements.analyze(connection, strangers)
    return strangers


def _misfits(
    connection: sa.Connection, records: sa.Table, extract_id: int, provider: str, *, is_full: bool
) -> sa.Table:
    """The records of a delta whose action does not fit what the authority has. Of a full extract none is sought."""
    misfits = sa.Table(f"misfits_{extract_id}", sa.MetaData(), sa.Column("record_no", sa.BigInteger), schema=SCHEMA)
    none = sa.select(records.c.record_no).where(sa.false())
    misfits.drop(connection, checkfirst=True)
    statements.make_table(connection, SCHEMA, misfits.name, none if is_full else conditions.misfits(records, provider))
    statements.analyze(connection, misfits)
    return misfits


def _take_out_exceptions(
    connection: sa.Connection, records: sa.Table, verdicts: sa.Table, provider: str, as_of: dt.date
) -> dict[str, int]:
    """Remove from the verdicts what is accepted today; how many by rule."""
    accepted = (
        sa.select(_EXCEPTION.c.number, sa.func.array_agg(_EXCEPTION.c.rule_id).label("rule_ids"))
        .where(
            _EXCEPTION.c.provider == provider,
            _EXCEPTION.c.accepted_on <= as_of,
            _EXCEPTION.c.last_day >= as_of,
            _EXCEPTION.c.ended_on.is_(None),
        )
        .group_by(_EXCEPTION.c.number)
        .subquery("accepted")
    )
    matched = (
        sa.select(
            verdicts.c.record_no,
            sa.func.unnest(verdicts.c.rule_ids, type_=sa.Text).label("rule_id"),
            accepted.c.rule_ids.label("accepted"),
        )
        .join_from(verdicts, records, verdicts.c.record_no == records.c.record_no)
        .join(accepted, accepted.c.number == records.c.number_e164)
        .subquery("matched")
    )
    passes = matched.c.rule_id == sa.any_(matched.c.accepted)
    by_rule = sa.select(matched.c.rule_id, sa.func.count()).where(passes).group_by(matched.c.rule_id)
    counts = {rule_id: int(number) for rule_id, number in connection.execute(by_rule)}
    if counts:
        left = (
            sa.select(matched.c.record_no, sa.func.array_agg(matched.c.rule_id).filter(sa.not_(passes)).label("left"))
            .group_by(matched.c.record_no)
            .subquery("left_over")
        )
        none = sa.cast(postgresql.array([]), postgresql.ARRAY(sa.Text))
        connection.execute(
            sa.update(verdicts)
            .where(verdicts.c.record_no == left.c.record_no)
            .values(rule_ids=sa.func.coalesce(left.c.left, none))
        )
        connection.execute(sa.delete(verdicts).where(sa.func.cardinality(verdicts.c.rule_ids) == 0))
    return counts


def _counted(
    connection: sa.Connection, records: sa.Table, verdicts: sa.Table, suite: Suite, excepted: Mapping[str, int]
) -> Verdict:
    rules = sa.select(sa.func.unnest(verdicts.c.rule_ids, type_=sa.Text).label("rule_id")).subquery("rules")
    by_rule = sa.select(rules.c.rule_id, sa.func.count()).group_by(rules.c.rule_id)
    broken = {rule_id: int(number) for rule_id, number in connection.execute(by_rule)}
    total = connection.execute(sa.select(sa.func.count()).select_from(records)).scalar_one()
    is_stopped = stopped(verdicts, suite)
    counts = sa.select(sa.func.count().filter(is_stopped), sa.func.count().filter(sa.not_(is_stopped)))
    stopped_records, warned = connection.execute(counts.select_from(verdicts)).one()
    return Verdict(total, int(stopped_records), int(warned), broken, dict(excepted))


def _texts(values: list[str]) -> sa.ColumnElement[Any]:
    return sa.cast(postgresql.array([sa.literal(value) for value in values]), postgresql.ARRAY(sa.Text))

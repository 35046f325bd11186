"""Take facts from the provider's rows as they are now: what is new is added, what changed supersedes what was known.

It may be done at any time and again: the same rows give no new fact. Nothing is taken of months whose links are cut.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import clock, queries
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym_in_sql
from holdfast.suspension_facts.shapes import DECISION, REVIEWER, SCHEMA, SHAPES, Shape

OF_A_DECISION = "suspension fact"
"""The purpose of the pseudonyms of decisions."""
_LINK = sa.table("link", *map(sa.column, ("kind", "pseudonym", "number", "account", "at")), schema=SCHEMA)
_CHAINED = sa.Table("staged_chain", sa.MetaData())
_NEW_NUMBER = sa.func.nextval("statistics.record_numbers")


@dataclass(frozen=True)
class Taken:
    """What one taking-in found, all kinds together. `undated` records have no moment and no place in any month."""

    new: int
    changed: int
    undated: int
    delivered_twice: int


def begin(connection: sa.Connection) -> dt.datetime:
    """Wait until nobody else takes facts or freezes a month; the moment at which what is taken next becomes known.

    The lock ends with the transaction. What was known at a moment can therefore never grow afterwards.
    """
    moment: dt.datetime = queries.run(connection, "suspension_facts/begin").scalar_one()
    return moment


def take_in(
    connection: sa.Connection,
    *,
    key: bytes,
    zone: str,
    now: dt.datetime,
    subject_keys: Sequence[str] | None = None,
    run_id: int | None = None,
) -> Taken:
    """Take the facts of these subjects, or of all; `now` comes from `begin`, in the same transaction."""
    if subject_keys is None:
        queries.run(connection, "suspension_facts/note_taking", {"now": now})
    since = _first_moment(connection, zone)
    counts = [_take(connection, shape, _Source(key, zone, since, now, subject_keys)) for shape in SHAPES]
    if subject_keys is None:
        queries.run(connection, "suspension_facts/forget_accounts", {"since": since})
    queries.run(connection, "suspension_facts/chain_stage")
    queries.run(connection, "suspension_facts/chain_supersede", {"now": now})
    queries.run(connection, "suspension_facts/chain_add", {"now": now})
    for table in (*map(incoming_table, SHAPES), _CHAINED):
        table.drop(connection)  # it may be done again in the same transaction
    taken = Taken(*(sum(one[n] for one in counts) for n in range(4)))
    if taken.new or taken.changed:
        facts = {"new": taken.new, "changed": taken.changed, "undated": taken.undated}
        ledger.append(connection, "facts_taken", {**facts, "delivered_twice": taken.delivered_twice}, run_id)
    return taken


@dataclass(frozen=True)
class _Source:
    key: bytes
    zone: str
    since: dt.datetime
    now: dt.datetime
    subject_keys: Sequence[str] | None


def _first_moment(connection: sa.Connection, zone: str) -> dt.datetime:
    """The first moment after all months whose links are cut."""
    last: dt.date | None = queries.run(connection, "suspension_facts/last_unlinked").scalar_one()
    return clock.midnight(dt.date(1970, 1, 1) if last is None else last, zone)


def _take(connection: sa.Connection, shape: Shape, source: _Source) -> tuple[int, int, int, int]:
    incoming = incoming_table(shape)
    incoming.create(connection)
    read = _rows(connection, _read(shape, incoming, source))
    undated = connection.execute(sa.delete(incoming).where(incoming.c.day.is_(None))).rowcount
    twice = connection.execute(_delete_repeated(incoming)).rowcount
    if read == undated:
        return 0, 0, undated, 0
    for kind, name in _linked(shape).items():
        connection.execute(_link(kind, incoming.c[name]))
    if shape.is_decision:
        connection.execute(_know_account(incoming))
    numbered = _numbered(shape, incoming)
    changed = connection.execute(_supersede(shape, numbered, source.now)).rowcount
    added = _rows(connection, _add(shape, numbered, source.now))
    return added - changed, changed, undated, twice


def _rows(connection: sa.Connection, statement: sa.Insert) -> int:
    """How many rows it inserted, which SQLAlchemy does not tell of itself."""
    return connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount


def incoming_table(shape: Shape) -> sa.Table:
    """The provider's rows of this taking-in, with pseudonyms in place of keys."""
    columns: list[sa.Column[Any]] = [sa.Column("pseudonym", sa.Text), sa.Column("day", sa.Date)]
    if shape.is_decision:
        columns += [sa.Column("account", sa.Text), sa.Column("at", sa.DateTime(timezone=True))]
    else:
        columns += [sa.Column(name, sa.Text) for name in shape.keys]
        columns += [sa.Column("minutes", sa.Integer)]
    columns += [sa.Column(name, kind) for name, kind in shape.codes.items()]
    return sa.Table(
        f"incoming_{shape.kind}", sa.MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP"
    )


def _read(shape: Shape, incoming: sa.Table, source: _Source) -> sa.Insert:
    fixed = queries.query(shape.query).bindparams(
        sa.bindparam("since", source.since, sa.DateTime(timezone=True)),
        sa.bindparam("subject_keys", source.subject_keys, postgresql.ARRAY(sa.Text)),
    )
    found = fixed.columns(**shape.declared).cte("found")
    local = sa.func.timezone(source.zone, found.c.at)
    day = sa.cast(local, sa.Date)
    values: dict[str, sa.ColumnElement[Any]] = {
        "pseudonym": _pseudonym(source.key, shape.kind, found.c.record_key),
        "day": day,
        **{name: found.c[name] for name in shape.codes},
    }
    if shape.is_decision:
        values |= {"account": _pseudonym(source.key, "account", found.c.subject_key), "at": found.c.at}
    else:
        seconds = sa.extract("epoch", found.c.at - found.c.measured_from)
        values["minutes"] = sa.cast(sa.func.floor(seconds / 60), sa.Integer)
        values |= {
            name: _pseudonym(source.key, kind, sa.func.coalesce(found.c[name], found.c.record_key))
            for name, (kind, _) in shape.keys.items()
        }
    if REVIEWER in shape.codes:
        of_month = found.c[REVIEWER].concat("|").concat(sa.func.to_char(local, "YYYY-MM"))
        values[REVIEWER] = _pseudonym(source.key, REVIEWER, of_month)
    kept = sa.select(*values.values()).where(sa.or_(found.c.at.is_(None), found.c.at >= source.since))
    return sa.insert(incoming).from_select(list(values), kept)


def _pseudonym(key: bytes, kind: str, value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    purpose = OF_A_DECISION if kind == DECISION else f"suspension {kind}"
    return pseudonym_in_sql(key, purpose, value)


def _delete_repeated(incoming: sa.Table) -> sa.Delete:
    """Keep one of the rows that were delivered under one key: the last by its content, so always the same."""
    place: sa.ColumnElement[Any] = sa.literal_column("ctid")
    whole = sa.literal_column(f"CAST({incoming.name} AS text)", sa.Text)
    order = sa.func.row_number().over(partition_by=incoming.c.pseudonym, order_by=(whole.desc(), place))
    ranked = sa.select(place.label("place"), order.label("n")).select_from(incoming).subquery()
    return sa.delete(incoming).where(place.in_(sa.select(ranked.c.place).where(ranked.c.n > 1)))


def _linked(shape: Shape) -> dict[str, str]:
    """Kind of link -> the column of `incoming` that holds its pseudonyms."""
    found = {shape.kind: "pseudonym"}
    if not shape.is_decision:
        found |= {kind: name for name, (kind, _) in shape.keys.items()}
    return {**found, REVIEWER: REVIEWER} if REVIEWER in shape.codes else found


def _link(kind: str, pseudonym: sa.ColumnElement[str]) -> sa.Insert:
    new = sa.select(pseudonym.label("pseudonym")).where(pseudonym.is_not(None)).distinct().subquery()
    known = sa.exists().where(_LINK.c.kind == kind, _LINK.c.pseudonym == new.c.pseudonym)
    rows = sa.select(sa.literal(kind, sa.Text), new.c.pseudonym, _NEW_NUMBER).where(~known)
    return postgresql.insert(_LINK).from_select(["kind", "pseudonym", "number"], rows).on_conflict_do_nothing()


def _know_account(incoming: sa.Table) -> sa.Update:
    differs = sa.tuple_(_LINK.c.account, _LINK.c.at).is_distinct_from(sa.tuple_(incoming.c.account, incoming.c.at))
    return (
        sa.update(_LINK)
        .where(_LINK.c.kind == DECISION, _LINK.c.pseudonym == incoming.c.pseudonym, differs)
        .values(account=incoming.c.account, at=incoming.c.at)
    )


def _numbered(shape: Shape, incoming: sa.Table) -> sa.Subquery:
    """The incoming rows under the numbers that facts use."""
    own = _LINK.alias("own")
    source: sa.FromClause = incoming.join(
        own, sa.and_(own.c.kind == shape.kind, own.c.pseudonym == incoming.c.pseudonym)
    )
    columns: dict[str, sa.ColumnElement[Any]] = {"number": own.c.number}
    named = {column: name for name, (_, column) in shape.keys.items()} | {"reviewer_number": REVIEWER}
    for column, kind in shape.references.items():
        other = _LINK.alias(column)
        matches = sa.and_(other.c.kind == kind, other.c.pseudonym == incoming.c[named[column]])
        source = source.outerjoin(other, matches)
        columns[column] = other.c.number
    columns |= {name: incoming.c[name] for name in shape.content if name not in columns}
    return sa.select(*(column.label(name) for name, column in columns.items())).select_from(source).subquery("numbered")


def _supersede(shape: Shape, numbered: sa.Subquery, now: dt.datetime) -> sa.Update:
    table, names = shape.table, list(shape.content)
    stands = sa.tuple_(*(table.c[name] for name in names))
    differs = stands.is_distinct_from(sa.tuple_(*(numbered.c[name] for name in names)))
    return (
        sa.update(table)
        .where(table.c.number == numbered.c.number, table.c.superseded_at.is_(None), differs)
        .values(superseded_at=now)
    )


def _add(shape: Shape, numbered: sa.Subquery, now: dt.datetime) -> sa.Insert:
    table, names = shape.table, list(shape.content)
    known = sa.exists().where(table.c.number == numbered.c.number, table.c.superseded_at.is_(None))
    columns: Mapping[str, sa.ColumnElement[Any]] = {
        "number": numbered.c.number,
        "known_at": sa.literal(now, sa.DateTime(timezone=True)),
        **{name: numbered.c[name] for name in names},
    }
    return sa.insert(table).from_select(list(columns), sa.select(*columns.values()).where(~known))

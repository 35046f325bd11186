"""Good records leave in a file, bad ones go to quarantine with all their reasons; together they are all there were.

The file is written before the transaction that records it commits. A process that dies in between leaves a file that
nothing knows of; the next attempt writes the same bytes again, because everything in it comes from the extract.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import queries
from holdfast.emergency_data import digests, formatting, judge, manifest, staging, statements, writing
from holdfast.emergency_data.catalogue import Suite
from holdfast.emergency_data.conditions import LIVE_STATES, SCHEMA
from holdfast.emergency_data.fields import FIELDS
from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.rules import Change
from holdfast.emergency_data.store import Extract
from holdfast.store import AnyPath

_RECORDS = sa.table(
    "number_record",
    sa.column("provider", sa.Text),
    sa.column("number", sa.Text),
    sa.column("state", sa.Text),
    sa.column("sequence", sa.BigInteger),
    sa.column("line_no", sa.BigInteger),
    sa.column("changed_at", sa.DateTime(timezone=True)),
    sa.column("submitted_at", sa.DateTime(timezone=True)),
    sa.column("answered_at", sa.DateTime(timezone=True)),
    *(sa.column(name, sa.BigInteger) for name in (*digests.DIGESTS, "rest_digest")),
    sa.column("filled", sa.Integer),
    sa.column("told", sa.Text),
    sa.column("is_held", sa.Boolean),
    schema=SCHEMA,
)
_INVENTORY = sa.table(
    "inventory", sa.column("number", sa.Text), sa.column("changed_at", sa.DateTime(timezone=True)), schema=SCHEMA
)
_QUARANTINE = sa.table(
    "quarantine",
    *map(
        sa.column,
        (
            "extract_id",
            "record_no",
            "provider",
            "number",
            "action",
            "rule_ids",
            "fields",
            "quarantined_at",
            "ended_at",
            "ended_how",
            "ended_by_extract",
        ),
    ),
    schema=SCHEMA,
)


@dataclass(frozen=True)
class Released:
    """What a release did, in records, and its file; `manifest` is the digest of what is said beside it."""

    file: writing.WrittenFile
    manifest: str
    records: int
    quarantined: int
    corrected: int
    superseded: int


def change(connection: sa.Connection, extract: Extract, suite: Suite, usual: float | None) -> Change:
    """What the extract would do to the accepted state, if its good records left now."""
    queries.run(connection, "emergency/work_in_memory")
    good = _good(extract, suite).subquery("good")
    before = _RECORDS.alias("before")
    is_live = sa.and_(before.c.provider == extract.provider, before.c.state.in_(LIVE_STATES))
    live = connection.execute(sa.select(sa.func.count()).select_from(before).where(is_live)).scalar_one()
    kept = good.c.action != "C"
    lost = before.c.filled.op("&")(sa.func.coalesce(digests.filled(good), 0).op("#")(-1))
    found = connection.execute(
        sa.select(
            sa.func.count().filter(sa.not_(kept)),
            sa.func.count().filter(kept, before.c.address_digest != digests.digests(good)["address_digest"]),
            sa.func.count().filter(kept, lost != 0),
        )
        .select_from(good)
        .join(before, sa.and_(before.c.number == good.c.number_e164, is_live))
    ).one()
    ceased = int(found[0])
    if extract.extract_type == "FULL":
        records = staging.table_of(extract.extract_id)
        absent = sa.select(sa.func.count()).select_from(before)
        stated = sa.select(sa.literal(1)).where(records.c.number_e164 == before.c.number).exists()
        ceased += connection.execute(absent.where(is_live, sa.not_(stated))).scalar_one()
    return Change(
        records=extract.records,
        quarantined=extract.quarantined or 0,
        live=int(live),
        ceased=ceased,
        address_changed=int(found[1]),
        emptied=int(found[2]),
        usual=usual,
    )


def release(
    connection: sa.Connection, extract: Extract, suite: Suite, layout: Layout, folder: AnyPath, now: dt.datetime
) -> Released:
    """Write the file and record it, in the caller's transaction, which has locked the extract."""
    queries.run(connection, "emergency/work_in_memory")
    written, totals = _write(connection, extract, suite, layout, folder)
    corrected = _end_quarantine(connection, extract, _good(extract, suite), "corrected", now)
    bad = _bad(extract, suite)
    superseded = _end_quarantine(connection, extract, bad, "superseded", now)
    quarantined = _quarantine(connection, extract, suite, now)
    _tell_numbers(connection, extract, suite, now)
    values = {
        "extract_id": extract.extract_id,
        "provider": extract.provider,
        "sequence": extract.sequence,
        "file_name": written.path.name,
        "sha256": written.sha256,
        "records": totals.records,
        "at": now,
    }
    queries.run(connection, "emergency/record_release", values)
    said = manifest.write(extract, written, totals, quarantined, suite.digest)
    return Released(written, said, totals.records, quarantined, corrected, superseded)


def _is_bad(records: sa.Table, extract: Extract, suite: Suite) -> sa.ColumnElement[bool]:
    verdicts = judge.verdicts_of(extract.extract_id)
    return (
        sa.select(sa.literal(1))
        .where(verdicts.c.record_no == records.c.record_no, judge.stopped(verdicts, suite))
        .correlate(records)
        .exists()
    )


def _good(extract: Extract, suite: Suite) -> sa.Select[Any]:
    """The records that may leave, with the line that each has in the released file."""
    records = staging.table_of(extract.extract_id)
    line_no = sa.func.row_number().over(order_by=records.c.record_no)
    fields = [line_no.label("line_no") if name == "line_no" else records.c[name] for name in FIELDS]
    return sa.select(records.c.record_no, *fields).where(sa.not_(_is_bad(records, extract, suite)))


def _bad(extract: Extract, suite: Suite) -> sa.Select[Any]:
    records = staging.table_of(extract.extract_id)
    return sa.select(*records.c).where(_is_bad(records, extract, suite))


def _write(
    connection: sa.Connection, extract: Extract, suite: Suite, layout: Layout, folder: AnyPath
) -> tuple[writing.WrittenFile, writing.Totals]:
    good = _good(extract, suite).subquery("released")
    digits = sa.cast(sa.func.right(good.c.number_e164, 6), sa.BigInteger)
    counts = sa.select(
        sa.func.count(),
        *(sa.func.count().filter(good.c.action == code) for code in "IAC"),
        sa.func.coalesce(sa.func.sum(digits), 0),
    ).select_from(good)
    totals = writing.Totals(*map(int, connection.execute(counts).one()))
    head = writing.Head(
        extract.provider,
        extract.sequence,
        extract.previous_sequence,
        extract.extract_type,
        extract.business_date,
        extract.generated_at,
    )
    names = [field.name for field in layout.detail.fields if field.name is not None]
    chosen: Any = sa.select(*(sa.cast(good.c[name], sa.Text).label(name) for name in names)).order_by(good.c.record_no)
    return writing.write(folder, layout, head, totals, formatting.details(connection, chosen, layout)), totals


def _end_quarantine(
    connection: sa.Connection, extract: Extract, rows: sa.Select[Any], how: str, now: dt.datetime
) -> int:
    """A record in quarantine ends there when a later one of its number was released, or stopped in its turn."""
    later = rows.subquery("later")
    ended = (
        sa.update(_QUARANTINE)
        .where(
            _QUARANTINE.c.provider == extract.provider,
            _QUARANTINE.c.ended_at.is_(None),
            _QUARANTINE.c.extract_id != extract.extract_id,
            sa.select(sa.literal(1)).where(later.c.number_e164 == _QUARANTINE.c.number).correlate(_QUARANTINE).exists(),
        )
        .values(ended_at=now, ended_how=how, ended_by_extract=extract.extract_id)
    )
    return statements.execute(connection, ended)


def _quarantine(connection: sa.Connection, extract: Extract, suite: Suite, now: dt.datetime) -> int:
    records, verdicts = staging.table_of(extract.extract_id), judge.verdicts_of(extract.extract_id)
    pairs = [part for name in FIELDS for part in (sa.literal(name), records.c[name])]
    fields = sa.func.jsonb_strip_nulls(sa.func.jsonb_build_object(*pairs), type_=postgresql.JSONB)
    rows = (
        sa.select(
            sa.literal(extract.extract_id),
            records.c.record_no,
            sa.literal(extract.provider),
            records.c.number_e164,
            records.c.action,
            verdicts.c.rule_ids,
            fields,
            sa.literal(now, sa.DateTime(timezone=True)),
        )
        .join_from(records, verdicts, records.c.record_no == verdicts.c.record_no)
        .where(judge.stopped(verdicts, suite))
    )
    names = ["extract_id", "record_no", "provider", "number", "action", "rule_ids", "fields", "quarantined_at"]
    return statements.execute(connection, sa.insert(_QUARANTINE).from_select(names, rows))


def _tell_numbers(connection: sa.Connection, extract: Extract, suite: Suite, now: dt.datetime) -> None:
    """Note what the authority is told of each number. A number that moves (cease, then insert) ends as inserted.

    What was rejected and is sent again as it was stays failed until it is accepted.
    """
    good = _good(extract, suite).subquery("told")
    at = sa.literal(now, sa.DateTime(timezone=True))
    changed_at: sa.ColumnElement[Any] = sa.cast(sa.null(), sa.DateTime(timezone=True))
    if extract.extract_type == "DELTA":  # a full extract states anew what may not have changed for years
        changed_at = (
            sa.select(_INVENTORY.c.changed_at).where(_INVENTORY.c.number == good.c.number_e164).scalar_subquery()
        )
    common = {
        "sequence": sa.literal(extract.sequence),
        "line_no": good.c.line_no,
        "changed_at": changed_at,
        "submitted_at": at,
        "answered_at": sa.cast(sa.null(), sa.DateTime(timezone=True)),
        "told": good.c.action,
    }
    ceases = (
        sa.update(_RECORDS)
        .where(
            _RECORDS.c.provider == extract.provider,
            _RECORDS.c.number == good.c.number_e164,
            good.c.action == "C",
        )
        .values(state="pending_cease", **common)
    )
    connection.execute(ceases)
    values: dict[str, sa.ColumnElement[Any]] = {
        "provider": sa.literal(extract.provider),
        "number": good.c.number_e164,
        "state": sa.literal("pending"),
        **common,
        **digests.digests(good),
        "rest_digest": digests.rest(good),
        "filled": digests.filled(good),
        "is_held": sa.false(),
    }
    inserts = postgresql.insert(_RECORDS).from_select(
        list(values), sa.select(*values.values()).where(good.c.action != "C")
    )
    new: dict[str, Any] = {name: inserts.excluded[name] for name in values if name not in ("provider", "number")}
    told, moves = _RECORDS.c, sa.and_(_RECORDS.c.told == "C", _RECORDS.c.sequence == extract.sequence)
    as_it_was = sa.and_(*(told[name] == new[name] for name in ("name_digest", "address_digest", "rest_digest")))
    rejected = sa.and_(told.state == "failed", told.told != "C")
    new["state"] = sa.case((sa.and_(rejected, as_it_was), "failed"), else_="pending")
    new["is_held"] = sa.case((moves, sa.false()), else_=told.is_held)
    connection.execute(inserts.on_conflict_do_update(index_elements=["provider", "number"], set_=new))

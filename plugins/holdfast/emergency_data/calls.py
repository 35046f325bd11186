"""Reports of 999 calls made from numbers without data: the worst that can be found here, for somebody was not found.

The profile 'NG-999 calls v1' is this project's own, after the notice `eha_missing_data` that carriers hand on: a file
of JSON lines, each `{"id": "<the authority's>", "number": "+44...", "called_at": "2026-11-24T08:00:00Z"}`. A report
ends when a record that was sent after the call has been accepted, or its number is not live any more. One of a number
that the inventory does not know can only be ended by a person.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import ExtractRefused
from holdfast.evidence import ledger
from holdfast.store import AnyPath

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NUMBER = re.compile(r"\+44[0-9]{9,10}")
_REASON = re.compile(r"[a-z][a-z0-9-]{2,60}")
_KEYS = {"id", "number", "called_at"}
_MOST_BYTES = 100_000_000


@dataclass(frozen=True)
class Call:
    """One report."""

    report_id: str
    number: str
    called_at: dt.datetime


def read(path: AnyPath, now: dt.datetime) -> list[Call]:
    """Read a file of reports. Raises ExtractRefused, naming the line and never what stands there, if it is not one."""
    if path.stat().st_size > _MOST_BYTES:
        raise _refusal("it is far too large")
    try:
        lines = path.read_bytes().decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise _refusal("it is not plain text") from None
    if not lines:
        raise _refusal("it is empty")
    return [_call(line, number, now) for number, line in enumerate(lines, start=1)]


def store(connection: sa.Connection, calls: Sequence[Call], sha256: str, now: dt.datetime) -> int:
    """Keep the reports that were not read before; how many they are."""
    values = {
        "report_ids": [one.report_id for one in calls],
        "numbers": [one.number for one in calls],
        "called_at": [one.called_at for one in calls],
        "read_at": now,
    }
    new = queries.run(connection, "emergency/store_calls", values).rowcount
    ledger.append(connection, "calls_read", {"file": f"sha256:{sha256}", "reports": len(calls), "new": new})
    return new


def end(connection: sa.Connection, report_id: str, *, by: str, reason: str, now: dt.datetime) -> None:
    """End one report by hand; `by` is a pseudonym. Raises ExtractRefused if no such report is open."""
    if not _REASON.fullmatch(reason):
        raise ExtractRefused("The reason is no code.", fix="use small letters, digits and hyphens: not-our-number.")
    values = {"report_id": report_id, "at": now}
    if queries.run(connection, "emergency/end_call", values).one_or_none() is None:
        raise ExtractRefused("No report with this id is open.", fix="look into emergency.call_without_data.")
    digest = hashlib.sha256(report_id.encode()).hexdigest()
    ledger.append(connection, "call_ended", {"report": f"sha256:{digest}", "by": by, "reason": reason})


def _call(line: str, number: int, now: dt.datetime) -> Call:
    try:
        given = json.loads(line)
    except ValueError:
        raise _refusal("a line is not JSON", number) from None
    if not isinstance(given, dict) or set(given) != _KEYS or {type(value) for value in given.values()} != {str}:
        raise _refusal(f"a line does not have the texts {', '.join(sorted(_KEYS))} and no others", number)
    if not _ID.fullmatch(given["id"]) or not _NUMBER.fullmatch(given["number"]):
        raise _refusal("a line has an id or a number that is none", number)
    try:
        called_at = dt.datetime.fromisoformat(given["called_at"])
    except ValueError:
        raise _refusal("a line has no time", number) from None
    if called_at.tzinfo is None or called_at > now:
        raise _refusal("a call has no time zone, or lies in the future", number)
    return Call(given["id"], given["number"], called_at)


def _refusal(what: str, line: int | None = None) -> ExtractRefused:
    where = "" if line is None else f" (line {line})"
    return ExtractRefused(f"The reports of calls are refused: {what}{where}.", fix="ask for the file again.")

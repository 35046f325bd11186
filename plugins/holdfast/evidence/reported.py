"""Every report is fixed by an entry of the ledger: its name, and the digest of its SHA256SUMS.

The entry is committed before SHA256SUMS is there, and after that of an earlier writing is gone. So a finished folder is
the one that the last entry of its name is about, whenever anybody looks, or somebody altered it. A crash in between
leaves an entry and no finished folder, and the step runs again. Reports of earlier versions have no entry: only their
own sums vouch for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.errors import ReportAltered
from holdfast.evidence import ledger
from holdfast.evidence.offline import WRITTEN
from holdfast.reports import shelf
from holdfast.reports.files import Written, write_set
from holdfast.reports.shelf import Report
from holdfast.store import AnyPath


@dataclass(frozen=True)
class Checked:
    """What the shelf and the ledger say of each other, by report: `altered` in sentences, the others by name.

    `not_there` are those that the ledger knows and that have no finished folder: taken away, or being written.
    """

    entered: int
    altered: tuple[str, ...]
    not_entered: tuple[str, ...]
    not_there: tuple[str, ...]


def write(
    engine: sa.Engine,
    root: AnyPath,
    parts: tuple[str, ...],
    files: Mapping[str, str | bytes],
    run_id: int | None = None,
) -> Written:
    """Write a report as `write_set` does, and its entry in a transaction of its own.

    Not from within a transaction that has appended to the ledger: it would wait for itself.
    """

    def enter(sha256: str) -> None:
        facts = {"report": "/".join(parts), "digest": f"sha256:{sha256}"}
        with database.transaction(engine) as connection:
            ledger.append(connection, WRITTEN, facts, run_id)

    with database.transaction(engine) as connection:  # one writer at a time, where no folder can be locked either
        queries.run(connection, "evidence/lock_report", {"report": "/".join(parts)})
        return write_set(root, parts, files, enter)


def looked_up(connection: sa.Connection, found: Iterable[Report]) -> list[Report]:
    """The reports, each with its entry, in a transaction that began after they were found; without those that are being
    written again by now.
    """
    reports = list(found)
    known = _compared(reports, _last(connection, [one.path for one in reports]))
    return [one for one in known if not one.is_altered or one.is_as_found()]


def check(engine: sa.Engine, root: AnyPath) -> Checked:
    """Compare every file of every report with its sums, and those with the ledger."""
    found = shelf.reports(root)
    with database.reading(engine) as connection:
        last = _last(connection, None)
    altered, entered, not_entered = [], 0, []
    for one in _compared(found, last):
        try:
            one.read_all()
        except ReportAltered as error:
            if one.is_as_found():
                altered.append(error.what)
        else:
            if one.entry is None:
                not_entered.append(one.path)
            else:
                entered += 1
    not_there = sorted(last.keys() - {one.path for one in found})
    return Checked(entered, tuple(altered), tuple(not_entered), tuple(not_there))


def _last(connection: sa.Connection, names: list[str] | None) -> dict[str, sa.Row[Any]]:
    return {row.report: row for row in queries.run(connection, "evidence/reports_written", {"names": names})}


def _compared(found: Iterable[Report], last: Mapping[str, sa.Row[Any]]) -> Iterable[Report]:
    for one in found:
        entry = last.get(one.path)
        if entry is None:
            yield one
        else:
            yield dataclasses.replace(one, entry=entry.seq, is_altered=entry.digest != f"sha256:{one.id}")

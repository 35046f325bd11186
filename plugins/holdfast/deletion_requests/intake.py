"""The inbox: CSV files of requests that people or other systems drop into a folder, or an object store.

Whoever drops a file writes it under a name that begins with a dot or ends in .part, and renames it when it is whole.
Each file is moved to `done/`, its rows taken in or refused one by one, or to `refused/` if it is no list of requests at
all; a file beside it says for every row what came of it. A crash loses nothing: the file is still in the inbox, the
rows that were taken in are known by their reference, and the next intake says so of them.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.deletion_requests import intake_file, moves
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.fields import Fault
from holdfast.deletion_requests.intake_file import BadRow, Examined, FileRefused, GoodRow
from holdfast.deletion_requests.receipt import Taken, receive
from holdfast.errors import RequestError
from holdfast.evidence import ledger
from holdfast.policy.model import Policy
from holdfast.reports.tables import Cell, csv_writer
from holdfast.settings import Settings
from holdfast.store import AnyPath, files, here, move, private_folder, whole_file

DONE, REFUSED = "done", "refused"
AT_ONCE = 500
"""Rows of one transaction. Each is an entry of the ledger, whose other writers wait meanwhile."""

_PATIENCE = 2.0  # seconds; the database needs a moment to see that an intake was killed
_UNFINISHED = (".part", ".tmp")
_NAME_CHARACTERS = 50  # of a file's own name, from its end: what is added must fit the file system as well
_RESULT = ".result.csv"
_STAMP = "%Y%m%dT%H%M%SZ"
_STAMP_LENGTH = len("20261124T093000Z")
_HEADER = ("line", "outcome", "request", "duplicate of", "rule", "field", "what", "fix")


@dataclass(frozen=True)
class FileResult:
    """What came of one file. Its rows are counted once each: new requests, ones known before, refused ones.

    `result` is the file that says it row by row; the dropped file lies beside it.
    """

    name: str
    is_refused: bool
    new: int
    known: int
    refused: int
    result: AnyPath


@dataclass
class _Rows:
    """What came of the rows so far: written to the result at once, for a file may have a million, and in numbers."""

    write: Callable[[Sequence[Cell]], None]
    new: int = 0
    known: int = 0
    refused: int = 0

    def add(self, line: int, outcome: Taken | Fault | tuple[Fault, ...]) -> None:
        if isinstance(outcome, Taken):
            word = "taken in" if outcome.is_new else "known before"
            self.write((line, word, outcome.request_id, outcome.duplicate_of, "", "", "", ""))
            self.new += outcome.is_new
            self.known += not outcome.is_new
        else:
            self.refused += 1
            for fault in (outcome,) if isinstance(outcome, Fault) else outcome:
                self.write((line, "refused", None, None, fault.check, fault.field, fault.what, fault.fix))


def inbox_of(settings: Settings) -> AnyPath:
    return settings.inbox / "deletion_requests"


@dataclass(frozen=True)
class _Intake:
    """One intake: where requests go, by what rules, for whom and when."""

    engine: sa.Engine
    policy: Policy
    terms: Terms
    by: str
    now: dt.datetime


def take_in(
    engine: sa.Engine, policy: Policy, terms: Terms, inbox: AnyPath, *, by: str, now: dt.datetime
) -> list[FileResult]:
    """Take in every whole file of the inbox, by name. Raises RequestError while another intake is under way.

    Files that were set aside longer ago than the policy keeps them are removed.
    """
    moves.require_person(by)
    for name in (DONE, REFUSED):
        private_folder(inbox, (name,))
    intake = _Intake(engine, policy, terms, by, now)
    with _alone(engine):
        for folder in (inbox / DONE, inbox / REFUSED):
            _forget(folder, now - dt.timedelta(days=terms.rules.intake.keep_files_days))
        return [_take_in_file(intake, path) for path in _whole_files(inbox)]


def _take_in_file(intake: _Intake, path: AnyPath) -> FileResult:
    examined = None
    with here(path) as copy, tempfile.TemporaryFile() as made:
        text = io.TextIOWrapper(made, encoding="utf-8", newline="", write_through=True)
        rows = _Rows(csv_writer(text, _HEADER))
        try:
            examined = intake_file.examine(copy, intake.terms.rules.intake)
            _take_in_rows(intake, examined, rows)
            kept = _place(path, DONE, intake.now)
        except FileRefused as error:
            examined = None
            rows.add(0, (error.fault,))
            kept = _place(path, REFUSED, intake.now)
        result = kept.with_name(f"{kept.name}{_RESULT}")
        made.seek(0)
        with whole_file(result) as file:
            shutil.copyfileobj(made, file)
    if examined is not None:
        _record(intake, examined, rows)
    # Last, so that a crash before it leaves the file to be taken in again, which adds nothing.
    move(path, kept)
    return FileResult(path.name, kept.parent.name == REFUSED, rows.new, rows.known, rows.refused, result)


def _take_in_rows(intake: _Intake, examined: Examined, rows: _Rows) -> None:
    with database.transaction(intake.engine) as connection:
        before = queries.run(connection, "deletion_requests/intake_known_file", {"sha256": examined.sha256})
        seen = before.one_or_none()
    # Rows that were refused may be right by now: the account may exist.
    if seen is not None and seen.refused_rows == 0:
        what = f"the same file was taken in at {seen.taken_in_at.isoformat(timespec='seconds')}."
        rows.write((None, "known before", None, None, "", "", what, "nothing is left to do."))
        rows.known = seen.taken_rows
        return
    for batch in _batches(intake_file.read(examined, intake.policy, intake.terms, intake.now)):
        requests = [row.request for row in batch if isinstance(row, GoodRow)]
        outcomes: Iterator[Taken | Fault] = iter(())
        if requests:
            with database.transaction(intake.engine) as connection:
                received = receive(connection, intake.policy, intake.terms, requests, by=intake.by, now=intake.now)
            outcomes = iter(received)
        for row in batch:
            rows.add(row.line, row.faults if isinstance(row, BadRow) else next(outcomes))


def _record(intake: _Intake, examined: Examined, rows: _Rows) -> None:
    values = {
        "sha256": examined.sha256,
        "taken_in_at": intake.now,
        "taken_rows": rows.new + rows.known,
        "refused_rows": rows.refused,
    }
    facts: dict[str, ledger.JSON] = {
        "file": f"sha256:{examined.sha256}",
        "new": rows.new,
        "known": rows.known,
        "refused": rows.refused,
        "by": moves.who(intake.by),
    }
    with database.transaction(intake.engine) as connection:
        queries.run(connection, "deletion_requests/intake_record_file", values)
        ledger.append(connection, "request_file_taken_in", facts)


def _batches(rows: Iterable[GoodRow | BadRow]) -> Iterator[list[GoodRow | BadRow]]:
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, AT_ONCE)):
        yield batch


def _whole_files(inbox: AnyPath) -> list[AnyPath]:
    """The files that nobody is writing any more. A link is nobody's list, and is left where it is."""
    return [path for path in files(inbox) if not path.is_symlink() and path.suffix.lower() not in _UNFINISHED]


def _place(path: AnyPath, folder: str, now: dt.datetime) -> AnyPath:
    """A path in `done` or `refused` that nothing has yet, whose name begins with the time."""
    stem = f"{now.astimezone(dt.UTC):{_STAMP}}-"
    for number in itertools.count(1):
        kept = path.parent / folder / f"{stem}{number}-{path.name[-_NAME_CHARACTERS:]}"
        if not kept.exists():
            return kept
    raise AssertionError("there is always another number")


def _forget(folder: AnyPath, before: dt.datetime) -> None:
    """Remove what was set aside before a moment; the names say when. What a person put there stays."""
    for path in files(folder):
        try:
            set_aside_at = dt.datetime.strptime(path.name[:_STAMP_LENGTH], _STAMP).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
        if set_aside_at < before:
            path.unlink()


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[None]:
    """Keep other intakes away, on any machine. The database gives the lock up when the session ends."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until = time.monotonic() + _PATIENCE
        while not queries.run(connection, "deletion_requests/intake_lock").scalar_one():
            if time.monotonic() > until:
                raise RequestError(
                    "Another intake of this inbox is under way.", fix="wait until it has ended; it takes every file."
                )
            time.sleep(_PATIENCE / 10)
        try:
            yield
        finally:
            queries.run(connection, "deletion_requests/intake_unlock")

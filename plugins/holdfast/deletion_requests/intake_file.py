"""One CSV file of requests, read as a stream: which rows are requests, and what is wrong with the others.

One line is one row, also where quotation marks do not match: a mark that is never closed would otherwise swallow every
row after it. Memory is bounded by the longest line that is allowed and time by the size of the file, whatever is in it.

UTF-8 with or without a byte order mark is read, and UTF-16 with one. What cannot be decoded is a fault of its row
alone.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from holdfast.deletion_requests import fields
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.fields import OPTIONAL, REQUIRED, Check, Fault, NewRequest
from holdfast.errors import RequestError
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import Intake

MAX_LINE = 8_192
"""Characters of one line. Every field may be as long as a field may be, and be quoted."""
_READ_BYTES = 1 << 20
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class FileRefused(RequestError):
    """A file that is no list of requests, or too large to be one. Nothing of it has been taken in."""

    def __init__(self, check: Check, what: str, fix: str) -> None:
        super().__init__(what, fix=fix, check=check.value)
        self.fault = Fault(check, "", what, fix)


@dataclass(frozen=True)
class Examined:
    """A file that is small enough: the digest of its bytes, and how to decode it."""

    path: Path
    sha256: str
    encoding: str


@dataclass(frozen=True)
class GoodRow:
    """A row that describes a request. Lines are counted from 1, the names of the columns among them."""

    line: int
    request: NewRequest


@dataclass(frozen=True)
class BadRow:
    """A row that does not, and everything that is wrong with it."""

    line: int
    faults: tuple[Fault, ...]


def examine(path: Path, bounds: Intake) -> Examined:
    """Look at the whole of a file without decoding it. Raises FileRefused; one that is too large is not even read."""
    if path.suffix.lower() != ".csv":
        raise FileRefused(Check.FILE_KIND, "The file is not called .csv.", "save it as CSV UTF-8.")
    try:
        size = path.stat().st_size
        if size > bounds.max_file_mib << 20:
            raise FileRefused(
                Check.FILE_SIZE,
                f"The file has {size >> 20} MiB, and {bounds.max_file_mib} are allowed.",
                "split it, or look at what it is.",
            )
        with path.open("rb") as file:
            mark = file.read(2)
            file.seek(0)
            digest = hashlib.sha256()
            ends = [0, 0]
            while block := file.read(_READ_BYTES):
                digest.update(block)
                ends = [ends[0] + block.count(b"\n"), ends[1] + block.count(b"\r")]
    except OSError as error:
        raise FileRefused(
            Check.FILE_KIND, f"The file cannot be read ({error.strerror}).", "correct its permissions."
        ) from error
    if max(ends) > bounds.max_rows + 1:
        raise FileRefused(
            Check.FILE_ROWS, f"The file has more than {bounds.max_rows} rows.", "split it, or look at what it is."
        )
    return Examined(path, digest.hexdigest(), _MARKS.get(mark, "utf-8-sig"))


def read(examined: Examined, policy: Policy, terms: Terms, now: dt.datetime) -> Iterator[GoodRow | BadRow]:
    """The rows of a file in order; empty lines are none. Raises FileRefused, before any row, for other columns."""
    with examined.path.open(encoding=examined.encoding, errors="replace") as file:
        lines = _lines(file)
        columns = _columns(next(lines, (1, ""))[1])
        for line, text in lines:
            if text is None:
                fix = "remove the line, or look at what it is."
                yield _bad(line, Check.LINE_LENGTH, f"the line is longer than {MAX_LINE} characters.", fix)
            elif text.strip():
                yield _row(line, text, columns, policy, terms, now)


def _lines(file: TextIO) -> Iterator[tuple[int, str | None]]:
    """The lines with their numbers; None for one that is too long, of which no more than a piece is ever in memory."""
    number = 0
    while text := file.readline(MAX_LINE + 1):
        number += 1
        if len(text) <= MAX_LINE or text.endswith("\n"):
            yield number, text.removesuffix("\n")
            continue
        while text and not text.endswith("\n"):
            text = file.readline(MAX_LINE)
        yield number, None


def _columns(first_line: str | None) -> Sequence[str]:
    names = [name.strip() for name in _split(first_line) or ()] if first_line else []
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in (*REQUIRED, *OPTIONAL)]
    if first_line is not None and "\x00" in first_line:
        raise FileRefused(Check.FILE_KIND, "The file is not text in UTF-8.", "save it as CSV UTF-8.")
    if missing or unknown or len(set(names)) != len(names):
        what = f"The first line lacks {', '.join(missing)}." if missing else "The first line has other columns as well."
        raise FileRefused(
            Check.FILE_COLUMNS,
            what,
            f"begin the file with {','.join(REQUIRED)} and, if known, {','.join(OPTIONAL)}, with commas between them.",
        )
    return names


def _row(
    line: int, text: str, columns: Sequence[str], policy: Policy, terms: Terms, now: dt.datetime
) -> GoodRow | BadRow:
    cells = _split(text)
    if cells is None:
        fix = "close every quotation mark in its line, and write one within a field twice."
        return _bad(line, Check.LINE_QUOTES, "its quotation marks do not match.", fix)
    if len(cells) != len(columns):
        what = f"it has {len(cells)} fields, and the first line names {len(columns)}."
        return _bad(line, Check.LINE_FIELDS, what, "give every field, and put one with a comma in quotation marks.")
    found = fields.read(dict(zip(columns, cells, strict=True)), policy, terms, now)
    return GoodRow(line, found) if isinstance(found, NewRequest) else BadRow(line, found)


def _split(text: str) -> list[str] | None:
    """The fields of one line; None where its quotation marks do not match."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None


def _bad(line: int, check: Check, what: str, fix: str) -> BadRow:
    return BadRow(line, (Fault(check, "", what, fix),))

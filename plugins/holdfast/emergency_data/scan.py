"""One pass over a file's bytes, in bounded memory: is it whole, in its encoding, and what its header and trailer say?

Nothing is loaded before this has found no fault. A finding names the rule, the line (from 1, the header's) and the
column's number or name. It never holds what stands there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from holdfast.emergency_data.layout import Layout, Line
from holdfast.emergency_data.lines import Value, read_line
from holdfast.errors import ExtractRefused

MOST_LINE_BYTES = 65_536
"""A longer line is no record. It also bounds what this module holds in memory."""

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Finding:
    """A rule for files that a file breaks. `line` and `column` are None where it is the whole file."""

    rule_id: str
    reason: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = "".join(
            f", {what} {value}" for what, value in (("line", self.line), ("column", self.column)) if value is not None
        )
        return f"{self.rule_id} {self.reason}{where}"


@dataclass
class Scan:
    """What was seen. `records` counts detail lines; both digests are hexadecimal SHA-256."""

    sha256: str = ""
    detail_sha256: str = ""
    detail_start: int = 0
    detail_end: int = 0
    size: int = 0
    records: int = 0
    header: Mapping[str, Value] = field(default_factory=dict)
    trailer: Mapping[str, Value] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def scan(path: Path, layout: Layout) -> Scan:
    """Read the file once. Its own faults are in `findings`; those against its surroundings are found elsewhere."""
    seen = Scan(size=path.stat().st_size)
    whole, details = hashlib.sha256(), hashlib.sha256()
    try:
        _read(path, layout, seen, whole, details)
    except ExtractRefused as refused:
        seen.findings.append(cast("Finding", refused.facts["finding"]))
        whole = _digest_of(path)
    seen.sha256, seen.detail_sha256 = whole.hexdigest(), details.hexdigest()
    if not seen.findings:
        seen.findings += _against_the_trailer(seen)
    return seen


def blocks_of_details(path: Path, seen: Scan) -> Iterator[bytes]:
    """The bytes between header and trailer, as they were scanned."""
    with path.open("rb") as file:
        file.seek(seen.detail_start)
        left = seen.detail_end - seen.detail_start
        while left > 0:
            block = file.read(min(_BLOCK_BYTES, left))
            if not block:
                return
            left -= len(block)
            yield block


def _read(path: Path, layout: Layout, seen: Scan, whole: hashlib._Hash, details: hashlib._Hash) -> None:
    """Cut off the first line, hold back the last one, and look at everything in between as it goes by."""
    held_back, lines, at = b"", 0, 0
    for block in _whole_lines(path, layout):
        whole.update(block)
        _check_bytes(layout, block, lines)
        lines_here = block.count(layout.end)
        start = 0
        if lines == 0:
            start = block.index(layout.end) + len(layout.end)
            seen.header = _edge(layout, layout.header, block[:start], 1, seen, "F001")
            seen.detail_start = start
        # The last line of this block may be the file's, and then it is the trailer.
        cut = block.rfind(layout.end, start, len(block) - len(layout.end))
        cut = cut + len(layout.end) if cut >= 0 else start
        if cut < len(block):
            _add(layout, held_back + block[start:cut], seen, details)
            held_back = block[cut:]
        lines += lines_here
        at += len(block)
    if lines == 0:
        raise _refusal(Finding("F017", "empty_file"))
    if not held_back:
        raise _refusal(Finding("F005", "no_trailer", lines))
    seen.trailer = _edge(layout, layout.trailer, held_back, lines, seen, "F005")
    seen.detail_end = at - len(held_back)


def _add(layout: Layout, lines: bytes, seen: Scan, details: hashlib._Hash) -> None:
    if lines:
        details.update(lines)
        _check_lines(layout, lines, seen.records)
        seen.records += lines.count(layout.end)


def _whole_lines(path: Path, layout: Layout) -> Iterator[bytes]:
    """Blocks that end where a line ends. Raises for a line without an end, at the end of the file or anywhere."""
    carry, lines = b"", 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            block = carry + block
            cut = block.rfind(layout.end) + len(layout.end)
            if cut < len(layout.end):
                cut = 0
            whole, carry = block[:cut], block[cut:]
            lines += whole.count(layout.end)
            if len(carry) > MOST_LINE_BYTES:
                raise _refusal(Finding("F018", "line_too_long", lines + 1))
            if whole:
                yield whole
    if carry:
        if not carry.translate(None, b"\x00"):
            raise _refusal(Finding("F014", "nul_bytes_at_the_end", lines + 1, "1"))
        _name_the_byte(layout, carry.removesuffix(layout.end[:-1]), lines)  # a file of other bytes is not a cut one
        raise _refusal(Finding("F015", "truncated", lines + 1))


def _check_bytes(layout: Layout, block: bytes, lines_before: int) -> None:
    """Nothing but allowed bytes and whole line ends."""
    others = block.translate(None, layout.allowed_bytes)
    if others != layout.end * (len(others) // len(layout.end)):
        _name_the_byte(layout, block, lines_before)
    if layout.encoding == "utf-8":
        _check_utf8(layout, block, lines_before)


def _name_the_byte(layout: Layout, block: bytes, lines_before: int) -> None:
    for number, line in enumerate(block.split(layout.end), start=lines_before + 1):
        stripped = line.translate(None, layout.allowed_bytes)
        if stripped:
            raise _refusal(Finding("F014", "byte_not_allowed", number, str(line.index(stripped[:1]) + 1)))


def _check_utf8(layout: Layout, block: bytes, lines_before: int) -> None:
    pattern = re.compile(layout.allowed)
    for number, line in enumerate(block.split(layout.end), start=lines_before + 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _refusal(Finding("F014", "not_utf_8", number, str(error.start + 1))) from None
        if not text.isascii() and (bad := next((n for n, c in enumerate(text) if not pattern.fullmatch(c)), -1)) >= 0:
            raise _refusal(Finding("F014", "character_not_allowed", number, str(bad + 1)))


def _check_lines(layout: Layout, lines: bytes, records_before: int) -> None:
    """Each line is a detail, and in a fixed layout as wide as it must be."""
    mark = layout.detail.mark.encode() + (layout.separator or "").encode()
    end = layout.end
    width = layout.width if layout.is_fixed else None
    # Fast where all is well: as many lines begin with the mark as there are lines.
    if width is None and lines.count(end + mark) + lines.startswith(mark) == lines.count(end):
        return
    for number, line in enumerate(lines[: -len(end)].split(end), start=records_before + 2):
        if not line.startswith(mark):
            raise _refusal(Finding("F016", "not_a_detail", number))
        if width is not None and len(line) != width:
            raise _refusal(Finding("F016", "width", number))


def _edge(layout: Layout, line: Line, raw: bytes, number: int, seen: Scan, rule_id: str) -> dict[str, Value]:
    text = raw[: -len(layout.end)].decode(layout.encoding)
    if not text.startswith(line.mark):
        raise _refusal(Finding(rule_id, "missing", number))
    values, faults = read_line(layout, line, text)
    seen.findings += [Finding(rule_id, fault.reason, number, fault.column) for fault in faults]
    return values


def _against_the_trailer(seen: Scan) -> list[Finding]:
    findings = []
    if seen.trailer.get("records") != seen.records:
        findings.append(Finding("F006", "record_count_differs", seen.records + 2, "records"))
    if seen.trailer.get("checksum") != seen.detail_sha256:
        findings.append(Finding("F008", "checksum_differs", seen.records + 2, "checksum"))
    return findings


def _refusal(finding: Finding) -> ExtractRefused:
    """What ends a scan: nothing behind the fault is worth looking at."""
    return ExtractRefused(f"The file breaks {finding}.", fix="have it sent again, whole.", finding=finding)


def _digest_of(path: Path) -> hashlib._Hash:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")

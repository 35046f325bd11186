"""A file against its surroundings: is it the one that must come next, from the right sender, of the right day? Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import cast

from holdfast.emergency_data.bounds import FileBounds
from holdfast.emergency_data.scan import Finding, Scan

_HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Surroundings:
    """What is known before a file is looked at. `last_sequence` is the last number taken; None: none yet."""

    last_sequence: int | None
    today: dt.date
    now: dt.datetime


def against_surroundings(seen: Scan, name: re.Match[str], known: Surroundings, bounds: FileBounds) -> list[Finding]:
    """What is wrong with a file that is whole in itself. Its header has been read without a fault."""
    findings = [*name_differs(seen, name), *_sequence(seen, known)]
    business_date = cast("dt.date", seen.header["business_date"])
    age = (known.today - business_date).days
    if age > bounds.oldest_business_date_days:
        findings.append(Finding("F004", "business_date_too_old", 1, "business_date"))
    if age < 0:
        findings.append(Finding("F004", "business_date_in_the_future", 1, "business_date"))
    generated_at = cast("dt.datetime | None", seen.header.get("generated_at"))
    if generated_at is not None and generated_at > known.now + _HOUR:
        findings.append(Finding("F020", "made_in_the_future", 1, "generated_at"))
    if generated_at is not None and known.now - generated_at > bounds.oldest_generated_hours * _HOUR:
        findings.append(Finding("F020", "made_too_long_ago", 1, "generated_at"))
    if seen.records == 0 and seen.header["extract_type"] == "FULL":
        findings.append(Finding("F009", "full_extract_without_records"))
    return findings


def comes_early(seen: Scan, known: Surroundings) -> bool:
    """Whether a file before this one is still to come. It is left where it lies, and looked at again."""
    sequence = cast("int", seen.header["sequence"])
    return known.last_sequence is not None and sequence > known.last_sequence + 1


def name_differs(seen: Scan, name: re.Match[str]) -> list[Finding]:
    """F002: the sender of the header is another one than that of the name; F019: so is the number or the day."""
    found = []
    parts = name.groupdict()
    if seen.header["provider"] != parts["provider"]:
        found.append(Finding("F002", "another_provider_than_the_name", 1, "provider"))
    if seen.header["sequence"] != int(parts["sequence"]):
        found.append(Finding("F019", "another_sequence_than_the_name", 1, "sequence"))
    day = cast("dt.date", seen.header["business_date"])
    if "business_date" in parts and f"{day:%Y%m%d}" != parts["business_date"]:
        found.append(Finding("F019", "another_day_than_the_name", 1, "business_date"))
    return found


def _sequence(seen: Scan, known: Surroundings) -> list[Finding]:
    sequence = cast("int", seen.header["sequence"])
    previous = seen.header.get("previous_sequence")
    if known.last_sequence is not None and sequence <= known.last_sequence:
        return [Finding("F003", "sequence_repeated", 1, "sequence")]
    if known.last_sequence is not None and sequence > known.last_sequence + 1:
        return [Finding("F003", "sequence_gap", 1, "sequence")]
    if previous is not None and known.last_sequence is not None and previous != known.last_sequence:
        return [Finding("F003", "another_predecessor", 1, "previous_sequence")]
    return []

"""Write a file of a layout: header, details as they come, trailer with counts and checksum. Whole or not at all.

The details are bytes that the database has formatted; nothing here looks at a record. The last bytes to be known stand
in the trailer, so one pass is enough and memory stays small.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.lines import write_line
from holdfast.store import AnyPath, private_folder, whole_file


@dataclass(frozen=True)
class Head:
    """What a header says."""

    provider: str
    sequence: int
    previous_sequence: int
    extract_type: str
    business_date: dt.date
    generated_at: dt.datetime


@dataclass(frozen=True)
class Totals:
    """What a trailer says besides the checksum. `control_total`: the sum of the last six digits of all numbers."""

    records: int
    inserts: int
    amends: int
    ceases: int
    control_total: int


@dataclass(frozen=True)
class WrittenFile:
    """A finished file: `sha256` of all of it, `detail_sha256` of the lines between header and trailer."""

    path: AnyPath
    sha256: str
    detail_sha256: str
    size: int


def write(folder: AnyPath, layout: Layout, head: Head, totals: Totals, details: Iterable[bytes]) -> WrittenFile:
    """Write the file into `folder`, under the name that its layout gives it, readable by its owner alone."""
    path = private_folder(folder) / layout.name_of(head.provider, head.sequence, head.business_date)
    whole, middle = hashlib.sha256(), hashlib.sha256()
    size = 0
    with whole_file(path) as file:

        def put(block: bytes) -> None:
            nonlocal size
            whole.update(block)
            size += len(block)
            file.write(block)

        put(write_line(layout, layout.header, vars(head)))
        for block in details:
            middle.update(block)
            put(block)
        put(write_line(layout, layout.trailer, {**vars(totals), "checksum": middle.hexdigest()}))
    return WrittenFile(path, whole.hexdigest(), middle.hexdigest(), size)

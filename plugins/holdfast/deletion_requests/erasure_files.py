"""What a run erased, in a file outside the database, by pseudonym: an older backup of the database does not know it.

A file leads to erasures, so its name has a code made with the key of all pseudonyms; if that does not fit, it is not
read. It names no subject to whoever lacks the key. Keep a file for as long as a backup from before its day is kept.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

import sqlalchemy as sa

from holdfast import queries
from holdfast.enforcement.runs import Run
from holdfast.errors import LedgerError
from holdfast.evidence.pseudonyms import PREFIX, hmac_pads, pseudonym
from holdfast.store import AnyPath, files, here, private_folder, whole_file

READ_AT_ONCE = 2_000
RECORD = "record"
"""The purpose of the pseudonyms of single records, made of dataset#key."""
_PURPOSE = "file of erasures"
_NAME = re.compile(r"[a-z_]+-(?P<day>\d{4}-\d{2}-\d{2})-run\d+-(?P<code>[0-9a-f]{32})\.jsonl")


def write(
    connection: sa.Connection, run: Run, folder: AnyPath, key: bytes, written_alike: Collection[str]
) -> AnyPath | None:
    """Write the file of a run, readable by its owner alone, whole or not at all; its path, or None without erasures.

    The same erasures give the same file under the same name. `written_alike` are the datasets whose keys have one
    spelling: single records of them are named, by pseudonym.
    """
    digest, lines = hashlib.sha256(), 0
    statement = queries.query("deletion_requests/erasure_lines").execution_options(yield_per=READ_AT_ONCE)
    inner, outer = hmac_pads(key, RECORD)
    pads = {"inner_pad": inner, "outer_pad": outer}
    values = {"run_id": run.run_id, "written_alike": sorted(written_alike), **pads}
    with tempfile.TemporaryFile() as made:  # its name has its digest, so it is made before it has one
        with connection.execute(statement, values) as rows:
            for row in rows.mappings():
                line = (json.dumps(dict(row), default=dt.datetime.isoformat, sort_keys=True) + "\n").encode()
                digest.update(line)
                made.write(line)
                lines += 1
        if not lines:
            return None
        name = f"{run.job}-{run.as_of_date.isoformat()}-run{run.run_id}-{_code(key, digest.hexdigest())}.jsonl"
        path = private_folder(folder) / name
        made.seek(0)
        with whole_file(path) as file:
            shutil.copyfileobj(made, file)
    return path


def read(folder: AnyPath, since: dt.date, key: bytes) -> Iterator[list[str]]:
    """The lines of every file of that day or later, as they stand, some thousand at a time.

    Raises LedgerError for a file that somebody altered, or that was written with another key.
    """
    for path in files(folder, ".jsonl"):
        found = _NAME.fullmatch(path.name)
        with here(path) as copy:
            if found is None or found["code"] != _code(key, _digest(copy)):
                raise LedgerError(
                    f"{path.name} is not a file of erasures as it was written with this key.",
                    fix="restore it from its own backup, or move it aside and find out who changed it.",
                )
            if dt.date.fromisoformat(found["day"]) < since:
                continue
            with copy.open(encoding="utf-8") as lines:
                while some := list(itertools.islice(lines, READ_AT_ONCE)):
                    yield some


def _code(key: bytes, digest: str) -> str:
    return pseudonym(key, _PURPOSE, digest).removeprefix(PREFIX)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""What the authority sends: its answers, and reports of 999 calls from numbers without data.

A file that is none of these is kept, and stops no other.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import sqlalchemy as sa

from holdfast import database
from holdfast.emergency_data import calls, inputs, responses
from holdfast.emergency_data.taking_in import Folders, waiting_files
from holdfast.errors import ExtractRefused
from holdfast.evidence import ledger
from holdfast.settings import Settings
from holdfast.store import AnyPath, here, move

Result = dict[str, Any]
_log = logging.getLogger(__name__)


def read_responses(engine: sa.Engine, settings: Settings) -> Result:
    """Match what the authority answered. A response that cannot be matched is kept, and stops no other.

    Raises ExtractRefused at the end if there was such a one.
    """
    folders = Folders.below(settings.emergency)
    now = inputs.now(engine)
    total = {"read": 0, "accepted": 0, "rejected": 0, "unmatched": 0}
    refused = 0
    for path in waiting_files(folders.responses):
        try:
            with database.transaction(engine) as connection:
                matched = responses.apply(connection, responses.read(path), now)
        except ExtractRefused as refusal:
            refused += 1
            _keep_refused(engine, folders, path, "response_refused", refusal)
            continue
        total["read"] += matched.is_new
        for name in ("accepted", "rejected", "unmatched"):
            total[name] += getattr(matched, name)
        move(path, folders.received / path.name)
    _require_none(refused, "answers of the authority")
    return total


def read_calls(engine: sa.Engine, settings: Settings) -> Result:
    """Read the reports of 999 calls from numbers without data. A file that is none is kept, and stops no other.

    Raises ExtractRefused at the end if there was such a one.
    """
    folders = Folders.below(settings.emergency)
    now = inputs.now(engine)
    new = refused = 0
    for path in waiting_files(folders.calls):
        try:
            reported = calls.read(path, now)
        except ExtractRefused as refusal:
            refused += 1
            _keep_refused(engine, folders, path, "calls_refused", refusal)
            continue
        with database.transaction(engine) as connection:
            new += calls.store(connection, reported, _digest_of(path), now)
        move(path, folders.received / path.name)
    _require_none(refused, "reports of calls without data")
    return {"new": new}


def _keep_refused(engine: sa.Engine, folders: Folders, path: AnyPath, kind: str, refused: ExtractRefused) -> None:
    digest = _digest_of(path)
    with database.transaction(engine) as connection:
        ledger.append(connection, kind, {"file": f"sha256:{digest}"})
    move(path, folders.refused / f"{digest[:12]}-{path.name}")
    _log.error("%s", refused)


def _require_none(refused: int, what: str) -> None:
    if refused:
        raise ExtractRefused(
            f"{refused} files of {what} could not be read.",
            fix="look into the folder `refused`, and ask for them again; the others were read.",
            refused=refused,
        )


def _digest_of(path: AnyPath) -> str:
    with here(path) as copy, copy.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Rows that stand for files: the file goes before its row, so that no file is left that no row knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from holdfast import database
from holdfast.enforcement.predicate import statements
from holdfast.errors import FileRemains
from holdfast.evidence import ledger

if TYPE_CHECKING:
    from holdfast.enforcement.execute import Work

ROWS_PER_BATCH = 100
"""No hold can be placed while the files of a batch go, which takes a remote store some time for each."""


def delete(work: Work, connection: sa.Connection, blocks: dict[str, str]) -> int:
    """Delete the due files of these blocks and then their rows; the rows deleted.

    A file cannot be taken back, so the register of holds must be locked already, and the intent is in the ledger
    before the first one goes, in a transaction of its own. A file that is already gone counts as gone. Raises
    FileRemains if one cannot be removed: its row stays, and so do the others of the batch until the next attempt.
    """
    due = connection.execute(statements.due_files(work.predicate), blocks).all()
    if not due:
        return 0
    _intend(work, len(due))
    work.reached("files.intended")
    remaining = sum(not _remove(row.url) for row in due)
    work.reached("files.removed")
    if remaining:
        raise FileRemains(
            f"{remaining} of {len(due)} files of {work.predicate.dataset} could not be removed.",
            fix="make the object store reachable and writable, then let the task run again.",
            dataset=work.predicate.dataset,
            files=remaining,
        )
    places = {"places": [row.place for row in due]}
    return connection.execute(statements.delete_places(work.predicate), places).rowcount


def _intend(work: Work, number: int) -> None:
    with database.transaction(work.engine) as connection:
        facts: dict[str, ledger.JSON] = {
            "rule": work.shard.rule_id,
            "dataset": work.predicate.dataset,
            "files": number,
        }
        ledger.append(connection, "file_batch_intended", facts, work.shard.run_id)


def _remove(url: str | None) -> bool:
    """Whether the file is gone now. A row without an address has no file."""
    if not url:
        return True
    import fsspec.core  # heavy, and only some datasets have files

    try:
        filesystem, path = fsspec.core.url_to_fs(url)
        filesystem.rm_file(path)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True

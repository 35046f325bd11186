"""Rows that stand for files: the file goes before its row, so that no file is left that no row knows of."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import sqlalchemy as sa

from holdfast import database
from holdfast.enforcement.predicate import statements
from holdfast.errors import FileRemains
from holdfast.evidence import ledger

if TYPE_CHECKING:
    from holdfast.enforcement.execute import Work

ROWS_PER_BATCH = 1_000
"""No hold can be placed while the files of a batch go. So many an object store deletes with one request."""


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
    others = statements.has_plain_addresses(work.predicate)
    is_mixed = any(_in_percents(row.url) for row in due) and connection.execute(others).scalar_one()
    remaining = _remove((row.url for row in due), is_mixed=is_mixed)
    work.reached("files.removed")
    if remaining:
        raise FileRemains(
            f"{remaining} of {len(due)} files of {work.predicate.dataset} could not be removed.",
            fix="make the object store reachable and writable, and addresses on a disk all in percent notation or none;"
            " then let the task run again.",
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


def _in_percents(url: str | None) -> bool:
    return url is not None and url.startswith("file:") and "%" in url


def _remove(urls: Iterable[str | None], *, is_mixed: bool) -> int:
    """Remove files, those of a store together; how many remain. A row without an address has no file."""
    remaining = 0
    stores: dict[Any, list[str]] = {}
    for url in filter(None, urls):
        try:
            filesystem, path = _place(url, is_mixed=is_mixed)
        except (OSError, ValueError):
            remaining += 1
        else:
            stores.setdefault(filesystem, []).append(path)
    return remaining + sum(_remove_from(filesystem, paths) for filesystem, paths in stores.items())


def _place(url: str, *, is_mixed: bool) -> tuple[Any, str]:
    """The store of a file, and its name there. Raises ValueError if nobody can say which of two files is meant.

    fsspec takes `%20` in the URL of a file on disk for itself; whoever wrote it as RFC 8089 has it meant a space.
    """
    import fsspec.core  # heavy, and only some datasets have files

    filesystem, path = fsspec.core.url_to_fs(url)
    if not _in_percents(url):
        return filesystem, path
    # `is_mixed`: the file under the other name may be that of a row whose address is meant as it stands, and is held.
    found = [name for name in (path, os.fsdecode(unquote_to_bytes(path))) if os.path.lexists(name)]
    if len(found) > 1 or (is_mixed and found and found != [path]):
        raise ValueError("two files, or perhaps that of a row which writes its address as it stands")
    return filesystem, found[0] if found else path


def _remove_from(filesystem: Any, paths: Sequence[str]) -> int:
    """From one store; how many remain. Never by `rm`, which on S3 is silent about a file that it could not delete.

    Nor would `rm` take a name with `*`, `?` or `[` for itself, but for a pattern.
    """
    if "s3" in filesystem.protocol:
        return _in_bulk(filesystem, paths)
    if filesystem.async_impl:
        from fsspec.asyn import sync

        outcomes = sync(filesystem.loop, _at_once, filesystem, paths)
        return sum(isinstance(one, Exception) and not isinstance(one, FileNotFoundError) for one in outcomes)
    return sum(not _is_gone(filesystem, path) for path in paths)


def _in_bulk(filesystem: Any, paths: Sequence[str]) -> int:
    """From S3, with one request for each bucket and thousand files: the answer names those that it did not delete."""
    buckets: dict[str, list[str]] = {}
    for path in paths:
        bucket, _, key = path.partition("/")
        buckets.setdefault(bucket, []).append(key)
    remaining = 0
    for bucket, keys in buckets.items():
        for first in range(0, len(keys), ROWS_PER_BATCH):
            some = keys[first : first + ROWS_PER_BATCH]
            wanted = {"Objects": [{"Key": key} for key in some], "Quiet": True}
            try:
                answer = filesystem.call_s3("delete_objects", Bucket=bucket, Delete=wanted)
            except (OSError, ValueError):
                remaining += len(some)
            else:
                remaining += len(answer.get("Errors", ()))
    return remaining


async def _at_once(filesystem: Any, paths: Sequence[str]) -> list[Any]:
    return await asyncio.gather(*(filesystem._rm_file(path) for path in paths), return_exceptions=True)


def _is_gone(filesystem: Any, path: str) -> bool:
    """Remove one file; whether it is gone now."""
    try:
        filesystem.rm_file(path)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True

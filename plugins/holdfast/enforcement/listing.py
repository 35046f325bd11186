"""The objects below a folder of a store, page by page: never the names of all of them at once."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.errors import StoreUnlisted
from holdfast.store import AnyPath

if TYPE_CHECKING:
    from upath import UPath

PAGE = 1_000
"""So many objects S3 lists with one request."""
_MODIFIED = ("mtime", "LastModified", "last_modified", "updated", "created")
"""Under which names the kinds of store of fsspec tell when an object was written."""


class Listed(NamedTuple):
    """An object: its address, as the bytes that its store has, and when it was written, by the store's own clock."""

    address: bytes
    modified: dt.datetime


def pages(folder: AnyPath) -> Iterator[list[Listed]]:
    """All objects in a folder and below it. Raises StoreUnlisted, after any number of pages, if that cannot be said.

    A link is an object and is not followed. An object that goes meanwhile may be left out.
    """
    found = _on_disk(folder) if isinstance(folder, Path) else _in_s3(folder) if _is_s3(folder) else _elsewhere(folder)
    try:
        while page := list(itertools.islice(found, PAGE)):
            yield page
    except Exception as error:
        reason = type(error).__name__
        raise StoreUnlisted(
            f"{folder} could not be listed to its end ({reason}).",
            fix="make it reachable and readable for the jobs, or correct `folders` in policy/data_map.yaml.",
            reason=reason,
        ) from error


def _on_disk(root: Path) -> Iterator[Listed]:
    entered = [os.scandir(os.fsencode(root))]
    try:
        while entered:
            entry = next(entered[-1], None)
            try:
                if entry is None:
                    entered.pop().close()
                elif entry.is_dir(follow_symlinks=False):
                    entered.append(os.scandir(entry.path))
                else:
                    yield Listed(entry.path, _instant({"mtime": entry.stat(follow_symlinks=False).st_mtime}))
            except FileNotFoundError:
                continue  # it has just gone
    finally:
        for one in entered:
            one.close()


def _is_s3(folder: UPath) -> bool:
    return "s3" in folder.fs.protocol


def _in_s3(folder: UPath) -> Iterator[Listed]:
    """By requests of our own: s3fs would put the list of a whole bucket together before it gave any of it."""
    bucket, _, name = folder.path.rstrip("/").partition("/")
    wanted = {"Bucket": bucket, "Prefix": f"{name}/" if name else ""}
    while True:
        answer = folder.fs.call_s3("list_objects_v2", **wanted)
        for one in answer.get("Contents", ()):
            if one["Size"] or not one["Key"].endswith("/"):  # else it stands for a folder, and has nothing in it
                yield Listed(f"s3://{bucket}/{one['Key']}".encode(), _instant(one))
        if not answer.get("IsTruncated"):
            return
        wanted["ContinuationToken"] = answer["NextContinuationToken"]


def _elsewhere(folder: UPath) -> Iterator[Listed]:
    """Folder by folder. Not by fsspec's `walk`, which leaves out a folder that it cannot list and says nothing."""
    root, waiting = str(folder).rstrip("/"), [folder.path]
    while waiting:
        path = waiting.pop()
        for one in folder.fs.ls(path, detail=True):
            if one["type"] == "directory":
                waiting.append(one["name"])
            else:
                yield Listed(f"{root}/{one['name'].removeprefix(folder.path).lstrip('/')}".encode(), _instant(one))


def _instant(facts: Mapping[str, Any]) -> dt.datetime:
    """When an object was last written. Raises ValueError for a store that does not tell."""
    value = next((facts[name] for name in _MODIFIED if facts.get(name) is not None), None)
    if isinstance(value, (int, float)):
        return dt.datetime.fromtimestamp(value, dt.UTC)
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        raise ValueError("no time")
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)

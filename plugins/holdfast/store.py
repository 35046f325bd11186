"""Where what is kept lies: a folder of this machine, or an object store that several machines share.

Reports, seals, inboxes and letters are written by one task and read by another, perhaps on another machine. A path is
one of `pathlib`, or for an object store universal-pathlib's `UPath`, which has the same methods; only where the two
differ is there a function here. On a disk a file appears whole by being renamed, in an object store because a put is
atomic. Files and folders of a disk are for their owner alone; who may read a store, its own rights have to say.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias
from urllib.parse import unquote, urlsplit

from holdfast.errors import SettingsError

if TYPE_CHECKING:
    from upath import UPath

AnyPath: TypeAlias = "Path | UPath"

PARTIAL_PREFIX, PARTIAL_SUFFIX = ".", ".partial"


def at(url: str) -> AnyPath:
    """The place at a URL such as s3://bucket/holdfast or file:///var/lib/holdfast, or at a path.

    Raises SettingsError for one that is relative, or of a kind that no installed package can reach.
    """
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        path = Path(unquote(parts.path) if parts.scheme else url)
        if not path.is_absolute() or parts.netloc:
            raise SettingsError(f"{url} is no whole path.", fix="write file:///folder, or the URL of an object store.")
        return path
    from upath import UPath  # heavy, and few have more than one machine

    try:
        found = UPath(url, use_listings_cache=False)  # another machine's files must be seen as well
        found.fs  # noqa: B018 # made now, so that a package that is missing is missed now
    except (ImportError, ValueError) as error:
        raise SettingsError(
            f"Nothing here can reach {parts.scheme}:// ({type(error).__name__}).",
            fix="install the package of fsspec for it, such as s3fs, gcsfs or adlfs.",
        ) from None
    return found


def private_folder(root: AnyPath, parts: tuple[str, ...] = ()) -> AnyPath:
    """The folder, made where it is missing, for its owner alone. `mkdir(parents=True)` would leave the upper ones open.

    An object store has no folders to make.
    """
    folder = root.joinpath(*parts)
    if isinstance(folder, Path):
        for one in (*reversed(folder.parents), folder):
            one.mkdir(mode=0o700, exist_ok=True)
    return folder


def files(folder: AnyPath, ending: str = "", *, hidden: bool = False) -> list[AnyPath]:
    """The files in a folder, not below it, in the order of their names; none if there is no such folder.

    Hidden ones are what somebody is still writing, or was writing when he died.
    """
    if isinstance(folder, Path):
        names = [path.name for path in folder.glob("*") if path.is_file()]
    else:
        names = [str(path).rpartition("/")[2] for path in folder.fs.find(folder.path, maxdepth=1)]
    wanted = (name for name in names if name.endswith(ending) and (hidden or not name.startswith(".")))
    return [folder / name for name in sorted(wanted)]


def write_whole(path: AnyPath, content: bytes) -> None:
    """Write a file, readable by its owner alone, whole or not at all, and durable."""
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: AnyPath) -> Iterator[BinaryIO]:
    """The same for what is written bit by bit: the file is there, under its name, once the block has ended well."""
    if not isinstance(path, Path):
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / path.name
            with made.open("wb") as file:
                yield file
            path.fs.put_file(str(made), path.path)
        return
    descriptor, partial = tempfile.mkstemp(PARTIAL_SUFFIX, PARTIAL_PREFIX, path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    sync(path.parent)


@contextmanager
def here(path: AnyPath) -> Iterator[Path]:
    """A file on this machine's disk, for what reads it several times: itself, or a copy for the length of the block."""
    if isinstance(path, Path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:  # for its owner alone
        copy = Path(folder) / path.name
        path.fs.get_file(path.path, str(copy))
        yield copy


def move(path: AnyPath, target: AnyPath) -> None:
    """Give a file another name, in place of what had it. In an object store a crash within it leaves both."""
    if isinstance(path, Path):
        path.replace(str(target))
    else:
        path.rename(target)


def remove(folder: AnyPath) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if isinstance(folder, Path):
        if folder.exists():
            shutil.rmtree(folder)
    elif folder.fs.exists(folder.path):
        folder.fs.rm(folder.path, recursive=True)


def sync(folder: AnyPath) -> None:
    """Make names in a folder durable; those of an object store are."""
    if isinstance(folder, Path):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

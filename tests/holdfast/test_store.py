"""A folder of a disk and an object store do the same: whole files, in order, and nothing that others miss."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from tests.holdfast import object_store

from holdfast import store
from holdfast.errors import SettingsError
from holdfast.store import AnyPath


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with object_store.s3() as url:
        yield url


@pytest.fixture(params=["disk", "memory", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> AnyPath:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return store.at(f"{object_store.bucket()}/holdfast")
    return store.at(str(tmp_path / "store") if request.param == "disk" else f"memory://{secrets.token_hex(4)}")


def test_a_file_is_there_whole_once_it_is_written_and_not_before(root: AnyPath) -> None:
    folder = store.private_folder(root, ("reports", "one"))
    with store.whole_file(folder / "a.txt") as file:
        file.write(b"half")
        assert store.files(folder) == []
        file.write(b" and half")
    assert (folder / "a.txt").read_bytes() == b"half and half"
    store.write_whole(folder / "a.txt", b"again")
    assert (folder / "a.txt").read_bytes() == b"again"
    assert store.files(folder, hidden=True) == [folder / "a.txt"]


def test_a_failure_leaves_what_was_there(root: AnyPath) -> None:
    folder = store.private_folder(root)
    store.write_whole(folder / "a.txt", b"before")
    with pytest.raises(ZeroDivisionError), store.whole_file(folder / "a.txt") as file:
        file.write(bytes([1 // len(b"")]))
    assert (folder / "a.txt").read_bytes() == b"before"
    assert [path.name for path in store.files(folder, hidden=True)] == ["a.txt"]


def test_files_are_those_of_a_folder_alone_in_the_order_of_their_names(root: AnyPath) -> None:
    assert store.files(root / "nowhere") == []
    for parts in (("b.json",), ("a.json",), ("c.txt",), (".hidden.json",), ("below", "d.json")):
        store.write_whole(store.private_folder(root, parts[:-1]) / parts[-1], b"x")
    assert [path.name for path in store.files(root)] == ["a.json", "b.json", "c.txt"]
    assert [path.name for path in store.files(root, ".json")] == ["a.json", "b.json"]
    assert [path.name for path in store.files(root, ".json", hidden=True)] == [".hidden.json", "a.json", "b.json"]


def test_a_copy_is_here_for_as_long_as_it_is_needed(root: AnyPath) -> None:
    store.write_whole(store.private_folder(root) / "a.txt", b"text")
    with store.here(root / "a.txt") as copy:
        assert copy.read_bytes() == b"text"
        assert copy.name == "a.txt"
    assert copy.exists() == isinstance(root, Path)


def test_a_file_takes_another_name_in_place_of_what_had_it(root: AnyPath) -> None:
    store.private_folder(root, ("done",))
    store.write_whole(root / "a.txt", b"new")
    store.write_whole(root / "done" / "a.txt", b"old")
    store.move(root / "a.txt", root / "done" / "a.txt")
    assert store.files(root) == []
    assert (root / "done" / "a.txt").read_bytes() == b"new"


def test_a_folder_goes_with_all_that_is_in_it(root: AnyPath) -> None:
    store.write_whole(store.private_folder(root, ("letters", "7", "outcome")) / "letter.html", b"x")
    store.write_whole(store.private_folder(root, ("letters", "77")) / "letter.html", b"x")
    store.remove(root / "letters" / "7")
    store.remove(root / "letters" / "never")
    assert not (root / "letters" / "7").exists()
    assert (root / "letters" / "77" / "letter.html").read_bytes() == b"x"


def test_on_a_disk_everything_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = store.private_folder(tmp_path / "store", ("a", "b")) / "file"
    store.write_whole(path, b"x")
    assert path.stat().st_mode & 0o777 == 0o600
    assert {one.stat().st_mode & 0o777 for one in (path.parent, path.parent.parent, tmp_path / "store")} == {0o700}


def test_what_another_machine_has_written_since_is_seen(s3: str) -> None:
    root = store.at(f"{s3}/shared")
    assert store.files(root) == []
    others = fsspec.filesystem("s3", skip_instance_cache=True)
    others.pipe_file(f"{root.path}/late.csv", b"x")  # type: ignore[union-attr]
    assert [path.name for path in store.files(root)] == ["late.csv"]


@pytest.mark.parametrize("url", ["file:///var/lib/hold%20fast", "/var/lib/hold fast"])
def test_a_folder_of_this_machine_may_be_named_as_a_url(url: str) -> None:
    assert store.at(url) == Path("/var/lib/hold fast")


@pytest.mark.parametrize("url", ["reports", "file:reports", "file://other/reports", "nobodys://bucket/x"])
def test_what_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        store.at(url)

"""Objects that no row knows of are counted, in whichever spelling a row has them; what cannot be listed is no zero."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.holdfast import object_store
from tests.holdfast.retention.chain import Chain, add_archive
from tests.holdfast.retention.shop import NEW, Document, Shop
from typer.testing import CliRunner

from holdfast import settings
from holdfast.commands import retention
from holdfast.enforcement import listing, objects
from holdfast.enforcement.objects import Counted
from holdfast.errors import ObjectsWithoutRow, PolicyError, StoreUnlisted
from holdfast.retention import steps
from holdfast.store import at

NOW = dt.datetime.now(tz=dt.UTC)
LONG_AGO = dt.timedelta(days=3)


@pytest.fixture
def folder(shop: Shop, tmp_path: Path) -> Path:
    """Where the shop's photos lie, as its data map says."""
    made = tmp_path / "photos"
    made.mkdir()
    name(shop, str(made))
    return made


def name(shop: Shop, *folders: str, dataset: str = "photos", url: str = "url") -> None:
    """Let the data map say where a dataset's objects lie."""

    def edit(documents: dict[str, Document]) -> None:
        documents["data_map"]["datasets"]["photos"]["files"]["folders"] = list(folders)
        documents["data_map"]["datasets"][dataset]["files"] = {"url": url, "folders": list(folders)}

    shop.set_policy(edit)


def put(folder: Path, name: str | bytes, *, age: dt.timedelta = LONG_AGO) -> Path:
    """An object that was written so long ago."""
    file = folder / os.fsdecode(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a picture")
    os.utime(file, (0, (NOW - age).timestamp()))
    return file


def row(shop: Shop, url: str | None) -> None:
    shop.add("photo", {"photo_id": str(uuid.uuid4()), "customer_no": 1, "taken_on": NEW, "url": url})


def count(shop: Shop) -> list[Counted]:
    return objects.count(shop.engine, shop.settings, shop.policy, now=NOW)


def listed(shop: Shop) -> list[str]:
    with objects.names(shop.engine, shop.settings, shop.policy, "photos", now=NOW) as found:
        return [one.address.decode(errors="replace") for one in found]


def test_an_object_without_a_row_is_counted_and_stays(shop: Shop, folder: Path) -> None:
    known, stray = put(folder, "1.jpg"), put(folder, "2.jpg")
    row(shop, known.as_uri())
    assert count(shop) == [Counted("photos", 2, 1)]
    assert listed(shop) == [str(stray)]
    assert known.exists()
    assert stray.exists()


def test_an_object_younger_than_a_day_may_have_its_row_to_come(shop: Shop, folder: Path) -> None:
    row(shop, put(folder, "1.jpg").as_uri())
    put(folder, "2.jpg", age=objects.LEAST_AGE - dt.timedelta(minutes=1))
    assert count(shop) == [Counted("photos", 2, 0)]
    put(folder, "2.jpg", age=objects.LEAST_AGE + dt.timedelta(minutes=1))
    assert count(shop) == [Counted("photos", 2, 1)]


def test_a_row_without_an_address_knows_of_no_object(shop: Shop, folder: Path) -> None:
    put(folder, "1.jpg")
    row(shop, None)
    row(shop, "")
    assert count(shop) == [Counted("photos", 1, 1)]


def test_what_lies_deeper_is_hidden_or_a_link_is_an_object_and_a_folder_is_none(shop: Shop, folder: Path) -> None:
    row(shop, put(folder, "1.jpg").as_uri())
    put(folder, "a/b/c/2.jpg")
    put(folder, ".3.jpg.partial")
    (folder / "empty").mkdir()
    (folder.parent / "elsewhere").mkdir()
    put(folder.parent / "elsewhere", "4.jpg")
    link = folder / "link"
    link.symlink_to(folder.parent / "elsewhere")
    os.utime(link, (0, (NOW - LONG_AGO).timestamp()), follow_symlinks=False)
    assert count(shop) == [Counted("photos", 4, 3)]
    assert listed(shop) == [str(folder / one) for one in (".3.jpg.partial", "a/b/c/2.jpg", "link")]


def test_what_goes_while_a_disk_is_listed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    for one in ("1", "2", "a/3", "b/4"):
        put(tmp_path, one)
    pages = listing.pages(tmp_path)
    assert len(next(pages)) == 1
    for one in list(tmp_path.iterdir()):
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    assert [len(page) for page in pages] == []


ODD_NAMES = [
    "a b",
    "Zoë",
    "100% wool",
    "a%20b",
    "c#d?e",
    "1*[2]",
    "tab\there",
    "back\\slash",
    "it's;so",
    "x:y",
    "'\"",
    "+&=",
]
SPELLINGS: dict[str, Callable[[Path], str]] = {
    "as pathlib has it": lambda file: file.as_uri(),
    "a path": str,
    "one slash": lambda file: f"file:{file}",
    "two slashes within": lambda file: f"file://{file.parent}//{file.name}",
    "not in percent notation": lambda file: f"file://{file}",
    "all of it in percent notation": lambda file: "file://" + "".join(f"%{one:02x}" for one in os.fsencode(file)),
    "as browsers have it": lambda file: "file://" + quote(str(file), safe="/!#$&'()*+,:;=?@~"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_row_knows_its_object_in_each_spelling(shop: Shop, folder: Path, spelling: str) -> None:
    for one in ODD_NAMES:
        row(shop, SPELLINGS[spelling](put(folder, one)))
    stray = put(folder, "stray")
    assert listed(shop) == [str(stray)]


def test_a_name_that_is_no_text_is_known_by_its_bytes(shop: Shop, folder: Path) -> None:
    row(shop, put(folder, b"M\xfcller.jpg").as_uri())
    put(folder, b"M\xfcllerin.jpg")
    assert count(shop) == [Counted("photos", 2, 1)]
    assert listed(shop) == [f"{folder}/M\ufffdllerin.jpg"]


def test_rows_of_any_dataset_know_an_object_in_a_folder_that_two_share(shop: Shop, folder: Path) -> None:
    name(shop, str(folder), dataset="visits", url="page")
    row(shop, put(folder, "1.jpg").as_uri())
    shop.add("visit", {"visit_id": 1, "seen_at": "2024-02-20", "page": put(folder, "2.jpg").as_uri()})
    assert count(shop) == [Counted("photos", 2, 0), Counted("visits", 2, 0)]
    put(folder, "3.jpg")
    assert count(shop) == [Counted("photos", 3, 1), Counted("visits", 3, 1)], "whose it was, nobody can say"


def test_a_dataset_that_names_no_folder_is_not_looked_at(shop: Shop) -> None:
    row(shop, "file:///nowhere/1.jpg")
    assert count(shop) == []


def test_a_relative_folder_lies_in_the_store(shop: Shop) -> None:
    name(shop, "objects/photos")
    put(Path(str(shop.settings.home)) / "objects" / "photos", "1.jpg")
    assert count(shop) == [Counted("photos", 1, 1)]


# --- what cannot be said ---------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_unknown_and_no_zero(shop: Shop, folder: Path) -> None:
    folder.rmdir()
    assert count(shop) == [Counted("photos", None, None, "FileNotFoundError")]
    with pytest.raises(StoreUnlisted, match=r"photos \(FileNotFoundError\)"):
        listed(shop)


@pytest.mark.parametrize("url", ["nowhere://photos", "file:relative", "s3:///"])
def test_so_is_a_place_that_nobody_understands(shop: Shop, url: str) -> None:
    name(shop, url)
    ((counted),) = count(shop)
    assert counted.without_row is None
    assert counted.unknown_because


def test_a_place_with_no_object_of_any_row_is_not_the_place_of_the_rows(shop: Shop, folder: Path) -> None:
    """A disk that is not mounted looks empty, and a wrong folder full of objects without rows."""
    row(shop, (folder.parent / "elsewhere.jpg").as_uri())
    assert count(shop) == [Counted("photos", None, None, objects.NONE_FOUND)]
    put(folder, "1.jpg")
    assert count(shop) == [Counted("photos", None, None, objects.NONE_FOUND)]
    with pytest.raises(StoreUnlisted, match="no_object_of_a_row"):
        listed(shop)


def test_a_store_that_takes_too_long_is_given_up(shop: Shop, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "1.jpg")
    monkeypatch.setattr(objects, "MOST_SECONDS", -1)
    assert count(shop) == [Counted("photos", None, None, objects.TOOK_TOO_LONG)]


class Busy:
    """A store, of which something happens once all but its folder `a` was listed."""

    def __init__(self) -> None:
        self.store = fsspec.filesystem("memory")
        self.happens: Callable[[], object] = lambda: None

    def put(self, name: str) -> None:
        self.store.pipe_file(name, b"a picture")
        self.store.store[name].created = NOW - LONG_AGO


@pytest.fixture
def busy(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Busy]:
    """With two objects, each with its row."""
    name(shop, "memory://photos")
    busy, ls = Busy(), MemoryFileSystem.ls

    def look(store: MemoryFileSystem, path: str, **options: Any) -> Any:
        if path.endswith("/a"):
            busy.happens()
        return ls(store, path, **options)

    monkeypatch.setattr(MemoryFileSystem, "ls", look)
    for one in ("/photos/a/1", "/photos/b/2"):
        busy.put(one)
        row(shop, f"memory:/{one}")
    yield busy
    busy.happens = lambda: None
    busy.store.rm("/photos", recursive=True)


def test_a_store_that_fails_half_way_is_unknown(shop: Shop, busy: Busy) -> None:
    def fail() -> None:
        raise ConnectionResetError

    assert count(shop) == [Counted("photos", 2, 0)]
    busy.happens = fail
    assert count(shop) == [Counted("photos", None, None, "ConnectionResetError")]


def test_an_object_that_goes_with_its_row_meanwhile_has_a_row(shop: Shop, busy: Busy) -> None:
    busy.put("/photos/b/3")
    busy.happens = lambda: shop.execute("DELETE FROM shop.photo WHERE url LIKE '%/2'")
    assert count(shop) == [Counted("photos", 3, 1)]


def test_an_object_of_which_the_row_comes_meanwhile_has_one(shop: Shop, busy: Busy) -> None:
    shop.execute("DELETE FROM shop.photo WHERE url LIKE '%/2'")
    busy.happens = lambda: row(shop, "memory://photos/b/2")
    assert count(shop) == [Counted("photos", 2, 0)]


def test_no_transaction_is_open_while_a_store_is_listed(shop: Shop, busy: Busy) -> None:
    seen: list[Any] = []
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    open_ones = f"SELECT pid {others} AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)"
    busy.happens = lambda: seen.extend((shop.scalars(f"SELECT state {others}"), shop.scalars(open_ones)))
    count(shop)
    assert "idle" in seen[0]
    assert seen[1] == []


# --- stores that speak S3 --------------------------------------------------------------------------------------------


@pytest.fixture
def bucket() -> Iterator[str]:
    with object_store.s3() as url:
        yield url


def test_a_bucket_of_several_pages_is_listed_to_its_end_under_a_prefix(shop: Shop, bucket: str) -> None:
    name(shop, f"{bucket}/photos")
    many = listing.PAGE + 200
    store = fsspec.filesystem("s3")
    store.pipe({f"{bucket}/photos/{number % 7}/{number:05d} ä.jpg": b"x" for number in range(many)})
    for other in ("photos2/1.jpg", "photos.jpg"):
        store.pipe_file(f"{bucket}/{other}", b"x")
    store.touch(f"{bucket}/photos/7/")  # stands for a folder
    shop.execute(
        "INSERT INTO shop.photo SELECT gen_random_uuid(), 1, :day, :root || (i % 7) || '/' ||"
        " lpad(cast(i AS text), 5, '0') || ' ä.jpg' FROM generate_series(0, :last) AS i",
        day=dt.date.fromisoformat(NEW),
        root=f"{bucket}/photos/",
        last=many - 4,
    )
    later = NOW + dt.timedelta(days=2)
    found = objects.count(shop.engine, shop.settings, shop.policy, now=later)
    assert found == [Counted("photos", many, 3)]
    assert count(shop) == [Counted("photos", many, 0)], "by the store's own clock none is a day old"
    with objects.names(shop.engine, shop.settings, shop.policy, "photos", now=later) as names:
        last = f"{bucket}/photos/{(many - 1) % 7}/{many - 1:05d} ä.jpg"
        assert last in [one.address.decode() for one in names]


def test_a_bucket_that_goes_away_between_two_pages_is_not_a_small_one(bucket: str) -> None:
    store = fsspec.filesystem("s3")
    store.pipe({f"{bucket}/{number}": b"x" for number in range(listing.PAGE + 1)})
    pages = listing.pages(at(bucket))
    assert len(next(pages)) == listing.PAGE
    store.rm(bucket, recursive=True)
    with pytest.raises(StoreUnlisted):
        next(pages)


def test_a_bucket_that_is_not_there_is_unknown(shop: Shop, bucket: str) -> None:
    name(shop, f"{bucket}-not/photos")
    assert [one.unknown_because for one in count(shop)] == ["FileNotFoundError"]


# --- nights ----------------------------------------------------------------------------------------------------------


def night(shop: Shop) -> int:
    """A night up to its last task but one."""
    run_id = shop.plan()
    shop.enforce(run_id)
    shop.verify(run_id)
    steps.seal_run(shop.engine, shop.settings, run_id=run_id)
    steps.count_objects(shop.engine, shop.settings, run_id=run_id)
    return run_id


def conclude(shop: Shop, run_id: int) -> steps.Result:
    return steps.conclude(shop.engine, shop.settings, run_id=run_id)


def test_a_night_does_its_work_and_is_red_while_an_object_has_no_row(shop: Shop, folder: Path) -> None:
    row(shop, put(folder, "1.jpg").as_uri())
    stray = put(folder, "2.jpg")
    run_id = night(shop)
    assert shop.state(run_id) == "sealed"
    with pytest.raises(ObjectsWithoutRow, match="photos 1") as caught:
        conclude(shop, run_id)
    assert caught.value.facts == {"objects": {"photos": 1}}
    assert str(folder) not in str(caught.value)
    stray.unlink()
    steps.count_objects(shop.engine, shop.settings, run_id=run_id)
    assert conclude(shop, run_id)
    assert [one["without_row"] for one in shop.entries("objects_counted")] == [1, 0]
    assert shop.entries("objects_counted")[0] == {
        "run": run_id, "dataset": "photos", "objects": 2, "without_row": 1, "unknown": None
    }  # fmt: skip
    assert shop.verify_ledger().findings == ()


def test_a_night_is_red_while_nobody_can_say(shop: Shop, folder: Path) -> None:
    folder.rmdir()
    run_id = night(shop)
    assert shop.state(run_id) == "sealed"
    with pytest.raises(StoreUnlisted, match="photos") as caught:
        conclude(shop, run_id)
    assert caught.value.facts == {"reasons": {"photos": "FileNotFoundError"}}
    assert shop.one("SELECT without_row FROM holdfast.object_count") is None


def test_a_night_over_datasets_without_folders_says_nothing_of_objects(shop: Shop) -> None:
    run_id = night(shop)
    assert conclude(shop, run_id)
    assert shop.entries("objects_counted") == []


def test_each_database_counts_what_lies_in_the_folders_of_its_own_datasets(chain: Chain, tmp_path: Path) -> None:
    main, old = tmp_path / "main", tmp_path / "old"

    def edit(documents: dict[str, Document]) -> None:
        add_archive(documents)
        datasets = documents["data_map"]["datasets"]
        datasets["photos"]["files"]["folders"] = [str(main)]
        datasets["old-purchases"]["files"] = {"url": "note", "folders": [str(old)]}

    chain.shop.set_policy(edit)
    row(chain.shop, put(main, "1.jpg").as_uri())
    chain.archive.add("purchase", {"purchase_id": 1, "note": str(put(old, "1.pdf"))})
    put(old, "2.pdf")
    assert count(chain.shop) == [Counted("photos", 1, 0)]
    assert count(chain.archive) == [Counted("old-purchases", 2, 1)]


def report(shop: Shop, run_id: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The report's page, what it says of objects, and its verdict."""
    page = Path(str(steps.write_report(shop.engine, shop.settings, run_id=run_id)["report"]))
    facts = json.loads((page.parent / "report.json").read_text())
    (line,) = facts["objects"]
    return page.read_text(), line, facts["verdict"]


def test_a_report_says_how_many_there_are_and_that_a_promise_is_not_kept(shop: Shop, folder: Path) -> None:
    row(shop, put(folder, "1.jpg").as_uri())
    put(folder, "2.jpg")
    page, line, verdict = report(shop, night(shop))
    assert (line["objects"], line["without_row"], line["why"]) == (2, 1, None)
    assert verdict["standing"] == "partly"
    assert verdict["points"] == ["1 object in the folders of photos has no row, so no rule will ever delete it."]
    assert "Objects without a row" in page
    assert "2.jpg" not in page


def test_a_report_of_a_store_that_could_not_be_listed_has_no_zero(shop: Shop, folder: Path) -> None:
    folder.rmdir()
    page, line, verdict = report(shop, night(shop))
    assert (line["objects"], line["without_row"], line["why"]) == (None, None, "unknown: FileNotFoundError")
    assert verdict["standing"] == "partly"
    assert "unknown: FileNotFoundError" in page


def test_a_report_says_when_nobody_looked(shop: Shop, folder: Path) -> None:
    run_id = shop.plan(dry_run=True)
    assert report(shop, run_id)[1]["why"] == "not looked for in a dry run"
    run_id = shop.night()
    _, line, verdict = report(shop, run_id)
    assert line["why"] == "not counted: the run did not get so far"
    assert verdict["standing"] == "partly", "a sealed run is told only to those who know what it did not look at"


def test_a_report_on_files_without_folders_says_that_they_were_not_looked_for(shop: Shop) -> None:
    _, line, verdict = report(shop, night(shop))
    assert (line["without_row"], line["why"]) == (None, "not looked for: the data map names no folder")
    assert verdict["standing"] == "kept"


def test_the_command_lists_them_for_whoever_decides(shop: Shop, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.DATABASE_URL, shop.engine.url.render_as_string(hide_password=False))
    row(shop, put(folder, "1.jpg").as_uri())
    put(folder, "\x1b[2J.jpg")
    done = CliRunner().invoke(retention.app, ["objects-without-rows", "--dataset", "photos"])
    assert done.exit_code == 0
    first, last = done.stdout.splitlines()
    assert first == f"{NOW - LONG_AGO:%Y-%m-%d %H:%M}  {folder}/\\x1b[2J.jpg"
    assert last == "1 object without a row in the folders of photos."
    for dataset in ("visits", "nothing"):
        refused = CliRunner().invoke(retention.app, ["objects-without-rows", "--dataset", dataset])
        assert isinstance(refused.exception, PolicyError)


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_counted_is_the_difference_of_two_sets(shop: Shop, folder: Path, data: st.DataObject) -> None:
    part = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
    name_of = part.filter(lambda one: one not in (".", "..") and len(os.fsencode(one)) < 200)
    names = data.draw(st.sets(name_of, min_size=1, max_size=8))
    with_row = data.draw(st.sets(st.sampled_from(sorted(names)), min_size=1))
    shop.execute("DELETE FROM shop.photo")
    with tempfile.TemporaryDirectory(dir=folder) as own:
        files = {one: put(Path(own), one) for one in names}
        for one in with_row:
            row(shop, SPELLINGS[data.draw(st.sampled_from(sorted(SPELLINGS)))](files[one]))
        assert count(shop) == [Counted("photos", len(names), len(names - with_row))]
        with objects.names(shop.engine, shop.settings, shop.policy, "photos", now=NOW) as found:
            assert {os.fsdecode(one.address) for one in found} == {str(files[one]) for one in names - with_row}

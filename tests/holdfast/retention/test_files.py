"""A file goes before its row, a row goes only with its file, and neither goes under a hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.shop import NEW, OLD, TOMORROW, Crash, Shop, crash, once

from holdfast.enforcement import files
from holdfast.errors import FileRemains

DUE = (1, 2, 3)


@pytest.fixture
def photos(shop: Shop, tmp_path: Path) -> Shop:
    """Three photos that are due and one that is not, each with its file."""
    for number in (*DUE, 4):
        add_photo(shop, tmp_path, number, OLD if number in DUE else NEW)
    return shop


def add_photo(shop: Shop, folder: Path, number: int, taken_on: str, name: str = "") -> None:
    file = folder / f"{name or number}.jpg"
    file.write_bytes(b"a picture")
    row = {"photo_id": f"{number:032d}", "customer_no": number, "taken_on": taken_on, "url": file.as_uri()}
    shop.add("photo", row)


def rows(shop: Shop) -> set[int]:
    return set(shop.ids("photo", "customer_no"))


def pictures(folder: Path) -> set[int]:
    return {int(file.stem) for file in folder.glob("*.jpg")}


def test_due_files_go_with_their_rows_and_others_stay(photos: Shop, tmp_path: Path) -> None:
    photos.night()
    assert rows(photos) == pictures(tmp_path) == {4}
    assert [one["files"] for one in photos.entries("file_batch_intended")] == [3]
    assert photos.rows_in_ledger("photos-90d") == 3


def test_a_held_file_stays_with_its_row(photos: Shop, tmp_path: Path) -> None:
    run_id = photos.plan()
    photos.hold("matter-2", subject_key="2")
    photos.enforce(run_id)
    photos.close(run_id)
    assert rows(photos) == pictures(tmp_path) == {2, 4}


def test_a_file_that_is_gone_already_counts_as_gone(photos: Shop, tmp_path: Path) -> None:
    (tmp_path / "2.jpg").unlink()
    photos.night()
    assert rows(photos) == {4}


@pytest.mark.parametrize("url", [None, ""])
def test_a_row_without_an_address_has_no_file(photos: Shop, url: str | None) -> None:
    photos.execute("UPDATE shop.photo SET url = :url WHERE customer_no = 1", url=url)
    photos.night()
    assert rows(photos) == {4}


def test_a_file_that_can_not_be_removed_keeps_its_row_and_says_so(photos: Shop, tmp_path: Path) -> None:
    stuck = tmp_path / "2.jpg"
    stuck.unlink()
    stuck.mkdir()  # a folder where the file was: not even root can remove it as a file
    run_id = photos.plan()
    with pytest.raises(FileRemains, match="1 of 3 files of photos could not be removed") as caught:
        photos.enforce(run_id)
    assert caught.value.facts == {"dataset": "photos", "files": 1}
    assert str(tmp_path) not in str(caught.value)
    assert rows(photos) == {1, 2, 3, 4}
    assert photos.rows_in_ledger("photos-90d") == 0
    stuck.rmdir()
    photos.enforce(run_id)
    photos.close(run_id)
    assert rows(photos) == pictures(tmp_path) == {4}


def test_an_address_that_nobody_understands_keeps_its_row(photos: Shop) -> None:
    photos.execute("UPDATE shop.photo SET url = 'nowhere://x' WHERE customer_no = 1")
    with pytest.raises(FileRemains):
        photos.enforce(photos.plan())
    assert 1 in rows(photos)


@pytest.mark.parametrize("name", ["on the beach", "Zoë", "100% wool", "a%20b", "b*[1]?"])
def test_a_name_of_which_the_address_has_signs_in_percent_notation_is_found(
    photos: Shop, tmp_path: Path, name: str
) -> None:
    add_photo(photos, tmp_path, 5, OLD, name)
    photos.night()
    assert rows(photos) == pictures(tmp_path) == {4}


def test_an_address_that_could_mean_either_of_two_files_deletes_neither(photos: Shop, tmp_path: Path) -> None:
    add_photo(photos, tmp_path, 5, OLD, "a b")
    (tmp_path / "a%20b.jpg").write_bytes(b"another picture")
    with pytest.raises(FileRemains, match="1 of 4"):
        photos.enforce(photos.plan())
    assert 5 in rows(photos)
    assert {file.name for file in tmp_path.glob("a*.jpg")} == {"a b.jpg", "a%20b.jpg"}


@pytest.mark.parametrize("point", ["files.intended", "files.removed", "batch.changed", "batch.recorded"])
def test_a_crash_leaves_no_file_that_no_row_knows_of(photos: Shop, tmp_path: Path, point: str) -> None:
    run_id = photos.plan()
    (shard,) = photos.shards(run_id, 1)
    with pytest.raises(Crash):
        photos.attempt(run_id, shard["shard_id"], once(point, crash))
    assert rows(photos) == {1, 2, 3, 4} >= pictures(tmp_path)
    photos.enforce(run_id)
    photos.close(run_id)
    assert rows(photos) == pictures(tmp_path) == {4}
    assert photos.rows_in_ledger("photos-90d") == 3


def test_the_intent_is_in_the_ledger_before_a_file_goes(photos: Shop, tmp_path: Path) -> None:
    run_id = photos.plan()
    (shard,) = photos.shards(run_id, 1)
    seen: list[object] = []

    def look() -> None:
        seen.append((photos.entries("file_batch_intended"), pictures(tmp_path)))

    photos.attempt(run_id, shard["shard_id"], once("files.intended", look))
    assert seen == [([{"rule": "photos-90d", "dataset": "photos", "files": 3}], {1, 2, 3, 4})]


def test_a_hold_can_not_be_placed_while_files_go(photos: Shop) -> None:
    """A file cannot be taken back, so whoever places a hold meanwhile waits, and is told what is left."""
    run_id = photos.plan()
    (shard,) = photos.shards(run_id, 1)
    waited: list[str] = []

    def place() -> None:
        photos_without_patience = sa.create_engine(
            photos.engine.url, connect_args={"options": "-c timezone=UTC -c lock_timeout=100"}
        )
        try:
            with photos_without_patience.begin() as connection:
                connection.execute(sa.text("INSERT INTO holdfast.hold DEFAULT VALUES"))
        except sa.exc.OperationalError as error:
            waited.append(str(error.orig))
        photos_without_patience.dispose()

    photos.attempt(run_id, shard["shard_id"], once("files.intended", place))
    assert "lock timeout" in waited[0]


def test_files_go_in_batches(photos: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS_PER_BATCH", 1)
    photos.execute("ALTER TABLE shop.photo ADD COLUMN pad text, ALTER COLUMN pad SET STORAGE PLAIN")
    photos.execute("UPDATE shop.photo SET pad = repeat('x', 5000)")
    photos.set_policy(lambda documents: documents["data_map"]["datasets"]["photos"]["not_personal"].append("pad"))
    photos.night()
    assert rows(photos) == pictures(tmp_path) == {4}
    assert len(photos.entries("file_batch_intended")) == 3


def test_a_file_in_another_store_is_reached_through_its_address(photos: Shop) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe_file("/pictures/1", b"a picture")
    photos.execute("UPDATE shop.photo SET url = 'memory://pictures/1' WHERE customer_no = 1")
    photos.night()
    assert not store.exists("/pictures/1")
    assert rows(photos) == {4}


def test_a_store_that_speaks_s3_is_asked_once_for_a_thousand_files_and_believed_file_by_file(
    photos: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the buckets is not there: what the store did not delete keeps its row, and nothing else does."""
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    given = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**given, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "NO_PROXY": host}.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    try:
        store = S3FileSystem()
        store.mkdir("pictures")
        for name in ("1*", "12", "2"):
            store.pipe_file(f"pictures/{name}", b"a picture")
        photos.execute("UPDATE shop.photo SET url = 's3://pictures/1*' WHERE customer_no = 1")
        photos.execute("UPDATE shop.photo SET url = 's3://pictures/2' WHERE customer_no = 2")
        photos.execute("UPDATE shop.photo SET url = 's3://nowhere/3' WHERE customer_no = 3")
        run_id = photos.plan()
        with pytest.raises(FileRemains) as refused:
            photos.enforce(run_id)
        assert refused.value.facts["files"] == 1
        assert store.find("pictures", refresh=True) == ["pictures/12"], "a name is no pattern"
        store.mkdir("nowhere")
        photos.enforce(run_id)
        photos.close(run_id)
    finally:
        server.stop()
        S3FileSystem.clear_instance_cache()
    assert rows(photos) == {4}
    assert photos.rows_in_ledger("photos-90d") == 3


def test_a_photo_added_the_next_day_goes_when_it_is_due(photos: Shop, tmp_path: Path) -> None:
    photos.night()
    add_photo(photos, tmp_path, 5, OLD)
    photos.night(TOMORROW)
    assert rows(photos) == pictures(tmp_path) == {4}


def test_a_file_that_another_row_may_mean_as_it_stands_is_left(photos: Shop, tmp_path: Path) -> None:
    """`a%20b.jpg` was taken away by hand: what is left, `a b.jpg`, is the file of a held row."""
    add_photo(photos, tmp_path, 5, OLD, "a b")
    photos.execute("UPDATE shop.photo SET url = :url WHERE customer_no = 5", url=f"file://{tmp_path}/a%20b.jpg")
    held = {"photo_id": f"{6:032d}", "customer_no": 6, "taken_on": OLD, "url": f"file://{tmp_path}/a b.jpg"}
    photos.add("photo", held)
    photos.hold("matter-6", subject_key="6")
    run_id = photos.plan()
    with pytest.raises(FileRemains):
        photos.enforce(run_id)
    assert {5, 6} <= rows(photos)
    assert (tmp_path / "a b.jpg").exists()

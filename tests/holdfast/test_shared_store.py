"""Several machines with nothing in common but a database and an object store: what one writes another reads."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast import object_store
from tests.holdfast.deletion_requests import letters_library
from tests.holdfast.deletion_requests.desk import NOW, Desk, make, policy, terms
from tests.holdfast.emergency_data import test_deliver
from tests.holdfast.evidence import test_seal
from tests.holdfast.pages import nights

from holdfast import database as hf_database
from holdfast import settings, store
from holdfast.deletion_requests import erasure_files, intake, letters, outbox_files
from holdfast.deletion_requests.outbox import Notice
from holdfast.emergency_data import forget, manifest, taking_in
from holdfast.errors import LedgerError, ReportAltered, SettingsError
from holdfast.evidence import checkpoint, restored, signing, verify
from holdfast.evidence import seal as seals
from holdfast.evidence.copies import Copies
from holdfast.reports import shelf
from holdfast.settings import Settings


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with object_store.s3() as url:
        yield url


@pytest.fixture
def machines(server: str, tmp_path: Path) -> tuple[Settings, Settings]:
    """Two machines, each with a disk of its own, and one store."""
    given = {
        "store_url": f"{object_store.bucket()}/holdfast",
        "ledger_key_text": signing.SigningKey.generate("x").text(),
    }
    one, other = (dataclasses.replace(settings.load(), home=tmp_path / name, **given) for name in ("one", "other"))
    return one, other


def test_a_report_that_one_machine_wrote_is_on_the_others_shelf(machines: tuple[Settings, Settings]) -> None:
    one, other = machines
    nights.report(one.reports, "retention_nightly", "2026-11-27", verdict=nights.KEPT)
    nights.report(one.reports, "suspension_statistics", "2026-10", "published", month="2026-10")
    nights.report(one.reports, "retention_nightly", "2026-11-28", verdict=nights.PARTLY)
    found = shelf.reports(other.reports)
    assert [(report.job, report.name) for report in found] == [
        ("suspension_statistics", "2026-10, published"),
        ("retention_nightly", "2026-11-28"),
        ("retention_nightly", "2026-11-27"),
    ]
    assert found[1].data()["verdict"] == nights.PARTLY
    (one.reports / "retention_nightly" / "2026-11-28" / "SHA256SUMS").unlink()  # as while it is written again
    assert [report.period for report in shelf.reports(other.reports)] == ["2026-10", "2026-11-27"]
    nights.report(one.reports, "retention_nightly", "2026-11-28", verdict=nights.KEPT)
    assert shelf.reports(other.reports)[1].data()["verdict"] == nights.KEPT
    assert not one.home.exists()
    assert not other.home.exists()


def test_a_report_that_was_changed_in_the_store_is_not_shown(machines: tuple[Settings, Settings]) -> None:
    one, other = machines
    folder = nights.report(one.reports, "retention_nightly", "2026-11-28").folder
    (folder / "report.csv").write_bytes(b"altered")
    [found] = shelf.reports(other.reports)
    with pytest.raises(ReportAltered):
        found.read("report.csv")


def test_seals_and_checkpoints_of_one_machine_are_verified_on_another(
    machines: tuple[Settings, Settings], database: sa.Engine
) -> None:
    one, other = machines
    for run_id in (1, 2):
        test_seal.append_run(database, run_id, 3)
        made = test_seal.seal_run(database, run_id)
        seals.write(made, one.seals)
        seals.write(made, other.seals)  # the same seal again changes nothing
        checkpoint.sign(database, checkpoint.open_log(one), NOW)
    with database.connect() as connection:
        result = verify.verify(connection, other.seals, Copies(other.checkpoints))
    assert (result.verdict, result.sealed_runs, result.checkpoints) == (verify.Verdict.OK, 2, 2)
    path = other.seals / made.file_name
    path.write_text(path.read_text().replace('"entries": 3', '"entries": 4'))
    with pytest.raises(LedgerError):
        seals.write(made, one.seals)
    with database.connect() as connection:
        assert verify.verify(connection, one.seals, Copies(one.checkpoints)).verdict is verify.Verdict.INVALID


def test_a_database_that_was_restored_is_known_by_the_store(
    machines: tuple[Settings, Settings], database: sa.Engine
) -> None:
    one, other = machines
    test_seal.append_run(database, 1, 3)
    with hf_database.transaction(database) as connection:
        made = seals.seal(connection, 1, "retention", test_seal.AS_OF, NOW)
        seals.write(made, one.seals)
        connection.rollback()
    with hf_database.transaction(database) as connection:
        found = restored.lost(connection, other.seals, Copies(other.checkpoints))
    assert [lost.run_id for lost in found.seals] == [1]
    restored.set_aside(other.seals, Copies(other.checkpoints), found)
    assert store.files(one.seals) == []
    assert [path.name for path in store.files(one.seals / "before-restore")] == [made.file_name]


def test_a_list_that_was_dropped_into_the_store_is_taken_in_once(
    machines: tuple[Settings, Settings], database: sa.Engine
) -> None:
    one, other = machines
    desk = make(database)
    line = "reference,channel,received_at,subject_key,scope\na-1,form,2026-09-02 10:00,1,messages\n"
    (intake.inbox_of(one) / "list.csv").write_bytes(line.encode())
    (intake.inbox_of(one) / "next.csv.part").write_bytes(b"half of")
    [result] = _take_in(desk, one)
    assert (result.new, result.refused) == (1, 0)
    assert "taken in" in (intake.inbox_of(other) / "done" / result.result.name).read_text()
    assert _take_in(desk, other) == []
    assert [path.name for path in store.files(intake.inbox_of(one))] == ["next.csv.part"]


def _take_in(desk: Desk, machine: Settings) -> list[intake.FileResult]:
    return intake.take_in(desk.engine, policy(), terms(), intake.inbox_of(machine), by="clerk", now=NOW)


def test_a_notice_lies_in_the_store(machines: tuple[Settings, Settings]) -> None:
    one, other = machines
    notice = Notice(
        notice_id=7, request_id=1, recipient="mailer", kind="erased", request="r", subject="p1:x",
        datasets=("messages",), in_part=(), categories=(), queued_at=NOW,
    )  # fmt: skip
    outbox_files.to_files(one)(notice)
    text = (other.outbox / "recipients" / "mailer" / "7" / "notice.json").read_text()
    assert json.loads(text)["notice"] == 7


def test_a_letter_is_written_by_one_machine_to_the_address_that_another_kept(
    machines: tuple[Settings, Settings], database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machines
    monkeypatch.setenv(settings.PSEUDONYM_KEY, "5" * 64)
    monkeypatch.setenv(settings.STORE, str(one.store_url))
    office = letters_library.Office(database)
    office.person(1)
    monkeypatch.setenv(settings.HOME, str(one.home))
    request = office.request(1, "DR-1")
    office.write(office.night())
    monkeypatch.setenv(settings.HOME, str(other.home))
    run = office.night()
    office.decide(run, request, letters_library.Cell("contacts"))
    office.move(request, run, "executing", "completed")
    office.run("DELETE FROM provider.contact")
    assert office.write(run).failed == ()
    assert "Zoë Example" in office.text(request, "outcome")
    kept = {path.relative_to(one.letters).parts[1] for path in one.letters.rglob("*.*")}
    assert kept == {"acknowledgement", "outcome"}, "the address is forgotten with the last letter"
    later = letters_library.NOW + dt.timedelta(days=10_000)
    assert letters.erase_expired(database, office.stationery, now=later) == 1
    assert not (one.letters / str(request)).exists()
    assert not one.home.exists()
    assert not other.home.exists()


def test_999_files_that_ended_long_ago_are_forgotten_in_the_store(
    machines: tuple[Settings, Settings], database: sa.Engine
) -> None:
    one, other = machines
    folders = taking_in.Folders.below(one.emergency)
    for folder in (folders.received, folders.refused, folders.released):
        (folder / "NG999_HFT_20261124_000001.csv").write_bytes(b"x")
    (folders.released / f"NG999_HFT_20261124_000001{manifest.SUFFIX}").write_bytes(b"{}")
    now = dt.datetime.now(tz=dt.UTC)
    for days, gone in ((9, 0), (11, 3)):
        with hf_database.transaction(database) as connection:
            there = taking_in.Folders.below(other.emergency)
            counts = forget.forget(connection, there, now + dt.timedelta(days=days), days=10)
        assert counts["files"] == gone
    assert store.files(folders.received) == store.files(folders.refused) == []
    assert [path.name for path in store.files(folders.released)] == [f"NG999_HFT_20261124_000001{manifest.SUFFIX}"]


def test_released_999_files_are_delivered_from_the_store(
    machines: tuple[Settings, Settings], database: sa.Engine, tmp_path: Path
) -> None:
    one, other = machines
    office = test_deliver.Office(database, tmp_path)
    office.released = taking_in.Folders.below(one.emergency).released  # type: ignore[assignment]
    name = office.release(1)
    office.released = taking_in.Folders.below(other.emergency).released  # type: ignore[assignment]
    assert office.deliver() == 1
    assert (office.there / name).read_bytes() == b"the file 1"


def test_the_inbox_of_999_data_is_watched_wherever_it_is(machines: tuple[Settings, Settings]) -> None:
    one, other = machines
    inbox = taking_in.Folders.below(one.emergency).inbox
    before = taking_in.names_digest(store.at(str(inbox)))
    (other.emergency / "inbox" / "NG999_HFT_20261124_000001.csv").write_bytes(b"x")
    assert taking_in.names_digest(store.at(str(inbox))) != before
    assert [path.name for path in taking_in.waiting_files(inbox)] == ["NG999_HFT_20261124_000001.csv"]


def test_no_machine_makes_a_key_that_the_others_would_not_have(server: str, tmp_path: Path) -> None:
    alone = dataclasses.replace(settings.load(), home=tmp_path, store_url=f"{server}/keys")
    with pytest.raises(SettingsError, match="key of pseudonyms"):
        alone.pseudonym_key()
    with pytest.raises(SettingsError, match="key to sign"):
        checkpoint.open_log(alone)
    assert not (tmp_path / "keys").exists()


def test_a_key_that_is_given_signs_on_every_machine(machines: tuple[Settings, Settings]) -> None:
    one, other = machines
    assert checkpoint.open_log(one).key == checkpoint.open_log(other).key
    broken = dataclasses.replace(one, ledger_key_text="nonsense")
    with pytest.raises(SettingsError, match="HOLDFAST_LEDGER_KEY"):
        checkpoint.open_log(broken)


def test_erasures_of_one_machine_are_read_by_another_unless_they_were_altered(
    machines: tuple[Settings, Settings],
) -> None:
    one, other = machines
    key, lines = bytes(32), b'{"a": 1}\n{"a": 2}\n'
    name = f"retention_nightly-2026-11-27-run1-{erasure_files._code(key, hashlib.sha256(lines).hexdigest())}.jsonl"
    store.write_whole(one.erasures / name, lines)
    assert list(erasure_files.read(other.erasures, dt.date(2026, 11, 1), key)) == [['{"a": 1}\n', '{"a": 2}\n']]
    (one.erasures / name).write_bytes(lines[:9])
    with pytest.raises(LedgerError):
        list(erasure_files.read(other.erasures, dt.date(2026, 11, 1), key))

"""A report is fixed by the ledger from the moment it is written: whatever is changed in it afterwards is found."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from upath import UPath

from holdfast import cli, settings
from holdfast import database as hf_database
from holdfast.errors import LedgerError, ReportAltered
from holdfast.evidence import ledger, reported
from holdfast.evidence.reported import Checked
from holdfast.reports import files, shelf
from holdfast.reports.files import SUMS, write_set
from holdfast.store import AnyPath

PARTS = ("retention_nightly", "2026-11-24")
NAME = "/".join(PARTS)
ONE = {"index.html": "<p>3 rows</p>", "report.json": '{"rows": 3}', "held.csv": "a,b\r\n"}
TWO = {"index.html": "<p>5 rows</p>", "report.json": '{"rows": 5}'}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def altered(engine: sa.Engine, root: Path) -> tuple[str, ...]:
    return reported.check(engine, root).altered


def sum_again(folder: Path) -> None:
    """What whoever may write the folder can do."""
    names = sorted(file.name for file in folder.iterdir() if file.name != SUMS)
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines))


def test_the_entry_has_its_name_and_the_digest_of_its_sums(database: sa.Engine, root: Path) -> None:
    written = reported.write(database, root, PARTS, ONE, 7)
    with hf_database.transaction(database) as connection:
        (entry,) = ledger.entries_of_run(connection, 7)
    digest = hashlib.sha256((root.joinpath(*PARTS) / SUMS).read_bytes()).hexdigest()
    assert entry.kind == "report_written"
    assert entry.facts == {"report": NAME, "digest": f"sha256:{digest}"}
    assert written.sha256 == digest
    assert reported.check(database, root) == Checked(1, (), (), ())


def test_of_several_writings_the_last_one_counts(database: sa.Engine, root: Path) -> None:
    folder = root.joinpath(*PARTS)
    reported.write(database, root, PARTS, ONE)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    reported.write(database, root, PARTS, TWO)
    assert altered(database, root) == ()
    for name, content in before.items():  # a true report, but not what was written last
        (folder / name).write_bytes(content)
    assert altered(database, root) == ("The report retention_nightly 2026-11-24 is not that of the ledger's entry 2.",)


def test_any_byte_of_any_file_that_is_changed_is_found_with_or_without_new_sums(
    database: sa.Engine, root: Path
) -> None:
    folder = reported.write(database, root, PARTS, ONE).folder
    reported.write(database, root, (*PARTS[:1], "2026-11-25"), TWO)
    sound = {name: (folder / name).read_bytes() for name in (*ONE, SUMS)}

    @hypothesis_settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(sound)), st.integers(0, 500), st.integers(1, 255), st.booleans())
    def change(name: str, place: int, by: int, has_new_sums: bool) -> None:
        content = bytearray(sound[name])
        content[place % len(content)] ^= by
        (folder / name).write_bytes(content)
        if has_new_sums and name != SUMS:
            sum_again(folder)  # type: ignore[arg-type]
        found = reported.check(database, root)
        for each, whole in sound.items():
            (folder / each).write_bytes(whole)
        assert len(found.altered) == 1
        assert (found.entered, found.not_entered, found.not_there) == (1, (), ())

    change()
    assert reported.check(database, root) == Checked(2, (), (), ())


@pytest.mark.parametrize("sums", [b"", b"\xff\xfe", b"  \n", b"0  \0\n"])
def test_sums_that_list_nothing_are_no_way_out(database: sa.Engine, root: Path, sums: bytes) -> None:
    folder = reported.write(database, root, PARTS, ONE).folder
    (folder / SUMS).write_bytes(sums)
    assert len(altered(database, root)) == 1
    (found,) = shelf.reports(root)
    with hf_database.reading(database) as connection:
        (found,) = reported.looked_up(connection, [found])
    with pytest.raises(ReportAltered, match="entry 1"):
        found.data()


def test_a_file_that_was_taken_out_or_put_in_with_new_sums_is_found(database: sa.Engine, root: Path) -> None:
    folder = Path(str(reported.write(database, root, PARTS, ONE).folder))
    (folder / "held.csv").unlink()
    assert len(altered(database, root)) == 1
    sum_again(folder)
    assert len(altered(database, root)) == 1
    reported.write(database, root, PARTS, ONE)
    (folder / "more.csv").write_text("forged")
    sum_again(folder)
    assert len(altered(database, root)) == 1


def test_reports_of_an_earlier_version_are_no_alarm_until_they_are_changed(database: sa.Engine, root: Path) -> None:
    folder = write_set(root, PARTS, ONE).folder
    assert reported.check(database, root) == Checked(0, (), (NAME,), ())
    (folder / "index.html").write_text("<p>0 rows</p>")
    assert altered(database, root) == (
        "index.html of the report retention_nightly 2026-11-24 is not what was written.",
    )


def test_a_report_that_was_taken_away_is_told_of_without_an_alarm(database: sa.Engine, root: Path) -> None:
    """It may have been moved to an archive."""
    folder = reported.write(database, root, PARTS, ONE).folder
    for file in folder.iterdir():
        file.unlink()
    assert reported.check(database, root) == Checked(0, (), (), (NAME,))


def test_what_the_ledger_refuses_is_never_finished(database: sa.Engine, root: Path) -> None:
    with pytest.raises(LedgerError, match="something other than codes"):
        reported.write(database, root, ("job", "0123456789"), ONE)
    assert shelf.reports(root) == []
    reported.write(database, root, PARTS, ONE)
    with hf_database.transaction(database) as connection:
        assert [one.entry for one in reported.looked_up(connection, shelf.reports(root))] == [1]


def test_a_writer_that_is_killed_at_any_moment_leaves_nothing_that_looks_altered(
    database: sa.Engine, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "sets.json").write_text(json.dumps([ONE, TWO]))
    script = (
        "import json, sys; from pathlib import Path\n"
        "from holdfast import database; from holdfast.evidence import reported\n"
        "engine, root = database.engine_for(sys.argv[1]), Path(sys.argv[2])\n"
        "sets = json.loads((root.parent / 'sets.json').read_text())\n"
        f"reported.write(engine, root, {PARTS!r}, sets[0])\n"
        "print('ready', flush=True)\n"
        f"while True: [reported.write(engine, root, {PARTS!r}, files) for files in sets]\n"
    )
    url = database.url.render_as_string(hide_password=False)
    moments = random.Random(7)
    unfinished = 0
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", script, url, str(root)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        found = reported.check(database, root)
        assert (found.altered, found.not_entered) == ((), ())
        unfinished += len(found.not_there)
    assert unfinished, "no kill came while a report was being written"
    reported.write(database, root, PARTS, ONE)
    assert reported.check(database, root) == Checked(1, (), (), ())


def test_a_report_that_is_being_written_again_is_not_taken_for_altered(database: sa.Engine, root: Path) -> None:
    reported.write(database, root, PARTS, ONE)
    ended = threading.Event()

    def write() -> None:
        for texts in [TWO, ONE] * 40:
            reported.write(database, root, PARTS, texts)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    looks = 0
    while not ended.is_set():
        assert altered(database, root) == ()
        found = shelf.reports(root)
        with hf_database.reading(database) as connection:
            assert [one for one in reported.looked_up(connection, found) if one.is_altered] == []
        looks += 1
    writer.join()
    assert looks > 5


def test_in_an_object_store_a_second_writer_waits_for_the_first(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, parts = UPath(f"memory://{uuid.uuid4().hex}/reports"), ("retention_nightly", "2026-11-24")
    later = threading.Thread(target=reported.write, args=(database, root, parts, {"report.json": '{"at": 2}'}))
    write_whole = files.write_whole

    def write(path: AnyPath, content: bytes) -> None:
        if path.name == files.SUMS and not later.ident:  # the first has its entry, and not yet its sums
            later.start()
            later.join(0.5)
            assert later.is_alive(), "it waits"
        write_whole(path, content)

    monkeypatch.setattr(files, "write_whole", write)
    reported.write(database, root, parts, {"report.json": "{}"})
    later.join(30)
    assert reported.check(database, root).altered == ()
    assert (root.joinpath(*parts) / "report.json").read_text() == '{"at": 2}'


@pytest.fixture
def verify(database: sa.Engine, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, str]]:
    monkeypatch.setenv(settings.DATABASE_URL, database.url.render_as_string(hide_password=False))

    def command() -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, ["ledger", "verify"])
        return done.exit_code, done.stdout

    return command


def test_the_command_names_what_was_altered_and_fails(
    database: sa.Engine, home: Path, verify: Callable[[], tuple[int, str]]
) -> None:
    for day in range(10, 22):
        write_set(home / "reports", ("retention_nightly", f"2026-10-{day}"), ONE)
    folder = Path(str(reported.write(database, home / "reports", PARTS, ONE).folder))
    code, told = verify()
    assert code == 0
    assert "reports: 1 as the ledger has them, 0 altered, 12 not entered, 0 not there" in told
    assert "reports not entered: retention_nightly/2026-10-21, " in told
    assert told.count("retention_nightly/2026-10-") == 10
    assert "and 2 more" in told
    (folder / "index.html").write_text("<p>0 rows</p>")
    sum_again(folder)
    code, told = verify()
    assert code == 1
    assert "ALTERED: The report retention_nightly 2026-11-24 is not that of the ledger's entry 1." in told
    assert "reports: 0 as the ledger has them, 1 altered" in told

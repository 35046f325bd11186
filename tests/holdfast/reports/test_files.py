"""A set of files is whole or not there: sums, modes, crashes, and two writers at once."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from holdfast.reports.files import SUMS, write_set

PARTS = ("job", "2026-11-24")
ONE = {"index.html": "one " * 50_000, "report.csv": "1\r\n" * 30_000, "report.json": "{}\n"}
TWO = {"index.html": "two " * 60_000, "report.csv": "2\r\n" * 20_000, "report.json": "[]\n"}


def test_the_sums_are_those_of_the_files(tmp_path: Path) -> None:
    written = write_set(tmp_path, PARTS, ONE)
    assert written.folder == tmp_path / "job" / "2026-11-24"
    assert sorted(file.name for file in written.folder.iterdir()) == sorted([*ONE, SUMS])
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", SUMS], cwd=written.folder, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count(": OK") == len(ONE)
    assert written.sha256 == hashlib.sha256((written.folder / SUMS).read_bytes()).hexdigest()


def test_nobody_else_may_read_a_report(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        written = write_set(tmp_path / "home" / "reports", PARTS, ONE)
    finally:
        os.umask(umask)
    for file in written.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    for folder in (written.folder, *list(written.folder.parents)[:3]):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_writing_again_replaces_the_set_and_leaves_what_a_person_put_there(tmp_path: Path) -> None:
    folder = write_set(tmp_path, PARTS, {**ONE, "old.csv": "gone"}).folder
    (folder / "remarks of the auditor.txt").write_text("seen")
    (folder / ".abc.partial").write_text("left by a killed process")
    write_set(tmp_path, PARTS, TWO)
    assert sorted(file.name for file in folder.iterdir()) == sorted([*TWO, SUMS, "remarks of the auditor.txt"])
    assert _is_whole(folder)


@pytest.mark.parametrize("name", ["../index.html", "a/b", "..", "", ".hidden", SUMS, "/etc/passwd"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no plain file name"):
        write_set(tmp_path, PARTS, {name: "x"})
    with pytest.raises(ValueError, match="no plain file name"):
        write_set(tmp_path, ("job", name), ONE)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_neither_a_partial_file_nor_sums(tmp_path: Path) -> None:
    folder = write_set(tmp_path, PARTS, ONE).folder
    (folder / "report.csv").unlink()
    (folder / "report.csv").mkdir()  # a file cannot take the place of a folder
    with pytest.raises(IsADirectoryError):
        write_set(tmp_path, PARTS, TWO)
    assert sorted(file.name for file in folder.iterdir()) == ["index.html", "report.csv", "report.json"]
    assert (folder / "index.html").read_text() == TWO["index.html"]


def test_a_killed_writer_never_leaves_part_of_a_file_in_sight(tmp_path: Path) -> None:
    """Killed at 25 random moments while it writes two sets in turn; then the next writer makes the folder whole."""
    (tmp_path / "sets.json").write_text(json.dumps([ONE, TWO]))
    script = (
        "import json, sys; from pathlib import Path; from holdfast.reports.files import write_set\n"
        "root = Path(sys.argv[1]); sets = json.loads((root / 'sets.json').read_text())\n"
        "print('ready', flush=True)\n"
        f"while True: [write_set(root, {PARTS!r}, files) for files in sets]\n"
    )
    moments = random.Random(7)
    whole = incomplete = 0
    for _ in range(25):
        writer = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(moments.uniform(0, 0.02))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        folder = tmp_path.joinpath(*PARTS)
        for name in ONE:
            file = folder / name
            assert not file.exists() or file.read_bytes().decode() in (ONE[name], TWO[name])
        if (folder / SUMS).exists():
            assert _is_whole(folder)
            whole += 1
        else:
            incomplete += 1
    assert incomplete, "no kill came while a set was being written"
    write_set(tmp_path, PARTS, ONE)
    assert sorted(file.name for file in folder.iterdir()) == sorted([*ONE, SUMS])


def test_two_writers_take_turns(tmp_path: Path) -> None:
    """Started at the same moment 25 times: the folder is always one writer's whole set, never a mixture."""
    short = [{name: f"{writer} {name}" for name in ONE} for writer in ("one", "two")]
    for _ in range(25):
        together = threading.Barrier(2)
        writers = [threading.Thread(target=_write_at_once, args=(together, tmp_path, files)) for files in short]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        folder = tmp_path.joinpath(*PARTS)
        assert _is_whole(folder)
        assert {name: (folder / name).read_text() for name in ONE} in short


def _write_at_once(together: threading.Barrier, root: Path, files: dict[str, str]) -> None:
    together.wait()
    write_set(root, PARTS, files)


def _is_whole(folder: Path) -> bool:
    lines = (folder / SUMS).read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in listed} == listed

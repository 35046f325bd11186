"""A run's evidence is closed once, provably, and its file is whole or not there, whatever is killed when."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast import database as hf_database
from holdfast.errors import LedgerError
from holdfast.evidence import ledger, merkle
from holdfast.evidence.offline import leaf_hash, verify_inclusion
from holdfast.evidence.seal import Seal, seal, seals, write

AS_OF = dt.date(2026, 11, 24)
AT = dt.datetime(2026, 11, 24, 2, 15, tzinfo=dt.UTC)


def append_run(engine: sa.Engine, run_id: int, entries: int) -> None:
    with hf_database.transaction(engine) as connection:
        for batch in range(entries):
            ledger.append(connection, "batch_deleted", {"batch": batch}, run_id)


def seal_run(engine: sa.Engine, run_id: int) -> Seal:
    with hf_database.transaction(engine) as connection:
        return seal(connection, run_id, "retention", AS_OF, AT)


@pytest.fixture
def sealed(database: sa.Engine) -> Seal:
    """The seal of run 7, five entries among those of run 8."""
    for run_id in (8, 7, 8):
        append_run(database, run_id, 3)
    append_run(database, 7, 2)
    return seal_run(database, 7)


def test_a_seal_covers_the_entries_of_its_run_and_the_chain_so_far(database: sa.Engine, sealed: Seal) -> None:
    with database.connect() as connection:
        entries = list(ledger.entries_of_run(connection, 7))
        assert seals(connection) == [sealed]
    *covered, sealing = entries
    assert [entry.seq for entry in covered] == [4, 5, 6, 10, 11]
    leaves = [leaf_hash(entry.text.encode()) for entry in covered]
    assert sealed == Seal(7, "retention", AS_OF, 4, 11, 5, merkle.root(leaves), 12, sealing.hash, AT)
    assert sealing.kind == "run_sealed"
    assert sealing.facts == {
        "root": f"sha256:{sealed.root.hex()}",
        "entries": 5,
        "first_seq": 4,
        "last_seq": 11,
    }
    proof = merkle.Tree(leaves).inclusion_proof(3, 5)
    assert verify_inclusion(leaves[3], 3, sealed.entries, proof, sealed.root)


def test_the_file_says_what_the_row_says_and_only_its_owner_reads_it(sealed: Seal, tmp_path: Path) -> None:
    old_mask = os.umask(0)
    try:
        path = write(sealed, tmp_path / "seals")
    finally:
        os.umask(old_mask)
    assert path.name == "retention-2026-11-24-run7.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert Seal.from_json(path.read_text()) == sealed
    assert json.loads(path.read_text())["root"] == sealed.root.hex()


def test_writing_again_changes_nothing(sealed: Seal, tmp_path: Path) -> None:
    path = write(sealed, tmp_path)
    before = path.stat()
    assert write(sealed, tmp_path) == path
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_file_that_says_something_else_is_not_replaced(sealed: Seal, tmp_path: Path) -> None:
    other = write(replace(sealed, root=bytes(32)), tmp_path)
    with pytest.raises(LedgerError, match="another ledger or was altered"):
        write(sealed, tmp_path)
    assert Seal.from_json(other.read_text()).root == bytes(32)


def test_a_seal_whose_file_was_never_written_is_found_again(database: sa.Engine, sealed: Seal, tmp_path: Path) -> None:
    append_run(database, 7, 1)  # late, from an attempt that did not know
    again = seal_run(database, 7)
    assert again == sealed
    assert again.to_json() == sealed.to_json()
    with database.connect() as connection:
        assert seals(connection) == [sealed]
        assert [entry.kind for entry in ledger.entries_of_run(connection, 7)].count("run_sealed") == 1
    write(again, tmp_path)


def test_a_sealed_run_whose_entries_changed_is_not_vouched_for(database: sa.Engine, sealed: Seal) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("UPDATE holdfast.ledger_entry SET entry = replace(entry, '2', '3') WHERE seq = 6"))
    with pytest.raises(LedgerError, match="not those that were sealed"):
        seal_run(database, 7)


def test_a_run_without_entries_cannot_be_sealed(database: sa.Engine) -> None:
    with pytest.raises(LedgerError, match="no entry"):
        seal_run(database, 7)


def test_a_seal_that_is_rolled_back_leaves_nothing(database: sa.Engine) -> None:
    append_run(database, 7, 2)
    with database.connect() as connection:
        seal(connection, 7, "retention", AS_OF, AT)
    with database.connect() as connection:
        assert seals(connection) == []
        assert [entry.seq for entry in ledger.entries_of_run(connection, 7)] == [1, 2]


def test_an_entry_that_arrives_during_sealing_is_not_left_out(database: sa.Engine) -> None:
    append_run(database, 7, 2)
    outcome: list[object] = []

    def seal_meanwhile() -> None:
        try:
            outcome.append(seal_run(database, 7))
        except LedgerError as error:
            outcome.append(error)

    sealer = threading.Thread(target=seal_meanwhile)
    with hf_database.transaction(database) as connection:
        ledger.append(connection, "batch_deleted", {}, 7)  # holds the head
        sealer.start()
        with database.connect() as observer:
            waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not observer.execute(waiting).scalar_one():
                observer.rollback()
                time.sleep(0.01)
    sealer.join()
    assert "Another writer added to run 7" in str(outcome[0])
    assert seal_run(database, 7).entries == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '"x"',
        "not JSON",
        Seal(7, "retention", AS_OF, 4, 11, 5, bytes(32), 12, bytes(32), AT).to_json().replace(": 4,", ': "4",'),
        Seal(7, "retention", AS_OF, 4, 11, 5, bytes(32), 12, bytes(32), AT).to_json() + " ",
        Seal(7, "retention", AS_OF, 4, 11, 5, bytes(32), 12, bytes(32), AT).to_json().replace("seal/1", "seal/2"),
    ],
)
def test_what_is_not_exactly_a_seal_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - from the standard library in some of the cases
        Seal.from_json(text)


WRITER = """
import datetime as dt, itertools, sys
from pathlib import Path
from holdfast.evidence.offline import leaf_hash, verify_inclusion
from holdfast.evidence.seal import Seal, write
print("ready", flush=True)
for run in itertools.count():
    at = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    write(Seal(run, "retention", at.date(), 1, 2, 2, bytes(32), 3, bytes(32), at), Path(sys.argv[1]))
"""


def test_a_writer_killed_at_any_time_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    for attempt in range(4):
        folder = tmp_path / str(attempt)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.02 + attempt * 0.0137)
            writer.send_signal(signal.SIGKILL)
        for path in folder.glob("*.json"):
            assert Seal.from_json(path.read_text()).file_name == path.name

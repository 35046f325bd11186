"""What a superuser can do to the ledger in the database, and what verification then says."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast import database as hf_database
from holdfast.evidence import ledger, merkle
from holdfast.evidence.copies import Copies
from holdfast.evidence.findings import Flaw
from holdfast.evidence.offline import leaf_hash
from holdfast.evidence.seal import Seal, seal, write
from holdfast.evidence.verify import Verdict, VerifyResult, verify

AS_OF = dt.date(2026, 11, 24)


def run_and_seal(engine: sa.Engine, folder: Path, run_id: int, batches: int = 4) -> Seal:
    """A night: `batches` entries, the seal, and afterwards a hold that belongs to no run. `batches` + 2 entries."""
    as_of = AS_OF + dt.timedelta(days=run_id)
    with hf_database.transaction(engine) as connection:
        for batch in range(batches):
            ledger.append(connection, "batch_deleted", {"batch": batch, "rows": 50_000}, run_id)
    with hf_database.transaction(engine) as connection:
        sealed = seal(connection, run_id, "retention", as_of, dt.datetime(2026, 11, 24, 2, run_id, tzinfo=dt.UTC))
    write(sealed, folder)
    with hf_database.transaction(engine) as connection:
        ledger.append(connection, "hold_placed", {"hold": "billing:dispute"})
    return sealed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "seals"


@pytest.fixture
def three_nights(database: sa.Engine, folder: Path) -> sa.Engine:
    """Runs 1 to 3 as entries 1 to 4, 7 to 10 and 13 to 16; sealed by 5, 11 and 17; holds as 6, 12 and 18."""
    for run_id in (1, 2, 3):
        run_and_seal(database, folder, run_id)
    return database


def verified(engine: sa.Engine, folder: Path) -> VerifyResult:
    with engine.connect() as connection:
        return verify(connection, folder, Copies((folder / "checkpoints").as_uri()))


def found(result: VerifyResult) -> set[tuple[Flaw, int, int]]:
    return {(one.flaw, one.seq, one.last_seq) for one in result.findings}


def as_superuser(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))


def rechain(engine: sa.Engine, *, with_seals: Sequence[int] = ()) -> None:
    """Make everything in the database agree again, as somebody would who knows how it is checked."""
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        rows = connection.execute(sa.text("SELECT seq, run_id, entry FROM holdfast.ledger_entry ORDER BY seq")).all()
        hashes = {0: bytes(32)}
        last = 0
        for row in rows:
            hashes[row.seq] = sha256(hashes[last] + row.entry.encode()).digest()
            connection.execute(
                sa.text("UPDATE holdfast.ledger_entry SET prev_hash = :before, hash = :hash WHERE seq = :seq"),
                {"before": hashes[last], "hash": hashes[row.seq], "seq": row.seq},
            )
            last = row.seq
        connection.execute(
            sa.text("UPDATE holdfast.ledger_head SET seq = :seq, hash = :hash"), {"seq": last, "hash": hashes[last]}
        )
        for run_id in with_seals:
            leaves = [leaf_hash(row.entry.encode()) for row in rows if row.run_id == run_id]
            connection.execute(
                sa.text(
                    "UPDATE holdfast.ledger_seal SET root = :root, head_hash ="
                    " (SELECT hash FROM holdfast.ledger_entry WHERE seq = sealed_seq) WHERE run_id = :run_id"
                ),
                {"root": merkle.root(leaves[:-1]), "run_id": run_id},
            )


def test_an_empty_ledger_is_in_order(database: sa.Engine, folder: Path) -> None:
    assert verified(database, folder) == VerifyResult(Verdict.OK, 0, 0, bytes(32), 0, 0, 0, (), 0)


def test_an_unaltered_ledger_is_in_order_and_its_uncovered_end_is_counted(
    three_nights: sa.Engine, folder: Path
) -> None:
    result = verified(three_nights, folder)
    assert (result.verdict, result.findings) == (Verdict.OK, ())
    assert (result.entries, result.head_seq, result.sealed_runs, result.uncovered) == (18, 18, 3, 1)


def test_a_ledger_can_be_verified_while_it_is_written(three_nights: sa.Engine, folder: Path) -> None:
    stop = threading.Event()

    def write_on() -> None:
        run_id = 3
        while not stop.is_set():
            run_id += 1
            run_and_seal(three_nights, folder, run_id, batches=2)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        results = [verified(three_nights, folder) for _ in range(20)]
    finally:
        stop.set()
        writer.join()
    # The writer commits a seal before it writes the file, so a moment in between may be caught; nothing else may.
    assert {flaw for result in results for flaw, _, _ in found(result)} <= {Flaw.SEAL_FILE_MISSING}
    assert results[-1].entries > results[0].entries
    assert verified(three_nights, folder).verdict is Verdict.OK


SEAL_OF_2_BROKEN = (Flaw.SEAL_ROOT, 7, 10)
ALTERATIONS = {
    "text changed": (
        ["UPDATE holdfast.ledger_entry SET entry = replace(entry, '50000', '49999') WHERE seq = 8"],
        {(Flaw.CHANGED, 8, 8), SEAL_OF_2_BROKEN},
    ),
    "kind changed in the column alone": (
        ["UPDATE holdfast.ledger_entry SET kind = 'batch_anonymised' WHERE seq = 8"],
        {(Flaw.CHANGED, 8, 8)},
    ),
    "time changed in the column alone": (
        ["UPDATE holdfast.ledger_entry SET at = at - interval '1 microsecond' WHERE seq = 8"],
        {(Flaw.CHANGED, 8, 8)},
    ),
    "moved to another run in the column alone": (
        ["UPDATE holdfast.ledger_entry SET run_id = 3 WHERE seq = 8"],
        {(Flaw.CHANGED, 8, 8), SEAL_OF_2_BROKEN},
    ),
    "changed with its own hash": (
        [
            "UPDATE holdfast.ledger_entry SET entry = replace(entry, '50000', '49999') WHERE seq = 8",
            "UPDATE holdfast.ledger_entry SET hash = sha256(prev_hash || convert_to(entry, 'UTF8')) WHERE seq = 8",
        ],
        {(Flaw.CHANGED, 8, 8), SEAL_OF_2_BROKEN},
    ),
    "removed": (
        ["DELETE FROM holdfast.ledger_entry WHERE seq = 8"],
        {(Flaw.REMOVED, 8, 8), SEAL_OF_2_BROKEN},
    ),
    "removed outside any run": (
        ["DELETE FROM holdfast.ledger_entry WHERE seq = 12"],
        {(Flaw.REMOVED, 12, 12)},
    ),
    "two neighbours exchanged": (
        [
            "UPDATE holdfast.ledger_entry SET seq = -seq WHERE seq IN (8, 9)",
            "UPDATE holdfast.ledger_entry SET seq = 17 + seq WHERE seq < 0",
        ],
        {(Flaw.REORDERED, 8, 8), (Flaw.REORDERED, 9, 9), SEAL_OF_2_BROKEN},
    ),
    "two entries exchanged in text alone": (
        [
            "UPDATE holdfast.ledger_entry AS one SET entry = other.entry FROM holdfast.ledger_entry AS other"
            " WHERE one.seq IN (8, 10) AND other.seq = 18 - one.seq"
        ],
        {(Flaw.REORDERED, 8, 8), (Flaw.REORDERED, 10, 10), SEAL_OF_2_BROKEN},
    ),
    "appended past the writer": (
        [
            "INSERT INTO holdfast.ledger_entry SELECT 19, at, run_id, kind, replace(entry, '18}', '19}'), hash, hash"
            " FROM holdfast.ledger_entry WHERE seq = 18",
            "UPDATE holdfast.ledger_entry SET hash = sha256(prev_hash || convert_to(entry, 'UTF8')) WHERE seq = 19",
        ],
        {(Flaw.INSERTED, 19, 19)},
    ),
    "end cut off": (
        ["DELETE FROM holdfast.ledger_entry WHERE seq >= 18"],
        {(Flaw.REMOVED, 18, 18)},
    ),
    "emptied": (
        ["TRUNCATE holdfast.ledger_entry"],
        {
            (Flaw.REMOVED, 1, 18),
            *((Flaw.SEAL_ROOT, first, first + 3) for first in (1, 7, 13)),
            (Flaw.SEAL_CHAIN, 1, 5),
        },
    ),
    "head changed": (
        ["UPDATE holdfast.ledger_head SET hash = sha256(hash)"],
        {(Flaw.HEAD, 18, 18)},
    ),
    "head removed": (
        ["DELETE FROM holdfast.ledger_head"],
        {(Flaw.HEAD, 18, 18)},
    ),
    "seal changed": (
        ["UPDATE holdfast.ledger_seal SET root = sha256(root) WHERE run_id = 2"],
        {(Flaw.SEAL_FILE, 7, 11)},
    ),
    "seal removed": (
        ["DELETE FROM holdfast.ledger_seal WHERE run_id = 2"],
        {(Flaw.SEAL_REMOVED, 7, 11)},
    ),
}


@pytest.mark.parametrize(("statements", "expected"), ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_what_a_superuser_altered_is_named(
    three_nights: sa.Engine, folder: Path, statements: list[str], expected: set[tuple[Flaw, int, int]]
) -> None:
    as_superuser(three_nights, *statements)
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INVALID
    assert found(result) == expected


def test_an_entry_inserted_by_renumbering_is_named(three_nights: sa.Engine, folder: Path) -> None:
    as_superuser(
        three_nights,
        "UPDATE holdfast.ledger_entry SET seq = -seq - 1 WHERE seq >= 12",
        "UPDATE holdfast.ledger_entry SET seq = -seq WHERE seq < 0",
        "INSERT INTO holdfast.ledger_entry SELECT 12, at, run_id, kind, replace(entry, '6}', '12}'),"
        " prev_hash, hash FROM holdfast.ledger_entry WHERE seq = 6",
    )
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INVALID
    assert (Flaw.INSERTED, 12, 12) in found(result)


def test_a_chain_computed_anew_agrees_with_itself_but_not_with_the_files(three_nights: sa.Engine, folder: Path) -> None:
    as_superuser(
        three_nights, "UPDATE holdfast.ledger_entry SET entry = replace(entry, '50000', '49999') WHERE seq = 8"
    )
    rechain(three_nights, with_seals=(1, 2, 3))
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INVALID
    assert found(result) == {
        SEAL_OF_2_BROKEN,
        (Flaw.SEAL_CHAIN, 6, 11),  # after the first seal, which still agrees, and before the second
        (Flaw.SEAL_FILE, 7, 11),
        (Flaw.SEAL_FILE, 13, 17),
    }


def test_an_end_cut_off_with_head_and_seal_is_remembered_by_the_file(three_nights: sa.Engine, folder: Path) -> None:
    as_superuser(
        three_nights,
        "DELETE FROM holdfast.ledger_entry WHERE seq > 12",
        "DELETE FROM holdfast.ledger_seal WHERE run_id = 3",
    )
    rechain(three_nights)
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INVALID
    assert found(result) == {(Flaw.SEAL_REMOVED, 13, 17), (Flaw.SEAL_ROOT, 13, 16), (Flaw.SEAL_CHAIN, 12, 17)}


def test_a_rewritten_entry_that_no_seal_covers_is_counted_as_uncovered(three_nights: sa.Engine, folder: Path) -> None:
    as_superuser(
        three_nights, "UPDATE holdfast.ledger_entry SET entry = replace(entry, 'dispute', 'refund') WHERE seq = 18"
    )
    rechain(three_nights)
    result = verified(three_nights, folder)
    assert (result.verdict, result.uncovered) == (Verdict.OK, 1)


def test_a_seal_and_its_file_that_are_both_gone_are_missed(three_nights: sa.Engine, folder: Path) -> None:
    as_superuser(three_nights, "DELETE FROM holdfast.ledger_seal WHERE run_id = 2")
    (folder / "retention-2026-11-26-run2.json").unlink()
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INVALID
    assert found(result) == {(Flaw.SEAL_REMOVED, 11, 11)}


def test_a_missing_file_makes_the_evidence_incomplete(three_nights: sa.Engine, folder: Path) -> None:
    (folder / "retention-2026-11-27-run3.json").unlink()
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INCOMPLETE
    assert found(result) == {(Flaw.SEAL_FILE_MISSING, 13, 17)}
    assert result.uncovered == 7


def test_without_any_file_nothing_is_covered(three_nights: sa.Engine, tmp_path: Path) -> None:
    result = verified(three_nights, tmp_path / "elsewhere")
    assert (result.verdict, len(result.findings), result.uncovered) == (Verdict.INCOMPLETE, 3, 18)


def test_an_altered_file_is_named(three_nights: sa.Engine, folder: Path) -> None:
    path = folder / "retention-2026-11-26-run2.json"
    path.write_text(path.read_text().replace('"entries": 4', '"entries": 3'))
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INVALID
    assert found(result) == {(Flaw.SEAL_FILE, 7, 11), SEAL_OF_2_BROKEN}


def test_a_file_that_is_no_seal_is_named(three_nights: sa.Engine, folder: Path) -> None:
    path = folder / "retention-2026-11-26-run2.json"
    path.write_text(path.read_text()[:-20])
    result = verified(three_nights, folder)
    assert result.verdict is Verdict.INVALID
    assert found(result) == {(Flaw.SEAL_FILE, 0, 0), (Flaw.SEAL_FILE_MISSING, 7, 11)}
    assert path.name in result.findings[0].what


def test_a_file_under_another_name_is_named(three_nights: sa.Engine, folder: Path) -> None:
    path = folder / "retention-2026-11-26-run2.json"
    path.rename(folder / "retention-2026-11-26-run9.json")
    assert found(verified(three_nights, folder)) == {(Flaw.SEAL_FILE, 7, 11)}


def test_what_a_killed_writer_left_is_no_finding(three_nights: sa.Engine, folder: Path) -> None:
    (folder / ".x1.partial").write_text("{")
    (folder / ".x2.json").write_text("{")
    assert verified(three_nights, folder).verdict is Verdict.OK

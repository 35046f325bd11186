"""A checkpoint is signed over all entries so far, continues the one before, and has a copy outside the database."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast import database as hf_database
from holdfast.errors import LedgerError, SettingsError
from holdfast.evidence import checkpoint, copies, ledger, merkle, restored, rotation, signing
from holdfast.evidence.checkpoint import Log
from holdfast.evidence.copies import Copies
from holdfast.evidence.findings import Flaw
from holdfast.evidence.offline import Checkpoint, Keyring, Note, leaf_hash, verify_consistency
from holdfast.evidence.verify import Verdict, VerifyResult, verify

NOW = dt.datetime(2026, 11, 24, 2, 15, tzinfo=dt.UTC)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    key = tmp_path / "keys" / "ledger.key"
    signing.save(signing.SigningKey.generate("example.com/ledger"), key)
    return checkpoint.Log(signing.load_or_make(key), Copies((tmp_path / "copies").as_uri()))


def append(engine: sa.Engine, entries: int) -> None:
    with hf_database.transaction(engine) as connection:
        for batch in range(entries):
            ledger.append(connection, "batch_deleted", {"batch": batch, "rows": 50_000})


def sign(engine: sa.Engine, log: Log) -> Checkpoint:
    with hf_database.transaction(engine) as connection:
        made = checkpoint.make(connection, log, NOW)
    assert made is not None
    return checkpoint.publish(log, made)


def leaves(engine: sa.Engine) -> list[bytes]:
    with engine.connect() as connection:
        return [
            leaf_hash(row.entry.encode())
            for row in connection.execute(sa.text("SELECT entry FROM holdfast.ledger_entry ORDER BY seq"))
        ]


def as_superuser(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))


def verified(engine: sa.Engine, log: Log, tmp_path: Path) -> VerifyResult:
    with engine.connect() as connection:
        return verify(connection, tmp_path / "seals", log.copies)


def found(result: VerifyResult) -> set[tuple[Flaw, int, int]]:
    return {(one.flaw, one.seq, one.last_seq) for one in result.findings}


@pytest.fixture
def signed_thrice(database: sa.Engine, log: Log) -> Sequence[Checkpoint]:
    """Checkpoints of 3, 8 and 9 entries, and two entries after them."""
    made = []
    for entries in (3, 5, 1):
        append(database, entries)
        made.append(sign(database, log))
    append(database, 2)
    return made


def test_each_checkpoint_is_the_signed_root_of_all_entries_and_continues_the_one_before(
    database: sa.Engine, log: Log, signed_thrice: Sequence[Checkpoint]
) -> None:
    tree = merkle.Tree(leaves(database))
    for one in signed_thrice:
        assert (one.origin, one.root) == ("example.com/ledger", tree.root(one.size))
        assert one.note.signers([log.key.public]) == [log.key.public]
    for before, after in itertools.pairwise(signed_thrice):
        proof = tree.consistency_proof(before.size, after.size)
        assert verify_consistency(before.size, after.size, before.root, after.root, proof)


def test_a_checkpoint_is_a_row_and_a_file_that_say_the_same(
    database: sa.Engine, log: Log, signed_thrice: Sequence[Checkpoint]
) -> None:
    names = log.copies.names(copies.CHECKPOINT)
    assert names == [copies.name_of(copies.CHECKPOINT, size) for size in (3, 8, 9)]
    with database.connect() as connection:
        rows = connection.execute(sa.text("SELECT note FROM holdfast.ledger_checkpoint ORDER BY size")).scalars().all()
    assert rows == [log.copies.read(name) for name in names] == [str(one.note) for one in signed_thrice]
    assert log.copies.read(log.copies.names(copies.KEY)[0]) == f"{log.key.public}\n"


def test_nothing_new_makes_no_new_checkpoint_and_an_empty_ledger_none(database: sa.Engine, log: Log) -> None:
    with hf_database.transaction(database) as connection:
        assert checkpoint.make(connection, log, NOW) is None
    append(database, 3)
    assert sign(database, log) == sign(database, log)


def test_files_are_their_owners_alone_whatever_the_mask(database: sa.Engine, tmp_path: Path) -> None:
    append(database, 1)
    old_mask = os.umask(0)
    try:
        log = checkpoint.Log(
            signing.load_or_make(tmp_path / "home" / "ledger.key"), Copies((tmp_path / "copies").as_uri())
        )
        sign(database, log)
    finally:
        os.umask(old_mask)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.parent.stat().st_mode & 0o777 for path in files} == {0o700}


def test_the_second_place_may_be_any_that_fsspec_knows(database: sa.Engine, log: Log, tmp_path: Path) -> None:
    elsewhere = Log(log.key, Copies(f"memory://{tmp_path.name}"))
    append(database, 2)
    made = sign(database, elsewhere)
    assert elsewhere.copies.read(copies.name_of(copies.CHECKPOINT, 2)) == str(made.note)
    assert verified(database, elsewhere, tmp_path).verdict is Verdict.OK


def test_a_copy_that_was_never_written_is_written_by_the_next(database: sa.Engine, log: Log, tmp_path: Path) -> None:
    append(database, 2)
    with hf_database.transaction(database) as connection:
        checkpoint.make(connection, log, NOW)
    assert log.copies.names(copies.CHECKPOINT) == []
    assert verified(database, log, tmp_path).verdict is not Verdict.OK
    append(database, 1)
    sign(database, log)
    assert len(log.copies.names(copies.CHECKPOINT)) == 2


def test_an_unaltered_ledger_is_in_order_and_its_uncovered_end_is_counted(
    database: sa.Engine, log: Log, signed_thrice: Sequence[Checkpoint], tmp_path: Path
) -> None:
    result = verified(database, log, tmp_path)
    assert (result.verdict, result.checkpoints, result.uncovered) == (Verdict.OK, 3, 2)


REWRITTEN = "UPDATE holdfast.ledger_entry SET entry = replace(entry, '50000', '49999') WHERE seq = 5"
ALTERATIONS = {
    "entry changed": ([REWRITTEN], {(Flaw.CHANGED, 5, 5), (Flaw.CHECKPOINT_ROOT, 4, 8)}),
    "end cut off": (
        ["DELETE FROM holdfast.ledger_entry WHERE seq > 8"],
        {(Flaw.REMOVED, 9, 11), (Flaw.CHECKPOINT_ROOT, 9, 9)},
    ),
    "checkpoint removed": (
        ["DELETE FROM holdfast.ledger_checkpoint WHERE size = 8"],
        {(Flaw.CHECKPOINT_REMOVED, 1, 8)},
    ),
    "checkpoints exchanged": (
        [
            "UPDATE holdfast.ledger_checkpoint AS one SET note = other.note FROM holdfast.ledger_checkpoint AS other"
            " WHERE one.size = 3 AND other.size = 8"
        ],
        {(Flaw.CHECKPOINT_COPY, 1, 3)},
    ),
    "checkpoint forged": (
        ["UPDATE holdfast.ledger_checkpoint SET note = replace(note, E'\\n9\\n', E'\\n7\\n') WHERE size = 9"],
        {(Flaw.CHECKPOINT_COPY, 1, 9)},
    ),
}


@pytest.mark.parametrize(("statements", "expected"), ALTERATIONS.values(), ids=ALTERATIONS.keys())
@pytest.mark.usefixtures("signed_thrice")
def test_what_a_superuser_altered_is_named(
    database: sa.Engine, log: Log, tmp_path: Path, statements: list[str], expected: set[tuple[Flaw, int, int]]
) -> None:
    as_superuser(database, *statements)
    result = verified(database, log, tmp_path)
    assert result.verdict is Verdict.INVALID
    assert found(result) == expected


@pytest.mark.usefixtures("signed_thrice")
def test_a_copy_that_is_not_signed_by_our_key_is_named(database: sa.Engine, log: Log, tmp_path: Path) -> None:
    other = signing.SigningKey.generate("example.com/ledger")
    path = tmp_path / "copies" / copies.name_of(copies.CHECKPOINT, 9)
    path.write_text(str(other.sign(Note.parse(path.read_text()).text)))
    assert found(verified(database, log, tmp_path)) == {(Flaw.CHECKPOINT_COPY, 1, 9), (Flaw.CHECKPOINT_FORGED, 1, 9)}


REFUSED = {
    "the last checkpoint is gone": ["DELETE FROM holdfast.ledger_checkpoint WHERE size = 9"],
    "its text was altered": ["UPDATE holdfast.ledger_checkpoint SET note = replace(note, E'\\n9\\n', E'\\n7\\n')"],
    "its peaks were altered": ["UPDATE holdfast.ledger_checkpoint SET peaks = sha256(peaks) || sha256(note::bytea)"],
    "its peaks are too short": ["UPDATE holdfast.ledger_checkpoint SET peaks = ''"],
    "an entry is missing": ["DELETE FROM holdfast.ledger_entry WHERE seq = 10"],
}


@pytest.mark.parametrize("statements", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.usefixtures("signed_thrice")
def test_what_does_not_continue_the_last_checkpoint_is_never_signed(
    database: sa.Engine, log: Log, statements: list[str]
) -> None:
    as_superuser(database, *statements)
    with pytest.raises(LedgerError), hf_database.transaction(database) as connection:
        checkpoint.make(connection, log, NOW)
    assert len(log.copies.names(copies.CHECKPOINT)) == 3


@pytest.mark.usefixtures("signed_thrice")
def test_another_key_takes_over_and_either_leads_to_the_other(database: sa.Engine, log: Log, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ledger.key"
    new = rotation.rotate(database, path, log.copies, NOW)
    assert new != log.key.public
    assert signing.load(path).public == new
    append(database, 2)
    after = sign(database, Log(signing.load(path), log.copies))
    append(database, 1)
    with pytest.raises(LedgerError, match="replaced by another one"):
        sign(database, log)
    rotations = [Note.parse(log.copies.read(name)) for name in log.copies.names(copies.ROTATION)]
    first, *_, last = (Checkpoint.parse(log.copies.read(name)) for name in log.copies.names(copies.CHECKPOINT))
    assert last == after
    for trusted in (log.key.public, new):
        ring = Keyring([trusted], rotations)
        ring.check(first)
        ring.check(last)
        stolen = Checkpoint.parse(str(log.key.sign(last.note.text)))
        with pytest.raises(ValueError, match="not signed by a key that you trust"):
            ring.check(stolen)
    assert verified(database, log, tmp_path).verdict is Verdict.OK


@pytest.mark.usefixtures("signed_thrice")
def test_a_rotation_that_was_killed_is_ended_by_the_next_try(
    database: sa.Engine, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys" / "ledger.key"
    with monkeypatch.context() as patch:
        patch.setattr(Copies, "put", _fail)
        with pytest.raises(OSError, match="gone"):
            rotation.rotate(database, path, log.copies, NOW)
    new = rotation.rotate(database, path, log.copies, NOW)
    assert signing.load(path).public == new
    with database.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM holdfast.ledger_key_rotation")).scalar_one() == 1
    append(database, 1)
    sign(database, Log(signing.load(path), log.copies))
    assert verified(database, log, tmp_path).verdict is Verdict.OK


def _fail(*_: object) -> None:
    raise OSError("the second place is gone")


@pytest.mark.usefixtures("signed_thrice")
def test_a_restored_database_signs_again_only_once_somebody_said_so(
    database: sa.Engine, log: Log, tmp_path: Path
) -> None:
    as_superuser(
        database,
        "DELETE FROM holdfast.ledger_entry WHERE seq > 8",
        "DELETE FROM holdfast.ledger_checkpoint WHERE size > 8",
        "UPDATE holdfast.ledger_head SET (seq, hash) = (SELECT seq, hash FROM holdfast.ledger_entry WHERE seq = 8)",
    )
    append(database, 4)
    with pytest.raises(LedgerError, match="no checkpoint of 9 entries"):
        sign(database, log)
    with hf_database.transaction(database) as connection:
        lost = restored.acknowledge(connection, tmp_path / "seals", log.copies, by="p1:" + "0" * 32)
    assert [one.size for one in lost.checkpoints] == [9]
    restored.set_aside(tmp_path / "seals", log.copies, lost)
    assert sign(database, log).size == 13
    assert log.copies.names(copies.CHECKPOINT, copies.LOST) == [copies.name_of(copies.CHECKPOINT, 9)]
    assert verified(database, log, tmp_path).verdict is Verdict.OK


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    signing.save(signing.SigningKey.generate("example.com/ledger"), path)
    assert signing.load(path).text() + "\n" == path.read_text()
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="Others than its owner"):
        signing.load(path)
    with pytest.raises(SettingsError, match="already"):
        signing.save(signing.SigningKey.generate("example.com/ledger"), path)


def test_what_is_no_key_is_refused_and_a_key_shows_no_secret(tmp_path: Path) -> None:
    key = signing.load_or_make(tmp_path / "ledger.key")
    assert key.text().rpartition("+")[2] not in repr(key)
    assert signing.load_or_make(tmp_path / "ledger.key") == key
    for text in ("", "PRIVATE+KEY+x", key.text()[:-8], key.text().replace(key.public.id.hex(), "00000000")):
        (tmp_path / "ledger.key").write_text(text)
        with pytest.raises(SettingsError, match="not a signing key"):
            signing.load(tmp_path / "ledger.key")
    for name in ("", "a b", "a+b"):
        with pytest.raises(ValueError, match="cannot be the name"):
            signing.SigningKey.generate(name)

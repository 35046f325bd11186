"""A pack proves what is in it to somebody who has the key and nothing else; whatever is altered is found and named."""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.holdfast.evidence import forged
from tests.holdfast.evidence.forged import KEY, OTHER, Row, checked, ledger, packed, signed, whole

from holdfast.errors import LedgerError
from holdfast.evidence import offline, signing, witness
from holdfast.evidence.copies import CHECKPOINT, COSIGNED, Copies, name_of
from holdfast.evidence.offline import Checkpoint, Note, PublicKey, Verdict, rotation_text
from holdfast.evidence.pack import Evidence, Selection, of_run

EDITS = int(os.environ.get("HOLDFAST_DRILL_EDITS", "400"))
CLEAN = int(os.environ.get("HOLDFAST_DRILL_CLEAN", "60"))
SEED = int(os.environ.get("HOLDFAST_DRILL_SEED", "20261124"))
ROWS = ledger(runs=6, batches=5)  # 39 entries: 10 of two runs in turn, their 2 seals and a hold, three times
SIZES = (13, 26, 39)
NOW = dt.datetime(2026, 11, 24, 2, 15, tzinfo=dt.UTC)
NOTES = signed(ROWS, SIZES)


def said(path: Path, kept: tuple[str, ...] = ()) -> list[tuple[str, int, int]]:
    return [(one.verdict.name, one.first, one.last) for one in checked(path, kept).findings]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """All of a ledger that three checkpoints cover."""
    return packed(tmp_path / "pack.zip", Evidence(ROWS, NOTES), whole(ROWS))


def test_a_pack_of_everything_is_in_order(pack: Path) -> None:
    report = checked(pack, NOTES)
    assert (report.verdict, report.entries, report.size, report.uncovered) == (Verdict.OK, 39, 39, 0)
    assert str(report) == (
        "OK: 39 entries (everything) of example.com/ledger, under a signed checkpoint of 39 entries;"
        " 0 entries not covered yet; 9 files"
    )


@pytest.mark.parametrize("run", range(1, 7))
def test_a_pack_of_one_run_has_its_entries_alone_and_is_proved_complete(tmp_path: Path, run: int) -> None:
    path = packed(tmp_path / "pack.zip", Evidence(ROWS, NOTES), of_run(run))
    assert (checked(path).verdict, checked(path).entries) == (Verdict.OK, 6)


def test_the_same_evidence_gives_the_same_bytes_and_only_its_owner_reads_them(tmp_path: Path) -> None:
    one, other = (packed(tmp_path / name, Evidence(ROWS, NOTES), of_run(2)) for name in ("one.zip", "other.zip"))
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.zip", "other.zip"]


def test_entries_after_the_last_checkpoint_are_counted(tmp_path: Path) -> None:
    path = packed(tmp_path / "pack.zip", Evidence(ROWS, NOTES[:2]), whole(ROWS))
    report = checked(path)
    assert (report.verdict, report.uncovered) == (Verdict.INCOMPLETE, 13)
    assert said(path) == [("INCOMPLETE", 27, 39)]


def test_a_run_that_is_not_sealed_is_incomplete(tmp_path: Path) -> None:
    rows = ROWS[:36]
    path = packed(tmp_path / "pack.zip", Evidence(rows, signed(rows, [36])), of_run(5))
    assert said(path) == [("INCOMPLETE", 0, 0)]


def test_a_run_without_one_of_its_sealed_entries_is_invalid(tmp_path: Path) -> None:
    """The tree is satisfied by a hash in place of the entry; the seal is not."""

    class Forgetful(Selection):
        def has(self, seq: int, run: int | None, kind: str) -> bool:
            return seq != 3 and super().has(seq, run, kind)

    path = packed(tmp_path / "pack.zip", Evidence(ROWS, NOTES), Forgetful({"run": 1}))
    assert said(path) == [("INVALID", 1, 9)]


PERIOD = {"since": "2026-11-01T00:10:00.000000Z", "until": "2026-11-01T00:20:00.000000Z"}


def test_a_period_shows_one_entry_more_on_either_side(tmp_path: Path) -> None:
    selection = Selection(PERIOD, 9, 20)
    assert checked(packed(tmp_path / "pack.zip", Evidence(ROWS, NOTES), selection)).verdict is Verdict.OK
    late = Selection(PERIOD, 10, 20)
    assert said(packed(tmp_path / "late.zip", Evidence(ROWS, NOTES), late)) == [("INVALID", 10, 10)]
    early = Selection(PERIOD, 9, 19)
    assert said(packed(tmp_path / "early.zip", Evidence(ROWS, NOTES), early)) == [("INCOMPLETE", 19, 19)]


def test_a_checkpoint_that_was_kept_is_not_forgotten(pack: Path, tmp_path: Path) -> None:
    other = signed(ledger(6, 4), [26])[0]
    assert said(pack, (other,)) == [("DIVERGED", 1, 26)]
    longer = signed(ledger(8, 5), [45])[0]
    assert said(pack, (longer,)) == [("DIVERGED", 40, 45)]
    unknown = signed(ROWS, [20])[0]
    assert said(pack, (unknown,)) == [("DIVERGED", 1, 20)]


def restored() -> tuple[list[Row], list[str]]:
    """A ledger of 39 entries that was restored to 26 and went on; the lost checkpoint is named by entry 27."""
    root = Checkpoint.parse(NOTES[2]).root.hex()
    facts = {"checkpoints": [{"size": 39, "root": f"sha256:{root}"}], "lost": 2}
    rows = [*ROWS[:26], forged.row(27, None, "restore_acknowledged", facts)]
    return rows, [*NOTES[:2], *signed(rows, [27])]


def test_a_restore_that_was_acknowledged_is_a_gap_with_its_range(tmp_path: Path) -> None:
    rows, notes = restored()
    evidence = Evidence(rows, notes, lost=NOTES[2:])
    for selection in (whole(rows), of_run(1)):
        path = packed(tmp_path / "pack.zip", evidence, selection)
        assert said(path) == [("GAP", 27, 39)]
        assert set(said(path, (NOTES[2],))) == {("GAP", 27, 39)}


def test_a_restore_that_nobody_acknowledged_is_a_divergence(tmp_path: Path) -> None:
    path = packed(tmp_path / "pack.zip", Evidence(ROWS[:26], NOTES[:2], lost=NOTES[2:]), whole(ROWS[:26]))
    assert said(path) == [("DIVERGED", 27, 39)]


def test_a_pack_without_any_checkpoint_proves_nothing_and_says_so(tmp_path: Path) -> None:
    report = checked(packed(tmp_path / "pack.zip", Evidence(ROWS, []), whole(ROWS)))
    assert (report.verdict, report.uncovered) == (Verdict.INCOMPLETE, 39)


def test_whoever_trusts_either_key_can_check_across_a_rotation(tmp_path: Path) -> None:
    text = rotation_text(KEY.public, OTHER.public, 26)
    rotation = Note(text, KEY.sign(text).signatures + OTHER.sign(text).signatures)
    notes = [*NOTES[:2], *signed(ROWS, [39], OTHER)]
    path = packed(tmp_path / "pack.zip", Evidence(ROWS, notes, [str(rotation)]), whole(ROWS), OTHER)
    for trusted in (KEY.public, OTHER.public):
        assert offline.check(path, [trusted]).verdict is Verdict.OK
    half = Evidence(ROWS, notes, [str(OTHER.sign(text))])
    assert checked(packed(tmp_path / "half.zip", half, whole(ROWS), OTHER)).verdict is Verdict.INVALID
    stolen = Evidence(ROWS, NOTES, [str(rotation)])
    assert checked(packed(tmp_path / "stolen.zip", stolen, whole(ROWS))).verdict is Verdict.INVALID


def test_a_stolen_old_key_cannot_name_another_successor(tmp_path: Path) -> None:
    thief = signing.SigningKey.generate("example.com/ledger")
    texts = [rotation_text(KEY.public, new.public, 13) for new in (OTHER, thief)]
    rotations = [
        str(Note(text, KEY.sign(text).signatures + new.sign(text).signatures))
        for text, new in zip(texts, (OTHER, thief), strict=True)
    ]
    forged_ = [*NOTES[:1], *signed(ROWS, [39], thief)]
    path = packed(tmp_path / "pack.zip", Evidence(ROWS, forged_, rotations), whole(ROWS), thief)
    for trusted in (KEY.public, OTHER.public):
        assert offline.check(path, [trusted]).verdict is Verdict.INVALID


def test_a_manifest_of_another_shape_is_invalid_and_no_crash(pack: Path, tmp_path: Path) -> None:
    files = forged.members(pack)
    for manifest in ("[]", "1", '{"format": "holdfast-pack/1"}', '{"format": "holdfast-pack/1", "files": 1}', "{"):
        files[offline.MANIFEST] = str(KEY.sign(manifest + "\n")).encode()
        assert checked(forged.repacked(tmp_path / "altered.zip", files)).verdict is Verdict.INVALID


def test_a_witness_signs_what_continues_what_it_saw_and_nothing_else(tmp_path: Path) -> None:
    key_file, now = tmp_path / "witness" / "key", NOW
    pack = packed(tmp_path / "pack.zip", Evidence(ROWS[:26], NOTES[:2]), whole(ROWS[:26]))
    note, public = witness.cosign(pack, key_file, str(KEY.public), "witness.example/w", now)
    assert note.signers([KEY.public, public]) == [KEY.public, public]
    longer = packed(tmp_path / "longer.zip", Evidence(ROWS, NOTES), of_run(1))
    assert Checkpoint.parse(str(witness.cosign(longer, key_file, str(KEY.public), "", now)[0])).size == 39
    with pytest.raises(LedgerError, match="cut off, or the pack is the older one"):
        witness.cosign(pack, key_file, str(KEY.public), "", now)
    rows = ledger(6, 6)
    diverged = packed(tmp_path / "diverged.zip", Evidence(rows, signed(rows, [13, 26, 39, 45])), of_run(1))
    with pytest.raises(LedgerError, match="of other entries"):
        witness.cosign(diverged, key_file, str(KEY.public), "", now)


def test_what_is_not_yet_witnessed_is_counted(tmp_path: Path) -> None:
    pack = packed(tmp_path / "pack.zip", Evidence(ROWS[:26], NOTES[:2]), whole(ROWS[:26]))
    note, public = witness.cosign(pack, tmp_path / "key", str(KEY.public), "witness.example/w", NOW)
    place = Copies((tmp_path / "copies").as_uri())
    place.put(name_of(CHECKPOINT, 26), NOTES[1])
    taken = place.read(f"{COSIGNED}/{witness.take_in(place, str(note))}")
    with pytest.raises(LedgerError, match="nobody else signed it"):
        witness.take_in(place, NOTES[1])
    longer = packed(tmp_path / "longer.zip", Evidence(ROWS, NOTES, cosigned=[taken]), whole(ROWS))
    assert checked(longer).verdict is Verdict.OK
    report = offline.check(longer, [KEY.public], witnesses=[public])
    assert [(one.verdict, one.first, one.last) for one in report.findings] == [(Verdict.INCOMPLETE, 27, 39)]
    stranger = signing.SigningKey.generate("witness.example/w", offline.COSIGNATURE).public
    assert len(offline.check(longer, [KEY.public], witnesses=[stranger]).findings) == 1


@pytest.mark.parametrize("run", [1, 4])
def test_an_entry_is_held_by_the_root_alone(tmp_path: Path, run: int) -> None:
    """One checkpoint, so no consistency proof, and a run that is not sealed: nothing but the tree can tell."""
    rows = [one for one in ROWS if one[2] != "run_sealed"]
    rows = [forged.renumbered(one, seq - one[0]) for seq, one in enumerate(rows, start=1)]
    at = next(number for number, one in enumerate(rows) if one[1] == run)
    altered = [*rows[:at], forged.row(at + 1, run, "batch_deleted", {"batch": 0, "rows": 1}), *rows[at + 1 :]]
    path = packed(tmp_path / "pack.zip", Evidence(altered, signed(rows, [len(rows)])), of_run(run))
    assert ("INVALID", 1, len(rows)) in said(path)


def test_a_checkpoint_is_held_by_consistency_alone(tmp_path: Path) -> None:
    """It lies within what a pack of a later run leaves out, so that the entries never give its root."""
    notes = [*signed(ledger(6, 4), [13]), *NOTES[1:]]
    path = packed(tmp_path / "pack.zip", Evidence(ROWS, notes), of_run(5))
    assert said(path) == [("INVALID", 1, 26)]


@pytest.mark.parametrize("edit", forged.EDITS, ids=lambda edit: edit.__name__)
def test_whatever_is_done_to_the_ledger_is_found_in_its_range(tmp_path: Path, edit: forged.Alteration) -> None:
    """Packed by the honest program from a database that a superuser altered; the auditor kept the last checkpoint."""
    rnd = random.Random(SEED)
    for number in range(max(1, EDITS // len(forged.EDITS))):
        done = edit(ROWS, NOTES, rnd, 39)
        if done.evidence.entries == ROWS and done.evidence.checkpoints == NOTES:
            continue
        key = OTHER if done.what == "rewrite" else KEY
        path = packed(tmp_path / "pack.zip", done.evidence, whole(ROWS), key)
        report = checked(path, NOTES[2:])
        assert report.verdict in (Verdict.INVALID, Verdict.DIVERGED), f"{done.what} number {number}"
        ranges = [(one.first, one.last) for one in report.findings if one.last]
        assert any(first <= done.last and last >= done.first for first, last in ranges), f"{done.what} number {number}"


def test_whatever_is_done_to_a_pack_is_found(pack: Path, tmp_path: Path) -> None:
    rnd, files = random.Random(SEED), forged.members(pack)
    for number in range(EDITS):
        what, altered = forged.edit_pack(files, rnd)
        if altered != files:
            report = checked(forged.repacked(tmp_path / "altered.zip", altered))
            assert report.verdict is Verdict.INVALID, f"number {number}: {what}"


def test_folders_that_packing_again_puts_in_hide_nothing(pack: Path, tmp_path: Path) -> None:
    """As `zip -r` does."""
    files = forged.members(pack)
    folders = {f"{name.partition('/')[0]}/": b"" for name in files if "/" in name}
    assert checked(forged.repacked(tmp_path / "again.zip", folders | files)).verdict is Verdict.OK
    files[offline.ENTRIES] = files[offline.ENTRIES].replace(b'"rows":', b'"rows":1', 1)
    report = checked(forged.repacked(tmp_path / "changed.zip", folders | files))
    assert report.verdict is Verdict.INVALID
    assert "changed" in "".join(map(str, report.findings))


def test_no_byte_of_the_file_can_be_flipped_unseen(pack: Path, tmp_path: Path) -> None:
    """A flip that leaves every file what it was, such as in the date of one, is no alteration of evidence."""
    rnd, whole_, files = random.Random(SEED), pack.read_bytes(), forged.members(pack)
    for number in range(EDITS // 2):
        place = rnd.randrange(len(whole_))
        altered = tmp_path / "altered.zip"
        altered.write_bytes(whole_[:place] + bytes([whole_[place] ^ (1 << rnd.randrange(8))]) + whole_[place + 1 :])
        if checked(altered).verdict is not Verdict.INVALID:
            assert forged.members(altered) == files, f"number {number}: byte {place}"


def test_clean_packs_raise_no_alarm(tmp_path: Path) -> None:
    rnd = random.Random(SEED)
    for number in range(CLEAN):
        rows = ledger(2 * rnd.randrange(1, 5), rnd.randrange(1, 8))
        sizes = sorted({*rnd.sample(range(1, len(rows)), min(3, len(rows) - 1)), len(rows)})
        notes = signed(rows, sizes)
        selection = rnd.choice([whole(rows), of_run(1), of_run(2)])
        path = packed(tmp_path / "pack.zip", Evidence(rows, notes), selection)
        assert checked(path, notes).verdict is Verdict.OK, f"number {number}"


def test_the_verifier_stands_alone(pack: Path, tmp_path: Path) -> None:
    """Copied to an empty folder, in a Python that finds nothing of ours, it gives each verdict its exit code."""
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(offline.__file__, alone / "check.py")
    (alone / "kept").write_text(signed(ledger(6, 4), [26])[0])
    (alone / "key").write_text(f"{KEY.public}\n")
    (alone / "broken.zip").write_bytes(pack.read_bytes()[:-900])
    open_end = packed(tmp_path / "open.zip", Evidence(ROWS, NOTES[:2]), whole(ROWS))
    rows, notes = restored()
    gap = packed(tmp_path / "gap.zip", Evidence(rows, notes, lost=NOTES[2:]), whole(rows))
    expected = {
        (str(pack), "--key", str(KEY.public)): Verdict.OK,
        (str(pack), "--key", "key"): Verdict.OK,
        (str(pack), "--key", str(OTHER.public)): Verdict.INVALID,
        ("broken.zip", "--key", "key"): Verdict.INVALID,
        (str(pack), "--key", "key", "--kept", "kept"): Verdict.DIVERGED,
        (str(gap), "--key", "key"): Verdict.GAP,
        (str(open_end), "--key", "key"): Verdict.INCOMPLETE,
    }
    for arguments, verdict in expected.items():
        done = run_alone(alone, *arguments)
        assert done.returncode == verdict, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1].startswith(f"{verdict.name}: ")
    assert {run_alone(alone, *mistake).returncode for mistake in ((), ("none.zip", "--key", "key"), (str(pack),))} == {
        2
    }


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "check.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": ""})


def test_a_key_that_is_none_is_refused() -> None:
    for text in ("", "name", str(KEY.public)[:-4], str(KEY.public).replace("+", "", 1), f"x{KEY.public}"):
        with pytest.raises(ValueError, match="is not a key"):
            PublicKey.parse(text)

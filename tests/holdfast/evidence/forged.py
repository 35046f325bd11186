"""Ledgers without a database, packs of them, and what somebody might do to either. For the tests and the drill."""

from __future__ import annotations

import dataclasses
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from holdfast.evidence import merkle, offline, pack
from holdfast.evidence.offline import Checkpoint, Note, Report, checkpoint_text, leaf_hash
from holdfast.evidence.pack import Evidence, Selection
from holdfast.evidence.signing import SigningKey

KEY = SigningKey.generate("example.com/ledger")
OTHER = SigningKey.generate("example.com/ledger")
Row = tuple[int, int | None, str, str]


def row(seq: int, run: int | None, kind: str, facts: dict[str, object]) -> Row:
    """An entry as the database would write it, a minute after the one before."""
    at = f"2026-11-{1 + seq // 1440:02}T{seq // 60 % 24:02}:{seq % 60:02}:00.000000Z"
    text = json.dumps(facts, separators=(",", ":"), sort_keys=True)
    return seq, run, kind, f'{{"at":"{at}","facts":{text},"kind":"{kind}","run":{json.dumps(run)},"seq":{seq}}}'


def ledger(runs: int, batches: int) -> list[Row]:
    """Two runs at a time, entry by entry, each sealed at its end, and a hold after each pair."""
    rows: list[Row] = []
    for first in range(1, runs + 1, 2):
        pair = (first, first + 1)
        for batch in range(batches):
            for run in pair:
                rows.append(row(len(rows) + 1, run, "batch_deleted", {"batch": batch, "rows": 50_000}))
        for run in pair:
            mine = [one for one in rows if one[1] == run]
            root = merkle.root(leaf_hash(one[3].encode()) for one in mine).hex()
            facts = {"entries": len(mine), "first_seq": mine[0][0], "last_seq": mine[-1][0], "root": f"sha256:{root}"}
            rows.append(row(len(rows) + 1, run, "run_sealed", facts))
        rows.append(row(len(rows) + 1, None, "hold_placed", {"hold": "billing:dispute"}))
    return rows


def signed(rows: Sequence[Row], sizes: Sequence[int], key: SigningKey = KEY) -> list[str]:
    """Checkpoints of these sizes."""
    tree = merkle.Tree(leaf_hash(one[3].encode()) for one in rows)
    return [str(key.sign(checkpoint_text(key.public.name, size, tree.root(size)))) for size in sizes]


def whole(rows: Sequence[Row]) -> Selection:
    """All entries, from the ledger's beginning."""
    return Selection({"since": None, "until": None}, 1, rows[-1][0] if rows else 0)


def packed(target: Path, evidence: Evidence, selection: Selection, key: SigningKey = KEY) -> Path:
    """A pack with a report and a plan in it."""
    more = [("runs/1.json", b'{"run": {"run_id": 1}}\n'), ("reports/retention/2026-11-24/index.html", b"<p>Done</p>\n")]
    return pack.make(evidence, key, selection, target, lambda about: more if 1 in about.runs else [])


def checked(path: Path, kept: Sequence[str] = ()) -> Report:
    """What the verifier says to somebody who trusts KEY."""
    return offline.check(path, [KEY.public], [Checkpoint.parse(one) for one in kept])


# What is done to the database, which is then packed by the honest program ---------------------------------------------


@dataclass(frozen=True)
class Edit:
    """An alteration and the entries that a finding must lie within."""

    what: str
    evidence: Evidence
    first: int
    last: int


def rewritten(one: Row, random_: random.Random) -> Row:
    return row(one[0], one[1], one[2], {"batch": random_.randrange(100), "rows": random_.randrange(49_999)})


def renumbered(one: Row, by: int) -> Row:
    seq = one[0] + by
    return seq, one[1], one[2], one[3].replace(f'"seq":{one[0]}}}', f'"seq":{seq}}}')


def change(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    at = rnd.randrange(size)
    return Edit("change", Evidence([*rows[:at], rewritten(rows[at], rnd), *rows[at + 1 :]], notes), at + 1, at + 1)


def flip(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    at = rnd.randrange(size)
    text = rows[at][3]
    place = rnd.randrange(len(text))
    other = chr(ord(text[place]) ^ (1 << rnd.randrange(7)))
    changed = (*rows[at][:3], text[:place] + other + text[place + 1 :])
    return Edit("flip", Evidence([*rows[:at], changed, *rows[at + 1 :]], notes), at + 1, at + 1)


def delete(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    first = rnd.randrange(size)
    last = min(size, first + 1 + rnd.randrange(3))
    return Edit("delete", Evidence(rows[:first] + rows[last:], notes), first + 1, last)


def delete_and_renumber(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    at = rnd.randrange(size)
    after = [renumbered(one, -1) for one in rows[at + 1 :]]
    return Edit("delete and renumber", Evidence(rows[:at] + after, notes), at + 1, size)


def insert(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    at = rnd.randrange(size)
    after = [renumbered(one, 1) for one in rows[at:]]
    return Edit("insert", Evidence([*rows[:at], rewritten(rows[at], rnd), *after], notes), at + 1, size)


def reorder(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    first, second = sorted(rnd.sample(range(size), 2))
    new = list(rows)
    new[first], new[second] = rows[second], rows[first]
    return Edit("reorder", Evidence(new, notes), first + 1, second + 1)


def truncate(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    keep = rnd.randrange(size)
    return Edit("truncate", Evidence(rows[:keep], notes), keep + 1, size)


def roll_back(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    """To the second last checkpoint, and on from there: only what was kept outside knows."""
    to = Checkpoint.parse(notes[-2]).size
    return Edit("roll back", Evidence(rows[:to], notes[:-1]), to + 1, size)


def forge(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    """The last checkpoint again, for a changed entry, with a signature by chance."""
    at = rnd.randrange(size)
    new = [*rows[:at], rewritten(rows[at], rnd), *rows[at + 1 :]]
    note = Note.parse(signed(new, [size])[0])
    name, signature = note.signatures[0]
    false = dataclasses.replace(note, signatures=((name, signature[:4] + rnd.randbytes(64)),))
    return Edit("forge", Evidence(new, [*notes[:-1], str(false)]), 1, size)


def swap(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    """A checkpoint that the real key signed, of another ledger of its name."""
    number = rnd.randrange(len(notes))
    other = signed(ledger(8, 9), [Checkpoint.parse(notes[number]).size])
    return Edit("swap", Evidence(rows, [*notes[:number], *other, *notes[number + 1 :]]), 1, size)


def rewrite(rows: list[Row], notes: list[str], rnd: random.Random, size: int) -> Edit:
    """Everything anew, consistent in itself, signed with a key of one's own under the ledger's name."""
    at = rnd.randrange(size)
    new = [*rows[:at], rewritten(rows[at], rnd), *rows[at + 1 :]]
    return Edit("rewrite", Evidence(new, signed(new, [Checkpoint.parse(one).size for one in notes], OTHER)), 1, size)


Alteration = Callable[[list[Row], list[str], random.Random, int], Edit]
EDITS: Sequence[Alteration] = (
    change, flip, delete, delete_and_renumber, insert, reorder, truncate, roll_back, forge, swap, rewrite,
)  # fmt: skip


# What is done to a pack -----------------------------------------------------------------------------------------------


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(target: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def listed(files: dict[str, bytes], key: SigningKey) -> dict[str, bytes]:
    """The files with a manifest that lists them as they are, signed with a key that is not the ledger's."""
    manifest = json.loads(Note.parse(files[offline.MANIFEST].decode()).text)
    manifest["files"] = {
        name: sha256(content).hexdigest() for name, content in files.items() if name != offline.MANIFEST
    }
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    return {**files, offline.MANIFEST: str(key.sign(text)).encode()}


def edit_pack(files: dict[str, bytes], rnd: random.Random) -> tuple[str, dict[str, bytes]]:
    """One random alteration of one file of a pack; half of the time with a new manifest that agrees with it."""
    name = rnd.choice(sorted(files))
    content = files[name]
    what = rnd.choice(["flip a bit", "cut", "add", "remove", "exchange", "rename"])
    new = dict(files)
    if what == "flip a bit" and content:
        place = rnd.randrange(len(content))
        new[name] = content[:place] + bytes([content[place] ^ (1 << rnd.randrange(8))]) + content[place + 1 :]
    elif what == "cut" and content:
        new[name] = content[: rnd.randrange(len(content))]
    elif what == "add":
        new[name] = content + rnd.randbytes(1 + rnd.randrange(40))
    elif what == "exchange":
        other = rnd.choice(sorted(set(files) - {name}))
        new[name], new[other] = files[other], content
    elif what == "rename":
        new[f"{name}x"] = new.pop(name)
    else:
        what = "remove"
        del new[name]
    if rnd.random() < 0.5 and offline.MANIFEST in new:
        try:
            return f"{what} {name}, list anew", listed(new, OTHER)
        except ValueError:
            pass
    return f"{what} {name}", new

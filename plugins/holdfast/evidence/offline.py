"""Check an evidence pack with nothing but the pack and a public key: the program `holdfast-verify`.

This file stands alone: it needs Python and `cryptography`, no database, no network and nothing else of Holdfast. Copy
it, read it, and run `python offline.py PACK --key KEY`. It gives one verdict, with an exit code of its own:

    OK          0  everything in the pack is as it was signed, and nothing is missing
    INVALID     1  something was changed, removed, inserted, reordered, or is not signed by the key
    DIVERGED    3  the pack contradicts a checkpoint that you kept, or one that was set aside without a word
    GAP         4  entries are lost, and an entry of the ledger says so: the database was restored from a backup
    INCOMPLETE  5  nothing is wrong, but some of it is not signed, witnessed or closed yet

(2 is a mistake in the command.) The rest of Holdfast takes its hashes, proofs and signatures from here, so that what
makes a proof and what checks it cannot disagree. Formats: RFC 9162 section 2.1 for the tree; C2SP signed-note,
tlog-checkpoint and tlog-cosignature for what is signed.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# Merkle trees (RFC 9162, 2.1) ----------------------------------------------------------------------------------------

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(item: bytes) -> bytes:
    """The hash of an item; the prefix keeps an item from passing for an inner node."""
    return sha256(b"\x00" + item).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class RootBuilder:
    """The root of a list that arrives from left to right, in memory that grows with the logarithm of its length."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Start empty, or go on from the `peaks` of `size` items."""
        if len(peaks) != size.bit_count() or not _are_hashes(peaks):
            raise ValueError(f"{len(peaks)} peaks are not those of {size} items")
        self.size = size
        self.peaks = list(peaks)  # the roots of the complete subtrees so far, largest first

    def add(self, node: bytes, level: int = 0) -> None:
        """Append a leaf hash, or the root of the next 2**level leaves. ValueError if such a subtree cannot be next."""
        peaks, merges = self.peaks, self.size >> level
        if merges << level != self.size:
            raise ValueError(f"a subtree of {1 << level} leaves cannot follow {self.size}")
        self.size += 1 << level
        while merges & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            merges >>= 1
        peaks.append(node)

    def root(self) -> bytes:
        """The root of what was added so far; more may follow."""
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash is number `index` of the `size` under the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes([leaf, *proof]):
        return False
    sides = _sides(index, size - 1, len(proof))
    if sides is None:
        return False
    node = leaf
    for sibling, is_left in zip(proof, sides, strict=True):
        node = node_hash(sibling, node) if is_left else node_hash(node, sibling)
    return node == expected_root


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `new_size` begins with the one of `old_size` (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if not _are_hashes([old_root, *proof]):
        return False
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # a complete tree: its root is the first hash, and is not repeated in the proof
        path.insert(0, old_root)
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    sides = _sides(position, last, len(path) - 1)
    if sides is None:
        return False
    old_node = new_node = path[0]
    for sibling, is_left in zip(path[1:], sides, strict=True):
        if is_left:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
        else:
            new_node = node_hash(new_node, sibling)
    return old_node == old_root and new_node == new_root


def _sides(position: int, last: int, steps: int) -> list[bool] | None:
    """Climb `steps` levels from a node at `position`, where `last` is the last position of its level.

    For each step, whether the sibling stands on the left. None if the climb does not end at the root.
    """
    sides: list[bool] = []
    for _ in range(steps):
        if last == 0:
            return None
        is_left = position & 1 == 1 or position == last
        while is_left and position and not position & 1:  # a node without sibling is its own parent
            position, last = position >> 1, last >> 1
        sides.append(is_left)
        position, last = position >> 1, last >> 1
    return sides if last == 0 else None


def _are_hashes(hashes: Iterable[bytes]) -> bool:
    """Two hashed together must have known lengths, or bytes could be moved from one to the other."""
    return all(len(one) == HASH_BYTES for one in hashes)


# Signed notes and checkpoints (C2SP) ---------------------------------------------------------------------------------

ED25519 = 0x01
COSIGNATURE = 0x04
"""A witness's Ed25519 signature, with the time at which it saw the checkpoint."""
SIGNATURES_AT_MOST = 100
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class PublicKey:
    """A key that signs notes under a name. Its text, `name+id+key`, is the C2SP verifier key."""

    name: str
    algorithm: int
    key: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read the text of a key. ValueError if it is not exactly one."""
        name, _, rest = text.strip().partition("+")
        material = _decoded(rest.partition("+")[2])
        found = cls(name, material[0] if material else 0, material[1:])
        if found.algorithm not in (ED25519, COSIGNATURE) or len(found.key) != 32 or str(found) != text.strip():
            raise ValueError(f"{text.strip()[:80]!r} is not a key such as NAME+0123abcd+...")
        return found

    @property
    def id(self) -> bytes:
        """What tells keys of one name apart; not a fingerprint to compare by eye."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encoded(bytes([self.algorithm]) + self.key)}"

    def made(self, signature: bytes, text: str) -> bool:
        """Whether this key made the signature over the text of a note."""
        message = text.encode()
        if self.algorithm == COSIGNATURE:
            message = cosigned_message(int.from_bytes(signature[:8], "big"), text)
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def cosigned_message(seconds: int, text: str) -> bytes:
    """What a witness signs: that it saw this checkpoint at that time (tlog-cosignature)."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


@dataclass(frozen=True)
class Note:
    """A text and the signatures under it, each with the name of its key and the id of the key before the signature."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]

    @classmethod
    def parse(cls, raw: str) -> Note:
        """Read a note. ValueError if it is not exactly one."""
        text, blank, rest = raw.rpartition("\n\n")
        lines = rest.split("\n")
        found = [_SIGNATURE_LINE.fullmatch(line) for line in lines[:-1]]
        if not blank or lines[-1] or not 0 < len(found) <= SIGNATURES_AT_MOST or None in found:
            raise ValueError("not a signed note: a text, an empty line, and lines with signatures")
        note = cls(text + "\n", tuple((one[1], _decoded(one[2])) for one in found if one))
        if re.search(r"[\x00-\x09\x0b-\x1f]", raw) or str(note) != raw:
            raise ValueError("not a signed note: it has signs that no note has")
        return note

    def __str__(self) -> str:
        return self.text + "\n" + "".join(f"— {name} {encoded(signature)}\n" for name, signature in self.signatures)

    def signers(self, keys: Iterable[PublicKey]) -> list[PublicKey]:
        """Which of the keys signed. ValueError if a signature claims to be of one of them and is not."""
        known = {(key.name, key.id): key for key in keys}
        found = []
        for name, signature in self.signatures:
            key = known.get((name, signature[:4]))
            if key is not None and not key.made(signature[4:], self.text):
                raise ValueError(f"the signature of {name} is forged, or what it signed was changed")
            found += [key] if key is not None else []
        return found


@dataclass(frozen=True)
class Checkpoint:
    """The root of the first `size` entries of a ledger, as its key signed it."""

    origin: str
    size: int
    root: bytes
    note: Note

    @classmethod
    def parse(cls, raw: str) -> Checkpoint:
        """Read a checkpoint. ValueError if it is not exactly one."""
        note = Note.parse(raw)
        origin, size, root, *rest = [*note.text.split("\n"), "", ""]
        found = _decoded(root)
        if not origin or not _SIZE.fullmatch(size) or len(found) != HASH_BYTES or rest != ["", "", ""]:
            raise ValueError("not a checkpoint: origin, size and root, and nothing more")
        return cls(origin, int(size), found, note)

    def is_of(self, other: Checkpoint) -> bool:
        """Whether both say the same, whoever signed them."""
        return self.note.text == other.note.text


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """What is signed of a ledger."""
    return f"{origin}\n{size}\n{encoded(root)}\n"


def rotation_text(old: PublicKey, new: PublicKey, size: int) -> str:
    """What both keys sign: up to `size` entries the one signs, beyond them the other."""
    return f"{old.name}\nkey rotation\n{size}\n{old}\n{new}\n"


class Keyring:
    """Which key may sign which sizes: those you trust, and those that signed for each other."""

    def __init__(self, trusted: Iterable[PublicKey], rotations: Iterable[Note] = ()) -> None:
        """Follow `rotations`, in any order, from the trusted keys. ValueError for one that is not signed by both."""
        self.ranges: dict[PublicKey, tuple[int, float]] = {key: (0, float("inf")) for key in trusted}
        waiting = list(rotations)
        for role in (0, 1):
            if len({_rotated(one)[role] for one in waiting}) < len(waiting):
                raise ValueError("a key was replaced twice, or replaced two others")
        while waiting:
            met = [one for one in waiting if any(key in self.ranges for key in _rotated(one)[:2])]
            if not met:
                raise ValueError("a rotation of keys does not begin or end with a key that you trust")
            for one in met:
                old, new, size = _rotated(one)
                if set(one.signers([old, new])) != {old, new}:
                    raise ValueError(f"the rotation from {old.id.hex()} to {new.id.hex()} is not signed by both keys")
                self.ranges[old] = (self.ranges.get(old, (0, 0))[0], size)
                self.ranges[new] = (size, self.ranges.get(new, (0, float("inf")))[1])
                waiting.remove(one)

    def check(self, checkpoint: Checkpoint) -> None:
        """ValueError unless a key signed that may sign this size, under its own name."""
        signers = checkpoint.note.signers(self.ranges)
        if not any(
            key.name == checkpoint.origin and self.ranges[key][0] < checkpoint.size <= self.ranges[key][1]
            for key in signers
        ):
            raise ValueError(f"the checkpoint of {checkpoint.size} entries is not signed by a key that you trust")

    def check_latest(self, note: Note) -> None:
        """ValueError unless a key signed that no other has replaced."""
        if not any(self.ranges[key][1] == float("inf") for key in note.signers(self.ranges)):
            raise ValueError("it is not signed by a key that you trust")


def _rotated(note: Note) -> tuple[PublicKey, PublicKey, int]:
    lines = note.text.split("\n")
    if len(lines) != 6 or not _SIZE.fullmatch(lines[2]):
        raise ValueError("not a rotation of keys")
    old, new, size = PublicKey.parse(lines[3]), PublicKey.parse(lines[4]), int(lines[2])
    if old == new or note.text != rotation_text(old, new, size):
        raise ValueError("not a rotation of keys")
    return old, new, size


def encoded(material: bytes) -> str:
    """Base64, as notes and proofs write bytes."""
    return base64.b64encode(material).decode()


def _decoded(text: str) -> bytes:
    try:
        material = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return material if encoded(material) == text else b""


# Evidence packs ------------------------------------------------------------------------------------------------------

FORMAT = "holdfast-pack/1"
MANIFEST, ENTRIES, LEAVES, PROOF = "manifest.note", "entries.jsonl", "leaves.bin", "proof.json"
CHECKPOINTS, LOST, ROTATIONS = "checkpoints/", "lost/", "keys/rotation-"
AIRFLOW = "airflow/"
COPIED = "history_copied"
"""The kind of entry that has the digest of what Airflow said of a run; the copy is the file of the entry's number."""
WRITTEN = "report_written"
"""The kind of entry that has the digest of a report's SHA256SUMS; the last one of a name is about what is there."""
REPORTS, SUMS = "reports/", "SHA256SUMS"
_BESIDE = (b"restore_acknowledged", COPIED.encode(), WRITTEN.encode())
"""Entries that a pack has beyond its selection: they tell of it."""
PREFIX_BYTES = 4
"""How much of each leaf hash `leaves.bin` has: no proof, but it tells which entry was changed."""
LISTED_AT_MOST = 1_000
_ENTRY = re.compile(
    rb'\{"at":"([0-9T:.-]{26}Z)","facts":\{.*\},"kind":"([a-z_]+)","run":(null|[0-9]+),"seq":([1-9][0-9]*)\}'
)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    TypeError,
    AttributeError,
)
"""What the readers of ZIP, JSON and text raise at bytes that are not what they were."""


class Verdict(IntEnum):
    """What is to be thought of a pack; the number is the exit code."""

    OK = 0
    INVALID = 1
    DIVERGED = 3
    GAP = 4
    INCOMPLETE = 5


@dataclass(frozen=True)
class Finding:
    """What was found about entries `first` to `last`; both are 0 if it is about the pack."""

    verdict: Verdict
    what: str
    first: int = 0
    last: int = 0

    def __str__(self) -> str:
        where = f"entries {self.first} to {self.last}" if self.first < self.last else f"entry {self.first}"
        return f"{self.verdict.name}: {where + ': ' if self.last else ''}{self.what}"


@dataclass
class Report:
    """What a check found. `size` is how many entries of the ledger the last checkpoint covers."""

    origin: str = ""
    selection: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    entries: int = 0
    uncovered: int = 0
    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    left_out: int = 0
    _worst: set[Verdict] = field(default_factory=set)

    def add(self, verdict: Verdict, what: str, first: int = 0, last: int = 0) -> None:
        """Record a finding, the first thousand in full."""
        self._worst.add(verdict)
        if len(self.findings) < LISTED_AT_MOST:
            self.findings.append(Finding(verdict, what, first, last))
        else:
            self.left_out += 1

    @property
    def verdict(self) -> Verdict:
        """The gravest of what was found."""
        return min(self._worst, default=Verdict.OK)

    def __str__(self) -> str:
        chosen = ", ".join(f"{name} {value}" for name, value in self.selection.items() if value is not None)
        return "\n".join(
            [
                *map(str, self.findings),
                *([f"... and {self.left_out} more findings"] if self.left_out else []),
                f"{self.verdict.name}: {self.entries} entries ({chosen or 'everything'}) of {self.origin},"
                f" under a signed checkpoint of {self.size} entries; {self.uncovered} entries not covered yet;"
                f" {self.files} files",
            ]
        )


def check(
    pack: Path | str,
    trusted: Iterable[PublicKey],
    kept: Iterable[Checkpoint] = (),
    witnesses: Iterable[PublicKey] = (),
) -> Report:
    """Check a pack against keys that you trust and checkpoints that you kept; what `witnesses` signed is counted."""
    report = Report()
    try:
        with zipfile.ZipFile(pack) as archive:
            _Check(archive, report, list(trusted), list(witnesses)).run(list(kept))
    except _DAMAGE as error:
        report.add(Verdict.INVALID, f"the pack is damaged or is none: {error}")
    return report


def last_checkpoint(pack: Path | str) -> Checkpoint:
    """The last checkpoint of a pack that was checked. ValueError if it has none."""
    with zipfile.ZipFile(pack) as archive:
        name = max((one for one in _files(archive) if one.startswith(CHECKPOINTS)), default=None)
        if name is None:
            raise ValueError("the pack has no checkpoint")
        return Checkpoint.parse(archive.read(name).decode())


def _files(archive: zipfile.ZipFile) -> list[str]:
    """The names in a pack. Folders say nothing; `zip -r` puts them in when somebody packs it again."""
    return [name for name in archive.namelist() if not name.endswith("/")]


class _Check:
    """One pack. Goes on after a finding, to name all that is wrong; stops where nothing more can be read."""

    def __init__(
        self, archive: zipfile.ZipFile, report: Report, trusted: list[PublicKey], witnesses: list[PublicKey]
    ) -> None:
        self._archive = archive
        self._report = report
        self._witnesses = witnesses
        self._note = Note.parse(archive.read(MANIFEST).decode())
        self._manifest: dict[str, Any] = json.loads(self._note.text)
        if self._manifest["format"] != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        self._keyring = Keyring(trusted)
        try:
            self._keyring = Keyring(trusted, map(Note.parse, self._texts(ROTATIONS)))
            self._keyring.check_latest(self._note)
        except ValueError as error:
            report.add(Verdict.INVALID, f"{MANIFEST}: {error}")
        report.origin, report.selection = self._manifest["origin"], self._manifest["selection"]

    def run(self, kept: list[Checkpoint]) -> None:
        self._check_files()
        checkpoints = self._checkpoints()
        if not checkpoints:
            self._report.add(Verdict.INCOMPLETE, "the pack has no signed checkpoint, which proves nothing")
        sizes = {one.size: one for one in checkpoints}
        entries = _EntryCheck(self._report, self._manifest, self._gaps(), sizes)
        with self._archive.open(LEAVES) as leaves:
            entries.read(self._lines(), leaves.read())
        self._check_reports(entries.written)
        self._check_lost(sizes, entries.acknowledged)
        for one in kept:
            self._compare(one, sizes, entries.acknowledged)
        self._count_witnessed(checkpoints)

    def _texts(self, beginning: str) -> Iterator[str]:
        for name in sorted(_files(self._archive)):
            if name.startswith(beginning):
                yield self._archive.read(name).decode()

    def _check_files(self) -> None:
        """Every file is the one that the signed manifest lists. The entries are read later, once."""
        listed, names = self._manifest["files"], _files(self._archive)
        self._report.files = len(names)
        there = set(names) - {MANIFEST}
        for name in sorted(there - set(listed)):
            self._report.add(Verdict.INVALID, f"{name} was put in: the manifest does not list it")
        for name in sorted(set(listed) - there):
            self._report.add(Verdict.INVALID, f"{name} was taken out: the manifest lists it")
        if len(names) != len(set(names)):
            self._report.add(Verdict.INVALID, "a file is in the pack twice")
        for name in sorted(there & set(listed) - {ENTRIES}):
            digest = sha256()
            with self._archive.open(name) as file:
                for block in iter(lambda: file.read(1 << 20), b""):  # read before the next file
                    digest.update(block)
            self._compare_digest(name, digest.hexdigest())

    def _compare_digest(self, name: str, digest: str) -> None:
        if self._manifest["files"].get(name) != digest:
            self._report.add(Verdict.INVALID, f"{name} was changed: it is not the file that the manifest lists")

    def _checkpoints(self) -> list[Checkpoint]:
        """Every checkpoint of the ledger, oldest first, each proved to continue the one before."""
        found: list[Checkpoint] = []
        proofs = {(old, new): [_decoded(one) for one in proof] for old, new, proof in self._json(PROOF)["consistency"]}
        for text in self._texts(CHECKPOINTS):
            one = Checkpoint.parse(text)
            before = found[-1] if found else None
            try:
                self._keyring.check(one)
            except ValueError as error:
                self._report.add(Verdict.INVALID, str(error), before.size + 1 if before else 1, one.size)
            if one.origin != self._manifest["origin"]:
                self._report.add(Verdict.INVALID, f"the checkpoint of {one.size} entries is of another ledger")
            if before and not verify_consistency(
                before.size, one.size, before.root, one.root, proofs.get((before.size, one.size), [b""])
            ):
                what = f"the checkpoints of {before.size} and {one.size} entries are not of one ledger"
                self._report.add(Verdict.INVALID, what, 1, one.size)
            found.append(one)
        self._report.size = found[-1].size if found else 0
        if self._report.size != self._manifest["size"]:
            what = f"the last checkpoint is of {self._report.size} entries, not of {self._manifest['size']}"
            self._report.add(Verdict.INVALID, what)
        return found

    def _gaps(self) -> list[tuple[int, int, bytes]]:
        return [(first, level, _decoded(node)) for first, level, node in self._json(PROOF)["gaps"]]

    def _json(self, name: str) -> Any:
        return json.loads(self._archive.read(name))

    def _lines(self) -> Iterator[bytes]:
        digest = sha256()
        rest = b""
        with self._archive.open(ENTRIES) as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
                *lines, rest = (rest + block).split(b"\n")
                yield from lines
        if rest:
            yield rest
        self._compare_digest(ENTRIES, digest.hexdigest())

    def _check_reports(self, written: dict[str, tuple[int, str]]) -> None:
        """Is each report in the pack the one that was entered last, and has it the files of its sums?"""
        files, there = self._manifest["files"], set(_files(self._archive))
        for name, (seq, digest) in written.items():
            folder = f"{REPORTS}{name}/"
            if folder + SUMS not in there:
                continue
            text = self._archive.read(folder + SUMS).decode()
            lines = (line.partition("  ") for line in text.splitlines())
            if digest != f"sha256:{files.get(folder + SUMS)}" or any(
                files.get(folder + file) != sha256_of for sha256_of, _, file in lines
            ):
                what = f"the report {name} in the pack is not the one whose digest it has"
                self._report.add(Verdict.INVALID, what, seq, seq)

    def _check_lost(self, sizes: dict[int, Checkpoint], acknowledged: dict[tuple[int, str], int]) -> None:
        """Checkpoints of entries that a restore lost: an entry must say so."""
        for one in map(Checkpoint.parse, self._texts(LOST)):
            self._keyring.check(one)
            self._compare(one, sizes, acknowledged, whose="that was set aside")

    def _compare(
        self,
        other: Checkpoint,
        sizes: dict[int, Checkpoint],
        acknowledged: dict[tuple[int, str], int],
        whose: str = "that you kept",
    ) -> None:
        """Does the pack continue a checkpoint that comes from elsewhere?"""
        ours, entry = sizes.get(other.size), acknowledged.get((other.size, other.root.hex()))
        if ours is not None and ours.is_of(other):
            return
        what = f"the checkpoint of {other.size} entries {whose}"
        if entry is not None:
            first = max((size for size in sizes if size < min(entry, other.size)), default=0) + 1
            what = f"lost with a restore of the database: entry {entry} names {what}"
            self._report.add(Verdict.GAP, what, first, other.size)
        elif ours is not None:
            self._report.add(Verdict.DIVERGED, f"{what} is of other entries", 1, other.size)
        elif other.size > self._report.size:
            what = f"{what} has more: they were cut off, or the pack is the older one"
            self._report.add(Verdict.DIVERGED, what, self._report.size + 1, other.size)
        else:
            self._report.add(Verdict.DIVERGED, f"{what} is not in the history of the pack", 1, other.size)

    def _count_witnessed(self, checkpoints: list[Checkpoint]) -> None:
        for witness in self._witnesses:
            signed = max((one.size for one in checkpoints if one.note.signers([witness])), default=0)
            if signed < self._report.size:
                what = f"not yet signed by the witness {witness.name}"
                self._report.add(Verdict.INCOMPLETE, what, signed + 1, self._report.size)


class _EntryCheck:
    """Reads the entries once, in order, and rebuilds the tree from them and from the roots of what was left out."""

    def __init__(
        self,
        report: Report,
        manifest: dict[str, Any],
        gaps: list[tuple[int, int, bytes]],
        checkpoints: dict[int, Checkpoint],
    ) -> None:
        self._report = report
        self._first, self._last = manifest["first"], manifest["last"]
        self._selection = manifest["selection"]
        self._listed = manifest["entries"]
        self._files = manifest["files"]
        self._gaps = gaps[::-1]  # the next one last
        self._roots = checkpoints
        self._sizes = sorted(checkpoints, reverse=True)  # the next one last
        self._tree: RootBuilder | None = RootBuilder()  # None once it cannot be rebuilt
        self._proved = 0  # the largest checkpoint that the entries gave
        self._run = _RunCheck(report, self._selection["run"]) if "run" in self._selection else None
        self.acknowledged: dict[tuple[int, str], int] = {}
        """The checkpoints that restores lost (size and root), with the entry that says so."""
        self.written: dict[str, tuple[int, str]] = {}
        """The last entry about each report, by its name: the entry's number and the digest in it."""

    def read(self, lines: Iterable[bytes], prefixes: bytes) -> None:
        """Take every entry."""
        before, size, at = 0, self._report.size, ""
        for number, line in enumerate(lines):
            self._report.entries += 1
            leaf = sha256(b"\x00" + line).digest()
            entry = _ENTRY.fullmatch(line)
            if entry is None:
                self._report.add(Verdict.INVALID, f"line {number + 1} is no entry", before + 1, before + 1)
                self._tree = None
                continue
            at, seq = entry[1].decode(), int(entry[4])
            if seq <= before:
                self._report.add(Verdict.INVALID, f"inserted or out of its order, after entry {before}", seq, seq)
                self._tree = None
                continue
            if prefixes[number * PREFIX_BYTES : (number + 1) * PREFIX_BYTES] != leaf[:PREFIX_BYTES]:
                self._report.add(Verdict.INVALID, "changed: its text is not what was packed", seq, seq)
            if seq > size:
                self._report.uncovered += 1
            elif self._tree is not None:
                self._grow(seq - 1)
                if self._tree is not None:
                    self._tree.add(leaf)
                    if self._sizes and self._sizes[-1] <= seq:
                        self._compare_root(self._tree)
            self._select(seq, entry, line, leaf, before)
            before = seq
        if self._report.entries != self._listed:
            what = f"the pack has {self._report.entries} entries and lists {self._listed}"
            self._report.add(Verdict.INVALID, what)
        self._finish(before, at)

    def _grow(self, size: int) -> None:
        """Put the roots of what was left out in the place of the entries up to `size`."""
        tree = self._tree
        while tree is not None and tree.size < size:
            if not self._gaps or self._gaps[-1][0] != tree.size + 1:
                self._report.add(Verdict.INVALID, "removed: not in the pack, nor is a hash for it", tree.size + 1, size)
                tree = self._tree = None
                return
            _, level, node = self._gaps.pop()
            if len(node) != HASH_BYTES or tree.size + (1 << level) > size:
                raise ValueError("the proof does not fit the entries")
            tree.add(node, level)
            self._compare_root(tree)

    def _compare_root(self, tree: RootBuilder) -> None:
        """At the size of a checkpoint the tree must have its root. One that lies within a gap is proved by the next."""
        while self._sizes and self._sizes[-1] <= tree.size:
            size = self._sizes.pop()
            if size == tree.size and tree.root() == self._roots[size].root:
                self._proved = size
            elif size == tree.size:
                what = f"changed: they do not give the root that was signed for {size} entries"
                self._report.add(Verdict.INVALID, what, self._proved + 1, size)
                self._tree = None
                return

    def _select(self, seq: int, entry: re.Match[bytes], line: bytes, leaf: bytes, before: int) -> None:
        """Is every entry there that the selection asks for?"""
        kind = entry[2]
        if kind in _BESIDE:
            self._note(seq, kind.decode(), json.loads(line)["facts"])
        if self._run is not None:
            self._run.feed(seq, entry, line, leaf)
        elif self._first <= seq <= self._last:
            if seq != self._first and seq != before + 1:
                first = max(before + 1, self._first)
                self._report.add(Verdict.INVALID, "removed: the selection has them, the pack has not", first, seq - 1)
            since, until = self._selection["since"], self._selection["until"]
            if seq == self._first != 1 and since is not None and entry[1].decode() >= since:
                self._report.add(Verdict.INVALID, f"the pack begins here, which is not before {since}", seq, seq)
            if seq == self._last and until is not None and entry[1].decode() < until:
                what = f"the ledger ends here: whether that is all before {until} cannot be told yet"
                self._report.add(Verdict.INCOMPLETE, what, seq, seq)
        elif kind not in _BESIDE:
            self._report.add(Verdict.INVALID, "inserted: it is not of the selection", seq, seq)

    def _note(self, seq: int, kind: str, facts: dict[str, Any]) -> None:
        """What an entry says of something outside the ledger."""
        if kind == COPIED:
            self._compare_copy(seq, facts.get("digest"))
        elif kind == WRITTEN:
            self.written[facts["report"]] = (seq, facts["digest"])
        else:
            for one in facts.get("checkpoints", []):
                self.acknowledged[one["size"], one["root"].removeprefix("sha256:")] = seq

    def _compare_copy(self, seq: int, digest: str | None) -> None:
        """Is what Airflow said of a run in the pack, in the words that this entry has the digest of?"""
        if digest != f"sha256:{self._files.get(f'{AIRFLOW}{seq:015}.json')}":
            what = "the copy of Airflow's history that it has the digest of is not in the pack, or another"
            self._report.add(Verdict.INVALID, what, seq, seq)

    def _finish(self, last: int, at: str) -> None:
        if self._run is not None:
            self._run.finish()
        elif last < self._last:
            what = "removed: the selection has them, the pack has not"
            self._report.add(Verdict.INVALID, what, max(last + 1, self._first), self._last)
        if self._tree is not None:
            self._grow(self._report.size)
        if self._report.uncovered:
            first = max(self._report.size + 1, last - self._report.uncovered + 1)
            what = f"written after the last checkpoint, up to {at}: no signature covers them yet"
            self._report.add(Verdict.INCOMPLETE, what, first, last)


class _RunCheck:
    """The entries of one run, of which its own last entry tells how many they are and their root."""

    def __init__(self, report: Report, run: int) -> None:
        self._report = report
        self._run = run
        self._name = str(run).encode()
        self._tree = RootBuilder()
        self._sealed = False

    def feed(self, seq: int, entry: re.Match[bytes], line: bytes, leaf: bytes) -> None:
        if entry[3] != self._name:
            if entry[2] not in _BESIDE:
                self._report.add(Verdict.INVALID, f"inserted: it is not of run {self._run}", seq, seq)
        elif entry[2] == b"run_sealed" and not self._sealed:
            self._sealed = True
            facts = json.loads(line)["facts"]
            if (facts["entries"], facts["root"]) != (self._tree.size, "sha256:" + self._tree.root().hex()):
                what = f"{self._tree.size} are in the pack, and not as the {facts['entries']} that were sealed"
                self._report.add(Verdict.INVALID, what, facts["first_seq"], facts["last_seq"])
        elif not self._sealed:
            self._tree.add(leaf)

    def finish(self) -> None:
        if not self._sealed:
            what = f"run {self._run} is not sealed: whether these are all of its entries cannot be told"
            self._report.add(Verdict.INCOMPLETE, what)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a pack and print what was found; the exit code."""
    parser = argparse.ArgumentParser(
        prog="holdfast-verify",
        description="Check a Holdfast evidence pack, without the database and without the network.",
        epilog="Exit codes: " + ", ".join(f"{one.value} {one.name}" for one in Verdict) + ", 2 a mistake here.",
    )
    parser.add_argument("pack", type=Path, help="the pack, a ZIP file")
    parser.add_argument(
        "--key", action="append", required=True, metavar="KEY", help="a key that you trust: text or file"
    )
    parser.add_argument("--kept", action="append", default=[], metavar="FILE", help="a checkpoint that you kept")
    parser.add_argument("--witness", action="append", default=[], metavar="KEY", help="a witness's key: text or file")
    given = parser.parse_args(arguments)
    try:
        if not given.pack.is_file():
            raise ValueError(f"there is no file {given.pack}")
        keys, witnesses = ([_key(one) for one in some] for some in (given.key, given.witness))
        kept = [Checkpoint.parse(Path(one).read_text(encoding="utf-8")) for one in given.kept]
        for one in kept:
            if not one.note.signatures or one.origin not in {key.name for key in keys}:
                raise ValueError(
                    f"the checkpoint of {one.size} entries that you kept is of another ledger: {one.origin}"
                )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    report = check(given.pack, keys, kept, witnesses)
    print(report)
    return report.verdict


def _key(given: str) -> PublicKey:
    """A key, given as its text or as the file that has it."""
    if "+" not in given or Path(given).is_file():
        given = Path(given).read_text(encoding="utf-8")
    return PublicKey.parse(given)


if __name__ == "__main__":
    sys.exit(main())

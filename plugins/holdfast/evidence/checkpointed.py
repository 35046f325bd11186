"""Do the entries still give the roots that were signed? Pure: fed each entry once, it keeps the peaks of one tree.

What a copy in the second place says counts for more than what the database says: it lies outside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from holdfast.evidence.findings import Findings, Flaw
from holdfast.evidence.offline import Checkpoint, Keyring, Note, PublicKey, RootBuilder, leaf_hash


class CheckpointCheck:
    """`feed` every entry, then `finish`. Notes are given by size, as the database has them and as the copies do."""

    def __init__(
        self,
        findings: Findings,
        rows: Mapping[int, str],
        copies: Mapping[int, str],
        keys: Iterable[PublicKey],
        rotations: Iterable[str],
    ) -> None:
        self._findings = findings
        self._tree: RootBuilder | None = RootBuilder()  # None once it cannot give what was signed
        self._good = 0
        self._ring = self._keyring(list(keys), rotations)
        for size in sorted(rows.keys() | copies.keys()):
            self._compare_copies(size, rows.get(size), copies.get(size))
        signed = (self._read(size, text) for size, text in sorted({**rows, **copies}.items()))
        self._waiting = [one for one in signed if one is not None][::-1]  # the next one last
        self.covered = max((one.size for one in self._waiting if one.size in copies), default=0)
        """How many entries are under a signed checkpoint that lies outside the database."""

    def feed(self, seq: int, entry: str) -> None:
        """Take the next entry."""
        if self._tree is None:
            return
        if self._waiting and seq > self._waiting[-1].size:
            self._fail()  # an entry is missing before it
        elif self._waiting:
            self._tree.add(leaf_hash(entry.encode()))
            if seq == self._waiting[-1].size:
                if self._tree.root() == self._waiting[-1].root:
                    self._good = self._waiting.pop().size
                else:
                    self._fail()

    def finish(self) -> None:
        """Name the checkpoints that the ledger ends before."""
        if self._tree is not None and self._waiting:
            self._fail()

    def _fail(self) -> None:
        """The checkpoints after this one differ as well, which says nothing more."""
        self._tree, size = None, self._waiting[-1].size
        what = f"they do not give the root that was signed for the first {size}"
        self._findings.add(Flaw.CHECKPOINT_ROOT, self._good + 1, size, what)

    def _keyring(self, keys: list[PublicKey], rotations: Iterable[str]) -> Keyring:
        try:
            return Keyring(keys, map(Note.parse, rotations))
        except ValueError as error:
            self._findings.add(Flaw.CHECKPOINT_FORGED, 0, 0, f"the keys do not follow one another: {error}")
            return Keyring(keys)

    def _read(self, size: int, text: str) -> Checkpoint | None:
        try:
            found = Checkpoint.parse(text)
            if found.size != size:
                raise ValueError(f"it is the checkpoint of {found.size} entries")
            self._ring.check(found)
        except ValueError as error:
            self._findings.add(Flaw.CHECKPOINT_FORGED, 1, size, str(error))
            return None
        return found

    def _compare_copies(self, size: int, row: str | None, copy: str | None) -> None:
        if row is None:
            what = f"the second place has a checkpoint of {size} entries, and the database has none"
            self._findings.add(Flaw.CHECKPOINT_REMOVED, 1, size, what)
        elif copy is None:
            what = "it has no copy in the second place; the next checkpoint writes it if it is the last"
            self._findings.add(Flaw.CHECKPOINT_COPY_MISSING, 1, size, what)
        elif row != copy:
            what = f"the database and the second place disagree about the checkpoint of {size} entries"
            self._findings.add(Flaw.CHECKPOINT_COPY, 1, size, what)

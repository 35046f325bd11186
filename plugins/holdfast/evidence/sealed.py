"""Do the entries still give what was sealed? Pure: fed each entry once, it keeps one small tree for each open run.

What a file says counts for more than what the database says: the file lies outside it.
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.evidence.findings import Findings, Flaw
from holdfast.evidence.offline import RootBuilder, leaf_hash
from holdfast.evidence.seal import Seal

SEALING_KIND = "run_sealed"


class SealCheck:
    """`feed` every entry, then `finish`. Seals are given by run, as the database has them and as the files do."""

    def __init__(self, findings: Findings, rows: Mapping[int, Seal], files: Mapping[int, Seal]) -> None:
        self._findings = findings
        self._rows = rows
        self._files = files
        self._believed = {**rows, **files}
        self._open: dict[int, RootBuilder] = {}
        self._found: dict[int, tuple[int, bytes]] = {}  # run -> entries and root, once its last entry has passed
        self._heads: dict[int, bytes | None] = {one.sealed_seq: None for one in self._believed.values()}

    def feed(self, seq: int, run_id: int | None, kind: str, entry: str, hash_: bytes) -> None:
        """Take the next entry."""
        if seq in self._heads:
            self._heads[seq] = hash_
        if run_id is None:
            return
        seal = self._believed.get(run_id)
        if seal is None:
            if kind == SEALING_KIND:
                self._findings.add(Flaw.SEAL_REMOVED, seq, seq, f"run {run_id} was sealed and has no seal any more")
        elif seal.first_seq <= seq <= seal.last_seq:
            builder = self._open.get(run_id)
            if builder is None:
                builder = self._open[run_id] = RootBuilder()
            builder.add(leaf_hash(entry.encode()))
        elif run_id in self._open:
            self._close(run_id)

    def finish(self) -> None:
        """Compare what was sealed with what was fed, and the files with the rows."""
        for run_id in list(self._open):
            self._close(run_id)
        chain_is_sealed = True
        sealed_until = 0
        for seal in sorted(self._believed.values(), key=lambda one: one.sealed_seq):
            self._compare_copies(seal)
            if self._found.get(seal.run_id) != (seal.entries, seal.root):
                what = f"they are not the {seal.entries} entries of run {seal.run_id} that were sealed"
                self._findings.add(Flaw.SEAL_ROOT, seal.first_seq, seal.last_seq, what)
            if chain_is_sealed and self._heads[seal.sealed_seq] != seal.head_hash:
                # The seals after this one differ as well, which says nothing more.
                chain_is_sealed = False
                what = f"one of them is not what it was when run {seal.run_id} was sealed"
                self._findings.add(Flaw.SEAL_CHAIN, sealed_until + 1, seal.sealed_seq, what)
            sealed_until = seal.sealed_seq

    def _close(self, run_id: int) -> None:
        builder = self._open.pop(run_id)
        self._found[run_id] = builder.size, builder.root()

    def _compare_copies(self, seal: Seal) -> None:
        row, file = self._rows.get(seal.run_id), self._files.get(seal.run_id)
        if row is None:
            what = f"{seal.file_name} exists and the database has no seal of run {seal.run_id}"
            self._findings.add(Flaw.SEAL_REMOVED, seal.first_seq, seal.sealed_seq, what)
        elif file is None:
            what = f"{seal.file_name} is not there; seal run {seal.run_id} again if it was never written"
            self._findings.add(Flaw.SEAL_FILE_MISSING, seal.first_seq, seal.sealed_seq, what)
        elif row != file:
            what = f"{seal.file_name} and the database disagree about run {seal.run_id}"
            self._findings.add(Flaw.SEAL_FILE, seal.first_seq, seal.sealed_seq, what)

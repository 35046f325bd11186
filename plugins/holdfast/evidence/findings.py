"""What verification can find. A ledger of a million altered entries must not fill the memory with findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LISTED_AT_MOST = 1_000


class Flaw(StrEnum):
    """The ways in which evidence can be wrong; the value is how a person reads it."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    HEAD = "head differs"
    SEAL_ROOT = "sealed entries differ"
    SEAL_CHAIN = "chain before the seal differs"
    SEAL_FILE = "seal file differs"
    SEAL_REMOVED = "seal removed"
    SEAL_FILE_MISSING = "seal file missing"
    CHECKPOINT_ROOT = "signed entries differ"
    CHECKPOINT_FORGED = "checkpoint not signed by our key"
    CHECKPOINT_REMOVED = "checkpoint removed"
    CHECKPOINT_COPY = "copy of the checkpoint differs"
    CHECKPOINT_COPY_MISSING = "copy of the checkpoint missing"


_MISSING_OUTSIDE = (Flaw.SEAL_FILE_MISSING, Flaw.CHECKPOINT_COPY_MISSING)


@dataclass(frozen=True, order=True)
class Finding:
    """Something wrong with the entries numbered `seq` to `last_seq`, or with a seal over them."""

    seq: int
    last_seq: int
    flaw: Flaw
    what: str

    def __str__(self) -> str:
        where = f"entry {self.seq}" if self.seq == self.last_seq else f"entries {self.seq} to {self.last_seq}"
        return f"{where}: {self.flaw}: {self.what}"


class Findings:
    """Collects findings, the first thousand of them in full."""

    def __init__(self) -> None:
        self._listed: list[Finding] = []
        self.left_out = 0
        self.altered = False

    def add(self, flaw: Flaw, seq: int, last_seq: int, what: str) -> None:
        """Record a finding. All but what is missing outside the database mean that something was altered."""
        self.altered = self.altered or flaw not in _MISSING_OUTSIDE
        if len(self._listed) < LISTED_AT_MOST:
            self._listed.append(Finding(seq, last_seq, flaw, what))
        else:
            self.left_out += 1

    def listed(self) -> tuple[Finding, ...]:
        """What was found, in the order of the ledger."""
        return tuple(sorted(self._listed))

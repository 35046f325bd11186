"""Does each entry say what was hashed, and follow the one before? Pure.

Entries are fed in the order of the numbers they are stored under. An entry's text carries its own number. Where that
is another one, either single entries were exchanged, or all entries from here on were renumbered to hide that one was
put in or taken out; the next entry tells which.
"""

from __future__ import annotations

import re
from hashlib import sha256

from holdfast.evidence.findings import Findings, Flaw

GENESIS = bytes(32)
_OWN_NUMBER = re.compile(r',"seq":([0-9]{1,19})\}$')


class ChainCheck:
    """`feed` every entry, then `finish` with the end that the database claims."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.entries = 0
        self.seq = 0  # of the last entry fed
        self.hash = GENESIS
        self._sound = True  # whether nothing was found at the last entry
        self._shift = 0  # by how much numbers are off since the last insertion or removal that was hidden
        self._displaced: tuple[int, int] | None = None  # the last entry and its shift, if that is another one

    def feed(
        self, seq: int, at: str, run_id: int | None, kind: str, entry: str, prev_hash: bytes, hash_: bytes
    ) -> None:
        """Take the next entry, as the table's columns give it; `at` in the form in which entries write it."""
        follows = seq == self.seq + 1
        if not follows:
            self._report_gap(seq)
        sound = self._displaced is None and _agree(seq - self._shift, at, run_id, kind, entry)
        if not sound and not self._is_displaced(seq, entry):
            sound = _agree(seq - self._shift, at, run_id, kind, entry)
            if not sound:
                self._findings.add(Flaw.CHANGED, seq, seq, "its columns are not what its text says")
        if sound and sha256(prev_hash + entry.encode()).digest() != hash_:
            self._findings.add(Flaw.CHANGED, seq, seq, "its hash is not that of its text and of the hash before it")
            sound = False
        if sound and self._sound and follows and prev_hash != self.hash:
            # Whoever rewrites an entry with its hash is given away by the entry after it.
            self._findings.add(Flaw.CHANGED, seq - 1, seq - 1, "the entry after it was written after another one")
        self.entries += 1
        self.seq, self.hash, self._sound = seq, hash_, sound

    def finish(self, head: tuple[int, bytes] | None) -> None:
        """Compare the end with `head`, the number and hash of the last entry; None if the database has lost them."""
        if self._displaced is not None:
            self._report_exchange(*self._displaced)
        if head is None:
            self._findings.add(Flaw.HEAD, self.seq, self.seq, "the row that says where the ledger ends is gone")
        elif head[0] > self.seq:
            self._findings.add(Flaw.REMOVED, self.seq + 1, head[0], "the end of the ledger is cut off")
        elif head[0] < self.seq:
            self._findings.add(Flaw.INSERTED, head[0] + 1, self.seq, "beyond the end that the ledger's writer recorded")
        elif head[1] != self.hash:
            self._findings.add(Flaw.HEAD, self.seq, self.seq, "the last entry is not the one that was recorded as last")

    def _is_displaced(self, seq: int, entry: str) -> bool:
        """Whether the text's own number is another one than the shift so far explains."""
        own = _OWN_NUMBER.search(entry)
        shift = self._shift if own is None else seq - int(own.group(1))
        if self._displaced is not None:
            before, shift_before = self._displaced
            if shift == shift_before:
                self._report_renumbering(before, shift)
                self._shift = shift
            else:
                self._report_exchange(before, shift_before)
            self._displaced = None
        if shift == self._shift:
            return False
        self._displaced = seq, shift
        return True

    def _report_gap(self, seq: int) -> None:
        if seq > self.seq:
            self._findings.add(Flaw.REMOVED, self.seq + 1, seq - 1, "there is no entry with this number")
        else:
            self._findings.add(Flaw.INSERTED, seq, seq, "the ledger's first entry has the number 1")

    def _report_exchange(self, seq: int, shift: int) -> None:
        self._findings.add(Flaw.REORDERED, seq, seq, f"it holds the entry that was written as number {seq - shift}")

    def _report_renumbering(self, seq: int, shift: int) -> None:
        if shift > self._shift:
            first, last = seq - (shift - self._shift), seq - 1
            self._findings.add(Flaw.INSERTED, first, last, "the entries from there on were renumbered upwards")
        else:
            first, last = seq - self._shift, seq - shift - 1
            self._findings.add(Flaw.REMOVED, first, last, "the entries from there on were renumbered downwards")


def _agree(number: int, at: str, run_id: int | None, kind: str, entry: str) -> bool:
    """Whether the text says what the columns say; what is between are the facts, which no column repeats."""
    run = "null" if run_id is None else run_id
    return entry.endswith(f'}},"kind":"{kind}","run":{run},"seq":{number}}}') and entry.startswith(
        f'{{"at":"{at}","facts":{{'
    )

"""The Merkle tree over a ledger, and the proofs that it gives (RFC 9162 section 2.1, over SHA-256). Pure.

A root is 32 bytes that stand for a whole list. An inclusion proof shows that one item is in it, a consistency proof
that a longer list begins with it; both are a few hashes long. What checks them is in `offline`, which auditors have
alone.

Proved against the test vectors of transparency-dev/merkle, which hold good and forged proofs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.evidence.offline import EMPTY_ROOT, HASH_BYTES, RootBuilder, node_hash


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    builder = RootBuilder()
    for leaf in leaves:
        builder.add(leaf)
    return builder.root()


class Tree:
    """A tree that keeps every complete subtree, 64 bytes for each leaf, and proves things about any of its sizes."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node = leaf
        for level in self._levels:
            level += node
            if len(level) // HASH_BYTES & 1:
                return
            node = node_hash(bytes(level[-2 * HASH_BYTES : -HASH_BYTES]), bytes(level[-HASH_BYTES:]))
        self._levels.append(bytearray(node))

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """What `verify_inclusion` needs to find leaf `index` under the root of `size`. IndexError if there is none."""
        if not 0 <= index < size <= self.size:
            raise IndexError(f"no leaf {index} among {size} of {self.size}")
        proof: list[bytes] = []
        first, last = 0, size
        while last - first > 1:
            middle = first + _split(last - first)
            if index < middle:
                proof.append(self._hash(middle, last))
                last = middle
            else:
                proof.append(self._hash(first, middle))
                first = middle
        proof.reverse()
        return proof

    def consistency_proof(self, old_size: int, size: int) -> list[bytes]:
        """What `verify_consistency` needs to find the first `old_size` leaves unchanged under the root of `size`.

        ValueError if `old_size` is 0, from which nothing follows, or more than `size`, or that more than there are.
        """
        if not 0 < old_size <= size <= self.size:
            raise ValueError(f"a tree of {size} leaves cannot be compared with one of {old_size}")
        proof: list[bytes] = []
        first, last = 0, size
        whole = True  # the old tree is a whole subtree so far, so the verifier has its hash already: the old root
        while old_size - first < last - first:
            middle = first + _split(last - first)
            if old_size <= middle:
                proof.append(self._hash(middle, last))
                last = middle
            else:
                proof.append(self._hash(first, middle))
                first = middle
                whole = False
        if not whole:
            proof.append(self._hash(first, last))
        proof.reverse()
        return proof

    def gaps(self, kept: Iterable[int], size: int) -> Iterator[tuple[int, int, bytes]]:
        """The largest subtrees of the first `size` leaves that have none of the leaves `kept` (indices, in order).

        Each as its first leaf, its level (it has 2**level leaves) and its root, from left to right. Together with the
        kept leaves they give the root: one proof for all of them, far smaller than a proof for each.
        """
        first = 0
        for index in (*kept, size):
            while first < index:
                level = min((first & -first).bit_length() - 1 if first else 64, (index - first).bit_length() - 1)
                yield first, level, self._node(level, first >> level)
                first += 1 << level
            first = index + 1

    def _hash(self, first: int, last: int) -> bytes:
        """The hash over the leaves from `first` up to `last`, a subtree as the RFC splits them."""
        count = last - first
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._node(level, first >> level)
        middle = first + _split(count)
        return node_hash(self._hash(first, middle), self._hash(middle, last))

    def _node(self, level: int, position: int) -> bytes:
        return bytes(self._levels[level][position * HASH_BYTES : (position + 1) * HASH_BYTES])


def _split(size: int) -> int:
    """The largest power of two below `size`: how many leaves go to the left."""
    return 1 << (size - 1).bit_length() - 1

"""Merkle trees as RFC 9162 section 2.1 defines them, over SHA-256. Pure.

A root is 32 bytes that stand for a whole list. An inclusion proof shows that one item is in it, a consistency proof
that a longer list begins with it; both are a few hashes long and need neither the list nor the database. Functions
take leaf hashes, so that whoever checks a proof need not see the other items.

Proved against the test vectors of transparency-dev/merkle, which hold good and forged proofs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(item: bytes) -> bytes:
    """The hash of an item; the prefix keeps an item from passing for an inner node."""
    return sha256(b"\x00" + item).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class RootBuilder:
    """The root of a list that arrives item by item, in memory that grows with the logarithm of its length."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # the roots of the complete subtrees so far, largest first

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        peaks = self._peaks
        merges = self.size
        while merges & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            merges >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of what was added so far; more may follow."""
        if not self._peaks:
            return EMPTY_ROOT
        peaks = list(self._peaks)
        node = peaks.pop()
        while peaks:
            node = _node_hash(peaks.pop(), node)
        return node


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    builder = RootBuilder()
    for leaf in leaves:
        builder.add(leaf)
    return builder.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What `verify_inclusion` needs to find `leaves[index]` under the root of `leaves`. IndexError if there is none."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    proof: list[bytes] = []
    first, last = 0, len(leaves)
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            proof.append(root(leaves[middle:last]))
            last = middle
        else:
            proof.append(root(leaves[first:middle]))
            first = middle
    proof.reverse()
    return proof


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash is number `index` of the `size` under the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes([leaf, *proof]):
        return False
    sides = _sides(index, size - 1, len(proof))
    if sides is None:
        return False
    node = leaf
    for sibling, is_left in zip(proof, sides, strict=True):
        node = _node_hash(sibling, node) if is_left else _node_hash(node, sibling)
    return node == expected_root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """What `verify_consistency` needs to find the first `old_size` leaves unchanged in the root over all.

    ValueError if `old_size` is 0, from which nothing follows, or more than there are.
    """
    if not 0 < old_size <= len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves cannot be compared with one of {old_size}")
    proof: list[bytes] = []
    first, last = 0, len(leaves)
    whole = True  # the old tree is a whole subtree so far, so the verifier has its hash already: the old root
    while old_size - first < last - first:
        middle = first + _split(last - first)
        if old_size <= middle:
            proof.append(root(leaves[middle:last]))
            last = middle
        else:
            proof.append(root(leaves[first:middle]))
            first = middle
            whole = False
    if not whole:
        proof.append(root(leaves[first:last]))
    proof.reverse()
    return proof


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
            old_node, new_node = _node_hash(sibling, old_node), _node_hash(sibling, new_node)
        else:
            new_node = _node_hash(new_node, sibling)
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


def _split(size: int) -> int:
    """The largest power of two below `size`: how many leaves go to the left."""
    return 1 << (size - 1).bit_length() - 1


def _are_hashes(hashes: Iterable[bytes]) -> bool:
    """Two hashed together must have known lengths, or bytes could be moved from one to the other."""
    return all(len(one) == HASH_BYTES for one in hashes)

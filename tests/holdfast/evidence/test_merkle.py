"""The Merkle tree against the public vectors, a naive reading of RFC 9162, and random forgeries."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.evidence import merkle, offline

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9162.json").read_text())
SIZES = range(1, 1_025)
LEAVES = [offline.leaf_hash(str(number).encode()) for number in SIZES]
TREE = merkle.Tree(LEAVES)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as the RFC writes it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def named(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(one, id=one["name"].removesuffix(".json")) for one in vectors]


def hashes(encoded: list[str] | None) -> list[bytes]:
    return [b64decode(one) for one in encoded or []]


@pytest.mark.parametrize("vector", named(VECTORS["inclusion"]))
def test_inclusion_vector(vector: dict[str, Any]) -> None:
    accepted = offline.verify_inclusion(
        b64decode(vector["leafHash"] or ""),
        vector["leafIdx"],
        vector["treeSize"],
        hashes(vector["proof"]),
        b64decode(vector["root"] or ""),
    )
    assert accepted is not vector["wantErr"]


@pytest.mark.parametrize("vector", named(VECTORS["consistency"]))
def test_consistency_vector(vector: dict[str, Any]) -> None:
    accepted = offline.verify_consistency(
        vector["size1"],
        vector["size2"],
        b64decode(vector["root1"] or ""),
        b64decode(vector["root2"] or ""),
        hashes(vector["proof"]),
    )
    assert accepted is not vector["wantErr"]


def test_the_vectors_hold_both_good_and_forged_proofs() -> None:
    for group in ("inclusion", "consistency"):
        assert {one["wantErr"] for one in VECTORS[group]} == {True, False}


@pytest.fixture(scope="module")
def roots() -> list[bytes]:
    """The root of every size up to 1,024, by the naive reading."""
    return [naive_root(LEAVES[:size]) for size in range(1_025)]


def test_every_size_up_to_1024_has_the_root_of_the_naive_reading(roots: list[bytes]) -> None:
    builder = offline.RootBuilder()
    for size, leaf in enumerate(LEAVES, start=1):
        builder.add(leaf)
        assert builder.root() == TREE.root(size) == roots[size]
        assert offline.RootBuilder(size, builder.peaks).root() == roots[size]
    assert (TREE.root(0), offline.RootBuilder().root()) == (roots[0], roots[0])


def test_leaves_of_every_size_up_to_1024_are_provably_included(roots: list[bytes]) -> None:
    for size in SIZES:
        for index in range(size) if size <= 70 else {0, 1, size // 3, size // 2, size - 2, size - 1}:
            proof = TREE.inclusion_proof(index, size)
            assert offline.verify_inclusion(LEAVES[index], index, size, proof, roots[size])
            assert len(proof) <= (size - 1).bit_length()


def test_every_size_up_to_1024_is_provably_consistent_with_sizes_before_it(roots: list[bytes]) -> None:
    for new in SIZES:
        for old in range(1, new + 1) if new <= 70 else {1, 2, new // 2, 64, 65, new - 1, new}:
            proof = TREE.consistency_proof(old, new)
            assert offline.verify_consistency(old, new, roots[old], roots[new], proof)


@given(st.integers(1, 1_024), st.sets(st.integers(0, 1_023)))
def test_any_leaves_and_the_gaps_between_them_give_the_root(size: int, chosen: set[int]) -> None:
    kept = sorted(one for one in chosen if one < size)
    parts = [(index, 0, LEAVES[index]) for index in kept] + list(TREE.gaps(kept, size))
    builder = offline.RootBuilder()
    for first, level, node in sorted(parts):
        assert builder.size == first
        builder.add(node, level)
    assert (builder.size, builder.root()) == (size, TREE.root(size))
    assert len(parts) - len(kept) <= (len(kept) + 1) * size.bit_length()


def test_a_subtree_stands_where_it_belongs_and_peaks_fit_their_size() -> None:
    builder = offline.RootBuilder()
    builder.add(LEAVES[0])
    with pytest.raises(ValueError, match="a subtree of 2 leaves cannot follow 1"):
        builder.add(LEAVES[1], level=1)
    for size, peaks in ((3, LEAVES[:1]), (1, [b"short"])):
        with pytest.raises(ValueError, match="are not those of"):
            offline.RootBuilder(size, peaks)


@given(st.integers(1, 200), st.data())
def test_a_forged_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    root = merkle.root(leaves)
    proof = TREE.inclusion_proof(index, size)
    assert not offline.verify_inclusion(offline.leaf_hash(b"another"), index, size, proof, root)
    other = data.draw(st.integers(0, size + 2).filter(lambda number: number != index))
    assert not offline.verify_inclusion(leaves[index], other, size, proof, root)
    assert not offline.verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not offline.verify_inclusion(leaves[index], index, size, proof, offline.leaf_hash(b"another"))
    if proof:
        assert not offline.verify_inclusion(leaves[index], index, size, proof[:-1], root)
        assert not offline.verify_inclusion(leaves[index], index, size, _with_a_bit_flipped(proof, data), root)


@given(st.integers(1, 200), st.integers(0, 50), st.data())
def test_a_forged_consistency_proof_is_refused(old: int, more: int, data: st.DataObject) -> None:
    new = old + more
    leaves = LEAVES[:new]
    old_root, new_root = merkle.root(leaves[:old]), merkle.root(leaves)
    proof = TREE.consistency_proof(old, new)
    altered = offline.leaf_hash(b"another")
    assert not offline.verify_consistency(old, new, altered, new_root, proof)
    assert not offline.verify_consistency(old, new, old_root, altered, proof)
    assert not offline.verify_consistency(old, new, old_root, new_root, [*proof, altered])
    if more:
        assert not offline.verify_consistency(old, new, old_root, new_root, _with_a_bit_flipped(proof, data))
        assert not offline.verify_consistency(new, old, new_root, old_root, proof)


def test_nothing_is_claimed_about_leaves_and_trees_that_are_not_there() -> None:
    tree = merkle.Tree(LEAVES[:3])
    for index, size in ((3, 3), (0, 0), (0, 4)):
        with pytest.raises(IndexError):
            tree.inclusion_proof(index, size)
    for old, new in ((0, 3), (4, 3), (2, 4)):
        with pytest.raises(ValueError, match=f"{new} leaves cannot be compared with one of {old}"):
            tree.consistency_proof(old, new)


def _with_a_bit_flipped(proof: list[bytes], data: st.DataObject) -> list[bytes]:
    number = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(proof[number]) ^ (1 << bit)).to_bytes(32)
    return [*proof[:number], flipped, *proof[number + 1 :]]

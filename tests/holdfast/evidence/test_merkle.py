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

from holdfast.evidence import merkle

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9162.json").read_text())
LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(256)]


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
    accepted = merkle.verify_inclusion(
        b64decode(vector["leafHash"] or ""),
        vector["leafIdx"],
        vector["treeSize"],
        hashes(vector["proof"]),
        b64decode(vector["root"] or ""),
    )
    assert accepted is not vector["wantErr"]


@pytest.mark.parametrize("vector", named(VECTORS["consistency"]))
def test_consistency_vector(vector: dict[str, Any]) -> None:
    accepted = merkle.verify_consistency(
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


def test_every_size_up_to_256_has_the_root_of_the_naive_reading() -> None:
    for size in range(257):
        assert merkle.root(LEAVES[:size]) == naive_root(LEAVES[:size])


def test_every_leaf_of_every_size_is_provably_included() -> None:
    for size in range(1, 257):
        leaves = LEAVES[:size]
        root = naive_root(leaves)
        for index in range(size) if size <= 70 else (0, 1, size // 3, size // 2, size - 2, size - 1):
            proof = merkle.inclusion_proof(leaves, index)
            assert merkle.verify_inclusion(leaves[index], index, size, proof, root)
            assert len(proof) <= (size - 1).bit_length()


def test_every_size_is_provably_consistent_with_the_sizes_before_it() -> None:
    roots = [naive_root(LEAVES[:size]) for size in range(257)]
    for new in range(1, 257):
        for old in range(1, new + 1) if new <= 70 else (1, 2, new // 2, 64, 65, new - 1, new):
            proof = merkle.consistency_proof(LEAVES[:new], old)
            assert merkle.verify_consistency(old, new, roots[old], roots[new], proof)


def test_a_root_can_be_asked_for_at_any_time() -> None:
    builder = merkle.RootBuilder()
    for size, leaf in enumerate(LEAVES, start=1):
        builder.add(leaf)
        assert builder.size == size
        assert builder.root() == merkle.root(LEAVES[:size])


@given(st.integers(1, 200), st.data())
def test_a_forged_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    root = merkle.root(leaves)
    proof = merkle.inclusion_proof(leaves, index)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"another"), index, size, proof, root)
    other = data.draw(st.integers(0, size + 2).filter(lambda number: number != index))
    assert not merkle.verify_inclusion(leaves[index], other, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not merkle.verify_inclusion(leaves[index], index, size, proof, merkle.leaf_hash(b"another"))
    if proof:
        assert not merkle.verify_inclusion(leaves[index], index, size, proof[:-1], root)
        assert not merkle.verify_inclusion(leaves[index], index, size, _with_a_bit_flipped(proof, data), root)


@given(st.integers(1, 200), st.integers(0, 50), st.data())
def test_a_forged_consistency_proof_is_refused(old: int, more: int, data: st.DataObject) -> None:
    new = old + more
    leaves = LEAVES[:new]
    old_root, new_root = merkle.root(leaves[:old]), merkle.root(leaves)
    proof = merkle.consistency_proof(leaves, old)
    altered = merkle.leaf_hash(b"another")
    assert not merkle.verify_consistency(old, new, altered, new_root, proof)
    assert not merkle.verify_consistency(old, new, old_root, altered, proof)
    assert not merkle.verify_consistency(old, new, old_root, new_root, [*proof, altered])
    if more:
        assert not merkle.verify_consistency(old, new, old_root, new_root, _with_a_bit_flipped(proof, data))
        assert not merkle.verify_consistency(new, old, new_root, old_root, proof)


def test_nothing_is_claimed_about_leaves_and_trees_that_are_not_there() -> None:
    with pytest.raises(IndexError):
        merkle.inclusion_proof(LEAVES[:3], 3)
    with pytest.raises(IndexError):
        merkle.inclusion_proof([], 0)
    for size in (0, 4):
        with pytest.raises(ValueError, match=f"3 leaves cannot be compared with one of {size}"):
            merkle.consistency_proof(LEAVES[:3], size)


def _with_a_bit_flipped(proof: list[bytes], data: st.DataObject) -> list[bytes]:
    number = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(proof[number]) ^ (1 << bit)).to_bytes(32)
    return [*proof[:number], flipped, *proof[number + 1 :]]

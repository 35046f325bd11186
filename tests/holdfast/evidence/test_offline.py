"""Signed notes, checkpoints and rotations, against a public vector and against whoever would forge them."""

from __future__ import annotations

import pytest

from holdfast.evidence.offline import Note, PublicKey

# From the documentation of Go's golang.org/x/mod/sumdb/note, the first implementation of the format.
NEUMANN = PublicKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
SAYING = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_public_example_of_a_signed_note_is_accepted_and_a_changed_one_refused() -> None:
    note = Note.parse(SAYING)
    assert str(note) == SAYING
    assert note.signers([NEUMANN]) == [NEUMANN]
    with pytest.raises(ValueError, match="forged"):
        Note.parse(SAYING.replace("problem is", "problem was")).signers([NEUMANN])

"""Keyed pseudonyms: the same subject reads the same in every entry, and nobody without the key can tell who it is.

A pseudonym is HMAC-SHA256 cut to 128 bits, under a key made from the installation's key and a purpose, so that
pseudonyms for two purposes cannot be joined. It is still personal data while the key exists: all UK mobile numbers can
be tried in minutes by whoever has the key, which is why the key stays outside the database.

PostgreSQL computes the same value with its built-in sha256() alone, from the two key blocks that `hmac_pads` gives:
`'p1:' || left(encode(sha256(outer || sha256(inner || convert_to(value, 'UTF8'))), 'hex'), 32)`.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

import sqlalchemy as sa

PREFIX = "p1:"
_HEX_DIGITS = 32
_BLOCK_BYTES = 64  # of SHA-256
_CONTEXT = b"holdfast pseudonym 1\x00"


def pseudonym(key: bytes, purpose: str, value: str) -> str:
    """The pseudonym of a value for a purpose: `p1:` and 32 hexadecimal digits."""
    return PREFIX + hmac.digest(_purpose_key(key, purpose), value.encode(), sha256).hex()[:_HEX_DIGITS]


def hmac_pads(key: bytes, purpose: str) -> tuple[bytes, bytes]:
    """The inner and the outer key block of HMAC, for `pseudonym_in_sql` and hand-written SQL.

    Whoever has them can make this purpose's pseudonyms, so they are bound as parameters and never stored or logged.
    """
    block = _purpose_key(key, purpose).ljust(_BLOCK_BYTES, b"\x00")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def pseudonym_in_sql(key: bytes, purpose: str, value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The expression that gives `pseudonym(key, purpose, value)` in the database; NULL stays NULL."""
    inner, outer = (sa.literal(pad, sa.LargeBinary) for pad in hmac_pads(key, purpose))
    message = sa.func.convert_to(value, "UTF8", type_=sa.LargeBinary)
    digest = sa.func.sha256(outer.concat(sa.func.sha256(inner.concat(message), type_=sa.LargeBinary)))
    return sa.literal(PREFIX).concat(sa.func.left(sa.func.encode(digest, "hex"), _HEX_DIGITS, type_=sa.Text))


def _purpose_key(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, _CONTEXT + purpose.encode(), sha256)

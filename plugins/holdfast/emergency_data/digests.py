"""What is kept of a name and an address once a record has left: digests, and which fields were filled.

A digest is 64 bits of PostgreSQL's own hash, and beside its number it is personal data: it stays in the schema
`emergency`. Case does not count.
"""

from __future__ import annotations

import sqlalchemy as sa

_NAME = ("name", "bus_suffix", "forename")
_ADDRESS = ("sub_premises", "premises", "thoroughfare", "locality", "post_town", "postcode")
_HOUSE = ("postcode", "premises")
TRACKED = ("title", "forename", "name", "bus_suffix", *_ADDRESS, "uprn")
"""The fields of which it is known whether they had a value, one bit each, in this order."""


def digests(record: sa.FromClause) -> dict[str, sa.ColumnElement[int]]:
    """The three digests of a record, by the names of their columns."""
    return {
        "name_digest": _digest(record, _NAME),
        "address_digest": _digest(record, _ADDRESS),
        "house_digest": _digest(record, _HOUSE),
    }


def filled(record: sa.FromClause) -> sa.ColumnElement[int]:
    """One bit for each tracked field that has a value."""
    bits: sa.ColumnElement[int] = sa.literal(0)
    for place, name in enumerate(TRACKED):
        bits = bits + sa.case((record.c[name].is_not(None), 1 << place), else_=0)
    return bits


def house(postcode: sa.ColumnElement[str], premises: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    """The digest of postcode and premises, for an address that is written in another way."""
    return _hash([postcode, premises])


def _digest(record: sa.FromClause, names: tuple[str, ...]) -> sa.ColumnElement[int]:
    return _hash([record.c[name] for name in names])


def _hash(values: list[sa.ColumnElement[str]]) -> sa.ColumnElement[int]:
    joined: sa.ColumnElement[str] = sa.func.coalesce(values[0], "")
    for value in values[1:]:
        joined = joined.concat("\t").concat(sa.func.coalesce(value, ""))
    return sa.func.hashtextextended(sa.func.upper(joined), 0, type_=sa.BigInteger)

"""What is kept of a name and an address once a record has left: digests, and which fields were filled.

A digest is 64 bits of PostgreSQL's own hash, and beside its number it is personal data: it stays in the schema
`emergency`. Case does not count.
"""

from __future__ import annotations

from collections.abc import Container

import sqlalchemy as sa

from holdfast.emergency_data.fields import FIELDS

_NAME = ("name", "bus_suffix", "forename")
_ADDRESS = ("sub_premises", "premises", "thoroughfare", "locality", "post_town", "postcode")
_HOUSE = ("postcode", "premises")
_REST = (
    "party_type",
    "title",
    "uprn",
    "country",
    "service_type",
    "location_independent",
    "address_source",
    "effective_from",
    "account_ref",
    "version_no",
)
DIGESTS = ("name_digest", "address_digest", "house_digest")
TRACKED = ("title", "forename", "name", "bus_suffix", *_ADDRESS, "uprn")
"""The fields of which it is known whether they had a value, one bit each, in this order."""


def digests(record: sa.FromClause, carried: Container[str | None] = FIELDS) -> dict[str, sa.ColumnElement[int]]:
    """The digests of name, address and house of a record, by the names of their columns.

    `carried` are the fields that the layout has: what it leaves out was never sent, and counts as empty.
    """
    return dict(zip(DIGESTS, (_digest(record, names, carried) for names in (_NAME, _ADDRESS, _HOUSE)), strict=True))


def rest(record: sa.FromClause, carried: Container[str | None] = FIELDS) -> sa.ColumnElement[int]:
    """The digest of what a record says beside name and address; the day of the last check is no news."""
    return _digest(record, _REST, carried)


def filled(record: sa.FromClause) -> sa.ColumnElement[int]:
    """One bit for each tracked field that has a value."""
    bits: sa.ColumnElement[int] = sa.literal(0)
    for place, name in enumerate(TRACKED):
        bits = bits + sa.case((record.c[name].is_not(None), 1 << place), else_=0)
    return bits


def house(postcode: sa.ColumnElement[str], premises: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    """The digest of postcode and premises, for an address that is written in another way."""
    return _hash([postcode, premises])


def _digest(record: sa.FromClause, names: tuple[str, ...], carried: Container[str | None]) -> sa.ColumnElement[int]:
    return _hash([record.c[name] if name in carried else sa.literal("") for name in names])


def _hash(values: list[sa.ColumnElement[str]]) -> sa.ColumnElement[int]:
    joined: sa.ColumnElement[str] = sa.func.coalesce(values[0], "")
    for value in values[1:]:
        joined = joined.concat("\t").concat(sa.func.coalesce(value, ""))
    return sa.func.hashtextextended(sa.func.upper(joined), 0, type_=sa.BigInteger)

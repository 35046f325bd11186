"""The provider's own numbers, as `sql/provider/emergency/numbers.sql` gives them: what records are compared with."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data import digests, statements
from holdfast.emergency_data.conditions import SCHEMA
from holdfast.emergency_data.fields import FIELDS

QUERY = "provider/emergency/numbers"
_OF_THE_EXTRACT = ("line_no", "action", "number_e164", "national_number")
FIELDS_GIVEN = tuple(name for name in FIELDS if name not in _OF_THE_EXTRACT)
"""What a record says of a number: all of its fields but the number, and what the extract does with it."""
_DAYS = ("address_verified_at",)
_TEXTS = (
    "number_e164",
    *(name for name in FIELDS_GIVEN if name not in _DAYS),
    "billing_premises",
    "billing_postcode",
)
_INVENTORY = sa.table(
    "inventory",
    *map(
        sa.column,
        (
            "number",
            "provider",
            "is_live",
            "calls_999",
            "changed_at",
            "erased",
            *digests.DIGESTS,
            "billing_digest",
            "verified_on",
        ),
    ),
    schema=SCHEMA,
)


def numbers(as_of: dt.datetime) -> sa.Subquery:
    """The provider's query as something to select from."""
    statement = queries.query(QUERY)
    text = sa.text(statement.text.rstrip().removesuffix(";") + "\n").bindparams(as_of=as_of)
    return text.columns(
        *(sa.column(name, sa.Text) for name in _TEXTS),
        *(sa.column(name, sa.Boolean) for name in ("is_live", "calls_999", "erased")),
        *(sa.column(name, sa.Date) for name in _DAYS),
        sa.column("changed_at", sa.DateTime(timezone=True)),
    ).subquery("numbers")


def refresh(connection: sa.Connection, provider: str, as_of: dt.datetime) -> int:
    """Read the inventory anew; how many numbers there are. An address that is not known has no digests."""
    given = numbers(as_of)
    known = given.c.premises.is_not(None)
    queries.run(connection, "emergency/forget_inventory")
    found = digests.digests(given)
    rows = sa.select(
        given.c.number_e164,
        sa.literal(provider),
        given.c.is_live,
        given.c.calls_999,
        given.c.changed_at,
        given.c.erased,
        *(sa.case((known, found[name])) for name in digests.DIGESTS),
        sa.case(
            (given.c.billing_premises.is_not(None), digests.house(given.c.billing_postcode, given.c.billing_premises))
        ),
        given.c.address_verified_at,
    )
    stored = statements.execute(
        connection, sa.insert(_INVENTORY).from_select([column.name for column in _INVENTORY.c], rows)
    )
    queries.run(connection, "emergency/analyze_inventory")
    return stored

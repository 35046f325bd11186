"""Python and PostgreSQL must give the same pseudonym, and nobody without the key any."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import hmac_pads, pseudonym, pseudonym_in_sql

KEY = bytes(range(32))
HAND_WRITTEN = sa.text(
    "SELECT 'p1:' || left(encode(sha256(cast(:outer_pad AS bytea) || "
    "sha256(cast(:inner_pad AS bytea) || convert_to(cast(:value AS text), 'UTF8'))), 'hex'), 32)"
)


@pytest.fixture(scope="module")
def connection(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[sa.Connection]:
    with fresh_database() as engine, engine.connect() as connection:
        yield connection


def test_a_pseudonym_is_what_it_was_in_the_first_release() -> None:
    assert pseudonym(KEY, "account", "42") == "p1:d07d4358add2798fb14ed3381159a2d9"


def test_a_pseudonym_depends_on_key_purpose_and_value() -> None:
    made = {
        pseudonym(key, purpose, value)
        for key in (KEY, bytes(32))
        for purpose in ("account", "contact")
        for value in ("42", "43")
    }
    assert len(made) == 8
    assert all(re.fullmatch(r"p1:[0-9a-f]{32}", one) for one in made)


def test_the_pads_are_the_key_blocks_of_hmac() -> None:
    inner, outer = hmac_pads(KEY, "account")
    purpose_key = hmac.digest(KEY, b"holdfast pseudonym 1\x00account", sha256)
    assert (len(inner), len(outer)) == (64, 64)
    assert sha256(outer + sha256(inner + b"42").digest()).digest() == hmac.digest(purpose_key, b"42", sha256)


values = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(key=st.binary(min_size=32, max_size=32), purpose=st.text(max_size=10), value=values)
def test_the_database_computes_the_same(connection: sa.Connection, key: bytes, purpose: str, value: str) -> None:
    expected = pseudonym(key, purpose, value)
    column = sa.literal(value, sa.Text)
    assert connection.execute(sa.select(pseudonym_in_sql(key, purpose, column))).scalar_one() == expected
    inner, outer = hmac_pads(key, purpose)
    by_hand = {"inner_pad": inner, "outer_pad": outer, "value": value}
    assert connection.execute(HAND_WRITTEN, by_hand).scalar_one() == expected


def test_an_unknown_value_has_no_pseudonym(connection: sa.Connection) -> None:
    column = sa.literal(None, sa.Text)
    assert connection.execute(sa.select(pseudonym_in_sql(KEY, "account", column))).scalar_one() is None


def test_the_ledger_takes_a_pseudonym(connection: sa.Connection) -> None:
    assert ledger.append(connection, "hold_placed", {"subject": pseudonym(KEY, "account", "42")}) == 1

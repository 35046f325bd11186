"""The one way into the ledger: what it writes, what it refuses, and that writers leave no gap."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from holdfast import database as hf_database
from holdfast.errors import LedgerError
from holdfast.evidence import ledger

GENESIS = bytes(32)
FACTS = {"rule": "call-detail-records", "rows": 50_000, "keys": "sha256:" + "ab" * 32}


def rows(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT * FROM holdfast.ledger_entry ORDER BY seq")))


@pytest.fixture(scope="module")
def shared_database(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[sa.Engine]:
    """For tests that only ask the database questions."""
    with fresh_database() as engine:
        yield engine


def are_codes(engine: sa.Engine, facts: str) -> bool:
    with engine.connect() as connection:
        statement = sa.text("SELECT holdfast.ledger_facts_are_codes(:facts)")
        return bool(connection.execute(statement, {"facts": facts}).scalar_one())


def test_an_entry_is_its_canonical_text_chained_by_hash(database: sa.Engine) -> None:
    with hf_database.transaction(database) as connection:
        assert ledger.append(connection, "run_started", {"job": "retention", "as_of": "2026-11-24"}) == 1
        assert ledger.append(connection, "batch_deleted", FACTS, run_id=7) == 2

    first, second = rows(database)
    assert re.fullmatch(
        r'\{"at":"[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z","facts":\{"as_of":"2026-11-24","job":"retention"\}'
        r',"kind":"run_started","run":null,"seq":1\}',
        first.entry,
    )
    for row in (first, second):
        parsed = json.loads(row.entry)
        assert list(parsed) == sorted(parsed)
        assert (parsed["seq"], parsed["run"], parsed["kind"]) == (row.seq, row.run_id, row.kind)
        assert dt.datetime.fromisoformat(parsed["at"]) == row.at
        assert row.hash == sha256(row.prev_hash + row.entry.encode()).digest()
    assert json.loads(second.entry)["facts"] == FACTS
    assert (first.prev_hash, second.prev_hash) == (GENESIS, first.hash)
    with database.connect() as connection:
        assert tuple(connection.execute(sa.text("SELECT seq, hash FROM holdfast.ledger_head")).one()) == (
            2,
            second.hash,
        )


def test_a_run_reads_its_own_entries_back(database: sa.Engine) -> None:
    with hf_database.transaction(database) as connection:
        for run_id in (1, 2, 1, None):
            ledger.append(connection, "batch_deleted", {**FACTS, "share": 0.25}, run_id)
        first, second = ledger.entries_of_run(connection, 1)
    assert (first.seq, second.seq, second.run_id, second.kind) == (1, 3, 1, "batch_deleted")
    assert second.facts == {**FACTS, "share": 0.25}
    assert second.text.endswith('"kind":"batch_deleted","run":1,"seq":3}')


def test_every_kind_of_the_closed_list_has_a_meaning_and_can_be_written(database: sa.Engine) -> None:
    with hf_database.transaction(database) as connection:
        kinds = connection.execute(sa.text("SELECT kind, meaning FROM holdfast.ledger_kind")).all()
        assert len(kinds) >= 62
        for kind, meaning in kinds:
            assert meaning
            ledger.append(connection, kind, {})


def test_another_kind_is_refused_by_name(database: sa.Engine) -> None:
    with pytest.raises(LedgerError, match="no kind of entry named 'lunch_eaten'"), database.begin() as connection:
        ledger.append(connection, "lunch_eaten", {})


ACCEPTED = [
    "{}",
    '{"a":{"b":[1,2,{"c":"x"}]},"d":null,"e":true,"f":[],"g":{}}',
    '{"dataset":"provider.call_detail_record","hold":"billing:unpaid_invoice","period":"P6Y","path":"a/b-c=d.json"}',
    '{"as_of":"2026-11-24","at":"2026-11-24T01:30:00.123456+00:00","until":"2026-11-24T01:30:00Z"}',
    '{"digest":"sha256:0123456789012345678901234567890123456789012345678901234567890123"}',
    '{"subject":"p1:01234567890123456789012345678901"}',
    '{"rows":9999999999,"change":-5,"share":0.05,"seconds":12.123456}',
    '{"partition":"call_detail_record_20261124"}',
]

REFUSED = {
    "a sentence": '{"reason":"customer was upset"}',
    "a sentence as a key": '{"customer was upset":1}',
    "a sentence, deep": '{"a":[{"b":["x","two words"]}]}',
    "an e-mail address": '{"by":"jo.bloggs@example.org"}',
    "a telephone number with +": '{"number":"+447700900123"}',
    "a telephone number with 0": '{"number":"07700900123"}',
    "a telephone number with spaces": '{"number":"07700 900123"}',
    "a telephone number with its country code": '{"number":"447700900123"}',
    "a telephone number inside a code": '{"number":"tel:447700900123"}',
    "a telephone number as a key": '{"07700900123":1}',
    "a telephone number as a JSON number": '{"number":447700900123}',
    "a shorter one": '{"number":35312345678}',
    "a negative one": '{"number":-447700900123}',
    "one in a list": '{"numbers":[1,447700900123]}',
    "one as a fraction": '{"number":0.447700900123}',
    "an exponent": '{"number":4.477009e11}',
    "an IPv4 address": '{"address":"192.0.2.1"}',
    "a digest that is not one": '{"digest":"sha256:0123456789"}',
    "a pseudonym and more": '{"subject":"p1:012345678901234567890123456789012"}',
    "a date and more": '{"day":"2026-11-24 Jo"}',
    "an empty string": '{"a":""}',
    "a string beyond 200 characters": '{"a":"' + "x" * 201 + '"}',
    "a letter beyond ASCII": '{"a":"caf\N{LATIN SMALL LETTER E WITH ACUTE}"}',
    "an escape": '{"a":"caf\\u00e9"}',
    "an escaped quotation mark": '{"a":"x\\"two words\\""}',
    "a key given twice": '{"a":"x","a":"y"}',
    "a key given twice, deep": '{"a":[{"b":1,"b":1}]}',
    "a space": '{"a": 1}',
    "a line end": '{"a":1}\n',
    "not a number": '{"a":NaN}',
    "minus zero": '{"a":-0}',
    "a list": "[1]",
    "a string": '"x"',
    "nothing": "",
}


@pytest.mark.parametrize("facts", ACCEPTED)
def test_codes_dates_digests_pseudonyms_and_counts_are_facts(shared_database: sa.Engine, facts: str) -> None:
    assert are_codes(shared_database, facts)


@pytest.mark.parametrize("facts", REFUSED.values(), ids=REFUSED.keys())
def test_whatever_could_be_personal_is_not_a_fact(shared_database: sa.Engine, facts: str) -> None:
    assert not are_codes(shared_database, facts)


def test_no_telephone_number_of_any_drama_range_is_a_fact(shared_database: sa.Engine) -> None:
    national = [
        *(
            f"{area}496{last:04}"
            for area in ("0113", "0114", "0115", "0116", "0117", "0118", "0121")
            for last in (0, 999)
        ),
        *("02079460000", "02890180999", "02920180123", "01632960000", "07700900999", "08081570123", "09098790123"),
    ]
    for number in national:
        for written in (number, "+44" + number[1:], "44" + number[1:], f"{number[:5]} {number[5:]}", f"tel:{number}"):
            assert not are_codes(shared_database, json.dumps({"a": written}, separators=(",", ":")))
        assert not are_codes(shared_database, f'{{"a":44{number[1:]}}}')


def is_code(string: str) -> bool:
    """The rule for strings, read a second time."""
    if re.fullmatch(r"sha256:[0-9a-f]{64}|p1:[0-9a-f]{32}", string):
        return True
    if re.fullmatch(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?",
        string,
    ):
        return True
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_.:/=-]{0,199}", string)) and not re.search(r"[0-9]{9}", string)


codes = st.from_regex(r"[A-Za-z][A-Za-z0-9_.:/=-]{0,30}", fullmatch=True).filter(is_code)
nearly_codes = st.text("aZ09_.:/=- @+'\"\\\N{LATIN SMALL LETTER E WITH ACUTE}\n", max_size=12)
numbers = st.integers(-9_999_999_999, 9_999_999_999) | st.floats(-9e9, 9e9)
facts_made_of = st.dictionaries(
    codes,
    st.recursive(
        st.none() | st.booleans() | numbers | codes | st.dates().map(lambda day: f"{day.year:04}-{day:%m-%d}"),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(codes, inner, max_size=4),
        max_leaves=8,
    ),
    max_size=5,
)


@given(nearly_codes | codes)
def test_a_string_is_a_fact_exactly_if_the_rule_says_so(shared_database: sa.Engine, string: str) -> None:
    assert bool(ledger.CODE.fullmatch(string)) == (is_code(string) and not string[0].isdigit()), "a date is no code"
    for facts in ({string: 1}, {"a": string}, {"a": [1, {"b": string}]}):
        assert are_codes(shared_database, ledger.canonical(facts)) == is_code(string)


@given(facts_made_of)
def test_canonical_facts_are_facts_and_keep_their_values(shared_database: sa.Engine, facts: dict[str, Any]) -> None:
    text = ledger.canonical(facts)
    assert are_codes(shared_database, text)
    assert text == ledger.canonical(dict(reversed(facts.items())))
    assert ledger.canonical(json.loads(text)) == text


def test_floats_are_written_with_six_decimals_and_without_exponent() -> None:
    values = [0.05, 1.0, 0.1 + 0.2, 1e-7, -1e-7, -0.0, 1234567.5, 1e9]
    assert ledger.canonical(values) == "[0.05,1,0.3,0,0,0,1234567.5,1000000000]"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), dt.date(2026, 11, 24), b"bytes", {1, 2}])
def test_a_value_without_a_canonical_text_is_refused(value: Any) -> None:
    with pytest.raises(LedgerError, match=type(value).__name__):
        ledger.canonical({"a": value})


def test_a_refusal_does_not_repeat_what_it_refused(database: sa.Engine) -> None:
    reason = " ".join(["Jo", "Bloggs", "rang"])  # not as one literal, which a traceback would show
    with pytest.raises(LedgerError) as refused, database.begin() as connection:
        ledger.append(connection, "hold_placed", {"reason": reason}, run_id=7)
    shown = "".join(traceback.format_exception(refused.value))
    assert "hold_placed" in shown
    assert reason not in shown


def test_no_audit_no_delete(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("CREATE TABLE customer AS SELECT 1 AS id"))
    with database.connect() as connection:
        connection.execute(sa.text("DELETE FROM customer"))
        with pytest.raises(LedgerError):
            ledger.append(connection, "batch_deleted", {"reason": "free text"})
        connection.commit()
    with database.begin() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM customer")).scalar_one() == 1


def test_a_ledger_without_its_head_row_accepts_nothing(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("DELETE FROM holdfast.ledger_head"))
    with pytest.raises(sa.exc.DBAPIError), database.begin() as connection:
        ledger.append(connection, "run_started", {})


@pytest.mark.parametrize(
    "verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}", "DELETE FROM {} WHERE false"]
)
@pytest.mark.parametrize("table", ["ledger_entry", "ledger_seal", "ledger_kind"])
def test_evidence_is_not_changed_by_ordinary_statements(shared_database: sa.Engine, table: str, verb: str) -> None:
    column = "kind" if table == "ledger_kind" else "run_id"
    with pytest.raises(sa.exc.DBAPIError, match="only ever added to"), shared_database.begin() as connection:
        connection.execute(sa.text(verb.format(f"holdfast.{table}", column, column)))


@pytest.mark.parametrize("statement", ["DELETE FROM holdfast.ledger_head", "TRUNCATE holdfast.ledger_head"])
def test_the_head_is_not_removed(shared_database: sa.Engine, statement: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="only ever added to"), shared_database.begin() as connection:
        connection.execute(sa.text(statement))


def test_a_role_that_may_append_may_do_nothing_else(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("CREATE ROLE enforcer; GRANT USAGE ON SCHEMA holdfast TO enforcer"))
    try:
        with database.connect() as connection:
            connection.execute(sa.text("SET LOCAL ROLE enforcer"))
            with pytest.raises(sa.exc.DBAPIError, match="permission denied for function"):
                ledger.append(connection, "run_started", {})
        with database.begin() as connection:
            connection.execute(sa.text("GRANT EXECUTE ON FUNCTION holdfast.ledger_append TO enforcer"))
            connection.execute(sa.text("SET LOCAL ROLE enforcer"))
            assert ledger.append(connection, "run_started", {}) == 1
        for table in ("ledger_entry", "ledger_head", "ledger_seal", "ledger_kind"):
            for verb in ("SELECT FROM {}", "INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"):
                with database.connect() as connection:
                    connection.execute(sa.text("SET LOCAL ROLE enforcer"))
                    with pytest.raises(sa.exc.DBAPIError, match="permission denied for table"):
                        connection.execute(sa.text(verb.format(f"holdfast.{table}")))
    finally:
        with database.begin() as connection:
            connection.execute(sa.text("DROP OWNED BY enforcer; DROP ROLE enforcer"))


def test_functions_of_the_caller_are_not_called(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA own"))
        connection.execute(sa.text("CREATE FUNCTION own.sha256(bytea) RETURNS bytea RETURN decode('00', 'hex')"))
        connection.execute(sa.text("SET LOCAL search_path = own, pg_catalog"))
        ledger.append(connection, "run_started", {})
    (row,) = rows(database)
    assert row.hash == sha256(row.prev_hash + row.entry.encode()).digest()


def test_a_rollback_leaves_no_gap(database: sa.Engine) -> None:
    for commits in (True, False, False, True):
        with database.connect() as connection:
            ledger.append(connection, "run_started", {})
            if commits:
                connection.commit()
    assert [row.seq for row in rows(database)] == [1, 2]


def test_eight_writers_leave_one_gapless_chain(database: sa.Engine) -> None:
    failures: list[BaseException] = []

    def write(run_id: int) -> None:
        try:
            with database.connect() as connection:
                for batch in range(200):
                    with connection.begin():
                        ledger.append(connection, "batch_deleted", {"batch": batch}, run_id)
        except BaseException as failure:
            failures.append(failure)
            raise

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert not failures
    written = rows(database)
    assert [row.seq for row in written] == list(range(1, 1601))
    assert [row.at for row in written] == sorted(row.at for row in written)
    for before, after in itertools.pairwise(written):
        assert after.prev_hash == before.hash
    for number in range(8):
        batches = [json.loads(row.entry)["facts"]["batch"] for row in written if row.run_id == number]
        assert batches == list(range(200))

"""Two others approve, and then all that is kept of a run comes back bit for bit, or nothing does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.holdfast.enforcement.undo.window import (
    approve,
    ask,
    bring_back,
    kept,
    key_files,
    night,
    restore,
)
from tests.holdfast.retention.shop import Document, Shop

from holdfast import database
from holdfast.errors import UndoRefused


def test_what_comes_back_is_what_went(full_shop: Shop) -> None:
    before = {table: full_shop.contents(table) for table in ("purchase", "item")}
    run_id = full_shop.night()
    assert full_shop.contents("purchase") == full_shop.contents("item") == []
    done = bring_back(full_shop, run_id)
    assert {table: full_shop.contents(table) for table in before} == before
    assert done.rows == {"purchases": 6, "items": 4}
    assert (done.left_out, done.unheld) == (0, 10)
    assert kept(full_shop) == {}
    (entry,) = full_shop.entries("undo_restored")
    assert entry["rows"] == {"items": 4, "purchases": 6}
    full_shop.night(night(1))
    assert full_shop.contents("purchase") == []
    assert kept(full_shop) == {"2024-03-09": 10}
    full_shop.night(night(7))
    assert key_files(full_shop) == []
    assert len(full_shop.entries("undo_key_destroyed")) == 2
    assert full_shop.verify_ledger().verdict == "ok"


_ODD = """
CREATE TYPE shop.mood AS ENUM ('glad', 'sad');
CREATE DOMAIN shop.small AS integer CHECK (VALUE < 100);
CREATE TABLE shop.odd (
    odd_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_no bigint, seen_at timestamptz, amount numeric,
    price numeric(9, 2), ratio double precision, single real, words text, code character(8), raw bytea, list text[],
    table_of integer[][], document jsonb, exact json, kind uuid, place inet, net cidr, span interval, day date,
    hour time, zoned timetz, plain timestamp, range daterange, many tstzmultirange, mood shop.mood, moods shop.mood[],
    little shop.small, bits varbit(9), yes boolean, mask macaddr, found tsvector,
    twice text GENERATED ALWAYS AS (words || words) STORED
);
INSERT INTO shop.odd (customer_no, seen_at) VALUES (1, '2023-12-09T12:00Z');
INSERT INTO shop.odd (
    customer_no, seen_at, amount, price, ratio, single, words, code, raw, list, table_of, document, exact, kind, place,
    net, span, day, hour, zoned, plain, range, many, mood, moods, little, bits, yes, mask, found
)
SELECT
    2, timestamptz '2023-12-09T12:00:00.123456Z', v.amount, 1.50, v.ratio, 0.1, v.words, 'x', v.raw,
    ARRAY['a', NULL, '', '{"'], ARRAY[[1, 2], [3, 4]], '{"b": 1.10, "a": [null, "\\u00e9"]}',
    '{ "b" : 1.10,  "b": 2 }', '00000000-0000-4000-8000-000000000001', '192.0.2.7/24', '2001:db8::/32',
    interval '1 year -2 days 03:04:05.000006', v.day, '24:00', '23:59:59.999999+01', 'infinity', '[2024-01-01,)',
    '{[2024-01-01 00:00+00, 2024-02-01 00:00+00), (2024-03-01 00:00+00,)}', 'sad', '{sad,glad}', 99, B'10101', FALSE,
    '08:00:2b:01:02:03', 'a:1 cat:2'
FROM (
    VALUES
    (cast('NaN' AS numeric), cast('NaN' AS double precision), '', cast('' AS bytea), cast('-infinity' AS date)),
    (1e-40, 1e-310, E'tab\\t line\\n back\\\\ quote"''', '\\x00ff5c27', date '0044-03-15 BC'),
    (-1e40, 0.1, 'Žluťoučký kůň 🐎', '\\xdeadbeef', '2024-02-29')
) AS v (amount, ratio, words, raw, day);
"""


def _with_odd(documents: dict[str, Document]) -> None:
    datasets, rules = documents["data_map"]["datasets"], documents["retention_schedule"]["rules"]
    personal = next(iter(datasets["visits"]["columns"].values()))
    names = (
        "amount price ratio single words code raw list table_of document exact kind place net span day hour zoned plain"
        " range many mood moods little bits yes mask found twice customer_no"
    )
    datasets["odds"] = {
        **datasets["visits"],
        "table": "shop.odd",
        "key": ["odd_id"],
        "columns": dict.fromkeys(names.split(), personal),
        "not_personal": ["odd_id", "seen_at"],
    }
    for dataset in ("odds", "visits"):
        rules[f"{dataset}-90d"] = {**rules["visits-90d"], "dataset": dataset, "undo_days": 7}


def test_every_type_comes_back_bit_for_bit(shop: Shop) -> None:
    """Identity and generated columns, odd floats, exact JSON, infinities, days before Christ, empty and NULL."""
    with shop.engine.begin() as connection:
        database.run_script(connection, _ODD)
    shop.set_policy(_with_odd)
    before = shop.contents("odd")
    run_id = shop.night()
    assert shop.contents("odd") == []
    bring_back(shop, run_id)
    assert shop.contents("odd") == before
    assert len(before) == 4


def test_rows_of_partitions_go_back_to_them(shop: Shop) -> None:
    with shop.engine.begin() as connection:
        database.run_script(connection, _ODD)
    shop.set_policy(_with_odd)
    rows = ({"visit_id": n, "customer_no": 1, "seen_at": f"2023-12-0{n}T12:00Z"} for n in range(4, 9))
    shop.add("visit", *rows)
    before = shop.contents("visit_2023_12")
    run_id = shop.night()
    assert shop.contents("visit") == []
    bring_back(shop, run_id)
    assert shop.contents("visit_2023_12") == before


# --- who may ----------------------------------------------------------------------------------------------------


def test_two_approvers_are_needed_and_neither_is_who_asked(full_shop: Shop) -> None:
    run_id = full_shop.night()
    ask(full_shop, run_id, by="anna")
    with pytest.raises(UndoRefused, match="2 approvals are missing"):
        restore(full_shop, run_id)
    with pytest.raises(UndoRefused, match="is no approver by the policy"):
        approve(full_shop, run_id, "boris")
    with pytest.raises(UndoRefused, match="Whoever asked, or has approved already"):
        approve(full_shop, run_id, "anna")
    assert approve(full_shop, run_id, "7") == 1
    with pytest.raises(UndoRefused, match="Whoever asked, or has approved already"):
        approve(full_shop, run_id, "7")
    with pytest.raises(UndoRefused, match="1 approvals are missing"):
        restore(full_shop, run_id)
    assert full_shop.contents("purchase") == []


def test_who_asked_and_approved_is_in_the_ledger_by_pseudonym(full_shop: Shop) -> None:
    run_id = full_shop.night()
    bring_back(full_shop, run_id)
    (asked,), approved = full_shop.entries("undo_restore_asked"), full_shop.entries("undo_restore_approved")
    (done,) = full_shop.entries("undo_restored")
    people = [asked["by"], *(one["by"] for one in approved)]
    assert len(set(people)) == 3
    assert done["by"] == asked["by"]
    assert all(one.startswith("p1:") for one in people)
    text = full_shop.one("SELECT string_agg(entry, '') FROM holdfast.ledger_entry")
    assert "carla" not in text


def test_to_ask_again_changes_nothing(full_shop: Shop) -> None:
    run_id = full_shop.night()
    first, again = ask(full_shop, run_id), ask(full_shop, run_id, by="dora")
    assert (first.is_new, again.is_new) == (True, False)
    assert again.asked_by == "carla"
    assert len(full_shop.entries("undo_restore_asked")) == 1


def test_an_approval_is_for_exactly_what_was_there(full_shop: Shop) -> None:
    run_id = full_shop.night()
    ask(full_shop, run_id)
    approve(full_shop, run_id, "anna")
    approve(full_shop, run_id, "7")
    full_shop.execute("DELETE FROM holdfast.undo_batch WHERE dataset = 'items'")
    with pytest.raises(UndoRefused, match="Nobody has asked for exactly what is kept"):
        restore(full_shop, run_id)


# --- what may come back -----------------------------------------------------------------------------------------


def test_without_a_hold_rows_come_back_only_if_somebody_says_so(full_shop: Shop) -> None:
    run_id = full_shop.night()
    full_shop.hold("matter-1", subject_key="1")
    with pytest.raises(UndoRefused, match="No hold reaches 5 of the rows"):
        bring_back(full_shop, run_id, even_unheld=False)
    assert full_shop.contents("purchase") == []
    full_shop.hold("matter-2", subject_key="2")
    assert restore(full_shop, run_id, even_unheld=False).unheld == 0
    full_shop.night(night(1))
    assert len(full_shop.contents("purchase")) == 6


def test_who_was_erased_since_does_not_come_back(full_shop: Shop) -> None:
    run_id = full_shop.night()
    full_shop.execute("""
        INSERT INTO holdfast.deletion_request (reference, channel, subject_key, state, received_at, closed_at)
        VALUES ('R-2', 'form', '2', 'completed', clock_timestamp(), clock_timestamp())""")
    done = bring_back(full_shop, run_id)
    assert done.left_out == 5
    assert done.rows == {"purchases": 3, "items": 2}
    assert full_shop.ids("purchase", "purchase_id") == {1, 2, 3}
    assert kept(full_shop) == {}


# --- all or nothing ---------------------------------------------------------------------------------------------


def _same_key(shop: Shop) -> None:
    shop.purchases([5])


def _no_parent(shop: Shop) -> None:
    shop.execute("DELETE FROM shop.customer WHERE customer_no = 2")


def _other_columns(shop: Shop) -> None:
    shop.execute("ALTER TABLE shop.item ALTER COLUMN label TYPE varchar(99)")


def _trigger(shop: Shop) -> None:
    shop.execute("""
        CREATE FUNCTION shop.shout() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN NEW.label := upper(NEW.label); RETURN NEW; END'""")
    shop.execute("CREATE TRIGGER shout BEFORE INSERT ON shop.item FOR EACH ROW EXECUTE FUNCTION shop.shout()")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_same_key, "a row with the same key is there again"),
        (_no_parent, "a row that they refer to is not there"),
        (_other_columns, "other columns than when its rows were deleted"),
        (_trigger, "a trigger of their table changes them"),
    ],
)
def test_what_does_not_fit_any_more_brings_nothing_back(
    full_shop: Shop, change: Callable[[Shop], None], why: str
) -> None:
    run_id = full_shop.night()
    change(full_shop)
    before = full_shop.contents("purchase")
    with pytest.raises(UndoRefused, match=why) as caught:
        bring_back(full_shop, run_id)
    assert caught.value.__cause__ is None
    assert full_shop.contents("purchase") == before
    assert full_shop.contents("item") == []
    assert kept(full_shop) == {"2024-03-09": 10}
    assert full_shop.entries("undo_restored") == []


def test_a_run_that_has_not_ended_gives_nothing_back(full_shop: Shop) -> None:
    run_id = full_shop.plan()
    full_shop.enforce(run_id)
    with pytest.raises(UndoRefused, match="is executing, not sealed"):
        bring_back(full_shop, run_id)


def test_the_key_decides_and_not_the_database(full_shop: Shop) -> None:
    """As it is with an old copy of the database: what it has can be read by nobody once the key is gone."""
    run_id = full_shop.night()
    (full_shop.settings.undo_keys / key_files(full_shop)[0]).unlink()
    with pytest.raises(UndoRefused, match="what it encrypted can be read by nobody"):
        bring_back(full_shop, run_id)


def test_rows_that_were_moved_to_another_run_are_not_opened(full_shop: Shop) -> None:
    run_id = full_shop.night()
    full_shop.execute("UPDATE holdfast.undo_batch SET dataset = 'purchases' WHERE dataset = 'items'")
    with pytest.raises(UndoRefused):
        bring_back(full_shop, run_id)


def test_with_rules_that_have_no_window_nothing_can_be_brought_back(shop: Shop) -> None:
    shop.set_policy()
    shop.purchases([1], bought_on="2021-05-05")
    run_id = shop.night()
    with pytest.raises(UndoRefused, match="Nothing is kept of run"):
        ask(shop, run_id)

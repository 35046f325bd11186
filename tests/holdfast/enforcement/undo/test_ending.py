"""On its day a key is destroyed, and with it all that was kept, but for what a hold wants or might want."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from tests.holdfast.enforcement.undo.window import LAST, TAKEN, ask, kept, key_files, night
from tests.holdfast.retention.shop import Crash, Shop, crash, once

from holdfast import database
from holdfast.enforcement import plan, runs
from holdfast.enforcement.undo import ending
from holdfast.enforcement.undo.ending import Ended
from holdfast.enforcement.undo.keys import Keys
from holdfast.errors import UndoRefused
from holdfast.retention import steps


def end(shop: Shop, days: int, reached: Callable[[str], None] = lambda _: None) -> Ended:
    """The step alone, so many days after the first night."""
    opened = steps.open_run(shop.engine, shop.settings, as_of=night(days), dry_run=False)
    run_id = int(str(opened["run_id"]))
    steps.refresh_holds(shop.engine, shop.settings, run_id=run_id)
    with database.transaction(shop.engine) as connection:
        setting = plan.setting_at(connection, shop.policy, runs.get(connection, run_id), dt.datetime.now(tz=dt.UTC))
    return ending.end(shop.engine, setting, Keys(shop.settings.undo_keys), run_id, reached)


def wanted(shop: Shop) -> dict[str, int]:
    """Rows that are kept on, by dataset."""
    found = "SELECT dataset, cast(sum(kept_rows) AS bigint) AS n FROM holdfast.undo_batch GROUP BY 1"
    with shop.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql(found)}


def test_until_its_day_a_key_stays_and_on_it_it_goes(kept_shop: Shop) -> None:
    assert key_files(kept_shop) == ["1-2024-03-09.key"]
    kept_shop.night(night(LAST - 1))
    assert kept(kept_shop) == {"2024-03-09": 10}
    run_id = kept_shop.night(night(LAST))
    assert kept(kept_shop) == {}
    assert key_files(kept_shop) == []
    (entry,) = kept_shop.entries("undo_key_destroyed")
    assert entry == {"of_run": 1, "ends_on": "2024-03-09", "rows": 10, "kept_on": 0}
    assert kept_shop.one("SELECT destroyed_in FROM holdfast.undo_end") == run_id
    with pytest.raises(UndoRefused, match="Nothing is kept of run 1"):
        ask(kept_shop, 1)
    assert kept_shop.verify_ledger().verdict == "ok"


def test_a_night_that_did_not_run_is_made_up_for_by_the_next(kept_shop: Shop) -> None:
    assert end(kept_shop, LAST + 5) == Ended(keys=1, stuck=0)
    assert kept(kept_shop) == {}


def test_a_dry_run_ends_no_window(kept_shop: Shop) -> None:
    kept_shop.plan(night(LAST), dry_run=True)
    assert kept(kept_shop) == {"2024-03-09": 10}
    assert key_files(kept_shop) == ["1-2024-03-09.key"]


def test_a_hold_that_was_placed_in_the_window_keeps_what_it_covers_and_nothing_else(kept_shop: Shop) -> None:
    """Also lines whose subject is found through purchases that are gone: whom they were about was noted."""
    kept_shop.hold("matter-2", subject_key="2")
    kept_shop.night(night(LAST))
    assert kept(kept_shop) == {"2024-03-10": 5}
    assert wanted(kept_shop) == {"purchases": 3, "items": 2}
    assert key_files(kept_shop) == ["1-2024-03-10.key"]
    entries = kept_shop.entries("undo_rows_kept_on")
    assert sorted((one["dataset"], one["rows"], one["why"]) for one in entries) == [
        ("items", 2, "held"),
        ("purchases", 3, "held"),
    ]
    (entry,) = kept_shop.entries("undo_key_destroyed")
    assert (entry["rows"], entry["kept_on"]) == (5, 5)

    kept_shop.night(night(LAST + 1))
    assert kept(kept_shop) == {"2024-03-11": 5}
    kept_shop.release("matter-2")
    kept_shop.night(night(LAST + 2))
    assert kept(kept_shop) == {}
    assert key_files(kept_shop) == []


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ({"record_key": "3", "datasets": ["purchases"]}, {"purchases": 1}),
        ({"record_key": "2|1", "datasets": ["items"]}, {"items": 1}),
        ({"datasets": ["items"]}, {"items": 4}),
        ({"datasets": ["purchases"], "period_from": TAKEN}, {"purchases": 6}),
        ({"datasets": ["purchases"], "period_from": "2022-03-09"}, {}),
        ({"subject_key": "1", "period_to": "2022-03-08"}, {"items": 2}),
        ({"subject_key": "1", "datasets": ["visits"]}, {}),
        ({"subject_key": "3"}, {}),
        ({"subject_key": "1", "ends_on": dt.date(2024, 3, 8)}, {}),
    ],
)
def test_every_kind_of_hold_reaches_what_is_kept_as_it_would_reach_the_rows(
    kept_shop: Shop, scope: dict[str, object], left: dict[str, int]
) -> None:
    days = {name: dt.date.fromisoformat(str(scope[name])) for name in ("period_from", "period_to") if name in scope}
    given = {**scope, **days}
    ends_on = given.pop("ends_on", None)
    kept_shop.hold("matter-x", **given)
    if ends_on:
        kept_shop.execute("UPDATE holdfast.hold SET ends_on = :day", day=ends_on)
    end(kept_shop, LAST)
    assert wanted(kept_shop) == left


def test_a_hold_that_comes_while_a_batch_is_ended_is_seen(kept_shop: Shop) -> None:
    with kept_shop.while_running("holdfast.undo_batch\nWHERE batch_id", lambda: kept_shop.hold("m-2", subject_key="2")):
        end(kept_shop, LAST)
    assert wanted(kept_shop) == {"purchases": 3, "items": 2}


# --- what cannot be told ----------------------------------------------------------------------------------------


def test_what_a_source_might_hold_that_is_not_believed_stays(kept_shop: Shop) -> None:
    kept_shop.execute("UPDATE shop.feed SET loaded_at = loaded_at - interval '31 hours'")
    end(kept_shop, LAST)
    assert wanted(kept_shop) == {"purchases": 6, "items": 4}
    assert {one["why"] for one in kept_shop.entries("undo_rows_kept_on")} == {"unknown"}
    kept_shop.execute("UPDATE shop.feed SET loaded_at = clock_timestamp()")
    end(kept_shop, LAST + 1)
    assert wanted(kept_shop) == {}


def test_rows_of_a_table_that_has_changed_stay(kept_shop: Shop) -> None:
    kept_shop.execute("ALTER TABLE shop.purchase ADD COLUMN colour text")
    end(kept_shop, LAST)
    assert wanted(kept_shop) == {"purchases": 6}
    kept_shop.execute("ALTER TABLE shop.purchase DROP COLUMN colour")
    end(kept_shop, LAST + 1)
    assert wanted(kept_shop) == {}


def test_a_lost_key_matters_only_where_a_hold_might_want_the_rows(kept_shop: Shop) -> None:
    (kept_shop.settings.undo_keys / "1-2024-03-09.key").unlink()
    kept_shop.hold("matter-2", subject_key="2", datasets=["items"])
    assert end(kept_shop, LAST).stuck == 1
    assert wanted(kept_shop) == {"items": 4}


def test_altered_rows_are_not_believed(kept_shop: Shop) -> None:
    kept_shop.hold("matter-2", subject_key="2")
    kept_shop.execute("UPDATE holdfast.undo_batch SET sealed = set_byte(sealed, 40, 255 - get_byte(sealed, 40))")
    assert end(kept_shop, LAST).stuck == len(kept_shop.scalars("SELECT 1 FROM holdfast.undo_batch"))
    assert key_files(kept_shop) == ["1-2024-03-09.key"]


# --- crashes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["undo.batch", "undo.destroyed"])
@pytest.mark.parametrize("is_held", [False, True])
def test_a_crash_is_healed_by_the_next_attempt(kept_shop: Shop, point: str, is_held: bool) -> None:
    if is_held:
        kept_shop.hold("matter-2", subject_key="2")
    with pytest.raises(Crash):
        end(kept_shop, LAST, once(point, crash))
    assert kept_shop.entries("undo_key_destroyed") == []
    end(kept_shop, LAST)
    assert wanted(kept_shop) == ({"purchases": 3, "items": 2} if is_held else {})
    assert key_files(kept_shop) == (["1-2024-03-10.key"] if is_held else [])
    (entry,) = kept_shop.entries("undo_key_destroyed")
    assert entry["rows"] + entry["kept_on"] == 10


def test_two_attempts_at_once_do_it_once(kept_shop: Shop) -> None:
    end(kept_shop, LAST, once("undo.batch", lambda: end(kept_shop, LAST)))
    assert len(kept_shop.entries("undo_key_destroyed")) == 1
    assert kept_shop.one("SELECT gone_rows FROM holdfast.undo_end") == 10


def test_keys_of_attempts_that_were_taken_back_go_on_their_day(shop: Shop) -> None:
    keys = Keys(shop.settings.undo_keys)
    keys.make_or_load(99, night(2).date())
    keys.make_or_load(99, night(9).date())
    end(shop, 3)
    assert key_files(shop) == ["99-2024-03-11.key"]

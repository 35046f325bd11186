"""What a source that is believed does to the register: hold by hold, and nothing that is the same is written again."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from tests.holdfast.holds.library import FINE, NOW, TODAY, Library

from holdfast.errors import HoldError, SettingsError
from holdfast.holds.trust import Status

TOMORROW = TODAY + dt.timedelta(days=1)


def test_a_hold_is_mirrored_with_what_the_policy_says_of_its_type(library: Library) -> None:
    state = library.refresh(run_id=1)["desk"]
    assert (state.status, state.read_holds, state.placed, state.changed, state.ended) == (Status.TRUSTED, 1, 1, 0, 0)
    assert (state.loaded_at, state.why) == (NOW - dt.timedelta(hours=2), None)
    hold = library.held()["fine-1"]
    assert (hold.source_id, hold.hold_type, hold.authority, hold.ground) == ("desk", "FINE", "billing", "contract")
    assert (hold.subject_key, hold.datasets, hold.record_key) == ("7", None, None)
    assert (hold.disclosable, hold.placed_by, hold.released_at) == (True, "source", None)
    assert hold.review_on == dt.date(2026, 9, 2)  # P6M after the day it was placed
    known = library.known()
    assert (known.status, known.read_holds, known.accepted_holds) == ("trusted", 1, 1)
    kind, facts = library.entries()[0]
    assert kind == "holds_refreshed"
    assert facts == {
        "source": "desk", "loaded_at": "2026-03-01T23:30:00+00:00", "holds": 1, "placed": 1, "changed": 0, "ended": 0,
    }  # fmt: skip
    assert [row.run_id for row in library.sql("SELECT run_id FROM holdfast.ledger_entry")] == [1, 1]


def test_every_kind_of_scope_is_mirrored(library: Library) -> None:
    scopes = {
        "everything": {"subject_key": None},
        "some-datasets": {"subject_key": None, "datasets": ["loans", "letters"]},
        "a-period": {"datasets": ["loans"], "period_from": dt.date(2026, 1, 1), "period_to": dt.date(2026, 2, 1)},
        "since": {"period_from": dt.date(2026, 1, 1)},
        "until": {"period_to": dt.date(2026, 2, 1)},
        "a-record": {"datasets": ["members"], "record_key": "7"},
        "ends": {"ends_on": TODAY},
        "reviewed": {"review_on": TOMORROW},
    }
    library.report(*({**FINE, **scope, "reference": name} for name, scope in scopes.items()))
    assert library.refresh()["desk"].placed == len(scopes)
    held = library.held()
    for name, scope in scopes.items():
        row = held[name]._mapping
        assert {column: row[column] for column in scope} == scope
    assert held["ends"].review_on is None  # it ends by itself
    assert held["reviewed"].review_on == TOMORROW


def test_what_is_the_same_is_not_written_again(library: Library) -> None:
    library.report(FINE, {**FINE, "reference": "fine-2", "ends_on": TOMORROW}, {**FINE, "reference": "fine-3"})
    library.refresh()
    before = library.held()
    state = library.refresh(now=NOW + dt.timedelta(hours=24), as_of=TOMORROW)["desk"]
    assert (state.read_holds, state.placed, state.changed, state.ended) == (3, 0, 0, 0)
    assert library.held() == before


@pytest.mark.parametrize(
    "change",
    [
        {"hold_type": "DAMAGE"},
        {"ground": "claims"},
        {"disclosable": False},
        {"subject_key": "8"},
        {"datasets": ["loans"]},
        {"datasets": ["members"], "record_key": "7"},
        {"period_from": TODAY},
        {"period_to": TODAY},
        {"ends_on": TOMORROW},
        {"review_on": TOMORROW},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_hold_that_changed_is_written_and_no_other(shared: Library, change: dict[str, object]) -> None:
    shared.restore()
    other = {**FINE, "reference": "fine-2"}
    shared.report(FINE, other)
    shared.refresh()
    before = shared.held()
    shared.report({**FINE, **change}, other)
    state = shared.refresh()["desk"]
    assert (state.placed, state.changed, state.ended) == (0, 1, 0)
    after = shared.held()
    assert after["fine-2"] == before["fine-2"]
    hold = after["fine-1"]
    assert {column: hold._mapping[column] for column in change} == change
    assert (hold.hold_id, hold.placed_at, hold.placed_xid) == (
        before["fine-1"].hold_id,
        before["fine-1"].placed_at,
        before["fine-1"].placed_xid,
    )
    assert int(hold.changed_xid) > int(before["fine-1"].changed_xid)


def test_a_day_of_review_stays_where_the_source_gives_none(library: Library) -> None:
    library.report({**FINE, "review_on": TOMORROW})
    library.refresh()
    library.report(FINE)
    assert library.refresh()["desk"].changed == 0
    assert library.held()["fine-1"].review_on == TOMORROW


def test_a_hold_that_is_reported_no_more_is_released_by_its_source(library: Library) -> None:
    library.report(FINE, {**FINE, "reference": "fine-2"})
    library.refresh()
    library.report(FINE)
    before = library.sql("SELECT clock_timestamp() AS at")[0].at
    state = library.refresh()["desk"]
    assert (state.placed, state.changed, state.ended) == (0, 0, 1)
    hold = library.held()["fine-2"]
    assert hold.released_at > before
    assert hold.released_by == "source"
    assert library.refresh()["desk"].ended == 0


@pytest.mark.parametrize(
    ("day", "review_on"), [(TODAY, dt.date(2026, 9, 2)), (TOMORROW, dt.date(2026, 9, 3))], ids=["the same day", "later"]
)
def test_a_hold_that_comes_back_is_placed_anew(library: Library, day: dt.date, review_on: dt.date) -> None:
    fine_2 = {**FINE, "reference": "fine-2"}
    library.report(FINE, fine_2)
    library.refresh()
    first = library.held()["fine-2"]
    library.report(FINE)
    library.refresh()
    library.report(FINE, fine_2)
    state = library.refresh(as_of=day)["desk"]
    assert (state.placed, state.changed, state.ended) == (1, 0, 0)
    again = library.held()["fine-2"]
    assert again.hold_id == first.hold_id
    assert (again.released_at, again.released_by) == (None, None)
    assert again.placed_at > first.placed_at
    assert int(again.placed_xid) > int(first.placed_xid)  # no plan made in between has counted it
    assert again.review_on == review_on


def test_one_source_never_touches_the_holds_of_another(library: Library) -> None:
    order = {**FINE, "hold_type": "ORDER", "reference": "fine-1"}
    library.report(order, {**order, "reference": "order-2"}, source="court")
    library.refresh()
    assert library.sql("SELECT count(*) AS n FROM holdfast.hold WHERE reference = 'fine-1'")[0].n == 2
    before = library.sql("SELECT ctid::text, * FROM holdfast.hold WHERE source_id = 'court' ORDER BY hold_id")
    library.report({**FINE, "reference": "fine-9"})
    library.refresh()
    assert library.sql("SELECT ctid::text, * FROM holdfast.hold WHERE source_id = 'court' ORDER BY hold_id") == before


def test_disclosure_is_only_ever_narrowed(library: Library) -> None:
    library.report(FINE, {**FINE, "reference": "fine-2", "disclosable": False})
    library.report({**FINE, "reference": "order-1", "hold_type": "ORDER", "disclosable": True}, source="court")
    library.refresh()
    assert {name: hold.disclosable for name, hold in library.held().items()} == {
        "fine-1": True,
        "fine-2": False,  # the source keeps it to itself
        "order-1": False,  # the policy says so
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"subject_key": " 007"}, {"subject_key": "7"}),
        ({"datasets": ["members"], "record_key": "+7"}, {"record_key": "7"}),
        (
            {"datasets": ["loans"], "record_key": "2026-01-02T03:04:05+01:00|A0EEBC999C0B4EF8BB6D6BB9BD380A11"},
            {"record_key": "2026-01-02 02:04:05+00|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
        ),
        ({"datasets": ["letters"], "record_key": "L-1   "}, {"record_key": "L-1"}),
        ({"datasets": ["letters"], "record_key": "L-123456789"}, {"record_key": "L-123456789"}),  # never cut short
    ],
    ids=["subject", "integer", "composite", "padded", "too long"],
)
def test_keys_are_kept_as_the_database_writes_them(
    shared: Library, given: dict[str, object], kept: dict[str, str]
) -> None:
    shared.restore()
    shared.report({**FINE, **given})
    assert shared.refresh()["desk"].status is Status.TRUSTED
    hold = shared.held()["fine-1"]
    assert {column: hold._mapping[column] for column in kept} == kept
    assert shared.refresh()["desk"].changed == 0


def test_a_query_may_end_in_a_semicolon_or_a_comment(shared: Library) -> None:
    shared.restore()
    text = shared.path("desk").read_text()
    for ending in (";\n", "\n-- that is all", "\n;  \n"):
        shared.write("desk", text.rstrip() + ending)
        assert shared.refresh()["desk"].why is None


def test_a_query_need_not_use_the_day(shared: Library) -> None:
    shared.restore()
    text = shared.path("desk").read_text().replace(":as_of", "'2026-03-02'").replace("as_of date", "none")
    shared.write("desk", text)
    assert shared.refresh()["desk"].status is Status.TRUSTED


def test_a_source_in_a_database_that_nobody_knows_stops_the_refresh(library: Library) -> None:
    elsewhere = library.policy.holds.sources["court"].model_copy(update={"connection": "mainframe"})
    with pytest.raises(SettingsError, match="the connection mainframe, and nothing says where"):
        _with_sources(library, court=elsewhere).refresh()
    assert library.entries() == []


def test_no_source_may_be_called_as_holds_placed_by_hand_are(library: Library) -> None:
    with pytest.raises(HoldError, match="A hold source is called manual"):
        _with_sources(library, manual=library.policy.holds.sources["desk"]).refresh()


def test_a_hold_that_a_new_policy_would_no_longer_see_stops_the_night(library: Library) -> None:
    library.report({**FINE, "reference": "order-1", "hold_type": "ORDER"}, source="court")
    library.refresh()
    holds = library.policy.holds
    types = {name: kind for name, kind in holds.types.items() if name != "ORDER"}
    sources = {name: source for name, source in holds.sources.items() if name != "court"}
    policy = library.policy.model_copy(update={"holds": holds.model_copy(update={"types": types, "sources": sources})})
    with pytest.raises(HoldError, match="of which no rule takes notice: 1 ORDER of court"):
        dataclasses.replace(library, policy=policy).refresh()
    library.sql("UPDATE holdfast.hold SET ends_on = :day WHERE hold_type = 'ORDER'", day=TODAY - dt.timedelta(days=1))
    dataclasses.replace(library, policy=policy).refresh()


@pytest.mark.parametrize("datasets", ["{gone}", "{members,gone}", "{suppliers}"])
def test_so_does_one_on_a_dataset_that_is_gone_or_takes_no_notice(library: Library, datasets: str) -> None:
    library.refresh()
    library.sql(
        "INSERT INTO holdfast.hold (source_id, reference, hold_type, authority, ground, disclosable, datasets,"
        " placed_at, placed_by)"
        " VALUES ('manual', 'm-1', 'DAMAGE', 'billing', 'x', true, cast(:d AS text[]), now(), 'x')",
        d=datasets,
    )
    with pytest.raises(HoldError, match="1 DAMAGE of manual"):
        library.refresh()
    library.sql("UPDATE holdfast.hold SET released_at = now() WHERE reference = 'm-1'")
    library.refresh()


def _with_sources(library: Library, **sources: object) -> Library:
    holds = library.policy.holds
    changed = holds.model_copy(update={"sources": {**holds.sources, **sources}})
    return dataclasses.replace(library, policy=library.policy.model_copy(update={"holds": changed}))

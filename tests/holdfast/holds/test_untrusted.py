"""Whatever is wrong with a source, it is not believed: the register stays as it was, and the ledger says why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.holds.library import FINE, FRESHNESS, NOW, QUERY, Library

from holdfast.holds import sources
from holdfast.holds.trust import Status

SECRET = "Ada-Lovelace"


@dataclass(frozen=True)
class Case:
    """What goes wrong, what comes of it, and words of what a person is told."""

    name: str
    spoil: Callable[[Library], object]
    status: Status
    reason: str
    told: str
    facts: dict[str, Any]


def replaced(name: str, old: str, new: str) -> Callable[[Library], object]:
    """Change one place of a query."""

    def spoil(library: Library) -> None:
        text = library.path(name).read_text()
        assert text.count(old) == 1
        library.write(name, text.replace(old, new))

    return spoil


def query(body: str) -> Callable[[Library], object]:
    """Another body, without parameters."""
    header = QUERY.format(source="desk").partition("SELECT")[0].replace("as_of date", "none")
    return lambda library: library.write("desk", header + body)


def freshness(body: str) -> Callable[[Library], object]:
    header = FRESHNESS.format(source="desk").partition("SELECT")[0]
    return lambda library: library.write("desk_freshness", header + body)


def reports(*holds: dict[str, Any]) -> Callable[[Library], object]:
    return lambda library: library.report(*holds)


def missing(name: str, query_name: str, table: str) -> Case:
    return Case(
        name,
        replaced(query_name, table, f"{table}_gone"),
        Status.MISSING,
        "table_missing",
        "UndefinedTable, SQLSTATE 42P01",
        {"error": "UndefinedTable", "sqlstate": "sqlstate-42P01"},
    )


def failed(name: str, spoil: Callable[[Library], object], error: str, code: str) -> Case:
    facts = {"error": error, "sqlstate": f"sqlstate-{code}"}
    return Case(name, spoil, Status.FAILED, "query_failed", f"{error}, SQLSTATE {code}", facts)


def misshapen(name: str, spoil: Callable[[Library], object], told: str) -> Case:
    return Case(name, spoil, Status.FAILED, "wrong_shape", told, {})


def malformed(fault: str, *holds: dict[str, Any], count: int = 1, name: str = "") -> Case:
    return Case(
        f"{fault} {name}".strip(),
        reports(FINE, *({"reference": f"fine-{i}", **hold} for i, hold in enumerate(holds, start=2))),
        Status.FAILED,
        "malformed_holds",
        f"recorded exactly: {count} x {fault}.",
        {"holds": len(holds) + 1, "faults": {fault: count}},
    )


def hold(**changes: Any) -> dict[str, Any]:
    """A sound hold but for these; its reference is given by whoever uses it."""
    return {**{key: value for key, value in FINE.items() if key != "reference"}, **changes}


CASES = [
    Case(
        "stale",
        lambda library: library.loaded(NOW - dt.timedelta(hours=30, seconds=1)),
        Status.STALE,
        "stale",
        "was last complete at 2026-02-28T19:29:59+00:00, which is more than 30 hours ago",
        {},
    ),
    Case("never", lambda library: library.loaded(None), Status.MISSING, "never_loaded", "never complete", {}),
    Case(
        "no row of freshness",
        lambda library: library.sql("DELETE FROM library.feed WHERE source_id = 'desk'"),
        Status.MISSING,
        "never_loaded",
        "never complete",
        {},
    ),
    Case(
        "another clock",
        lambda library: library.loaded(dt.datetime(2999, 1, 1, tzinfo=dt.UTC)),
        Status.FAILED,
        "loaded_in_future",
        "which has not come yet",
        {},
    ),
    Case(
        "no query",
        lambda library: library.path("desk").unlink(),
        Status.MISSING,
        "file_missing",
        "There is no sql/provider/holds/desk.sql.",
        {},
    ),
    Case(
        "no query of freshness",
        lambda library: library.path("desk_freshness").unlink(),
        Status.MISSING,
        "file_missing",
        "There is no sql/provider/holds/desk_freshness.sql.",
        {},
    ),
    missing("no table", "desk", "library.hold_feed"),
    missing("no table of freshness", "desk_freshness", "library.feed"),
    failed("no syntax", query("SELEKT reference FROM library.hold_feed"), "SyntaxError", "42601"),
    failed("no column", replaced("desk", "    reference,", "    referense,"), "UndefinedColumn", "42703"),
    failed(
        "an error that quotes a value",
        replaced("desk", "ground,", f"ground || cast('{SECRET}' AS integer) AS ground,"),
        "InvalidTextRepresentation",
        "22P02",
    ),
    failed(
        "an error in one row",
        replaced("desk", "    reference,", "    'f' || 1 / (length(reference) - 6) AS reference,"),
        "DivisionByZero",
        "22012",
    ),
    failed(
        "a query that would write",
        query(
            "WITH gone AS (DELETE FROM library.hold_feed RETURNING *) SELECT reference, hold_type, subject_key,"
            " datasets, record_key, period_from, period_to, ground, disclosable, ends_on, review_on FROM gone"
        ),
        "FeatureNotSupported",
        "0A000",
    ),
    Case(
        "an endless moment",
        freshness("SELECT cast('infinity' AS timestamptz) AS loaded_at"),
        Status.FAILED,
        "query_failed",
        "DataError, SQLSTATE None",
        {"error": "DataError", "sqlstate": "sqlstate-None"},
    ),
    misshapen(
        "a column missing", replaced("desk", " datasets,", ""), "desk.sql does not return what it must: datasets is"
    ),
    misshapen("a column more", replaced("desk", " ground,", " ground, 1 AS extra,"), "extra is not expected"),
    misshapen("a column twice", replaced("desk", " ground,", " ground, 'x' AS ground,"), "ground comes twice"),
    misshapen(
        "a number for text",
        replaced("desk", " subject_key,", " cast(subject_key AS bigint) AS subject_key,"),
        "subject_key is of the type int8 and must be text",
    ),
    misshapen(
        "text for an array",
        replaced("desk", " datasets,", " cast(datasets AS text) AS datasets,"),
        "datasets is of the type text and must be text[]",
    ),
    misshapen(
        "varchars for texts",
        replaced("desk", " datasets,", " cast(datasets AS varchar[]) AS datasets,"),
        "datasets is of the type varchar[] and must be text[]",
    ),
    misshapen(
        "a moment for a day",
        replaced("desk", " ends_on,", " cast(ends_on AS timestamptz) AS ends_on,"),
        "ends_on is of the type timestamptz and must be date",
    ),
    misshapen(
        "a type of its own",
        replaced("desk", " ground,", " cast(ROW(1, NULL) AS library.member) AS ground,"),
        "ground is of the type number",
    ),
    misshapen(
        "a moment without zone",
        freshness("SELECT cast('2026-03-02' AS timestamp) AS loaded_at"),
        "desk_freshness.sql does not return what it must: loaded_at is of the type timestamp and must be timestamptz",
    ),
    misshapen(
        "two moments", freshness("SELECT loaded_at FROM library.feed"), "desk_freshness.sql returns more than one row"
    ),
    misshapen(
        "a parameter that is not given",
        lambda library: (
            replaced("desk", "as_of date", "as_of date, zone text")(library),
            replaced("desk", "WHERE", "WHERE cast(:zone AS text) IS NOT NULL AND")(library),
        ),
        "asks for zone, which it is not given",
    ),
    misshapen(
        "a parameter of freshness",
        lambda library: (
            replaced("desk_freshness", "none\n-- returns", "as_of date\n-- returns")(library),
            replaced("desk_freshness", "WHERE", "WHERE cast(:as_of AS date) IS NOT NULL AND")(library),
        ),
        "asks for as_of, which it is not given",
    ),
    misshapen(
        "a parameter that is not declared",
        replaced("desk", "-- params:  as_of date", "-- params:  none"),
        "declares the parameters [] and uses ['as_of']",
    ),
    malformed("reference_repeated", hold(reference="fine-1"), hold(reference="fine-1"), count=3),
    malformed("reference_malformed", hold(reference=None), name="none"),
    malformed("reference_malformed", hold(reference=f"{SECRET} £9"), name="spaces"),
    malformed("reference_malformed", hold(reference="7"), name="digit"),
    malformed("reference_malformed", hold(reference="a" * 129), name="long"),
    malformed("reference_malformed", hold(reference="a\n"), name="line"),
    malformed("type_not_of_source", hold(hold_type=None), name="none"),
    malformed("type_not_of_source", hold(hold_type="WHIM"), name="unknown"),
    malformed("type_not_of_source", hold(hold_type="ORDER"), name="of another source"),
    malformed("ground_malformed", hold(ground=None), hold(ground="Because of Ada"), count=2),
    malformed("disclosable_missing", hold(disclosable=None)),
    malformed("dataset_unknown", hold(datasets=[]), name="empty"),
    malformed("dataset_unknown", hold(datasets=["members", "cats"]), name="unknown"),
    malformed("dataset_unknown", hold(datasets=["members", None]), name="none among them"),
    malformed("dataset_unknown", hold(datasets=[["members"], ["loans"]]), name="a table of them"),
    malformed("dataset_not_stopped", hold(subject_key=None, datasets=["suppliers"])),
    malformed("key_empty", hold(subject_key=""), hold(datasets=["letters"], record_key=""), count=2),
    malformed("record_of_no_single_dataset", hold(record_key="7"), name="none"),
    malformed("record_of_no_single_dataset", hold(record_key="7", datasets=["members", "letters"]), name="two"),
    malformed("record_of_no_single_dataset", hold(record_key="7", datasets=["members", "members"]), name="twice"),
    malformed("record_key_of_other_size", hold(record_key="2026-01-01", datasets=["loans"]), name="short"),
    malformed("record_key_of_other_size", hold(record_key="2026-01-01|x|y", datasets=["loans"]), name="long"),
    malformed("period_backwards", hold(period_from=dt.date(2026, 1, 2), period_to=dt.date(2026, 1, 2))),
    malformed("subject_key_unfit", hold(subject_key=SECRET), count=2, name="text"),
    malformed("subject_key_unfit", hold(subject_key="3000000000"), count=2, name="too large for one dataset"),
    malformed("record_key_unfit", hold(record_key=SECRET, datasets=["members"]), name="text"),
    malformed("record_key_unfit", hold(record_key="2026-02-30|x", datasets=["loans"]), name="no such day"),
    malformed(
        "record_key_unfit",
        hold(record_key="2026-01-01|x", datasets=["loans"]),
        hold(record_key="x", datasets=["members"]),
        hold(record_key="7", datasets=["members"]),
        count=3,
        name="of two datasets",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_source_that_is_not_right_is_not_believed(shared: Library, case: Case) -> None:
    shared.restore()
    assert shared.refresh()["desk"].status is Status.TRUSTED
    before, entries = shared.held(), len(shared.entries())
    case.spoil(shared)
    states = shared.refresh(run_id=1)
    state = states["desk"]
    assert (state.status, state.placed, state.changed, state.ended) == (case.status, 0, 0, 0)
    assert state.why is not None
    assert case.told in state.why
    assert "Fix: " in state.why
    assert SECRET not in state.why
    assert shared.held() == before
    known = shared.known()
    assert (known.status, known.read_holds, known.accepted_holds) == (case.status, case.facts.get("holds"), 1)
    (kind, facts), _ = shared.entries()[entries:]
    assert kind == "hold_source_untrusted"
    del facts["loaded_at"]
    assert facts == {"source": "desk", "status": case.status, "reason": case.reason, **case.facts}
    assert states["court"].status is Status.TRUSTED  # whatever another source does


def test_no_record_is_named_by_a_key_with_several_spellings(library: Library) -> None:
    """1 and 1.0 are one number and two texts, and a key of several columns is compared as text."""
    library.report({**FINE, "datasets": ["loans"], "record_key": "2026-01-02|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"})
    assert library.refresh()["desk"].status is Status.TRUSTED
    library.sql("ALTER TABLE library.loan ALTER COLUMN copy_id TYPE numeric USING 1")
    library.report({**FINE, "datasets": ["loans"], "record_key": "2026-01-02|1"})
    assert "recorded exactly: 1 x record_key_unfit." in str(library.refresh()["desk"].why)
    library.sql("ALTER TABLE library.letter ALTER COLUMN code TYPE numeric USING 1")
    library.report({**FINE, "datasets": ["letters"], "record_key": "1.0"})  # one column is compared as a number
    assert library.refresh()["desk"].status is Status.TRUSTED
    library.sql("DROP TABLE library.letter")
    assert "recorded exactly: 1 x record_key_unfit." in str(library.refresh()["desk"].why)


def test_a_subject_is_not_named_where_rows_are_about_nobody(shared: Library) -> None:
    shared.restore()
    order = {**FINE, "reference": "order-1", "hold_type": "ORDER", "datasets": ["suppliers"]}
    shared.report({**order, "subject_key": None}, source="court")
    assert shared.refresh()["court"].status is Status.TRUSTED
    shared.report(order, source="court")
    assert "recorded exactly: 1 x dataset_without_subject." in str(shared.refresh()["court"].why)
    shared.report({**order, "record_key": "5"}, source="court")  # the record is held, whoever it is about
    assert shared.refresh()["court"].status is Status.TRUSTED
    shared.report({**order, "subject_key": None}, source="court")
    shared.refresh()


@pytest.mark.parametrize("column", ["period_from", "period_to", "ends_on", "review_on"])
def test_days_without_end_or_before_our_era_are_refused(shared: Library, column: str) -> None:
    shared.restore()
    replaced("desk", "(ends_on IS NULL OR ends_on >= cast(:as_of AS date))", "cast(:as_of AS date) IS NOT NULL")(shared)
    for day in ("infinity", "-infinity", "0044-03-15 BC", "10000-01-01"):
        shared.report(FINE)
        shared.sql(f"UPDATE library.hold_feed SET {column} = '{day}'")
        state = shared.refresh()["desk"]
        assert "recorded exactly: 1 x day_out_of_range." in str(state.why), day


def test_a_source_that_hangs_stops_what_it_could_protect_and_not_the_night(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody loads it, or it waits for another system: nobody knows, and the other sources are asked all the same."""
    library.refresh()
    before = library.held()
    monkeypatch.setattr(sources, "PATIENCE", "300ms")
    with library.engine.connect() as loader:
        loader.execute(sa.text("LOCK TABLE library.hold_feed IN ACCESS EXCLUSIVE MODE"))
        states = library.refresh(run_id=1)
    assert {state.status for state in states.values()} == {Status.FAILED}
    assert library.held() == before
    facts = [facts for kind, facts in library.entries() if kind == "hold_source_untrusted"]
    assert [(one["reason"], one["sqlstate"]) for one in facts] == [("took_too_long", "sqlstate-57014")] * 2
    replaced("desk", "    reference,", "    reference || pg_sleep(60) AS reference,")(library)
    states = library.refresh(run_id=1)
    assert {name: state.status for name, state in states.items()} == {"desk": Status.FAILED, "court": Status.TRUSTED}

"""A source over several nights: when it fails, recovers, shrinks, or is empty."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.holds.library import FINE, NOW, Library

from holdfast.holds.trust import Status


def test_what_is_wrong_is_told_all_at_once(library: Library) -> None:
    library.report(FINE, {**FINE, "ground": None}, {**FINE, "reference": "fine-2", "hold_type": "WHIM"})
    assert "2 x reference_repeated, 1 x type_not_of_source, 1 x ground_malformed" in str(library.refresh()["desk"].why)


def test_a_source_that_was_never_believed_leaves_nothing_in_the_register(library: Library) -> None:
    library.path("desk").unlink()
    assert library.refresh()["desk"].status is Status.MISSING
    assert library.held() == {}
    assert library.known().accepted_holds is None


def test_a_source_is_believed_again_once_it_is_right(library: Library) -> None:
    library.refresh()
    library.loaded(None)
    library.refresh()
    library.loaded(NOW)
    library.report(FINE, {**FINE, "reference": "fine-2"})
    state = library.refresh()["desk"]
    assert (state.status, state.placed) == (Status.TRUSTED, 1)


def test_a_load_while_the_source_is_read_is_noticed(library: Library) -> None:
    library.sql(
        "CREATE FUNCTION library.reload() RETURNS boolean LANGUAGE sql VOLATILE AS"
        " $$ UPDATE library.feed SET loaded_at = loaded_at + interval '1 second' RETURNING true $$"
    )
    library.write("desk", library.path("desk").read_text().replace("WHERE", "WHERE library.reload() AND"))
    state = library.refresh()["desk"]
    assert (state.status, library.entries()[0][1]["reason"]) == (Status.FAILED, "loaded_while_read")
    assert library.held() == {}


def test_an_error_that_ends_the_connection_ends_the_refresh(library: Library) -> None:
    end = "WHERE pg_terminate_backend(pg_backend_pid()) AND"
    library.write("desk", library.path("desk").read_text().replace("WHERE", end))
    with pytest.raises(sa.exc.OperationalError):
        library.refresh()
    assert library.entries() == []
    assert library.sql("SELECT count(*) AS n FROM holdfast.hold_source")[0].n == 0  # never asked, so not believed


def test_a_hold_that_the_register_refuses_is_a_failure_and_quotes_nothing(library: Library) -> None:
    library.sql("ALTER TABLE holdfast.hold ADD CHECK (ground <> 'contract')")
    state = library.refresh()["desk"]
    assert state.status is Status.FAILED
    assert "CheckViolation, SQLSTATE 23514" in str(state.why)
    assert library.held() == {}


def many(count: int) -> list[dict[str, Any]]:
    return [{**FINE, "reference": f"fine-{i}"} for i in range(1, count + 1)]


def test_a_source_that_shrank_too_far_is_not_believed(library: Library) -> None:
    library.report(*many(10))
    library.refresh()
    library.report(*many(5))  # half: just within the bound
    assert library.refresh()["desk"].ended == 5
    before = library.held()
    library.report(*many(2))
    state = library.refresh()["desk"]
    assert (state.status, state.read_holds) == (Status.SHRUNK, 2)
    assert "had 5 holds when it was last believed and has 2 now" in str(state.why)
    assert library.held() == before
    assert library.entries()[-2][1] == {
        "source": "desk", "status": "shrunk", "reason": "shrunk", "holds": 2, "accepted": 5,
        "loaded_at": "2026-03-01T23:30:00+00:00",
    }  # fmt: skip
    library.refresh()  # asking again does not make the smaller number the usual one
    assert (library.known().read_holds, library.known().accepted_holds) == (2, 5)


def test_a_source_that_is_empty_when_yesterday_it_was_not_is_not_believed(library: Library) -> None:
    library.report({**FINE, "reference": "order-1", "hold_type": "ORDER"}, source="court")
    library.refresh()
    library.report(source="court")
    assert library.policy.holds.sources["court"].max_shrink == 1
    assert library.refresh()["court"].status is Status.SHRUNK
    assert library.held()["order-1"].released_at is None


def test_a_source_may_be_empty_from_the_beginning(library: Library) -> None:
    state = library.refresh()["court"]
    assert (state.status, state.read_holds) == (Status.TRUSTED, 0)
    assert library.refresh()["court"].status is Status.TRUSTED

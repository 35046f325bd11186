"""Whether a source is believed: fresh, not from the future, not loaded meanwhile, not shrunk."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import HoldSourceUntrusted, QueryError
from holdfast.holds import trust
from holdfast.policy.model import HoldSource

NOW = dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC)  # in the night that London's clocks go forward
TICK = dt.timedelta(microseconds=1)


def source(max_age_hours: int = 30, max_shrink: float = 0.5) -> HoldSource:
    return HoldSource.model_validate(
        {
            "authority": "billing",
            "types": ("FINE",),
            "max_age_hours": max_age_hours,
            "max_shrink": max_shrink,
            "owner": "desk",
        }
    )


def fresh(loaded_at: dt.datetime | None, *, clock: dt.datetime = NOW) -> dt.datetime:
    return trust.require_fresh("desk", source(), loaded_at, now=NOW, clock=clock)


@pytest.mark.parametrize("age", [dt.timedelta(0), dt.timedelta(hours=30), -trust.CLOCKS_DIFFER])
def test_up_to_its_bound_a_source_is_fresh(age: dt.timedelta) -> None:
    assert fresh(NOW - age) == NOW - age


@pytest.mark.parametrize(
    ("loaded_at", "reason"),
    [
        (None, "never_loaded"),
        (NOW - dt.timedelta(hours=30) - TICK, "stale"),
        (dt.datetime(1, 1, 1, tzinfo=dt.UTC), "stale"),
        (NOW + trust.CLOCKS_DIFFER + TICK, "loaded_in_future"),
        (dt.datetime(9999, 12, 31, tzinfo=dt.UTC), "loaded_in_future"),
    ],
)
def test_beyond_it_is_not(loaded_at: dt.datetime | None, reason: str) -> None:
    with pytest.raises(HoldSourceUntrusted, match="Hold source desk") as refused:
        fresh(loaded_at)
    assert refused.value.facts == {"reason": reason}


def test_a_run_for_an_earlier_moment_takes_what_was_loaded_since() -> None:
    later = NOW + dt.timedelta(hours=6)
    assert fresh(later, clock=later) == later


def test_a_source_that_was_loaded_meanwhile_may_have_shown_half_of_its_holds() -> None:
    trust.require_same_load("desk", NOW, NOW)
    for after in (NOW + TICK, None):
        with pytest.raises(HoldSourceUntrusted) as refused:
            trust.require_same_load("desk", NOW, after)
        assert refused.value.facts == {"reason": "loaded_while_read"}


@pytest.mark.parametrize(
    ("holds", "accepted", "max_shrink", "shrunk"),
    [
        (0, 0, 0.5, False),
        (0, 1, 0.5, True),
        (0, 1, 1.0, True),  # empty when yesterday was not
        (1, 1000, 1.0, False),
        (50, 100, 0.5, False),
        (49, 100, 0.5, True),
        (80, 100, 0.2, False),
        (79, 100, 0.2, True),
        (3, 10, 0.7, False),  # as binary fractions, 1 - 0.7 is a little more than 0.3
        (1, 10, 0.9, False),
        (100, 100, 0.0, False),
        (99, 100, 0.0, True),
        (200, 100, 0.0, False),
    ],
)
def test_the_shrink_bound(holds: int, accepted: int, max_shrink: float, shrunk: bool) -> None:
    assert trust.has_shrunk(holds, accepted, max_shrink) is shrunk


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 100))
def test_the_shrink_bound_is_the_share_in_hundredths(holds: int, accepted: int, percent: int) -> None:
    assert trust.has_shrunk(holds, accepted, percent / 100) is (100 * holds < (100 - percent) * accepted)


def test_an_accepted_number_is_exact() -> None:
    trust.require_not_shrunk("desk", source(), 3, 100, 3)
    for expected in (None, 2, 4):
        with pytest.raises(HoldSourceUntrusted) as refused:
            trust.require_not_shrunk("desk", source(), 3, 100, expected)
        assert refused.value.facts == {"reason": "shrunk", "holds": 3, "accepted": 100}


def test_a_database_error_is_told_by_type_and_code_alone() -> None:
    class UniqueViolation(Exception):
        sqlstate = "23505"

    error = sa.exc.IntegrityError("SELECT 1", {}, UniqueViolation("Key (name)=(Ada) already exists."))
    refusal = trust.refusal_for("desk", error)
    assert "UniqueViolation, SQLSTATE 23505" in str(refusal)
    assert "Ada" not in str(refusal)
    assert refusal.facts == {"reason": "query_failed", "error": "UniqueViolation", "sqlstate": "sqlstate-23505"}


def test_an_error_that_ended_the_connection_goes_on() -> None:
    error = sa.exc.OperationalError("SELECT 1", {}, Exception("gone"), connection_invalidated=True)
    with pytest.raises(sa.exc.OperationalError):
        trust.refusal_for("desk", error)


def test_a_wrong_query_is_told_with_its_fix() -> None:
    refusal = trust.refusal_for("desk", QueryError("sql/x.sql returns nothing.", fix="return something."))
    assert str(refusal) == "sql/x.sql returns nothing. Fix: return something."
    assert refusal.facts == {"reason": "wrong_shape"}


def test_no_reason_for_refusing_leads_to_trust() -> None:
    assert trust.Status.TRUSTED not in trust.STATUS_OF.values()

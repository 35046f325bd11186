"""The synthetic provider's own sources, through the same refresh as a real provider's."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from holdfast import clock, settings
from holdfast.holds import register, sources
from holdfast.holds.trust import Status
from holdfast.policy.load import load_policy
from holdfast.synthetic import provider

NOW = dt.datetime(2026, 9, 21, 0, 30, tzinfo=dt.UTC)


def test_every_source_of_the_provider_is_believed_until_it_grows_old(
    database: sa.Engine, tmp_path: Path, home: Path
) -> None:
    loaded = settings.load()
    assert loaded.home == home
    policy = load_policy(loaded.policy)
    provider.make(database, accounts=100, seed=1, as_of=NOW, objects=tmp_path / "objects")

    def refresh(hours: int) -> list[sources.SourceState]:
        now = NOW + dt.timedelta(hours=hours)
        day = clock.local_date(now, policy.schedule.time_zone)
        return sources.refresh(database, policy, loaded, now=now, as_of=day, run_id=None)

    first = refresh(0)
    assert [state.source_id for state in first] == list(policy.holds.sources)
    assert [state.why for state in first if state.status is not Status.TRUSTED] == []
    assert all(state.placed == state.read_holds and state.placed > 0 for state in first)
    with database.connect() as connection:
        holds = register.listed(connection, clock.local_date(NOW, policy.schedule.time_zone))
    filled = {hold_type for source in policy.holds.sources.values() for hold_type in source.types}
    assert {hold.hold_type for hold in holds} == filled
    assert all(hold.review_on is not None or hold.ends_on is not None for hold in holds)
    assert all(policy.holds.types[hold.hold_type].disclosable or not hold.disclosable for hold in holds)

    again = refresh(1)
    assert [(state.placed, state.changed, state.ended) for state in again] == [(0, 0, 0)] * len(again)

    old = refresh(31)
    assert {state.source_id: state.status for state in old} == {
        name: Status.TRUSTED if source.max_age_hours > 31 else Status.STALE
        for name, source in policy.holds.sources.items()
    }
    assert any(state.status is Status.STALE for state in old)
    with database.connect() as connection:
        assert len(register.listed(connection, clock.local_date(NOW, policy.schedule.time_zone))) == len(holds)

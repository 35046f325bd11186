"""The known answers: made by construction, they agree with the calendar and point at rows that exist."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from tests.holdfast.synthetic.tables import AS_OF

from holdfast import clock, settings
from holdfast.policy.load import load_policy
from holdfast.synthetic import provider

ZONE = "Europe/London"
NIGHTS = {
    "summer time": AS_OF,
    "leap day": dt.datetime(2028, 2, 29, 1, 30, tzinfo=ZoneInfo(ZONE)),
    "end of a long month": dt.datetime(2027, 3, 31, 1, 30, tzinfo=ZoneInfo(ZONE)),
    "first night of an accounting year": dt.datetime(2026, 4, 1, 1, 30, tzinfo=ZoneInfo(ZONE)),
    "clocks go back": dt.datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo(ZONE)),
}
STARTS = {
    "provider.login_event.occurred_at": "P12M",
    "provider.api_request_log.occurred_at": "P90D",
    "provider.call_recording.recorded_at": "P90D",
    "provider.identity_evidence.decided_at": "P90D",
    "provider.message.delivered_at": "P30D",
    "provider.emergency_address.ceased_at": "P30D",
    "provider.payment_method.last_used_at": "P13M",
    "provider.fraud_signal.detected_at": "P24M",
    "provider.support_ticket.closed_at": "P24M",
    "provider.suspension.case_closed_at": "P6Y",
    "provider.disclosure.disclosed_at": "P6Y",
}
UNDO_DAYS = {"provider.fraud_signal.detected_at": 7, "provider.support_ticket.closed_at": 7}
DUE = {"due", "due_yesterday_boundary", "hold_ended"}
NOT_DUE = {"last_kept_day", "not_due", "future_start", "held_LITIGATION"}
YEARLY = {"invoices", "payments", "refunds", "disputes"}


@pytest.mark.parametrize("night", NIGHTS)
def test_the_boundaries_are_those_of_the_calendar(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path: Path, night: str
) -> None:
    """The last due day and the first kept day, at the last and the first instant, are neighbours and on either side."""
    as_of = NIGHTS[night]
    today = clock.local_date(as_of, ZONE)
    with fresh_database() as engine:
        provider.make(engine, accounts=0, seed=1, as_of=as_of, objects=tmp_path)
        with engine.connect() as connection:
            for place, text in STARTS.items():
                table, column = place.rsplit(".", 1)
                starts = connection.execute(
                    sa.text(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
                ).scalars()
                days = sorted({clock.local_date(start, ZONE) for start in starts})
                acts_on = today + dt.timedelta(days=UNDO_DAYS.get(place, 0))
                due = [day for day in days if clock.is_due(day, clock.Period.parse(text), acts_on)]
                kept = [day for day in days if day not in due]
                assert kept[0] - due[-1] == dt.timedelta(days=1), (place, night)


def test_each_known_answer_is_about_a_row_that_exists(small: sa.Engine) -> None:
    data_map = load_policy(settings.load().policy).data_map
    with small.connect() as connection:
        known = connection.execute(sa.text("SELECT dataset, record_key FROM provider.synthetic_cohort")).all()
        for dataset in sorted({row.dataset for row in known}):
            mapped = data_map.datasets[dataset]
            key = ", ".join(f"{column}::text" for column in mapped.key)
            found = connection.execute(sa.text(f"SELECT concat_ws('|', {key}) FROM {mapped.table}")).scalars()
            assert {row.record_key for row in known if row.dataset == dataset} <= set(found), dataset


def test_each_dataset_has_its_telling_rows(small: sa.Engine) -> None:
    with small.connect() as connection:
        known = connection.execute(sa.text("SELECT dataset, cohort FROM provider.synthetic_cohort")).all()
    by_dataset: dict[str, set[str]] = {}
    for dataset, cohort in known:
        by_dataset.setdefault(dataset, set()).add(cohort)
    for dataset, cohorts in by_dataset.items():
        assert cohorts >= NOT_DUE, dataset
        # By September, what fell due on the first of April has long been deleted.
        assert cohorts & DUE == (set() if dataset in YEARLY else DUE), dataset
    assert len(by_dataset) == 25


def test_money_records_fall_due_on_the_first_of_april(database: sa.Engine, tmp_path: Path) -> None:
    night = NIGHTS["first night of an accounting year"]
    provider.make(database, accounts=0, seed=1, as_of=night, objects=tmp_path)
    with database.connect() as connection:
        days = connection.execute(
            sa.text(
                "SELECT cohort, issued_on FROM provider.synthetic_cohort JOIN provider.invoice"
                " ON invoice_id::text = record_key WHERE dataset = 'invoices'"
            )
        ).all()
    issued = {row.cohort: row.issued_on for row in days}
    assert issued["due_yesterday_boundary"] == dt.date(2020, 3, 31)
    assert issued["last_kept_day"] == dt.date(2020, 4, 1)
    assert issued["due"] < issued["due_yesterday_boundary"]


@pytest.mark.parametrize(
    ("backlog", "least", "most", "oldest_days"), [(False, 0.01, 0.04, 30), (True, 0.25, 0.35, 160)]
)
def test_a_provider_looks_kept_up_with_or_has_a_backlog(
    database: sa.Engine, tmp_path: Path, as_of: dt.datetime, backlog: bool, least: float, most: float, oldest_days: int
) -> None:
    provider.make(database, accounts=300, seed=1, as_of=as_of, objects=tmp_path, backlog=backlog)
    last_due = clock.last_due_start(clock.Period.parse("P12M"), clock.local_date(as_of, ZONE))
    until = clock.midnight(last_due + dt.timedelta(days=1), ZONE)
    with database.connect() as connection:
        for table, column in (("login_event", "occurred_at"), ("call_detail_record", "started_at")):
            share, oldest = connection.execute(
                sa.text(
                    f"SELECT avg(({column} < :until)::integer), min({column}) FROM provider.{table} "
                    "WHERE account_id > 1000"
                ),
                {"until": until},
            ).one()
            assert least < float(share) < most, table
            assert clock.local_date(oldest, ZONE) > last_due - dt.timedelta(days=oldest_days), table


def test_most_addresses_for_999_were_checked_within_the_year_and_some_never(
    database: sa.Engine, tmp_path: Path, as_of: dt.datetime
) -> None:
    provider.make(database, accounts=300, seed=1, as_of=as_of, objects=tmp_path)
    with database.connect() as connection:
        checked, overdue, never, early = connection.execute(
            sa.text(
                "SELECT count(*) FILTER (WHERE verified_at > :as_of - interval '365 days'),"
                " count(*) FILTER (WHERE verified_at <= :as_of - interval '365 days'),"
                " count(*) FILTER (WHERE verified_at IS NULL),"
                " count(*) FILTER (WHERE verified_at < registered_at OR verified_at > :as_of)"
                " FROM provider.emergency_address WHERE ceased_at IS NULL"
            ),
            {"as_of": as_of},
        ).one()
    assert checked / (checked + overdue + never) > 0.9
    assert overdue > 0
    assert never > 0
    assert early == 0

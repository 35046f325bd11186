"""An invented carrier that grows, night after night by a clock that can be set, and all five jobs over it.

What a night meets is decided beforehand: a feed that is late, a night that nobody ran, a worker that dies. The jobs'
steps are called as their DAGs call them, in this process and without Airflow.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import holidays
import sqlalchemy as sa
from dateutil.relativedelta import relativedelta
from tests.drills import virtual_clock

from holdfast import clock, database
from holdfast.deletion_requests import steps as requests
from holdfast.deletion_requests.intake import inbox_of
from holdfast.deletion_requests.register import UNANSWERED
from holdfast.emergency_data import steps as emergency
from holdfast.emergency_data.taking_in import Folders
from holdfast.errors import HoldfastError
from holdfast.retention import steps as retention
from holdfast.settings import Settings
from holdfast.suspension_statistics import steps as statistics
from holdfast.synthetic import provider

ACCOUNTS = 200
FIRST = dt.date(2026, 3, 16)
"""Easter, two bank holidays, a change of the clocks and the end of the company's year lie in the ninety nights."""
ZONE = "Europe/London"
HOURS = {statistics: "00:40", retention: "01:30", requests: "03:30", emergency: "05:00"}
DAY_SQL = (Path(__file__).parent / "carrier_days.sql").read_text(encoding="utf-8")
FREEZE_ON = 12  # the day of a month on which the one before has settled
_DEAD_AT = 25  # statements of its work that a worker lives for


class Died(BaseException):
    """A worker is gone; nothing handles that."""


@dataclass(frozen=True)
class Night:
    """What came of one night, and how much evidence there is after it (all that counts entries or bytes adds up).

    `debt` are rows past their period that are still there though no hold keeps them. `late_requests` are those that
    were not answered by their statutory day, reckoned here; `told_late` those that the report names (None: no report).
    """

    number: int
    day: dt.date
    events: frozenset[str]
    debt: int
    late_requests: int
    told_late: int | None
    red: tuple[str, ...]
    rows: int
    batches: int
    of_requests: int
    entries: int
    ledger_bytes: int
    report_bytes: int


@dataclass
class Carrier:
    """The carrier's database and folders, and the nights so far."""

    engine: sa.Engine
    settings: Settings
    nights: list[Night] = field(default_factory=list)
    told_late: int | None = None

    def open(self) -> None:
        """Make the provider as it was before the first night."""
        virtual_clock.install(self.engine)
        as_of = self._at(FIRST, "00:00")
        provider.make(self.engine, accounts=ACCOUNTS, seed=42, as_of=as_of, objects=self.settings.objects)

    def night(self, number: int, events: frozenset[str]) -> Night:
        """One day and the night after it. See EVENTS for what may happen."""
        day = FIRST + dt.timedelta(days=number)
        self._live_through(number, day, events)
        red: list[str] = []
        self.told_late = None
        if "nobody" not in events:
            self._run("statistics", red, lambda: self._facts(day))
            self._run("retention", red, lambda: self._delete(retention, day, "died" in events))
            self._run("requests", red, lambda: self._delete(requests, day, False))
            self._run("emergency", red, lambda: self._emergency(day))
        night = self._look(number, day, events, tuple(red))
        self.nights.append(night)
        return night

    # --- the day ---------------------------------------------------------------------------------------------------

    def _live_through(self, number: int, day: dt.date, events: frozenset[str]) -> None:
        evening = self._at(day, "00:00")
        volume = 100 + 2 * number
        days_in = 0 if "day is late" in events else 14
        with self.engine.begin() as connection:
            script = DAY_SQL.format(night=evening.isoformat(), volume=volume, number=number + 1, days_in=days_in)
            database.run_script(connection, script)
            late = (
                ["legal"]
                if "feed is late" in events
                else ["billing", "tax", "audit", "legal", "service"] * ("all feeds are late" in events)
            )
            connection.execute(
                sa.text("UPDATE provider.feed SET loaded_at = :at WHERE NOT feed_name = any(:late)"),
                {"at": evening, "late": late},
            )
            asking = connection.execute(sa.text(_ASKING), {"number": number}).scalars().all()
        self._write_requests(number, evening, asking)
        self._answer(evening)

    def _write_requests(self, number: int, at: dt.datetime, asking: list[str]) -> None:
        """What customers asked for that day, as another system drops it."""
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\r\n")
        lines.writerow(("reference", "channel", "received_at", "subject_key", "scope", "identity_confirmed_at"))
        for place, account in enumerate(asking):
            # One by post lay somewhere for four weeks: the cool-off, which begins when it was found, ends too late.
            by_post = place == 0 and number % 7 == 0
            found = at - dt.timedelta(days=1)
            received = found - dt.timedelta(days=27) if by_post else found
            moments = (one.isoformat(timespec="seconds") for one in (received, found))
            lines.writerow((f"web-{number}-{place}", "form", next(moments), account, "account", next(moments)))
        inbox = inbox_of(self.settings)
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / f"requests-{number:03d}.csv").write_text(text.getvalue(), encoding="utf-8", newline="")

    def _answer(self, at: dt.datetime) -> None:
        """The authority accepts whatever was delivered to it."""
        with self.engine.connect() as connection:
            unanswered = connection.execute(sa.text(_UNANSWERED)).all()
        for provider_id, sequence in unanswered:
            answer = f"RSP,1,{provider_id},{sequence},{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ},ACCEPTED\nEND,0\n"
            folder = Folders.below(self.settings.emergency).responses
            (folder / f"answer-{provider_id}-{sequence}.csv").write_text(answer)

    # --- the night -------------------------------------------------------------------------------------------------

    def _at(self, day: dt.date, hour: str) -> dt.datetime:
        return clock.midnight(day, ZONE) + dt.timedelta(hours=int(hour[:2]), minutes=int(hour[3:]))

    def _run(self, job: str, red: list[str], work: Callable[[], None]) -> None:
        """A job to its end, red or not. What is no error of ours ends the drill."""
        try:
            work()
        except HoldfastError as error:
            red.append(f"{job}: {type(error).__name__}")
        except Died:
            red.append(f"{job}: died")

    def _delete(self, steps: Any, day: dt.date, dies: bool) -> None:
        """One of the jobs that delete."""
        as_of = self._at(day, HOURS[steps])
        virtual_clock.set_to(self.engine, as_of)
        given = (self.engine, self.settings)
        run_id = steps.open_run(*given, as_of=as_of, dry_run=False)["run_id"]
        before = ["refresh_holds", "check_policy", "make_plan", "check_caps"]
        after = ["verify_run", "seal_run"]
        if steps is requests:
            before[2:2] = ["take_in_requests", "acknowledge_requests", "assess"]
            after[1:1] = ["settle_requests", "write_outcomes", "notify_recipients", "find_breaks"]
        told: Any = {}
        for name in before:
            told = getattr(steps, name)(*given, run_id=run_id)
        if told["exceeded"]:
            answer = {"plan_digest": told["plan_digest"], "decision": "approved", "decided_by": "dpo"}
            steps.record_approval(*given, run_id=run_id, **answer)
        with self._worker(_DEAD_AT if dies else None):
            for wave in (1, 2, 3, 4):
                for group in steps.list_shards(*given, run_id=run_id, wave=wave):
                    steps.enforce_shards(*given, **group)
        for name in after:
            getattr(steps, name)(*given, run_id=run_id)
        written: Any = steps.write_report(*given, run_id=run_id)
        self.told_late = written.get("overdue", self.told_late)
        steps.conclude(*given, run_id=run_id)

    def _facts(self, day: dt.date) -> None:
        virtual_clock.set_to(self.engine, self._at(day, HOURS[statistics]))
        given = (self.engine, self.settings)
        statistics.take_facts(*given)
        statistics.check_safeguards(*given)
        statistics.settled_days(*given)
        if day.day == FREEZE_ON:
            month = statistics.freeze_month(*given, month=None)["month"]
            statistics.reproduce_month(*given, month=month)
            statistics.write_report(*given, month=month)
        statistics.conclude_night(*given)

    def _emergency(self, day: dt.date) -> None:
        began = self._at(day, HOURS[emergency])
        virtual_clock.set_to(self.engine, began)
        given = (self.engine, self.settings)
        for name in ("read_responses", "read_calls", "make_extract", "prepare"):
            getattr(emergency, name)(*given)
        for one in emergency.list_providers(*given):
            emergency.work_through(*given, **one)
        waiting = emergency.find_waiting(*given)
        if waiting["waits"]:
            answer = {"decision": "approved", "decided_by": "dpo", "reason": "agreed-change"}
            emergency.record_approval(*given, digests=waiting["digests"], **answer)
            for one in emergency.list_providers(*given):
                emergency.work_through(*given, **one)
        for name in ("deliver_files", "reconcile", "write_report"):
            getattr(emergency, name)(*given)
        emergency.conclude(*given, since=began.isoformat())

    @contextmanager
    def _worker(self, dies_after: int | None) -> Iterator[None]:
        """Work that a worker does, which may die at one of its statements."""
        left = [dies_after or 0]

        def ran(*_: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Died

        sa.event.listen(self.engine, "before_cursor_execute", ran)
        try:
            yield
        finally:
            sa.event.remove(self.engine, "before_cursor_execute", ran)

    # --- the morning -----------------------------------------------------------------------------------------------

    def _look(self, number: int, day: dt.date, events: frozenset[str], red: tuple[str, ...]) -> Night:
        """What is left to do, counted by a rehearsal, and how much evidence there is by now."""
        virtual_clock.set_to(self.engine, self._at(day, "06:00"))
        debt = self._rehearse(self._at(day, "06:00"))
        with self.engine.connect() as connection:
            kept = connection.execute(sa.text(_EVIDENCE)).one()
            open_since = connection.execute(sa.text(_OPEN), {"open": list(UNANSWERED)}).scalars().all()
        late = sum(answer_by(clock.local_date(received, ZONE)) < day for received in open_since)
        reports = sum(path.stat().st_size for path in self.settings.reports.rglob("*") if path.is_file())
        return Night(number, day, events, debt, late, self.told_late, red, *kept, reports)

    def _rehearse(self, as_of: dt.datetime) -> int:
        """Rows past their period that are still there and that no hold keeps."""
        given = (self.engine, self.settings)
        run_id = retention.open_run(*given, as_of=as_of, dry_run=True)["run_id"]
        for name in ("refresh_holds", "check_policy", "make_plan"):
            getattr(retention, name)(*given, run_id=run_id)
        with self.engine.connect() as connection:
            return int(connection.execute(sa.text(_DEBT), {"run": run_id}).scalar_one())


def answer_by(received: dt.date) -> dt.date:
    """The statutory day: the same day of the next month, or its last; if nobody works then, the next working day."""
    day = received + relativedelta(months=1)
    while day.weekday() > 4 or day in _HOLIDAYS:
        day += dt.timedelta(days=1)
    return day


_ASKING = """
    SELECT cast(account_id AS text) FROM provider.account
    WHERE account_id > 1000 AND account_id % 90 = :number AND status <> 'closed' AND EXISTS (
        SELECT FROM provider.contact WHERE contact.account_id = account.account_id
    )
"""
_UNANSWERED = """
    SELECT provider, sequence FROM emergency.release
    WHERE delivered_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM emergency.response AS r WHERE r.provider = release.provider AND r.sequence = release.sequence
    )
"""
_DEBT = "SELECT coalesce(sum(due_rows + refused_rows), 0) FROM holdfast.plan_rule WHERE run_id = :run"
_OPEN = "SELECT received_at FROM holdfast.deletion_request WHERE state = any(:open)"
_HOLIDAYS = holidays.country_holidays("GB", subdiv="ENG")
_EVIDENCE = """
    SELECT
        coalesce(sum(cast(cast(entry AS jsonb) -> 'facts' ->> 'rows' AS bigint))
            FILTER (WHERE kind IN ('batch_deleted', 'batch_anonymised', 'partition_dropped')), 0) AS rows,
        count(*) FILTER (WHERE kind IN ('batch_deleted', 'batch_anonymised', 'partition_dropped')) AS batches,
        count(*) FILTER (WHERE kind ~ '^(request|letter|recipient|break)') AS of_requests,
        count(*) AS entries,
        coalesce(sum(length(entry)), 0) AS bytes
    FROM holdfast.ledger_entry
"""

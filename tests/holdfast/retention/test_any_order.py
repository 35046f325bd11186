"""Rows, holds, nights and crashes in any order: no held row is ever gone, and a finished night leaves nothing due.

What may go is worked out beside the database, from a dictionary of rows and one of holds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import FAT, NIGHT, WAVES, Crash, Shop, crash, once

from holdfast import clock, queries, settings
from holdfast import database as hf_database
from holdfast.clock import Period

EXAMPLES = int(os.environ.get("HOLDFAST_ANY_ORDER_EXAMPLES", "6"))
STEPS = int(os.environ.get("HOLDFAST_ANY_ORDER_STEPS", "14"))
TWO_YEARS, NINETY_DAYS = Period.parse("P2Y"), Period.parse("P90D")
MONTHS = {"visit_2023_10": "2023-10-09", "visit_2023_12": "2023-12-03", "visit_2024_02": "2024-02-10"}
POINTS = ("batch.fenced", "batch.unchecked", "batch.changed", "batch.recorded", "batch.committed",
          "partition.dropped", "shard.taken", "shard.finished")  # fmt: skip
Key = tuple[str, str]  # dataset, and the key as holds write it


@dataclass(frozen=True)
class Row:
    """A row as the model knows it: `start` of its period, `parent` of a line, and when it was added."""

    customer: int
    start: dt.date
    added: int
    parent: Key | None = None


@dataclass(frozen=True)
class Hold:
    """`subject`, `record` or, with neither, all purchases. `released` is the moment, None while it holds."""

    subject: int | None
    record: Key | None
    released: int | None = None


@dataclass
class Run:
    """Tonight's run: its day and the moment of its plan."""

    day: dt.date
    planned: int


@dataclass
class Model:
    """What ought to be there. `moment` counts everything that happens."""

    moment: int = 0
    rows: dict[Key, Row] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    gone: int = 0

    def may_go(self, key: Key, run: Run) -> bool:
        row = self.rows[key]
        period = NINETY_DAYS if key[0] == "visits" else TWO_YEARS
        lines_stay = any(one.parent == key and not self.may_go(other, run) for other, one in self.rows.items())
        return clock.is_due(row.start, period, run.day) and not self._is_held(key, run) and not lines_stay

    def _is_held(self, key: Key, run: Run) -> bool:
        return any(self._reaches(one, key) for one in self.holds.values() if self._counts(one, run))

    @staticmethod
    def _counts(hold: Hold, run: Run) -> bool:
        return hold.released is None or hold.released > run.planned

    def _reaches(self, hold: Hold, key: Key) -> bool:
        if hold.record is not None:
            return hold.record == key
        if hold.subject is not None:
            return hold.subject == self.rows[key].customer
        return key[0] == "purchases"


class AnyOrder(RuleBasedStateMachine):
    """The shop and its model, side by side."""

    def __init__(self, open_shop: Callable[[], AbstractContextManager[Shop]]) -> None:
        super().__init__()
        self._open = open_shop()
        self.shop = self._open.__enter__()
        self.model = Model()
        self.as_of = NIGHT
        self.run: Run | None = None
        self.is_sealed = False
        self.numbers = 0

    def teardown(self) -> None:
        self._open.__exit__(None, None, None)

    # --- what happens by day ----------------------------------------------------------------------------------

    @initialize(customers=st.lists(st.integers(1, 3), min_size=2, max_size=4))
    def stock_up(self, customers: list[int]) -> None:
        for customer in customers:
            self.add_purchases(customer, 740, 4, 1)
        for month in MONTHS:
            self.add_visits(1, month)

    @rule(customer=st.integers(1, 3), age=st.sampled_from((700, 729, 730, 731, 732, 740)), number=st.integers(1, 6),
          lines=st.integers(0, 2))  # fmt: skip
    def add_purchases(self, customer: int, age: int, number: int, lines: int) -> None:
        start = self.as_of.date() - dt.timedelta(days=age)
        ids = [self._next() for _ in range(number)]
        self.shop.purchases(ids, bought_on=str(start), customer_no=customer, note=FAT)
        row = Row(customer, start, self._moment())
        self.model.rows.update({("purchases", str(one)): row for one in ids})
        for line in range(lines):
            self.shop.add("item", {"purchase_id": ids[0], "line_no": line})
            parent = ("purchases", str(ids[0]))
            self.model.rows["items", f"{ids[0]}|{line}"] = dataclasses.replace(row, parent=parent)

    @rule(customer=st.integers(1, 3), month=st.sampled_from(tuple(MONTHS)))
    def add_visits(self, customer: int, month: str) -> None:
        if not self.shop.one("SELECT to_regclass(:name) IS NOT NULL", name=f"shop.{month}"):
            return  # its partition is gone
        number = self._next()
        self.shop.add("visit", {"visit_id": number, "customer_no": customer, "seen_at": f"{MONTHS[month]}T12:00:00Z"})
        start = dt.date.fromisoformat(MONTHS[month])
        self.model.rows["visits", str(number)] = Row(customer, start, self._moment())

    @rule(data=st.data(), scope=st.sampled_from(("subject", "record", "class")))
    def place_hold(self, data: st.DataObject, scope: str) -> None:
        reference = f"matter-{self._next()}"
        keys = sorted(key for key in self.model.rows if key[0] != "visits")
        if scope == "record" and keys:
            record = data.draw(st.sampled_from(keys))
            self.shop.hold(reference, datasets=[record[0]], record_key=record[1])
            self.model.holds[reference] = Hold(None, record)
        elif scope == "subject":
            subject = data.draw(st.integers(1, 3))
            self.shop.hold(reference, subject_key=str(subject))
            self.model.holds[reference] = Hold(subject, None)
        else:
            self.shop.hold(reference, datasets=["purchases"])
            self.model.holds[reference] = Hold(None, None)

    @precondition(lambda self: any(one.released is None for one in self.model.holds.values()))
    @rule(data=st.data())
    def release_hold(self, data: st.DataObject) -> None:
        held = sorted(name for name, one in self.model.holds.items() if one.released is None)
        reference = data.draw(st.sampled_from(held))
        self.shop.release(reference)
        self.model.holds[reference] = dataclasses.replace(self.model.holds[reference], released=self._moment())

    @rule(days=st.sampled_from((1, 1, 2, 30)))
    def let_days_pass(self, days: int) -> None:
        self.as_of += dt.timedelta(days=days)
        self.run, self.is_sealed = None, False

    # --- what happens by night --------------------------------------------------------------------------------

    @rule(point=st.sampled_from(POINTS), after=st.integers(0, 4))
    def crash_in_the_night(self, point: str, after: int) -> None:
        run_id = self._plan()
        reached = once(point, crash, after=after)
        try:
            for wave in WAVES:
                for shard in [] if self.is_sealed else self.shop.shards(run_id, wave):
                    self.shop.attempt(run_id, shard["shard_id"], reached)
        except Crash:
            pass
        self._take_away_what_is_gone()

    @rule()
    def finish_the_night(self) -> None:
        self._plan()
        self.shop.night(self.as_of)
        self._take_away_what_is_gone()
        run, was_sealed = self._tonight(), self.is_sealed
        self.is_sealed = True
        left = [key for key, row in self.model.rows.items() if row.added < run.planned and self.model.may_go(key, run)]
        assert was_sealed or left == [], "due rows are left after a finished night"
        assert self.shop.verify_ledger().verdict == "ok"

    @invariant()
    def ledger_accounts_for_every_row_that_is_gone(self) -> None:
        rules = ("purchases-2y", "items-2y", "visits-90d")
        assert sum(self.shop.rows_in_ledger(one) for one in rules) == self.model.gone

    @invariant()
    def every_row_of_the_model_is_there(self) -> None:
        assert self._present() == set(self.model.rows)

    def _plan(self) -> int:
        if self.run is None:
            self.run = Run(self.as_of.date(), self._moment())
        return self.shop.plan(self.as_of)

    def _tonight(self) -> Run:
        assert self.run is not None
        return self.run

    def _take_away_what_is_gone(self) -> None:
        present, run = self._present(), self._tonight()
        gone = [key for key in self.model.rows if key not in present]
        for key in gone:
            assert self.model.may_go(key, run), f"{key} was held or not due, and is gone"
        for key in gone:
            del self.model.rows[key]
        self.model.gone += len(gone)

    def _present(self) -> set[Key]:
        found = self.shop.scalars(
            "SELECT 'purchases ' || purchase_id FROM shop.purchase UNION ALL"
            " SELECT 'items ' || purchase_id || '|' || line_no FROM shop.item UNION ALL"
            " SELECT 'visits ' || visit_id FROM shop.visit"
        )
        return {(dataset, key) for dataset, _, key in (one.partition(" ") for one in found)}

    def _next(self) -> int:
        self.numbers += 1
        return self.numbers

    def _moment(self) -> int:
        self.model.moment += 1
        return self.model.moment


@pytest.mark.usefixtures("small_batches", "home")
def test_in_any_order_no_held_row_is_gone_and_no_due_row_is_left(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    shops.lay_out(tmp_path / "project")
    queries.query.cache_clear()
    homes = iter(range(1_000_000))

    @contextmanager
    def open_shop() -> Iterator[Shop]:
        with fresh_database() as engine:
            with engine.begin() as connection:
                hf_database.run_script(connection, shops.TABLES)
            ours = dataclasses.replace(settings.load(), home=tmp_path / f"home_{next(homes)}")
            shop = Shop(engine, ours)
            shop.set_policy()
            yield shop

    limits = hypothesis_settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a story of so few steps is read as it comes
    )
    run_state_machine_as_test(lambda: AnyOrder(open_shop), settings=limits)  # type: ignore[no-untyped-call]
    queries.query.cache_clear()

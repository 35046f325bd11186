"""Requests, holds, withdrawals, extensions, kills, nights and restores in any order, over real rows.

Whatever the order: no held row is ever gone, what is reported as held is there, the matrix adds up, every request is at
its end or says what it waits for, and a replay after a restore converges.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.holdfast.deletion_requests.desk import terms
from tests.holdfast.deletion_requests.two_worlds import HIDDEN, NAMED, Hold, Person, World, at, world
from tests.holdfast.retention.shop import NEW, NIGHT, WAVES, Crash, crash, once

from holdfast import database, queries
from holdfast.deletion_requests import lifecycle, night, steps
from holdfast.deletion_requests.register import Extension
from holdfast.deletion_requests.scope import Part
from holdfast.enforcement import execute
from holdfast.errors import RequestError

EXAMPLES = int(os.environ.get("HOLDFAST_ANY_ORDER_EXAMPLES", "4"))
STEPS = int(os.environ.get("HOLDFAST_ANY_ORDER_STEPS", "12"))
PEOPLE = (1, 2, 3)
DAY = dt.timedelta(days=1)
POINTS = ("shard.taken", "batch.fenced", "batch.changed", "batch.recorded", "batch.committed", "shard.finished")
SCOPES: dict[str, Callable[[int], tuple[Part, ...]]] = {
    "account": lambda _: (),
    "purchases": lambda _: (Part("purchases"), Part("items")),
    "record": lambda person: (Part("purchases", record_key=f"{person}00"),),
    "notes": lambda _: (Part(category="note"),),
}
TABLES = {"customers": "customer", "purchases": "purchase", "items": "item", "visits": "visit"}
KEYS = {
    "customers": "customer_no",
    "purchases": "purchase_id",
    "items": "purchase_id || '|' || line_no",
    "visits": "visit_id",
}
ABOUT = "(SELECT customer_no FROM shop.purchase p WHERE p.purchase_id = t.purchase_id)"
ASK = (
    "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at, state, withdraw_until)"
    " VALUES (:reference, 'form', :subject, :received, 'verified', :until) RETURNING request_id"
)
OPEN = ("verified", "assessed", "approved", "executing", "partly_completed")
Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """A row as it is: about whom, and all of it as text."""

    person: int
    text: str


class AnyOrder(RuleBasedStateMachine):
    """The shop, its requests and holds. `by_day` is the day of the next night."""

    def __init__(self, open_world: Callable[[], AbstractContextManager[World]]) -> None:
        super().__init__()
        self._exit = ExitStack()
        self.world = self._exit.enter_context(open_world())
        self.numbers = itertools.count(1)
        self.holds: dict[str, tuple[Hold, int | None]] = {}
        self.backup: dict[str, list[str]] | None = None
        self.backed_up_on = dt.date.min

    def teardown(self) -> None:
        self._exit.close()

    @initialize(purchases=st.lists(st.integers(1, 3), min_size=3, max_size=3))
    def stock_up(self, purchases: list[int]) -> None:
        for person, number in zip(PEOPLE, purchases, strict=True):
            self.world.add(Person(((NEW, 1), *[(NEW, 0)] * number), (NEW,)), person)

    # --- by day ------------------------------------------------------------------------------------------------------

    @rule(
        person=st.sampled_from(PEOPLE), scope=st.sampled_from(sorted(SCOPES)), cool_off=st.sampled_from((0, 0, 0, 1, 3))
    )
    def ask(self, person: int, scope: str, cool_off: int) -> None:
        reference = f"DR-{next(self.numbers)}"
        with self.world.shop.engine.begin() as connection:
            given = {"received": self._now - 9 * DAY, "until": self._now.date() + (cool_off - 1) * DAY}
            statement = sa.text(ASK)
            asked = {"reference": reference, "subject": str(person), **given}
            request_id = connection.execute(statement, asked).scalar_one()
            self.world.parts(connection, request_id, SCOPES[scope](person))
            address = "INSERT INTO holdfast.request_addressee VALUES (:request, 'p1:0', now(), NULL)"
            connection.execute(sa.text(address), {"request": request_id})

    @precondition(lambda self: self._open())
    @rule(data=st.data(), deed=st.sampled_from(("withdraw", "withdraw", "extend")))
    def change_of_mind(self, data: st.DataObject, deed: str) -> None:
        """A withdrawal or an extension of some open request; it is refused, or the register has it."""
        number, state, until = data.draw(st.sampled_from(self._open()))
        before = self._rows()
        with database.transaction(self.world.shop.engine) as connection:
            try:
                if deed == "withdraw":
                    lifecycle.withdraw(connection, terms(), number, by="clerk", at=self._now)
                else:
                    lifecycle.extend(
                        connection, terms(), number, Extension.COMPLEXITY, notified_at=self._now, by="clerk"
                    )
            except RequestError:
                return
        assert deed == "extend" or (state in OPEN[:3] and self._now.date() <= until)
        assert self._rows() == before

    @rule(
        person=st.sampled_from(PEOPLE),
        scope=st.sampled_from(("subject", "datasets", "purchase", "class")),
        hold_type=st.sampled_from((NAMED, HIDDEN)),
    )
    def place_hold(self, person: int, scope: str, hold_type: str) -> None:
        self._place(person, scope, hold_type)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release_hold(self, data: st.DataObject) -> None:
        reference = data.draw(st.sampled_from(sorted(self.holds)))
        self.world.release(self.holds.pop(reference)[0], reference)

    @rule()
    def back_up(self) -> None:
        self.backup = {
            name: self.world.shop.scalars(f"SELECT cast(to_jsonb(t) AS text) FROM shop.{table} AS t")
            for name, table in TABLES.items()
        }
        self.backed_up_on = dt.datetime.now(tz=dt.UTC).date()

    # --- by night ----------------------------------------------------------------------------------------------------

    @rule(
        person=st.sampled_from(PEOPLE),
        what=st.sampled_from(("nothing", "nothing", "crash", "hold")),
        point=st.sampled_from(POINTS),
        after=st.integers(0, 3),
    )
    def whole_night(self, person: int, what: str, point: str, after: int) -> None:
        """One night; a worker may be killed on its way, or a hold be placed while it works. It is gone on with then."""
        deeds = {"nothing": lambda: None, "crash": crash, "hold": lambda: self._place(person, "subject", NAMED)}
        self._night(once(point, deeds[what], after=after))

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore_and_replay(self) -> None:
        """The tables are as they were; what had been erased since and no hold keeps is gone again after a night."""
        assert self.backup is not None
        for name, table in TABLES.items():
            keys = "customer_no" if name == "customers" else None
            for text in self.backup[name]:
                row = f"jsonb_populate_record(cast(NULL AS shop.{table}), cast(:row AS jsonb))"
                if keys:
                    self.world.shop.execute(
                        f"UPDATE shop.customer AS t SET (full_name, email, phone) = (b.full_name, b.email, b.phone)"
                        f" FROM {row} AS b WHERE t.customer_no = b.customer_no",
                        row=text,
                    )
                else:
                    self.world.shop.execute(
                        f"INSERT INTO shop.{table} SELECT (b).* FROM {row} AS b ON CONFLICT DO NOTHING", row=text
                    )
        since = self.backed_up_on.isoformat()
        self._night(once("", crash), replay_since=since)
        came_back = "SELECT coalesce(sum(found_rows), 0) FROM holdfast.came_back WHERE run_id = :run"
        second = self._night(once("", crash), replay_since=since)
        assert self.world.shop.one(came_back, run=second) == 0, "a second replay finds something again"

    def _night(self, reached: Callable[[str], None], *, replay_since: str | None = None) -> int:
        engine, given = self.world.shop.engine, self.world.shop.settings
        as_of = self._now
        self.world.nights += 1
        run_id = int(str(steps.open_run(engine, given, as_of=as_of, dry_run=False)["run_id"]))
        steps.refresh_holds(engine, given, run_id=run_id)
        with database.transaction(engine) as connection:
            night.advance(connection, terms(), now=as_of, run_id=run_id)
        steps.replay_erasures(engine, given, run_id=run_id, replay_since=replay_since)
        steps.assess(engine, given, run_id=run_id)  # which refuses a matrix that does not add up
        steps.make_plan(engine, given, run_id=run_id)
        self.kept = self._held(self._rows())
        try:
            for wave in WAVES:
                for shard in self._shards(run_id, wave):
                    self.world.shop.attempt(run_id, shard, reached)
        except Crash:
            self._none_that_is_held_is_gone()
        for wave in WAVES:
            for group in steps.list_shards(engine, given, run_id=run_id, wave=wave):
                steps.enforce_shards(engine, given, **group)  # type: ignore[arg-type]
        self._none_that_is_held_is_gone()
        for step in (steps.verify_run, steps.settle_requests, steps.find_breaks, steps.seal_run, steps.conclude):
            step(engine, given, run_id=run_id)
        self._reported_as_held_is_there(run_id)
        self._every_request_is_at_its_end_or_says_what_it_waits_for(run_id)
        return run_id

    # --- what must be so ---------------------------------------------------------------------------------------------

    def _none_that_is_held_is_gone(self) -> None:
        there = self._rows()
        lost = {key: (row, there.get(key)) for key, row in self.kept.items() if there.get(key) != row}
        assert not lost, "a row that is held is gone or was changed"

    def _reported_as_held_is_there(self, run_id: int) -> None:
        found = self.world.rows(
            "SELECT request.subject_key, after.dataset, after.rows_held, after.rows_found"
            " FROM holdfast.request_after AS after INNER JOIN holdfast.deletion_request AS request USING (request_id)"
            f" WHERE after.run_id = {run_id}"
        )
        there = self._rows()
        held = self._held(there)
        for subject, dataset, rows_held, rows_found in found:
            of_person = [key for key, row in there.items() if key[0] == dataset and str(row.person) == subject]
            assert rows_held <= sum(key in held for key in of_person), (subject, dataset)
            assert rows_found <= len(of_person), (subject, dataset)

    def _every_request_is_at_its_end_or_says_what_it_waits_for(self, run_id: int) -> None:
        blocked = self.world.rows(
            f"SELECT request_id FROM holdfast.request_after WHERE run_id = {run_id}"
            " AND (decision <> 'not_held' OR rows_held + rows_exempt > 0)"
        )
        silent = [number for number, _, _ in self._open() if (number,) not in blocked]
        assert not silent, "open, and nothing says why"

    # --- what is there -----------------------------------------------------------------------------------------------

    @property
    def _now(self) -> dt.datetime:
        return NIGHT + self.world.nights * DAY

    def _open(self) -> list[tuple[int, str, dt.date]]:
        return self.world.rows(  # type: ignore[return-value]
            "SELECT request_id, state, withdraw_until FROM holdfast.deletion_request"
            " WHERE closed_at IS NULL ORDER BY request_id"
        )

    def _rows(self) -> dict[Key, Row]:
        found: dict[Key, Row] = {}
        for name, table in TABLES.items():
            about = ABOUT if name == "items" else "t.customer_no"
            for key, person, text in self.world.rows(
                f"SELECT cast({KEYS[name]} AS text), {about}, cast(t AS text) FROM shop.{table} AS t"
            ):
                found[name, str(key)] = Row(int(str(person)), str(text))
        return found

    def _held(self, rows: dict[Key, Row]) -> dict[Key, Row]:
        return {
            key: row for key, row in rows.items() if any(self._reaches(one, key, row) for one in self.holds.values())
        }

    def _reaches(self, placed: tuple[Hold, int | None], key: Key, row: Row) -> bool:
        hold, person = placed
        policy = self.world.shop.policy
        if not any(hold.hold_type in policy.holds_of(rule_id) for rule_id in policy.rules_for(key[0])):
            return False
        match hold.scope:
            case "subject":
                return row.person == person
            case "datasets":
                return row.person == person and key[0] == "purchases"
            case "purchase":
                return key == ("purchases", f"{person}00")
        return key[0] == "purchases"

    def _place(self, person: int, scope: Any, hold_type: str) -> None:
        reference, hold = f"matter-{next(self.numbers)}", Hold(hold_type, scope)
        self.world.hold(hold, reference, None if scope == "class" else person)
        self.holds[reference] = (hold, person)
        self.kept = self._held(self._rows())

    def _shards(self, run_id: int, wave: int) -> Iterator[int]:
        groups = steps.list_shards(self.world.shop.engine, self.world.shop.settings, run_id=run_id, wave=wave)
        for group in groups:
            yield from group["shard_ids"]  # type: ignore[misc]


def test_in_any_order_nothing_held_is_gone_and_every_request_comes_to_its_end(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 2)
    folders = (tmp_path / str(number) for number in itertools.count())

    @contextmanager
    def open_world() -> Iterator[World]:
        queries.query.cache_clear()
        with world(fresh_database, next(folders)) as one, at(one):
            yield one
        queries.query.cache_clear()

    limits = hypothesis_settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a story of so few steps is read as it comes
    )
    run_state_machine_as_test(lambda: AnyOrder(open_world), settings=limits)  # type: ignore[no-untyped-call]

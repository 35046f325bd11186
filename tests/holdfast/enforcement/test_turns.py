"""Two jobs that delete from the same tables, in turn and at once: neither mistakes the other's work for loss."""

from __future__ import annotations

import multiprocessing
import time

import pytest
import sqlalchemy as sa
from tests.holdfast.enforcement.test_erasure import ask, carry_out, plan
from tests.holdfast.retention.shop import FAT, NEW, TOMORROW, Document, Shop

from holdfast import database, queries, settings
from holdfast.enforcement import night, turns
from holdfast.errors import ApprovalRefused, ConservationError, RunRefused, TurnTaken
from holdfast.settings import Settings

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.0)


@pytest.fixture
def both(shop: Shop) -> Shop:
    """Seven purchases that the rule and a request want, seven for the request alone, and one for nobody."""
    shop.purchases(range(1, 8), note=FAT)
    shop.purchases(range(11, 18), bought_on=NEW, note=FAT)
    shop.purchases([21], bought_on=NEW, customer_no=2, note=FAT)
    ask(shop, "purchases")
    return shop


def test_a_plan_that_waited_while_the_other_job_worked_is_made_anew(both: Shop) -> None:
    retention = both.plan()
    requests = carry_out(both)
    assert both.planned(retention, "purchases-2y").due_rows == 7
    assert both.enforce(retention) == 0
    both.close(retention)
    assert both.planned(requests, "erase:purchases").due_rows == 14
    assert both.planned(retention, "purchases-2y").due_rows == 0
    assert both.rows_in_ledger("erase:purchases") == 14
    assert len(both.entries("plan_made")) == 3
    assert both.ids("purchase", "purchase_id") == {21}
    assert both.verify_ledger().verdict == "ok"


def test_and_so_is_a_plan_of_requests_after_what_goes_with_it_is_counted_anew(both: Shop) -> None:
    requests = plan(both)
    retention = both.night()
    counted: list[int] = []
    night.list_shards(both.engine, both.settings, run_id=requests, wave=1, recount=lambda: counted.append(1))
    both.enforce(requests)
    both.close(requests)
    assert counted == [1]
    assert both.planned(retention, "purchases-2y").due_rows == 7
    assert both.planned(requests, "erase:purchases").due_rows == 7
    assert both.ids("purchase", "purchase_id") == {21}


def test_while_one_is_at_work_the_other_waits_and_says_for_whom(both: Shop) -> None:
    retention, requests = both.plan(), plan(both)
    both.shards(retention, 1)
    with pytest.raises(TurnTaken, match=rf"Run {retention} of retention_nightly is deleting.*run {requests}"):
        both.shards(requests, 1)
    assert both.state(requests) == "planned"
    both.enforce(retention)
    with pytest.raises(TurnTaken):
        both.shards(requests, 1)
    both.close(retention)
    assert both.enforce(requests) == 7
    both.close(requests)


def test_a_run_that_was_left_unfinished_is_in_nobodys_way_once_the_next_night_replaces_it(both: Shop) -> None:
    both.shards(both.plan(), 1)
    requests = plan(both, TOMORROW)
    with pytest.raises(TurnTaken):
        both.shards(requests, 1)
    both.plan(TOMORROW)
    assert both.enforce(requests) == 14


def test_whoever_comes_after_a_verification_that_failed_is_refused_and_does_not_wait(both: Shop) -> None:
    retention, requests = both.plan(), plan(both)
    both.enforce(retention)
    both.execute("DELETE FROM shop.purchase WHERE purchase_id = 21")
    with pytest.raises(ConservationError):
        both.verify(retention)
    with pytest.raises(RunRefused, match=rf"verification of run {retention} of retention_nightly has failed"):
        both.shards(requests, 1)
    both.plan(TOMORROW)
    assert both.enforce(requests) == 7


def test_an_approval_is_for_its_plan_and_not_for_the_one_after_the_others_work(shop: Shop) -> None:
    def low(documents: dict[str, Document]) -> None:
        documents["retention_schedule"]["caps"]["rows"] = 3

    shop.set_policy(low)
    shop.purchases(range(1, 8), note=FAT)
    shop.purchases([11], customer_no=2, note=FAT)
    ask(shop, "purchases", subject=2)
    retention = shop.plan()
    shop.approve(retention)
    carry_out(shop)
    with pytest.raises(ApprovalRefused):
        shop.shards(retention, 1)
    shop.approve(retention)
    assert shop.enforce(retention) == 7
    shop.close(retention)


def test_an_approved_plan_that_the_others_work_left_as_it_was_is_carried_out(shop: Shop) -> None:
    def low(documents: dict[str, Document]) -> None:
        documents["retention_schedule"]["caps"]["rows"] = 3

    shop.set_policy(low)
    shop.purchases(range(1, 8), note=FAT)
    shop.purchases([11], bought_on=NEW, customer_no=2, note=FAT)
    ask(shop, "purchases", subject=2)
    retention = shop.plan()
    shop.approve(retention)
    carry_out(shop)
    assert shop.enforce(retention) == 7
    shop.close(retention)


def test_the_database_lets_no_two_runs_work_whatever_the_program_does(both: Shop) -> None:
    retention, requests = both.plan(), plan(both)
    both.shards(retention, 1)
    with pytest.raises(sa.exc.IntegrityError):
        both.execute("UPDATE holdfast.run SET state = 'executing' WHERE run_id = :run", run=requests)


def test_a_run_from_before_a_restore_is_no_reason_to_plan_anew(both: Shop) -> None:
    """A restored dump brings transaction numbers that this server has yet to reach."""
    carry_out(both)
    both.execute("UPDATE holdfast.run SET worked_xid = '9000000000'")
    retention = both.plan()
    both.enforce(retention)
    both.close(retention)


def work(url: str, given: Settings, run_id: int) -> None:
    """A night's work from its first shard to its seal, in a process of its own."""
    turns.PAUSE = 0.01
    shop = Shop(database.engine_for(url), given)
    assert settings.load() == given
    shop.enforce(run_id)
    shop.close(run_id)
    shop.engine.dispose()


@pytest.mark.parametrize("first", ["retention", "requests"])
def test_both_at_once_in_two_processes(shop: Shop, first: str) -> None:
    people, each = 40, 25
    shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(1, :n)", n=people)
    for day, offset in ((NEW, 0), ("2021-05-05", 10_000)):
        shop.execute(
            "INSERT INTO shop.purchase SELECT :offset + i, 1 + i % :n, :day, repeat('x', 1500)"
            " FROM generate_series(1, :rows) AS i",
            offset=offset,
            n=people,
            day=day,
            rows=people * each,
        )
    for subject in range(1, people // 2 + 1):
        ask(shop, "purchases", "items", subject=subject)
    shop.hold("matter-1", subject_key="1")
    runs = [shop.plan(), plan(shop)]
    jobs = [SPAWN.Process(target=work, args=(url_of(shop), shop.settings, run)) for run in runs]
    for job in jobs if first == "retention" else reversed(jobs):
        job.start()
    for job in jobs:
        job.join(120)
    assert [job.exitcode for job in jobs] == [0, 0]
    assert [shop.state(run) for run in runs] == ["sealed", "sealed"]
    # Half of the people asked; whoever did not keeps what is new, and the one under a hold keeps everything.
    assert shop.one("SELECT count(*) FROM shop.purchase WHERE customer_no = 1") == 2 * each
    assert shop.one("SELECT count(*) FROM shop.purchase") == 2 * each + people // 2 * each
    gone = shop.rows_in_ledger("purchases-2y") + shop.rows_in_ledger("erase:purchases")
    assert gone == (people - 1) * each + (people // 2 - 1) * each
    assert shop.entries("verification_failed") == []
    assert shop.verify_ledger().verdict == "ok"


def test_whoever_waits_for_the_turn_sees_what_was_done_meanwhile(shop: Shop) -> None:
    """A snapshot taken before the turn was had would not: the plan would look as if it still stood."""
    shop.purchases([1, 2])
    ask(shop, "purchases")
    retention, requests = shop.plan(), plan(shop)
    shop.enforce(retention)
    with database.transaction(shop.engine) as connection:
        queries.run(connection, "enforcement/lock_turn")
        waiting = SPAWN.Process(target=work, args=(url_of(shop), shop.settings, requests))
        waiting.start()
        until = time.monotonic() + 60
        while not shop.one("SELECT count(*) FROM pg_locks WHERE NOT granted") and time.monotonic() < until:
            time.sleep(0.05)
        shop.close(retention)
    waiting.join(60)
    assert waiting.exitcode == 0
    assert shop.planned(requests, "erase:purchases").due_rows == 0
    assert shop.state(requests) == "sealed"


def url_of(shop: Shop) -> str:
    return shop.engine.url.render_as_string(hide_password=False)

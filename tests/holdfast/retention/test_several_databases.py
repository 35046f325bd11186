"""One policy over two databases: each has its own plan, batches and ledger, and what holds in one holds in both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.chain import ARCHIVE, Chain, add_archive, away
from tests.holdfast.retention.shop import FAT, NEW, OLD, TOMORROW, Crash, Document, Shop, crash, once

from holdfast import embedded
from holdfast.errors import DatabaseRestored, HoldSourceUntrusted
from holdfast.evidence import reported
from holdfast.evidence.reported import Checked
from holdfast.evidence.verify import Verdict
from holdfast.holds import sources
from holdfast.retention import steps


@pytest.fixture
def admin_url(postgres_url_for: Callable[[str], str]) -> str:
    return postgres_url_for(embedded.ADMIN_DATABASE)


def sold(archive: Shop, ids: range, *, bought_on: str = OLD, customer_no: int = 1, note: str = "") -> None:
    values = {"customer_no": customer_no, "bought_on": bought_on, "note": note}
    archive.add("purchase", *({"purchase_id": one, **values} for one in ids))


def owes(shop: Shop, customer_no: int) -> None:
    shop.add("debt", {"reference": f"debt-{customer_no}", "customer_no": customer_no})


def test_each_database_is_worked_and_proven_by_itself(chain: Chain) -> None:
    chain.shop.purchases(range(1, 4))
    sold(chain.archive, range(1, 8))
    sold(chain.archive, range(8, 10), bought_on=NEW)
    for one in (chain.shop, chain.archive):
        one.night()
    assert chain.shop.ids("purchase", "purchase_id") == set()
    assert chain.archive.ids("purchase", "purchase_id") == {8, 9}
    assert chain.shop.rows_in_ledger("purchases-2y") == 3
    assert chain.archive.rows_in_ledger("old-purchases-2y") == 7
    assert chain.archive.rows_in_ledger("purchases-2y") == 0
    assert [one.verify_ledger().verdict for one in (chain.shop, chain.archive)] == [Verdict.OK, Verdict.OK]


def test_what_belongs_to_a_ledger_is_kept_apart_even_where_runs_have_the_same_number(chain: Chain) -> None:
    numbers = [one.night() for one in (chain.shop, chain.archive)]
    assert numbers == [1, 1]
    main, archive = (one.settings for one in (chain.shop, chain.archive))
    assert main.seals != archive.seals
    assert archive.seals == main.home / "databases" / ARCHIVE / "seals"
    assert main.ledger_key.read_text() != archive.ledger_key.read_text()
    assert main.pseudonym_key() == archive.pseudonym_key()
    written = [steps.write_report(one.engine, one.settings, run_id=1)["report"] for one in (chain.shop, chain.archive)]
    assert len(set(written)) == 2
    for one in (chain.shop, chain.archive):
        assert reported.check(one.engine, one.settings.reports) == Checked(1, (), (), ()), "each in its own ledger"


def test_a_hold_that_a_source_reports_in_one_database_keeps_rows_in_the_other(chain: Chain) -> None:
    owes(chain.shop, 7)
    sold(chain.archive, range(1, 4), customer_no=7)
    sold(chain.archive, range(4, 6), customer_no=8)
    chain.archive.night()
    assert chain.archive.ids("purchase", "purchase_id") == {1, 2, 3}
    assert chain.archive.planned(1, "old-purchases-2y").held_rows == 3


def test_a_source_may_be_in_the_further_database_and_hold_in_the_main_one(chain: Chain) -> None:
    set_source(chain, connection=ARCHIVE)
    owes(chain.archive, 7)
    chain.shop.purchases([1], customer_no=7)
    chain.shop.purchases([2], customer_no=8)
    chain.shop.night()
    assert chain.shop.ids("purchase", "purchase_id") == {1}


def test_more_holds_than_one_piece_of_copy_has_arrive_whole(chain: Chain) -> None:
    chain.shop.execute("INSERT INTO shop.debt SELECT 'debt-' || i, i FROM generate_series(1, 20000) AS i")
    chain.archive.plan()
    read = chain.archive.one("SELECT count(*) FROM holdfast.hold WHERE source_id = 'till' AND released_at IS NULL")
    assert read == 20_000


def test_a_source_that_is_not_believed_stops_what_it_could_protect_in_every_database(chain: Chain) -> None:
    chain.shop.execute("UPDATE shop.feed SET loaded_at = loaded_at - cast('40 hours' AS interval)")
    sold(chain.archive, range(1, 4))
    run_id = chain.archive.plan(chain.archive.one("SELECT clock_timestamp()"))
    assert chain.archive.planned(run_id, "old-purchases-2y").refused_rows == 3


def test_a_source_whose_database_is_away_is_not_believed_and_that_is_told(chain: Chain, admin_url: str) -> None:
    set_source(chain, connection=ARCHIVE)
    chain.shop.purchases([1])
    chain.shop.add("visit", {"visit_id": 1, "customer_no": 1, "seen_at": "2023-10-05T00:00:00Z"})
    with away(chain.archive.engine, admin_url):
        run_id = chain.shop.plan()
        chain.shop.enforce(run_id)
        chain.shop.verify(run_id)
        steps.seal_run(chain.shop.engine, chain.shop.settings, run_id=run_id)
        with pytest.raises(HoldSourceUntrusted, match="till are not believed; 1 rows"):
            steps.conclude(chain.shop.engine, chain.shop.settings, run_id=run_id)
    assert chain.shop.ids("purchase", "purchase_id") == {1}
    assert chain.shop.ids("visit", "visit_id") == set(), "no type of that source can stop the rule of visits"
    assert chain.shop.entries("hold_source_untrusted")[0]["reason"] == "database_unreachable"


def test_without_the_main_database_nothing_is_deleted_that_a_person_might_hold(chain: Chain, admin_url: str) -> None:
    sold(chain.archive, range(1, 4))
    with away(chain.shop.engine, admin_url):
        run_id = chain.archive.plan()
        assert chain.archive.enforce(run_id) == 0
    refused = chain.archive.one("SELECT refused_sources FROM holdfast.run WHERE run_id = :run", run=run_id)
    assert refused == [sources.BY_HAND, "till"]
    assert chain.archive.ids("purchase", "purchase_id") == {1, 2, 3}


def test_a_database_that_is_away_all_night_does_not_keep_the_other_from_its_work(chain: Chain, admin_url: str) -> None:
    chain.shop.purchases(range(1, 4))
    sold(chain.archive, range(1, 4))
    with away(chain.archive.engine, admin_url):
        chain.shop.night()
        with pytest.raises(sa.exc.OperationalError):
            chain.archive.night()
    assert chain.shop.ids("purchase", "purchase_id") == set()
    chain.archive.night(TOMORROW)
    assert chain.archive.ids("purchase", "purchase_id") == set()


def test_a_database_that_is_lost_between_plan_and_work_goes_on_where_it_was(chain: Chain, admin_url: str) -> None:
    chain.shop.purchases(range(1, 4))
    sold(chain.archive, range(1, 4))
    runs = [one.plan() for one in (chain.shop, chain.archive)]
    with away(chain.archive.engine, admin_url):
        with pytest.raises(sa.exc.OperationalError):
            chain.archive.enforce(runs[1])
        chain.shop.enforce(runs[0])
        chain.shop.close(runs[0])
    assert chain.archive.ids("purchase", "purchase_id") == {1, 2, 3}
    chain.archive.enforce(runs[1])
    chain.archive.close(runs[1])
    assert chain.archive.ids("purchase", "purchase_id") == set()
    assert chain.archive.verify_ledger().verdict is Verdict.OK


@pytest.mark.usefixtures("small_batches")
def test_a_worker_that_dies_amid_a_shard_of_one_database_leaves_the_other_alone(chain: Chain) -> None:
    chain.shop.purchases(range(1, 21), note=FAT)
    sold(chain.archive, range(1, 41), note=FAT)
    runs = [one.plan() for one in (chain.shop, chain.archive)]
    (shard,) = [one for wave in (1, 2) for one in chain.archive.shards(runs[1], wave)]
    with pytest.raises(Crash):
        chain.archive.attempt(runs[1], shard["shard_id"], once("batch.recorded", crash, after=2))
    left = len(chain.archive.ids("purchase", "purchase_id"))
    assert 0 < left < 40
    assert chain.archive.rows_in_ledger("old-purchases-2y") == 40 - left
    chain.shop.enforce(runs[0])
    chain.shop.close(runs[0])
    assert chain.shop.rows_in_ledger("purchases-2y") == 20
    chain.archive.enforce(runs[1])
    chain.archive.close(runs[1])
    assert chain.archive.rows_in_ledger("old-purchases-2y") == 40


def test_a_hold_by_hand_keeps_rows_in_both_until_it_is_released_in_both(chain: Chain) -> None:
    chain.shop.purchases([1], customer_no=7)
    sold(chain.archive, range(1, 2), customer_no=7)
    chain.hold("case-1", subject_key="7")
    for one in (chain.shop, chain.archive):
        one.night()
        assert one.ids("purchase", "purchase_id") == {1}
    chain.release("case-1")
    for one in (chain.shop, chain.archive):
        one.night(TOMORROW)
        assert one.ids("purchase", "purchase_id") == set()


def test_a_database_that_joins_later_learns_what_people_placed_before_its_first_night(chain: Chain) -> None:
    chain.shop.set_policy()
    chain.shop.hold("case-1", subject_key="7")
    chain.shop.set_policy(add_archive)
    sold(chain.archive, range(1, 3), customer_no=7)
    chain.archive.night()
    assert chain.archive.ids("purchase", "purchase_id") == {1, 2}


def test_a_hold_on_a_record_is_checked_by_the_database_that_has_it(chain: Chain) -> None:
    sold(chain.archive, range(1, 3))
    chain.hold("case-1", record_key="2", datasets=["old-purchases"])
    chain.archive.night()
    assert chain.archive.ids("purchase", "purchase_id") == {2}


def test_a_further_database_that_was_restored_runs_no_night_before_somebody_said_so(chain: Chain) -> None:
    chain.archive.night()
    with chain.archive.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("DELETE FROM holdfast.ledger_seal")
        connection.exec_driver_sql("DELETE FROM holdfast.ledger_checkpoint")
        connection.exec_driver_sql("DELETE FROM holdfast.ledger_entry")
        connection.exec_driver_sql("UPDATE holdfast.ledger_head SET seq = 0")
    with pytest.raises(DatabaseRestored):
        chain.archive.plan(TOMORROW)
    chain.shop.night(TOMORROW)


def set_source(chain: Chain, **changes: object) -> None:
    def edit(documents: dict[str, Document]) -> None:
        add_archive(documents)
        documents["holds"]["sources"]["till"].update(changes)

    chain.shop.set_policy(edit)

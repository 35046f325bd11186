"""The command line over two databases: what it covers, and what it must be told."""

from __future__ import annotations

from typing import Any

from tests.holdfast.enforcement.undo.window import TAKEN, with_window
from tests.holdfast.retention.chain import ARCHIVE, Chain, add_archive
from tests.holdfast.retention.shop import OLD, Document
from typer.testing import CliRunner

from holdfast.cli import app


def run(*arguments: str, code: int = 0) -> str:
    result: Any = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == code, result.output
    return str(result.output)


def test_every_ledger_is_verified_and_the_worst_decides(chain: Chain) -> None:
    for one in (chain.shop, chain.archive):
        one.night()
    told = run("ledger", "verify")
    assert "holdfast: OK" in told
    assert "archive: OK" in told
    with chain.archive.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE holdfast.ledger_entry SET entry = replace(entry, 'enforce', 'another')")
    told = run("ledger", "verify", code=1)
    assert "holdfast: OK" in told
    assert "archive: INVALID" in told


def test_a_hold_is_placed_and_released_in_both_by_one_command(chain: Chain) -> None:
    chain.archive.add("purchase", {"purchase_id": 1, "customer_no": 7, "bought_on": OLD})
    run("hold", "place", "COURT", "case-1", "--subject", "7", "--by", "anna")
    for one in (chain.shop, chain.archive):
        assert one.one("SELECT count(*) FROM holdfast.hold WHERE released_at IS NULL") == 1
    run("hold", "release", "case-1", "--reason", "ended", "--by", "anna")
    for one in (chain.shop, chain.archive):
        assert one.one("SELECT count(*) FROM holdfast.hold WHERE released_at IS NULL") == 0


def test_sources_are_asked_and_shown_for_each_database(chain: Chain) -> None:
    run("hold", "refresh")
    rows = [line.split() for line in run("hold", "sources").splitlines()]
    assert [row[:3] for row in rows if row and row[0] in ("holdfast", ARCHIVE)] == [
        ["holdfast", "till", "trusted"],
        [ARCHIVE, "till", "trusted"],
        [ARCHIVE, "manual", "trusted"],
    ]


def test_the_policy_is_checked_against_every_database(chain: Chain) -> None:
    assert "no problem found" in run("policy", "check")
    chain.archive.execute("CREATE TABLE shop.forgotten (name text)")
    told = run("policy", "check", code=1)
    assert "shop.forgotten of the connection archive is neither a dataset nor exempt" in told


def test_evidence_is_of_one_ledger_which_is_named(chain: Chain, tmp_path: Any) -> None:
    run_id = str(chain.archive.night())
    run("evidence", "pack", str(tmp_path / "pack.zip"), "--run", run_id, "--database", ARCHIVE)
    assert (tmp_path / "pack.zip").exists()
    assert "run_sealed" in run("ledger", "list", run_id, "--database", ARCHIVE)
    run("ledger", "list", run_id, code=1)
    assert "name one of holdfast, archive" in run("ledger", "list", "1", "--database", "attic", code=1)


def test_a_record_is_explained_in_the_database_that_has_it(chain: Chain) -> None:
    chain.archive.add("purchase", {"purchase_id": 5, "customer_no": 7, "bought_on": OLD})
    run("hold", "refresh")
    assert "the next run deletes it" in run("retention", "explain", "old-purchases", "5")
    run("retention", "explain", "purchases", "5", code=1)


def test_rows_come_back_in_the_database_that_is_named_and_only_by_answers_given_for_it(chain: Chain) -> None:
    def with_windows(documents: dict[str, Document]) -> None:
        with_window(documents)
        add_archive(documents)

    chain.shop.set_policy(with_windows)
    chain.shop.purchases([1], bought_on=TAKEN)
    chain.archive.add("purchase", {"purchase_id": 5, "customer_no": 7, "bought_on": TAKEN})
    for one in (chain.shop, chain.archive):
        assert one.night() == 1
    there = ("--run", "1", "--database", ARCHIVE)
    asked = run("retention", "restore", *there, "--by", "carla", code=1)
    assert "1 of old-purchases" in asked
    assert f"approve-restore --run 1 --database {ARCHIVE}" in asked
    for_main = CliRunner().invoke(app, ["retention", "approve-restore", "--run", "1", "--by", "anna"])
    assert "Nobody has asked" in for_main.output, "the main database has a run of that number as well"
    for approver in ("anna", "7"):
        run("retention", "approve-restore", *there, "--by", approver)
    told = run("retention", "restore", *there, "--by", "carla", "--even-unheld")
    assert "1 rows of old-purchases are back, as they were." in told
    assert chain.archive.ids("purchase", "purchase_id") == {5}
    assert chain.shop.ids("purchase", "purchase_id") == set()
    assert len(chain.archive.entries("undo_restored")) == 1
    assert chain.shop.entries("undo_restore_asked", "undo_restored") == []
    run("retention", "restore", "--run", "1", "--database", "attic", "--by", "carla", code=1)

"""A hold is acknowledged once every database has it, and what the main register shows is in force in each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from tests.holdfast.retention import chain as chains
from tests.holdfast.retention.chain import ARCHIVE, Chain, away
from tests.holdfast.retention.shop import Shop

from holdfast import embedded, settings
from holdfast.errors import DatabaseUnreachable, HoldError
from holdfast.holds import everywhere, sources
from holdfast.holds.register import ReleaseReason
from holdfast.retention import presence


def in_force(shop: Shop) -> list[str]:
    return shop.scalars("SELECT reference FROM holdfast.hold WHERE released_at IS NULL ORDER BY reference")


@contextmanager
def lost_at_commit(shop: Shop) -> Iterator[None]:
    """Whoever commits there has lost the server."""

    def lose(connection: sa.Connection) -> None:
        connection.connection.driver_connection.close()  # type: ignore[union-attr]

    sa.event.listen(shop.engine, "commit", lose)
    try:
        yield
    finally:
        sa.event.remove(shop.engine, "commit", lose)
        shop.engine.dispose()


def test_every_register_has_the_hold_and_every_ledger_says_so(chain: Chain) -> None:
    number = chain.hold("case-1", subject_key="7")
    for shop in (chain.shop, chain.archive):
        assert in_force(shop) == ["case-1"]
        assert len(shop.entries("hold_placed")) == 1
    assert chain.shop.one("SELECT hold_id FROM holdfast.hold") == number


def test_a_database_that_is_away_gets_no_hold_placed_anywhere(
    chain: Chain, postgres_url_for: Callable[[str], str]
) -> None:
    with (
        away(chain.archive.engine, postgres_url_for(embedded.ADMIN_DATABASE)),
        pytest.raises(DatabaseUnreachable, match="does not answer"),
    ):
        everywhere.engines(chain.shop.settings, chain.policy)
    assert in_force(chain.shop) == []


def test_a_hold_that_one_database_would_not_take_is_in_none(chain: Chain) -> None:
    with pytest.raises(HoldError, match="does not fit the column"):
        chain.hold("case-1", record_key="no number", datasets=["old-purchases"])
    assert in_force(chain.shop) == in_force(chain.archive) == []


def test_a_hold_that_the_main_register_did_not_get_is_not_acknowledged_and_the_same_command_completes_it(
    chain: Chain,
) -> None:
    with lost_at_commit(chain.shop), pytest.raises(DatabaseUnreachable, match="not in force: 1 of 2 databases have it"):
        chain.hold("case-1", subject_key="7")
    assert (in_force(chain.shop), in_force(chain.archive)) == ([], ["case-1"])
    chain.hold("case-1", subject_key="7")
    assert in_force(chain.shop) == in_force(chain.archive) == ["case-1"]
    assert len(chain.archive.entries("hold_placed")) == 1
    with pytest.raises(HoldError, match="under the reference case-1 before"):
        chain.hold("case-1", subject_key="7")


def test_another_hold_under_a_reference_that_one_database_has_is_refused(chain: Chain) -> None:
    with lost_at_commit(chain.shop), pytest.raises(DatabaseUnreachable):
        chain.hold("case-1", subject_key="7")
    with pytest.raises(HoldError, match="under the reference case-1 before"):
        chain.hold("case-1", subject_key="8")
    assert in_force(chain.shop) == []


def test_a_night_does_not_end_what_is_just_being_placed(chain: Chain) -> None:
    """The main register gets a hold last: a night in between must not take it for one that was released."""
    with lost_at_commit(chain.shop), pytest.raises(DatabaseUnreachable):
        chain.hold("case-1", subject_key="7")
    chain.archive.plan()
    assert in_force(chain.archive) == ["case-1"]


def test_a_release_that_one_database_did_not_get_is_told_and_the_same_command_completes_it(chain: Chain) -> None:
    chain.hold("case-1", subject_key="7")
    with lost_at_commit(chain.archive), pytest.raises(DatabaseUnreachable, match="released in part"):
        chain.release("case-1")
    assert (in_force(chain.shop), in_force(chain.archive)) == ([], ["case-1"])
    chain.release("case-1")
    assert in_force(chain.archive) == []
    with pytest.raises(HoldError, match="is released already"):
        chain.release("case-1")


def test_a_number_names_the_main_registers_hold_whatever_number_another_gave_it(chain: Chain) -> None:
    chain.shop.hold("old-case", subject_key="1")
    number = chain.hold("case-1", subject_key="7")
    assert number != chain.archive.one("SELECT hold_id FROM holdfast.hold")
    everywhere.release(chain.engines, chain.policy, number, released_by="anna", reason=ReleaseReason.ENDED)
    assert (in_force(chain.shop), in_force(chain.archive)) == (["old-case"], [])


def test_a_subject_is_there_if_any_database_knows_it(chain: Chain) -> None:
    chain.archive.add("purchase", {"purchase_id": 1, "customer_no": 7, "bought_on": "2021-05-05"})
    for subject, fits in (("7", True), ("8", False)):
        scope = presence.Scope(subject, None, None, None, None)
        if fits:
            presence.require(chain.engines, chain.policy, "COURT", scope)
        else:
            with pytest.raises(HoldError, match="no such subject"):
                presence.require(chain.engines, chain.policy, "COURT", scope)


def test_a_smaller_source_is_accepted_wherever_it_was_refused(chain: Chain) -> None:
    def edit(documents: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
        chains.add_archive(documents)
        documents["holds"]["sources"]["till"]["max_shrink"] = 0.1

    chain.shop.set_policy(edit)
    chain.shop.execute("INSERT INTO shop.debt SELECT 'debt-' || i, i FROM generate_series(1, 10) AS i")
    for shop in (chain.shop, chain.archive):
        shop.plan()
    chain.shop.execute("DELETE FROM shop.debt WHERE customer_no > 2")
    for shop in (chain.shop, chain.archive):
        assert refreshed(chain, shop) == "shrunk"
    everywhere.accept_shrink(chain.engines, "till", 2, "anna")
    for shop in (chain.shop, chain.archive):
        assert refreshed(chain, shop) == "trusted"
    with pytest.raises(HoldError, match="was not refused"):
        everywhere.accept_shrink(chain.engines, "till", 2, "anna")


def refreshed(chain: Chain, shop: Shop) -> str:
    now = shop.one("SELECT clock_timestamp()")
    asked = {"now": now, "as_of": now.date(), "run_id": None}
    states = sources.refresh(shop.engine, chain.policy, shop.settings, **asked)
    return next(str(one.status) for one in states if one.source_id == "till")


def test_the_shop_of_one_database_is_asked_nothing_about_others(chain: Chain) -> None:
    chain.shop.set_policy()
    assert list(everywhere.engines(chain.shop.settings, chain.policy)) == [settings.MAIN]
    assert ARCHIVE not in chain.policy.data_map.databases

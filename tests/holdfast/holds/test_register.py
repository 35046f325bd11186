"""Holds that people place and release, sources that people accept, and what the register tells."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.holds.library import FINE, TODAY, Library

from holdfast import clock, database
from holdfast.clock import Period
from holdfast.errors import HoldError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds import register
from holdfast.holds.register import HoldCount, ReleaseReason
from holdfast.holds.trust import Status

ORDER: dict[str, Any] = {"hold_type": "ORDER", "reference": "case-1", "placed_by": "clerk"}


def place(library: Library, **given: Any) -> int:
    with database.transaction(library.engine) as connection:
        return register.place(connection, library.policy, **{**ORDER, **given})


def release(library: Library, hold: int | str, reason: ReleaseReason = ReleaseReason.ENDED) -> int:
    with database.transaction(library.engine) as connection:
        return register.release(connection, library.policy, hold, released_by="clerk", reason=reason)


def today(library: Library) -> dt.date:
    """The library's day by the database's clock."""
    return clock.local_date(library.sql("SELECT clock_timestamp() AS at")[0].at, "Europe/London")


def test_a_hold_placed_by_hand_holds_until_it_is_released(library: Library) -> None:
    before = library.sql("SELECT clock_timestamp() AS at")[0].at
    number = place(library, subject_key="7")
    hold = library.held()["case-1"]
    assert (hold.hold_id, hold.source_id, hold.hold_type, hold.authority) == (number, "manual", "ORDER", "legal")
    assert (hold.disclosable, hold.ground, hold.placed_by) == (False, "as-in-policy", "clerk")
    assert hold.placed_at > before
    assert hold.review_on == Period.parse("P6M").after(today(library))
    assert release(library, number) == number
    released = library.held()["case-1"]
    assert released.released_at > hold.placed_at
    assert released.released_by == "clerk"
    assert int(released.changed_xid) > int(hold.changed_xid)
    assert released.placed_xid == hold.placed_xid


def test_the_ledger_knows_subject_and_people_by_pseudonym_alone(library: Library) -> None:
    number = place(library, subject_key=" 0070001 ")
    release(library, "case-1", ReleaseReason.WITHDRAWN)
    key = library.settings.pseudonym_key()
    subject, clerk = pseudonym(key, "subject", "70001"), pseudonym(key, "staff", "clerk")
    assert library.entries() == [
        ("hold_placed", {
            "hold": number, "type": "ORDER", "authority": "legal", "scope": "subject", "period": False,
            "subject": subject, "by": clerk,
        }),
        ("hold_released", {
            "hold": number, "type": "ORDER", "authority": "legal", "reason": "withdrawn", "by": clerk,
        }),
    ]  # fmt: skip
    texts = " ".join(row.entry for row in library.sql("SELECT entry FROM holdfast.ledger_entry"))
    assert "70001" not in texts
    assert '"clerk' not in texts


@pytest.mark.parametrize(
    ("scope", "kind"),
    [
        ({}, "everything"),
        ({"datasets": ["loans", "letters"]}, "datasets"),
        ({"subject_key": "7"}, "subject"),
        ({"subject_key": "7", "datasets": ["loans"]}, "subject"),
        ({"datasets": ["members"], "record_key": "7"}, "record"),
        ({"subject_key": "7", "datasets": ["members"], "record_key": "7"}, "record"),
        ({"datasets": ["suppliers"], "period_from": TODAY}, "datasets"),
    ],
)
def test_every_kind_of_scope_is_recorded(shared: Library, scope: dict[str, Any], kind: str) -> None:
    reference = f"case-{len(shared.held())}"
    place(shared, reference=reference, **scope)
    row = shared.held()[reference]._mapping
    assert {column: row[column] for column in scope} == scope
    facts = shared.entries()[-1][1]
    assert (facts["scope"], facts["period"]) == (kind, "period_from" in scope)


def test_keys_are_kept_as_the_database_writes_them(shared: Library) -> None:
    key = "2026-01-02T03:04:05+01:00|A0EEBC999C0B4EF8BB6D6BB9BD380A11"
    place(shared, reference="written-back", subject_key="+7", datasets=["loans"], record_key=key)
    hold = shared.held()["written-back"]
    assert hold.subject_key == "7"
    assert hold.record_key == "2026-01-02 02:04:05+00|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


def test_what_was_given_goes_before_the_usual(shared: Library) -> None:
    day = today(shared)
    place(shared, reference="given", ends_on=day, ground="notice-12")
    hold = shared.held()["given"]
    assert (hold.ends_on, hold.review_on, hold.ground) == (day, None, "notice-12")
    place(shared, reference="reviewed", review_on=day)
    assert shared.held()["reviewed"].review_on == day


SECRET = "Ada-Lovelace"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"hold_type": SECRET}, "There is no such hold type. Fix: use one of DAMAGE, ORDER."),
        ({"hold_type": "FINE"}, "Holds of the type FINE come from a source"),
        ({"reference": f"{SECRET} and others"}, "The reference is not a code"),
        ({"reference": ""}, "The reference is not a code"),
        ({"placed_by": f"{SECRET}@example.com"}, "The placed by is not a code"),
        ({"ground": f"{SECRET} said so"}, "The ground is not a code"),
        ({"ends_on": dt.date(2020, 1, 1)}, "The hold would have ended on 2020-01-01"),
        ({"datasets": []}, "No dataset is named"),
        ({"datasets": ["members", "cats"]}, "The policy has no dataset cats"),
        ({"hold_type": "DAMAGE", "datasets": ["suppliers"]}, "No rule of suppliers is stopped by a hold of the type"),
        ({"subject_key": "7", "datasets": ["suppliers"]}, "The rows of suppliers are about no subject"),
        ({"record_key": "7"}, "A record key needs the one dataset"),
        ({"record_key": "7", "datasets": ["members", "letters"]}, "A record key needs the one dataset"),
        ({"record_key": "2026-01-01", "datasets": ["loans"]}, "The key of loans has 2 columns"),
        ({"record_key": SECRET, "datasets": ["members"]}, "The record key does not fit"),
        ({"record_key": "", "datasets": ["letters"]}, "The record key does not fit"),
        ({"subject_key": SECRET}, "The subject key does not fit"),
        ({"subject_key": "7\x00"}, "The subject key does not fit"),
        ({"subject_key": ""}, "The subject key does not fit"),
        ({"period_from": TODAY, "period_to": TODAY}, "The period ends before it begins"),
    ],
)
def test_a_hold_that_would_not_hold_what_it_says_is_refused(shared: Library, given: dict[str, Any], told: str) -> None:
    before = shared.held(), shared.entries()
    with pytest.raises(HoldError) as refused:
        place(shared, **given)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert (shared.held(), shared.entries()) == before


def test_a_reference_is_used_once(shared: Library) -> None:
    place(shared, reference="once")
    with pytest.raises(HoldError, match="was placed under the reference once before"):
        place(shared, reference="once")
    release(shared, "once")
    with pytest.raises(HoldError, match="was placed under the reference once before"):
        place(shared, reference="once")


def test_a_hold_is_released_once(shared: Library) -> None:
    number = place(shared, reference="released-once")
    release(shared, "released-once")
    entries = shared.entries()
    for hold in (number, "released-once"):
        with pytest.raises(HoldError, match=f"Hold {number} is released already"):
            release(shared, hold)
    assert shared.entries() == entries


@pytest.mark.parametrize("hold", [10**9, "no-such-hold"])
def test_an_unknown_hold_is_not_released(shared: Library, hold: int | str) -> None:
    with pytest.raises(HoldError, match="There is no such hold"):
        release(shared, hold)


def test_a_hold_of_a_source_ends_only_there(library: Library) -> None:
    library.refresh()
    for hold in ("fine-1", library.held()["fine-1"].hold_id):
        for reason in ReleaseReason:
            with pytest.raises(HoldError, match="is reported by the source desk, which would report it again"):
                release(library, hold, reason)
    assert library.held()["fine-1"].released_at is None


def test_a_hold_of_a_source_that_is_gone_is_released_by_hand(library: Library) -> None:
    library.refresh()
    holds = library.policy.holds
    left = holds.model_copy(update={"sources": {"court": holds.sources["court"]}})
    policy = library.policy.model_copy(update={"holds": left})
    with database.transaction(library.engine) as connection:
        with pytest.raises(HoldError, match="use source_retired for holds of a source that is gone"):
            register.release(connection, policy, "fine-1", released_by="clerk", reason=ReleaseReason.ENDED)
        register.release(connection, policy, "fine-1", released_by="clerk", reason=ReleaseReason.SOURCE_RETIRED)
    assert library.held()["fine-1"].released_by == "clerk"


def test_a_hold_placed_by_hand_is_no_hold_of_a_source_that_is_gone(shared: Library) -> None:
    place(shared, reference="by-hand")
    with pytest.raises(HoldError, match="came from manual; the reason source_retired does not go with that"):
        release(shared, "by-hand", ReleaseReason.SOURCE_RETIRED)


def test_a_reference_means_the_hold_placed_by_hand_first(library: Library) -> None:
    library.refresh()
    number = place(library, reference="fine-1")
    assert release(library, "fine-1") == number


def shrink(library: Library) -> None:
    library.report(*({**FINE, "reference": f"fine-{i}"} for i in range(1, 11)))
    library.refresh()
    library.report(FINE, {**FINE, "reference": "fine-2"})
    assert library.refresh()["desk"].status is Status.SHRUNK


def accept(library: Library, holds: int, source: str = "desk") -> None:
    with database.transaction(library.engine) as connection:
        register.accept_shrink(connection, source, holds, "clerk")


def test_a_shrunk_source_is_believed_once_a_person_accepts_its_number(library: Library) -> None:
    shrink(library)
    accept(library, 2)
    assert library.entries()[-1] == (
        "hold_source_accepted",
        {"source": "desk", "holds": 2, "by": pseudonym(library.settings.pseudonym_key(), "staff", "clerk")},
    )
    assert library.held()["fine-3"].released_at is None  # accepting releases nothing
    state = library.refresh()["desk"]
    assert (state.status, state.ended) == (Status.TRUSTED, 8)
    known = library.known()
    assert (known.accepted_holds, known.accept_holds) == (2, None)


def test_only_exactly_that_number_is_accepted(library: Library) -> None:
    shrink(library)
    accept(library, 2)
    library.report(FINE)
    assert library.refresh()["desk"].status is Status.SHRUNK
    library.report(FINE, {**FINE, "reference": "fine-2"})
    assert library.refresh()["desk"].status is Status.TRUSTED


def test_an_acceptance_does_not_outlive_a_read_that_needed_none(library: Library) -> None:
    shrink(library)
    accept(library, 2)
    whole = [{**FINE, "reference": f"fine-{i}"} for i in range(1, 11)]
    library.report(*whole)
    assert library.refresh()["desk"].status is Status.TRUSTED
    library.report(*whole[:2])
    assert library.refresh()["desk"].status is Status.SHRUNK


@pytest.mark.parametrize(("source", "holds"), [("desk", 3), ("desk", 10), ("court", 2), ("court", 0), ("cellar", 2)])
def test_nothing_but_what_was_refused_can_be_accepted(library: Library, source: str, holds: int) -> None:
    shrink(library)
    entries = library.entries()
    with pytest.raises(HoldError, match=f"Hold source {source} was not refused for having shrunk to {holds} holds"):
        accept(library, holds, source)
    assert library.entries() == entries


def test_the_register_tells_what_holds_on_a_day(library: Library) -> None:
    library.report(
        {**FINE, "ends_on": TODAY, "datasets": ["loans"], "review_on": TODAY},
        {**FINE, "reference": "fine-2", "subject_key": "8", "review_on": TODAY - dt.timedelta(days=1)},
        {**FINE, "reference": "fine-3", "disclosable": False},
    )
    library.refresh()
    place(library, datasets=["suppliers"])
    with library.engine.connect() as connection:
        holds = register.listed(connection, TODAY)
        assert [hold.reference for hold in holds] == ["fine-1", "fine-2", "fine-3", "case-1"]
        assert (holds[0].datasets, holds[0].ends_on, holds[1].datasets) == (("loans",), TODAY, None)
        later = register.listed(connection, TODAY + dt.timedelta(days=1))
        assert [hold.reference for hold in later] == ["fine-2", "fine-3", "case-1"]
        told = register.listed(connection, TODAY, nameable=("FINE", "DAMAGE"))
        assert [hold.reference for hold in told] == ["fine-1", "fine-2"], "a source keeps fine-3 to itself"
        assert [hold.reference for hold in register.listed(connection, TODAY, hold_type="ORDER")] == ["case-1"]
        assert register.counts(connection, TODAY, nameable=("FINE", "DAMAGE")) == [
            HoldCount("billing", "FINE", 2, 2, TODAY, 1)
        ]
        assert register.counts(connection, TODAY) == [
            HoldCount("billing", "FINE", 3, 2, TODAY, 1),
            HoldCount("legal", "ORDER", 1, 0, None, 0),
        ]
    release(library, "case-1")
    with library.engine.connect() as connection:
        assert "case-1" not in [hold.reference for hold in register.listed(connection, TODAY)]
        (released,) = [one for one in register.listed(connection, TODAY, ended=True) if one.released_at]
        assert released.reference == "case-1"


def test_the_register_tells_how_its_sources_are(library: Library) -> None:
    with library.engine.connect() as connection:
        assert register.source_states(connection) == []
    library.loaded(None, "court")
    library.refresh()
    with library.engine.connect() as connection:
        court, desk = register.source_states(connection)
    assert (court.source_id, court.status, court.loaded_at, court.read_holds) == ("court", "missing", None, None)
    assert (desk.source_id, desk.status, desk.read_holds, desk.accepted_holds) == ("desk", "trusted", 1, 1)


def test_a_hold_that_the_ledger_does_not_record_is_not_placed(library: Library) -> None:
    library.sql("DROP FUNCTION holdfast.ledger_append(text, text, bigint)")
    with pytest.raises(sa.exc.ProgrammingError):
        place(library)
    assert library.held() == {}

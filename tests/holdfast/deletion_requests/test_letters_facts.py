"""What a letter says follows from what may be told, and from nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.holdfast.deletion_requests.letters_library import NOW, RECEIVED, TAX_END, case, policy, rules, terms

from holdfast.deletion_requests.deadlines import Moments
from holdfast.deletion_requests.letters_facts import Case, CategoryFacts, Kind, LetterFacts, Reason, Told, facts_of
from holdfast.deletion_requests.scope import Part, Scope
from holdfast.errors import LetterRefused


def facts(one: Case) -> LetterFacts:
    return facts_of(one, policy(), terms(), rules())


def outcome(*told: Told, scope: Scope = ()) -> LetterFacts:
    return facts(case(Kind.OUTCOME, *told, scope=scope))


def of_category(made: LetterFacts, category: str) -> CategoryFacts:
    [found] = [one for one in made.categories if one.category == category]
    return found


def test_a_category_says_where_it_went_and_where_it_stays() -> None:
    made = outcome(
        Told("accounts", "anonymise", (), None),
        Told("contacts", "erase", (), None),
        Told("invoices", None, ("TAX_CT",), TAX_END),
    )
    assert of_category(made, "name") == CategoryFacts("name", ("contacts",), (), ("invoices",))
    assert of_category(made, "account") == CategoryFacts("account", ("contacts",), ("accounts",), ("invoices",))
    assert made.in_part == frozenset()
    assert made.rest == ("invoices",)


def test_categories_and_records_come_in_the_order_of_the_data_map() -> None:
    made = outcome(Told("messages", "erase", (), None), Told("contacts", "erase", (), None))
    assert [one.category for one in made.categories] == [
        "account", "contact", "name", "address", "phone-number", "traffic", "content"
    ]  # fmt: skip
    assert of_category(made, "account").erased == ("contacts", "messages")


def test_a_dataset_can_go_in_part() -> None:
    made = outcome(Told("invoices", "erase", ("TAX_CT",), TAX_END))
    assert made.in_part == {"invoices"}
    assert of_category(made, "billing") == CategoryFacts("billing", ("invoices",), (), ("invoices",))


def test_every_reason_is_given_with_its_ground() -> None:
    made = outcome(
        Told("invoices", None, ("BILLING_DISPUTE", "invoices-6y"), None), Told("payments", None, ("dataset",), None)
    )
    [invoices, payments] = made.kept
    assert invoices.reasons == (
        Reason(
            "hold",
            "An invoice is disputed. Ends when the dispute is closed and past appeal.",
            "Establishment, exercise or defence of legal claims, UK GDPR Art 17(3)(e).",
        ),
        Reason("law", ground=policy().schedule.rules["invoices-6y"].law),
    )
    assert payments.reasons == (Reason("others"),)


def test_a_period_of_our_own_is_no_law() -> None:
    [kept] = outcome(Told("suspensions", None, ("suspensions-6y",), None)).kept
    assert kept.reasons == (Reason("needed"),)


def test_a_request_for_a_category_is_answered_for_that_category() -> None:
    made = outcome(Told("login_events", "erase", (), None), scope=(Part(category="ip-address"),))
    assert [one.category for one in made.categories] == ["ip-address"]


def test_a_request_for_a_dataset_and_a_category_is_answered_for_both() -> None:
    made = outcome(
        Told("login_events", "erase", (), None),
        Told("messages", "erase", (), None),
        scope=(Part(category="ip-address"), Part(dataset="messages")),
    )
    assert [one.category for one in made.categories] == ["account", "ip-address", "phone-number", "traffic", "content"]
    assert of_category(made, "account").erased == ("messages",)


def test_what_is_not_spoken_of_is_left_out() -> None:
    spoken = (Told("contacts", "erase", (), None), Told("invoices", None, ("TAX_CT",), TAX_END))
    unspoken = (
        Told("law_enforcement_requests", None, ("REGULATOR",), None),
        Told("fraud_signals", "erase", (), None),
    )
    assert outcome(*spoken, *unspoken) == outcome(*spoken)


def test_what_says_nothing_is_left_out() -> None:
    assert outcome(Told("contacts", None, (), None)) == outcome()


@pytest.mark.parametrize("hidden", ["LE_PRESERVATION", "IPA_NOTICE", "FRAUD_INVESTIGATION"])
def test_no_letter_names_a_type_that_must_not_be_disclosed(hidden: str) -> None:
    with pytest.raises(LetterRefused, match="must not be disclosed") as refused:
        outcome(Told("messages", None, (hidden,), None))
    assert hidden not in str(refused.value)


@pytest.mark.parametrize("reason", ["identity", "cool_off", "approval", "source", "none"])
def test_what_is_not_decided_has_no_outcome(reason: str) -> None:
    with pytest.raises(LetterRefused, match="not decided"):
        outcome(Told("messages", None, (reason,), None))


def test_a_dataset_that_the_policy_does_not_have_is_named() -> None:
    with pytest.raises(LetterRefused, match="old_table"):
        outcome(Told("old_table", "erase", (), None))


def test_the_deadline_is_counted_from_what_moves_it() -> None:
    moments = Moments(RECEIVED, identity_requested_at=RECEIVED, identity_received_at=NOW)
    made = facts(case(Kind.ACKNOWLEDGEMENT, moments=moments))
    assert made.due_on == dt.date(2026, 12, 24)
    assert made.waits_for is None


def test_no_deadline_is_told_while_none_runs() -> None:
    made = facts(case(Kind.ACKNOWLEDGEMENT, moments=Moments(RECEIVED, identity_requested_at=RECEIVED)))
    assert (made.waits_for, made.due_on) == ("identity", None)


def test_a_letter_years_later_needs_no_table_of_bank_holidays() -> None:
    longest_ago = Moments(dt.datetime(1999, 12, 1, tzinfo=dt.UTC))
    assert facts(case(Kind.FINAL, moments=longest_ago, rest=("invoices",))).rest == ("invoices",)


@pytest.mark.parametrize(
    ("channel", "electronic"), [("form", True), ("email", True), ("post", False), ("telephone", False)]
)
def test_who_asked_by_electronic_means_is_answered_so(channel: str, electronic: bool) -> None:
    assert facts(case(Kind.ACKNOWLEDGEMENT, channel=channel)).is_electronic is electronic

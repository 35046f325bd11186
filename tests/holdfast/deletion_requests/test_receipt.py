"""Taking requests in, on PostgreSQL: once each, linked to what they repeat, with their evidence."""

from __future__ import annotations

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.holdfast.deletion_requests.desk import CATEGORIES_THAT_STAY, NOW, Desk, asked, policy

from holdfast import settings
from holdfast.deletion_requests import scope
from holdfast.deletion_requests.fields import Check, Fault
from holdfast.deletion_requests.receipt import Taken
from holdfast.deletion_requests.register import State
from holdfast.deletion_requests.scope import Part
from holdfast.errors import RequestError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF, SUBJECT


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk of a provider with some records."""
    desk.keep_records()
    return desk


@pytest.fixture(scope="module")
def busy_desk(busy_desk: Desk) -> Desk:
    """One for all tests, with the same records."""
    busy_desk.keep_records()
    return busy_desk


def test_a_request_is_in_the_register_with_its_entry(desk: Desk) -> None:
    [taken] = desk.receive(asked(scope="messages; support_tickets#007; category:address"))
    assert taken == Taken(1, None, is_new=True)
    request = desk.request("web-1")
    assert request == desk.request(1)
    assert (request.state, request.subject_key, request.channel) == (State.RECEIVED, "1", "form")
    assert request.moments.received_at == dt.datetime(2026, 9, 3, 8, tzinfo=dt.UTC)
    assert request.scope == (Part("messages"), Part("support_tickets", None, "7"), Part(None, "address"))
    assert (request.withdraw_until, request.closed_at, desk.course(1)) == (None, None, [])
    key = settings.load().pseudonym_key()
    assert desk.entries() == [
        (
            "request_received",
            {
                "request": 1,
                "subject": pseudonym(key, SUBJECT, "1"),
                "channel": "form",
                "received_at": "2026-09-03T08:00:00+00:00",
                "parts": 3,
                "duplicate_of": None,
                "by": pseudonym(key, STAFF, "clerk"),
            },
        )
    ]


@pytest.mark.parametrize(
    ("moments", "course", "state", "withdraw_until", "asked_at", "answered_at"),
    [
        ({}, [], "received", None, False, False),
        ({"identity_requested_at": "2026-09-03 09:10"}, ["identity_pending"], "identity_pending", None, True, False),
        ({"identity_confirmed_at": "2026-09-03 08:50"}, ["verified"], "verified", "2026-09-10", False, False),
        (
            {
                "received_at": "2026-08-20",
                "identity_requested_at": "2026-08-21",
                "identity_confirmed_at": "2026-09-01",
            },
            ["identity_pending", "verified"],
            "verified",
            "2026-09-08",
            True,
            True,
        ),
        # Confirmed before it came, by a login: the cool-off still counts from the receipt.
        (
            {"received_at": "2026-09-02 00:10", "identity_confirmed_at": "2026-09-01 23:50"},
            ["verified"],
            "verified",
            "2026-09-09",
            False,
            False,
        ),
    ],
)
def test_what_is_known_of_the_identity(
    busy_desk: Desk,
    moments: dict[str, str],
    course: list[str],
    state: str,
    withdraw_until: str | None,
    asked_at: bool,
    answered_at: bool,
) -> None:
    reference = f"identity-{len(busy_desk.sql('SELECT FROM holdfast.deletion_request'))}"
    number = busy_desk.received(reference=reference, subject_key="2", scope="complaints", **moments)
    request = busy_desk.request(number)
    assert request.state == state
    assert [to for _, to, _ in busy_desk.course(number)] == course
    assert request.withdraw_until == (dt.date.fromisoformat(withdraw_until) if withdraw_until else None)
    assert (request.moments.identity_requested_at is not None) is asked_at
    assert (request.moments.identity_received_at is not None) is answered_at


def test_the_same_request_again_is_known_and_another_under_its_reference_is_a_fault(desk: Desk) -> None:
    first = asked(subject_key="007", scope="messages;contacts")
    desk.receive(first)
    before = desk.entries()
    again = desk.receive(first, asked(subject_key="7", scope="contacts; messages"))
    assert again == [Taken(1, None, is_new=False)] * 2
    for change in ({"subject_key": "8"}, {"channel": "post"}, {"received_at": "2026-09-02"}, {"scope": "account"}):
        [fault] = desk.receive({**first, **change})
        assert isinstance(fault, Fault)
        assert fault.check is Check.REFERENCE_TAKEN
    assert desk.entries() == before
    assert len(desk.sql("SELECT FROM holdfast.deletion_request")) == 1


def test_a_reference_twice_at_once(desk: Desk) -> None:
    first, second, same, other = desk.receive(
        asked("a-1"), asked("a-2", subject_key="2"), asked("a-1"), asked("a-1", subject_key="3")
    )
    assert (first, second, same) == (Taken(1, None, True), Taken(2, None, True), Taken(1, None, False))
    assert isinstance(other, Fault)
    assert other.check is Check.REFERENCE_TAKEN


@pytest.mark.parametrize("subject", ["10", "999999999999999999", "99999999999999999999999", "Ann", "1.0", "-1", "１"])
def test_an_unknown_account_is_a_fault_of_its_row_alone(busy_desk: Desk, subject: str) -> None:
    names = [f"{place}-{len(busy_desk.entries())}" for place in ("before", "unknown", "after")]
    written = [asked(name, subject_key=one) for name, one in zip(names, ("3", subject, "4"), strict=True)]
    if subject.startswith("-"):
        written[1]["subject_key"] = "0" + subject
    before, fault, after = busy_desk.receive(*written)
    assert isinstance(before, Taken)
    assert isinstance(after, Taken)
    assert isinstance(fault, Fault)
    assert (fault.check, fault.field) == (Check.UNKNOWN_SUBJECT, "subject_key")


@pytest.mark.parametrize("record", ["support_tickets#5", "support_tickets#4711", "payments#2"])
def test_nobody_can_ask_for_a_record_of_somebody_else(desk: Desk, record: str) -> None:
    fault, taken = desk.receive(asked("not-theirs", scope=f"messages; {record}"), asked("theirs", scope="payments#1"))
    assert isinstance(fault, Fault)
    assert (fault.check, fault.field) == (Check.NOT_THEIRS, "scope")
    assert fault.what == f"The account has no record of {record.partition('#')[0]} with the key that the request names."
    assert isinstance(taken, Taken)
    assert desk.sql("SELECT reference FROM holdfast.deletion_request") == [("theirs",)]


def test_what_was_taken_in_is_known_though_its_record_is_gone(desk: Desk) -> None:
    [first] = desk.receive(asked(scope="support_tickets#7"))
    desk.sql("DELETE FROM provider.support_ticket")
    [again] = desk.receive(asked(scope="support_tickets#7"))
    assert isinstance(first, Taken)
    assert again == Taken(first.request_id, None, is_new=False)


@pytest.mark.parametrize("category", CATEGORIES_THAT_STAY)
def test_a_category_that_can_be_taken_out_of_no_record_is_refused(category: str) -> None:
    with pytest.raises(RequestError, match="taken out of no record") as refused:
        scope.parse(f"category:{category}", policy())
    assert refused.value.fix.startswith("ask for the records: ")


@pytest.mark.parametrize(
    "record", ["support_tickets#x", "identity_evidence#7", "call_detail_records#x|1", "messages#1e3"]
)
def test_a_record_key_that_fits_no_record_is_a_fault_of_its_row_alone(busy_desk: Desk, record: str) -> None:
    count = len(busy_desk.entries())
    fault, taken = busy_desk.receive(
        asked(f"bad-{count}", scope=record), asked(f"good-{count}", scope="support_tickets#5", subject_key="5")
    )
    assert isinstance(taken, Taken)
    assert isinstance(fault, Fault)
    assert (fault.check, fault.field) == (Check.RECORD_KEY, "scope")
    assert record.partition("#")[2] not in fault.what + fault.fix


# What overlaps what. An open request of the same account that does is linked; nothing is lost by it.
@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ("account", "account", True),
        ("account", "messages", True),
        ("messages", "account", True),
        ("messages", "messages", True),
        ("messages", "contacts", False),
        ("messages;contacts", "complaints;contacts", True),
        ("support_tickets#1", "support_tickets#1", True),
        ("support_tickets#1", "support_tickets#2", False),
        ("support_tickets#01", "support_tickets#1", True),
        ("support_tickets#1", "support_tickets", True),
        ("support_tickets", "support_tickets#1", True),
        ("support_tickets#1", "complaints#1", False),
        ("category:phone-number", "category:phone-number", True),
        ("category:phone-number", "category:address", False),
        ("category:phone-number", "messages", True),  # messages have telephone numbers
        ("messages", "category:phone-number", True),
        ("messages#1", "category:phone-number", True),
        ("category:phone-number", "complaints", False),
    ],
)
def test_an_open_request_that_asks_for_the_same_is_linked(
    busy_desk: Desk, first: str, second: str, overlap: bool
) -> None:
    for request in busy_desk.sql("SELECT request_id FROM holdfast.deletion_request WHERE closed_at IS NULL"):
        busy_desk.sql("UPDATE holdfast.deletion_request SET closed_at = now() WHERE request_id = :r", r=request[0])
    count = len(busy_desk.entries())
    _, one, two = busy_desk.receive(
        asked(f"other-{count}", subject_key="9"),
        asked(f"one-{count}", scope=first),
        asked(f"two-{count}", scope=second),
    )
    assert isinstance(one, Taken)
    assert isinstance(two, Taken)
    assert one.duplicate_of is None
    assert two.duplicate_of == (one.request_id if overlap else None)
    assert busy_desk.request(two.request_id).duplicate_of == two.duplicate_of
    assert busy_desk.request(two.request_id).state is State.RECEIVED  # it lives its own life, and is answered


def test_a_duplicate_is_linked_to_the_first_open_one(desk: Desk) -> None:
    numbers = [desk.received(reference=f"r-{n}") for n in range(3)]
    assert [desk.request(number).duplicate_of for number in numbers] == [None, 1, 1]
    desk.sql("UPDATE holdfast.deletion_request SET closed_at = now() WHERE request_id = 1")
    assert desk.request(desk.received(reference="r-3")).duplicate_of == 2
    facts = [facts["duplicate_of"] for kind, facts in desk.entries() if kind == "request_received"]
    assert facts == [None, 1, 1, 2]


def test_of_requests_that_come_at_once_each_sees_the_others(desk: Desk) -> None:
    start = Barrier(6)

    def arrive(number: int) -> None:
        start.wait()
        desk.received(reference=f"r-{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(arrive, range(6)))
    links = desk.sql("SELECT request_id, duplicate_of FROM holdfast.deletion_request ORDER BY request_id")
    assert [link.duplicate_of for link in links] == [None, *[links[0].request_id] * 5]


@pytest.mark.parametrize("by", ["", "Ann Other", "night", "policy", "ann@example.com", "a" * 129])
def test_whoever_takes_it_in_is_a_person_by_a_code(busy_desk: Desk, by: str) -> None:
    with pytest.raises(RequestError, match="user code"):
        busy_desk.receive(asked("nobody-1"), by=by)


def test_nothing_personal_leaves_the_register(desk: Desk) -> None:
    """The ledger has pseudonyms and codes; references and accounts stay behind."""
    desk.receive(asked("case-zerlina", subject_key="9", identity_confirmed_at="2026-09-03 09:00"), by="zerlina")
    text = "\n".join(row.entry for row in desk.sql("SELECT entry FROM holdfast.ledger_entry"))
    assert "zerlina" not in text
    assert re.search(r'"subject":"p1:[0-9a-f]{32}"', text)
    assert {kind for kind, _ in desk.entries()} == {"request_received", "request_changed"}


def test_a_thousand_requests_at_once(desk: Desk) -> None:
    written = [asked(f"r-{n}", subject_key=str(1 + n % 9), identity_confirmed_at="2026-09-03") for n in range(1_000)]
    taken = desk.receive(*written, now=NOW)
    assert [one.request_id for one in taken if isinstance(one, Taken)] == list(range(1, 1_001))
    assert [one.duplicate_of for one in taken[:20] if isinstance(one, Taken)] == [*[None] * 9, *range(1, 10), 1, 2]
    kinds = [kind for kind, _ in desk.entries()]
    assert (kinds.count("request_received"), kinds.count("request_changed")) == (1_000, 1)

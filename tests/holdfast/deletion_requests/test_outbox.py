"""Recipients are told at least once of what was erased or restricted, and of nothing else."""

from __future__ import annotations

import datetime as dt
import json
import smtplib
import stat
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.letters_library import NIGHT, NOW, TAX_END, Cell, Office, policy, tellings

from holdfast import database, settings
from holdfast.deletion_requests import outbox, outbox_files
from holdfast.deletion_requests.outbox import Ageing, Delivered, Notice, Outcome, Transport
from holdfast.deletion_requests.recipients import ToTell, to_tell
from holdfast.errors import LedgerError, PolicyError, RequestError
from holdfast.policy.requests_model import Telling

TAX = Cell("invoices", "held", "TAX_CT", acted=0, held=3, until=TAX_END)
HIDDEN = Cell("messages", "held", "IPA_NOTICE", acted=0, held=9, disclosable=False, told=("erase", (), None), secret=9)


@pytest.fixture
def office(database: sa.Engine, home: Path) -> Office:
    return Office(database)


@dataclass
class Post:
    """A transport that remembers what it took, and refuses the recipients it is told to."""

    taken: list[Notice] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()

    def __call__(self, notice: Notice) -> None:
        if notice.recipient in self.refuses:
            raise smtplib.SMTPServerDisconnected("somebody@example.com")
        self.taken.append(notice)


def night(office: Office, request: int, *cells: Cell, restricted: tuple[str, ...] = ()) -> int:
    """A run that assessed and erased, and what it found queued."""
    run = office.night()
    office.decide(run, request, *cells)
    office.restrict(request, *restricted)
    queue(office, run)
    return run


def queue(office: Office, run: int, told: dict[str, Telling] | None = None, now: dt.datetime = NOW) -> int:
    with database.transaction(office.engine) as connection:
        return outbox.queue(connection, to_tell(policy(), told or tellings()), run, now=now)


def deliver(office: Office, transport: Transport, now: dt.datetime = NOW) -> Delivered:
    return outbox.deliver(office.engine, settings.load(), transport, now=now)


def queued(office: Office) -> list[tuple[str, str, list[str], list[str]]]:
    with office.engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT recipient, kind, datasets, categories FROM holdfast.recipient_notice ORDER BY recipient, kind"
            )
        ).all()
    return [(row.recipient, row.kind, row.datasets, row.categories) for row in rows]


# --- who is told of what -----------------------------------------------------------------------------------------


def test_who_was_given_what_was_erased_is_told_and_nobody_else(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("contacts"), Cell("messages"), Cell("login_events", acted=0))
    assert queued(office) == [
        ("mail-service", "erased", ["contacts"], ["contact", "name"]),
        ("message-aggregator", "erased", ["messages"], ["content", "phone-number"]),
        ("support-desk", "erased", ["contacts"], ["contact", "name"]),
    ]


def test_one_recipient_of_several_datasets_gets_one_notice(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("payments"), Cell("payment_methods"))
    assert queued(office) == [("payment-processor", "erased", ["payment_methods", "payments"], ["name", "payment"])]


def test_the_emergency_authority_is_told_by_a_cease_and_never_of_a_restriction(office: Office) -> None:
    request = office.request(1, "DR-1")
    held = Cell("emergency_addresses", "held", "EMERGENCY_999_LIVE", acted=0, held=1)
    night(office, request, held, restricted=("emergency_addresses",))
    assert queued(office) == []
    night(office, request, Cell("emergency_addresses"))
    assert queued(office) == [
        ("emergency-handling-authority", "emergency_cease", ["emergency_addresses"], ["location", "name"])
    ]


def test_what_stays_is_told_as_restricted_once(office: Office) -> None:
    request = office.request(1, "DR-1")
    for _ in range(3):
        night(office, request, TAX, restricted=("invoices",))
    assert queued(office) == [("accountant", "restricted", ["invoices"], ["address", "name"])]


def test_what_is_not_flagged_as_restricted_is_not_told_as_such(office: Office) -> None:
    night(office, office.request(1, "DR-1"), TAX)
    assert queued(office) == []


def test_what_stayed_and_is_erased_at_last_is_told_again(office: Office) -> None:
    request = office.request(1, "DR-1")
    night(office, request, Cell("contacts"), TAX, restricted=("invoices",))
    night(office, request, Cell("invoices"))
    assert [(one[0], one[1]) for one in queued(office)] == [
        ("accountant", "erased"),
        ("accountant", "restricted"),
        ("mail-service", "erased"),
        ("support-desk", "erased"),
    ]


def test_what_only_a_hold_keeps_that_must_not_be_disclosed_is_told_as_erased_once(office: Office) -> None:
    request = office.request(1, "DR-1")
    night(office, request, HIDDEN, Cell("contacts"), restricted=("messages",))
    told = queued(office)
    assert ("message-aggregator", "erased", ["messages"], ["content", "phone-number"]) in told
    night(office, request, HIDDEN, restricted=("messages",))
    night(office, request, Cell("messages", acted=9))
    assert queued(office) == told, "the night on which it goes at last is no news to anybody"


def test_what_was_erased_in_part_is_told_as_such(office: Office) -> None:
    request = office.request(1, "DR-1")
    part = Cell("invoices", "held", "TAX_CT", acted=2, held=3, until=TAX_END)
    night(office, request, part, restricted=("invoices",))
    post = Post()
    deliver(office, post)
    assert [(one.kind, one.datasets, one.in_part) for one in post.taken] == [
        ("erased", ("invoices",), ("invoices",)),
        ("restricted", ("invoices",), ()),
    ]


def test_what_goes_later_for_a_reason_that_may_be_named_is_told_beside_what_is_kept_in_secret(office: Office) -> None:
    request = office.request(1, "DR-1")
    both = Cell(
        *("messages", "held", "IPA_NOTICE"),
        acted=4,
        held=9,
        disclosable=False,
        told=("erase", ["AUDIT"], None),
        secret=6,
    )
    night(office, request, both)
    night(office, request, Cell(*("messages", "held", "IPA_NOTICE"), acted=3, held=6, disclosable=False,
                                told=("erase", (), None), secret=6))  # fmt: skip
    night(office, request, Cell("messages", acted=6))
    with office.engine.connect() as connection:
        found = connection.execute(
            sa.text("SELECT run_id, in_part FROM holdfast.recipient_notice ORDER BY run_id")
        ).all()
    assert [tuple(one) for one in found] == [(1, ["messages"]), (2, [])]


def test_a_storage_from_which_we_erase_ourselves_is_told_nothing(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("call_recordings"))
    assert office.scalars("SELECT recipient FROM holdfast.recipient_notice WHERE outcome = 'not_required'") == [
        "object-storage"
    ]


def test_law_enforcement_is_noted_and_never_told(office: Office) -> None:
    request, run = office.request(1, "DR-1"), office.night()
    office.decide(run, request, Cell("contacts"))
    queue(office, run, tellings() | {"support-desk": Telling.NEVER})
    post = Post()
    deliver(office, post)
    assert [one.recipient for one in post.taken] == ["mail-service"]
    outcomes = office.scalars("SELECT outcome FROM holdfast.recipient_notice WHERE recipient = 'support-desk'")
    assert outcomes == ["not_required"]


def test_only_changed_columns_are_told_where_a_record_is_made_anonymous() -> None:
    tell = to_tell(policy(), tellings())
    anonymised = {(one.dataset, one.recipient, one.category) for one in tell if one.event == "anonymise"}
    assert ("identity_evidence", "identity-check", "identity") in anonymised
    assert ("messages", "message-aggregator", "content") in anonymised
    assert ("messages", "message-aggregator", "phone-number") not in anonymised


def test_every_recipient_of_the_data_map_must_be_known() -> None:
    known = tellings()
    del known["support-desk"]
    with pytest.raises(PolicyError, match="support-desk"):
        to_tell(policy(), known)


def test_a_notice_can_be_called_for_in_no_two_ways() -> None:
    tell = to_tell(policy(), tellings())
    counts = Counter((one.dataset, one.event, one.recipient, one.category) for one in tell)
    assert set(counts.values()) == {1}
    assert all(isinstance(one, ToTell) for one in tell)


# --- queueing ----------------------------------------------------------------------------------------------------


def test_queueing_again_adds_nothing(office: Office) -> None:
    run = night(office, office.request(1, "DR-1"), Cell("contacts"), TAX, restricted=("invoices",))
    before = queued(office)
    deliver(office, Post())
    assert queue(office, run) == 0
    assert queued(office) == before
    assert deliver(office, Post()) == Delivered(0, 0)


def test_a_notice_is_completed_and_sent_again_if_the_run_went_on(office: Office) -> None:
    request = office.request(1, "DR-1")
    run = night(office, request, Cell("payments"))
    deliver(office, Post())
    office.decide(run, request, Cell("payment_methods"))
    assert queue(office, run) == 1
    post = Post()
    assert deliver(office, post) == Delivered(1, 0)
    assert post.taken[0].datasets == ("payment_methods", "payments")


def test_a_recipient_that_the_policy_left_out_is_told_of_earlier_nights_too(office: Office) -> None:
    known = tellings()
    night(office, office.request(1, "DR-1"), Cell("contacts"))
    run = office.night()
    office.run("DELETE FROM holdfast.recipient_notice WHERE recipient = 'support-desk'")
    assert queue(office, run, known) == 0, "a night that was gone through is not gone through again"
    assert queue(office, run, known | {"mail-service": Telling.NEVER}) == 1
    assert {one[0] for one in queued(office)} == {"mail-service", "support-desk"}


def test_two_queue_at_once_and_no_notice_comes_twice(office: Office) -> None:
    run = office.night()
    for account in range(1, 20):
        office.decide(run, office.request(account, f"DR-{account}"), Cell("contacts"), Cell("payments"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: queue(office, run), range(2)))
    assert len(queued(office)) == 19 * 3


# --- delivery ----------------------------------------------------------------------------------------------------


def test_a_notice_has_pseudonyms_made_for_its_recipient(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("contacts"))
    night(office, office.request(1, "DR-2"), Cell("contacts"))
    post = Post()
    deliver(office, post)
    by_recipient = {one.recipient: one for one in post.taken}
    assert len({one.subject for one in post.taken}) == 2
    assert len({one.request for one in post.taken}) == 4
    for notice in by_recipient.values():
        assert notice.request.startswith("p1:")
        assert notice.subject.startswith("p1:")


def test_what_was_sent_is_in_the_ledger(office: Office) -> None:
    request = office.request(1, "DR-1")
    night(office, request, Cell("messages"))
    deliver(office, Post())
    entry = json.loads(str(office.scalar("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'recipient_notified'")))
    assert entry["facts"] == {
        "notices": [1],
        "requests": [request],
        "recipient": "message-aggregator",
        "kind": "erased",
        "datasets": ["messages"],
    }


def test_a_notice_that_is_not_taken_waits_for_the_next_night_and_stops_no_other(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("contacts"))
    post = Post(refuses=frozenset(("mail-service",)))
    assert deliver(office, post) == Delivered(1, 1)
    assert deliver(office, post) == Delivered(0, 0)
    assert deliver(office, post, NOW + NIGHT) == Delivered(0, 1)
    with office.engine.connect() as connection:
        [waiting] = outbox.unanswered(connection, before=NOW + NIGHT)[:1]
    assert (waiting.recipient, waiting.attempts, waiting.sent_at) == ("mail-service", 2, None)
    assert waiting.failure == "SMTPServerDisconnected"
    assert deliver(office, Post(), NOW + 2 * NIGHT) == Delivered(1, 0)
    assert office.scalars("SELECT failure FROM holdfast.recipient_notice WHERE failure IS NOT NULL") == []


class Crash(BaseException):
    """The process dies."""


def test_a_crash_after_sending_sends_the_same_notice_again(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("messages"))
    taken: list[Notice] = []

    def send_and_die(notice: Notice) -> None:
        taken.append(notice)
        raise Crash

    with pytest.raises(Crash):
        deliver(office, send_and_die)
    assert deliver(office, taken.append) == Delivered(1, 0)
    assert taken[0] == taken[1]


def test_a_crash_sends_only_what_was_not_noted_yet_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of five notices go, two in a transaction; the process dies over the fourth."""
    monkeypatch.setattr(outbox, "SENT_AT_ONCE", 2)
    for account in range(1, 6):
        night(office, office.request(account, f"DR-{account}"), Cell("messages"))
    taken: list[int] = []

    def send_three_and_die(notice: Notice) -> None:
        if len(taken) == 3:
            raise Crash
        taken.append(notice.notice_id)

    with pytest.raises(Crash):
        deliver(office, send_three_and_die)
    assert office.scalars("SELECT notice_id FROM holdfast.recipient_notice WHERE sent_at IS NOT NULL") == [1, 2]
    assert deliver(office, lambda notice: taken.append(notice.notice_id)) == Delivered(3, 0)
    assert taken == [1, 2, 3, 3, 4, 5]


def test_each_notice_is_in_the_ledger_once_and_those_alike_in_one_entry(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SENT_AT_ONCE", 4)
    for account in range(1, 4):
        night(office, office.request(account, f"DR-{account}"), Cell("contacts"))
    post = Post(refuses=frozenset(("mail-service",)))
    assert deliver(office, post) == Delivered(3, 3)
    entries = office.scalars("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'recipient_notified'")
    facts = [json.loads(str(one))["facts"] for one in entries]
    assert [(one["recipient"], len(one["notices"])) for one in facts] == [("support-desk", 2), ("support-desk", 1)]
    assert [number for one in facts for number in one["notices"]] == [one.notice_id for one in post.taken]


def test_what_is_not_in_the_ledger_was_not_sent(office: Office) -> None:
    """A notice whose entry is refused stays to be sent."""
    night(office, office.request(1, "DR-1"), Cell("messages"))
    office.run("UPDATE holdfast.recipient_notice SET recipient = 'a recipient with spaces'")
    with pytest.raises(LedgerError):
        deliver(office, Post())
    assert office.scalars("SELECT sent_at FROM holdfast.recipient_notice") == [None]


def test_several_deliver_at_once_and_each_notice_goes_once(office: Office) -> None:
    for account in range(1, 15):
        night(office, office.request(account, f"DR-{account}"), Cell("contacts"))
    post = Post()
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: deliver(office, post), range(4)))
    assert sum(one.sent for one in done) == 28
    assert len({one.notice_id for one in post.taken}) == len(post.taken) == 28


def test_an_error_of_the_transport_itself_is_not_hidden(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("messages"))

    def broken(notice: Notice) -> None:
        raise KeyError(notice.recipient)

    with pytest.raises(KeyError):
        deliver(office, broken)


# --- transports --------------------------------------------------------------------------------------------------


def test_by_default_a_notice_is_a_file_with_codes_and_pseudonyms(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("messages"))
    deliver(office, outbox_files.to_files(settings.load()))
    folder = settings.load().outbox / "recipients" / "message-aggregator" / "1"
    told = json.loads((folder / "notice.json").read_text(encoding="utf-8"))
    assert told == {
        "version": 1,
        "notice": 1,
        "kind": "erased",
        "request": told["request"],
        "subject": told["subject"],
        "datasets": ["messages"],
        "in_part": [],
        "categories": ["content", "phone-number"],
        "queued_at": "2026-11-24T01:30:00+00:00",
    }
    assert stat.S_IMODE((folder / "notice.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "DR-1" not in json.dumps(told)


def test_a_file_that_cannot_be_written_is_tried_again(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("messages"))
    blocked = settings.load().outbox
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way", encoding="utf-8")
    assert deliver(office, outbox_files.to_files(settings.load())) == Delivered(0, 1)
    blocked.unlink()
    assert deliver(office, outbox_files.to_files(settings.load()), NOW + NIGHT) == Delivered(1, 0)


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [
        ("erased", "Erasure of personal data, notice 7", "Erase\nyour copies, unless"),
        ("restricted", "Restriction of personal data, notice 7", "UK GDPR Article 18"),
        ("emergency_cease", "Cease of an emergency address, notice 7", "acknowledge its cease"),
    ],
)
def test_the_text_of_an_e_mail(kind: str, subject: str, words: str) -> None:
    notice = Notice(7, 1, "mail-service", kind, "p1:r", "p1:s", ("contacts",), ("contacts",), ("contact", "name"), NOW)  # type: ignore[arg-type]
    told = outbox_files.mail_of(notice, settings.load().policy / "letters")
    assert told[0] == subject
    assert words in told[1]
    for line in (
        "Notice:     7",
        "Request:    p1:r",
        "Subject:    p1:s",
        "Categories: contact, name",
        "In part:    contacts",
    ):
        assert line in told[1].splitlines()


def test_a_template_of_notices_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "notice.txt.j2").write_text("{{ notice.nothing }}", encoding="utf-8")
    notice = Notice(7, 1, "mail-service", "erased", "p1:r", "p1:s", ("contacts",), (), ("name",), NOW)
    with pytest.raises(PolicyError, match=r"notice\.txt\.j2"):
        outbox_files.mail_of(notice, tmp_path)


# --- answers -----------------------------------------------------------------------------------------------------


def answer(office: Office, outcome: Outcome, notice: int = 1, now: dt.datetime = NOW) -> bool:
    with database.transaction(office.engine) as connection:
        return outbox.answer(connection, notice, outcome, now=now)


def test_the_first_answer_stands(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("messages"))
    deliver(office, Post())
    assert answer(office, Outcome.ACKNOWLEDGED)
    assert not answer(office, Outcome.IMPOSSIBLE)
    assert office.scalars("SELECT outcome FROM holdfast.recipient_notice") == ["acknowledged"]
    entry = json.loads(str(office.scalar("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'recipient_answered'")))
    assert entry["facts"] == {"notice": 1, "outcome": "acknowledged"}


def test_two_answers_at_once_are_one(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("messages"))
    deliver(office, Post())
    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(lambda outcome: answer(office, outcome), [Outcome.ACKNOWLEDGED, Outcome.IMPOSSIBLE] * 2))
    assert sorted(new) == [False, False, False, True]


def test_what_was_not_sent_cannot_be_acknowledged_but_need_not_be_sent(office: Office) -> None:
    night(office, office.request(1, "DR-1"), Cell("messages"))
    with pytest.raises(RequestError, match="has not been sent"):
        answer(office, Outcome.ACKNOWLEDGED)
    assert answer(office, Outcome.DISPROPORTIONATE)
    assert deliver(office, Post()) == Delivered(0, 0)


def test_an_answer_to_no_notice_is_refused(office: Office) -> None:
    with pytest.raises(RequestError, match="no notice 12"):
        answer(office, Outcome.ACKNOWLEDGED, notice=12)


def test_unanswered_notices_age(office: Office) -> None:
    for account, days in ((1, 0), (2, 10), (3, 40)):
        night(office, office.request(account, f"DR-{account}"), Cell("messages"))
        deliver(office, Post(), NOW - days * NIGHT)
    night(office, office.request(4, "DR-4"), Cell("messages"))
    answer(office, Outcome.ACKNOWLEDGED, notice=1)
    with office.engine.connect() as connection:
        assert outbox.ageing(connection, now=NOW) == (
            Ageing("message-aggregator", "erased", 1, 2, 0, 1, 1, NOW - 40 * NIGHT),
        )
        open_notices = outbox.unanswered(connection, before=NOW + NIGHT)
    assert [one.request_id for one in open_notices] == [2, 3, 4]

"""What other duties need of data is seen to before it is erased: 999 data, statistics, a review that is pending."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import nights as nights_library
from tests.holdfast.deletion_requests.nights import DAY, LONG_AGO, Nights

from holdfast import queries, settings
from holdfast.deletion_requests import interlocks
from holdfast.emergency_data import inputs
from holdfast.emergency_data import steps as emergency_data
from holdfast.suspension_statistics import steps as statistics

DATASETS = (
    "accounts", "contacts", "number_assignments", "emergency_addresses", "suspensions", "suspension_notices",
    "review_requests", "review_outcomes", "fraud_signals",
)  # fmt: skip
FIXED = "+441632960001"
REVIEW = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def nights(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    nights_library.lay_out(tmp_path / "project", DATASETS)
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    return build(database)


@pytest.fixture
def lines(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """The same with numbers alone: its nights are short."""
    nights_library.lay_out(tmp_path / "project", DATASETS[:4])
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    return build(database)


def build(engine: sa.Engine) -> Nights:
    made = nights_library.build(engine)
    # Other customers' live numbers: a source that lost all of its holds would not be believed.
    made.sql(
        "INSERT INTO provider.number (number_id, e164, status)"
        " SELECT n, '+447700900' || n, 'assigned' FROM generate_series(101, 110) AS n"
    )
    made.sql(
        "INSERT INTO provider.number_assignment (assignment_id, number_id, account_id, assigned_at)"
        " SELECT n, n, 9, :day FROM generate_series(101, 110) AS n",
        day=LONG_AGO,
    )
    made.sql(
        "INSERT INTO provider.emergency_address (emergency_address_id, assignment_id, name, premises, thoroughfare,"
        " locality, postcode, registered_at)"
        " SELECT n, n, 'EXAMPLE', '1', 'ANY STREET', 'ANYTOWN', 'ZY1 1AA', :day FROM generate_series(101, 110) AS n",
        day=LONG_AGO,
    )
    return made


def addresses(nights: Nights) -> int:
    return nights.count("emergency_address", "assignment_id = 1")


def number(nights: Nights, *, ended: bool) -> None:
    """A number of account 1 with an installation address; no cease of it was sent."""
    nights.fill(1, logins=0)
    nights.sql("INSERT INTO provider.number (number_id, e164, status) VALUES (1, '+447700900001', 'assigned')")
    nights.sql(
        "INSERT INTO provider.number_assignment (assignment_id, number_id, account_id, assigned_at, ended_at)"
        " VALUES (1, 1, 1, :day, CASE WHEN :ended THEN now() - interval '2 days' END)",
        day=LONG_AGO,
        ended=ended,
    )
    nights.sql(
        "INSERT INTO provider.emergency_address (emergency_address_id, assignment_id, name, premises, thoroughfare,"
        " locality, postcode, registered_at) VALUES (7, 1, 'EXAMPLE', '1', 'ANY STREET', 'ANYTOWN', 'ZY1 1AA', :day)",
        day=LONG_AGO,
    )


def suspension(nights: Nights) -> None:
    """Account 1 was suspended and told within half an hour, asked for a review after two hours; the case is closed."""
    nights.sql(
        "INSERT INTO provider.suspension (suspension_id, account_id, decided_at, automation, restriction, reason,"
        " detection_source, lawful_basis, rule_version, ends_at, case_closed_at)"
        " VALUES (1, 1, now() - interval '9 days', 'fully', 'total', 'fraud', 'detector', 'contract', 'rules-1',"
        " now() - interval '7 days', now())"
    )
    nights.sql(
        "INSERT INTO provider.suspension_notice (suspension_id, channel, address, sent_at, body)"
        " SELECT 1, 'email', 'zoe@example.com', decided_at + interval '30 minutes', 'Zoe, you are suspended.'"
        " FROM provider.suspension"
    )
    nights.sql(
        "INSERT INTO provider.review_request SELECT :review, 1, 'human_review', decided_at + interval '2 hours', NULL,"
        " 'It was not me.' FROM provider.suspension",
        review=REVIEW,
    )


def review_is_decided(nights: Nights) -> None:
    nights.sql(
        "INSERT INTO provider.review_outcome SELECT :review, requested_at + interval '1 hour', 'overturned',"
        " 'reviewer-1', 'It was not them.' FROM provider.review_request",
        review=REVIEW,
    )


def ceases(nights: Nights) -> list[tuple[str, str, bool]]:
    rows = nights.sql("SELECT dataset, record_key, done_at IS NOT NULL AS done FROM holdfast.emergency_cease")
    return [(row.dataset, row.record_key, row.done) for row in rows]


def decision(nights: Nights, run: int, dataset: str) -> tuple[str, str]:
    [row] = nights.sql(
        "SELECT decision, reason FROM holdfast.request_decision WHERE run_id = :run AND dataset = :dataset",
        run=run,
        dataset=dataset,
    )
    return row.decision, row.reason


# --- 999 ----------------------------------------------------------------------------------------------------------


def test_a_live_numbers_address_stays_and_nobody_wants_its_cease(nights: Nights) -> None:
    number(nights, ended=False)
    request = nights.ask(1, "web-1")
    nights.night(3)
    assert addresses(nights) == nights.count("number_assignment", "account_id = 1") == 1
    assert nights.count("contact") == 0
    assert nights.state(request) == "partly_completed"
    assert ceases(nights) == []


def test_an_erased_customer_leaves_the_999_data_by_a_cease_and_then_their_address_goes(nights: Nights) -> None:
    number(nights, ended=True)
    request = nights.ask(1, "web-1")
    nights.night(4)
    assert ceases(nights) == [("emergency_addresses", "7", False)]
    assert addresses(nights) == 1
    assert nights.count("contact") == 0
    nights.night(3)
    assert ceases(nights) == [("emergency_addresses", "7", False)]
    assert nights.desk.entries().count(("emergency_cease_wanted", {"records": 1})) == 1

    nights.sql("UPDATE provider.emergency_address SET ceased_at = now()")  # sent, and not yet acknowledged
    nights.night(2)
    assert addresses(nights) == 1
    assert ceases(nights) == [("emergency_addresses", "7", False)]

    nights.sql("UPDATE provider.emergency_address SET cease_acknowledged_at = now()")
    nights.night(1)
    assert addresses(nights) == nights.count("number_assignment", "account_id = 1") == 0
    assert ceases(nights) == [("emergency_addresses", "7", True)]
    assert nights.state(request) == "completed"
    told = nights.sql("SELECT kind FROM holdfast.recipient_notice WHERE recipient = 'emergency-handling-authority'")
    assert [row.kind for row in told] == ["emergency_cease"]


class Authority:
    """Our own 999 job and the authority that answers it, a day further each time."""

    def __init__(self, nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
        self._nights = nights
        self._days = 0
        monkeypatch.setattr(inputs, "now", lambda _: nights.today + self._days * DAY)

    def run(self) -> dict[str, str]:
        """Make an extract, check it and let it leave; what the authority knows now."""
        engine, given = self._nights.engine, settings.load()
        self._days += 1
        emergency_data.make_extract(engine, given)
        emergency_data.prepare(engine, given)
        for one in emergency_data.list_providers(engine, given):
            emergency_data.work_through(engine, given, provider=str(one["provider"]))
        emergency_data.deliver_files(engine, given)
        return self.knows()

    def answer(self, sequence: int) -> dict[str, str]:
        """The authority accepts all of the last file."""
        engine, given = self._nights.engine, settings.load()
        at = f"{self._nights.today + self._days * DAY:%Y-%m-%dT%H:%M:%SZ}"
        folder = given.emergency / "responses"
        folder.mkdir(exist_ok=True, parents=True)
        (folder / f"{sequence}.csv").write_text(f"RSP,1,HFT,{sequence},{at},ACCEPTED\r\nEND,0\r\n")
        assert emergency_data.read_responses(engine, given)["read"] == 1
        return self.knows()

    def knows(self) -> dict[str, str]:
        rows = self._nights.sql("SELECT number, state FROM emergency.number_record")
        return {row.number: row.state for row in rows}


def test_our_own_999_job_ceases_the_number_and_its_answer_lets_the_address_go(
    lines: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    number(lines, ended=False)
    lines.sql("UPDATE provider.number SET e164 = :fixed WHERE number_id = 1", fixed=FIXED)
    lines.sql(
        "UPDATE provider.emergency_address SET title = 'DR', forename = 'TESTINA', name = 'MCSAMPLE', premises = '1',"
        " thoroughfare = 'FICTIONAL WAY', locality = 'EXAMPLETON', postcode = 'AA1 0AA' WHERE assignment_id = 1"
    )
    authority = Authority(lines, monkeypatch)
    assert authority.run() == {FIXED: "pending"}
    assert authority.answer(1) == {FIXED: "registered"}

    # Whoever is erased while the number is live keeps the record: a call must find the address.
    request = lines.ask(1, "web-1")
    lines.night(6)
    assert lines.count("contact") == 0
    assert authority.run() == {FIXED: "registered"}
    assert addresses(lines) == 1
    assert ceases(lines) == []

    lines.sql("UPDATE provider.number_assignment SET ended_at = now() WHERE assignment_id = 1")
    lines.night(5)
    assert ceases(lines) == [("emergency_addresses", "7", False)]
    assert authority.run() == {FIXED: "pending_cease"}
    lines.night(4)
    [row] = lines.sql("SELECT ceased_at, cease_acknowledged_at FROM provider.emergency_address WHERE assignment_id = 1")
    assert row.ceased_at is not None
    assert row.cease_acknowledged_at is None
    assert (addresses(lines), lines.state(request)) == (1, "partly_completed")

    assert authority.answer(3) == {FIXED: "unregistered"}
    lines.night(3)
    assert ceases(lines) == [("emergency_addresses", "7", True)]
    assert (addresses(lines), lines.state(request)) == (0, "completed")
    gaps = emergency_data.reconcile(lines.engine, settings.load())["gaps"]
    assert gaps == {}


def test_a_number_that_somebody_else_has_now_is_ceased_by_their_record(lines: Nights) -> None:
    number(lines, ended=True)
    lines.sql(
        "INSERT INTO provider.number_assignment (assignment_id, number_id, account_id, assigned_at)"
        " VALUES (2, 1, 9, now() - interval '1 day')"
    )
    lines.sql(
        "INSERT INTO emergency.number_record (provider, number, state, sequence, line_no, submitted_at, filled)"
        " VALUES ('HFT', '+447700900001', 'pending', 1, 1, now() - interval '1 hour', 0)"
    )
    with lines.engine.begin() as connection:
        assert interlocks.note_answers(connection) == 0, "nobody has confirmed it"
    lines.sql("UPDATE emergency.number_record SET state = 'registered', answered_at = now()")
    with lines.engine.begin() as connection:
        assert interlocks.note_answers(connection) == 1
        assert interlocks.note_answers(connection) == 0
    lines.sql("UPDATE provider.number_assignment SET assigned_at = now() WHERE assignment_id = 2")
    lines.sql("UPDATE provider.emergency_address SET ceased_at = NULL, cease_acknowledged_at = NULL")
    with lines.engine.begin() as connection:
        assert interlocks.note_answers(connection) == 0, "what the authority confirmed is the old record"


def test_a_cease_that_nobody_confirms_is_a_break_after_three_days(nights: Nights) -> None:
    number(nights, ended=True)
    nights.ask(1, "web-1")
    assert nights.breaks(nights.night(3), "cease_unconfirmed") == {}
    nights.sql("UPDATE holdfast.emergency_cease SET wanted_at = wanted_at - interval '4 days'")
    assert nights.breaks(nights.night(2), "cease_unconfirmed") == {"emergency_addresses": 1}


def test_a_request_for_something_else_ceases_nothing(nights: Nights) -> None:
    number(nights, ended=True)
    nights.ask(1, "web-1", ("contacts", None))
    nights.night(3)
    assert ceases(nights) == []


# --- statistics ---------------------------------------------------------------------------------------------------


def test_facts_about_nobody_are_taken_before_a_suspension_is_erased(nights: Nights) -> None:
    suspension(nights)
    review_is_decided(nights)
    request = nights.ask(1, "web-1")
    nights.night(3)
    assert nights.state(request) == "completed"
    assert nights.count("suspension") == nights.count("review_request") == nights.count("suspension_notice") == 0
    [made] = nights.sql("SELECT * FROM statistics.decision")
    assert (made.automation, made.restriction, made.reason, made.detection_source, made.account_kind) == (
        "fully", "total", "fraud", "detector", "individual",
    )  # fmt: skip
    assert made.planned_hours == 48
    [told] = nights.sql("SELECT minutes FROM statistics.notice")
    [asked] = nights.sql("SELECT kind, minutes FROM statistics.request")
    [ended] = nights.sql("SELECT outcome, minutes FROM statistics.ending")
    assert (told.minutes, tuple(asked), tuple(ended)) == (30, ("human_review", 120), ("overturned", 60))
    [entry] = nights.sql("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'facts_taken'")
    assert json.loads(entry.entry)["facts"]["new"] == 4, "what every night takes later is known already"


def test_while_a_suspension_stays_its_fact_follows_it_and_is_one(nights: Nights) -> None:
    suspension(nights)
    review_is_decided(nights)
    nights.hold("matter-1", 1, "suspensions", "review_requests", "review_outcomes", "suspension_notices")
    nights.ask(1, "web-1")
    nights.night(4)
    nights.sql("UPDATE provider.review_outcome SET outcome = 'upheld'")
    nights.night(3)
    [fact] = nights.sql("SELECT outcome FROM statistics.ending WHERE superseded_at IS NULL")
    assert fact.outcome == "upheld"
    assert nights.count("suspension") == 1


def test_of_whoever_did_not_ask_no_fact_is_taken(nights: Nights) -> None:
    suspension(nights)
    nights.ask(2, "web-2")
    nights.night(4)
    assert nights.sql("SELECT FROM statistics.decision") == []


def test_facts_that_every_night_takes_are_not_taken_a_second_time(nights: Nights) -> None:
    suspension(nights)
    review_is_decided(nights)
    statistics.take_facts(nights.engine, settings.load())
    nights.ask(1, "web-1")
    nights.night(3)
    assert nights.count("suspension") == 0
    assert len(nights.sql("SELECT FROM holdfast.ledger_entry WHERE kind = 'facts_taken'")) == 1
    assert len(nights.sql("SELECT FROM statistics.ending")) == 1


def test_where_facts_cannot_be_taken_nothing_is_erased(nights: Nights) -> None:
    suspension(nights)
    review_is_decided(nights)
    nights.ask(1, "web-1")
    nights.sql("ALTER TABLE statistics.decision RENAME TO elsewhere")
    with pytest.raises(sa.exc.ProgrammingError):
        nights.night(3)
    assert nights.count("suspension") == nights.count("review_request") == 1


# --- reviews ------------------------------------------------------------------------------------------------------


def test_a_pending_review_keeps_what_it_needs_and_its_end_frees_it(nights: Nights) -> None:
    nights.fill(1, logins=0)
    suspension(nights)
    nights.sql(
        "INSERT INTO provider.fraud_signal (account_id, detected_at, detector, score, detail)"
        " VALUES (1, :day, 'any', 1, 'Any.')",
        day=LONG_AGO,
    )
    request = nights.ask(1, "web-1")
    run = nights.night(4)
    kept = ("suspension", "suspension_notice", "review_request", "fraud_signal", "contact")
    assert [nights.count(table) for table in kept] == [1, 1, 1, 1, 1]
    assert decision(nights, run, "suspensions") == ("held", "SUSPENSION_REVIEW")
    assert decision(nights, run, "accounts")[0] == "anonymise"
    review_is_decided(nights)
    nights.night(3)
    assert [nights.count(table) for table in kept] == [0, 0, 0, 0, 0]
    assert nights.state(request) == "completed"


def test_a_review_that_was_withdrawn_keeps_nothing(nights: Nights) -> None:
    suspension(nights)
    nights.sql("UPDATE provider.review_request SET withdrawn_at = now()")
    request = nights.ask(1, "web-1")
    nights.night(3)
    assert nights.state(request) == "completed"


# --- the provider's query ------------------------------------------------------------------------------------------


def test_the_providers_query_has_its_declared_shape(nights: Nights) -> None:
    number(nights, ended=True)
    with nights.engine.connect() as connection:
        keys = {"subject_keys": ["1", "2", "no number"]}
        [cease] = queries.run(connection, "provider/emergency_ceases", keys).mappings()
    assert dict(cease) == {
        "subject_key": "1",
        "dataset": "emergency_addresses",
        "record_key": "7",
        "is_ceased": False,
        "is_acknowledged": False,
    }

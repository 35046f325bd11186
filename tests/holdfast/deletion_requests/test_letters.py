"""Letters are written when they are owed, once, where nobody else can read them, and go in their turn."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import letters_library
from tests.holdfast.deletion_requests.letters_library import KEEP, NIGHT, NOW, TAX_END, Cell, Office

from holdfast import queries, settings
from holdfast.database import snapshot, transaction
from holdfast.deletion_requests import breaks, letters, letters_addressee, register
from holdfast.deletion_requests.agenda import status_of
from holdfast.deletion_requests.break_kinds import Kind as BreakKind
from holdfast.deletion_requests.breaks import Break
from holdfast.deletion_requests.letters_facts import Kind
from holdfast.errors import LetterRefused, QueryError
from holdfast.reports import files
from holdfast.store import AnyPath

LATER = NOW + dt.timedelta(days=1600)
ALL_GONE = (Cell("contacts"), Cell("messages"))
TAX = Cell("invoices", "held", "TAX_CT", acted=0, held=3, until=TAX_END)


@pytest.fixture
def office(database: sa.Engine, home: Path) -> Office:
    """An office with one person, account 1."""
    made = Office(database)
    made.person(1)
    return made


def decided(office: Office, *cells: Cell, account: int = 1, reference: str = "DR-1") -> tuple[int, int]:
    """A request that was acknowledged and then carried out in the next night; its number and the run's."""
    request = office.request(account, reference)
    office.write(office.night())
    run = office.night()
    office.decide(run, request, *cells)
    office.restrict(request, *(cell.dataset for cell in cells if cell.held))
    office.move(request, run, "executing", "partly_completed" if any(cell.held for cell in cells) else "completed")
    return request, run


def told(office: Office, run: int) -> list[Break]:
    """What the night reports of letters."""
    with snapshot(office.engine) as connection:
        found = breaks.find(connection, letters_library.policy(), letters_library.terms(), run, now=NOW)
    return [one for one in found if one.kind in (BreakKind.ENDED_UNTOLD, BreakKind.LETTER_UNWRITTEN)]


def folder(request: int) -> AnyPath:
    return settings.load().letters / str(request)


# --- what is owed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["received", "identity_pending", "verified", "assessed", "approved"])
def test_every_request_is_acknowledged(office: Office, state: str) -> None:
    request = office.request(1, "DR-1", state)
    written = office.write(office.night())
    assert [(one.request_id, one.kind) for one in written.letters] == [(request, Kind.ACKNOWLEDGEMENT)]
    assert written.failed == ()
    assert "We have received your request" in office.text(request, "acknowledgement")


def test_no_letter_is_owed_while_it_is_carried_out(office: Office) -> None:
    office.request(1, "DR-1", "executing")
    assert office.write(office.night()).letters == ()


def test_a_withdrawal_is_confirmed_once_and_the_address_goes_after_it(office: Office) -> None:
    request = office.request(1, "DR-1", "withdrawn")
    office.write(office.night())
    office.write(office.night())
    assert office.letters() == [(request, "withdrawal")]
    assert "have erased nothing because of your request" in office.text(request, "withdrawal")
    assert not (folder(request) / "addressee").exists()


def test_an_extension_has_its_letter(office: Office) -> None:
    request = office.request(1, "DR-1", "verified", extension_reason="complexity", extension_notified_at=NOW)
    office.write(office.night())
    assert office.letters() == [(request, "acknowledgement"), (request, "extension")]
    assert "26 January 2027" in office.text(request, "extension")


def test_a_refusal_has_its_letter_and_the_address_goes_after_it(office: Office) -> None:
    request = office.request(1, "DR-1", "refused", refusal_reason="excessive", closed_at=NOW)
    office.write(office.night())
    assert office.letters() == [(request, "refusal")]
    assert not (folder(request) / "addressee").exists()
    assert office.write(office.night()).letters == ()
    assert not (folder(request) / "addressee").exists()


def test_the_outcome_is_told_when_all_is_gone_and_nothing_follows(office: Office) -> None:
    request, run = decided(office, *ALL_GONE)
    office.write(run)
    assert office.letters() == [(request, "acknowledgement"), (request, "outcome")]
    assert "What stays, and why" not in office.text(request, "outcome")
    office.write(office.night())
    assert len(office.letters()) == 2


def test_a_final_letter_follows_when_the_rest_is_gone(office: Office) -> None:
    request, run = decided(office, *ALL_GONE, TAX)
    office.write(run)
    assert "Finance Act 1998" in office.text(request, "outcome")
    waiting = office.night()
    office.decide(waiting, request, TAX)
    office.write(waiting)
    unassessed = office.night()
    office.write(unassessed)
    assert len(office.letters()) == 2
    last = office.night()
    office.decide(last, request, Cell("invoices"))
    office.move(request, last, "completed")
    office.write(last, LATER)
    assert office.letters()[2:] == [(request, "final")]
    text = office.text(request, "final")
    assert "<li>Invoices</li>" in text
    assert "letter of\n24 November 2026" in text


def test_an_outcome_lists_what_nights_before_had_erased(office: Office) -> None:
    request = office.request(1, "DR-1")
    office.write(office.night())
    first = office.night()
    office.decide(first, request, Cell("contacts"), Cell("messages", "unknown", "source", acted=0, held=0))
    office.move(request, first, "executing")
    assert office.write(first).letters == ()
    second = office.night()
    office.decide(second, request, Cell("contacts", acted=0), Cell("messages"))
    office.move(request, second, "completed")
    office.write(office.night())
    text = office.text(request, "outcome")
    assert "your contact details" in text
    assert "messages" in text


# --- how they are kept -------------------------------------------------------------------------------------------


def test_a_letter_is_kept_apart_and_known_by_its_digest_alone(office: Office) -> None:
    request = office.request(1, "DR-1")
    office.write(office.night())
    kept = folder(request) / "acknowledgement"
    assert sorted(file.name for file in kept.iterdir()) == ["SHA256SUMS", "letter.html", "letter.pdf"]
    for path in settings.load().home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    with office.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT * FROM holdfast.request_letter")).one()
        entry = connection.execute(
            sa.text("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'letter_written'")
        ).scalar_one()
    assert row.file_name == f"{request}/acknowledgement"
    assert row.written_at == NOW
    assert json.loads(entry)["facts"] == {
        "request": request,
        "kind": "acknowledgement",
        "letter": f"sha256:{row.sha256}",
    }
    assert (
        files.write_set(
            kept.parent, ("copy",), {name: (kept / name).read_bytes() for name in ("letter.html", "letter.pdf")}
        ).sha256
        == row.sha256
    )


def test_nothing_in_the_database_or_in_what_a_night_says_names_the_person(office: Office) -> None:
    office.request(1, "DR-1")
    office.request(2, "DR-2")  # nobody knows this one
    said = repr(office.write(office.night()))
    with office.engine.connect() as connection:
        tables = connection.execute(
            sa.text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'holdfast'")
        ).scalars()
        for table in tables:
            rows = connection.execute(sa.select(sa.text("*")).select_from(sa.table(table, schema="holdfast"))).all()
            said += repr(rows)
    for personal in ("Zoë", "zoe@", "Sample Row", "EX1"):
        assert personal not in said


def test_the_same_night_again_writes_nothing(office: Office) -> None:
    office.request(1, "DR-1")
    run = office.night()
    assert len(office.write(run).letters) == 1
    assert office.write(run).letters == ()


def test_two_nights_at_once_write_each_letter_once(office: Office) -> None:
    for account in range(2, 8):
        office.person(account)
        office.request(account, f"DR-{account}")
    run = office.night()
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(office.write, [run, run]))
    assert sum(len(one.letters) for one in written) == 6
    assert len(office.letters()) == 6


def test_a_letter_that_cannot_be_written_stops_no_other_and_stays_owed(office: Office) -> None:
    office.person(2, name="王小明")
    bad = office.request(2, "DR-2")
    good = office.request(1, "DR-1")
    written = office.write(office.night())
    assert [one.request_id for one in written.letters] == [good]
    [failed] = written.failed
    assert (failed.request_id, failed.kind, failed.error) == (bad, Kind.ACKNOWLEDGEMENT, "Unprintable")
    assert "Cjk" in failed.what
    office.run("UPDATE provider.contact SET full_name = 'Wang Xiaoming' WHERE account_id = 2")
    assert [one.request_id for one in office.write(office.night()).letters] == [bad]


def test_files_that_were_left_by_a_crash_are_written_over(office: Office) -> None:
    request = office.request(1, "DR-1")
    files.write_set(settings.load().letters, (str(request), "acknowledgement"), {"letter.html": "half"})
    office.write(office.night())
    assert "We have received" in office.text(request, "acknowledgement")


# --- to whom -----------------------------------------------------------------------------------------------------


def test_a_letter_still_finds_its_reader_when_the_contact_is_gone(office: Office) -> None:
    request, run = decided(office, *ALL_GONE, TAX)
    office.run("DELETE FROM provider.contact")
    office.write(run)
    assert "Zoë Example" in office.text(request, "outcome")
    last = office.night()
    office.decide(last, request, Cell("invoices"))
    office.write(last, LATER)
    assert "Zoë Example" in office.text(request, "final")
    assert not (folder(request) / "addressee").exists()
    assert office.scalar("SELECT erased_at FROM holdfast.request_addressee") == LATER


def test_the_address_follows_the_provider_until_the_request_is_carried_out(office: Office) -> None:
    request = office.request(1, "DR-1")
    office.write(office.night())
    office.run("UPDATE provider.contact SET address_line = '2 Sample Row'")
    office.write(office.night())
    run = office.night()
    office.decide(run, request, *ALL_GONE)
    office.move(request, run, "executing", "completed")
    office.run("UPDATE provider.contact SET address_line = '3 Sample Row'")
    office.write(run)
    assert "2 Sample Row" in office.text(request, "outcome")


def test_a_request_that_nobody_can_be_told_of_is_named(office: Office) -> None:
    unknown = office.request(99, "DR-99")
    written = office.write(office.night())
    assert written.unaddressed == (unknown,)
    assert (written.letters, written.failed, written.given_up) == ((), (), ())
    office.person(99)
    assert [one.kind for one in office.write(office.night()).letters] == [Kind.ACKNOWLEDGEMENT]


@pytest.mark.parametrize(("state", "reason"), [("withdrawn", None), ("refused", "not_a_subject")])
def test_one_that_ended_without_an_address_is_settled_once_and_said_to_be(
    office: Office, state: str, reason: str | None
) -> None:
    unknown = office.request(99, "DR-99", state, refusal_reason=reason, closed_at=NOW)
    first = office.night()
    written = office.write(first)
    assert (written.letters, written.failed, written.given_up) == ((), (), (unknown,))
    [facts] = office.scalars(
        "SELECT cast(entry AS jsonb) -> 'facts' FROM holdfast.ledger_entry WHERE kind = 'letter_impossible'"
    )
    assert facts == {"requests": [unknown]}
    assert told(office, first) == [Break(BreakKind.ENDED_UNTOLD, 1, requests=(unknown,))]
    with transaction(office.engine) as connection:
        lines = list(status_of(register.get(connection, unknown), letters_library.terms()))
    assert lines[-1].startswith("No letter about its end could be written: nobody knows an address.")
    office.person(99)
    second = office.night()
    again = office.write(second)
    assert (again.letters, again.failed, again.given_up) == ((), (), ())
    assert told(office, second) == []


def test_a_letter_that_could_not_be_written_is_told_until_it_is(office: Office) -> None:
    request = office.request(1, "DR-1", "executing")
    office.run("INSERT INTO holdfast.request_addressee VALUES (:request, 'p1:0', now(), NULL)", request=request)
    run = office.night()
    office.decide(run, request, *ALL_GONE)
    office.move(request, run, "completed")
    assert [one.error for one in office.write(run).failed] == ["LetterRefused"]
    assert told(office, run) == [Break(BreakKind.LETTER_UNWRITTEN, 1, "outcome", (request,))]


def test_a_withdrawn_request_keeps_no_address(office: Office) -> None:
    request = office.request(1, "DR-1")
    office.write(office.night())
    assert (folder(request) / "addressee").exists()
    office.move(request, office.night(), "withdrawn")
    office.write(office.night())
    assert not (folder(request) / "addressee").exists()


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_an_address_that_is_not_the_one_that_was_kept_is_not_used(office: Office, harm: str) -> None:
    request, run = decided(office, *ALL_GONE)
    card = folder(request) / "addressee" / "addressee.json"
    if harm == "gone":
        shutil.rmtree(card.parent)
    else:
        card.write_text(card.read_text(encoding="utf-8").replace("Zoë", "Eve"), encoding="utf-8")
    [failed] = office.write(run).failed
    assert failed.error == LetterRefused.__name__


def test_an_address_is_cleaned_of_what_cannot_be_seen(office: Office) -> None:
    office.run(
        "UPDATE provider.contact SET full_name = :name, address_line = :line",
        name="Zoë\u202e\n  Example\x07",
        line="x" * 500,
    )
    request = office.request(1, "DR-1")
    office.write(office.night())
    with office.engine.connect() as connection:
        addressee = letters_addressee.read(connection, settings.load(), request)
    assert addressee.name == "Zoë Example"
    assert addressee.lines == ("x" * 120, "Exampleton", "EX1 1ZZ")


def test_the_owner_of_an_account_is_written_to(office: Office) -> None:
    office.run(
        "INSERT INTO provider.contact (contact_id, account_id, role, full_name, email, address_line, post_town,"
        " postcode, created_at) VALUES (0, 1, 'technical', 'Tom Test', 't@example.com', 'x', 'x', 'x', '2019-01-01')"
    )
    request = office.request(1, "DR-1")
    office.write(office.night())
    assert "Dear Zoë Example" in office.text(request, "acknowledgement")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (
            "SELECT key AS subject_key, 'a' AS full_name FROM unnest(cast(:subject_keys AS text [])) AS one (key)",
            "email",
        ),
        (
            "SELECT key AS subject_key, 'a' AS full_name, ARRAY['b'] AS address_lines, NULL AS email"
            " FROM unnest(cast(:subject_keys AS text [])) AS one (key), generate_series(1, 2)",
            "more than one",
        ),
    ],
)
def test_a_query_of_the_provider_that_gives_something_else_is_refused(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, why: str
) -> None:
    project = tmp_path / "project"
    for name in ("sql", "policy"):
        shutil.copytree(settings.load().project / name, project / name)
    header = "-- params: subject_keys text[]\n"
    (project / "sql" / "provider" / "letter_addressee.sql").write_text(header + query, encoding="utf-8")
    office.request(1, "DR-1")
    run = office.night()
    monkeypatch.setenv(settings.PROJECT, str(project))
    queries.query.cache_clear()
    try:
        with pytest.raises(QueryError, match=why):
            office.write(run)
    finally:
        queries.query.cache_clear()


# --- their own retention -----------------------------------------------------------------------------------------

ENDS = KEEP.after(NOW.date())


def erase(office: Office, day: dt.date) -> int:
    moment = dt.datetime.combine(day, dt.time(1, 30), tzinfo=dt.UTC)
    return letters.erase_expired(office.engine, office.stationery, now=moment)


def test_letters_are_erased_when_their_period_is_over_and_not_a_day_before(office: Office) -> None:
    request, run = decided(office, *ALL_GONE)
    office.write(run)
    assert erase(office, ENDS) == 0
    assert erase(office, ENDS + NIGHT) == 1
    assert not folder(request).exists()
    assert erase(office, ENDS + NIGHT) == 0
    assert office.scalars("SELECT erased_at IS NOT NULL FROM holdfast.request_letter") == [True, True]
    entry = office.scalar("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'letters_erased'")
    assert json.loads(str(entry))["facts"] == {"request": request, "letters": 2}


def test_letters_of_an_open_request_stay(office: Office) -> None:
    request, run = decided(office, *ALL_GONE, TAX)
    office.write(run)
    assert erase(office, ENDS + 1000 * NIGHT) == 0
    assert folder(request).exists()


@pytest.mark.parametrize(
    ("hold", "stays"),
    [
        ({"subject_key": "1"}, True),
        ({"subject_key": None}, True),
        ({"subject_key": "2"}, False),
        ({"subject_key": "1", "datasets": ["messages"]}, False),
        ({"subject_key": "1", "ends_on": ENDS}, False),
        ({"subject_key": "1", "ends_on": ENDS + NIGHT}, True),
        ({"subject_key": "1", "released_at": NOW}, False),
    ],
)
def test_letters_of_a_person_about_whom_everything_is_held_stay(
    office: Office, hold: dict[str, object], stays: bool
) -> None:
    _, run = decided(office, *ALL_GONE)
    office.write(run)
    given = {"datasets": None, "ends_on": None, "released_at": None} | hold
    office.run(
        "INSERT INTO holdfast.hold (source_id, reference, hold_type, authority, ground, disclosable, subject_key,"
        " datasets, ends_on, placed_at, placed_by, released_at) VALUES ('by-hand', 'h-1', 'LITIGATION', 'legal',"
        " 'claims', TRUE, :subject_key, cast(:datasets AS text []), :ends_on, :at, 'x', :released_at)",
        at=NOW,
        **given,
    )
    assert erase(office, ENDS + NIGHT) == (0 if stays else 1)


def test_no_letter_is_erased_while_a_source_of_holds_is_not_believed(office: Office) -> None:
    _, run = decided(office, *ALL_GONE)
    office.write(run)
    office.run(
        "INSERT INTO holdfast.hold_source (source_id, status, checked_at) VALUES ('legal', 'stale', :at)", at=NOW
    )
    assert erase(office, ENDS + NIGHT) == 0
    office.run("UPDATE holdfast.hold_source SET status = 'trusted'")
    assert erase(office, ENDS + NIGHT) == 1


def test_what_could_not_be_erased_is_not_noted_as_erased(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    request, run = decided(office, *ALL_GONE)
    office.write(run)

    def refuse(path: Path) -> None:
        raise PermissionError(path.name)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", refuse)
        with pytest.raises(PermissionError):
            erase(office, ENDS + NIGHT)
    assert office.scalars("SELECT erased_at FROM holdfast.request_letter") == [None, None]
    assert folder(request).exists()
    assert erase(office, ENDS + NIGHT) == 1


def test_the_code_of_a_letter_is_the_same_whenever_it_is_asked_for(office: Office) -> None:
    request = office.request(1, "DR-1")
    office.write(office.night())
    code = letters.code_of(settings.load(), "DR-1", Kind.ACKNOWLEDGEMENT)
    assert f"Letter code {code}." in office.text(request, "acknowledgement")
    assert code != letters.code_of(settings.load(), "DR-1", Kind.OUTCOME)
    assert code != letters.code_of(settings.load(), "DR-2", Kind.ACKNOWLEDGEMENT)
    assert len(code) == 24

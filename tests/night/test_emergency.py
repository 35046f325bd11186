"""999 data in the real Airflow, from arrival to the yes of the authority: four runs of one installation, in turn.

A reseller's extract comes late, with damaged records. The next one is broken, and the authority rejects two records:
that run fails, past its hour. Then come corrections, with more changed addresses than the bounds allow: a person is
asked. At last the authority accepts them.
"""

from __future__ import annotations

import datetime as dt
import email
import email.message
import hashlib
import json
import shutil
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.mail_server import mailbox
from tests.night.installation import PROJECT, Installation, installed, read, status, token
from tests.night.stack import Stack, up_on

from holdfast import clock
from holdfast.emergency_data import layout_files
from holdfast.emergency_data.taking_in import ZONE
from holdfast.emergency_data.writing import Head
from holdfast.synthetic import emergency as synthetic

DAG = "emergency_data_999"
RESELLER = "RSL"
RECORDS, DAMAGED, REJECTED, MOVED = 40, 3, 2, 8
NUMBERS = """
SELECT number.e164 FROM provider.number JOIN provider.number_assignment AS assigned USING (number_id)
WHERE assigned.ended_at IS NULL AND number.e164 !~ '^[+]44[789]' ORDER BY number.e164 LIMIT :most
"""


@dataclass
class Office:
    """The reseller, the authority and the people of one installation, whose Airflow stays up."""

    up: Stack
    mails: list[str]
    numbers: Sequence[str]
    states: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.up.settings.emergency

    def record(self, n: int, action: str = "I", **changes: str) -> dict[str, str]:
        return synthetic.record(n, today(), e164=self.numbers[n], action=action) | changes

    def respond(self, sequence: int, outcome: str, *rejected: str) -> None:
        """Answer the release as the authority would, from the file that it was sent."""
        (sent,) = (self.root / "outbox").glob(f"NG999_{RESELLER}_*_{sequence:06d}.csv")
        lines = {cells[3]: cells[1] for cells in (line.split(",") for line in sent.read_text().splitlines()[1:-1])}
        named = [f"ANS,{lines[number]},{number},REJECTED,BADPC" for number in rejected]
        head = f"RSP,1,{RESELLER},{sequence},{now():%Y-%m-%dT%H:%M:%SZ},{outcome}"
        text = "".join(f"{line}\r\n" for line in (head, *named, f"END,{len(named)}"))
        (self.root / "responses" / f"{sequence}.csv").write_text(text)

    def begin(self, logical_date: dt.datetime) -> str:
        return str(self.up.patiently(lambda: self.up.api.trigger(DAG, logical_date)))

    def end(self, run: str) -> str:
        """How a run ends; the states of the reseller's numbers are kept as they are then."""
        ended = self.up.end_of(run)
        rows = self.rows(f"SELECT state FROM emergency.number_record WHERE provider = '{RESELLER}'")
        self.states[run] = Counter(row.state for row in rows)
        return ended

    def tasks(self, run: str, state: str) -> list[str]:
        """The tasks of a run that are in this state."""
        tasks = self.up.patiently(lambda: self.up.api.tasks(DAG, run))
        return sorted({task.task_id for task in tasks if task.state == state})

    def parked(self, run: str, task: str, state: str) -> None:
        """Return once a task waits, and Airflow's scheduler has heard of it: see tests/night/test_approval.py."""
        heard = f"with state success for task instance TaskInstanceKey(dag_id='{DAG}', task_id='{task}', run_id='{run}'"
        scheduler = self.up.installation.home / "logs" / "scheduler.log"
        until(lambda: heard in scheduler.read_text() and task in self.tasks(run, state))

    def rows(self, statement: str) -> list[Any]:
        with self.up.engine.connect() as connection:
            return list(connection.execute(sa.text(statement)).all())

    def ledger(self, kind: str) -> list[Mapping[str, Any]]:
        rows = self.rows(f"SELECT entry FROM holdfast.ledger_entry WHERE kind = '{kind}' ORDER BY seq")
        return [json.loads(row.entry)["facts"] for row in rows]


def until(holds: Callable[[], object], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(1)


def now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC).replace(microsecond=0)


def today() -> dt.date:
    return clock.local_date(now(), ZONE)


def send(installation: Installation, sequence: int, extract_type: str, records: Sequence[Mapping[str, str]]) -> Path:
    """Put an extract of the reseller into the inbox, as a sender would: under another name first."""
    plain = layout_files.load_all(installation.project / "expectations" / "emergency_data")["ng999-v1"]
    inbox = installation.settings.emergency / "inbox"
    head = Head(RESELLER, sequence, sequence - 1, extract_type, today(), now())
    written = synthetic.write_extract(inbox.parent, plain, head, records).path
    return written.replace(inbox / written.name)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An installation that expects a reseller's extract besides its own, and mails its alerts."""
    project = tmp_path_factory.mktemp("project")
    for name in ("dags", "plugins", "policy", "sql"):
        (project / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "expectations", project / "expectations")
    bounds = project / "expectations" / "emergency_data" / "bounds.yaml"
    text = bounds.read_text().replace("expected: [HFT]", f"expected: [HFT, {RESELLER}]")
    bounds.write_text(text.replace("second_opinion: true", "second_opinion: false"))  # test_night.py has it
    with mailbox() as (port, mails), installed(project) as made, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AIRFLOW_CONN_HOLDFAST_ALERTS", json.dumps(mail_server(port)))
        with up_on(made, DAG, accounts=80, first=now()) as up:
            with up.engine.connect() as connection:
                numbers = connection.execute(sa.text(NUMBERS), {"most": RECORDS}).scalars().all()
            assert len(numbers) == RECORDS
            yield Office(up, mails, numbers)


def mail_server(port: int) -> dict[str, object]:
    extra = {"from_email": "airflow@example.com", "to": "on-call@example.com", "disable_tls": True, "disable_ssl": True}
    return {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}


@pytest.fixture(scope="module")
def arrived(office: Office) -> str:
    """The run that waits for the reseller's extract, which comes late and has damaged records."""
    run = office.begin(now())
    office.parked(run, "files_arrive", "deferred")
    damaged = [{"postcode": ""}, {"name": "UNKNOWN"}, {"premises": "", "thoroughfare": ""}]
    changes = [*damaged, *[{}] * (RECORDS - DAMAGED)]
    send(office.up.installation, 1, "FULL", [office.record(n) | change for n, change in enumerate(changes)])
    assert office.end(run) == "success", office.tasks(run, "failed")
    return run


@pytest.fixture(scope="module")
def broken(office: Office, arrived: str) -> str:
    """The run that meets a broken file and two rejects, and that began when it should have ended."""
    assert arrived in office.states
    path = send(office.up.installation, 2, "DELTA", [office.record(3, "A", premises="9")])
    path.write_bytes(path.read_bytes()[:-20])
    office.respond(1, "PARTIAL", *office.numbers[DAMAGED : DAMAGED + REJECTED])
    run = office.begin(now() - dt.timedelta(hours=2))
    assert office.end(run) == "failed"
    return run


@pytest.fixture(scope="module")
def approved(office: Office, broken: str) -> str:
    """The run that is asked about corrections and many changed addresses, and is told yes."""
    assert broken in office.states
    corrected = [office.record(n, premises="9") for n in range(DAMAGED + REJECTED)]
    moved = [office.record(n, "A", premises="9") for n in range(DAMAGED + REJECTED, DAMAGED + REJECTED + MOVED)]
    send(office.up.installation, 2, "DELTA", [*corrected, *moved])
    run = office.begin(now())
    answer(office, run, {"reason": "planned-migration"})
    assert office.end(run) == "success"
    return run


def answer(office: Office, run: str, given: Mapping[str, str]) -> None:
    """Say yes as the data protection officer."""
    office.parked(run, "ask_a_person", "awaiting_input")
    address = office.up.airflow.address
    task = f"{address}/api/v2/dags/{DAG}/dagRuns/{urllib.parse.quote(run)}/taskInstances/ask_a_person"
    question = f"{task}/-1/hitlDetails"
    user = token(office.up.installation, address, "dpo")
    assert "| addresses that would change |" in read(question, token=user)["body"]
    yes: dict[str, object] = {"chosen_options": ["Approve"], "params_input": given}
    assert status(question, body=yes, token=user, method="PATCH") == 200


@pytest.fixture(scope="module")
def accepted(office: Office, approved: str) -> str:
    """The run that reads the authority's yes to all of that."""
    assert approved in office.states
    office.respond(2, "ACCEPTED")
    run = office.begin(now())
    assert office.end(run) == "success"
    return run


def test_an_extract_that_comes_late_is_waited_for_and_its_damaged_records_are_kept_back(
    office: Office, arrived: str
) -> None:
    assert office.states[arrived] == {"pending": RECORDS - DAMAGED}
    released = next(facts for facts in office.ledger("extract_released") if facts["provider"] == RESELLER)
    assert (released["records"], released["released"], released["quarantined"]) == (RECORDS, RECORDS - DAMAGED, DAMAGED)
    assert not list((office.root / "inbox").iterdir())
    log = (office.up.installation.home / "logs" / "triggerer.log").read_text()
    assert f"NG999_{RESELLER}" not in log


def test_a_broken_file_fails_the_run_which_reads_the_answers_all_the_same(office: Office, broken: str) -> None:
    assert office.tasks(broken, "failed") == ["conclude"]
    assert office.states[broken] == {"registered": RECORDS - DAMAGED - REJECTED, "failed": REJECTED}
    (refused,) = office.ledger("extract_refused")
    assert refused["rules"]
    assert len(list((office.root / "refused").iterdir())) == 1


def test_people_are_told_of_a_run_that_failed_and_of_one_that_missed_its_deadline(office: Office, broken: str) -> None:
    assert broken in office.states
    until(lambda: len(office.mails) >= 2)
    told = sorted(text_of(mail).removeprefix(f"<p>{DAG}: A run has ").split()[0] for mail in office.mails)
    assert told == ["failed.", "not"]
    assert all(f"Subject: Holdfast: {DAG} needs somebody" in mail for mail in office.mails)


def text_of(mail: str) -> str:
    part = email.message_from_string(mail).get_payload(0)
    assert isinstance(part, email.message.Message)
    return bytes(part.get_payload(decode=True)).decode().strip()  # type: ignore[arg-type]


def test_what_changes_too_much_waits_for_a_person_and_leaves_once_approved(office: Office, approved: str) -> None:
    sent = DAMAGED + REJECTED + MOVED
    assert office.states[approved] == {"pending": sent, "registered": RECORDS - sent}
    (waited,) = office.ledger("extract_waits")
    (yes,) = office.ledger("extract_approved")
    assert waited["exceeded"] == ["address_changed_share"]
    assert (yes["file"], yes["reason"]) == (waited["file"], "planned-migration")
    assert yes["airflow_run"] == f"sha256:{hashlib.sha256(approved.encode()).hexdigest()}"


def test_what_was_corrected_is_registered_and_no_reject_is_left(office: Office, accepted: str) -> None:
    assert office.states[accepted] == {"registered": RECORDS}
    assert office.rows("SELECT FROM emergency.reject WHERE ended_at IS NULL") == []
    ended = office.rows("SELECT ended_how FROM emergency.quarantine WHERE provider = 'RSL'")
    assert [row.ended_how for row in ended] == ["corrected"] * DAMAGED


def test_in_each_file_the_records_in_are_those_released_and_quarantined(office: Office, accepted: str) -> None:
    assert accepted
    released = office.ledger("extract_released")
    assert Counter(facts["provider"] for facts in released) == {RESELLER: 2, "HFT": 1}
    assert all(facts["records"] == facts["released"] + facts["quarantined"] for facts in released)
    judged = {facts["file"]: facts["records"] for facts in office.ledger("extract_judged")}
    assert judged == {facts["file"]: facts["records"] for facts in released}

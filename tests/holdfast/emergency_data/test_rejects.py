"""What the authority rejected goes out again once it was corrected, and not every day as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from tests.holdfast.emergency_data.conftest import PLAIN, PROVIDER, Job

from holdfast import database
from holdfast.emergency_data import extracts, rejects, steps
from holdfast.errors import ExtractRefused
from holdfast.synthetic import provider

NIGHT = dt.datetime.now(tz=dt.UTC)


class Line(NamedTuple):
    """What a file says of a number, and where."""

    action: str
    number: str
    line_no: str


class Sender(Job):
    """A provider that sends its own extracts, and an authority that answers."""

    def extract(self, extract_type: str = "DELTA") -> list[Line]:
        """Make our own extract, send it, and say what is in it."""
        with database.snapshot(self.engine) as connection:
            path = extracts.write(
                connection,
                self.root / "inbox",
                PLAIN,
                provider=PROVIDER,
                extract_type=extract_type,
                business_date=self.day,
                now=self.now.replace(microsecond=0),
            ).path
        lines = [line.split(",") for line in path.read_text().splitlines()[1:-1]]
        self.run()
        return [Line(cells[2], cells[3], cells[1]) for cells in lines]

    def answer(self, sequence: int, outcome: str = "PARTIAL", *rejected: Line) -> None:
        """Say of the release what became of its records."""
        named = [f"ANS,{line.line_no},{line.number},REJECTED,BADPC" for line in rejected]
        head = f"RSP,1,{PROVIDER},{sequence},{self.now:%Y-%m-%dT%H:%M:%SZ},{outcome}"
        self.answered(f"r{sequence}.csv", head, *named, f"END,{len(named)}")

    def change(self, number: str, what: str) -> None:
        """Correct the installation address of a number."""
        self.query(
            f"UPDATE provider.emergency_address AS e SET {what} FROM provider.number_assignment AS a"
            " JOIN provider.number AS n USING (number_id)"
            " WHERE a.assignment_id = e.assignment_id AND n.e164 = :number RETURNING 1",
            number=number,
        )

    def state(self, number: str) -> str:
        return str(self.query("SELECT state FROM emergency.number_record WHERE number = :n", n=number)[0][0])

    def uncovered(self) -> int:
        return int(steps.reconcile(self.engine, self.settings)["gaps"].get("E501", 0))


@pytest.fixture(scope="module")
def made(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    with fresh_database() as engine:
        objects = tmp_path_factory.mktemp("objects")
        provider.make(engine, accounts=40, seed=1, as_of=NIGHT, objects=objects, calls_per_account=1)
        yield engine


@pytest.fixture
def sender(
    made: sa.Engine,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    home: Path,
    tmp_path: Path,
) -> Iterator[Sender]:
    with fresh_database(source=made) as engine:
        sender = Sender(engine, home, tmp_path / "project")
        (sender.root / "inbox").mkdir(parents=True)
        steps.prepare(engine, sender.settings)
        yield sender


@pytest.fixture
def rejected(sender: Sender) -> Line:
    """The second record of our first extract, which the authority rejected; the others it accepted."""
    line = sender.extract("FULL")[1]
    sender.answer(1, "PARTIAL", line)
    return line


@pytest.mark.parametrize("what", ["premises = '7A'", "title = 'PROF', forename = 'FABULA'"])
def test_it_goes_out_again_once_it_was_corrected_whatever_field_that_was(
    sender: Sender, rejected: Line, what: str
) -> None:
    assert sender.extract() == [], "nothing was corrected"
    sender.change(rejected.number, what)
    assert sender.extract() == [Line("I", rejected.number, "1")], "the authority has no record that could be amended"
    assert sender.state(rejected.number) == "pending"
    assert sender.extract() == []
    sender.answer(3, "ACCEPTED")
    assert sender.state(rejected.number) == "registered"
    assert sender.query("SELECT count(*) FROM emergency.reject WHERE ended_at IS NULL")[0][0] == 0


def test_a_rejected_change_of_a_record_that_the_authority_has_is_corrected_by_a_change(sender: Sender) -> None:
    line = sender.extract("FULL")[1]
    sender.answer(1, "ACCEPTED")
    for sequence, premises in ((2, "7A"), (3, "7B")):
        sender.change(line.number, f"premises = '{premises}'")
        (sent,) = sender.extract()
        assert sent.action == "A"
        sender.answer(sequence, "PARTIAL", sent)
    assert sender.extract() == []


def test_a_rejected_cease_is_not_sent_again_every_day(sender: Sender) -> None:
    line = sender.extract("FULL")[1]
    sender.answer(1, "ACCEPTED")
    sender.query(
        "UPDATE provider.number_assignment AS a SET ended_at = now() - interval '1 hour' FROM provider.number AS n"
        " WHERE n.number_id = a.number_id AND n.e164 = :n RETURNING 1",
        n=line.number,
    )
    (cease,) = sender.extract()
    assert cease.action == "C"
    sender.answer(2, "PARTIAL", cease)
    assert sender.extract() == []
    assert sender.state(line.number) == "failed"


def test_what_was_rejected_with_its_whole_file_has_nothing_to_correct_and_goes_out_again(sender: Sender) -> None:
    lines = sender.extract("FULL")
    sender.answer(1, "REJECTED")
    assert sender.extract() == lines
    assert {sender.state(line.number) for line in lines} == {"failed"}, "until it is accepted"
    assert sender.extract() == [], "it has been sent, and waits for its answer"
    sender.answer(2, "ACCEPTED")
    assert {sender.state(line.number) for line in lines} == {"registered"}


def test_a_full_extract_holds_it_and_hides_nothing(sender: Sender, rejected: Line) -> None:
    before = sender.uncovered()
    assert before >= 1
    assert rejected in sender.extract("FULL")
    assert sender.state(rejected.number) == "failed"
    assert sender.uncovered() == before
    sender.answer(2, "PARTIAL", rejected)
    sender.extract("FULL")
    with sender.engine.begin() as connection:
        from holdfast import queries

        at = {"at": sender.now, "alert_before": sender.now}
        (row,) = queries.run(connection, "emergency/open_rejects", at).all()
    assert (row.code, row.rejects, row.again) == ("BADPC", 1, 1), "one record, rejected twice"
    sender.answer(3, "ACCEPTED")
    assert sender.state(rejected.number) == "registered"
    assert sender.uncovered() == before - 1


def test_a_person_has_it_sent_again_as_it_was_once(sender: Sender, rejected: Line) -> None:
    def send_again(**changes: object) -> int:
        given = {"provider": PROVIDER, "sequence": 1, "code": "BADPC", "by": "p1:x", "reason": "their-mistake"}
        with sender.engine.begin() as connection:
            return rejects.send_again(connection, now=sender.now, **given | changes)  # type: ignore[arg-type]

    for wrong in ({"reason": "They are wrong"}, {"code": "OTHER"}, {"sequence": 9}):
        with pytest.raises(ExtractRefused):
            send_again(**wrong)
    assert send_again() == 1
    assert sender.extract() == [Line("I", rejected.number, "1")]
    assert sender.state(rejected.number) == "failed", "until it is accepted"
    assert sender.extract() == []
    sender.answer(2, "PARTIAL", rejected._replace(line_no="1"))
    assert sender.extract() == [], "it waits to be corrected again"
    (facts,) = sender.ledger("rejects_sent_again")
    assert (facts["records"], facts["reason"]) == (1, "their-mistake")
    assert rejected.number not in str(facts)


def test_what_was_sent_before_this_was_kept_is_not_sent_anew_because_of_it(sender: Sender) -> None:
    sender.extract("FULL")
    sender.query("UPDATE emergency.number_record SET told = NULL, is_held = NULL, rest_digest = NULL RETURNING 1")
    assert sender.extract() == []

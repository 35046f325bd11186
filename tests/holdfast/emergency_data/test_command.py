"""The command line over the synthetic provider: its own extracts, full and delta, and what a person may do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from holdfast import cli, settings
from holdfast.emergency_data import layout_files, steps
from holdfast.emergency_data.scan import scan
from holdfast.synthetic import provider

NIGHT = dt.datetime.now(tz=dt.UTC)


@pytest.fixture(scope="module")
def telco(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    with fresh_database() as engine:
        objects = tmp_path_factory.mktemp("objects")
        provider.make(engine, accounts=60, seed=1, as_of=NIGHT, objects=objects, calls_per_account=1)
        yield engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def holdfast(telco: sa.Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv(settings.DATABASE_URL, telco.url.render_as_string(hide_password=False))
    monkeypatch.setenv(settings.HOME, str(folder))

    def command(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli.app, ["emergency", *words])
        assert done.exit_code == code, done.output
        return " ".join(done.output.split())

    return command


def test_a_first_extract_is_complete_and_passes_every_critical_rule(
    telco: sa.Engine, holdfast: Callable[..., str], folder: Path
) -> None:
    path = Path(holdfast("extract").split()[0])
    seen = scan(path, layout_files.load_all(settings.load().expectations / "emergency_data")["ng999-v1"])
    assert seen.findings == []
    assert (seen.header["extract_type"], seen.header["sequence"]) == ("FULL", 1)
    with telco.begin() as connection:
        needing = connection.execute(
            sa.text(
                "SELECT count(*) FROM provider.number_assignment AS a JOIN provider.number AS n USING (number_id)"
                " WHERE (a.ended_at IS NULL OR a.ended_at > now()) AND n.e164 !~ '^[+]44[789]'"
                " AND EXISTS (SELECT FROM provider.emergency_address AS e WHERE e.assignment_id = a.assignment_id"
                " AND e.ceased_at IS NULL)"
            )
        ).scalar_one()
    assert seen.records == needing > 10
    output = holdfast("run")
    assert "provider HFT, loaded 1, refused 0, early 0, rules_broken [] extract_id 1, state released" in output
    assert f"released {needing}, quarantined 0" in output
    assert "'E501': 2" in output, "assignments 5 and 7, cases of retention, serve and have no address"
    assert (folder / "emergency" / "outbox" / path.name).exists()


def test_a_delta_says_what_changed_and_nothing_else(telco: sa.Engine, holdfast: Callable[..., str]) -> None:
    with telco.begin() as connection:
        numbers = (
            connection.execute(
                sa.text(
                    "SELECT a.assignment_id FROM provider.number_assignment AS a"
                    " JOIN provider.number AS n USING (number_id)"
                    " JOIN emergency.number_record AS r ON r.number = n.e164 ORDER BY 1 LIMIT 2"
                )
            )
            .scalars()
            .all()
        )
        gone, moved = numbers
        connection.execute(
            sa.text(
                "UPDATE provider.number_assignment SET ended_at = now() - interval '1 hour' WHERE assignment_id = :a"
            ),
            {"a": gone},
        )
        connection.execute(
            sa.text("UPDATE provider.emergency_address SET premises = '999' WHERE assignment_id = :a"), {"a": moved}
        )
    path = Path(holdfast("extract", "--delta").split()[0])
    lines = path.read_text().splitlines()
    assert sorted(line.split(",")[2] for line in lines[1:-1]) == ["A", "C"]
    output = holdfast("run")
    assert "state released" in output
    assert "E502" not in output
    assert "D602" not in output
    assert " HFT_" not in output
    assert steps.make_extract(telco, settings.load()) == {"made": False}, "one extract a day"


def test_a_number_that_called_999_without_data_is_sent_again(telco: sa.Engine, holdfast: Callable[..., str]) -> None:
    with telco.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO emergency.call_without_data (report_id, number, called_at, read_at)"
                " SELECT 'r', max(number), now(), now() FROM emergency.number_record WHERE state = 'pending'"
            )
        )
    path = Path(holdfast("extract", "--delta").split()[0])
    assert [line.split(",")[2] for line in path.read_text().splitlines()[1:-1]] == ["A"]
    holdfast("run")
    assert "no code" in holdfast("end-call", "r", "--reason", "Not ours", code=1)
    assert "ended" in holdfast("end-call", "r", "--reason", "not-our-number")
    assert "No report" in holdfast("end-call", "r", "--reason", "not-our-number", code=1)


def quarantined(engine: sa.Engine, extract_id: int) -> list[int]:
    with engine.begin() as connection:
        statement = sa.text("SELECT record_no FROM emergency.quarantine WHERE extract_id = :e")
        return list(connection.execute(statement, {"e": extract_id}).scalars())


def test_a_record_in_quarantine_is_shown_and_an_exception_lets_it_pass(
    telco: sa.Engine, holdfast: Callable[..., str], folder: Path
) -> None:
    with telco.begin() as connection:
        assignment, number = connection.execute(
            sa.text(
                "SELECT a.assignment_id, n.e164 FROM provider.number_assignment AS a"
                " JOIN provider.number AS n USING (number_id)"
                " JOIN emergency.number_record AS r ON r.number = n.e164 WHERE r.state = 'pending' ORDER BY 1 LIMIT 1"
            )
        ).one()
        connection.execute(
            sa.text("UPDATE provider.emergency_address SET name = 'TEST' WHERE assignment_id = :a"), {"a": assignment}
        )
    holdfast("extract", "--delta")
    assert "quarantined 1" in holdfast("run")
    with telco.begin() as connection:
        extract_id = connection.execute(sa.text("SELECT max(extract_id) FROM emergency.extract")).scalar_one()
    assert f"│ {extract_id} │" in holdfast("list")
    (record_no,) = quarantined(telco, extract_id)
    shown = holdfast("show", str(extract_id), str(record_no))
    assert "name TEST" in shown
    assert "- E306 A field holds a placeholder" in shown
    assert "no such record" in holdfast("show", str(extract_id), "99", code=1)
    last = (NIGHT.date() + dt.timedelta(days=30)).isoformat()
    assert "in force" in holdfast("exception", "E306", number, last, "--owner", "addressing", "--reason", "a-real-name")
    holdfast("extract", "--delta")
    assert "quarantined 0, corrected 1" in holdfast("run")
    assert "index.html" in holdfast("report")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("exception", "E999", "+441632960001", "LAST", "--owner", "abc", "--reason", "abc"), "no rule E999"),
        (("exception", "E306", "01632960001", "LAST", "--owner", "abc", "--reason", "abc"), "E.164"),
        (("exception", "E306", "+441632960001", "2019-01-01", "--owner", "abc", "--reason", "abc"), "within a year"),
        (("exception", "E306", "+441632960001", "LAST", "--owner", "Mr X", "--reason", "abc"), "codes"),
        (("extract", "--layout", "bt"), "no layout bt"),
        (("decide", "0" * 64, "approved", "--reason", "expected"), "is no approver"),
        (("decide", "0" * 64, "perhaps", "--reason", "expected"), "no decision"),
        (("send-again", "1", "--code", "X1", "--reason", "their-mistake"), "No record of this release waits"),
        (("send-again", "1", "--code", "X1", "--reason", "They err"), "no code"),
        (("supply", "towns", "x.csv"), "No rule asks"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    holdfast: Callable[..., str], words: tuple[str, ...], message: str
) -> None:
    last = (NIGHT.date() + dt.timedelta(days=30)).isoformat()
    assert message in holdfast(*(last if word == "LAST" else word for word in words), code=1)

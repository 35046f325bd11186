"""`holdfast request`: what a person types and sees."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from tests.holdfast.deletion_requests.desk import LONDON, Desk, terms
from typer.testing import CliRunner, Result

from holdfast import cli, database, settings
from holdfast.deletion_requests import intake, night
from holdfast.deletion_requests.register import State

DAY = dt.timedelta(days=1)


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk as the settings' database."""
    monkeypatch.setenv(settings.DATABASE_URL, desk.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("COLUMNS", "200")
    return desk


def holdfast(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["request", *words])


def done(*words: str) -> str:
    result = holdfast(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*words: str) -> str:
    result = holdfast(*words)
    assert result.exit_code == 1, result.output
    return result.stderr


def rows(text: str) -> list[list[str]]:
    """The table's rows without its heading, cells separated by two spaces or more."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [re.split(r" {2,}", line) for line in lines[2:]]


def today() -> dt.date:
    return dt.datetime.now(tz=LONDON).date()


def test_from_receipt_to_approval(office: Desk) -> None:
    received = today() - 10 * DAY
    said = done(
        "add", "web-1", "--subject", "007", "--channel", "form", "--received-at", str(received), "--by", "clerk"
    )
    assert said.startswith("Request 1 is received.\nIt must be answered by ")
    done("identity", "web-1", "--asked", "--by", "clerk")
    assert f"Its clock waits for the identity since {today()}." in done("show", "1")
    assert "waiting for the identity" in refused("verify", "1", "--by", "clerk")
    done("identity", "1", "--received", "--by", "clerk")
    verified = done("verify", "1", "--by", "officer")
    assert verified.startswith("Request 1 is verified.\nIt must be answered by ")
    assert f"It can be withdrawn until {today() + 7 * DAY}." in verified
    with database.transaction(office.engine) as connection:
        night.advance(connection, terms(), now=dt.datetime.now(tz=dt.UTC) + 9 * DAY, run_id=None)
    assert "not in the latest matrix" in refused("approve", "1", "--by", "clerk")
    office.assess({1: terms().rules.approval.second_approver_above_rows + 1})
    assert "Request 1 is assessed." in done("approve", "1", "--by", "clerk")
    assert "second person's approval" in refused("approve", "1", "--by", "clerk")
    assert "Request 1 is approved." in done("approve", "1", "--by", "officer")
    shown = done("show", "web-1")
    assert shown.startswith("Request 1 (web-1), by form, for account\nSubject p1:")
    assert re.findall(r"(\w+) -> (\w+)  (\w+)", shown) == [
        ("received", "identity_pending", "clerk"),
        ("identity_pending", "verified", "officer"),
        ("verified", "assessed", "night"),
        ("assessed", "approved", "officer"),
    ]


def test_what_is_wrong_with_a_request_is_said_with_its_fix(office: Desk) -> None:
    plain = ("--subject", "1", "--channel", "form", "--by", "clerk")
    assert refused("add", "web-1", *plain, "--scope", "nothing") == (
        "RequestError: scope (R209): Part 1 of the scope names no dataset of policy/data_map.yaml."
        " Fix: write account, or datasets, dataset#record or category:name with ; between them.\n"
    )
    assert "reference (R206)" in refused("add", "Ann Other", *plain)
    assert "subject_key (R301)" in refused("add", "web-1", "--subject", "99", "--channel", "form", "--by", "clerk")
    assert "in the future" in refused("add", "web-1", *plain, "--received-at", str(today() + DAY))
    done("add", "web-1", *plain, "--identity-confirmed-at", str(today()))
    assert "another request has this reference" in refused("add", "web-1", *plain, "--scope", "messages")
    assert "in the future" in refused("fee", "1", "--asked", "--by", "clerk", "--at", f"{today() + DAY} 09:00")
    assert "no such request" in refused("verify", "web-2", "--by", "clerk")
    assert "use one of complexity, number_of_requests" in refused(
        "extend", "1", "--reason", "holidays", "--by", "clerk"
    )
    assert "use one of identity_not_confirmed" in refused("refuse", "1", "--reason", "mood", "--by", "clerk")
    assert "use one of received" in refused("list", "--state", "lost")
    assert "user code" in refused("refuse", "1", "--reason", "excessive", "--by", "Ann Other")
    assert office.request(1).state is State.VERIFIED


def test_ending_and_extending(office: Desk) -> None:
    for number in range(1, 5):
        done("add", f"web-{number}", "--subject", str(number), "--channel", "post", "--by", "clerk")
    assert "Request 1 is refused." in done("refuse", "1", "--reason", "contract_live", "--by", "clerk")
    assert "Request 2 is withdrawn." in done("withdraw", "web-2", "--by", "clerk")
    before = done("show", "3")
    assert done("extend", "3", "--reason", "complexity", "--by", "clerk") not in before  # it says the new deadline
    assert office.request(3).extension_reason == "complexity"
    assert office.request(3).moments.extension_notified_at is not None
    assert "Its clock waits for the fee" in done("fee", "4", "--asked", "--by", "clerk")
    assert "It must be answered by" in done("fee", "4", "--paid", "--by", "clerk")


def test_lists(office: Desk) -> None:
    for reference in ("web-1", "web-2"):
        done("add", reference, "--subject", "1", "--channel", "email", "--by", "clerk")
    assert "It repeats request 1, which was open when it came." in done("show", "web-2")
    counted = {row[0]: row[1:4] for row in rows(done("list"))}
    assert counted["received"] == ["2", "1", str(today())]
    assert counted["completed"] == ["0", "0", "-"]
    assert list(counted) == list(State), "in the order of a request's life"
    assert rows(done("list", "--state", "received")) == [
        ["1", "web-1", "email", str(today())],
        ["2", "web-2", "email", str(today()), "1"],
    ]
    assert rows(done("list", "--state", "refused")) == []


def test_deadlines(office: Desk) -> None:
    assert done("deadlines").strip().endswith("No request is open.")
    for number, days in enumerate((3, 45, 20), start=1):
        moment = str(today() - days * DAY)
        done(
            "add", f"web-{number}", "--subject", str(number), "--channel", "form", "--received-at", moment, "--by", "a"
        )
    done("identity", "3", "--asked", "--by", "a")
    result = holdfast("deadlines")
    assert result.exit_code == 1  # one is overdue
    found = rows(result.stdout)
    assert [row[0] for row in found[:3]] == ["2", "1", "3"]
    assert (found[0][-1], found[1][-1], found[2][-1]) == ("overdue", "on_track", "waiting")
    assert found[2][3] == f"waits for identity since {today()}"
    assert result.stdout.strip().endswith("1 on_track, 1 overdue, 1 waiting")
    assert len(rows(holdfast("deadlines", "--limit", "1").stdout)) == 2  # the row, and the counts of all


def test_intake(office: Desk) -> None:
    folder = intake.inbox_of(settings.load())
    assert done("intake", "--by", "clerk") == f"There is no file in {folder}.\n"
    header = "reference,channel,received_at,subject_key,scope\n"
    drop(folder / "good.csv", f"{header}a-1,form,{today()},1,account\n")
    assert "'good.csv': 1 taken in, 0 known before, 0 refused; see " in done("intake", "--by", "clerk")
    drop(folder / "mixed.csv", f"{header}a-1,form,{today()},1,account\na-2,form,{today()},99,account\n")
    drop(folder / "wr\x1bong\u0416.csv", "nothing")
    result = holdfast("intake", "--by", "clerk")
    assert result.exit_code == 1
    assert "'mixed.csv': 0 taken in, 1 known before, 1 refused; see " in result.stdout
    assert "'wr\\x1bong\\u0416.csv': refused; see " in result.stdout
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout  # a name is no command to the terminal


def drop(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")

"""From a night in a database to a file that an auditor checks: the commands, and what goes in beside the ledger."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from holdfast import cli, settings
from holdfast import database as hf_database
from holdfast.clock import NIGHTS_ZONE, local_date
from holdfast.evidence import checkpoint, ledger, offline, reported
from holdfast.evidence.offline import Verdict
from holdfast.evidence.seal import seal, write
from holdfast.policy.load import load_policy
from holdfast.reports.files import write_set

DAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 2, 15, tzinfo=dt.UTC)


@pytest.fixture
def night(database: sa.Engine, home: Path, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Run 1: started under the shipped policy, approved, sealed, reported; entries 1 to 5. A request in 6 to 8."""
    monkeypatch.setenv(settings.DATABASE_URL, database.url.render_as_string(hide_password=False))
    loaded = settings.load()
    policy = load_policy(loaded.policy).digest
    plan = "sha256:" + "ab" * 32
    with hf_database.transaction(database) as connection:
        connection.execute(
            sa.text(
                "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state, plan_digest)"
                " VALUES ('retention', :now, :day, 'enforce', :policy, 'sealed', :plan)"
            ),
            {"now": NOW, "day": DAY, "policy": policy, "plan": plan},
        )
        connection.execute(
            sa.text(
                "INSERT INTO holdfast.approval (run_id, plan_digest, decision, decided_by, decided_at)"
                " VALUES (1, :plan, 'approved', 'jo.bloggs', now())"
            ),
            {"plan": plan},
        )
        ledger.append(connection, "run_started", {"job": "retention", "policy": policy}, 1)
        ledger.append(connection, "plan_made", {"plan": plan}, 1)
        ledger.append(connection, "approval_given", {"plan": plan, "by": "p1:" + "0" * 32}, 1)
        ledger.append(connection, "batch_deleted", {"batch": 1, "rows": 35}, 1)
        made = seal(connection, 1, "retention", DAY, NOW)
        ledger.append(connection, "request_received", {"request": 4, "parts": 1})
        ledger.append(connection, "request_erased", {"requests": 5, "dataset": "contacts", "rows": 1})
        ledger.append(connection, "request_changed", {"requests": [4, 9], "to": "completed"})
    write(made, loaded.seals)
    write_set(loaded.reports, ("retention", "2026-11-24"), {"report.json": "{}", "index.html": "<p>Done</p>"})
    checkpoint.sign(database, checkpoint.open_log(loaded), NOW)
    return database


def run(*words: str) -> str:
    done = CliRunner().invoke(cli.app, ["evidence", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def checked(path: Path) -> offline.Report:
    return offline.check(path, [offline.PublicKey.parse(run("key", "show"))])


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.usefixtures("night")
def test_a_pack_of_a_run_has_all_that_belongs_to_it(tmp_path: Path) -> None:
    said = run("pack", str(tmp_path / "run.zip"), "--run", "1")
    assert "holdfast-verify" in said
    report = checked(tmp_path / "run.zip")
    assert (report.verdict, report.entries, report.size) == (Verdict.OK, 5, 8)
    files = members(tmp_path / "run.zip")
    assert files["reports/retention/2026-11-24/index.html"] == b"<p>Done</p>"
    policy = json.loads(files["runs/1.json"])["run"]["policy_digest"]
    assert policy == json.loads(files["entries.jsonl"].splitlines()[0])["facts"]["policy"]
    assert {name for name in files if name.startswith("policy/")} >= {"policy/retention_schedule.yaml"}
    software = json.loads(files["software.json"])
    assert software["migrations"].keys() >= {"0001_evidence"}
    assert software["packages"].keys() >= {"sqlalchemy", "cryptography"}


@pytest.mark.usefixtures("night")
def test_a_pack_names_nobody_who_approved(tmp_path: Path) -> None:
    run("pack", str(tmp_path / "run.zip"), "--run", "1")
    approval = json.loads(members(tmp_path / "run.zip")["runs/1.json"])["approvals"][0]
    assert approval["decision"] == "approved"
    assert not any(b"jo.bloggs" in content for content in members(tmp_path / "run.zip").values())


@pytest.mark.usefixtures("night")
def test_a_pack_of_a_request_goes_from_its_first_to_its_last_entry(tmp_path: Path) -> None:
    run("pack", str(tmp_path / "request.zip"), "--request", "4")
    report = checked(tmp_path / "request.zip")
    assert (report.verdict, report.entries, report.selection["request"]) == (Verdict.OK, 3, 4)
    refused = CliRunner().invoke(cli.app, ["evidence", "pack", str(tmp_path / "none.zip"), "--request", "5"])
    assert refused.exit_code == 1
    assert "The ledger does not name request 5" in refused.stderr


@pytest.mark.usefixtures("night")
def test_a_pack_of_days_is_complete_once_the_ledger_goes_beyond_them(tmp_path: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    for name, words, verdict, entries in (
        ("open", ("--since", "2026-01-01"), Verdict.OK, 8),
        ("past", ("--month", "2020-02"), Verdict.OK, 1),
        ("this", ("--month", f"{today:%Y-%m}"), Verdict.INCOMPLETE, 8),
        ("days", ("--since", "2020-01-01", "--until", f"{today}"), Verdict.INCOMPLETE, 8),
    ):
        run("pack", str(tmp_path / f"{name}.zip"), *words)
        report = checked(tmp_path / f"{name}.zip")
        assert (report.verdict, report.entries) == (verdict, entries), name


@pytest.mark.parametrize("words", [(), ("--run", "1", "--request", "2"), ("--month", "2026-13"), ("--since", "May")])
@pytest.mark.usefixtures("night")
def test_what_cannot_be_chosen_is_a_mistake(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(cli.app, ["evidence", "pack", str(tmp_path / "x.zip"), *words]).exit_code == 2
    assert list(tmp_path.glob("*.zip")) == []


def test_what_a_superuser_changed_is_packed_as_it_is_and_does_not_verify(night: sa.Engine, tmp_path: Path) -> None:
    with night.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            sa.text("UPDATE holdfast.ledger_entry SET entry = replace(entry, :was, :now) WHERE seq = 4"),
            {"was": '"rows":35', "now": '"rows":34'},
        )
    run("pack", str(tmp_path / "run.zip"), "--run", "1")
    report = checked(tmp_path / "run.zip")
    assert report.verdict is Verdict.INVALID
    assert (1, 8) in {(one.first, one.last) for one in report.findings}
    assert (1, 4) in {(one.first, one.last) for one in report.findings}  # what its seal covers


def test_a_key_is_made_shown_and_replaced_and_a_witness_signs(night: sa.Engine, tmp_path: Path) -> None:
    before = run("key", "show").strip()
    after = run("key", "rotate").splitlines()[0]
    assert run("checkpoint").splitlines()[1] == "9"
    assert run("key", "show").strip() == after != before
    run("pack", str(tmp_path / "run.zip"), "--run", "1")
    with night.begin() as connection:
        ledger.append(connection, "hold_released", {"hold": "billing:dispute"})
    assert run("checkpoint").splitlines()[1] == "10"
    for trusted in (before, after):
        assert offline.check(tmp_path / "run.zip", [offline.PublicKey.parse(trusted)]).verdict is Verdict.OK
    words = ("--key-file", str(tmp_path / "witness" / "key"), "--trust", after, "--name", "auditor.example/w")
    signed = run("witness", str(tmp_path / "run.zip"), *words)
    (tmp_path / "signed").write_text(signed)
    run("cosigned", str(tmp_path / "signed"))
    run("pack", str(tmp_path / "again.zip"), "--run", "1")
    found = [name for name, content in members(tmp_path / "again.zip").items() if b"auditor.example/w" in content]
    assert found == [f"checkpoints/{9:015}.note"]


def test_a_key_is_given_its_name_once(database: sa.Engine, home: Path) -> None:
    public = run("key", "new", "carrier.example/holdfast").splitlines()[0]
    assert public.startswith("carrier.example/holdfast+")
    again = CliRunner().invoke(cli.app, ["evidence", "key", "new", "other.example"])
    assert again.exit_code == 1
    assert CliRunner().invoke(cli.app, ["evidence", "key", "new", "a name"]).exit_code == 1
    file = home / "keys" / "ledger.key"
    assert hashlib.sha256(file.read_bytes()).hexdigest() not in public
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_pack_of_a_day_has_the_reports_of_jobs_that_have_no_runs(night: sa.Engine, tmp_path: Path) -> None:
    """Of a month's statistics it has what was published; of a night that the pack is not about, nothing."""
    reports = settings.load().reports
    shelves = (("emergency_data_999", "2026-11-24"), ("suspension_safeguards", "2026-11-24"))
    month = ("suspension_statistics", "2026-10")
    others = (("emergency_data_999", "2026-11-23"), (*month, "internal"))
    for shelf in (*shelves, (*month, "published"), *others):
        write_set(reports, shelf, {"report.json": json.dumps(shelf)})
    told = (
        ("emergency_reconciled", '{"provider":"HFT"}'),
        ("safeguards_checked", '{"opened":0}'),
        ("statistics_published", '{"month":"2026-10-01"}'),
    )
    with hf_database.transaction(night) as connection:
        for kind, facts in told:
            ledger.append(connection, kind, json.loads(facts))
        day = local_date(connection.execute(sa.text("SELECT now()")).scalar_one(), NIGHTS_ZONE)
    for shelf in shelves:
        write_set(reports, (shelf[0], day.isoformat()), {"report.json": json.dumps(shelf)})
    run("pack", str(tmp_path / "day.zip"), "--since", (day - dt.timedelta(days=1)).isoformat())
    packed = {name for name in members(tmp_path / "day.zip") if name.startswith("reports/") and name.endswith(".json")}
    assert packed - {"reports/retention/2026-11-24/report.json"} == {
        f"reports/emergency_data_999/{day}/report.json",
        f"reports/suspension_safeguards/{day}/report.json",
        "reports/suspension_statistics/2026-10/published/report.json",
    }


RETENTION = ("retention", "2026-11-24")


@pytest.mark.parametrize("what", ["sums and all", "a file"])
def test_a_report_that_was_changed_before_it_was_packed_does_not_verify(
    night: sa.Engine, tmp_path: Path, what: str
) -> None:
    reports = settings.load().reports
    for text in ("<p>Asked</p>", "<p>Done</p>"):
        reported.write(night, reports, RETENTION, {"report.json": "{}", "index.html": text}, 1)
    run("pack", str(tmp_path / "sound.zip"), "--run", "1")
    assert [one.verdict for one in checked(tmp_path / "sound.zip").findings] == [Verdict.INCOMPLETE], "not signed yet"
    if what == "a file":
        reports.joinpath(*RETENTION, "index.html").write_text("<p>All</p>")
    else:
        write_set(reports, RETENTION, {"report.json": "{}", "index.html": "<p>All</p>"})
    run("pack", str(tmp_path / "run.zip"), "--run", "1")
    report = checked(tmp_path / "run.zip")
    assert report.verdict is Verdict.INVALID
    (found,) = [one for one in report.findings if one.verdict is Verdict.INVALID]
    assert (found.first, found.what) == (
        10,
        "the report retention/2026-11-24 in the pack is not the one whose digest it has",
    )


def test_a_report_that_was_written_again_after_the_range_of_a_pack_verifies(night: sa.Engine, tmp_path: Path) -> None:
    loaded = settings.load()
    reported.write(night, loaded.reports, RETENTION, {"report.json": "{}"}, 1)
    with hf_database.transaction(night) as connection:
        ledger.append(connection, "request_received", {"request": 4, "parts": 1})
        ledger.append(connection, "request_received", {"request": 5, "parts": 1})
    reported.write(night, loaded.reports, ("retention", "2026-11-25"), {"report.json": "{}"})
    reported.write(night, loaded.reports, RETENTION, {"report.json": "[]"}, 1)
    checkpoint.sign(night, checkpoint.open_log(loaded), NOW)
    run("pack", str(tmp_path / "request.zip"), "--request", "4")
    report = checked(tmp_path / "request.zip")
    assert (report.verdict, report.entries) == (Verdict.OK, 6), "6 to 10, and 13; not 12"
    write_set(loaded.reports, RETENTION, {"report.json": "{}"})
    run("pack", str(tmp_path / "request.zip"), "--request", "4")
    assert checked(tmp_path / "request.zip").verdict is Verdict.INVALID, "it was so once, and is no longer"


@pytest.mark.usefixtures("night")
def test_a_pack_tells_what_each_kind_of_entry_means(tmp_path: Path) -> None:
    run("pack", str(tmp_path / "run.zip"), "--run", "1")
    kinds = json.loads(members(tmp_path / "run.zip")["kinds.json"])
    assert kinds["batch_deleted"]
    assert {json.loads(line)["kind"] for line in members(tmp_path / "run.zip")["entries.jsonl"].splitlines()} <= set(
        kinds
    )


def test_a_pack_of_a_request_says_what_became_of_it_and_not_whose_it_is(night: sa.Engine, tmp_path: Path) -> None:
    with hf_database.transaction(night) as connection:
        for number in range(1, 5):
            connection.execute(
                sa.text(
                    "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at)"
                    " VALUES (:reference, 'post', 'the subject', :now)"
                ),
                {"reference": f"ticket-{number}", "now": NOW},
            )
        connection.execute(
            sa.text(
                "INSERT INTO holdfast.request_transition (request_id, from_state, to_state, by_whom, run_id)"
                " VALUES (4, 'received', 'verified', 'jo.bloggs', NULL)"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO holdfast.request_told_gone (request_id, dataset, run_id, action, gone_rows, still_there,"
                " in_part)"
                " VALUES (4, 'contacts', 1, 'erase', 3, 1, FALSE)"
            )
        )
    run("pack", str(tmp_path / "request.zip"), "--request", "4")
    found = members(tmp_path / "request.zip")
    told = json.loads(found["requests/4.json"])
    assert told["request"]["channel"] == "post"
    assert [(move["from_state"], move["to_state"]) for move in told["moves"]] == [("received", "verified")]
    assert [(one["dataset"], one["gone_rows"], one["still_there"]) for one in told["gone"]] == [("contacts", 3, 1)]
    text = found["requests/4.json"].decode()
    assert [word for word in ("ticket-4", "the subject", "jo.bloggs") if word in text] == []
    assert "requests/5.json" not in found


def test_a_report_of_a_run_that_a_request_went_through_is_compared_although_its_entry_comes_later(
    night: sa.Engine, tmp_path: Path
) -> None:
    loaded = settings.load()
    with hf_database.transaction(night) as connection:
        ledger.append(connection, "request_changed", {"requests": [4], "to": "completed"}, 1)
    reported.write(night, loaded.reports, RETENTION, {"report.json": "{}"}, 1)
    checkpoint.sign(night, checkpoint.open_log(loaded), NOW)
    run("pack", str(tmp_path / "true.zip"), "--request", "4")
    assert checked(tmp_path / "true.zip").verdict is Verdict.OK
    write_set(loaded.reports, RETENTION, {"report.json": '{"altered": 1}'})  # sums and all
    run("pack", str(tmp_path / "altered.zip"), "--request", "4")
    assert checked(tmp_path / "altered.zip").verdict is Verdict.INVALID

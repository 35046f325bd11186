"""Runs, checkpoints, verification on demand, and packs that an auditor checks without us."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.holdfast.pages import nights
from tests.holdfast.pages.conftest import Client

from holdfast import settings
from holdfast.evidence import checkpoint, ledger, offline, reported, signing
from holdfast.evidence.offline import Verdict
from holdfast.reports.files import write_set

DAY = dt.date(2026, 11, 24)


@pytest.fixture
def sealed(database: sa.Engine, home: Path) -> int:
    return nights.run(database, "retention_nightly", DAY)


def key() -> str:
    return str(signing.load(settings.load().ledger_key).public)


def checked(pack: bytes, file: Path) -> Verdict:
    file.write_bytes(pack)
    return offline.check(file, [offline.PublicKey.parse(key())]).verdict


def test_runs_and_checkpoints_are_shown(sealed: int, database: sa.Engine, as_auditor: TestClient) -> None:
    nights.run(database, "deletion_requests_reconcile", DAY, state="executing")
    text = as_auditor.get("/evidence").text
    assert key() in text
    assert "not sealed" in text
    assert f"run={sealed}" in text


def test_an_empty_ledger_has_nothing_to_show_and_no_key_is_made(home: Path, as_auditor: TestClient) -> None:
    text = as_auditor.get("/evidence").text
    assert "There is no signing key here" in text
    assert as_auditor.get("/evidence/pack", params={"month": "2026-11"}).status_code == 409
    assert not settings.load().ledger_key.exists()


def test_runs_are_shown_fifty_at_a_time(database: sa.Engine, home: Path, as_auditor: TestClient) -> None:
    nights.run(database, "retention_nightly", DAY - dt.timedelta(days=1))
    for number in range(51):
        nights.run(database, "retention_nightly", DAY + dt.timedelta(days=number), state="planned")
    first = as_auditor.get("/evidence").text
    assert "Older runs" in first
    assert "run=52" in first
    assert 'run=2"' not in first
    older = as_auditor.get("/evidence", params={"before": 3}).text
    assert 'run=2"' in older
    assert "Older runs" not in older


@pytest.mark.parametrize("user", ["auditor", "engineer", "dpo", "admin"])
def test_the_pack_of_a_run_verifies_without_us(sealed: int, as_user: Client, user: str, tmp_path: Path) -> None:
    answer = as_user(user).get("/evidence/pack", params={"run": sealed})
    assert answer.headers["content-disposition"] == f'attachment; filename="holdfast-run-{sealed}.zip"'
    assert checked(answer.content, tmp_path / "pack.zip") is Verdict.OK


def test_a_pack_of_a_month_and_of_a_request_verify_too(
    sealed: int, database: sa.Engine, as_auditor: TestClient, tmp_path: Path
) -> None:
    with database.begin() as connection:
        ledger.append(connection, "request_received", {"request": 4, "parts": 1})
    loaded = settings.load()
    now = dt.datetime.now(dt.UTC)
    checkpoint.sign(database, checkpoint.open_log(loaded), now)
    this_month, last_year = f"{now:%Y-%m}", f"{now.year - 1}-01"
    for question, verdict in (
        ({"request": "4"}, Verdict.OK),
        ({"month": last_year}, Verdict.OK),
        ({"month": this_month}, Verdict.INCOMPLETE),  # more may come until it is over
    ):
        answer = as_auditor.get("/evidence/pack", params=question)
        assert checked(answer.content, tmp_path / "pack.zip") is verdict, question


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ({}, 404),
        ({"run": "1", "month": "2026-11"}, 404),
        ({"run": "99"}, 404),
        ({"request": "99"}, 409),
        ({"month": "2026-13"}, 422),
        ({"month": "../../x"}, 422),
        ({"run": "1; DROP TABLE holdfast.run"}, 422),
        ({"run": "-1"}, 422),
    ],
)
def test_what_is_no_pack_is_refused(sealed: int, as_auditor: TestClient, question: dict[str, str], status: int) -> None:
    assert as_auditor.get("/evidence/pack", params=question).status_code == status


def test_a_pack_leaves_no_file_behind(
    sealed: int, as_auditor: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert as_auditor.get("/evidence/pack", params={"run": sealed}).status_code == 200
    assert as_auditor.get("/evidence/pack", params={"request": 99}).status_code == 409
    assert list(tmp_path.glob("holdfast-pack-*")) == []


def test_the_ledger_is_verified_on_demand(
    sealed: int, database: sa.Engine, as_auditor: TestClient, form_of: Callable[[str], dict[str, str]]
) -> None:
    fields = form_of(as_auditor.get("/evidence").text)
    assert "Nothing is amiss" in as_auditor.post("/evidence/verify", data=fields).text
    with database.begin() as connection:
        connection.execute(sa.text("ALTER TABLE holdfast.ledger_entry DISABLE TRIGGER refuse_change"))
        connection.execute(sa.text("UPDATE holdfast.ledger_entry SET entry = replace(entry, '35', '36') WHERE seq = 3"))
    text = as_auditor.post("/evidence/verify", data=fields).text
    assert "The ledger or a report was altered" in text
    assert "entry 3" in text


def test_reports_are_verified_with_it(
    sealed: int, database: sa.Engine, as_auditor: TestClient, form_of: Callable[[str], dict[str, str]]
) -> None:
    root, shelf = settings.load().reports, ("retention_nightly", f"{DAY}")
    reported.write(database, root, shelf, {"index.html": nights.PAGE}, sealed)
    fields = form_of(as_auditor.get("/evidence").text)
    text = as_auditor.post("/evidence/verify", data=fields).text
    assert "Nothing is amiss" in text
    assert "1 as the ledger has them, 0 altered" in text
    write_set(root, shelf, {"index.html": nights.PAGE + "<p>Nothing else.</p>"})
    text = as_auditor.post("/evidence/verify", data=fields).text
    assert "INVALID" in text
    assert "0 as the ledger has them, 1 altered" in text
    assert f"The report retention_nightly {DAY} is not that of the ledger&#39;s entry" in text


def test_what_takes_much_work_is_not_done_without_end(
    sealed: int, as_auditor: TestClient, as_compliance: TestClient
) -> None:
    answers = [as_auditor.get("/evidence/pack", params={"run": sealed}) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert as_compliance.get("/evidence/pack", params={"run": sealed}).status_code == 200


def test_what_does_not_agree_is_listed_and_whoever_did_it_has_a_pseudonym(
    database: sa.Engine, home: Path, as_auditor: TestClient
) -> None:
    assert "Nothing is open" in as_auditor.get("/evidence").text
    by = "p1:" + "0" * 32
    with database.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO holdfast.airflow_user (pseudonym, user_name) VALUES (:by, 'jo.bloggs')"), {"by": by}
        )
        insert = sa.text(
            "INSERT INTO holdfast.disagreement (kind, job, night, subject, told, by, found_at)"
            " VALUES (:kind, 'retention_nightly', :day, 'run 1', :told, :by, now())"
        )
        for kind, told, who in (("night_not_run", None, None), ("marked_by_hand", "success", by)):
            connection.execute(insert, {"kind": kind, "day": DAY, "told": told, "by": who})
    text = as_auditor.get("/evidence").text
    assert text.count("not yet") == 2
    assert by in text
    assert "jo.bloggs" not in text


def test_a_checkpoint_can_be_kept(sealed: int, as_auditor: TestClient) -> None:
    note = as_auditor.get("/evidence/checkpoints/5").text
    assert offline.Checkpoint.parse(note).size == 5
    assert as_auditor.get("/evidence/checkpoints/6").status_code == 404


def test_a_sealed_run_has_a_certificate_and_an_open_one_has_none(
    sealed: int, database: sa.Engine, as_auditor: TestClient
) -> None:
    assert "ertificate" in as_auditor.get(f"/evidence/runs/{sealed}/certificate").text
    still_open = nights.run(database, "retention_nightly", DAY + dt.timedelta(days=1), state="executing")
    assert as_auditor.get(f"/evidence/runs/{still_open}/certificate").status_code == 409

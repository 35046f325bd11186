"""Nobody's name, number, address or IP is anywhere that it is not meant to be, after a bad night and a good one.

The first night of this module meets queries whose errors quote what they read, a constraint whose message quotes whole
rows, and files from outside that have customers' data in every place where none belongs. Before the second, all of
that is mended. After each, everything that was written is searched by `canaries`, which `test_canaries` proves.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.mail_server import mailbox
from tests.night.installation import HOLDFAST, NIGHT_SECONDS, PROJECT, Installation, installed
from tests.night.search import MEANT_FOLDERS, MEANT_TABLES, Search, canaries_of, connected

from holdfast import database
from holdfast.deletion_requests.intake import inbox_of
from holdfast.emergency_data.taking_in import Folders
from holdfast.night.configuration import METADATA_DATABASE
from holdfast.night.jobs import JOBS
from holdfast.synthetic import requests
from holdfast_alerts import CONNECTION

pytestmark = pytest.mark.skipif("HOLDFAST_DRILL_CANARIES" not in os.environ, reason="make drill-canaries")
ACCOUNTS = 400
LEAST_CANARIES = 5_000

QUOTING = {
    "letter_addressee.sql": ("ON contact.account_id", "ON provider.spoken(contact.full_name) AND contact.account_id"),
    "emergency/numbers.sql": ("ON account.account_id", "ON provider.spoken(number.e164) AND account.account_id"),
    "suspension/notices.sql": ("WHERE\n", "WHERE provider.spoken(notice.address) AND\n"),
    "holds/billing.sql": ("WHERE status IN", "WHERE provider.spoken_later(billing_name) AND status IN"),
}
"""Queries of the provider's, each asked by another job, and what makes their errors quote what they read."""
BREAK = """
    CREATE FUNCTION provider.spoken(words text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'cannot read %', words USING DETAIL = words, HINT = words;
    END $$;
    CREATE FUNCTION provider.spoken_later(words text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        -- Retention is to come to its work: with a source that is not believed there is none.
        PERFORM FROM holdfast.run WHERE job = 'deletion_requests_reconcile';
        RETURN NOT FOUND OR provider.spoken(words);
    END $$;
    ALTER TABLE provider.message ADD CONSTRAINT said CHECK (content IS NOT NULL) NOT VALID;
"""
MEND = """
    CREATE OR REPLACE FUNCTION provider.spoken(words text) RETURNS boolean LANGUAGE sql AS 'SELECT TRUE';
    ALTER TABLE provider.message DROP CONSTRAINT said;
"""
SOMEBODY = """
    SELECT full_name, email, phone, address_line, postcode FROM provider.contact ORDER BY contact_id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Night:
    """A night that ended, and what it said on the terminal and by mail."""

    exit_code: int
    output: str
    mails: tuple[str, ...]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One whose provider has written queries of which the errors can quote."""
    project = tmp_path_factory.mktemp("project")
    for name in ("dags", "plugins", "policy", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "sql", project / "sql")
    for name, (was, becomes) in QUOTING.items():
        query = project / "sql" / "provider" / name
        text = query.read_text()
        assert was in text
        query.write_text(text.replace(was, becomes))
    with installed(project) as made:
        command = [HOLDFAST, "data", "make", "--accounts", str(ACCOUNTS)]
        subprocess.run(command, env=made.environment, check=True, capture_output=True, timeout=NIGHT_SECONDS)
        yield made


@pytest.fixture(scope="module")
def search(installation: Installation) -> Search:
    return Search(installation, canaries_of(installation))


@pytest.fixture(scope="module")
def bad_night(installation: Installation, search: Search) -> Night:
    with connected(installation, database.EMBEDDED_DATABASE) as connection:
        database.run_script(connection, BREAK)
        somebody = connection.exec_driver_sql(SOMEBODY).one()
        requests.make(connection.engine, inbox_of(installation.settings), as_of=dt.datetime.now(dt.UTC))
    plant_files(installation, somebody)
    return a_night(installation)


@pytest.fixture(scope="module")
def good_night(installation: Installation, bad_night: Night) -> Night:
    with connected(installation, database.EMBEDDED_DATABASE) as connection:
        database.run_script(connection, MEND)
    return a_night(installation)


def plant_files(installation: Installation, somebody: sa.Row[tuple[object, ...]]) -> None:
    """Files that no program wrote: somebody's data as name, header, code, number, day and reference."""
    name, email, phone, address, postcode = map(str, somebody)
    folders, inbox = Folders.below(installation.settings.emergency), inbox_of(installation.settings)
    inbox.mkdir(parents=True, exist_ok=True)
    words = ",".join((name, email, phone, address, postcode))
    (folders.responses / f"{name}.csv").write_text(
        f"RSP,1,HFT,{phone},{name},{postcode}\nANS,1,{phone},REJECTED,{email}\n"
    )
    call = json.dumps({"id": name, "number": phone, "called_at": address})
    (folders.calls / f"{email}.jsonl").write_text(f"{call}\n{words}\n")
    (folders.inbox / f"NG999_{name}.csv").write_text(f"HDR,{words}\nDTL,{words}\n")
    (folders.inbox / f"{phone}.csv").write_text(words)
    head = "reference,channel,received_at,subject_key,scope"
    (inbox / f"{email}.csv").write_text(f"{head}\n{email},{name},{phone},{address},{postcode}\n{words}\n")
    (inbox / f"{name}.csv").write_text(f"{words}\n{words}\n")
    (inbox / f"{phone}.txt").write_text(words)


def a_night(installation: Installation) -> Night:
    """All five jobs through the real scheduler, with somebody to tell."""
    with mailbox() as (port, received):
        extra = {
            "from_email": "airflow@example.com",
            "to": "on-call@example.com",
            "disable_tls": True,
            "disable_ssl": True,
        }
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        told = {f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(connection), "RUN_EXIT": "1"}
        done = subprocess.run(
            [HOLDFAST, "run"],
            env=installation.environment | told,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * NIGHT_SECONDS,
        )
    return Night(done.returncode, done.stdout, tuple(received))


def said_by(installation: Installation, *words: str) -> str:
    """What a command of ours prints."""
    done = subprocess.run(
        [HOLDFAST, *words], env=installation.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout


def assert_nothing_leaked(search: Search, night: Night) -> None:
    """Everything that was written, told with its place at once, since a night takes minutes."""
    found = search.files() | search.tables(METADATA_DATABASE)
    ours = search.tables(database.EMBEDDED_DATABASE)
    found |= {table: finds for table, finds in ours.items() if table not in MEANT_TABLES}
    for place, text in enumerate((night.output, *night.mails)):
        if finds := search.canaries.found_in(text.encode()):
            found[f"what was said, {place}"] = finds
    shown = [f"{place}: {find}" for place, finds in sorted(found.items()) for find in list(finds)[:3]]
    assert not shown, "\n".join(shown)


def test_there_is_much_to_look_for(search: Search) -> None:
    assert sum(search.canaries.kinds.values()) >= LEAST_CANARIES, search.canaries.kinds
    assert min(search.canaries.kinds[kind] for kind in ("name", "number", "e-mail", "postcode", "address", "ip")) > 100


def test_a_night_on_which_every_nightly_job_fails_leaves_nothing_of_anybody(search: Search, bad_night: Night) -> None:
    assert_nothing_leaked(search, bad_night)
    assert bad_night.exit_code == 1, bad_night.output
    nightly = [job for job in JOBS if job != "suspension_statistics_monthly"]
    assert [job for job in nightly if f"{job} failed" not in bad_night.output] == []
    assert bad_night.mails


def test_the_night_after_heals_and_leaves_nothing_of_anybody(search: Search, good_night: Night) -> None:
    """But for the 999 job, to which two of the files come that night: nobody can mend them but who sends them."""
    assert_nothing_leaked(search, good_night)
    mended = [job for job in JOBS if job != "emergency_data_999"]
    assert [job for job in mended if f"{job} success" not in good_night.output] == [], good_night.output
    assert "ExtractRefused: 2 files were refused" in good_night.output


@pytest.mark.usefixtures("good_night")
def test_what_is_handed_to_others_names_nobody(installation: Installation, search: Search, tmp_path: Path) -> None:
    """Packs, certificates, confirmations, and what the commands print."""
    with connected(installation, database.EMBEDDED_DATABASE) as connection:
        runs = connection.exec_driver_sql("SELECT run_id FROM holdfast.run WHERE state = 'sealed'").scalars().all()
        requests = connection.exec_driver_sql(
            "SELECT request_id FROM holdfast.deletion_request WHERE closed_at IS NOT NULL"
        ).scalars()
        (request, *_) = requests.all()
    assert runs
    for run in runs:
        said_by(installation, "evidence", "pack", str(tmp_path / f"run-{run}.zip"), "--run", str(run))
        said_by(installation, "evidence", "certificate", str(run), str(tmp_path / f"run-{run}.html"))
    said_by(installation, "evidence", "pack", str(tmp_path / "request.zip"), "--request", str(request))
    commands = (
        "ledger list 1", "ledger verify", "hold list", "hold sources", "request list", f"request show {request}",
        "request deadlines", "emergency list", "statistics versions", "statistics safeguards", "policy check",
    )  # fmt: skip
    said = {command: said_by(installation, *command.split()) for command in commands}
    assert len(list(tmp_path.iterdir())) == 2 * len(runs) + 1
    assert search.folder(tmp_path) == {}
    assert {
        command: finds for command, text in said.items() if (finds := search.canaries.found_in(text.encode()))
    } == {}


@pytest.mark.usefixtures("good_night")
def test_where_it_is_meant_to_be_it_is_found(installation: Installation, search: Search) -> None:
    """Else the search would have looked at nothing."""
    assert search.folder(installation.home / "letters")
    assert search.folder(installation.home / "emergency" / "released")
    assert search.folder(installation.home / "emergency" / "refused")
    assert search.tables(database.EMBEDDED_DATABASE).keys() & MEANT_TABLES.keys()
    assert {one.name for one in installation.home.iterdir()} >= MEANT_FOLDERS.keys()

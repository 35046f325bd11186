"""Airflow's configuration: nobody else reads its secrets, they outlive a restart, and the log-in can't be lost."""

from __future__ import annotations

import configparser
import json
import socket
import stat
from pathlib import Path

import pytest

from holdfast import settings
from holdfast.night import configuration
from holdfast.night.configuration import Airflow

URL = "postgresql+psycopg://postgres:@/airflow?host=/home/a%20b"


@pytest.fixture
def configured(home: Path) -> Airflow:
    return configure()


def configure(port: int = 8280) -> Airflow:
    return configuration.configure(settings.load(), metadata_url=URL, database_url="postgresql://x", port=port)


def read(home: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(home / "airflow" / "airflow.cfg")
    return parser


@pytest.mark.usefixtures("configured")
def test_only_its_owner_reads_what_is_secret(home: Path) -> None:
    folder = home / "airflow"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = {"airflow.cfg", "historian.json", "passwords.json", "secrets.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_secrets_and_passwords_outlive_a_restart(home: Path, configured: Airflow) -> None:
    before = read(home)
    again = configure(port=8281)
    after = read(home)
    assert again.passwords == configured.passwords
    assert again.address == "http://127.0.0.1:8281"
    for section, key in (("core", "fernet_key"), ("api", "secret_key"), ("api_auth", "jwt_secret")):
        assert len(before[section][key]) >= 40
        assert before[section][key] == after[section][key]


def test_a_user_who_is_new_in_this_version_gets_a_password_and_the_others_keep_theirs(
    home: Path, configured: Airflow
) -> None:
    file = home / "airflow" / "passwords.json"
    file.write_text(json.dumps({user: word for user, word in configured.passwords.items() if user != "dpo"}))
    again = configure().passwords
    assert again["dpo"] != configured.passwords["dpo"]
    assert {**again, "dpo": ""} == {**configured.passwords, "dpo": ""}
    assert again.items() <= json.loads(file.read_text()).items()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.usefixtures("configured")
def test_a_per_cent_sign_in_a_url_reaches_airflow_as_it_is(home: Path) -> None:
    assert read(home)["database"]["sql_alchemy_conn"] == URL


@pytest.mark.usefixtures("configured")
def test_it_listens_on_loopback_and_asks_who_is_there(home: Path) -> None:
    parser = read(home)
    assert parser["api"]["host"] == "127.0.0.1"
    assert parser["core"]["simple_auth_manager_all_admins"] == "False"
    assert (
        parser["core"]["simple_auth_manager_users"]
        == "admin:admin,auditor:viewer,deputy:user,dpo:user,engineer:op,historian:viewer"
    )


def test_the_environment_may_not_switch_the_log_in_off(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "8")
    environment = configure().environment
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in environment
    assert environment["AIRFLOW__CORE__PARALLELISM"] == "8"


def test_tasks_are_told_the_database_and_never_start_one(configured: Airflow) -> None:
    assert configured.environment[settings.DATABASE_URL] == "postgresql://x"


def test_a_port_in_use_is_passed_over() -> None:
    first = configuration.free_port(configuration.FIRST_PORT)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server may have stopped there a moment ago
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert configuration.free_port(first) > first


def test_history_is_read_as_a_user_of_its_own_and_that_is_nobodys_log_in(configured: Airflow) -> None:
    connection = settings.load().api_connection
    assert connection is not None
    assert (connection["host"], connection["port"], connection["login"]) == ("127.0.0.1", 8280, "historian")
    assert len(connection["password"]) >= 16
    assert "historian" not in configured.passwords

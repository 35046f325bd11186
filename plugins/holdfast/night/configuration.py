"""Airflow's configuration for one installation: a file, the secrets in it, the users, and the children's environment.

Everything lies in `home/airflow`, readable by its owner alone. Secrets and passwords are made once and kept; the
configuration file is written anew at each start, because the port may differ. What a person sets in the environment
(`AIRFLOW__SECTION__KEY`) wins, except for the few settings in `_OURS`: without them the parts would not find one
another, or the log-in would be off.
"""

from __future__ import annotations

import base64
import configparser
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from holdfast.settings import API_FILE, DATABASE_URL, HOME, PROJECT, Settings

METADATA_DATABASE = "airflow"
METADATA_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
FIRST_PORT = 8280
ROLES = {"admin": "admin", "auditor": "viewer", "deputy": "user", "dpo": "user", "engineer": "op"}
"""Users and their roles in the simple log-in. Whose answer about a plan counts is not the role's but the policy's."""
HISTORIAN, _READS_ALL = "historian", "viewer"
"""Nobody's log-in: as this user the history of runs is read."""

_OURS = (
    "AIRFLOW_CONFIG",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__API__PORT",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__PLUGINS_FOLDER",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
)


@dataclass(frozen=True)
class Airflow:
    """A configured Airflow: where it will answer, who may log in, and the environment its processes need."""

    address: str
    passwords: Mapping[str, str]
    passwords_file: Path
    environment: Mapping[str, str]


def configure(settings: Settings, *, metadata_url: str, database_url: str, port: int) -> Airflow:
    """Write the configuration. `metadata_url` is Airflow's own database, with psycopg as its driver.

    `database_url` is handed to the tasks, so that none of them starts or joins an embedded server by itself.
    """
    folder = settings.airflow_home
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords_file = folder / "passwords.json"
    known = _made_once(passwords_file, {user: secrets.token_urlsafe(12) for user in (*ROLES, HISTORIAN)})
    passwords = {user: known[user] for user in ROLES}
    address = f"http://127.0.0.1:{port}"
    sections = _sections(settings, address, port, passwords_file)
    # Both, or Airflow would look for another driver, asyncpg, for the second.
    sections["database"] = {"sql_alchemy_conn": metadata_url, "sql_alchemy_conn_async": metadata_url}
    for section, secret in _made_once(folder / "secrets.json", _new_secrets()).items():
        name, key = section.split(".")
        sections[name][key] = secret
    _write_configuration(folder / "airflow.cfg", sections)
    connection = {"host": "127.0.0.1", "port": port, "login": HISTORIAN, "password": known[HISTORIAN]}
    _replace_private(folder / API_FILE, lambda file: json.dump(connection, file))
    return Airflow(address, passwords, passwords_file, _environment(settings, database_url))


def free_port(first: int) -> int:
    """`first`, or the next port on loopback that nobody listens on."""
    for port in range(first, first + 100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port on loopback from {first} to {first + 99}")


def _sections(settings: Settings, address: str, port: int, passwords_file: Path) -> dict[str, dict[str, object]]:
    return {
        "core": {
            "dags_folder": settings.project / "dags",
            "plugins_folder": settings.project / "plugins",
            "load_examples": False,
            "executor": "LocalExecutor",
            "parallelism": 4,  # each worker takes about 100 MB even when idle, and the default is 32
            "execution_api_server_url": f"{address}/execution/",
            "auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "simple_auth_manager_users": ",".join(
                f"{user}:{role}" for user, role in (*ROLES.items(), (HISTORIAN, _READS_ALL))
            ),
            "simple_auth_manager_passwords_file": passwords_file,
            "simple_auth_manager_all_admins": False,
        },
        "api": {"host": "127.0.0.1", "port": port, "base_url": address, "workers": 1},
        "api_auth": {},
        "scheduler": {
            "scheduler_idle_sleep_time": 0.5,
            # A machine that was switched off must carry on in seconds; the defaults take five minutes to notice.
            "orphaned_tasks_check_interval": 15,
            "task_instance_heartbeat_timeout": 60,
        },
        "dag_processor": {"refresh_interval": 60},
        "logging": {
            "base_log_folder": settings.home / "logs" / "tasks",
            "dag_processor_child_process_log_directory": settings.home / "logs" / "parsing",
            "colored_console_log": False,
        },
    }


def _new_secrets() -> dict[str, str]:
    return {
        "core.fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "api.secret_key": secrets.token_urlsafe(32),
        "api_auth.jwt_secret": secrets.token_urlsafe(64),
    }


def _environment(settings: Settings, database_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    direct = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost")))
    return kept | {
        "NO_PROXY": direct,  # tasks report over loopback, whatever proxy this machine uses
        "no_proxy": direct,
        "AIRFLOW_HOME": str(settings.airflow_home),
        DATABASE_URL: database_url,
        HOME: str(settings.home),
        PROJECT: str(settings.project),
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }


def _made_once(path: Path, new: dict[str, str]) -> dict[str, str]:
    """The mapping kept in `path`, for its owner's eyes only; what it lacks is taken from `new` and kept from now on.

    Airflow would make a password for a user who has none by itself, and print it into a log.
    """
    before: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    kept = new | before
    if kept != before:
        _replace_private(path, lambda file: json.dump(kept, file))
    return kept


def _write_configuration(path: Path, sections: Mapping[str, Mapping[str, object]]) -> None:
    parser = configparser.RawConfigParser()
    # Airflow reads the file with interpolation, so a per cent sign (in a URL, say) has to be doubled.
    parser.read_dict(
        {name: {key: str(value).replace("%", "%%") for key, value in keys.items()} for name, keys in sections.items()}
    )
    _replace_private(path, parser.write)


def _replace_private(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    staging = path.with_suffix(".new")
    staging.unlink(missing_ok=True)
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        write(file)
    staging.replace(path)

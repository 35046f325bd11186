"""Holdfast on several machines, on loopback: what deploy/compose.yaml declares, each component with a home of its own.

Redis and PostgreSQL are Debian's, as in a data centre, and the object store speaks S3. No two components have a folder
in common but the project, which is in everybody's image, and the one for the keys of undo windows.
"""

from __future__ import annotations

import base64
import contextlib
import getpass
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ruamel.yaml
import sqlalchemy as sa
from tests.holdfast import object_store

from holdfast import settings
from holdfast.evidence.signing import SigningKey
from holdfast.night import processes
from holdfast.night.configuration import free_port

PROJECT = Path(__file__).parents[2]
SERVERS = {"redis-server": "redis-server", "initdb": "postgresql"}
"""Program -> the Debian package that has it."""
WORKERS = ("worker-1", "worker-2", "worker-3")
USERS = {"admin": "admin", "historian": "viewer"}
_START_SECONDS = 120
_POLL_SECONDS = 0.05


def program(name: str) -> str | None:
    """Where a program of Debian's is, those of PostgreSQL's newest version among them."""
    own = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(own[-1]) if own else shutil.which(name)


def missing() -> list[str]:
    """The Debian packages that are not there."""
    return [package for name, package in SERVERS.items() if program(name) is None]


@dataclass
class Cluster:
    """Processes by name, each with its home; what they say is in `<root>/<name>.log`."""

    root: Path
    project: Path
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=lambda: {user: secrets.token_urlsafe(12) for user in USERS})
    _given: dict[str, str] = field(default_factory=dict)

    # --- processes --------------------------------------------------------------------------------------------------

    def start(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a process, or start it again."""
        with (self.root / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                env=dict(os.environ if environment is None else environment),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=processes.end_with_parent,
            )

    def kill(self, name: str) -> None:
        """The end of a machine: SIGKILL for a process and everything below it, at once."""
        first = self.running.pop(name)
        below = processes.descendants(first.pid)
        processes.send([first.pid, *below], signal.SIGKILL)
        first.wait()

    def stop(self) -> None:
        if server := self.running.pop("postgres", None):
            server.send_signal(signal.SIGINT)  # at once, and it leaves nothing in shared memory
            server.wait()
        for process in self.running.values():
            processes.send([process.pid, *processes.descendants(process.pid)], signal.SIGKILL)
            process.wait()
        processes.kill_descendants(os.getpid(), spare=self._strangers)

    def __post_init__(self) -> None:
        processes.adopt_orphans()
        self._strangers = set(processes.descendants(os.getpid()))

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text(errors="replace")

    def wait_for(self, what: str, holds: Callable[[], bool], seconds: float = _START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"{what} did not come to be within {seconds:.0f} s"
            time.sleep(_POLL_SECONDS)

    # --- servers ----------------------------------------------------------------------------------------------------

    def start_redis(self) -> None:
        folder = self.root / "redis"
        folder.mkdir(exist_ok=True)
        port = self.ports.setdefault("redis", free_port(6480 + os.getpid() % 1000))
        where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command = [str(program("redis-server")), *where, "--save", ""]
        self.start("redis", [*command, *self._service("redis")["command"][1:]])
        ask = [str(shutil.which("redis-cli")), "-p", str(port), "ping"]
        self.wait_for("Redis", lambda: subprocess.run(ask, capture_output=True).stdout == b"PONG\n")

    def start_postgres(self) -> None:
        """A new server of Debian's PostgreSQL, as its own user where we are root, which it refuses to run as."""
        folder = self.root / "postgres"
        folder.mkdir()
        user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        if os.geteuid() == 0:
            shutil.chown(folder, user)
        initdb = [str(program("initdb")), "--pgdata", str(folder), "--username", "postgres", "--auth", "trust"]
        subprocess.run([*initdb, "--encoding", "UTF8", "--no-locale"], user=user, check=True, capture_output=True)
        port = self.ports["postgres"] = free_port(5480 + os.getpid() % 1000)
        given = {"shared_buffers": "1GB", "max_wal_size": "8GB", "max_connections": "300", "port": str(port)}
        options = [f"--{name}={value}" for name, value in given.items()]
        command = [str(program("postgres")), "-D", str(folder), "-h", "127.0.0.1", "-k", "", *options]
        how: dict[str, Any] = {"user": user, "cwd": "/", "preexec_fn": processes.end_with_parent}
        with (self.root / "postgres.log").open("wb") as log:
            self.running["postgres"] = subprocess.Popen(command, stdout=log, stderr=log, **how)
        ask = [str(program("pg_isready")), "-h", "127.0.0.1", "-p", str(port)]
        self.wait_for("PostgreSQL", lambda: subprocess.run(ask, capture_output=True).returncode == 0)
        admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for name in ("airflow", "telco"):
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.ports['postgres']}/{name}"

    # --- components -------------------------------------------------------------------------------------------------

    def configure(self, store: str) -> None:
        """What deploy/compose.yaml asks for, and the addresses on loopback."""
        port = self.ports["api"] = free_port(8480 + os.getpid() % 1000)
        address = f"http://127.0.0.1:{port}"
        connection = {"conn_type": "http", "host": "127.0.0.1", "port": port, "login": "historian"}
        self._given = {
            "AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "API_SECRET_KEY": secrets.token_urlsafe(32),
            "JWT_SECRET": secrets.token_urlsafe(64),
            "BASE_URL": address,
            "EXECUTION_API_URL": f"{address}/execution/",
            "METADATA_URL": self.url("airflow"),
            "BROKER_URL": f"redis://127.0.0.1:{self.ports['redis']}/0",
            settings.STORE: f"{store}/holdfast",
            settings.CHECKPOINTS: f"{object_store.bucket()}/checkpoints",
            settings.PSEUDONYM_KEY: secrets.token_hex(32),
            settings.LEDGER_KEY: SigningKey.generate("drill.example/holdfast").text(),
            settings.AIRFLOW_CONNECTION: self.url("telco").replace("postgresql+psycopg", "postgresql"),
            settings.API_CONNECTION: json.dumps({**connection, "password": self.passwords["historian"]}),
            **{name: os.environ[name] for name in (*object_store.KEYS, "AWS_ENDPOINT_URL")},
        }

    def environment(self, name: str) -> dict[str, str]:
        """Everything that one component is given: nothing of this process's own environment leads anywhere else."""
        home = self.root / name
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "passwords.json").write_text(json.dumps(self.passwords))
        declared = {
            variable: _filled_in(str(value), self._given)
            for variable, value in self._service("worker")["environment"].items()
        }
        ours = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C",
            "PYTHONPATH": str(self.project / "plugins"),
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            settings.HOME: str(home / "holdfast"),
            settings.PROJECT: str(self.project),
            settings.UNDO_KEYS: str(self.root / "undo-keys"),  # the one thing that workers share a disk for
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.project / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.project / "plugins"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports["api"]),
            # Sooner than in production, so that the drill takes minutes; and two cores are all there is.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "1",
        }
        return declared | ours

    def start_component(self, name: str) -> None:
        """Start what the service of that name in compose.yaml runs; a worker is called worker-1, say."""
        declared = self._service("worker" if name in WORKERS else name)["command"]
        more = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}  # all would want one port
        more |= {worker: ["--celery-hostname", f"{worker}@drill", "--skip-serve-logs"] for worker in WORKERS}
        self.start(name, [sys.executable, "-m", *declared, *more.get(name, [])], self.environment(name))

    def once(self, *command: str) -> None:
        """Run a command of Airflow's to its end, as the service `migrate` does."""
        environment = self.environment("migrate")
        whole = [sys.executable, "-m", "airflow", *command]
        done = subprocess.run(whole, env=environment, cwd=self.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]

    @staticmethod
    def _service(name: str) -> dict[str, Any]:
        with (PROJECT / "deploy" / "compose.yaml").open() as file:
            read = ruamel.yaml.YAML(typ="safe").load(file)
        return dict(read["services"][name])


def _filled_in(text: str, given: Mapping[str, str]) -> str:
    """`${NAME:?why}` and `${NAME:-default}` as Compose fills them in."""

    def value(found: re.Match[str]) -> str:
        name, how, rest = found.groups()
        return given[name] if how == ":?" else given.get(name) or rest

    return re.sub(r"\$\{(\w+)(:\?|:-)([^}]*)\}", value, text)


@contextlib.contextmanager
def cluster(project: Path) -> Iterator[Cluster]:
    """Servers up, components configured; everything is stopped and removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="holdfast-cluster-")).resolve()
    root.chmod(0o711)  # PostgreSQL's own user must pass
    up = Cluster(root, project)
    try:
        with object_store.s3() as store:
            up.start_redis()
            up.start_postgres()
            up.configure(store)
            yield up
    finally:
        up.stop()
        shutil.rmtree(root, ignore_errors=True)

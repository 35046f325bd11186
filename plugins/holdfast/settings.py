"""Where things are: the one module that reads the environment.

Two folders matter. *Home* (`HOLDFAST_HOME`, default `.holdfast` in the project) takes everything Holdfast writes, but
what several machines must see: that lies in the *store* (`HOLDFAST_STORE`, default the home).
*Project* (`HOLDFAST_PROJECT`, default two folders above this package) holds `sql/`, `policy/` and `expectations/`;
they are found through it and never relative to a DAG file, because Airflow may run a DAG from another folder than
the one it was parsed in.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from holdfast.errors import SettingsError
from holdfast.store import AnyPath, at

MAIN = "holdfast"
"""The database that has the requests, the 999 data and the statistics; the data map may name others beside it."""
CONNECTION = r"^[a-z][a-z0-9_]{1,30}$"
"""The names that they may have, which stand in variables, folders and task groups."""
DATABASE_URL = "HOLDFAST_DATABASE_URL"
AIRFLOW_CONNECTION = "AIRFLOW_CONN_HOLDFAST"
"""Airflow's own way to give the connection `holdfast` in the environment. Its tasks obey it before anything else, so
everything does: else the command line would speak of another database than the jobs."""
HOME = "HOLDFAST_HOME"
PROJECT = "HOLDFAST_PROJECT"
STORE = "HOLDFAST_STORE"
PSEUDONYM_KEY = "HOLDFAST_PSEUDONYM_KEY"
LEDGER_KEY = "HOLDFAST_LEDGER_KEY"
DELETIONS_POOL = "HOLDFAST_DELETIONS_POOL"
DELETIONS_QUEUE = "HOLDFAST_DELETIONS_QUEUE"
EMERGENCY_OUTBOX = "HOLDFAST_EMERGENCY_OUTBOX"
CHECKPOINTS = "HOLDFAST_CHECKPOINTS"
UNDO_KEYS = "HOLDFAST_UNDO_KEYS"
OUTBOX_CONNECTION = "AIRFLOW_CONN_HOLDFAST_EMERGENCY_OUTBOX"
"""The same for the connection `holdfast_emergency_outbox`, a server that takes 999 files over SFTP."""
RECIPIENTS_CONNECTION = "AIRFLOW_CONN_HOLDFAST_RECIPIENTS"
"""The same for the connection `holdfast_recipients`, a mail server that takes notices to recipients over SMTP."""
API_CONNECTION = "AIRFLOW_CONN_HOLDFAST_AIRFLOW"
"""The same for the connection `holdfast_airflow`, Airflow's own REST API and the user as whom its history is read."""

API_FILE = "historian.json"
"""In the Airflow folder of an installation that `holdfast run` made: the parts of that connection."""


@dataclass(frozen=True)
class Settings:
    """Folders and the database of one installation. `database_url` None means the embedded PostgreSQL.

    `database` is the name of the one that is spoken of; what belongs to its ledger is kept apart from the others'.
    `other_urls` are those of further databases that were not found in the environment.
    """

    home: Path
    project: Path
    database_url: str | None
    database: str = MAIN
    other_urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    outbox_connection: Mapping[str, Any] | None = field(default=None, repr=False)
    """The parts of the Airflow connection `holdfast_emergency_outbox`, if there is one: also its password or key."""
    recipients_connection: Mapping[str, Any] | None = field(default=None, repr=False)
    """Those of the Airflow connection `holdfast_recipients`, if there is one."""
    api_connection: Mapping[str, Any] | None = field(default=None, repr=False)
    """Those of the Airflow connection `holdfast_airflow`; without one, of the Airflow that `holdfast run` started."""
    store_url: str | None = field(default=None, repr=False)
    """None: the home, which is right for one machine."""
    ledger_key_text: str | None = field(default=None, repr=False)
    """The key that signs checkpoints, where it is given by the environment."""

    def at(self, database: str) -> Settings:
        """The same for another database of the installation. Raises SettingsError if nobody says where it is."""
        if database == self.database:
            return self
        url = self.other_urls.get(database) or _url_of(database)
        if url is None and database != MAIN:
            raise SettingsError(
                f"The data map names the connection {database}, and nothing says where that database is.",
                fix=f"make the Airflow connection holdfast_{database}, or set {connection_of(database)}.",
            )
        ours = {} if self.database_url is None else {self.database: self.database_url}
        key = os.environ.get(LEDGER_KEY if database == MAIN else f"{LEDGER_KEY}_{database.upper()}")
        others = {**self.other_urls, **ours}
        return replace(self, database=database, database_url=url, other_urls=others, ledger_key_text=key)

    def with_url(self, database: str, url: str) -> Settings:
        """The same, with the place of one of the databases, whatever the environment says."""
        if database == self.database:
            return replace(self, database_url=url)
        return replace(self, other_urls={**self.other_urls, database: url})

    @property
    def own(self) -> Path:
        """The folder of what belongs to this database's ledger: of the main one the home itself."""
        return self.home if self.database == MAIN else self.home / "databases" / self.database

    @property
    def postgres_data(self) -> Path:
        return self.home / "postgres"

    @property
    def airflow_home(self) -> Path:
        return self.home / "airflow"

    @property
    def store(self) -> AnyPath:
        """What is written by one task and read by another, by a page or at the command line lies below it."""
        return self.home if self.store_url is None else at(self.store_url)

    @property
    def own_store(self) -> AnyPath:
        """What of the store belongs to this database's ledger: of the main one the store itself."""
        return self.store if self.database == MAIN else self.store / "databases" / self.database

    @property
    def is_shared(self) -> bool:
        """Whether several machines work here: then none of them may make a key, for the others would not have it."""
        return not isinstance(self.store, Path)

    @property
    def reports(self) -> AnyPath:
        return self.own_store / "reports"

    @property
    def inbox(self) -> AnyPath:
        """Where files of deletion requests are dropped. They name people."""
        return self.store / "inbox"

    @property
    def outbox(self) -> AnyPath:
        """Notices to recipients of erased data, by pseudonym."""
        return self.store / "outbox"

    @property
    def letters(self) -> AnyPath:
        """Letters to people who asked for erasure, with their names and addresses."""
        return self.store / "letters"

    @property
    def seals(self) -> AnyPath:
        """Copies of each run's seal, outside the database: a rewritten database no longer matches them."""
        return self.own_store / "seals"

    @property
    def checkpoints(self) -> str:
        """The second place, for copies of signed checkpoints: any folder that fsspec can write to."""
        given = os.environ.get(CHECKPOINTS)
        if given and self.database != MAIN:
            return f"{given.rstrip('/')}/{self.database}"
        return given or (self.seals / "checkpoints").as_uri()

    @property
    def ledger_key(self) -> Path:
        """The file of the key that signs checkpoints of the ledger. Whoever has it can sign a ledger that never was.

        Each database's ledger has its own: two ledgers under one name would look like one that says two things.
        """
        return self.own / "keys" / "ledger.key"

    @property
    def undo_keys(self) -> Path | None:
        """The folder of the keys of undo windows: who has one can read what was deleted, until it is destroyed.

        Never in a backup. Each database has its own. None: several machines work here, and no disk that they share was
        named for it.
        """
        given = os.environ.get(UNDO_KEYS)
        if given:
            return Path(given) if self.database == MAIN else Path(given) / self.database
        return None if self.is_shared else self.own / "keys" / "undo"

    @property
    def erasures(self) -> AnyPath:
        """What was erased for whom, by pseudonym, outside the database: applied again if an older one is restored."""
        return self.own_store / "erasures"

    @property
    def objects(self) -> AnyPath:
        """The synthetic provider's object storage (call recordings), which the data map names as `objects`."""
        return self.folder("objects")

    def folder(self, name: str) -> AnyPath:
        """A folder as the data map names it: by a URL or a whole path, or relative to the store. Raises as `at`."""
        return at(name) if "://" in name or name.startswith("/") else self.store / name

    @property
    def policy(self) -> Path:
        return self.project / "policy"

    @property
    def expectations(self) -> Path:
        """Layouts, rules and reference data of the jobs that check data."""
        return self.project / "expectations"

    @property
    def emergency(self) -> AnyPath:
        """Files of 999 emergency data: received, refused, released. They hold names and addresses."""
        return self.store / "emergency"

    @property
    def emergency_outbox(self) -> str:
        """Where released 999 files are handed over: any folder that fsspec can write to, here unless told otherwise."""
        return os.environ.get(EMERGENCY_OUTBOX) or (self.emergency / "outbox").as_uri()

    @property
    def sql(self) -> Path:
        return self.project / "sql"

    def pseudonym_key(self) -> bytes:
        """The key of all pseudonyms: 32 bytes, outside the database, from the environment or `home/keys`.

        Made once if neither exists; SettingsError where several machines would each make their own. Whoever holds it
        can test guesses against pseudonyms, and telephone numbers are guessable, so its owner alone may read it.
        """
        given = os.environ.get(PSEUDONYM_KEY)
        if given is not None:
            return _key_from_hex(given, where=PSEUDONYM_KEY)
        path = self.home / "keys" / "pseudonym.key"
        if not path.exists():
            if self.is_shared:
                raise SettingsError(
                    "There is no key of pseudonyms, and the other machines would not have one that is made here.",
                    fix=f"give every machine the same {PSEUDONYM_KEY}, 64 hexadecimal digits from your secret store.",
                )
            _make_key(path)
        return _key_from_hex(path.read_text().strip(), where=str(path))


def _make_key(path: Path) -> None:
    """Make the key unless another process has, which must never see half of one: the first workers start together."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix="pseudonym.")  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        os.link(made, path)
    except FileExistsError:
        pass  # another process made it between our look and our link
    finally:
        Path(made).unlink()


def _key_from_hex(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingsError(
            f"The pseudonym key in {where} is not 32 bytes written as 64 hexadecimal digits.",
            fix="restore the key from its backup; a new key would break the link to every earlier pseudonym.",
        )
    return key


def place_of_deletions() -> dict[str, str]:
    """Airflow's pool and queue for the tasks that delete, where the environment names any."""
    given = {"pool": os.environ.get(DELETIONS_POOL), "queue": os.environ.get(DELETIONS_QUEUE)}
    return {option: name for option, name in given.items() if name}


def load() -> Settings:
    """The settings the environment gives, with defaults for everything."""
    project = Path(os.environ.get(PROJECT) or Path(__file__).parents[2]).resolve()
    home = Path(os.environ.get(HOME) or project / ".holdfast").resolve()
    return Settings(
        home=home,
        project=project,
        database_url=_url_of(MAIN),
        outbox_connection=_parts_if_given(OUTBOX_CONNECTION),
        recipients_connection=_parts_if_given(RECIPIENTS_CONNECTION),
        api_connection=_parts_if_given(API_CONNECTION) or _parts_of_file(home / "airflow" / API_FILE),
        store_url=os.environ.get(STORE) or None,
        ledger_key_text=os.environ.get(LEDGER_KEY) or None,
    )


def connection_of(database: str) -> str:
    """The variable by which Airflow is given the connection to a database."""
    return AIRFLOW_CONNECTION if database == MAIN else f"{AIRFLOW_CONNECTION}_{database.upper()}"


def _url_of(database: str) -> str | None:
    variable = connection_of(database)
    if connection := os.environ.get(variable):
        return url_of_connection(**_parts_of_variable(variable, connection))
    return os.environ.get(DATABASE_URL if database == MAIN else f"{DATABASE_URL}_{database.upper()}") or None


def _parts_of_file(file: Path) -> dict[str, Any] | None:
    return json.loads(file.read_text()) if file.exists() else None


def _parts_if_given(variable: str) -> dict[str, Any] | None:
    text = os.environ.get(variable)
    return _parts_of_variable(variable, text) if text else None


def url_of_connection(
    *,
    conn_type: str | None,
    login: str | None,
    password: str | None,
    host: str | None,
    port: int | str | None,
    schema: str | None,
    extra: Mapping[str, object],
) -> str:
    """The database URL for the parts of an Airflow connection. Raises SettingsError unless it is PostgreSQL's."""
    import sqlalchemy as sa

    if conn_type not in ("postgres", "postgresql"):
        raise SettingsError(
            f"The Airflow connection 'holdfast' is of type {conn_type!r}.",
            fix=f"make it a PostgreSQL connection, or remove it to use {DATABASE_URL}.",
        )
    # As parameters, since a host that is the folder of a socket has no other place in a URL.
    place = {"host": host, "port": port, "dbname": schema}
    given = [*extra.items(), *place.items()]
    parameters = {name: str(value) for name, value in given if value not in (None, "")}
    url = sa.URL.create("postgresql+psycopg", login or None, password or None, query=parameters)
    return url.render_as_string(hide_password=False)


def _parts_of_variable(variable: str, text: str) -> dict[str, Any]:
    """A connection's parts, from one of the forms that Airflow reads: JSON, or a URI with all its parts quoted."""
    try:
        parts = json.loads(text) if text.strip().startswith("{") else _parts_of_uri(text)
        extra = parts.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else dict(extra)
    except (ValueError, TypeError):
        extra = None
    if not isinstance(extra, dict):
        raise SettingsError(
            f"{variable} is not a connection that Airflow could read.",
            fix="write it as type://user:password@host:port/name, with reserved characters quoted, or as JSON.",
        )
    names = ("conn_type", "login", "password", "host", "port", "schema")
    return {**{name: parts.get(name) for name in names}, "extra": extra}


def _parts_of_uri(text: str) -> dict[str, Any]:
    uri = urlsplit(text)
    extra = dict(parse_qsl(uri.query, keep_blank_values=True))
    parts = {"login": uri.username, "password": uri.password, "host": uri.hostname, "schema": uri.path[1:]}
    unquoted: dict[str, Any] = {name: unquote(part) for name, part in parts.items() if part}
    return {**unquoted, "conn_type": uri.scheme, "port": uri.port, "extra": extra.get("__extra__", extra)}

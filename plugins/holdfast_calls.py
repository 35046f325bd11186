"""How a task calls a step: with an engine, settings as Airflow's connections have them, and errors that quote nobody.

Airflow is an untrusted trigger. What passes from a step back to it is counts, digests, labels and paths; what its logs
say of an error is its type and its facts, because a database's own messages quote the rows they complain about.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import yaml
from airflow.sdk.exceptions import AirflowException, AirflowFailException, ErrorType

from holdfast import settings
from holdfast.errors import DatabaseUnreachable, HoldfastError, TurnTaken, description

if TYPE_CHECKING:
    from airflow.sdk import Connection

_REACHES = {
    "emergency_data": ("outbox_connection", "holdfast_emergency_outbox"),
    "deletion_requests": ("recipients_connection", "holdfast_recipients"),
    "run_history": ("api_connection", "holdfast_airflow"),
}
"""Job -> the settings' field for the Airflow connection by which it reaches another server, and that one's name."""
_MAX_RESULT_CHARACTERS = 64_000  # an XCom is a row of Airflow's database; a list of a few hundred shards fits
_log = logging.getLogger(__name__)


class StepFailed(AirflowException):
    """A failure that another attempt may not meet again. Its text holds types and codes, never a database's message."""


def databases() -> list[str]:
    """The main database, and one for each connection that the data map names, as the file is now.

    Read each time that DAG files are parsed, so by the fast parser (6 ms). A file that cannot be read leaves the main
    one, whose first task says what is wrong with it.
    """
    try:
        found = yaml.load((settings.load().policy / "data_map.yaml").read_bytes(), yaml.CSafeLoader)
        names = [name for name in found.get("connections") or {} if re.match(settings.CONNECTION, name)]
    except (OSError, yaml.YAMLError, AttributeError, TypeError):
        names = []
    return [settings.MAIN, *names]


def database_settings(database: str = settings.MAIN) -> settings.Settings:
    """The settings for a task in a database: Airflow's connections decide where the databases are, if it has them."""
    loaded = settings.load()
    for name in databases():
        connection = _connection(connection_id(name))
        if connection is not None:
            loaded = loaded.with_url(name, settings.url_of_connection(**parts_of(connection)))
    return loaded.at(database)


def connection_id(database: str) -> str:
    """The name of Airflow's connection to a database."""
    return database if database == settings.MAIN else f"holdfast_{database}"


def call_step(module: str, function_name: str, arguments: Mapping[str, Any]) -> object:
    """Call a step and return its result. Raises AirflowFailException if it must not be tried again, else StepFailed.

    Every error is replaced outside its handler, so that the chain of its causes does not reach Airflow's log.
    """
    if arguments.get("run_id", 0) is None:
        raise AirflowFailException("No run was opened, so there is nothing to do here; see the task open_run.")
    from holdfast import database

    failure: AirflowException
    try:
        return _checked(_call(module, function_name, arguments))
    except (DatabaseUnreachable, TurnTaken) as error:
        failure = StepFailed(description(error))
    except HoldfastError as error:
        _log.error("%s refused: %s", function_name, _facts(error))
        failure = AirflowFailException(description(error))
    except AirflowException as error:
        failure = error
    except Exception as error:  # noqa: BLE001 # replaced by its type, and raised again below
        failure = (StepFailed if database.may_pass(error) else AirflowFailException)(description(error))
    raise failure


def steps_of(package: str) -> str:
    """The module of a package's steps."""
    return f"holdfast.{package}.steps"


def _call(module: str, function_name: str, arguments: Mapping[str, Any]) -> Any:
    from holdfast import database, roles

    function = getattr(importlib.import_module(module), function_name)
    wanted = inspect.signature(function).parameters
    current = database_settings(arguments.get("database") or settings.MAIN)
    for package, (field, name) in _REACHES.items():
        if module == steps_of(package) and (given := _connection(name)) is not None:
            parts: dict[str, Any] = {field: parts_of(given)}
            current = dataclasses.replace(current, **parts)
    package = module.split(".")[1]
    engine = database.connect_migrated(current, roles.load(current.sql).of_step(f"{package}.{function_name}"))
    try:
        return function(engine, current, **{name: arguments[name] for name in wanted if name in arguments})
    finally:
        engine.dispose()


def _checked(result: object) -> object:
    """The result, if it is small and made of nothing but counts, words, lists and mappings."""
    if not _is_plain(result):
        raise TypeError("a step may return counts, words, lists and mappings only")
    if len(repr(result)) > _MAX_RESULT_CHARACTERS:
        raise ValueError(f"a step may return at most {_MAX_RESULT_CHARACTERS} characters")
    return result


def _is_plain(value: object) -> bool:
    match value:
        case None | bool() | int() | str():
            return True
        case list():
            return all(map(_is_plain, value))
        case dict():
            return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
        case _:
            return False


def _facts(error: HoldfastError) -> str:
    return ", ".join(f"{name}={value}" for name, value in error.facts.items()) or type(error).__name__


def _connection(name: str) -> Connection | None:
    """The Airflow connection of this name, or None if every source of connections says that there is none.

    Airflow's own look-up reads an unreachable source as 'not defined' (ExecutionAPISecretsBackend.get_connection in
    3.3.2), and the jobs would go on with another database. So each source is asked here, and silence is an error.
    """
    from airflow.sdk.execution_time.secrets import ExecutionAPISecretsBackend
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    for source in ensure_secrets_backend_loaded():
        asked_here = isinstance(source, ExecutionAPISecretsBackend)
        found = _ask_execution_api(name) if asked_here else source.get_connection(conn_id=name)
        if found is not None:
            return cast("Connection", found)
    return None


def _ask_execution_api(name: str) -> Connection | None:
    from airflow.sdk.exceptions import AirflowRuntimeError
    from airflow.sdk.execution_time.comms import GetConnection
    from airflow.sdk.execution_time.context import _process_connection_result_conn
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    try:
        return cast("Connection", _process_connection_result_conn(SUPERVISOR_COMMS.send(GetConnection(conn_id=name))))
    except AirflowRuntimeError as answer:
        if answer.error.error == ErrorType.CONNECTION_NOT_FOUND:
            return None
        raise StepFailed(
            f"Airflow could not say whether the connection {name!r} exists: {answer.error.error.value}"
        ) from None


def parts_of(connection: Connection) -> dict[str, Any]:
    """What `settings.url_of_connection` asks for."""
    return {
        "conn_type": connection.conn_type,
        "login": connection.login,
        "password": connection.password,
        "host": connection.host,
        "port": connection.port,
        "schema": connection.schema,
        "extra": connection.extra_dejson,
    }

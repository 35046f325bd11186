"""The one place where Airflow and Holdfast meet: the plugin, and `step`, which turns a function of ours into a task.

Airflow is an untrusted trigger. What passes from a step back to it is counts, digests, labels and paths; what its logs
say of an error is its type and its facts, because a database's own messages quote the rows they complain about.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import logging
import traceback
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, ErrorType
from airflow.sdk.plugins_manager import AirflowPlugin

from holdfast import settings
from holdfast.errors import DatabaseUnreachable, HoldfastError, SettingsError

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from airflow.sdk.bases.decorator import TaskDecorator

CONNECTION = "holdfast"
_MAX_RESULT_CHARACTERS = 64_000  # an XCom is a row of Airflow's database; a list of a few hundred shards fits
_PLUGINS = Path(__file__).parent
_log = logging.getLogger(__name__)


class HoldfastPlugin(AirflowPlugin):
    """Registers Holdfast with Airflow."""

    name = "holdfast"


class StepFailed(AirflowException):
    """A failure that another attempt may not meet again. Its text holds types and codes, never a database's message."""


def step(name: str, **options: Any) -> TaskDecorator:
    """A task for the function `holdfast.<package>.steps.<function>`; `name` is `<package>.<function>`.

    The function is imported when the task runs, and called with an engine, the settings and the task's arguments.
    `options` go to the task. A refusal fails the task for good; anything that another attempt may mend is retried.
    """
    package, function_name = name.split(".")

    def run_step(**arguments: Any) -> Any:  # Airflow adds its whole context to the task's own arguments
        return call_step(f"holdfast.{package}.steps", function_name, arguments)

    return cast("TaskDecorator", task(task_id=function_name, **options)(run_step))


class FilesArrive(BaseOperator):
    """Wait until the inbox of 999 data has a file. It takes no worker while it waits, and fails after `hours`.

    `already_here` may say that the day's extract has been taken in before: then nothing need come.
    """

    template_fields = ("already_here",)

    def __init__(self, *, hours: int, already_here: bool | str, **options: Any) -> None:
        super().__init__(**options)
        self.hours = hours
        self.already_here = already_here

    def execute(self, context: Any) -> None:
        """Return at once if a file is there, else let the triggerer look every few seconds."""
        from airflow.providers.standard.triggers.file import FileTrigger

        inbox = settings.load().emergency / "inbox"
        if self.already_here is True or any(inbox.glob("[!.]*")):
            return
        self.defer(
            trigger=FileTrigger(filepath=str(inbox / "[!.]*"), poll_interval=10),
            method_name="arrived",
            timeout=timedelta(hours=self.hours),
        )

    def arrived(self, context: Any, event: Any = None) -> None:
        """What the triggerer saw need not be told: the next task looks itself."""


def database_settings() -> settings.Settings:
    """The settings for a task: the Airflow connection `holdfast` decides on the database, if there is one."""
    loaded = settings.load()
    connection = _connection()
    return loaded if connection is None else dataclasses.replace(loaded, database_url=_url_of(connection))


def call_step(module: str, function_name: str, arguments: Mapping[str, Any]) -> object:
    """Call a step and return its result. Raises AirflowFailException if it must not be tried again, else StepFailed.

    Every error is replaced outside its handler, so that the chain of its causes does not reach Airflow's log.
    """
    if arguments.get("run_id", 0) is None:
        raise AirflowFailException("No run was opened, so there is nothing to do here; see the task open_run.")
    failure: AirflowException
    try:
        return _checked(_call(module, function_name, arguments))
    except DatabaseUnreachable as error:
        failure = StepFailed(f"DatabaseUnreachable: {error}")
    except HoldfastError as error:
        _log.error("%s refused: %s", function_name, _facts(error))
        failure = AirflowFailException(f"{type(error).__name__}: {error}")
    except AirflowException as error:
        failure = error
    except Exception as error:  # noqa: BLE001 # replaced by its type, and raised again below
        failure = (StepFailed if _may_pass(error) else AirflowFailException)(_description(error))
    raise failure


def _call(module: str, function_name: str, arguments: Mapping[str, Any]) -> Any:
    from holdfast import database

    function = getattr(importlib.import_module(module), function_name)
    wanted = inspect.signature(function).parameters
    current = database_settings()
    engine = database.connect_migrated(current)
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


def _may_pass(error: BaseException) -> bool:
    """Whether another attempt may succeed: connections, resources, locks and shutdowns, not data or programs."""
    import sqlalchemy as sa

    return isinstance(error, OSError | sa.exc.OperationalError | sa.exc.InterfaceError)


def _description(error: BaseException) -> str:
    """Type, SQLSTATE and the lines of ours that led there. Not its message: it may quote a row."""
    code = getattr(getattr(error, "orig", error), "sqlstate", None)
    sqlstate = f" (SQLSTATE {code})" if code else ""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [f"{file.relative_to(_PLUGINS)}:{line}" for file, line in frames if file.is_relative_to(_PLUGINS)]
    return f"{type(error).__module__}.{type(error).__name__}{sqlstate} at {' > '.join(ours)}"


def _connection() -> Connection | None:
    """The Airflow connection `holdfast`, or None if every source of connections says that there is none.

    Airflow's own look-up reads an unreachable source as 'not defined' (ExecutionAPISecretsBackend.get_connection in
    3.3.2), and the jobs would go on with another database. So each source is asked here, and silence is an error.
    """
    from airflow.sdk.execution_time.secrets import ExecutionAPISecretsBackend
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    for source in ensure_secrets_backend_loaded():
        asked_here = isinstance(source, ExecutionAPISecretsBackend)
        found = _ask_execution_api() if asked_here else source.get_connection(conn_id=CONNECTION)
        if found is not None:
            return cast("Connection", found)
    return None


def _ask_execution_api() -> Connection | None:
    from airflow.sdk.exceptions import AirflowRuntimeError
    from airflow.sdk.execution_time.comms import GetConnection
    from airflow.sdk.execution_time.context import _process_connection_result_conn
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    try:
        return cast(
            "Connection", _process_connection_result_conn(SUPERVISOR_COMMS.send(GetConnection(conn_id=CONNECTION)))
        )
    except AirflowRuntimeError as answer:
        if answer.error.error == ErrorType.CONNECTION_NOT_FOUND:
            return None
        raise StepFailed(
            f"Airflow could not say whether the connection {CONNECTION!r} exists: {answer.error.error.value}"
        ) from None


def _url_of(connection: Connection) -> str:
    import sqlalchemy as sa

    if connection.conn_type not in ("postgres", "postgresql"):
        raise SettingsError(
            f"The Airflow connection {CONNECTION!r} is of type {connection.conn_type!r}.",
            fix="make it a PostgreSQL connection, or remove it to use HOLDFAST_DATABASE_URL.",
        )
    url = sa.URL.create(
        "postgresql+psycopg",
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query={name: str(value) for name, value in connection.extra_dejson.items()},
    )
    return url.render_as_string(hide_password=False)

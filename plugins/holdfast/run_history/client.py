"""Asking Airflow, over its public REST API: a log-in, one question, and answers that come in pages."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.errors import HoldfastError, SettingsError
from holdfast.remote import is_here
from holdfast.settings import API_CONNECTION, Settings

_TIMEOUT_SECONDS = 30
_PAGE = 100  # as many as Airflow gives at once, whatever it is asked for (api.maximum_page_limit)
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a password goes to Airflow and to nobody else


class AirflowRefused(HoldfastError):
    """An answer that is not what we asked for must not be read as 'nothing to do'."""


class AirflowSilent(HoldfastError):
    """No answer says nothing about the night: it may be going on, and must not be taken for ended."""


class Client:
    """A client with one user's token. Methods raise AirflowRefused for an unexpected answer, AirflowSilent for none."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._token: str | None = None

    def log_in(self, user: str, password: str) -> None:
        """Have a token made; every auth manager of Airflow's own makes one here."""
        self._token = self.call("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The answer to one question."""
        request = urllib.request.Request(
            self._address + path, method=method, data=None if body is None else json.dumps(body).encode()
        )
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", "application/json")
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with _DIRECT.open(request, timeout=_TIMEOUT_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise AirflowRefused(
                f"Airflow answered {error.code} to {method} {path}.",
                fix="see api-server.log in the logs folder.",
                status=error.code,
            ) from None
        except (OSError, json.JSONDecodeError) as error:
            raise AirflowSilent(
                f"Airflow did not answer {method} {path} within {_TIMEOUT_SECONDS} s ({type(error).__name__}).",
                fix="start again; a run that was going on is carried on. If it lasts, see api-server.log.",
            ) from None

    def pages(self, path: str, key: str, **query: object) -> Iterator[dict[str, Any]]:
        """Every item of a list, however many pages it has. Raises AirflowRefused if there are fewer than it says."""
        read = 0
        while True:
            given = urllib.parse.urlencode({**query, "limit": _PAGE, "offset": read}, doseq=True)
            answer = self.call("GET", f"{path}?{given}")
            items = answer[key]
            yield from items
            read += len(items)
            if read >= answer["total_entries"]:
                return
            if not items:
                raise AirflowRefused(
                    f"Airflow said that {path} has {answer['total_entries']} {key} and gave {read}.",
                    fix="ask again; something was deleted while it was read.",
                )


def of_settings(settings: Settings) -> Client:
    """A client that is logged in as the connection says. Raises SettingsError if there is none."""
    parts = settings.api_connection
    if parts is None or not parts.get("host") or not parts.get("login"):
        raise SettingsError(
            "Nothing says where Airflow answers, and as whom to ask it.",
            fix=f"make the Airflow connection 'holdfast_airflow' (HTTP, log-in, password), or set {API_CONNECTION}.",
        )
    scheme, host = parts.get("schema") or "http", parts["host"]
    if scheme != "https" and not is_here(host):
        raise SettingsError(
            "Airflow is on another machine, and a password would go there unencrypted.",
            fix="give the connection 'holdfast_airflow' the schema https, and the port that answers it.",
        )
    client = Client(f"{scheme}://{host}:{parts['port']}" if parts.get("port") else f"{scheme}://{host}")
    client.log_in(parts["login"], parts.get("password") or "")
    return client


def quoted(name: str) -> str:
    """A run's id as part of a path."""
    return urllib.parse.quote(name, safe="")

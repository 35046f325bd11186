"""Notices to recipients by e-mail (UK GDPR Art 19): to those with an address, over an encrypted line, as one mail."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email
import email.policy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.mail_server import mailbox

from holdfast import settings
from holdfast.deletion_requests.outbox import Notice
from holdfast.deletion_requests.outbox_mail import transport_of
from holdfast.errors import SettingsError
from holdfast.settings import Settings

NOW = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
NOTICE = Notice(7, 1, "mail-service", "erased", "p1:r", "p1:s", ("contacts",), (), ("contact",), NOW)
PLAIN = {"disable_ssl": True, "disable_tls": True}
EXTRA = {"from_email": "privacy@example.com", "addresses": {"mail-service": "dpo@example.org"}, **PLAIN}


def with_server(loaded: Settings, **parts: Any) -> Settings:
    given = {"conn_type": "smtp", "host": "127.0.0.1", "port": 25, "extra": EXTRA, **parts}
    return dataclasses.replace(loaded, recipients_connection=given)


@pytest.fixture
def loaded(home: Path) -> Settings:
    return settings.load()


@pytest.fixture
def server() -> Iterator[tuple[int, list[str]]]:
    with mailbox() as found:
        yield found


def left_in_outbox(loaded: Settings) -> list[str]:
    return sorted(file.parts[-3] for file in loaded.outbox.rglob("notice.json"))


def test_a_recipient_with_an_address_gets_a_mail(loaded: Settings, server: tuple[int, list[str]]) -> None:
    port, received = server
    transport_of(with_server(loaded, port=port))(NOTICE)
    mail = email.message_from_string(received[0], policy=email.policy.default)
    assert (mail["From"], mail["To"]) == ("privacy@example.com", "dpo@example.org")
    assert mail["Subject"] == "Erasure of personal data, notice 7"
    assert "Notice:     7" in mail.get_content()
    assert left_in_outbox(loaded) == []


def test_the_same_notice_again_is_known_as_one(loaded: Settings, server: tuple[int, list[str]]) -> None:
    port, received = server
    send = transport_of(with_server(loaded, port=port))
    for notice in (NOTICE, NOTICE, dataclasses.replace(NOTICE, notice_id=8)):
        send(notice)
    first, again, other = (email.message_from_string(one)["Message-ID"] for one in received)
    assert first == again != other


def test_a_recipient_without_one_is_left_in_the_outbox(loaded: Settings, server: tuple[int, list[str]]) -> None:
    port, received = server
    transport_of(with_server(loaded, port=port))(dataclasses.replace(NOTICE, recipient="accountant"))
    assert received == []
    assert left_in_outbox(loaded) == ["accountant"]


def test_without_a_connection_all_are_left_in_the_outbox(loaded: Settings) -> None:
    transport_of(loaded)(NOTICE)
    assert left_in_outbox(loaded) == ["mail-service"]


def test_a_server_that_is_not_there_takes_nothing(loaded: Settings, server: tuple[int, list[str]]) -> None:
    with mailbox() as (port, _):
        gone = port
    with pytest.raises(OSError, match="refused"):
        transport_of(with_server(loaded, port=gone))(NOTICE)


def test_a_server_elsewhere_that_speaks_plainly_is_refused(loaded: Settings) -> None:
    with pytest.raises(SettingsError, match="not encrypted"):
        transport_of(with_server(loaded, host="mail.example.com"))


def test_a_server_that_offers_no_encryption_takes_nothing(loaded: Settings, server: tuple[int, list[str]]) -> None:
    port, received = server
    with pytest.raises(OSError, match="STARTTLS"):
        transport_of(with_server(loaded, port=port, extra={**EXTRA, "disable_tls": False}))(NOTICE)
    assert received == []


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"conn_type": "http"}, "no SMTP connection"),
        ({"host": None}, "no SMTP connection"),
        ({"extra": {**EXTRA, "from_email": "us"}}, "from_email"),
        ({"extra": {**EXTRA, "addresses": None}}, "addresses"),
        ({"extra": {**EXTRA, "addresses": {"accountant": "a@example.org\nBcc: b@example.org"}}}, "addresses"),
    ],
)
def test_what_a_connection_lacks_is_named(loaded: Settings, parts: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        transport_of(with_server(loaded, **parts))


def test_the_command_line_reads_it_as_airflow_does(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv(settings.RECIPIENTS_CONNECTION, json.dumps({"conn_type": "smtp", "host": "h", "extra": EXTRA}))
    found = settings.load().recipients_connection
    assert found is not None
    assert found["extra"] == EXTRA

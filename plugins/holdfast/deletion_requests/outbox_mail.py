"""Notices by e-mail, over the server that the Airflow connection `holdfast_recipients` (type SMTP) names.

Its extra has `from_email`, `addresses` (recipient -> e-mail address) and, as Airflow's own connections of that type,
`disable_ssl` (then STARTTLS) and `disable_tls`. Without any encryption nothing leaves the machine.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from holdfast.deletion_requests.outbox import Notice, Transport
from holdfast.deletion_requests.outbox_files import mail_of, to_files
from holdfast.errors import SettingsError
from holdfast.settings import Settings

NAME = "holdfast_recipients"
_LETTERS = "letters"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SECONDS = 30


@dataclass(frozen=True)
class _Server:
    host: str
    port: int
    login: str | None
    password: str | None
    has_ssl: bool
    has_tls: bool
    sender: str
    addresses: Mapping[str, str]


def transport_of(settings: Settings) -> Transport:
    """A transport that mails a notice to a recipient with an address, and leaves those of all others in the outbox.

    Without the connection all are left in the outbox. A notice that is sent twice has the same Message-ID, so that it
    is known as one. Raises SettingsError if the connection lacks something.
    """
    put = to_files(settings)
    if settings.recipients_connection is None:
        return put
    server = _server_of(settings.recipients_connection)

    def send(notice: Notice) -> None:
        address = server.addresses.get(notice.recipient)
        if address is None:
            put(notice)
            return
        subject, text = mail_of(notice, settings.policy / _LETTERS)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = server.sender, address, subject
        mail["Message-ID"] = f"<notice-{notice.notice_id}.{notice.subject}@{server.sender.rpartition('@')[2]}>"
        mail.set_content(text)
        with _session(server) as session:
            session.send_message(mail)

    return send


@contextlib.contextmanager
def _session(server: _Server) -> Iterator[smtplib.SMTP]:
    trust = ssl.create_default_context()
    session = (
        smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=trust)
        if server.has_ssl
        else smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    )
    with session:
        if server.has_tls:
            session.starttls(context=trust)
        if server.login:
            session.login(server.login, server.password or "")
        yield session


def _server_of(parts: Mapping[str, Any]) -> _Server:
    extra = parts.get("extra") or {}
    host, sender, addresses = parts.get("host"), extra.get("from_email"), extra.get("addresses")
    if parts.get("conn_type") != "smtp" or not host:
        raise _wrong("is no SMTP connection with a host", "make it of the type SMTP, and give its host.")
    if not _is_address(sender):
        raise _wrong("has no e-mail address in `from_email`", "give in its extra who the notices are from.")
    if not isinstance(addresses, dict) or not all(map(_is_address, addresses.values())):
        raise _wrong("has no `addresses`", "give in its extra a mapping of recipients to e-mail addresses.")
    has_ssl = not extra.get("disable_ssl")
    has_tls = not has_ssl and not extra.get("disable_tls")
    if not has_ssl and not has_tls and host not in _LOOPBACK:
        raise _wrong("is not encrypted", "take `disable_tls` out of its extra; only this machine is reached without.")
    port = int(parts.get("port") or (smtplib.SMTP_SSL_PORT if has_ssl else smtplib.SMTP_PORT))
    login, password = parts.get("login") or None, parts.get("password") or None
    return _Server(host, port, login, password, has_ssl, has_tls, str(sender), addresses)


def _is_address(value: object) -> bool:
    return isinstance(value, str) and "@" in value and parseaddr(value) == ("", value)


def _wrong(what: str, fix: str) -> SettingsError:
    return SettingsError(f"The Airflow connection {NAME} {what}.", fix=fix)

"""A folder on a server that takes files over SFTP, as an Airflow connection of the type `sftp` or `ssh` gives it.

The server must be the one whose key the connection names. Who is let in by another server would hand it names,
numbers and addresses. Nothing is taken from the machine: neither its known hosts, nor its keys, nor its agent.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from holdfast.errors import SettingsError

NAME = "holdfast_emergency_outbox"
_SECONDS = 30


class Sftp(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's, but that a file which is there is never replaced, and that a lost line is an OSError as any other."""

    def mv(self, old: str, new: str, **_: Any) -> None:
        self.ftp.rename(old, new)

    def put_file(self, lpath: str, rpath: str, **options: Any) -> None:
        try:
            super().put_file(lpath, rpath, **options)
        except (paramiko.SSHException, EOFError) as error:
            raise ConnectionError("the server went away while it was sent a file") from error


class _OnlyThisKey(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    def __init__(self, key: str) -> None:
        self._key = key

    def missing_host_key(self, client: Any, hostname: str, key: paramiko.PKey) -> None:
        if key.get_base64() != self._key:
            raise SettingsError(
                f"The server of the connection {NAME} is not the one whose key the connection names.",
                fix="send nothing; ask its owner whether the key was changed, and for the new one.",
            )


def connect(parts: Mapping[str, Any]) -> tuple[Sftp, str]:
    """The server and the folder. Raises SettingsError if the connection lacks something, or the server refuses us.

    A server that cannot be reached is a ConnectionError.
    """
    extra = parts.get("extra") or {}
    if parts.get("conn_type") not in ("sftp", "ssh"):
        raise _wrong(f"is of the type {parts.get('conn_type')!r}", "make it an SFTP connection.")
    for name, value in (("host", parts.get("host")), ("login", parts.get("login")), ("path", extra.get("path"))):
        if not value:
            raise _wrong(f"has no {name}", "give host and login, and in extra `path` and `host_key`.")
    options: dict[str, Any] = {
        "port": int(parts.get("port") or 22),
        "username": parts["login"],
        "password": parts.get("password") or None,
        "passphrase": extra.get("private_key_passphrase"),
        "key_filename": extra.get("key_file"),
        "pkey": _private_key(extra),
        "look_for_keys": False,
        "allow_agent": False,
        "timeout": _SECONDS,
        "host_key_policy": _OnlyThisKey(_host_key(extra)),
    }
    try:
        return Sftp(str(parts["host"]), skip_instance_cache=True, **options), str(extra["path"]).rstrip("/")
    except paramiko.AuthenticationException:
        raise _wrong("is refused by its server", "correct login and password or key.") from None
    except paramiko.SSHException as error:
        raise ConnectionError("the server does not answer as one for SFTP does") from error


def _host_key(extra: Mapping[str, Any]) -> str:
    """The server's public key, as ssh-keyscan prints it behind the name, or its last part alone."""
    words = str(extra.get("host_key") or "").split()
    key = next((word for word in words if word.startswith("AAAA")), "")
    try:
        base64.b64decode(key, validate=True)
    except binascii.Error:
        key = ""
    if not key:
        raise _wrong("names no host_key", "put the server's public key into extra: `ssh-keyscan` shows it.")
    return key


def _private_key(extra: Mapping[str, Any]) -> paramiko.PKey | None:
    text = extra.get("private_key")
    if not text:
        return None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), extra.get("private_key_passphrase"))
        except (paramiko.SSHException, ValueError):
            continue
    raise _wrong("has a private_key that cannot be read", "give it whole, with its first and last line.")


def _wrong(what: str, fix: str) -> SettingsError:
    return SettingsError(f"The connection {NAME} {what}.", fix=fix)

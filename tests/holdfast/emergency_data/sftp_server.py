"""A real SFTP server on loopback, for one folder and one user: paramiko's, with the few things that a delivery asks."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

USER, PASSWORD = "holdfast", "not-a-secret"


class _Login(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        right = (username, password) == (USER, PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Folder(paramiko.SFTPServerInterface):
    def __init__(self, server: paramiko.ServerInterface, root: Path, *args: Any, **kwargs: Any) -> None:
        self.root = root

    def _of(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._of(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            descriptor = os.open(self._of(path), flags, 0o600)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        handle = paramiko.SFTPHandle(flags)
        file = os.fdopen(descriptor, "wb" if flags & os.O_WRONLY else "rb")
        handle.readfile = handle.writefile = file  # type: ignore[attr-defined]
        handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.fstat(file.fileno()))  # type: ignore[method-assign]
        return handle

    def rename(self, oldpath: str, newpath: str) -> int:
        if self._of(newpath).exists():
            return paramiko.SFTP_FAILURE
        self._of(oldpath).rename(self._of(newpath))
        return paramiko.SFTP_OK

    def mkdir(self, path: str, attr: Any) -> int:
        self._of(path).mkdir()
        return paramiko.SFTP_OK


@contextmanager
def sftp_server(root: Path) -> Iterator[dict[str, Any]]:
    """Serve the folder until the block ends; the parts of an Airflow connection to it."""
    key = paramiko.ECDSAKey.generate()
    listening = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folder, root)
            transport.start_server(server=_Login())
            transports.append(transport)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield {
            "conn_type": "sftp",
            "host": "127.0.0.1",
            "port": listening.getsockname()[1],
            "login": USER,
            "password": PASSWORD,
            "schema": None,
            "extra": {"path": "/in/999", "host_key": f"{key.get_name()} {key.get_base64()}"},
        }
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for transport in transports:
            transport.close()
        thread.join(timeout=5)

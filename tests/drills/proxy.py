"""A network that can be broken: a proxy on loopback before the server's socket, told when to fail and how."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from pathlib import Path

import sqlalchemy as sa

_RESET = struct.pack("ii", 1, 0)  # close at once, with an RST instead of a farewell


class Proxy:
    """Passes bytes both ways until it is told to `cut` everything, to `be_silent`, or to `swallow_answers`."""

    def __init__(self, url: sa.URL) -> None:
        self._server = str(Path(str(url.query["host"])) / f".s.PGSQL.{url.port or 5432}")
        self._answers, self._questions, self._refuses = True, True, False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = url.set(host="127.0.0.1", port=port, query={})
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset every connection, and refuse new ones until `mend`."""
        self._refuses = True
        self._reset()

    def be_silent(self) -> None:
        """Pass nothing on, and say nothing, as a line does that somebody pulled out."""
        self._answers = self._questions = False

    def swallow_answers(self) -> None:
        """Pass on what the client says, and nothing of what the server answers."""
        self._answers = False

    def mend(self) -> None:
        """Reset what was stuck, and pass everything on again."""
        self._reset()
        self._answers, self._questions, self._refuses = True, True, False

    def close(self) -> None:
        self._refuses = True
        self._listener.close()
        self._reset()

    def _passes(self, is_answer: bool) -> bool:
        return self._answers if is_answer else self._questions

    def _reset(self) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._open += [client, server]
            for source, target, is_answer in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass_on, args=(source, target, is_answer), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError, ValueError):
            while content := source.recv(65536):
                if self._passes(is_answer):
                    target.sendall(content)
        if not self._passes(is_answer):
            return  # nor does a line that somebody pulled out say that the other end is gone
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

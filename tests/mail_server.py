"""A mail server on loopback that keeps what it is sent."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """Its port, and the messages that have arrived."""
    handler = type("Mailbox", (_Mailbox,), {"received": []})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], handler.received  # type: ignore[attr-defined]
        server.shutdown()


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs."""

    received: list[str]

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            match line.split()[0].upper():
                case "DATA":
                    self._say("354 go on")
                    self.received.append(self._message())
                    self._say("250 kept")
                case "QUIT":
                    self._say("221 gone")
                    return
                case _:
                    self._say("250 well")

    def _message(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        return "".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())

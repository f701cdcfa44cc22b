"""Gateways that really listen: an HTTP server that takes JSON, and an SMTP server that takes mail (RFC 5321)."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Chat:
    """A chat service: keeps what was posted; `status` is what it answers."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""

    @contextmanager
    def open(self) -> Iterator[Chat]:
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if chat.status == 200:
                    chat.posted.append(body)
                self.send_response(chat.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            self.url = f"json://hub:s3cret-token@127.0.0.1:{server.server_port}/hooks/T0P-S3CRET"
            yield self
            server.shutdown()
            thread.join()


class Mail:
    """A mail server: keeps the messages it took."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.url = ""

    @contextmanager
    def open(self) -> Iterator[Mail]:
        mail = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 mail.test ESMTP")
                for line in self.rfile:
                    if not self.answer(line.strip().upper()):
                        return

            def answer(self, line: bytes) -> bool:
                if line.startswith(b"DATA"):
                    self.say("354 go on")
                    mail.taken.append(self.message())
                self.say("221 bye" if line.startswith(b"QUIT") else "250 ok")
                return not line.startswith(b"QUIT")

            def message(self) -> EmailMessage:
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line.removeprefix(b"."))
                found = message_from_bytes(b"".join(lines), policy=policy.default)
                assert isinstance(found, EmailMessage)
                return found

            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            port = server.server_address[1]
            self.url = f"mailto://127.0.0.1:{port}?from=hub@example.org&to=steward@example.org&mode=insecure"
            yield self
            server.shutdown()
            thread.join()

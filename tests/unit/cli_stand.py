"""A scripted server on loopback for the command `alertwire`, and how it is run in a test."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tests.factories import ALERT_ID
from tools.cli.__main__ import main

ROUTE = {
    "id": "btc",
    "state": "live",
    "accounts": [{"account": "main", "multiplier": "0.5"}],
    "sizing": {"mode": "base", "value": None, "multiplier": "1"},
    "trade_mode": "netting",
    "margin_mode": "cross",
    "leverage": 10,
}


@dataclass
class Server:
    """Gives scripted answers, the last of a path for ever, and keeps what it was asked."""

    url: str
    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    streams: dict[str, str] = field(default_factory=dict)
    """Events by the beginning of a path."""

    def next_answer(self, request: str) -> tuple[int, Any]:
        scripted = self.answers.get(request, [(404, {"detail": f"no {request}"})])
        return scripted.pop(0) if len(scripted) > 1 else scripted[0]


@contextmanager
def scripted_server(*, tls: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Over https where `tls` names the files of a certificate and its key."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            length = int(self.headers.get("Content-Length", 0))
            request = f"{self.command} {self.path}"
            found.asked.append((request, dict(self.headers), self.rfile.read(length)))
            for path, events in found.streams.items():
                if self.path.startswith(path):
                    self.answer_events(events)
                    return
            status, document = found.next_answer(request)
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def answer_events(self, events: str):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(events.encode())

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the base class's names

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        found = Server(url=f"{scheme}://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield found
        listening.shutdown()
        thread.join()


def run(*arguments, stack=None, **more):
    where = ["--dir", str(stack)] if stack is not None else []
    return CliRunner().invoke(main, [*arguments, *where], **more)


def accept(server, path="/hook/demo-token", **document):
    answer = {"status": "accepted", "alert_id": ALERT_ID, **document}
    server.answers.setdefault(f"POST {path}", []).append((200, answer))

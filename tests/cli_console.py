"""The command `alertwire` on a console that answers what a test lays down."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import Account, RouteSettings
from services.console.documents import plain
from services.console.drafting import shown_account
from tools.cli.__main__ import main

BODY_SECRET = "***"


@contextmanager
def answering(documents: dict[str, Any]) -> Iterator[str]:
    """The address of a server that answers a path with its document, and else with a 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in documents
            document = documents[self.path] if known else {"detail": f"no {self.path}"}
            body = json.dumps(document).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def documents_of(
    settings: RouteSettings,
    *,
    accounts: list[Account],
    instruments: list[Instrument],
    body_secret: str | None = None,
) -> dict[str, Any]:
    """What the console's API shows of them, by path."""
    found: dict[str, Any] = {
        f"/api/routes/{settings.id}": {**plain(settings), "body_secret": body_secret}
    }
    for account in accounts:
        path = f"/api/accounts/{account.id}"
        found[path] = shown_account(account)
        shown = [plain(instrument) for instrument in instruments]
        found[f"{path}/instruments"] = {"account": account.id, "instruments": shown}
    return found


def run(
    directory: Path,
    console: str,
    *arguments: str,
    stdin: str | None = None,
    token: str = "the-token",
) -> Result:
    """The command, on a stack that runs in `directory`."""
    stack = {"console": console, "console_token": token, "ingest": console}
    (directory / "stack.json").write_text(json.dumps(stack))
    return CliRunner().invoke(main, [*arguments, "--dir", str(directory)], input=stdin)

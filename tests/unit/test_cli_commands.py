"""The command `alertwire` against a scripted server on loopback."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner

from tests.factories import ALERT_ID
from tools.cli.__main__ import main


@dataclass
class Server:
    """Gives scripted answers, the last of a path for ever, and keeps what it was asked."""

    url: str
    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def next_answer(self, request: str) -> tuple[int, Any]:
        scripted = self.answers.get(request, [(404, {"detail": f"no {request}"})])
        return scripted.pop(0) if len(scripted) > 1 else scripted[0]


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            length = int(self.headers.get("Content-Length", 0))
            request = f"{self.command} {self.path}"
            found.asked.append((request, dict(self.headers), self.rfile.read(length)))
            status, document = found.next_answer(request)
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - the base class's names

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        found = Server(url=f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield found
        listening.shutdown()
        thread.join()


@pytest.fixture
def stack(server, tmp_path, monkeypatch):
    """A folder with a running stack, as `up` leaves it."""
    for name in ("ALERTWIRE_DIR", "ALERTWIRE_CONSOLE_URL", "ALERTWIRE_INGEST_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "stack"
    directory.mkdir()
    document = {
        "ingest": server.url,
        "console": server.url,
        "console_token": "the-token",
        "demo": {"route": "demo", "webhook": f"{server.url}/hook/demo-token"},
    }
    (directory / "stack.json").write_text(json.dumps(document))
    return directory


def run(*arguments, stack=None, **more):
    where = ["--dir", str(stack)] if stack is not None else []
    return CliRunner().invoke(main, [*arguments, *where], **more)


def accept(server, path="/hook/demo-token", **document):
    answer = {"status": "accepted", "alert_id": ALERT_ID, **document}
    server.answers.setdefault(f"POST {path}", []).append((200, answer))


def test_the_version_is_told():
    assert run("--version").output.startswith("alertwire")


@pytest.mark.parametrize("command", ["up", "send", "trace", "routes", "accounts"])
def test_every_command_has_help(command):
    answer = run(command, "--help")
    assert (answer.exit_code, "Usage" in answer.output) == (0, True)


def test_without_a_stack_the_mend_is_told(stack):
    for arguments in (["routes", "list"], ["trace", ALERT_ID], ["send", "demo", "--ticker", "X"]):
        answer = run(*arguments)
        assert answer.exit_code == 1
        assert "no stack is running under .alertwire: start one with `make up`" in answer.output


def test_a_dead_console_is_told_without_a_stack_trace(stack):
    document = json.loads((stack / "stack.json").read_text())
    (stack / "stack.json").write_text(json.dumps(document | {"console": "http://127.0.0.1:1"}))
    answer = run("routes", "list", stack=stack)
    assert answer.exit_code == 1
    assert "does not answer" in answer.output


def test_the_environment_may_name_the_console(stack, server, monkeypatch):
    monkeypatch.setenv("ALERTWIRE_CONSOLE_URL", server.url)
    monkeypatch.setenv("ALERTWIRE_CONSOLE_TOKEN", "from-environment")
    server.answers["GET /api/routes"] = [(200, {"routes": []})]
    assert run("routes", "list").exit_code == 0
    assert run("routes", "list", stack=stack).exit_code == 0
    tokens = [headers["Authorization"] for _, headers, _ in server.asked]
    assert tokens == ["Bearer from-environment", "Bearer the-token"]


def test_send_builds_the_message_with_numbers_as_written(stack, server):
    accept(server)
    answer = run(
        *("send", "demo", "--ticker", "BTCUSDT.P", "--action", "buy", "--contracts", "0.0010"),
        *("--field", "comment=hi"),
        stack=stack,
    )
    assert answer.exit_code == 0, answer.output
    assert ALERT_ID in answer.output
    _, headers, body = server.asked[0]
    assert headers["Content-Type"].startswith("application/json")
    assert body == (
        b'{"platform_name":"mexc","ticker":"BTCUSDT.P","order_action":"buy",'
        b'"order_contracts":0.0010,"comment":"hi"}'
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"ticker": "X"}', "application/json"),
        ("[1]", "application/json"),
        ("buy now", "text/plain"),
        ('{"a": {{close}}}', "text/plain"),
    ],
)
def test_send_posts_a_body_untouched_as_tradingview_does(stack, server, body, content_type):
    accept(server)
    run("send", "demo", "--json", body, stack=stack)
    _, headers, sent = server.asked[0]
    assert (headers["Content-Type"].split(";")[0], sent.decode()) == (content_type, body)


def test_send_fails_where_ingest_refuses(stack, server):
    server.answers["POST /hook/demo-token"] = [(422, {"detail": "no"})]
    answer = run("send", "demo", "--json", "{}", "--output", "json", stack=stack)
    assert answer.exit_code == 1
    document = json.loads(answer.output)
    assert (document["status"], json.loads(document["body"])) == (422, {"detail": "no"})


def test_send_fails_where_nobody_answers(stack):
    answer = run("send", "demo", "--json", "{}", "--webhook", "http://127.0.0.1:1/x", stack=stack)
    assert answer.exit_code == 1
    assert answer.output.startswith("---")


@pytest.mark.parametrize("rate", [[], ["--rate", "500"]])
def test_several_alerts_are_told_apart_unless_they_shall_be_the_same(stack, server, rate):
    accept(server)
    arguments = ["send", "demo", "--json", '{"ticker":"X"}', "--count", "5", *rate]
    answer = run(*arguments, stack=stack)
    assert answer.exit_code == 0
    assert "5 sent: 5 x 200" in answer.output
    assert len({json.loads(body)["alert_id"] for _, _, body in server.asked}) == 5
    server.asked.clear()
    run(*arguments, "--same", stack=stack)
    assert {body for _, _, body in server.asked} == {b'{"ticker":"X"}'}


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "demo"],
        ["send", "demo", "--json", "{}", "--ticker", "X"],
        ["send", "demo", "--ticker", "X", "--contracts", "NaN"],
        ["send", "demo", "--field", "novalue"],
        ["routes", "create", "--id", "x"],
        ["accounts", "create", "--id", "x", "--access-key", "k"],
        ["nonsense"],
    ],
)
def test_wrong_use_is_2(stack, arguments):
    assert run(*arguments).exit_code == 2


ROUTE = {
    "id": "btc",
    "state": "live",
    "accounts": [{"account": "main", "multiplier": "0.5"}],
    "sizing": {"mode": "base", "value": None, "multiplier": "1"},
    "trade_mode": "netting",
    "margin_mode": "cross",
    "leverage": 10,
}


def test_a_created_routes_webhook_is_remembered_for_send(stack, server):
    made = {"route": ROUTE, "token": "t", "webhook": "https://hook.example.org/hook/t"}
    server.answers["POST /api/routes"] = [(201, made)]
    answer = run(
        *("routes", "create", "--id", "btc", "--account", "main:0.5", "--account", "b"),
        *("--leverage", "5", "--sizing", "fixed", "--sizing-value", "7"),
        stack=stack,
    )
    assert answer.exit_code == 0, answer.output
    assert answer.output.count("https://hook.example.org/hook/t") == 1
    assert json.loads(server.asked[0][2]) == {
        "id": "btc",
        "accounts": [{"account": "main", "multiplier": "0.5"}, {"account": "b", "multiplier": "1"}],
        "leverage": 5,
        "sizing": {"mode": "fixed", "value": "7"},
    }
    assert (stack / "webhooks.json").stat().st_mode & 0o777 == 0o600
    accept(server, "/hook/t")
    assert run("send", "btc", "--json", "{}", stack=stack).exit_code == 0
    server.answers["DELETE /api/routes/btc"] = [(204, None)]
    assert run("routes", "delete", "btc", stack=stack).exit_code == 0
    assert "not known here" in run("send", "btc", "--json", "{}", stack=stack).output


def test_a_rotated_demo_route_is_posted_to_its_new_webhook(stack, server):
    made = {"route": {**ROUTE, "id": "demo"}, "token": "n", "webhook": f"{server.url}/hook/new"}
    server.answers["POST /api/routes/demo/rotate"] = [(200, made)]
    run("routes", "rotate", "demo", "--overlap", "0", stack=stack)
    assert json.loads(server.asked[0][2]) == {"overlap_s": 0}
    accept(server, "/hook/new")
    assert run("send", "demo", "--json", "{}", stack=stack).exit_code == 0


def test_a_route_comes_from_a_file_and_options_win(stack, server, tmp_path):
    made = {"route": ROUTE, "token": "t", "webhook": "https://hook.example.org/hook/t"}
    server.answers["POST /api/routes"] = [(201, made)]
    file = tmp_path / "route.json"
    file.write_text('{"id":"a","accounts":[{"account":"m"}],"sizing":{"multiplier":0.10}}')
    run("routes", "create", "--file", str(file), "--id", "b", "--json", stack=stack)
    assert json.loads(server.asked[0][2]) == {
        "id": "b",
        "accounts": [{"account": "m"}],
        "sizing": {"multiplier": "0.10"},
    }


def test_a_problem_is_told_in_its_own_words(stack, server):
    server.answers["GET /api/routes/x"] = [(404, {"detail": "There is no route `x`."})]
    answer = run("routes", "show", "x", stack=stack)
    assert (answer.exit_code, "There is no route `x`." in answer.output) == (1, True)


def test_routes_are_listed_and_shown(stack, server):
    server.answers["GET /api/routes"] = [(200, {"routes": [ROUTE]})]
    server.answers["GET /api/routes/btc"] = [(200, ROUTE)]
    assert "main x0.5" in run("routes", "list", stack=stack).output
    assert json.loads(run("routes", "list", "--json", stack=stack).output) == {"routes": [ROUTE]}
    assert "sizing.mode" in run("routes", "show", "btc", stack=stack).output


@pytest.mark.parametrize(("command", "state"), [("pause", "paused"), ("resume", "live")])
def test_routes_are_paused_and_resumed(stack, server, command, state):
    server.answers[f"POST /api/routes/btc/{command}"] = [(200, {**ROUTE, "state": state})]
    assert f"route btc is {state}" in run("routes", command, "btc", stack=stack).output


def test_a_secret_key_comes_from_stdin_and_is_not_printed(stack, server):
    server.answers["POST /api/accounts"] = [(201, {"account": {"id": "main"}})]
    answer = run(
        *("accounts", "create", "--id", "main", "--access-key", "k", "--secret-key-file", "-"),
        stack=stack,
        input="very-secret\n",
    )
    assert answer.exit_code == 0, answer.output
    assert "very-secret" not in answer.output
    sent = json.loads(server.asked[0][2])
    assert (sent["secret_key"], sent["base_url"]) == ("very-secret", "https://api.mexc.com")


def test_accounts_are_listed_shown_and_deleted(stack, server):
    account = {
        "id": "main",
        "base_url": "https://api.example.org",
        "access_key": "***1234",
        "position_mode": "hedge",
    }
    server.answers |= {
        "GET /api/accounts": [(200, {"accounts": [account]})],
        "GET /api/accounts/main": [(200, account)],
        "DELETE /api/accounts/main": [(409, {"detail": "Route `btc` trades this account"})],
    }
    assert "***1234" in run("accounts", "list", stack=stack).output
    assert json.loads(run("accounts", "show", "main", "--json", stack=stack).output) == account
    deleted = run("accounts", "delete", "main", stack=stack)
    assert (deleted.exit_code, "btc" in deleted.output) == (1, True)


def journey(status="executed", **changes):
    return {
        "alert_id": ALERT_ID,
        "trace_id": "0" * 32,
        "route": "demo",
        "status": status,
        "reason": None,
        "events": [
            {
                "seq": 1,
                "stage": "alert.received",
                "service": "ingest",
                "at": "2026-11-23T12:00:00Z",
                "elapsed_ms": 0.0,
                "data": {"order": {"action": "buy", "quantity": "1", "ticker": "\x1b[31mX"}},
            },
            {
                "seq": 5,
                "stage": "execution.filled",
                "service": "executor",
                "at": "2026-11-23T12:00:00.012Z",
                "elapsed_ms": 12.3,
                "data": {"filled_contracts": "10", "average_price": "50000"},
            },
        ],
        "orders": [
            {
                "client_order_id": "o1",
                "account": "paper",
                "symbol": "BTC_USDT",
                "effect": "open",
                "position_side": "long",
                "contracts": "10",
                "state": "filled",
                "exchange_order_id": "77",
                "request": {},
                "response": {},
                "filled_contracts": "10",
                "average_price": "50000",
            }
        ],
        "diagnosis": [],
        **changes,
    }


def test_trace_draws_the_journey_in_80_columns(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey())]
    answer = run("trace", ALERT_ID, stack=stack)
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert "executed" in lines[0]
    assert max(len(line) for line in lines) <= 80
    assert any("12.3" in line and "10 contracts at 50000" in line for line in lines)
    assert any("open long 10 BTC_USDT" in line for line in lines)
    assert "\x1b" not in answer.output


def test_trace_shows_bars_where_there_is_room(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey())]
    assert "\u00b7\u00b7\u2588" in run("trace", ALERT_ID, stack=stack).output


def test_trace_folds_equal_orders(stack, server):
    """A size far above the exchange's maximum is split into hundreds of equal legs."""
    order = {**journey()["orders"][0], "state": "abandoned", "exchange_order_id": None}
    orders = [*journey()["orders"], *[order] * 200]
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey(orders=orders))]
    output = run("trace", ALERT_ID, stack=stack).output
    assert "200 x open long 10" in output
    assert len(output.splitlines()) < 20


def test_trace_waits_until_the_trail_knows_the_end(stack, server):
    """The trail lags the log a little: an alert just sent is unknown, then pending."""
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [
        (404, {"detail": "unknown"}),
        (200, journey("pending")),
        (200, journey("denied", reason="stale")),
    ]
    answer = run("trace", ALERT_ID, "--json", "--wait", "5", stack=stack)
    assert json.loads(answer.output)["reason"] == "stale"
    assert len(server.asked) == 3


def test_trace_shows_what_is_there_when_the_wait_is_over(stack, server):
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey("pending"))]
    assert "pending" in run("trace", ALERT_ID, "--wait", "0", stack=stack).output


def test_trace_of_an_unknown_alert_fails(stack, server):
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(404, {"detail": "knows no alert"})]
    answer = run("trace", ALERT_ID, "--wait", "0", stack=stack)
    assert (answer.exit_code, "knows no alert" in answer.output) == (1, True)

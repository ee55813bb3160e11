"""`alertwire tail` against a console that is scripted connection by connection."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.domain.identity import alert_id
from tests.factories import ALERT_ID, D, make_alert, make_intent, make_leg
from tests.trail_messages import make_denied, make_execution, make_plan
from tests.unit.cli_stand import run


def event(seq, message, *, stage, service="executor", **fields):
    data = json.loads(codec.encode(message))
    document = {
        "seq": seq,
        "stage": stage,
        "service": service,
        "at": f"2026-11-23T12:00:00.{seq:03}000Z",
        **{name: data.get(name) for name in ("alert_id", "route", "account", "symbol")},
        "data": data,
        **fields,
    }
    return f"id: {seq}\r\nevent: {stage}\r\ndata: {json.dumps(document)}\r\n\r\n"


OTHER = alert_id(unix_ms=7, random_bits=7)
LEG = make_leg(client_order_id="o1")
JOURNEY = [
    event(1, make_alert(), stage="alert.received", service="ingest"),
    event(2, make_intent(), stage="intent.accepted", service="router"),
    event(3, make_plan(LEG), stage="order.planned"),
    event(
        4,
        make_execution("filled", "o1", filled_contracts=D(10), average_price=D(50000)),
        stage="execution.filled",
    ),
]
PLACE = ": following\r\nid: 7\r\n\r\n"


@contextmanager
def streaming(*connections):
    """Each connection gets a status or the parts of a stream, then its end; the last one is held
    open. Yields the address and the requests.
    """
    asked, left, over = [], list(connections), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((urlsplit(self.path), dict(self.headers)))
            script = left.pop(0)
            if isinstance(script, int):
                self.send_response(script)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.end_headers()
            # Who has seen enough is gone in the middle of it, which is no line of the answer.
            with suppress(ConnectionError):
                for part in script:
                    self.wfile.write(part.encode())
                    self.wfile.flush()
            if not left:
                over.wait(10)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        over.set()
        listening.shutdown()
        thread.join()


@pytest.fixture
def tail(tmp_path, monkeypatch):
    monkeypatch.setenv("ALERTWIRE_CONSOLE_TOKEN", "the-token")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ALERTWIRE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)

    def do(url, *arguments):
        monkeypatch.setenv("ALERTWIRE_CONSOLE_URL", url)
        return run("tail", *arguments)

    return do


def test_each_event_is_a_line_and_the_alert_stands_whole_once(tail):
    with streaming(JOURNEY) as (url, asked):
        answer = tail(url, "--count", "4")
    assert answer.exit_code == 0, answer.output
    intent = "buy 10 contracts BTC_USDT on paper (netting, cross 10x)"
    lane = "00003039  demo/paper BTC_USDT"
    assert answer.output.splitlines() == [
        "2026-11-23 UTC",
        f"12:00:00.001  alert {ALERT_ID}",
        "12:00:00.001  alert.received      00003039  demo  buy 0.001 BTCUSDT.P",
        f"12:00:00.002  intent.accepted     {lane}  {intent}",
        f"12:00:00.003  order.planned       {lane}  open long 10 on paper",
        f"12:00:00.004  execution.filled    {lane}  open long 10: 10 contracts at 50000",
    ]
    assert asked[0][1]["Authorization"] == "Bearer the-token"


def test_alerts_are_told_when_they_have_ended(tail):
    late = event(9, make_execution("filled", "o9", alert=OTHER), stage="execution.filled")
    denied = event(6, make_denied(alert=OTHER), stage="intent.denied", service="router")
    begun = event(5, make_alert(alert_id=OTHER), stage="alert.received", service="ingest")
    # Of the first one nobody has seen the beginning.
    with streaming([late, *JOURNEY, begun, denied]) as (url, _):
        answer = tail(url, "--alerts", "--count", "2")
    assert answer.exit_code == 0, answer.output
    executed, refused = answer.output.splitlines()
    assert executed == (
        f"12:00:00.001  executed  {ALERT_ID}  demo  buy 0.001 BTCUSDT.P;"
        " open long 10 BTC_USDT filled  3 ms"
    )
    assert f"denied    {OTHER}  demo  buy 0.001 BTCUSDT.P; stale" in refused
    with streaming([*JOURNEY, begun, denied]) as (url, _):
        (line,) = tail(
            url, "--alerts", "--status", "denied", "--json", "--count", "1"
        ).output.splitlines()
    assert (json.loads(line)["status"], json.loads(line)["reason"]) == ("denied", "stale")


def test_ids_are_whole_where_they_are_asked_for_or_there_is_room(tail, monkeypatch):
    for arguments, columns in ((["--ids"], "80"), ([], "200")):
        monkeypatch.setenv("COLUMNS", columns)
        with streaming(JOURNEY) as (url, _):
            lines = tail(url, "--count", "2", *arguments).output.splitlines()
        assert len(lines) == 3
        assert all(ALERT_ID in line for line in lines[1:])


def test_json_is_a_line_for_each_event(tail):
    with streaming(JOURNEY) as (url, _):
        lines = tail(url, "--json", "--count", "3").output.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[0])["data"]["body"] == '{"ticker":"BTCUSDT.P"}'


def test_what_is_asked_for_is_the_consoles_to_find(tail):
    arguments = ["--route", "a", "--route", "b", "--account", "c", "--symbol", "BTC_USDT"]
    arguments += ["--stage", "execution,dead", "--alert", ALERT_ID, "--last", "5"]
    with streaming(JOURNEY) as (url, asked):
        tail(url, *arguments, "--count", "1")
    assert parse_qs(asked[0][0].query) == {
        "route": ["a", "b"],
        "account": ["c"],
        "symbol": ["BTC_USDT"],
        "stage": ["execution,dead"],
        "alert_id": [ALERT_ID],
        "last": ["5"],
    }


def test_since_is_so_long_ago_or_a_moment(tail):
    with streaming(JOURNEY) as (url, asked):
        tail(url, "--since", "2026-11-29T10:00", "--count", "1")
    assert parse_qs(asked[0][0].query)["since"] == ["2026-11-29T10:00:00+00:00"]
    with streaming(JOURNEY) as (url, asked):
        tail(url, "--since", "10m", "--count", "1")
    assert parse_qs(asked[0][0].query)["since"][0].endswith("+00:00")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--since", "soon"],
        ["--since", "1m", "--last", "3"],
        ["--last", "0"],
        ["--alerts", "--symbol", "BTC_USDT"],
        ["--status", "denied"],
    ],
)
def test_wrong_use(tail, arguments):
    assert tail("http://127.0.0.1:1", *arguments).exit_code == 2


def test_a_stream_that_breaks_is_taken_up_behind_its_last_event(tail):
    half = JOURNEY[2][:-20]
    with streaming([PLACE], [*JOURNEY[:2], half], 503, JOURNEY[2:]) as (url, asked):
        answer = tail(url, "--json", "--count", "4")
    assert answer.exit_code == 0, answer.output
    assert [json.loads(line)["seq"] for line in answer.stdout.splitlines()] == [1, 2, 3, 4]
    # Of an event that broke off in the middle the id was there already.
    resumed = [headers.get("Last-Event-ID") for _, headers in asked]
    assert resumed == [None, "7", "2", "2"]
    assert answer.stderr.count("connecting again") == 2
    assert answer.stderr.count("following again") == 2


def test_whoever_is_cut_off_goes_on(tail):
    lagging = 'event: lagging\r\ndata: {"after": 1}\r\n\r\n'
    with streaming([JOURNEY[0], lagging], JOURNEY[1:]) as (url, asked):
        answer = tail(url, "--json", "--count", "4")
    assert len(answer.stdout.splitlines()) == 4
    assert "read too slowly" in answer.stderr
    assert asked[1][1]["Last-Event-ID"] == "1"


def test_what_the_log_has_forgotten_is_told(tail):
    forgotten = 'event: forgotten\r\ndata: {"after": 1, "first": 900}\r\n\r\n'
    with streaming([forgotten, JOURNEY[0]]) as (url, _):
        answer = tail(url, "--json", "--count", "1")
    assert json.loads(answer.stdout)["seq"] == 1
    assert "forgotten what came before 900" in answer.stderr


def test_an_event_of_any_length_is_read(tail):
    long = event(1, make_alert(body="x" * 900_000), stage="alert.received")
    with streaming([long]) as (url, _):
        assert len(tail(url, "--json", "--count", "1").output) > 900_000


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "status 401"), (404, "status 404"), (503, "status 503")],
)
def test_a_console_that_refuses_is_an_error(tail, status, words):
    with streaming(status) as (url, _):
        answer = tail(url)
    assert (answer.exit_code, words in answer.output) == (1, True), answer.output


def test_no_console_is_an_error(tail):
    answer = tail("http://127.0.0.1:1")
    assert (answer.exit_code, "does not answer" in answer.output) == (1, True)


def test_time_is_over(tail):
    with streaming(JOURNEY) as (url, _):
        assert tail(url, "--timeout", "0.5").exit_code == 0
    with streaming(JOURNEY) as (url, _):
        assert tail(url, "--timeout", "0.5", "--count", "5").exit_code == 1


def test_a_bare_denial_and_strange_letters_are_shown_safely(tail):
    denied = event(1, make_denied(), stage="intent.denied", route="\x1b[31mx")
    with streaming([denied]) as (url, _):
        output = tail(url, "--count", "1").output
    assert "stale: no" in output
    assert "\x1b" not in output


def test_ctrl_c_ends_it_well(tmp_path):
    with streaming(JOURNEY) as (url, _):
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.cli", "tail", "--json"],
            cwd=Path(__file__).parents[2],
            env={
                "ALERTWIRE_CONSOLE_URL": url,
                "ALERTWIRE_CONSOLE_TOKEN": "t",
                "PATH": "/usr/bin",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = [process.stdout.readline() for _ in JOURNEY]
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=10)
    assert (process.returncode, told) == (0, "")
    assert json.loads(lines[-1])["seq"] == 4


HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u2066\n12:00:00.009  alert.received  forged\r\x7f"


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--alerts"], ["--alerts", "--json"]])
def test_an_alert_cannot_steer_the_terminal_or_forge_a_line(tail, arguments):
    alert = make_alert(route=HOSTILE, body=HOSTILE, content_type=HOSTILE)
    order = msgspec.structs.replace(alert.order, ticker=HOSTILE, comment=HOSTILE)
    alert = msgspec.structs.replace(alert, order=order)
    denied = make_denied(alert=ALERT_ID)
    events = [
        event(1, alert, stage="alert.received", service="ingest"),
        event(2, denied, stage="intent.denied", service="router"),
    ]
    with streaming(events) as (url, _):
        answer = tail(url, *arguments, "--count", "1" if "--alerts" in arguments else "2")
    assert answer.exit_code == 0, answer.output
    shown = answer.output
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert not any(line.startswith("12:00:00.009") for line in shown.split("\n"))
    if "--json" in arguments:
        assert all(json.loads(line) for line in shown.splitlines())

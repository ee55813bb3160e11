"""What fuzzing begins with: sound input of each target, from the documents, the recorded replies
and the golden messages, and everything that was ever found (`fuzz/found/TARGET/`).
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz.targets import SECRET
from tests.documented_alerts import shown_alerts
from tests.mutated_bodies import SOUND

ROOT = Path(__file__).parent.parent
FOUND = Path(__file__).parent / "found"
_SUBJECT = (
    b"emailAddress=webhook-server@tradingview.com,CN=TradingView Webhooks,O=TradingView\\, Inc."
)
_ODD_ALERTS = (
    b'{"ticker":"T","order_action":"buy","order_contracts":1e999999999}',
    b'{"ticker":"T","order_action":"buy","order_contracts":"NaN","price":"-Infinity"}',
    b'{"ticker":"T","ticker":"U","order_action":"buy","order_contracts":' + b"1" * 64_000 + b"}",
    b'{"ticker":"T","a":' + b"[" * 32_000 + b"]" * 32_000 + b"}",
    b"{" + b",".join(b'"k%d":1' % number for number in range(6_000)) + b"}",
    b'{"ticker":"T","order_action":"flat","secret":"' + SECRET + b'"}',
    b"%7B%22ticker%22%3A%22T%22%2C%22order_action%22%3A%22flat%22%7D=",
    b'\xef\xbb\xbf{"TICKER":"T","Order_Action":"{{strategy.order.action}}"}',
    b'{"ticker":"\\ud800\\u0000","order_action":"buy","order_contracts":"5 %"}',
)
_ACCOUNT = {
    "id": "main",
    "base_url": "https://api.example.org",
    "ws_url": "wss://contract.example.org/edge",
    "access_key": "mx0vglABCD1234",
    "secret_key": "a-key",
    "expected_addresses": ["192.0.2.1/32"],
}
_ROUTE = {
    "id": "btc",
    "accounts": [{"account": "main", "multiplier": "0.5"}],
    "sizing": {"mode": "risk_percent", "value": 1.5},
    "symbols": {"overrides": {"PEPE": {"symbol": "PEPE_USDT", "per_unit": 1000}}},
    "guards": {"windows": ["mon-fri 08:00-17:00 UTC"], "orders_per_minute": 3},
    "body_secret": "x",
    "allow_addresses": ["2001:db8::/32"],
}


def seeds(target: str) -> Iterator[bytes]:
    """Sound and once found input, the found last."""
    yield from _SOUND[target]()
    folder = FOUND / target
    if folder.is_dir():
        yield from (path.read_bytes() for path in sorted(folder.iterdir()))


def _alerts() -> Iterator[bytes]:
    yield from (json.dumps(body).encode() for body in SOUND)
    for page in ("alert-format.md", "trade-modes.md"):
        yield from (shown.body.encode() for shown in shown_alerts(ROOT / "docs" / page))
    yield from _ODD_ALERTS


def _messages() -> Iterator[bytes]:
    for path in sorted((ROOT / "tests" / "golden").glob("*.json")):
        yield path.read_bytes()


def _recorded(name: str) -> Iterator[bytes]:
    found = json.loads((ROOT / "tests" / "recorded" / name).read_text())
    yield from (json.dumps(each).encode() for each in found.values())
    yield b'{"success":true,"code":0,"data":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    yield b'{"channel":"push.personal.order","data":' + b"[" * 30_000


def _drafts() -> Iterator[bytes]:
    yield from (json.dumps(each).encode() for each in (_ACCOUNT, _ROUTE))
    yield b'{"scope":"account","id":"main","flatten":true,"reason":"x"}'
    yield b'{"send":true,"symbol":"BTCUSDT","side":"buy","quantity":1e400}'
    yield b"[" * 40_000
    yield b'{"id":' + b'{"a":' * 9_000 + b"1" + b"}" * 9_001


_SOUND: dict[str, Callable[[], Iterator[bytes]]] = {
    "alert": _alerts,
    "message": _messages,
    "reply": lambda: _recorded("mexc_replies.json"),
    "push": lambda: _recorded("mexc_pushes.json"),
    "certificate": lambda: iter(
        (_SUBJECT, b'Hash=ab;Subject="' + _SUBJECT + b'";URI=', b"CN=a+CN=b,O=\\2c\\C3\\A4")
    ),
    "address": lambda: iter((b"192.0.2.1, 10.0.0.1", b"[2001:db8::1]:443\n::ffff:10.1.1.1", b",")),
    "draft": _drafts,
    "place": lambda: iter((b"1700000000000000-ALERTS-12", b"9" * 18 + b"-KV_routes-1")),
}

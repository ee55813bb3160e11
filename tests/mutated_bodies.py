"""Bodies that were right once: sound alerts, broken in the ways that senders, relays and attackers
break them. The same seed makes the same bodies.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

STRATEGY = {
    "ticker": "BTCUSDT.P",
    "order_action": "sell",
    "order_contracts": "2",
    "market_position": "short",
    "market_position_size": "1",
    "prev_market_position": "long",
    "prev_market_position_size": "1",
    "price": "50000.5",
    "trade_type": "target",
}
SOUND: tuple[dict[str, Any], ...] = (
    {
        "platform_name": "mexc",
        "ticker": "BTCUSDT.P",
        "order_contracts": 0.001,
        "order_action": "buy",
    },
    {"symbol": "BTC_USDT", "side": "Sell", "quantity": "1", "sl_price": "70000", "tp_price": 40000},
    {"symbol": "ETHUSDT", "action": "flat", "qty": "50%", "close_side": "long", "alert_id": "a-1"},
    {
        "ticker": "MEXC:BTCUSDT.P",
        "order_action": "buy",
        "order_contracts": 2,
        "order_type": "limit",
        "price": 49000,
        "stop_loss": "100",
        "take_profit": 200,
        "sltp_type": "pips",
        "trigger": "mark",
        "leverage": "20",
        "margin_mode": "isolated",
        "comment": "entry 1",
        "order_id": 17,
        "trade_type": "netting",
    },
    {"ticker": "1000PEPEUSDT.P", "order_action": "modify", "sl_price": "0.01", "order_id": "long"},
    {"ticker": "BTCUSDT.P", "order_action": "closeall"},
    {"ticker": "BTCUSDT.P", "order_action": "reverse", "trailing_pips": 15},
    {"ticker": "BTCUSDT.P", "position_size": "-0.5", "prev_market_position": "flat"},
    STRATEGY,
)
NAMES = sorted({name for body in SOUND for name in body} | {"volume", "Q", "secret", "message"})
WORDS = (
    *("buy", "SELL", "long", "flat", "closelong", "cancel", "target", "hedge", "inverse", "fok"),
    *("short", "isolated", "percent", "fair", "mexc", "bybit", "", " ", "null", "{{close}}"),
    *("{{strategy.order.action}}", "50%", "-5%", "%", "1e400", "1e-400", "-0", "NaN", "Infinity"),
    *(
        "0x1F",
        "1,000",
        "1 000",
        "١٢",
        "\uff11",
        "\0",
        "\ud800",
        "\u202e",
        "é" * 600,
        "🚀",
        "A" * 70,
    ),
    *("9" * 41, "9" * 200, "0." + "0" * 30 + "1", "true", "[]", '"', "\\", "{", "}"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, 10**30, -(10**30), 1e300, float("nan"), float("inf")),
    *([], {}, [1], {"a": {"b": []}}, 2**53 + 1, 0.1 + 0.2, 501, 2.5, "1", "0.001"),
)
FRAGMENTS = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b",",
        b":",
        b"\\",
        b"\\ud800",
        b"\\u0000",
        b"\xff",
        b"\xed\xa0\x80",
    ),
    *(
        b"\x00",
        b"{{",
        b"}}",
        b"{{ticker}}",
        b"null",
        b"1e9999",
        b"//",
        b"\xef\xbb\xbf",
        b"%7B",
        b"\n",
    ),
)

Members = list[tuple[str, Any]]


def mutated_bodies(count: int, *, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for number in range(count):
        body = SOUND[number % len(SOUND)]
        members = list(body.items())
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
            members = chance.choice(MEMBER_CHANGES)(members, chance)
        data = written(members, chance)
        for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 4))):
            data = chance.choice(BYTE_CHANGES)(data, chance)
        yield data


def written(members: Members, chance: random.Random) -> bytes:
    """As JSON, repeated names included; lone surrogates as escapes or as broken UTF-8."""
    ascii_only = chance.random() < 0.5
    separator = chance.choice((",", ", ", ",\n  "))
    text = separator.join(
        f"{json.dumps(name, ensure_ascii=ascii_only)}:{json.dumps(value, ensure_ascii=ascii_only)}"
        for name, value in members
    )
    return f"{{{text}}}".encode(errors="surrogatepass")


def _at(members: Members, chance: random.Random) -> int:
    return chance.randrange(len(members))


def _deleted(members: Members, chance: random.Random) -> Members:
    at = _at(members, chance)
    return [*members[:at], *members[at + 1 :]] or members


def _repeated(members: Members, chance: random.Random) -> Members:
    name, value = members[_at(members, chance)]
    value = chance.choice((value, value, chance.choice(WORDS), chance.choice(VALUES)))
    return [*members, (chance.choice((name, name.upper())), value)]


def _renamed(members: Members, chance: random.Random) -> Members:
    at = _at(members, chance)
    name = chance.choice((chance.choice(NAMES), members[at][0].title(), chance.choice(WORDS)))
    return [*members[:at], (name, members[at][1]), *members[at + 1 :]]


def _said_otherwise(values: tuple[Any, ...]) -> Callable[[Members, random.Random], Members]:
    def change(members: Members, chance: random.Random) -> Members:
        at = _at(members, chance)
        return [*members[:at], (members[at][0], chance.choice(values)), *members[at + 1 :]]

    return change


def _retyped(members: Members, chance: random.Random) -> Members:
    at = _at(members, chance)
    name, value = members[at]
    other = chance.choice((str(value), [value], {name: value}, f" {value} ", str(value).upper()))
    return [*members[:at], (name, other), *members[at + 1 :]]


def _added(members: Members, chance: random.Random) -> Members:
    value = chance.choice((chance.choice(WORDS), chance.choice(VALUES)))
    return [*members, (chance.choice(NAMES), value)]


def _merged(members: Members, chance: random.Random) -> Members:
    return [*members, *chance.choice(SOUND).items()]


def _shuffled(members: Members, chance: random.Random) -> Members:
    return chance.sample(members, len(members))


def _flipped(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _inserted(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(FRAGMENTS) + data[at:]


def _cut(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return chance.choice((data[:at], data[at:], data[:at] + data[at + chance.randrange(1, 9) :]))


def _nested(data: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((2, 50, 900, 5000))
    opened, closed = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    deep = opened * depth + b"1" + closed * chance.choice((depth, depth - 1))
    return chance.choice((deep, data[:-1] + b',"comment":' + deep + b"}"))


def _digits(data: bytes, chance: random.Random) -> bytes:
    digits = b"1" * chance.choice((5, 50, 5000)) + chance.choice((b"", b"e9", b".5", b"e99999"))
    return data[:-1] + b',"price":' + digits + b"}"


MEMBER_CHANGES: tuple[Callable[[Members, random.Random], Members], ...] = (
    *(_deleted, _repeated, _renamed, _retyped, _added, _merged, _shuffled),
    *(_said_otherwise(WORDS), _said_otherwise(WORDS), _said_otherwise(VALUES)),
)
BYTE_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flipped, _flipped, _inserted, _inserted, _cut, _digits, _nested),
)

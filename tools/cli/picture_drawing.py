"""What an account holds now, as tables for people. What is not known is a dash, never a zero, and
why it is not known stands at the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from tools.cli.showing import clean, counted, table, terminal

_UNKNOWN = "-"
_STATES = {"live": "green", "asked": "yellow", "untrusted": "bold red"}
_EGRESS = {"matching": "green", "different": "bold red"}

Part = Mapping[str, Any]


def draw(picture: Part) -> None:
    screen = terminal()
    screen.print(_headline(picture))
    lines = Table.grid(padding=(0, 2))
    for name, value in _lines(picture):
        lines.add_row(Text(name), value)
    screen.print(lines)
    screen.print()
    screen.print(_positions(picture["positions"]))
    screen.print()
    screen.print(_orders(picture["orders"]))
    if picture["missing"]:
        screen.print()
        for one in picture["missing"]:
            what = " of ".join(filter(None, [one["what"].replace("_", " "), one["symbol"]]))
            screen.print(Text(clean(f"? {what}: {one['why']}"), "yellow"))


def _headline(picture: Part) -> Text:
    line = Text(clean(picture["account"]), "bold")
    line.append("  ")
    line.append(picture["state"], _STATES.get(picture["state"], ""))
    if picture["age_ms"] is not None:
        line.append(f", told {_seconds(picture['age_ms'])} ago", "not bold")
    if picture["doubt"]:
        line.append(f"\n{picture['doubt']}: {clean(picture['why'])}", "not bold yellow")
    return line


def _lines(picture: Part) -> Iterable[tuple[str, Text]]:
    for balance in picture["balances"] or ():
        equity, currency = _number(balance["equity"]), clean(balance["currency"])
        yield "balance", Text(f"{equity} {currency}, {_number(balance['available'])} available")
    if picture["balances"] is None:
        yield "balance", Text(_UNKNOWN)
    yield "position mode", _position_mode(picture)
    left, most = picture["order_calls_left"], picture["order_calls_per_2s"]
    if left is not None:
        waiting = picture["order_calls_waiting"]
        yield "order calls", Text(f"{left} of {most} left in 2 s, {waiting} waiting")
    days = picture["key_days_left"]
    if days is not None:
        yield "key", Text(f"{counted(days, 'day')} left, as of {_time(picture['key_checked_at'])}")
    yield "our address", _egress(picture["egress"])
    for stop in picture["stops"]:
        yield "stopped", Text(clean(f"{stop['reason']}: {stop['message']}"), "bold red")
    if picture["drift"] is not None:
        yield "last drift", _drift(picture["drift"])


def _position_mode(picture: Part) -> Text:
    told, expected = picture["position_mode"], picture["expected_position_mode"]
    if told is None:
        return Text(f"{_UNKNOWN}, set up here for {expected}")
    if told != expected:
        return Text(f"{told} at the exchange, set up here for {expected}", "bold red")
    return Text(told)


def _egress(egress: Part) -> Text:
    seen = ", ".join(egress["seen"]) or _UNKNOWN
    if not egress["expected"]:
        return Text(clean(seen))
    told = f"{seen}, expected {', '.join(egress['expected'])}: {egress['state']}"
    return Text(clean(told), _EGRESS.get(egress["state"], "yellow"))


def _drift(drift: Part) -> Text:
    expected, held = _held(drift["expected"]), _held(drift["held"])
    told = f"{drift['symbol']} at {_time(drift['at'])}: {held} held, {expected} expected"
    return Text(clean(told))


def _held(sides: Sequence[Part]) -> str:
    return ", ".join(f"{one['side']} {one['contracts']}" for one in sides) or "nothing"


def _positions(positions: Sequence[Part] | None) -> Table | Text:
    if positions is None:
        return Text("positions: not known", "bold red")
    if not positions:
        return Text("no positions")
    rows = table("position", "contracts", "average", "mark", "liquidation", "unrealised")
    for one in positions:
        base = _number(one["base_quantity"])
        rows.add_row(
            _two(f"{one['symbol']} {one['side']}", f"{one['margin_mode']} {one['leverage']}x"),
            _two(_number(one["contracts"]), f"{base} {_base(one)}".rstrip()),
            Text(_number(one["average_price"])),
            Text(_number(one["mark_price"])),
            Text(_number(one["liquidation_price"])),
            _profit(one),
        )
    return rows


def _base(position: Part) -> str:
    known = position["base_quantity"] is not None
    return clean(str(position["symbol"]).partition("_")[0]) if known else ""


def _profit(position: Part) -> Text:
    profit, currency = position["unrealised_profit"], position["profit_currency"] or ""
    if profit is None:
        return Text(_UNKNOWN)
    style = "green" if Decimal(profit) > 0 else "red" if Decimal(profit) < 0 else ""
    told = _two(f"{'+' if Decimal(profit) > 0 else ''}{_number(profit)}", currency)
    told.stylize(style)
    return told


def _orders(orders: Sequence[Part] | None) -> Table | Text:
    if orders is None:
        return Text("orders: not known", "bold red")
    if not orders:
        return Text("no orders wait")
    rows = table("waits", "contracts", "price", "protection", "since (UTC)")
    for one in orders:
        since = _time(one["since"]).removesuffix(" UTC") if one["since"] else _UNKNOWN
        rows.add_row(
            _two(f"{one['effect']} {one['position_side']} {one['symbol']}", _kind(one)),
            _size(one),
            Text(_price(one)),
            _two(*_protection(one)),
            _two(since, _whose(one)),
        )
    return rows


def _kind(order: Part) -> str:
    if order["kind"] == "order":
        return str(order["order_type"] or "order").replace("_", " ")
    if order["kind"] == "trigger":
        return f"trigger, then {order['order_type'] or 'an order'}"
    return str(order["kind"])


def _size(order: Part) -> Text:
    if order["contracts"] is None:
        return Text("all")
    filled = order["filled_contracts"]
    more = f"{_number(filled)} filled" if filled is not None and Decimal(filled) else ""
    return _two(_number(order["contracts"]), more)


def _protection(order: Part) -> tuple[str, str]:
    stop, target = order["stop_price"], order["target_price"]
    told = [f"stop {_number(stop)}" if stop else "", f"target {_number(target)}" if target else ""]
    first, second = [*filter(None, told), "", ""][:2]
    return first or _UNKNOWN, second


def _price(order: Part) -> str:
    parts = [
        _number(order["price"]) if order["price"] else "",
        f"at {_number(order['trigger_price'])}" if order["trigger_price"] else "",
        f"by {_number(order['trail_distance'])}" if order["trail_distance"] else "",
    ]
    return "\n".join(filter(None, parts)) or _UNKNOWN


def _whose(order: Part) -> str:
    if order["route"] is None:
        return str(order["client_order_id"] or order["exchange_id"])
    label = f" {order['order_id']}" if order["order_id"] else ""
    return f"route {order['route']}{label}"


def _two(first: str, second: str) -> Text:
    """One below the other."""
    return Text("\n".join(clean(line) for line in (first, second) if line))


def _number(value: Any) -> str:
    """Without the zeros that say nothing; a dash where it is not known."""
    if value is None:
        return _UNKNOWN
    number = Decimal(str(value))
    return format(number.normalize(), "f") if number else "0"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"


def _time(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"

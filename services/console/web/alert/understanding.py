"""A body beside what it was understood as: pure. Each field with the alert's own word for it, and
what holds where the alert says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

Data = Mapping[str, Any]

SHOWN_MAX = 4 * 1024
"""A longer body is shown when somebody asks for it."""
_IGNORED_MAX = 20
_NAME_MAX = 60

NAMES: Mapping[str, tuple[str, ...]] = {
    "ticker": ("ticker", "symbol"),
    "action": ("order_action", "action", "side", "market_position"),
    "wanted": ("market_position",),
    "quantity": (
        *("order_contracts", "quantity", "qty", "volume", "q"),
        *("market_position_size", "position_size"),
    ),
    "previous": ("prev_market_position", "prev_market_position_size"),
    "order_type": ("order_type",),
    "price": ("price",),
    "stop_price": ("sl_price",),
    "stop_distance": ("stop_loss",),
    "target_price": ("tp_price",),
    "target_distance": ("take_profit",),
    "distance_unit": ("sltp_type",),
    "trailing_ticks": ("trailing_pips",),
    "trigger": ("trigger",),
    "trade_mode": ("trade_type",),
    "inverse": ("trade_type",),
    "close_side": ("close_side",),
    "leverage": ("leverage",),
    "margin_mode": ("margin_mode",),
    "order_id": ("order_id",),
    "comment": ("comment",),
}
"""The alert format's names of each field (docs/alert-format.md), the usual one first."""
_KNOWN = frozenset(
    {"platform_name", "alert_id", "secret", *(n for ns in NAMES.values() for n in ns)}
)
_LABELS = {
    "wanted": "position wanted",
    "quantity": "size",
    "previous": "position before",
    "order_type": "order type",
    "stop_price": "stop at",
    "stop_distance": "stop away by",
    "target_price": "target at",
    "target_distance": "target away by",
    "distance_unit": "distances in",
    "trailing_ticks": "trailing stop",
    "trade_mode": "trade mode",
    "close_side": "side to close",
    "margin_mode": "margin mode",
    "order_id": "order id",
}
_BY_ROUTE = frozenset({"trade_mode", "leverage", "margin_mode"})
"""Where the alert says nothing the route does; and for distances, where it has any, their unit."""
_DISTANCES = ("stop_distance", "target_distance")
_BY_US = {"order_type": "market", "trigger": "last"}
_ALWAYS = frozenset({"ticker", "action", "quantity", *_BY_ROUTE, *_BY_US})


@dataclass(frozen=True, kw_only=True)
class Understood:
    label: str
    said: str | None
    """`order_action: "long"`; None where the alert says nothing."""
    meaning: str
    default: str | None = None
    """Whose, where it is one."""


@dataclass(frozen=True, kw_only=True)
class Body:
    text: str
    pretty: str | None
    """None where it is no JSON, or looks like that already."""
    is_long: bool
    sha256: str
    content_type: str
    source: str
    fields: tuple[Understood, ...]
    ignored: tuple[str, ...]
    """What else stands in it."""


def body_of(events: Sequence[Data]) -> Body | None:
    """Of a halt there is none."""
    for event in events:
        data = event.get("data")
        if event.get("stage") in {"alert.received", "alert.refused"} and isinstance(data, dict):
            return _body(data, intent=_first_intent(events))
    return None


def pretty_json(text: str) -> str | None:
    """Indented, with its numbers as they were written; None where that is no JSON, or no change."""
    try:
        found = msgspec.json.format(text.encode(), indent=2).decode()
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return found if found != text else None


def _body(data: Data, *, intent: Data) -> Body:
    text = str(data.get("body") or "")
    order = data.get("order")
    said = _said(text)
    return Body(
        text=text,
        pretty=pretty_json(text),
        is_long=len(text) > SHOWN_MAX,
        sha256=str(data.get("body_sha256") or ""),
        content_type=str(data.get("content_type") or ""),
        source=str(data.get("source_address") or ""),
        fields=tuple(_fields(order, said, intent=intent)) if isinstance(order, dict) else (),
        ignored=_ignored(said),
    )


def _said(text: str) -> dict[str, str]:
    # Names are compared without case; numbers stay as they were written.
    try:
        found = msgspec.json.Decoder(float_hook=_Written).decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name).lower(): f"{name}: {_written(value)}" for name, value in found.items()}


class _Written(str):
    """A number's digits."""

    __slots__ = ()


def _written(value: object) -> str:
    if isinstance(value, _Written):
        return str(value)
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return "…"


def _fields(order: Data, said: Mapping[str, str], *, intent: Data) -> list[Understood]:
    found: list[Understood] = []
    for name, names in NAMES.items():
        words = [said[each] for each in names if each in said and not _is_blank(said[each])]
        value = _value(order, name)
        if value is None and words:
            value = _BY_US.get(name)
        label = _LABELS.get(name, name)
        if value is not None:
            found.append(Understood(label=label, said=", ".join(words) or None, meaning=value))
        elif name in _ALWAYS or (name == "distance_unit" and any(map(order.get, _DISTANCES))):
            found.append(_default(name, label, intent=intent))
    return found


def _default(name: str, label: str, *, intent: Data) -> Understood:
    if name in _BY_US:
        return Understood(label=label, said=None, meaning=_BY_US[name], default="default")
    if name in _BY_ROUTE or name == "distance_unit":
        told = intent.get(name)
        meaning = str(told) if told is not None else "as the route says"
        return Understood(label=label, said=None, meaning=meaning, default="the route")
    return Understood(label=label, said=None, meaning="not said", default="none")


def _value(order: Data, name: str) -> str | None:
    if name == "quantity" and order.get("quantity_percent") is not None:
        return f"{order['quantity_percent']} %"
    if name == "inverse":
        return "buy and sell are swapped" if order.get("inverse") else None
    value = order.get(name)
    if name == "trailing_ticks" and value is not None:
        return f"{value} ticks"
    return str(value) if value is not None else None


def _is_blank(said: str) -> bool:
    return said.partition(": ")[2].strip('" ') in {"", "null"}


def _ignored(said: Mapping[str, str]) -> tuple[str, ...]:
    names = [
        told.partition(": ")[0][:_NAME_MAX] for name, told in said.items() if name not in _KNOWN
    ]
    rest = len(names) - _IGNORED_MAX
    return (*names[:_IGNORED_MAX], *((f"and {rest} more",) if rest > 0 else ()))


def _first_intent(events: Sequence[Data]) -> Data:
    for event in events:
        if event.get("stage") == "intent.accepted" and isinstance(event.get("data"), dict):
            found: Data = event["data"]
            return found
    return {}

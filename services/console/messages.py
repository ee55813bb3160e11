"""The message of a test alert, as TradingView would send it: pure. What a form says becomes the
format's fields (docs/alert-format.md); what they may hold is ingest's to say.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from services.console.documents import Document
from services.console.problems import Problem

ID_FIELD = "alert_id"
SAFE_FOR_S = 300
"""So long ingest knows a test again, however short the route's own window is."""
_SENT_FOR_S = 240
"""One with an id of ours is not sent again later: it might be a second order."""

FIELDS: Mapping[str, str] = {
    "symbol": "ticker",
    "side": "order_action",
    "quantity": "order_contracts",
    "order_type": "order_type",
    "price": "price",
    "market_position": "market_position",
    "market_position_size": "market_position_size",
    "stop_loss": "stop_loss",
    "take_profit": "take_profit",
    "sl_price": "sl_price",
    "tp_price": "tp_price",
    "sltp_type": "sltp_type",
    "trailing": "trailing_pips",
    "trigger": "trigger",
    "trade_type": "trade_type",
    "close_side": "close_side",
    "leverage": "leverage",
    "margin_mode": "margin_mode",
    "order_id": "order_id",
    "comment": "comment",
}
"""Of the form, and what each is called in the message, in the order in which it is written."""

_OURS = re.compile(r"test-(?P<ms>\d{13})-[0-9a-f]{8}")
_encoder = msgspec.json.Encoder(decimal_format="number")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def test_body(fields: Mapping[str, Any]) -> Document:
    """The message that the form's fields make; what is None or blank is left out."""
    given = {
        name: fields[field]
        for field, name in FIELDS.items()
        if fields.get(field) is not None and str(fields[field]).strip()
    }
    return {"platform_name": "mexc", **given}


def encoded(message: Mapping[str, Any]) -> str:
    """Sizes and prices as numbers, to the digit as they were given."""
    return _encoder.encode(message).decode()


def new_id(*, unix_ms: int, random_bits: int) -> str:
    """An id of our own for a test: it tells when it was made."""
    return f"test-{unix_ms:013d}-{random_bits:08x}"


def identified(text: str, *, alert_id: str) -> tuple[str, str]:
    """The message with an `alert_id`, and that id: its own where it has one. Else the given one is
    put behind its last field, and every other character stays.

    What is no JSON object is left alone: it orders nothing.
    """
    try:
        members = _members.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return text, alert_id
    for name, raw in members.items():
        if name.lower() == ID_FIELD:
            return text, _own_id(bytes(raw))
    head = text.rstrip().removesuffix("}").rstrip()
    comma = "," if members else ""
    return f"{head}{comma}{_encoder.encode(ID_FIELD).decode()}:{encoded_id(alert_id)}}}", alert_id


def encoded_id(alert_id: str) -> str:
    return _encoder.encode(alert_id).decode()


def check_age(alert_id: str, *, unix_ms: int) -> None:
    """Raises a `Problem` for an id of ours by which ingest may not know the first one any more."""
    found = _OURS.fullmatch(alert_id)
    if found is None:
        return
    age_s = (unix_ms - int(found["ms"])) / 1000
    if age_s > _SENT_FOR_S:
        raise Problem(
            409,
            f"This test was made {age_s:.0f} s ago: sent now, it might be a second order. Look in"
            " the list of alerts whether it was taken, and make a new one where it was not.",
            field=ID_FIELD,
            value=alert_id,
        )


def _own_id(literal: bytes) -> str:
    value = msgspec.json.decode(literal, type=Any) if literal[:1] in b'"n' else literal.decode()
    if not isinstance(value, str) or not value.strip():
        raise Problem(
            422,
            "`alert_id` tells a resend from a second alert: give one, or leave the field out.",
            field=ID_FIELD,
            value=None if value is None else str(value),
        )
    return value.strip()


def as_text(body: Document | str) -> str:
    """A message that was given whole: as it was typed, or from its members."""
    return body if isinstance(body, str) else encoded(body)

"""The frames of the WebSocket: what clients send, decoded, and what they get, encoded."""

from typing import Any

import msgspec

from tools.paper_exchange.rest.errors import Language, message_of
from tools.paper_exchange.rest.replies import encode

_SHORT = 126
_MEDIUM = 1 << 16
# The first byte of a frame: final, and text or close.
_TEXT = 0x81
_CLOSE = 0x88


class BadFrameError(ValueError):
    """What the client sent makes no sense; the message says why, and goes back as `rs.error`."""


class ClientFrame(msgspec.Struct):
    """`gzip` and whatever else clients add is accepted and ignored."""

    method: str
    param: dict[str, Any] | None = None
    # Some clients put it here, some inside `param`.
    subscribe: bool | None = None


_decode = msgspec.json.Decoder(ClientFrame).decode


def read(text: str | bytes) -> ClientFrame:
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadFrameError("Invalid message format") from None


def error(text: str, *, at_ms: int) -> bytes:
    return encode({"channel": "rs.error", "data": text, "ts": at_ms})


def refusal(code: int, *, language: Language, at_ms: int) -> bytes:
    return error(message_of(code, language=language), at_ms=at_ms)


def accepted(method: str, *, at_ms: int) -> bytes:
    return encode({"channel": f"rs.{method}", "data": "success", "ts": at_ms})


def pong(*, at_ms: int) -> bytes:
    # Some clients take no frame without a `ts`, not even this one.
    return encode({"channel": "pong", "data": at_ms, "ts": at_ms})


def push(channel: str, data: Any, *, at_ms: int, symbol: str | None = None) -> bytes:
    """Public pushes name their symbol beside the data, private ones only inside it."""
    if symbol is None:
        return encode({"channel": f"push.{channel}", "data": data, "ts": at_ms})
    return encode({"channel": f"push.{channel}", "data": data, "symbol": symbol, "ts": at_ms})


def on_wire(payload: bytes) -> bytes:
    """A text message as a WebSocket frame of a server (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < _SHORT:
        return bytes((_TEXT, length)) + payload
    if length < _MEDIUM:
        return bytes((_TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + length.to_bytes(8, "big") + payload


def closing(code: int) -> bytes:
    return bytes((_CLOSE, 2)) + code.to_bytes(2, "big")

"""Requests to the exchange and its replies, to the byte: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from services.console.web.alert.understanding import pretty_json

Data = Mapping[str, Any]

_PUSH = "PUSH"
INLINE_MAX = 4_000
"""A longer one is shown when somebody asks for it."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One round trip; found again by the event's place in the log and its own place in that."""

    seq: int
    number: int
    method: str
    path: str
    query: str
    sent_at: str
    elapsed_ms: float | None
    http_status: int | None
    error: str
    request: str
    reply: str

    @property
    def key(self) -> str:
        return f"{self.seq}-{self.number}"

    @property
    def is_long(self) -> bool:
        return len(self.request) + len(self.reply) > INLINE_MAX

    @property
    def is_push(self) -> bool:
        """The exchange told it by itself; nothing was asked."""
        return self.method == _PUSH

    @property
    def has_ended(self) -> bool:
        return self.elapsed_ms is not None or bool(self.error)

    @property
    def said(self) -> str:
        """The exchange's code and words where it is not well; untouched."""
        try:
            found = msgspec.json.decode(self.reply)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return ""
        if not isinstance(found, dict) or not found.get("code"):
            return ""
        words = found.get("message") or found.get("msg") or ""
        return f"code {found['code']} {words}".rstrip()

    @property
    def is_bad(self) -> bool:
        return self.http_status != 200 or bool(self.said)

    @property
    def pretty_request(self) -> str | None:
        return pretty_json(self.request)

    @property
    def pretty_reply(self) -> str | None:
        return pretty_json(self.reply)


def calls_of(event: Data) -> list[Call]:
    """Those of one event."""
    data = event.get("data")
    told = data.get("calls") if isinstance(data, dict) else None
    seq = event.get("seq")
    return [
        _call(each, seq=seq if isinstance(seq, int) else 0, number=number)
        for number, each in enumerate(told if isinstance(told, list) else ())
        if isinstance(each, dict)
    ]


def answered(calls: Iterable[Call]) -> list[Call]:
    """A request that had only left stands again with what came back: once is enough."""
    found: dict[tuple[str, ...], Call] = {}
    for call in calls:
        key = (call.method, call.path, call.query, call.sent_at, call.request)
        if key not in found or not found[key].has_ended:
            found[key] = call
    return list(found.values())


def _call(told: Data, *, seq: int, number: int) -> Call:
    status, elapsed = told.get("http_status"), told.get("elapsed_ms")
    return Call(
        seq=seq,
        number=number,
        method=str(told.get("method") or ""),
        path=str(told.get("path") or ""),
        query=str(told.get("query") or ""),
        sent_at=str(told.get("sent_at") or ""),
        elapsed_ms=elapsed if isinstance(elapsed, int | float) else None,
        http_status=status if isinstance(status, int) else None,
        error=str(told.get("error") or ""),
        request=str(told.get("request_body") or ""),
        reply=str(told.get("response_body") or ""),
    )

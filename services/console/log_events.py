"""A message of the log as those see it who follow live: pure. Fields are read by name from the
JSON, not by message type, so that messages of a newer release are shown and filtered too.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from libs.common.bus import HEADER_ALERT, HEADER_SERVICE
from libs.common.contracts import subjects
from services.console.documents import moment

_NOTHING = msgspec.Raw(b"null")
_text_decoder = msgspec.json.Decoder(str)


class _Order(msgspec.Struct):
    ticker: msgspec.Raw = _NOTHING


class _Fields(msgspec.Struct):
    # Raw, so that a field of an unexpected type spoils nothing but itself.
    at: msgspec.Raw = _NOTHING
    alert_id: msgspec.Raw = _NOTHING
    route: msgspec.Raw = _NOTHING
    account: msgspec.Raw = _NOTHING
    symbol: msgspec.Raw = _NOTHING
    order: msgspec.Raw = _NOTHING
    data: msgspec.Raw = _NOTHING


_NO_FIELDS = _Fields()
_fields_decoder = msgspec.json.Decoder(_Fields)
_order_decoder = msgspec.json.Decoder(_Order)


@dataclass(frozen=True, kw_only=True)
class LogEvent:
    """One message; what it says is read once, for however many follow."""

    seq: int
    subject: str
    stored_at: datetime
    headers: Mapping[str, str]
    data: bytes

    @cached_property
    def stage(self) -> str:
        return subjects.parse(self.subject).stage

    @cached_property
    def alert_id(self) -> str | None:
        return _text(self._fields.alert_id) or self.headers.get(HEADER_ALERT)

    @cached_property
    def route(self) -> str | None:
        return _text(self._fields.route) or _text(self._buried.route)

    @cached_property
    def account(self) -> str | None:
        return _text(self._fields.account) or _text(self._buried.account)

    @cached_property
    def symbol(self) -> str | None:
        return _text(self._fields.symbol) or _text(self._buried.symbol)

    @cached_property
    def ticker(self) -> str | None:
        """Of an alert, whose symbol is not known yet."""
        try:
            return _text(_order_decoder.decode(self._fields.order).ticker)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    @cached_property
    def document(self) -> bytes:
        """The event as JSON; the message stands in it to the byte."""
        return msgspec.json.encode(
            {
                "seq": self.seq,
                "stage": self.stage,
                "service": self.service,
                "at": moment(self.at),
                "alert_id": self.alert_id,
                "route": self.route,
                "account": self.account,
                "symbol": self.symbol,
                "data": self._shown,
            }
        )

    @property
    def service(self) -> str:
        return self.headers.get(HEADER_SERVICE, "")

    @property
    def at(self) -> datetime:
        """As the message says it, else when it was stored."""
        try:
            found = msgspec.convert(_text(self._fields.at), datetime)
            return found.astimezone(UTC) if found.tzinfo is not None else self.stored_at
        except (msgspec.ValidationError, OverflowError):
            return self.stored_at

    @property
    def _shown(self) -> Any:
        # What is no JSON may be anything.
        is_json = self._fields is not _NO_FIELDS
        return msgspec.Raw(self.data) if is_json else self.data.decode(errors="replace")

    @cached_property
    def _fields(self) -> _Fields:
        return _read(self.data)

    @cached_property
    def _buried(self) -> _Fields:
        """Of a dead letter: what the message in it says."""
        if self.stage != "dead":
            return _NO_FIELDS
        try:
            return _read(base64.b64decode(_text(self._fields.data) or "", validate=True))
        except binascii.Error:
            return _NO_FIELDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What somebody wants to see: of each kind one of the values; an empty kind is all of them."""

    routes: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    symbols: frozenset[str] = frozenset()
    """The exchange's; an alert goes by its ticker, as it was written."""
    stages: frozenset[str] = frozenset()
    """Whole stages, or their first word: `execution` is every one."""
    alerts: frozenset[str] = frozenset()

    def matches(self, event: LogEvent) -> bool:
        return (
            (not self.routes or event.route in self.routes)
            and (not self.accounts or event.account in self.accounts)
            and (not self.symbols or (event.symbol or event.ticker) in self.symbols)
            and (not self.stages or not self.stages.isdisjoint(_stages(event.stage)))
            and (not self.alerts or event.alert_id in self.alerts)
        )


def _stages(stage: str) -> tuple[str, str]:
    return stage, stage.partition(".")[0]


def _read(data: bytes) -> _Fields:
    try:
        # Strings that nobody asks for are not looked at by the decoder.
        text = data.decode()
        try:
            return _fields_decoder.decode(text)
        except msgspec.ValidationError:
            # JSON, but no object; or none behind its beginning.
            msgspec.json.decode(text)
            return _Fields()
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError):
        return _NO_FIELDS


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return _text_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

"""Messages of the log as rows of the trail: a pure projection, so a replay gives the same rows.

Total: whatever the bytes are, a row comes out, and its body holds them exactly. Fields are read by
name from the JSON, not by message type, so that messages of a newer release find their columns too.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from libs.common.bus import HEADER_ALERT, HEADER_EVENT_ID, HEADER_MADE_BY, HEADER_SERVICE
from libs.common.contracts import subjects

TEXT_CHARS_MAX = 500
"""Of an indexed column: an index entry takes at most 2,704 bytes. The body keeps the whole."""

_HEADER_TRACE = "traceparent"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_NOTHING = msgspec.Raw(b"null")
# Every escape is consumed, so that `\\u0000` (a backslash, then letters) is not taken for one.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_REFUSED_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of `audit_event`, but for its hash (chaining.py), in the order in which rows are
    appended (queries.sql).
    """

    stream: str
    seq: int
    stored_at: datetime
    at: datetime
    subject: str
    stage: str
    service: str | None
    event_id: str | None
    alert_id: UUID | None
    route: str | None
    account: str | None
    symbol: str | None
    client_order_id: str | None
    intent_id: str | None
    traceparent: str | None
    made_by: str | None
    body: bytes
    doc: str | None
    """JSON that jsonb takes: escapes that it refuses are replaced. None: the bytes are no JSON."""


class _Fields(msgspec.Struct):
    at: str | None = None
    alert_id: str | None = None
    route: str | None = None
    account: str | None = None
    symbol: str | None = None
    client_order_id: str | None = None
    intent_id: str | None = None


class _AnyFields(msgspec.Struct):
    # Raw, so that a field of an unexpected type spoils nothing but itself.
    at: msgspec.Raw = _NOTHING
    alert_id: msgspec.Raw = _NOTHING
    route: msgspec.Raw = _NOTHING
    account: msgspec.Raw = _NOTHING
    symbol: msgspec.Raw = _NOTHING
    client_order_id: msgspec.Raw = _NOTHING
    intent_id: msgspec.Raw = _NOTHING


_fields_decoder = msgspec.json.Decoder(_Fields)
_any_fields_decoder = msgspec.json.Decoder(_AnyFields)
_text_decoder = msgspec.json.Decoder(str)


def to_row(
    *,
    stream: str,
    seq: int,
    subject: str,
    stored_at: datetime,
    headers: Mapping[str, str] | None,
    data: bytes,
) -> Row:
    """The row of a message; never raises."""
    known = headers or {}
    doc, fields = _read(data)
    alert = fields.alert_id or known.get(HEADER_ALERT)
    return Row(
        stream=_clean(stream),
        seq=seq,
        stored_at=stored_at,
        at=_time(fields.at) or stored_at,
        subject=_clean(subject),
        stage=_stage(subject),
        service=_short(known.get(HEADER_SERVICE)),
        event_id=_short(known.get(HEADER_EVENT_ID)),
        alert_id=_uuid(alert),
        route=_short(fields.route),
        account=_short(fields.account),
        symbol=_short(fields.symbol),
        client_order_id=_short(fields.client_order_id),
        intent_id=_short(fields.intent_id),
        traceparent=_short(known.get(_HEADER_TRACE)),
        made_by=_short(known.get(HEADER_MADE_BY)),
        body=data,
        doc=doc,
    )


def without_doc(row: Row) -> Row:
    """The row where Postgres refuses its document, though it is JSON: 1e400000 is such a number."""
    return dataclasses.replace(row, doc=None)


def bare(row: Row) -> Row:
    """What no content can spoil: the place in the log, the times and the bytes."""
    return dataclasses.replace(
        row,
        at=row.stored_at,
        service=None,
        event_id=None,
        alert_id=None,
        route=None,
        account=None,
        symbol=None,
        client_order_id=None,
        intent_id=None,
        traceparent=None,
        made_by=None,
        doc=None,
    )


def _read(data: bytes) -> tuple[str | None, _Fields]:
    try:
        doc = _storable(data.decode())
        try:
            return doc, _fields_decoder.decode(doc)
        except msgspec.ValidationError:
            return doc, _read_one_by_one(doc)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return None, _Fields()


def _read_one_by_one(doc: str) -> _Fields:
    """Of a message whose fields are not all text; raises `msgspec.DecodeError` for no JSON."""
    try:
        found = _any_fields_decoder.decode(doc)
    except msgspec.ValidationError:
        # JSON, but no object: only its syntax is left to be checked.
        msgspec.json.decode(doc, type=msgspec.Raw)
        return _Fields()
    names = _Fields.__struct_fields__
    return _Fields(**{name: _text(getattr(found, name)) for name in names})


# jsonb refuses an escaped NUL, and halves of surrogate pairs that stand alone.
def _storable(text: str) -> str:
    if _REFUSED_ESCAPE.search(text) is None:
        return text
    return _ESCAPE.sub(_replacement, text)


def _replacement(escape: re.Match[str]) -> str:
    found = escape[0]
    return _REPLACEMENT if _REFUSED_ESCAPE.fullmatch(found) else found


def _stage(subject: str) -> str:
    try:
        return _clean(subjects.parse(subject).stage)
    except ValueError:
        # The keys are none of ours; the stage stands before them.
        words = subject.split(".")
        return "dead" if words[0] == "dead" else _clean(".".join(words[:2]))


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return _text_decoder.decode(raw)
    except msgspec.DecodeError:
        return None


def _short(text: str | None) -> str | None:
    return None if text is None else _clean(text[:TEXT_CHARS_MAX])


# A text column refuses NUL, and UTF-8 has no half surrogates.
def _clean(text: str) -> str:
    if text.isprintable():
        return text
    whole = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return whole.replace("\0", _REPLACEMENT)


def _uuid(text: str | None) -> UUID | None:
    try:
        return msgspec.convert(text, UUID)
    except msgspec.ValidationError:
        return None


def _time(text: str | None) -> datetime | None:
    try:
        found = msgspec.convert(text, datetime)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (msgspec.ValidationError, OverflowError):
        return None

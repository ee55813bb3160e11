"""The hash of a row: what `audit_append` in the migrations computes, once more, so that the one can
be checked by the other. Pure; docs/trail.md tells the format.
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.auditor.rows import Row

GENESIS = bytes(32)
"""What the first row of a stream follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last row of a stream's chain."""

    stream: str
    seq: int
    hash: bytes


_COLUMNS = 17
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_eight = struct.Struct(">iq").pack
_length = struct.Struct(">i").pack
_start = struct.Struct(">h").pack(_COLUMNS)


def link(previous: bytes, row: Row) -> bytes:
    """The hash of a row that follows the row with the hash `previous`."""
    return hashlib.sha256(previous + canonical(row)).digest()


def canonical(row: Row) -> bytes:
    """All columns but `doc`, which follows from the body, as binary COPY writes them."""
    return b"".join(
        (
            _start,
            _text(row.stream),
            _eight(8, row.seq),
            _time(row.stored_at),
            _time(row.at),
            _text(row.subject),
            _text(row.stage),
            _text(row.service),
            _text(row.event_id),
            _NULL if row.alert_id is None else _length(16) + row.alert_id.bytes,
            _text(row.route),
            _text(row.account),
            _text(row.symbol),
            _text(row.client_order_id),
            _text(row.intent_id),
            _text(row.traceparent),
            _text(row.made_by),
            _length(len(row.body)),
            row.body,
        )
    )


def _text(text: str | None) -> bytes:
    if text is None:
        return _NULL
    raw = text.encode()
    return _length(len(raw)) + raw


def _time(moment: datetime) -> bytes:
    return _eight(8, (moment - _EPOCH) // _MICROSECOND)

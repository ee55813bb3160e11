"""Whether a row's columns are what the auditor makes of its body. The hash covers all of them but
`doc`; this finds a document that says something else than the body, and a column that whoever
rewrote the chain forgot. Pure.
"""

import dataclasses
import json
from decimal import Decimal
from typing import Any

from libs.common.bus import HEADER_ALERT, HEADER_EVENT_ID, HEADER_MADE_BY, HEADER_SERVICE
from services.auditor.rows import Row, bare, to_row

WITHOUT_DOC = "without doc"
"""Not a column: the row lacks the document that its body has. Right where Postgres refuses it."""

_NAMES = tuple(field.name for field in dataclasses.fields(Row) if field.name != "doc")


def misfit(row: Row) -> str | None:
    """The first column that does not fit, or `WITHOUT_DOC`."""
    wanted = to_row(
        stream=row.stream,
        seq=row.seq,
        subject=row.subject,
        stored_at=row.stored_at,
        # Of the headers nothing but these columns is kept.
        headers=_headers(row),
        data=row.body,
    )
    if row.doc is None and wanted.doc is not None and row == bare(wanted):
        return WITHOUT_DOC
    for name in _NAMES:
        if getattr(row, name) != getattr(wanted, name):
            return name
    if row.doc is None:
        return None if wanted.doc is None else WITHOUT_DOC
    if wanted.doc is None:
        return "doc"
    return None if row.doc == wanted.doc or _same(row.doc, wanted.doc) else "doc"


def document_of(row: Row) -> str | None:
    """What `doc` would hold if Postgres took it."""
    return to_row(
        stream=row.stream,
        seq=row.seq,
        subject=row.subject,
        stored_at=row.stored_at,
        headers=None,
        data=row.body,
    ).doc


def _headers(row: Row) -> dict[str, str]:
    told = {
        HEADER_ALERT: None if row.alert_id is None else str(row.alert_id),
        HEADER_EVENT_ID: row.event_id,
        HEADER_MADE_BY: row.made_by,
        HEADER_SERVICE: row.service,
        "traceparent": row.traceparent,
    }
    return {name: value for name, value in told.items() if value is not None}


# jsonb keeps numbers to the digit, sorts names, and of equal names keeps the last.
def _same(one: str, other: str) -> bool:
    try:
        return bool(_read(one) == _read(other))
    except RecursionError:
        # Too deep to be compared here; the hash covers the body in any case.
        return True


def _read(document: str) -> Any:
    return json.loads(document, parse_float=_number, parse_int=_number)


# In a pair, since to Python 1 equals true.
def _number(digits: str) -> tuple[str, Decimal]:
    return ("number", Decimal(digits))

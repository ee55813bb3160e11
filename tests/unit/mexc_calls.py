"""Factories of calls and transfers for the tests of the MEXC adapter."""

from datetime import UTC, datetime

from libs.common.contracts.order import ExchangeCall
from services.executor.mexc.transport import Transfer


def make_call(**overrides):
    fields = {
        "method": "POST",
        "path": "/api/v1/private/order/create",
        "sent_at": datetime(2026, 11, 23, tzinfo=UTC),
        "http_status": 200,
    }
    return ExchangeCall(**{**fields, **overrides})


def make_transfer(body=None, *, status=200, left=True, error=""):
    text = "" if body is None else body.decode(errors="replace")
    call = make_call(http_status=None if body is None else status, response_body=text, error=error)
    return Transfer(call=call, left=left, body=body)

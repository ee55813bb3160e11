"""The baseline sends what the executor sends: the same fields, signed the same way."""

import json
from decimal import Decimal

from bench.alerts import CONTRACTS, SYMBOL
from bench.direct import order_body, signed
from libs.common.contracts.order import Leg
from libs.common.contracts.words import (
    AlertId,
    ClientOrderId,
    Effect,
    MarginMode,
    PositionMode,
    PositionSide,
    VenueSymbol,
)
from libs.common.secret import Secret
from services.executor.mexc import signing
from services.executor.mexc.bodies import order_body as executors_body

ALERT = AlertId("018bcfe5-6800-7000-8000-000000000001")


def test_the_order_is_the_executors():
    body = json.loads(order_body(ALERT, account="a", buy=True))
    leg = Leg(
        effect=Effect.OPEN,
        position_side=PositionSide.LONG,
        contracts=Decimal(CONTRACTS),
        client_order_id=ClientOrderId(body["externalOid"]),
        margin_mode=MarginMode.CROSS,
        position_mode=PositionMode.HEDGE,
        leverage=10,
    )
    assert body == json.loads(executors_body(leg, symbol=VenueSymbol(SYMBOL)))
    assert json.loads(order_body(ALERT, account="a", buy=False))["side"] == 3


def test_the_signature_is_the_executors():
    headers = signed("key", "secret", body=b'{"a":1}', now_ms=1_700_000_000_000)
    assert headers["Signature"] == signing.sign(
        access_key="key",
        secret=Secret("secret"),
        request_time_ms=1_700_000_000_000,
        payload='{"a":1}',
    )

"""A hundred thousand broken alerts through parsing and all that is made of its answer: what is
stored, and what the sender is told. Nothing raises, and every refusal names its field.
"""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.codec import decode, encode
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Route, Sizing
from libs.common.contracts.words import AlertId, SizingMode, TradeMode
from services.ingest import answers
from services.ingest.parsing import Parsed, parse_alert
from services.ingest.refusals import VALUE_MAX, Refusal
from tests.factories import make_route
from tests.mutated_bodies import SOUND, mutated_bodies

BODIES = 100_000
SEED = 4
ROUTES = (
    make_route(),
    make_route(
        trade_mode=TradeMode.TARGET,
        sizing=Sizing(mode=SizingMode.PERCENT_EQUITY, value=Decimal(5)),
    ),
    make_route(trade_mode=TradeMode.HEDGE),
    make_route(sizing=Sizing(mode=SizingMode.FIXED, value=Decimal(1))),
    msgspec.structs.replace(make_route(), body_secret_sha256=sha256(b"50%").hexdigest()),
)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
ID = AlertId("01938a5c-0000-7000-8000-000000000000")


def test_mutated_bodies_are_understood_or_refused_by_name() -> None:
    found: Counter[str] = Counter()
    for number, data in enumerate(mutated_bodies(BODIES, seed=SEED)):
        # Each sound body, however broken, comes to each route.
        route = ROUTES[number // len(SOUND) % len(ROUTES)]
        found.update([outcome(data, route=route)])
    assert found.total() == BODIES
    check_mix(found)


def outcome(data: bytes, *, route: Route) -> str:
    parsed = parse_alert(data, route=route)
    if isinstance(parsed, Parsed):
        alert = Alert(
            alert_id=ID,
            route=route.id,
            at=NOW,
            order=parsed.order,
            body=parsed.body,
            body_sha256="",
            explicit_id=parsed.explicit_id,
        )
        assert decode(encode(alert)) == alert
        return f"accepted {parsed.order.action}"
    refusal = parsed.refusal
    refused = AlertRefused(
        alert_id=ID,
        route=route.id,
        at=NOW,
        status=refusal.status,
        reason=refusal.reason,
        message=refusal.message,
        field=refusal.field,
        value=refusal.value,
        body=parsed.body,
    )
    assert decode(encode(refused)) == refused
    check(refusal, data=data)
    return f"{refusal.reason} {(refusal.field or '').lower()}"


def check(refusal: Refusal, *, data: bytes) -> None:
    answer = answers.refused(refusal, alert_id=ID)
    assert answer.status in {401, 415, 422}, data
    problem = msgspec.json.decode(answer.body)
    assert problem["detail"]
    if refusal.status == 415:
        assert refusal.message.startswith("The body must be one JSON object"), data
    else:
        assert problem["field"], data
        assert refusal.field is not None
        assert refusal.field in refusal.message, data
    assert len(problem.get("value", "")) <= VALUE_MAX


def check_mix(found: Counter[str]) -> None:
    """The bodies reach everything: each action and each field, many times."""
    for action in ("buy", "sell", "flat", "closeall", "reverse", "modify", "target", "cancel"):
        assert found[f"accepted {action}"] > 20, action
    for field in (
        *("ticker", "order_action", "order_contracts", "price", "sl_price", "tp_price", "leverage"),
        *("market_position", "market_position_size", "position_size", "prev_market_position"),
        *("trade_type", "close_side", "order_type", "margin_mode", "trigger", "comment"),
        *("platform_name", "side", "qty", "quantity", "sltp_type", "order_id", "alert_id"),
    ):
        assert found[f"{Reason.FIELD_INVALID} {field}"] > 20, field
    for field in ("ticker", "order_action", "order_contracts", "price", "sl_price"):
        assert found[f"{Reason.FIELD_MISSING} {field}"] > 20, field
    assert found[f"{Reason.TARGET_MISSING} market_position"] > 100
    assert found[f"{Reason.BODY_SECRET_WRONG} secret"] > 1000
    assert found[f"{Reason.PLACEHOLDER_UNREPLACED} order_action"] > 20
    accepted = sum(times for what, times in found.items() if what.startswith("accepted"))
    broken = found[f"{Reason.NOT_A_JSON_OBJECT} "]
    assert accepted > BODIES // 10
    assert broken > BODIES // 10
    assert BODIES - accepted - broken > BODIES // 3


@pytest.mark.parametrize("body", SOUND)
def test_the_bodies_are_sound_before_they_are_broken(body: dict[str, object]) -> None:
    assert isinstance(parse_alert(msgspec.json.encode(body), route=make_route()), Parsed)


def test_the_same_seed_makes_the_same_bodies() -> None:
    assert list(mutated_bodies(50, seed=1)) == list(mutated_bodies(50, seed=1))
    assert list(mutated_bodies(50, seed=1)) != list(mutated_bodies(50, seed=2))

"""The wire as it stands: one file per message, with every field filled, and the value that it must
decode to. A file here is never edited: what the log holds must stay readable. A field that is added
to a message gets a new file, `<tag>.2.json`, beside the old ones.
"""

from datetime import UTC, datetime
from pathlib import Path

from libs.common.contracts.alert import AlertDuplicate, AlertRefused
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import (
    AccountCalled,
    AccountChecked,
    CheckState,
    CheckupLine,
    CheckupReason,
    Finding,
)
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.control import Control, Scope
from libs.common.contracts.dead_letter import DeadLetter, DeadReplayed
from libs.common.contracts.drift import Held, PositionDrifted
from libs.common.contracts.flattening import FlatLane, Flattening
from libs.common.contracts.intent import (
    Denial,
    IntentDenied,
    Limits,
    Offset,
    Protection,
    Size,
)
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AccountId,
    Action,
    ChangeKind,
    DistanceUnit,
    ExecutionKind,
    MarginMode,
    MarketPosition,
    OrderType,
    PositionMode,
    PositionSide,
    RouteId,
    SizingMode,
    TradeMode,
    TriggerSource,
    VenueSymbol,
)
from tests.factories import ALERT_ID, D, make_alert, make_holding, make_intent, make_leg, make_order
from tests.trail_messages import common, lane, make_execution, make_plan

_AT = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
_CALL = ExchangeCall(
    method="POST",
    path="/api/v1/private/order/create",
    query="a=1",
    request_body='{"vol":10}',
    sent_at=_AT,
    elapsed_ms=12.5,
    http_status=200,
    response_body='{"code":0}',
    error="none",
)
_ORDER = make_order(
    action=Action.CLOSE_LONG,
    order_type=OrderType.LIMIT,
    price=D("50000.10"),
    stop_distance=D("100"),
    target_distance=D("200"),
    stop_price=D("49900.1"),
    target_price=D("50200.1"),
    distance_unit=DistanceUnit.TICKS,
    trailing_ticks=D("5"),
    trigger="last",
    trade_mode=TradeMode.HEDGE,
    inverse=True,
    close_side=PositionSide.LONG,
    leverage=20,
    margin_mode=MarginMode.ISOLATED,
    comment="exit ü",
    order_id="tp1",
)

_STALE = Denial(reason=Reason.STALE, message="the entry is 40.0 s old", context={"age_s": "40.0"})

_BY = "anna from 127.0.0.1"

MESSAGES: dict[str, AnyMessage] = {
    "alert.received.3": make_alert(explicit_id="test-1", test_by=_BY),
    "alert.duplicate.2": AlertDuplicate(**common(), first_at=_AT, test_by=_BY),
    "alert.refused.2": AlertRefused(
        **common(),
        status=422,
        reason=Reason.FIELD_MISSING,
        message="ticker must name the instrument",
        test_by=_BY,
    ),
    "alert.received.2": make_alert(
        order=make_order(
            action=Action.TARGET,
            quantity=None,
            quantity_percent=D("12.5"),
            wanted=MarketPosition.SHORT,
            previous=MarketPosition.LONG,
            trigger=TriggerSource.MARK,
        )
    ),
    "intent.accepted.2": make_intent(
        action=Action.TARGET,
        contracts=None,
        size=Size(mode=SizingMode.RISK_PERCENT, value=D("1.5"), multiplier=D("0.5")),
        close_percent=D("50"),
        wanted=MarketPosition.SHORT,
        previous=MarketPosition.LONG,
        order_type=OrderType.STOP,
        price=D("50000.05"),
        trigger=TriggerSource.INDEX,
        protection=Protection(
            stop=Offset(price=D("50100.1"), distance=D("100"), unit=DistanceUnit.TICKS),
            target=Offset(price=D("49000.1"), distance=D("2.5"), unit=DistanceUnit.PERCENT),
            trailing_ticks=D("30"),
        ),
        limits=Limits(
            max_order_notional=D("1000.5"), max_position_notional=D("2000.5"), pyramiding=False
        ),
        opening_denied=_STALE,
        order_id="tp1",
        comment="exit ü",
    ),
    "order.planned.2": make_plan(
        make_leg(
            "open",
            "long",
            order_type=OrderType.STOP,
            price=D("50000.1"),
            trigger=TriggerSource.MARK,
            stop_price=D("49900.1"),
            target_price=D("50200.1"),
        ),
        changes=(
            Change(
                change_id="change000000000000000000000",
                kind=ChangeKind.TRAIL,
                exchange_ids=("42",),
                position_side=PositionSide.LONG,
                contracts=D("10"),
                stop_price=D("49900.1"),
                target_price=D("50200.1"),
                trigger=TriggerSource.INDEX,
                trail_distance=D("3.5"),
                margin_mode=MarginMode.ISOLATED,
                leverage=20,
                position_mode=PositionMode.ONE_WAY,
            ),
        ),
        withheld=_STALE,
        steps=("0.001 BTC is 10",),
        order_id="tp1",
        comment="exit ü",
    ),
    "execution.3": make_execution(ExecutionKind.REJECTED, code=406, cause=Cause.IP),
    "execution.4": make_execution(
        ExecutionKind.CANCELED,
        reason=Reason.HALTED,
        message="not sent (again): everything was halted: enough",
    ),
    "account.checked": AccountChecked(
        account=AccountId("paper"),
        at=_AT,
        reason=CheckupReason.REFUSED,
        findings=(
            Finding(
                line=CheckupLine.LINKED_IP,
                state=CheckState.WRONG,
                evidence="the exchange sees 203.0.113.9",
                mend="add it",
                route=RouteId("demo"),
                symbol=VenueSymbol("BTC_USDT"),
            ),
        ),
        addresses=("203.0.113.9",),
        expected_addresses=("203.0.113.9",),
        linked_addresses=("198.51.100.7",),
        permissions=("CONTRACT_DEAL_READ",),
        key_days_left=12,
        clock_offset_ms=-3,
        latency_p50_ms=8.5,
        latency_p99_ms=20.25,
        stopped=True,
        calls=(_CALL,),
        alert_id=ALERT_ID,
    ),
    "account.checked.2": AccountChecked(
        account=AccountId("paper"),
        at=_AT,
        reason=CheckupReason.CHANGED,
        findings=(
            Finding(line=CheckupLine.EGRESS, state=CheckState.OK, evidence="none is expected"),
        ),
    ),
    "account.called": AccountCalled(
        account=AccountId("paper"),
        at=_AT,
        what="leverage of long set to 10",
        symbol=VenueSymbol("BTC_USDT"),
        calls=(_CALL,),
        alert_id=ALERT_ID,
    ),
    "execution.2": make_execution(
        ExecutionKind.RESTING,
        order_id="tp1",
        comment="exit ü",
        leg=make_leg("open", "long", order_type=OrderType.LIMIT, price=D("50000.1")),
    ),
    "alert.received": make_alert(
        order=_ORDER,
        content_type="application/json",
        source_address="127.0.0.1",
        explicit_id="one",
    ),
    "alert.duplicate": AlertDuplicate(**common(), source_address="127.0.0.1", first_at=_AT),
    "alert.refused": AlertRefused(
        **common(),
        status=422,
        reason=Reason.FIELD_INVALID,
        message="order_contracts must be a number",
        field="order_contracts",
        value="much",
        body="{}",
        body_sha256="44136fa3",
        content_type="text/plain",
        source_address="127.0.0.1",
    ),
    "intent.accepted": make_intent(close_side=PositionSide.SHORT, steps=("0.001 BTC is 10",)),
    "intent.denied": IntentDenied(
        **common(),
        denial=Denial(
            reason=Reason.BELOW_MINIMUM, message="0 is under 1", context={"minimum": "1"}
        ),
        account="paper",
        symbol="BTC_USDT",
        intent_id=f"{ALERT_ID}.paper",
    ),
    "intent.flattened": Flattening(
        alert_id=ALERT_ID,
        account="paper",
        route="demo",
        at=_AT,
        halted_at=_AT,
        scope=Scope.ROUTE,
        reason="enough",
        lanes=(
            FlatLane(
                symbol="BTC_USDT",
                close="01890000-0000-7000-8000-00000000000c",
                cancel="01890000-0000-7000-8000-00000000000d",
            ),
        ),
        unlisted=("ODD_USDT",),
    ),
    "order.planned": make_plan(
        make_leg("close", "short", position_id="42"),
        holdings=(make_holding("short", "2.5"),),
        summary="closes 10 short",
        calls=(_CALL,),
    ),
    "execution": make_execution(
        ExecutionKind.FILLED,
        exchange_order_id="7391135",
        filled_contracts=D("10"),
        average_price=D("50000.05"),
        fee=D("0.0400"),
        fee_currency="USDT",
        profit=D("-1.25"),
        code=2011,
        message="Order quantity error",
        calls=(_CALL,),
    ),
    "position.drifted": PositionDrifted(
        **lane("paper", ALERT_ID),
        expected=(Held(side=PositionSide.LONG, contracts=D(10)),),
        held=(Held(side=PositionSide.SHORT, contracts=D("2.5")),),
    ),
    "intent.denied.2": IntentDenied(**common(), denial=_STALE, calls=(_CALL,)),
    "intent.flattened.2": Flattening(
        alert_id=ALERT_ID,
        account="paper",
        route="halt",
        at=_AT,
        halted_at=_AT,
        scope=Scope.ALL,
        calls=(_CALL,),
    ),
    "position.drifted.2": PositionDrifted(
        **lane("paper", ALERT_ID), expected=(), held=(), calls=(_CALL,)
    ),
    "dead.replayed": DeadReplayed(
        service="router", at=_AT, letter_seq=40, origin_seq=17, seq=41, alert_id=ALERT_ID
    ),
    "dead": DeadLetter(
        service="router",
        at=_AT,
        subject="alert.received.demo",
        seq=17,
        deliveries=3,
        reason="undecodable",
        data=b"{",
        headers={"Nats-Msg-Id": "m1"},
        alert_id=ALERT_ID,
    ),
}
"""By file name, without `.json`."""

CONTROL = Control(
    scope=Scope.ROUTE,
    id="demo",
    halt_id=ALERT_ID,
    at=_AT,
    reason="enough",
    by="anna",
    flatten=True,
    accounts=("paper", "second"),
)
"""As it stands in the `controls` bucket: in `kept/control.json`."""


def golden(name: str) -> bytes:
    return (Path(__file__).parent / f"{name}.json").read_bytes().removesuffix(b"\n")


def golden_control() -> bytes:
    return (Path(__file__).parent / "kept" / "control.json").read_bytes().removesuffix(b"\n")


def golden_names() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("*.json"))

"""What waits at MEXC in the house's words: orders in the book, plans, stops, trailing orders.

Raises `ValueError` for numbers that are not documented.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import ExchangeCall, Leg, Pending, Protective, Trail
from libs.common.contracts.words import Effect, OrderType, PendingKind
from services.executor.exchange import Found, OrderState
from services.executor.mexc import errors, wire
from services.executor.mexc.bodies import trigger_type
from services.executor.mexc.numbers import (
    BACK_BY_DISTANCE,
    MOVES,
    ORDER_TYPES,
    POSITION_TYPES,
    SIDES,
    TRAILING,
    WAITING,
    WHOLE_POSITION,
    word_of,
)

_EXPIRED = 4
PLAN_STATES: Mapping[int, OrderState] = MappingProxyType(
    {
        WAITING: OrderState.OPEN,
        2: OrderState.CANCELED,
        # Executed: what became of it is its order's to tell.
        3: OrderState.PENDING,
        _EXPIRED: OrderState.CANCELED,
        5: OrderState.INVALID,
    }
)


def to_pending_order(order: wire.OpenOrder) -> Pending:
    effect, side = word_of(MOVES, order.side, "side")
    return Pending(
        kind=PendingKind.ORDER,
        exchange_order_id=str(order.order_id),
        client_order_id=order.external_oid or None,
        effect=effect,
        position_side=side,
        contracts=order.vol - order.deal_vol,
        price=order.price,
        stop_price=order.stop_loss_price or None,
        target_price=order.take_profit_price or None,
    )


def to_pending_plan(plan: wire.Plan) -> Pending:
    effect, side = word_of(MOVES, plan.side, "side")
    return Pending(
        kind=PendingKind.TRIGGER,
        exchange_order_id=str(plan.id),
        effect=effect,
        position_side=side,
        contracts=plan.vol,
        price=plan.trigger_price,
        stop_price=plan.stop_loss_price or None,
        target_price=plan.take_profit_price or None,
    )


def to_protective(stop: wire.Stop) -> Protective | None:
    """None where it does not wait any more: the published list shows finished ones too."""
    if stop.state != WAITING:
        return None
    return Protective(
        exchange_id=str(stop.id),
        position_id=str(stop.position_id),
        position_side=word_of(POSITION_TYPES, stop.position_type, "position type"),
        contracts=stop.vol,
        stop_price=stop.stop_loss_price or None,
        target_price=stop.take_profit_price or None,
        whole=stop.vol_type == WHOLE_POSITION,
    )


def to_trail(track: wire.Track) -> Trail | None:
    """None where it has ended, or would open a position: that trails nothing that is held."""
    effect, side = word_of(MOVES, track.side, "side")
    if effect is Effect.OPEN or track.state not in TRAILING:
        return None
    distance = track.back_value
    if track.back_type != BACK_BY_DISTANCE:
        # A share of the extreme, or of the price that it will begin at.
        distance *= track.mark_price or track.active_price or Decimal(0)
    return Trail(
        exchange_id=str(track.id),
        position_side=side,
        contracts=track.vol,
        distance=distance,
        created_ms=track.create_time,
    )


def check(plan: wire.Plan) -> None:
    """Raises `ValueError` where its numbers are not documented."""
    word_of(PLAN_STATES, plan.state, "state of a trigger order")
    word_of(MOVES, plan.side, "side")


def plan_of_id(plans: Iterable[wire.Plan], exchange_id: str) -> wire.Plan | None:
    """By its own id, or that of the order which it made."""
    return next((plan for plan in plans if exchange_id in _ids(plan)), None)


def plan_that_says(
    plans: Iterable[wire.Plan], leg: Leg, *, since_ms: int, apart_from: frozenset[str]
) -> wire.Plan | None:
    """The newest that says what the leg says and is not known to be another's: a plan takes no
    client id, so there is nothing else to know it by (facts §8).
    """
    alike = [
        plan
        for plan in plans
        if plan.create_time >= since_ms and _says(plan, leg) and apart_from.isdisjoint(_ids(plan))
    ]
    return max(alike, key=lambda plan: (plan.create_time, str(plan.id)), default=None)


def _ids(plan: wire.Plan) -> set[str | None]:
    return {str(plan.id), made_by(plan)}


def made_by(plan: wire.Plan) -> str | None:
    """The id of the order that the plan made; "", 0 and absence all say that it made none yet."""
    order_id = str(plan.order_id or "")
    return order_id if order_id.strip("0") else None


def to_found(plan: wire.Plan, *, call: ExchangeCall) -> Found:
    """What became of a plan itself. Executed is PENDING: its order has to be asked for."""
    code = plan.error_code or 0
    return Found(
        state=word_of(PLAN_STATES, plan.state, "state of a trigger order"),
        exchange_order_id=str(plan.id),
        filled_contracts=Decimal(0),
        average_price=None,
        fee=None,
        fee_currency=None,
        profit=None,
        error_code=code,
        error_name="EXPIRED" if plan.state == _EXPIRED and not code else _name(code),
        error_cause=_cause(code),
        call=call,
    )


def _says(plan: wire.Plan, leg: Leg) -> bool:
    return (
        plan.side == SIDES[leg.effect, leg.position_side]
        and plan.vol == leg.contracts
        and plan.trigger_price == leg.price
        and plan.trigger_type == trigger_type(leg)
        and plan.order_type == ORDER_TYPES[OrderType.MARKET]
    )


def _name(code: int) -> str:
    # Which of the two lists of codes a plan's comes from is not documented; they do not overlap.
    if code in errors.CAUSES:
        return errors.cause_of(code).name
    return errors.order_error_name(code)


def _cause(code: int) -> Cause | None:
    return errors.CAUSES.get(code) or errors.order_error_cause(code)

"""From an alert to an intent: pure. Everything that needs no position is decided here; whatever
this version does not do is denied by name, never left out in silence.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from libs.common.contracts.alert import Alert, Order
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import RouteAccount, RouteSettings
from libs.common.contracts.words import (
    AccountId,
    Action,
    OrderType,
    PositionSide,
    RouteState,
    SizingMode,
    TradeMode,
    VenueSymbol,
)
from libs.common.domain.identity import intent_id
from libs.common.domain.quantity import Sized, to_contracts
from libs.common.domain.symbols import Mapped, map_ticker

ENTRIES = frozenset({Action.BUY, Action.SELL})
EXITS: dict[Action, PositionSide | None] = {
    Action.FLAT: None,
    Action.CLOSE_ALL: None,
    Action.CLOSE_LONG: PositionSide.LONG,
    Action.CLOSE_SHORT: PositionSide.SHORT,
}
_SIZES = frozenset({SizingMode.BASE, SizingMode.CONTRACTS})


def decide_intent(
    alert: Alert,
    *,
    route: RouteSettings,
    account: RouteAccount,
    catalogue: Mapping[VenueSymbol, Instrument],
    now: datetime,
) -> Intent | Denial:
    """What the alert wants of one of the route's accounts."""
    order = alert.order
    denial = _unsupported(order, route) or _untimely(alert, route=route, now=now)
    if denial is not None:
        return denial
    mapped = map_ticker(order.ticker, catalogue=catalogue, symbols=route.symbols)
    if isinstance(mapped, Denial):
        return mapped
    entry = order.action in ENTRIES
    if entry and not mapped.instrument.tradable:
        return Denial(
            reason=Reason.SYMBOL_NOT_TRADABLE,
            message=f"the exchange does not let the API trade {mapped.instrument.symbol} now",
            context={"symbol": mapped.instrument.symbol},
        )
    sized = _size(order, route=route, account=account, mapped=mapped) if entry else None
    if isinstance(sized, Denial):
        return sized
    return Intent(
        intent_id=intent_id(alert=alert.alert_id, account=AccountId(account.account)),
        alert_id=alert.alert_id,
        route=alert.route,
        account=AccountId(account.account),
        symbol=mapped.instrument.symbol,
        at=now,
        received_at=alert.at,
        action=order.action if entry or order.action is Action.CLOSE_ALL else Action.FLAT,
        contracts=sized.contracts if sized else None,
        trade_mode=order.trade_mode or route.trade_mode,
        margin_mode=order.margin_mode or route.margin_mode,
        leverage=order.leverage or route.leverage,
        max_age_s=route.max_age_s,
        close_side=None if entry else EXITS[order.action] or order.close_side,
        instrument=mapped.instrument,
        steps=(mapped.step, *((sized.step,) if sized else ())),
    )


def _size(
    order: Order, *, route: RouteSettings, account: RouteAccount, mapped: Mapped
) -> Sized | Denial:
    quantity = order.quantity or route.sizing.value
    if quantity is None:
        return Denial(
            reason=Reason.SIZE_MISSING,
            message="the alert has no order_contracts, and the route has no sizing.value",
        )
    return to_contracts(
        quantity,
        mode=route.sizing.mode,
        per_unit=mapped.per_unit,
        multiplier=route.sizing.multiplier * account.multiplier,
        instrument=mapped.instrument,
    )


def _untimely(alert: Alert, *, route: RouteSettings, now: datetime) -> Denial | None:
    if alert.order.action not in ENTRIES:
        return None
    if route.state is RouteState.PAUSED:
        return Denial(
            reason=Reason.ROUTE_PAUSED,
            message=f"route {route.id} is paused: entries are denied, exits pass",
        )
    age_s = (now - alert.at).total_seconds()
    if age_s > route.max_age_s:
        return Denial(
            reason=Reason.STALE,
            message=f"the entry is {age_s:.1f} s old; the route's max_age_s is {route.max_age_s}",
            context={"age_s": f"{age_s:.1f}", "max_age_s": str(route.max_age_s)},
        )
    return None


def _unsupported(order: Order, route: RouteSettings) -> Denial | None:
    # Each line names a field, its value, and whether this version can do it. A protective price
    # that is not sent is worse than an order that is not sent.
    if order.action not in ENTRIES:
        checks = [("order_action", order.action.value, order.action in EXITS)]
    else:
        mode = order.trade_mode or route.trade_mode
        guards = route.guards
        checks = [
            ("order_type", order.order_type.value, order.order_type is OrderType.MARKET),
            ("trade_type", mode.value, mode is TradeMode.NETTING),
            ("trade_type", "inverse", not (order.inverse or route.inverse)),
            ("sizing.mode", route.sizing.mode.value, route.sizing.mode in _SIZES),
            ("pyramiding", "false", route.pyramiding),
            *_absent("stop_loss", order.stop_distance),
            *_absent("take_profit", order.target_distance),
            *_absent("sl_price", order.stop_price),
            *_absent("tp_price", order.target_price),
            *_absent("trailing_pips", order.trailing_ticks),
            *_absent("guards.max_order_notional", guards.max_order_notional),
            *_absent("guards.max_position_notional", guards.max_position_notional),
            *_absent("guards.orders_per_minute", guards.orders_per_minute),
            *_absent("guards.windows", guards.windows or None),
        ]
    for field, value, supported in checks:
        if not supported:
            return Denial(
                reason=Reason.NOT_SUPPORTED,
                message=f"{field} {value} is not supported yet, so the alert is not executed",
                context={"field": field, "value": value},
            )
    return None


def _absent(
    field: str, value: Decimal | int | tuple[str, ...] | None
) -> list[tuple[str, str, bool]]:
    return [] if value is None else [(field, str(value), False)]

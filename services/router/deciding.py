"""From an alert to an intent: pure. Everything that needs no position is decided here.

What closes always passes. What only opens is denied here where a guard says so; what may do both
goes on with the reason in `opening_denied`, and the executor leaves the opening out.
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
    MarketPosition,
    PositionSide,
    TradeMode,
    TriggerSource,
    VenueSymbol,
)
from libs.common.domain.identity import intent_id
from libs.common.domain.quantity import plain
from libs.common.domain.symbols import map_ticker
from services.router.opening import Asked, Opening, may_close, opening_of
from services.router.translating import Translated, inverted, translated

_OPENING = frozenset({Action.BUY, Action.SELL, Action.REVERSE, Action.TARGET})
_SIGNALS = frozenset({Action.BUY, Action.SELL})
_SIDE_CLOSED = {Action.CLOSE_LONG: PositionSide.LONG, Action.CLOSE_SHORT: PositionSide.SHORT}


def decide_intent(  # noqa: PLR0913 - what it depends on, each by name
    alert: Alert,
    *,
    route: RouteSettings,
    account: RouteAccount,
    catalogue: Mapping[VenueSymbol, Instrument],
    now: datetime,
    recent_openings: int = 0,
    halted: Denial | None = None,
) -> Intent | Denial:
    """What the alert wants of one of the route's accounts. `recent_openings` counts the intents
    that open, of this route and account, in the minute before the alert; `halted` says that they
    are halted by hand.
    """
    inverse = route.inverse or alert.order.inverse
    order = inverted(alert.order) if inverse else alert.order
    mapped = map_ticker(order.ticker, catalogue=catalogue, symbols=route.symbols)
    if isinstance(mapped, Denial):
        return mapped
    prices = translated(order, per_unit=mapped.per_unit, sltp_unit=route.sltp_unit)
    if isinstance(prices, Denial):
        return prices
    asked = Asked(
        order=order,
        route=route,
        account=account,
        mapped=mapped,
        price=prices.price,
        received_at=alert.at,
        now=now,
        recent_openings=recent_openings,
        halted=halted,
    )
    if order.action in _SIGNALS and asked.mode is TradeMode.TARGET:
        return _target_missing(alert.order.action)
    opening = opening_of(asked) if opens(order) else Opening()
    if opening.refused is not None and not may_close(asked, opening):
        return opening.refused
    steps = (mapped.step, *_told(alert.order, order, inverse=inverse), *prices.steps)
    return _intent(
        alert, asked=asked, prices=prices, opening=opening, steps=(*steps, *opening.steps)
    )


def opens(order: Order | Intent) -> bool:
    """Whether it may open anything."""
    return order.action in _OPENING and order.wanted is not MarketPosition.FLAT


def _intent(
    alert: Alert, *, asked: Asked, prices: Translated, opening: Opening, steps: tuple[str, ...]
) -> Intent:
    order, account = asked.order, AccountId(asked.account.account)
    return Intent(
        intent_id=intent_id(alert=alert.alert_id, account=account),
        alert_id=alert.alert_id,
        route=alert.route,
        account=account,
        symbol=asked.mapped.instrument.symbol,
        at=asked.now,
        received_at=alert.at,
        action=Action.FLAT if order.action in _SIDE_CLOSED else order.action,
        contracts=opening.contracts,
        size=opening.size,
        close_percent=_close_percent(order),
        wanted=order.wanted,
        previous=order.previous,
        order_type=order.order_type,
        price=prices.price,
        trigger=order.trigger or TriggerSource.LAST,
        protection=prices.protection,
        limits=opening.limits,
        opening_denied=opening.refused,
        order_id=order.order_id,
        comment=order.comment,
        trade_mode=asked.mode,
        margin_mode=order.margin_mode or asked.route.margin_mode,
        leverage=asked.leverage,
        max_age_s=asked.route.max_age_s,
        close_side=_close_side(order),
        instrument=asked.mapped.instrument,
        steps=steps,
    )


def _close_percent(order: Order) -> Decimal | None:
    parted = order.action is Action.FLAT or order.action in _SIDE_CLOSED
    return order.quantity_percent if parted else None


def _close_side(order: Order) -> PositionSide | None:
    if order.action in {*_SIGNALS, Action.TARGET, Action.CLOSE_ALL}:
        return None
    return _SIDE_CLOSED.get(order.action, order.close_side)


def _told(sent: Order, order: Order, *, inverse: bool) -> tuple[str, ...]:
    """What became of the action, where it is not taken as it was sent."""
    steps: list[str] = []
    if inverse and sent.action is not order.action:
        steps.append(f"inverse: {sent.action.value} becomes {order.action.value}")
    if inverse and sent.wanted is not order.wanted and sent.wanted and order.wanted:
        steps.append(f"inverse: {sent.wanted.value} becomes {order.wanted.value}")
    percent = _close_percent(order)
    if percent is not None:
        steps.append(f"{plain(percent)} % of what is held is closed")
    return tuple(steps)


def _target_missing(action: Action) -> Denial:
    return Denial(
        reason=Reason.TARGET_MISSING,
        message=(
            f"trade mode target needs a position to move to, not {action.value}: send"
            " market_position and market_position_size"
        ),
        context={"action": action.value},
    )

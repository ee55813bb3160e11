"""The guards that need the position: whether what a plan would open may be opened. Pure."""

from decimal import Context, Decimal, localcontext

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Holding
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, PositionMode, TradeMode
from libs.common.domain.moving import Moves, Opening, describe
from libs.common.domain.picture import Picture
from libs.common.domain.quantity import plain, shortened

_EXACT = Context(prec=120)


def opening_refused(
    intent: Intent, *, moves: Moves, picture: Picture, reference: Decimal | None
) -> Denial | None:
    """Why the opening of `moves` may not be; None where it may. `reference` is the price of a base
    unit, needed where the route limits a value.
    """
    opening = moves.opening
    if opening is None:
        return None
    own = next((held for held in picture.holdings if held.side is opening.side), None)
    return (
        _hedge_impossible(intent, opening, picture)
        or (_adding(intent, own) if own else None)
        or _margin_mode(intent, moves, picture)
        or _below_minimum(intent, opening)
        or _order_notional(intent, opening, reference)
        or _position_notional(intent, opening, own, reference)
    )


def _hedge_impossible(intent: Intent, opening: Opening, picture: Picture) -> Denial | None:
    against = [held for held in picture.holdings if held.side is not opening.side]
    if (
        intent.action not in {Action.BUY, Action.SELL}
        or intent.trade_mode is not TradeMode.HEDGE
        or picture.position_mode is PositionMode.HEDGE
        or not against
    ):
        return None
    return Denial(
        reason=Reason.HEDGE_NEEDS_HEDGE_MODE,
        message=(
            f"{describe(tuple(against))} is held, and the account is in one-way mode: it cannot"
            f" hold {opening.side.value} beside it"
        ),
        context={"held": describe(tuple(against)), "position_mode": picture.position_mode.value},
    )


def _adding(intent: Intent, own: Holding) -> Denial | None:
    if not intent.limits.pyramiding:
        return Denial(
            reason=Reason.PYRAMIDING,
            message=f"{describe((own,))} is held, and the route does not add to a position",
            context={"held": describe((own,))},
        )
    if own.margin_mode is not intent.margin_mode or own.leverage == intent.leverage:
        return None
    return Denial(
        reason=Reason.LEVERAGE_DIFFERS,
        message=(
            f"{describe((own,))} has leverage {own.leverage}; the alert would add to it with"
            f" {intent.leverage}"
        ),
        context={"held": str(own.leverage), "asked": str(intent.leverage)},
    )


def _margin_mode(intent: Intent, moves: Moves, picture: Picture) -> Denial | None:
    # What this plan closes whole is gone before the opening order leaves.
    gone = {
        closing.holding.side
        for closing in moves.closings
        if closing.contracts == closing.holding.contracts
    }
    for held in picture.holdings:
        if held.side not in gone and held.margin_mode is not intent.margin_mode:
            return Denial(
                reason=Reason.MARGIN_MODE_DIFFERS,
                message=(
                    f"{describe((held,))} is held with margin mode {held.margin_mode.value}; the"
                    f" alert would open with {intent.margin_mode.value}"
                ),
                context={"held": held.margin_mode.value, "asked": intent.margin_mode.value},
            )
    return None


def _below_minimum(intent: Intent, opening: Opening) -> Denial | None:
    minimum = intent.instrument.minimum_contracts
    if opening.contracts is None or opening.contracts >= minimum:
        return None
    return Denial(
        reason=Reason.BELOW_MINIMUM,
        message=(
            f"{plain(opening.contracts)} contracts would be left to open; the minimum of"
            f" {intent.symbol} is {plain(minimum)}"
        ),
        context={"contracts": plain(opening.contracts), "minimum_contracts": plain(minimum)},
    )


def _order_notional(intent: Intent, opening: Opening, reference: Decimal | None) -> Denial | None:
    limit = intent.limits.max_order_notional
    if limit is None or opening.contracts is None:
        return None
    return _over(
        Reason.ORDER_NOTIONAL, "order", opening.contracts, limit, intent=intent, price=reference
    )


def _position_notional(
    intent: Intent, opening: Opening, own: Holding | None, reference: Decimal | None
) -> Denial | None:
    limit = intent.limits.max_position_notional
    if limit is None or opening.contracts is None:
        return None
    contracts = opening.contracts + (own.contracts if own else Decimal(0))
    return _over(
        Reason.POSITION_NOTIONAL, "position", contracts, limit, intent=intent, price=reference
    )


def _over(
    reason: Reason,
    what: str,
    contracts: Decimal,
    limit: Decimal,
    *,
    intent: Intent,
    price: Decimal | None,
) -> Denial | None:
    assert price is not None  # noqa: S101 - `needs` asks for a price wherever a value is limited
    size, quote = intent.instrument.contract_size, intent.instrument.quote
    with localcontext(_EXACT):
        notional = contracts * size * price
    if notional <= limit:
        return None
    return Denial(
        reason=reason,
        message=(
            f"the {what} would be {plain(contracts)} contracts x {plain(size)} x {plain(price)} ="
            f" {shortened(notional)} {quote}; the route's max_{what}_notional is {plain(limit)}"
        ),
        context={
            "notional": shortened(notional),
            f"max_{what}_notional": plain(limit),
            "contracts": plain(contracts),
            "price": plain(price),
        },
    )

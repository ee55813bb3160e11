"""Legs: a move split into orders that the exchange takes, with their ids and prices. Pure."""

from decimal import ROUND_CEILING, Context, Decimal, localcontext

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Leg
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Effect, OrderType
from libs.common.domain.identity import CHUNKS_MAX, client_order_id
from libs.common.domain.moving import Closing, Opening
from libs.common.domain.picture import Picture
from libs.common.domain.price import buys, order_price
from libs.common.domain.protecting import Protected
from libs.common.domain.quantity import floor_to_step, plain, split

_EXACT = Context(prec=120)


def to_legs(
    intent: Intent, picture: Picture, move: Closing | Opening, *, protected: Protected
) -> list[Leg] | Denial:
    if isinstance(move, Closing):
        held, effect, side = move.holding, Effect.CLOSE, move.holding.side
    else:
        held, effect, side = None, Effect.OPEN, move.side
    contracts = move.contracts
    assert contracts is not None  # noqa: S101 - an unknown size is always withheld
    price = _price(intent, buying=buys(effect, side))
    if isinstance(price, Denial):
        return price
    instrument = intent.instrument
    sizes = _split(contracts, instrument)
    if isinstance(sizes, Denial):
        return sizes
    return [
        Leg(
            client_order_id=client_order_id(
                alert=intent.alert_id,
                account=intent.account,
                effect=effect,
                side=side,
                chunk=chunk,
                attempt=0,
            ),
            effect=effect,
            position_side=side,
            contracts=size,
            # A closing order must name the margin mode and leverage that the position has.
            margin_mode=held.margin_mode if held else intent.margin_mode,
            leverage=held.leverage if held else intent.leverage,
            position_mode=picture.position_mode,
            position_id=held.position_id if held else None,
            order_type=intent.order_type,
            price=price,
            trigger=intent.trigger,
            stop_price=protected.stop,
            target_price=protected.target,
        )
        for chunk, size in enumerate(sizes)
    ]


def _split(contracts: Decimal, instrument: Instrument) -> tuple[Decimal, ...] | Denial:
    largest = floor_to_step(instrument.maximum_contracts, step=instrument.step_contracts)
    # Counted before they are made: a size may be anything, where a live price decided it.
    with localcontext(_EXACT):
        orders = (
            (contracts / largest).to_integral_value(ROUND_CEILING) if largest > 0 else Decimal(1)
        )
    if orders > CHUNKS_MAX:
        return Denial(
            reason=Reason.ABOVE_MAXIMUM,
            message=f"{plain(contracts)} contracts would take {plain(orders)} orders; an"
            f" alert makes at most {CHUNKS_MAX}",
            context={"contracts": plain(contracts), "orders": plain(orders)},
        )
    return split(
        contracts,
        maximum=instrument.maximum_contracts,
        minimum=instrument.minimum_contracts,
        step=instrument.step_contracts,
    )


def price_steps(intent: Intent, legs: list[Leg]) -> list[str]:
    if intent.price is None or intent.order_type is OrderType.MARKET:
        return []
    tick = plain(intent.instrument.tick_price)
    return [
        f"{intent.order_type.value} price {plain(intent.price)}, on the tick of {tick}:"
        f" {plain(price)}"
        for price in dict.fromkeys(leg.price for leg in legs)
        if price is not None
    ]


def _price(intent: Intent, *, buying: bool) -> Decimal | Denial | None:
    if intent.order_type is OrderType.MARKET:
        return None
    tick = intent.instrument.tick_price
    asked = intent.price
    price = (
        Decimal(0)
        if asked is None
        else order_price(asked, order_type=intent.order_type, buying=buying, tick=tick)
    )
    if price > 0:
        return price
    asked_text = "none" if asked is None else plain(asked)
    return Denial(
        reason=Reason.PRICE_INVALID,
        message=(
            f"an order of type {intent.order_type.value} needs a price above 0 on the tick of"
            f" {plain(tick)}, not {asked_text}"
        ),
        context={"price": asked_text, "tick_price": plain(tick)},
    )

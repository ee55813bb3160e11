"""What the conformance tests do at a stand, in few words."""

from libs.common.contracts.order import Change
from libs.common.contracts.words import (
    ChangeKind,
    ClientOrderId,
    MarginMode,
    PositionMode,
    PositionSide,
    VenueSymbol,
)
from tests.factories import D, make_leg

BTC = VenueSymbol("BTC_USDT")
FIRST = ClientOrderId("conformance0000000000000ol000")
SECOND = ClientOrderId("conformance0000000000000ol001")
CLOSING = ClientOrderId("conformance0000000000000cl000")
CHANGE = ClientOrderId("conformance0000000000000ch000")
LONG_AGO = "1000000000000000001"
"""The id of something that never was, and is too long for a float."""


def a_leg(effect="open", side="long", *, order=FIRST, **changes):
    return make_leg(effect, side, client_order_id=order, **_numbers(changes))


async def submitted(stand, effect="open", side="long", *, symbol=BTC, **changes):
    return await stand.exchange.submit(a_leg(effect, side, **changes), symbol=symbol)


async def found(stand, order=FIRST):
    return await stand.exchange.order(BTC, order)


async def found_stop(stand, leg, sent, *, by_id=True, apart_from=()):
    """What became of a stop order, asked for by its id or by what it says."""
    return await stand.exchange.stop_order(
        leg,
        symbol=BTC,
        sent_after=sent.call.sent_at,
        exchange_order_id=sent.exchange_order_id if by_id else None,
        apart_from=frozenset(apart_from),
    )


async def held(stand):
    return (await stand.exchange.holdings(BTC)).holdings


async def pending(stand):
    return (await stand.exchange.pending(BTC)).value


async def protectives(stand):
    return (await stand.exchange.protectives(BTC)).value


async def trails(stand):
    return (await stand.exchange.trails(BTC)).value


async def close_held(stand, contracts=None):
    [holding] = await held(stand)
    return await submitted(
        stand,
        "close",
        holding.side,
        order=CLOSING,
        contracts=contracts or holding.contracts,
        position_id=holding.position_id,
    )


async def changed(stand, kind, *ids, before_send=None, **fields):
    change = Change(change_id=CHANGE, kind=ChangeKind(kind), exchange_ids=ids, **_numbers(fields))
    return await stand.exchange.change(change, symbol=BTC, before_send=before_send)


async def protected(stand, *, holding=None, **prices):
    """Put a stop or target on the position that is held."""
    if holding is None:
        [holding] = await held(stand)
    return await changed(
        stand,
        "protect",
        holding.position_id,
        position_side=holding.side,
        contracts=holding.contracts,
        **prices,
    )


async def trailed(stand, distance="500", **fields):
    """Put a trailing stop on ten contracts long."""
    values = {
        "position_side": PositionSide.LONG,
        "contracts": 10,
        "trail_distance": distance,
        "margin_mode": MarginMode.CROSS,
        "leverage": 10,
        "position_mode": PositionMode.HEDGE,
    }
    return await changed(stand, "trail", **{**values, **fields})


def _numbers(fields):
    """Fields of a leg or change, whose numbers may be texts and its prices have short names."""
    names = {"stop": "stop_price", "target": "target_price"}
    named = {names.get(name, name): value for name, value in fields.items()}
    numbers = {"price", "stop_price", "target_price", "contracts", "trail_distance"}
    return {
        name: D(value) if name in numbers and value is not None else value
        for name, value in named.items()
    }

"""What every implementation tells about all contracts of the account at once."""

from libs.common.contracts.words import OrderType, PositionSide
from tests.conformance.steps import BTC, SECOND, submitted
from tests.factories import D


async def places(stand):
    return (await stand.exchange.pending_symbols()).value


async def test_all_positions_are_told(stand):
    assert (await stand.exchange.positions()).value == ()
    await submitted(stand)
    await submitted(stand, side="short", order=SECOND, contracts=D(3))
    told = (await stand.exchange.positions()).value
    assert {(symbol, held.side): held.contracts for symbol, held in told} == {
        (BTC, PositionSide.LONG): 10,
        (BTC, PositionSide.SHORT): 3,
    }


async def test_where_an_order_rests_is_told(stand):
    assert await places(stand) == frozenset()
    await submitted(stand, order_type=OrderType.LIMIT, price="49000")
    assert await places(stand) == {BTC}


async def test_where_a_stop_order_waits_is_told(stand):
    await submitted(stand, order_type=OrderType.STOP, price="51000")
    assert await places(stand) == {BTC}

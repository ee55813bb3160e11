"""Cells of the table of trade modes over a real log and the paper exchange's HTTP: the position
that a signal leaves, and the orders that the exchange received for it.
"""

import pytest

from libs.common.contracts.intent import Denial, Limits
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import OrderType, TradeMode
from libs.common.topology import ensure_topology
from tests.factories import D
from tests.integration.mode_stand import HEDGE, ONE_WAY, stands
from tests.unit.domain.notation import NOTHING

pytestmark = pytest.mark.integration

STALE = Denial(reason=Reason.STALE, message="the entry is 40 s old")


@pytest.fixture
async def stand_of(js, nats_url):
    await ensure_topology(js)
    async with stands(nats_url) as make:
        yield make


CELLS = [
    # account, mode, held, signal, orders, held afterwards
    (HEDGE, "netting", "none", "buy 2", "open long 2", "long 2"),
    (HEDGE, "netting", "long 3", "sell 2", "close long 2", "long 1"),
    (HEDGE, "netting", "long 3", "sell 5", "close long 3, open short 2", "short 2"),
    (ONE_WAY, "netting", "short 3", "buy 5", "close short 3, open long 2", "long 2"),
    (HEDGE, "opposite", "long 3", "sell 2", "close long 3, open short 2", "short 2"),
    (ONE_WAY, "opposite", "long 3", "sell 5", "close long 3, open short 5", "short 5"),
    (HEDGE, "reverse", "long 3", "sell 5", "close long 3", "none"),
    (ONE_WAY, "reverse", "short 3", "buy 2", "close short 3", "none"),
    (HEDGE, "hedge", "long 3", "sell 2", "open short 2", "long 3, short 2"),
    (ONE_WAY, "hedge", "long 3", "sell 2", "denied hedge_needs_hedge_mode", "long 3"),
    (HEDGE, "target", "long 3, short 2", "target long 5", "close short 2, open long 2", "long 5"),
    (ONE_WAY, "target", "long 3", "target short 2", "close long 3, open short 2", "short 2"),
    (HEDGE, "target", "long 3", "target long 3", NOTHING, "long 3"),
    (HEDGE, "netting", "long 3, short 2", "flat", "close long 3, close short 2", "none"),
    (HEDGE, "netting", "long 3, short 2", "flat short", "close short 2", "long 3"),
    (ONE_WAY, "netting", "long 3", "flat 50%", "close long 1", "long 2"),
    (HEDGE, "netting", "long 3", "reverse", "close long 3, open short 3", "short 3"),
]


@pytest.mark.parametrize(("account", "mode", "before", "said", "orders", "after"), CELLS)
async def test_cell(  # noqa: PLR0917 - the columns of the table
    stand_of, account, mode, before, said, orders, after
):
    stand = await stand_of(account)
    await stand.hold(before)
    assert await stand.held() == before
    received = await stand.orders()
    assert await stand.send(said, trade_mode=TradeMode(mode)) == orders
    assert await stand.held() == after
    expected = 0 if orders.startswith(("denied", NOTHING)) else len(orders.split(", "))
    assert await stand.orders() - received == expected


@pytest.mark.parametrize(
    ("changes", "said", "orders", "after"),
    [
        ({"opening_denied": STALE}, "sell 5", "close long 3, withheld stale", "none"),
        ({"limits": Limits(pyramiding=False)}, "buy 2", "denied pyramiding", "long 3"),
        ({"order_type": OrderType.LIMIT}, "sell 5", "denied flip_needs_market", "long 3"),
        ({"order_type": OrderType.LIMIT}, "sell 2", "close long 2", "long 3"),
        ({"order_type": OrderType.IOC}, "sell 5", "close long 3, open short 2", "short 2"),
    ],
)
async def test_what_is_held_back(stand_of, changes, said, orders, after):
    """A limit of 51000 rests above the market; an IOC of it is meant to sell at once, at 49000."""
    stand = await stand_of(HEDGE)
    await stand.hold("long 3")
    price = {"order_type": OrderType.MARKET} | changes
    if price["order_type"] is not OrderType.MARKET:
        price["price"] = D(49_000) if price["order_type"] is OrderType.IOC else D(51_000)
    assert await stand.send(said, **price) == orders
    assert await stand.held() == after


async def test_what_a_resting_close_has_frozen_is_left_alone(stand_of):
    """Two of three long wait to be sold at 51000; flat closes the one that is free."""
    stand = await stand_of(HEDGE)
    await stand.hold("long 3")
    resting = {"order_type": OrderType.LIMIT, "price": D(51_000)}
    assert await stand.send("sell 2", **resting) == "close long 2"
    assert await stand.send("flat") == "close long 1, withheld position_frozen"
    assert await stand.send("flat") == "denied position_frozen"
    assert await stand.held() == "long 2"

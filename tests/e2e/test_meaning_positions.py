"""What an alert means, through all processes: positions, sizes and several accounts.

BTC_USDT stands at 50,000 with 0.0001 BTC a contract, so a contract is worth 5 USDT.
"""

from decimal import Decimal

import pytest

from tests.e2e.own_routes import ASSET
from tests.e2e.running_stack import POSITIONS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def target(side, size, before):
    return {
        "market_position": side,
        "market_position_size": size,
        "prev_market_position": before,
    }


def orders_of(journey):
    return [
        f"{order['effect']} {order['position_side']} {order['contracts']}"
        for order in journey["orders"]
    ]


async def equity(paper):
    return Decimal(str((await paper.get(ASSET))["data"]["equity"]))


async def test_a_strategy_is_followed_through_a_partial_exit_and_a_flip(trader, routes):
    """The partial exit is TradingView's own: its order sells 1, and it is long still."""
    own = await routes.make(trade_mode="target")
    entry = await own.execute(**target("long", "0.002", "flat"))
    assert orders_of(entry) == ["open long 20"]
    partial_exit = await own.execute(
        order_action="sell", order_contracts="0.001", **target("long", "0.001", "long")
    )
    assert orders_of(partial_exit) == ["close long 10"]
    assert await trader.holdings() == {"long": 10}
    flip = await own.execute(
        order_action="sell", order_contracts="0.002", **target("short", "0.001", "long")
    )
    assert orders_of(flip) == ["close long 10", "open short 10"]
    stages = [event["stage"] for event in flip["events"]]
    of_one = ["execution.sent", "execution.accepted", "execution.filled"]
    assert stages[-6:] == of_one * 2, "the close is confirmed before the opening leaves"
    assert await trader.holdings() == {"short": 10}
    before = len(await trader.orders_received())
    again = await own.execute(**target("short", "0.001", "short"))
    assert (again["status"], again["orders"]) == ("executed", [])
    flat = await own.execute(**target("flat", "0", "short"))
    assert orders_of(flat) == ["close short 10"]
    assert await trader.holdings() == {}
    assert len(await trader.orders_received()) == before + 1


async def test_an_opening_that_may_not_be_is_withheld_and_the_close_is_done(trader, routes):
    own = await routes.make(trade_mode="opposite")
    await own.execute(order_action="buy", order_contracts="0.001")
    status, answer = await trader.api("POST", f"/api/routes/{own.name}/pause")
    assert status == 200, answer
    flip = await own.execute(order_action="sell", order_contracts="0.003")
    assert (flip["status"], flip["reason"]) == ("partial", "route_paused")
    assert orders_of(flip) == ["close long 10"]
    assert await trader.holdings() == {}
    entry = await own.execute(order_action="sell", order_contracts="0.003")
    assert (entry["status"], entry["reason"]) == ("denied", "route_paused")


async def test_without_pyramiding_nothing_is_added(trader, routes):
    own = await routes.make(pyramiding=False)
    await own.execute(order_action="buy", order_contracts="0.001")
    denied = await own.execute(order_action="buy", order_contracts="0.001")
    assert (denied["status"], denied["reason"]) == ("denied", "pyramiding")
    assert denied["events"][-1]["data"]["denial"]["context"] == {"held": "long 10"}
    assert await trader.holdings() == {"long": 10}


async def test_half_a_position_is_closed_by_percent(trader, routes):
    own = await routes.make()
    await own.execute(order_action="buy", order_contracts="0.0015")
    half = await own.execute(order_action="flat", order_contracts="50%")
    # 50 % of 15 contracts is 7.5, and a contract is not divided.
    assert orders_of(half) == ["close long 7"]
    assert await trader.holdings() == {"long": 8}


async def test_a_size_in_percent_of_equity(trader, routes):
    own = await routes.make(sizing={"mode": "percent_equity", "value": "20"})
    has = await equity(trader.paper)
    found = await own.execute(order_action="buy")
    contracts = has * Decimal("0.2") // 5
    assert contracts > 300
    assert orders_of(found) == [f"open long {contracts}"]


async def test_a_size_by_risk(trader, routes):
    own = await routes.make(sizing={"mode": "risk_percent", "value": "1"}, sltp_unit="ticks")
    has = await equity(trader.paper)
    # 5,000 ticks of 0.1 are 500 USDT a coin, 0.05 a contract.
    found = await own.execute(order_action="sell", stop_loss="5000")
    contracts = has * Decimal("0.01") // Decimal("0.05")
    assert contracts > 1500
    assert orders_of(found) == [f"open short {contracts}"]
    assert found["orders"][0]["request"]["stopLossPrice"] == 50500


async def test_a_chart_of_a_thousand_coins_in_one(trader, routes):
    await trader.paper.control("PUT", "prices/PEPE_USDT", {"last": "0.00001"})
    own = await routes.make()
    # 50,000 x 1,000 PEPE, 10,000,000 a contract; the stop of the chart is 0.009 / 1,000.
    found = await own.execute(
        ticker="1000PEPEUSDT.P", order_action="buy", order_contracts="50000", sl_price="0.009"
    )
    assert orders_of(found) == ["open long 5"]
    assert found["orders"][0]["symbol"] == "PEPE_USDT"
    assert Decimal(str(found["orders"][0]["request"]["stopLossPrice"])) == Decimal("0.000009")
    await trader.flat("1000PEPEUSDT.P")
    assert await trader.holdings("PEPE_USDT") == {}


async def test_one_account_that_is_refused_leaves_the_others_alone(trader, routes):
    names = ["second", "third"]
    second, third = [await routes.account(name) for name in names]
    async with second, third:
        await trader.paper.control("PUT", f"accounts/{third.keys[0]}", {"refuse": {"open": 6002}})
        accounts = [{"account": "second", "multiplier": "0.5"}, {"account": "third"}]
        own = await routes.make(accounts=[{"account": "paper"}, *accounts])
        found = await own.execute(order_action="buy", order_contracts="0.001")
        assert found["status"] == "partial"
        told = {order["account"]: order for order in found["orders"]}
        assert {name: (one["contracts"], one["state"]) for name, one in told.items()} == {
            "paper": ("10", "filled"),
            "second": ("5", "filled"),
            "third": ("10", "rejected"),
        }
        assert len({order["client_order_id"] for order in found["orders"]}) == 3
        assert "6002" in told["third"]["words"]
        assert await trader.holdings() == {"long": 10}
        held = [one["holdVol"] for one in (await second.get(POSITIONS))["data"]]
        assert held == [5]
        assert (await third.get(POSITIONS))["data"] == []


async def test_a_body_that_could_mean_two_things_trades_nothing(trader, routes):
    own = await routes.make()
    before = len(await trader.orders_received())
    status, problem = await own.post(
        order_action="sell", order_contracts="2", market_position="short", market_position_size="1"
    )
    assert status == 422
    assert '"sell 2" or "move to short 1"' in problem["detail"]
    await own.execute(order_action="buy", order_contracts="0.001")
    assert len(await trader.orders_received()) == before + 1

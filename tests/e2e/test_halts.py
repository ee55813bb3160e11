"""Halt, flatten and resume through the whole stack, as a user does it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e.own_routes import OPEN, OwnRoutes
from tests.e2e.running_stack import POSITIONS, RunningStack, Trader
from tests.paper_client import PaperClient

pytestmark = pytest.mark.e2e

SIDES = {1: "long", 2: "short"}


@pytest.fixture
async def halting(stack: RunningStack, trader: Trader) -> AsyncIterator[RunningStack]:
    """Nothing stays halted behind the test."""
    await trader.paper.control("PUT", "prices/ETH_USDT", {"last": "3000"})
    yield stack
    _, found = await trader.api("GET", "/api/halt")
    for halt in found["halts"]:
        scope = {"scope": halt["scope"], "id": halt["id"]}
        assert (await trader.api("POST", "/api/resume", scope))[0] == 200


async def said(stack: RunningStack, *arguments: str) -> Any:
    """The command's JSON."""
    done = await asyncio.to_thread(stack.cli, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def held(paper: PaperClient) -> set[tuple[str, str]]:
    reply = await paper.get(POSITIONS)
    return {(one["symbol"], SIDES[one["positionType"]]) for one in reply["data"]}


async def flattened(trader: Trader, halt_id: str, *, alerts: int) -> dict[str, Any]:
    """The halt's journey once each of its alerts has ended."""
    return await trader.journey(
        halt_id,
        lambda found: len(found["alerts"]) >= alerts and found["status"] != "pending",
    )


async def test_a_halt_denies_entries_lets_exits_pass_and_ends_with_the_resume(
    halting: RunningStack, trader: Trader, routes: OwnRoutes
) -> None:
    route = await routes.make(trade_mode="hedge")
    buy = {"order_action": "buy", "order_contracts": 0.001}
    assert (await route.execute(**buy))["status"] == "executed"
    await said(halting, "halt", "--reason", "enough")
    denied = await until_halted(route, buy)
    assert denied["reason"] == "halted"
    assert denied["orders"] == []
    flat = await route.execute(order_action="flat", order_contracts="")
    assert flat["status"] == "executed", flat
    assert await trader.holdings() == {}
    await said(halting, "resume")
    await until_resumed(route, buy)
    await trader.flat()


async def until_halted(route: Any, buy: dict[str, Any]) -> dict[str, Any]:
    """A halt is followed within a second; what came before it was executed."""
    async with asyncio.timeout(10):
        while (found := await route.execute(**buy))["status"] == "executed":
            pass
    return dict(found)


async def until_resumed(route: Any, buy: dict[str, Any]) -> None:
    async with asyncio.timeout(10):
        while (found := await route.execute(**buy))["status"] == "denied":
            assert found["reason"] == "halted"
    assert found["status"] == "executed", found


async def test_a_flatten_closes_both_sides_of_every_symbol_and_what_waits(
    halting: RunningStack, trader: Trader, routes: OwnRoutes
) -> None:
    paper = await routes.account("flat-all")
    route = await routes.make(accounts=[{"account": "flat-all"}], trade_mode="hedge")
    for ticker, action in (("BTCUSDT.P", "buy"), ("BTCUSDT.P", "sell"), ("ETHUSDT.P", "sell")):
        found = await route.execute(ticker=ticker, order_action=action, order_contracts=0.1)
        assert found["status"] == "executed", found
    await route.rests(order_action="buy", order_contracts=0.1, order_type="limit", price=40_000)
    assert len(await held(paper)) == 3
    # Placed by hand, and a part of the long is frozen by it.
    taken = await paper.order(side=4, type=1, price=60_000, vol=400)
    assert taken["success"], taken
    answer = await said(halting, "halt", "--account", "flat-all", "--flatten")
    found = await flattened(trader, answer["halt"]["halt_id"], alerts=3)
    assert found["status"] == "executed", found
    done = [(one["symbol"], one["action"]) for one in found["alerts"]]
    assert [symbol for symbol, action in done if action == "closeall"] == ["BTC_USDT", "ETH_USDT"]
    assert done[0] == ("BTC_USDT", "cancel")
    assert await held(paper) == set()
    assert (await paper.get(OPEN, {}))["data"] == []
    closed = found["alerts"][-1]["alert_id"]
    traced = await asyncio.to_thread(halting.cli, "trace", closed)
    assert "flattened by the halt" in traced.stdout
    assert "close short" in traced.stdout
    _, page = await trader.api("GET", "/api/alerts?route=halt&limit=1")
    assert page["alerts"][0]["action"] == "flatten"
    assert page["alerts"][0]["accounts"] == ["flat-all"]
    await opened_by_hand_stays(halting, route, paper)
    await said(halting, "resume", "--account", "flat-all")
    await paper.close()


async def opened_by_hand_stays(stack: RunningStack, route: Any, paper: PaperClient) -> None:
    """Also where another executor finds the halt."""
    assert (await paper.order(vol=5))["success"]
    assert await held(paper) == {("BTC_USDT", "long")}
    stack.kill("executor")
    # An exit waits for the new one, which has its list by then.
    flat = await route.execute(ticker="ETHUSDT.P", order_action="flat", order_contracts="")
    assert flat["status"] == "executed", flat
    assert await held(paper) == {("BTC_USDT", "long")}


async def test_a_route_is_flattened_and_others_on_its_account_are_left_alone(
    halting: RunningStack, trader: Trader, routes: OwnRoutes
) -> None:
    paper = await routes.account("flat-route")
    accounts = [{"account": "flat-route"}]
    first, second = [await routes.make(accounts=accounts) for _ in range(2)]
    sent = {"order_action": "buy", "order_contracts": 0.1}
    await first.execute(ticker="BTCUSDT.P", **sent)
    await second.execute(ticker="ETHUSDT.P", **sent)
    answer = await said(halting, "halt", "--route", first.name, "--flatten")
    found = await flattened(trader, answer["halt"]["halt_id"], alerts=1)
    assert (found["status"], found["route"]) == ("executed", first.name)
    assert await held(paper) == {("ETH_USDT", "long")}
    assert (await second.execute(ticker="BTCUSDT.P", **sent))["status"] == "executed"
    await said(halting, "resume", "--route", first.name)
    await paper.close()

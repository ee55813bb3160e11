"""Each line of the checklist provoked at the paper exchange, through the whole stack, and answered
by the right diagnosis.
"""

import asyncio
from typing import Any

import pytest

from tests.e2e.own_routes import OwnRoutes
from tests.e2e.running_stack import RunningStack, Trader
from tests.paper_client import CREATE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

Lines = dict[str, dict[str, str]]
ORDER = [
    *("arrived", "json", "linked_ip", "permissions", "access_key", "secret_key", "symbol"),
    *("quantity", "margin_mode", "leverage", "position_mode", "balance", "exchange"),
]
BUY = {"order_action": "buy", "order_contracts": 0.001}
READ_ONLY = ["CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ"]


def lines_of(journey: dict[str, Any]) -> Lines:
    assert [line["check"] for line in journey["diagnosis"]] == ORDER
    return {line["check"]: line for line in journey["diagnosis"]}


def only_wrong(journey: dict[str, Any]) -> str:
    """The one line that is wrong, with what it says."""
    lines = lines_of(journey)
    (wrong,) = [line for line in lines.values() if line["state"] == "wrong"]
    assert wrong["mend"]
    return f"{wrong['check']}: {wrong['evidence']} | {wrong['mend']}"


async def refused(trader: Trader, answer: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    """The journey of what ingest has refused."""
    status, problem = answer
    assert status >= 400
    return await trader.journey(problem["alert_id"], lambda found: found["status"] == "refused")


ACCOUNTS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str]]] = {
    # What it is there, how it is known here, and what evidence and mend must say.
    "linked_ip": ({"ip_whitelist": ["198.51.100.7"]}, {}, ("", "Link IP Address")),
    "permissions": ({"permissions": READ_ONLY}, {}, ("704 ", "Order Placing")),
    "access_key": ({}, {"access_key": "nobody"}, ("code 401", "")),
    "secret_key": ({}, {"secret_key": "wrong"}, ("code 602", "")),
    "position_mode": ({"position_mode": 2}, {}, ("", "edit why-position_mode --position-mode")),
    "balance": ({"balance": "0.01"}, {}, ("2005 ", "Transfer margin")),
}


async def test_what_is_wrong_with_an_account(trader: Trader, routes: OwnRoutes) -> None:
    own = {}
    for check, (there, here, _) in ACCOUNTS.items():
        name = f"why-{check}"
        paper = await routes.account(name, known=here, **there)
        await paper.close()
        own[check] = await routes.make(accounts=[{"account": name}])
    found = await asyncio.gather(*(route.execute(**BUY) for route in own.values()))
    for check, journey in zip(own, found, strict=True):
        told = only_wrong(journey)
        _, _, (evidence, mend) = ACCOUNTS[check]
        assert told.startswith(f"{check}: "), told
        assert evidence in told.partition(" | ")[0]
        assert mend in told.partition(" | ")[2]
    lines = lines_of(found[list(own).index("balance")])
    proven = {name for name, line in lines.items() if line["state"] == "ok"}
    assert proven == set(ORDER) - {"balance", "exchange"}


async def test_what_is_wrong_with_a_message(trader: Trader, routes: OwnRoutes) -> None:
    route = await routes.make()
    text = await trader.post("Buy BTC now!", webhook=route.webhook, content_type="text/plain")
    told = only_wrong(await refused(trader, text))
    assert told.startswith("json: answered 415, not_a_json_object")
    missing = await route.post(order_action="buy")
    told = only_wrong(await refused(trader, missing))
    assert told.endswith("| Add the field order_contracts to the alert's message.")
    symbol = await route.execute(**BUY, ticker="NOPEUSDT.P")
    assert only_wrong(symbol).startswith("symbol: symbol_unknown: ")
    small = await route.execute(order_action="buy", order_contracts=0.00001)
    told = only_wrong(small)
    assert told.startswith("quantity: below_minimum: 0.00001 BTC / 0.0001 BTC per contract is 0.1")
    assert f"`alertwire routes edit {route.name} --multiplier N`" in told


async def test_what_is_stopped_on_its_way_in(
    stack: RunningStack, trader: Trader, routes: OwnRoutes
) -> None:
    route = await routes.make(state="paused")
    paused = await route.execute(**BUY)
    told = only_wrong(paused)
    assert told.startswith("arrived: route_paused: ")
    assert f"`alertwire routes resume {route.name}`" in told
    done = await asyncio.to_thread(stack.cli, "trace", paused["alert_id"])
    assert "\u2717   arrived         route_paused" in done.stdout
    # Last: from here on the route lets nobody in.
    change = {"allow_addresses": ["203.0.113.0/24"]}
    assert (await trader.api("PATCH", f"/api/routes/{route.name}", change))[0] == 200
    async with asyncio.timeout(10):
        while (answer := await route.post(**BUY))[0] != 403:
            await asyncio.sleep(0.02)
    told = only_wrong(await refused(trader, answer))
    assert told.startswith("arrived: answered 403, address_not_allowed")


async def test_what_is_held_otherwise(trader: Trader, routes: OwnRoutes) -> None:
    assert (await trader.execute())["status"] == "executed"
    isolated = await routes.make(margin_mode="isolated")
    told = only_wrong(await isolated.execute(**BUY))
    assert told.startswith("margin_mode: margin_mode_differs: ")
    assert "--margin-mode cross" in told
    cautious = await routes.make(leverage=5)
    told = only_wrong(await cautious.execute(**BUY))
    assert told.startswith("leverage: leverage_differs: ")
    assert f"`alertwire routes edit {cautious.name} --leverage N`" in told


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (6001, "exchange: open long 10 BTC_USDT: 6001 Trading is forbidden"),
        (2011, "quantity: open long 10 BTC_USDT: 2011 Order quantity error"),
        (1002, "symbol: open long 10 BTC_USDT: 1002 Contract not activated"),
        (2006, "leverage: open long 10 BTC_USDT: 2006 "),
        (9071, "margin_mode: open long 10 BTC_USDT: 9071 "),
        (7002, "position_mode: open long 10 BTC_USDT: 7002 "),
        (200005, "exchange: open long 10 BTC_USDT: 200005 "),
    ],
)
async def test_what_the_exchange_refuses(trader: Trader, code: int, told: str) -> None:
    await trader.paper.control("PUT", "faults", [{"path": CREATE, "kind": "code", "code": code}])
    assert only_wrong(await trader.execute()).startswith(told)


async def test_an_order_that_was_taken_and_died(trader: Trader) -> None:
    died = {"path": CREATE, "kind": "async_reject", "code": 2}
    await trader.paper.control("PUT", "faults", [died])
    lines = lines_of(await trader.execute())
    assert lines["balance"]["state"] == "wrong"
    assert "2 INSUFFICIENT_BALANCE" in lines["balance"]["evidence"]
    assert lines["leverage"]["evidence"].startswith("the exchange took open long 10 BTC_USDT")


async def test_half_a_flip(trader: Trader) -> None:
    await trader.execute()
    # The first fault befalls the close and does it no harm.
    harmless = {"path": CREATE, "kind": "delay_before", "ms": 1}
    no = {"path": CREATE, "kind": "code", "code": 2005}
    await trader.paper.control("PUT", "faults", [harmless, no])
    journey = await trader.execute(order_action="sell", order_contracts=0.002)
    assert journey["status"] == "partial"
    assert only_wrong(journey).startswith(
        "balance: open short 10 BTC_USDT: 2005 Balance insufficient;"
        " done: close long 10 BTC_USDT at "
    )

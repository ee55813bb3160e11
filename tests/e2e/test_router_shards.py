"""The routes of a running stack are shared over four shards and two more routers, one of which dies
in a burst, and put together again: every alert is one order, and those of a route keep their order.
"""

import asyncio
import contextlib
import signal

import nats
import pytest

from libs.common.router_shards import router_consumers
from libs.common.topology import ensure_topology
from tests.e2e.second_process import SecondProcess

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SHARDS, ROUTES, ROUNDS = 4, 6, 6
_FIRST_SIZE = 10


async def share(stack, shards):
    """The set-up step on the running stack."""
    client = await nats.connect(stack.description["nats"])
    try:
        await ensure_topology(client.jetstream(), router_shards=shards)
    finally:
        await client.close()


async def owners(trader):
    """Which process, of those that are ready, has each lease of the router."""
    _, found = await trader.api("GET", "/api/health")
    return {
        lease: int(each["instance"].rpartition(":")[2])
        for each in found["services"]["processes"]
        if each["service"] == "router" and each["ready"]
        for lease, role in each["leases"].items()
        if role == "owner"
    }


async def until_owned(trader, shards, *pids):
    """All of them, and each of these processes has some."""
    async with asyncio.timeout(60):
        while True:
            found = await owners(trader)
            if set(found) == set(router_consumers(shards)) and set(found.values()) == set(pids):
                return
            await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def shared(stack, trader):
    """Two routers of four shards; afterwards the supervised one has all routes again."""
    made = [SecondProcess(stack, "router", router_shards=str(SHARDS)) for _ in range(2)]
    try:
        await share(stack, SHARDS)
        for each in made:
            each.start()
        await until_owned(trader, SHARDS, *(each.pid for each in made))
        yield made
    finally:
        for each in made:
            each.end(signal.SIGTERM)
        await share(stack, 1)
        await until_owned(trader, 1, stack.description["processes"]["router"])


def size(route, number):
    """In contracts: it tells which alert an order is of."""
    return _FIRST_SIZE + route * ROUNDS + number


async def test_one_dies_in_a_burst_and_every_alert_is_one_order(trader, stack, routes):
    before = len(await trader.orders_received())
    own = [await routes.make() for _ in range(ROUTES)]
    alerts = []

    async def send(number):
        alerts.extend(
            await asyncio.gather(
                *(
                    route.send(order_action="buy", order_contracts=f"{size(n, number) / 10_000:f}")
                    for n, route in enumerate(own)
                )
            )
        )

    async with shared(stack, trader) as (first, second):
        for number in range(ROUNDS - 2):
            await send(number)
            if number == 1:
                first.end(signal.SIGKILL)
        await until_owned(trader, SHARDS, second.pid)
        await send(ROUNDS - 2)
    await send(ROUNDS - 1)
    ends = [await trader.ended(alert, timeout_s=60) for alert in alerts]
    assert {end["status"] for end in ends} == {"executed"}
    sent = [int(call["body"]["vol"]) for call in (await trader.orders_received())[before:]]
    assert sorted(sent) == [size(n, number) for n in range(ROUTES) for number in range(ROUNDS)]
    for n in range(ROUTES):
        of_route = range(size(n, 0), size(n, ROUNDS))
        assert [each for each in sent if each in of_route] == list(of_route)

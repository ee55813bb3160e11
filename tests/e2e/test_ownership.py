"""Two processes of one service: one works and one stands by, also where the first is stopped in the
middle of its work, is taken for dead, and wakes again.
"""

import asyncio
import contextlib
import os
import signal

import pytest

from libs.common.topology import ACK_WAIT_S
from tests.e2e.second_process import SecondProcess, owns, running_beside

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

BTC, ETH = "BTCUSDT.P", "ETHUSDT.P"


@contextlib.contextmanager
def stopped(stack, service):
    """Held as a debugger or a suspended machine would hold it."""
    pid = stack.description["processes"][service]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def until(condition, *, within_s=30):
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.05)


async def sizes_received(trader, *, after):
    return [call["body"]["vol"] for call in (await trader.orders_received())[after:]]


@pytest.mark.parametrize("service", ["router", "executor"])
async def test_a_second_process_stands_by_and_takes_over(trader, stack, service):
    before = len(await trader.orders_received())
    async with running_beside(stack, service) as second:
        assert not await second.owns()
        await trader.execute(order_contracts="0.0011")
        os.kill(stack.description["processes"][service], signal.SIGKILL)
        # Either the bystander or the process that the supervisor starts anew goes on, not both.
        await trader.execute(order_contracts="0.0012")
        first = stack.description["health"][service]
        await until(lambda: owns_one(second, first, service))
        await trader.execute(order_contracts="0.0013")
    await trader.execute(order_contracts="0.0014")
    assert await sizes_received(trader, after=before) == [11, 12, 13, 14]


async def owns_one(second, first, service):
    return await second.owns() != await owns(first, service)


async def test_an_executor_that_was_stopped_in_the_middle_doubles_nothing(trader, stack):
    """It is held while an order is on its way, the other takes over, and it wakes."""
    before = len(await trader.orders_received())
    first = stack.description["health"]["executor"]
    async with running_beside(stack, "executor") as second:
        await until(lambda: owns(first, "executor"))
        await trader.paper.control("PUT", "latency", {"one_way_ms": 400})
        interrupted = await trader.send(order_contracts="0.0021")
        await until(lambda: planned(trader, interrupted))
        with stopped(stack, "executor"):
            await trader.paper.control("PUT", "latency", {"one_way_ms": 0})
            behind = [await trader.send(order_contracts=f"0.002{n}") for n in (2, 3)]
            elsewhere = await trader.send(ticker=ETH, order_contracts="0.5")
            journey = await trader.ended(elsewhere, timeout_s=15)
            assert journey["status"] == "executed", "a lane with nothing in flight goes on"
            assert await second.owns()
        for alert_id in [interrupted, *behind]:
            journey = await trader.ended(alert_id, timeout_s=45)
            assert journey["status"] == "executed", journey
        await until(lambda: stands_by(first))
        last = await trader.execute(order_contracts="0.0024")
        assert last["status"] == "executed"
    received = (await trader.orders_received())[before:]
    sent = [call["body"]["vol"] for call in received if call["body"]["symbol"] == "BTC_USDT"]
    assert sent == [21, 22, 23, 24]
    # A checkup of another account may ask with an order of nothing meanwhile; nothing else may.
    asked = [call for call in received if float(call["body"]["vol"]) > 0]
    assert len(asked) == 5, "\n".join(map(str, asked))


async def test_an_executor_that_is_set_up_for_another_number_of_shards_takes_nothing(trader, stack):
    other = SecondProcess(stack, "executor", shard="1", shards="2")
    other.start()
    try:
        async with asyncio.timeout(30):
            while "over 1 executor shard," not in (await other.missing() or {}).get("shards", ""):
                await asyncio.sleep(0.1)
        found = await trader.execute(order_contracts="0.0031")
        assert found["status"] == "executed"
        assert not await other.owns()
    finally:
        other.end(signal.SIGTERM)


async def planned(trader, alert_id):
    status, found = await trader.api("GET", f"/api/alerts/{alert_id}")
    return status == 200 and any(event["stage"] == "order.planned" for event in found["events"])


async def stands_by(address):
    return not await owns(address, "executor")


@pytest.mark.parametrize("service", ["router", "executor"])
async def test_a_process_that_was_stopped_for_longer_than_the_ack_wait_goes_on(
    trader, stack, service
):
    """Alone: nobody takes over, and nothing is done twice or in another order."""
    before = len(await trader.orders_received())
    with stopped(stack, service):
        ids = [await trader.send(order_contracts=f"0.003{n}") for n in (1, 2)]
        await asyncio.sleep(ACK_WAIT_S + 2)
    for alert_id in ids:
        journey = await trader.ended(alert_id)
        assert journey["status"] == "executed", journey
    assert await sizes_received(trader, after=before) == [31, 32]

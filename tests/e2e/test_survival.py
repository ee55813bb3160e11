"""Kills for real: a process that dies comes back, and no alert is lost or doubled by it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.running_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def restarted(stack: RunningStack, name: str, *, old: int) -> None:
    async with asyncio.timeout(20):
        while stack.description["processes"].get(name) in {old, None}:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", ["router", "executor", "auditor", "console", "ingest", "nats"])
async def test_a_killed_process_comes_back_and_alerts_go_on(trader, stack, name):
    before = len(await trader.orders_received())
    old = stack.kill(name)
    await restarted(stack, name, old=old)
    alert_id = await _send_when_it_answers(trader)
    journey = await _ended_when_it_answers(trader, alert_id)
    assert journey["status"] == "executed"
    assert len(await trader.orders_received()) == before + 1


async def test_a_killed_paper_exchange_keeps_its_books(trader, stack):
    await trader.execute()
    old = stack.kill("paper_exchange")
    await restarted(stack, "paper_exchange", old=old)
    async with asyncio.timeout(10):
        while True:
            try:
                assert await trader.holdings() == {"long": 10}
                break
            except OSError:
                await asyncio.sleep(0.1)
    await trader.flat()
    assert await trader.holdings() == {}


async def test_alerts_under_way_when_the_executor_dies_are_executed_once_and_in_order(
    trader, stack
):
    before = len(await trader.orders_received())
    ids = []
    for size in range(11, 31):
        ids.append(await trader.send(order_contracts=f"0.00{size}"))
        if size == 18:
            old = stack.kill("executor")
    await restarted(stack, "executor", old=old)
    journeys = [await trader.ended(alert_id, timeout_s=50) for alert_id in ids]
    assert {journey["status"] for journey in journeys} == {"executed"}
    received = (await trader.orders_received())[before:]
    assert [call["body"]["vol"] for call in received] == list(range(11, 31))


async def test_postgres_away_delays_rows_and_nothing_else(trader, stack):
    """The supervisor is held, so that Postgres stays away for as long as the test needs."""
    held = _parent_of(stack.description["processes"]["postgres"])
    os.kill(held, signal.SIGSTOP)
    try:
        os.kill(stack.description["processes"]["postgres"], signal.SIGKILL)
        before = len(await trader.orders_received())
        ids = [await trader.send() for _ in range(5)]
        async with asyncio.timeout(20):
            while len(await trader.orders_received()) < before + 5:
                await asyncio.sleep(0.05)
        status, problem = await trader.api("GET", f"/api/alerts/{ids[0]}")
        assert status == 503, problem
    finally:
        os.kill(held, signal.SIGCONT)
    for alert_id in ids:
        journey = await _ended_when_it_answers(trader, alert_id)
        assert journey["status"] == "executed"
        assert len(journey["events"]) == 6


def _parent_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


async def _send_when_it_answers(trader) -> str:
    """As TradingView would: again while there is no answer or a 503, under the same id."""
    body = {
        "ticker": "BTCUSDT.P",
        "order_action": "buy",
        "order_contracts": "0.001",
        "alert_id": os.urandom(8).hex(),
    }
    async with asyncio.timeout(20):
        while True:
            try:
                status, answer = await trader.post(body)
            except OSError:
                status = 0
            if status == 200:
                return answer["alert_id"]
            assert status in {0, 503}, answer
            await asyncio.sleep(0.2)


async def _ended_when_it_answers(trader, alert_id):
    async with asyncio.timeout(40):
        while True:
            try:
                status, found = await trader.api("GET", f"/api/alerts/{alert_id}")
            except OSError:
                status = 0
            if status == 200 and found["status"] not in {"pending", "unknown"}:
                return found
            await asyncio.sleep(0.1)

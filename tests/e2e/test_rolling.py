"""Every service is restarted under load, the new process before the old one ends: no alert is lost,
none is refused, and every one is traded once.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import time
from collections import Counter
from urllib.parse import urlsplit

import aiohttp
import pytest

from libs.common.contracts.words import AccountId, AlertId, Effect, PositionSide
from libs.common.domain.identity import client_order_id
from tests.e2e.second_process import PATIENCE_S, SecondProcess, page, running_beside

pytestmark = [pytest.mark.e2e, pytest.mark.drill, pytest.mark.timeout(300)]

RATE = 50
GOAL_S = 1.0
"""99 of 100 answers come sooner: TradingView gives up after three."""
SETTLED_WITHIN_S = 90
TRADED = {
    "BTCUSDT.P": "0.001",
    "ETHUSDT.P": "0.1",
    "SOLUSDT.P": "1",
    "XRPUSDT.P": "10",
    "DOGEUSDT.P": "100",
}


class Sender:
    """Half of the alerts on a connection of their own, as TradingView's come, half on some that are
    kept open, as a proxy's do. Nothing is sent again.
    """

    def __init__(self, webhook):
        self._webhook = webhook
        self.alert_ids = []
        self.failed = Counter()
        self.took_s = []

    async def send(self, stop):
        numbers = itertools.count()
        every = 1 / RATE
        due = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=3)
        own, kept = aiohttp.TCPConnector(force_close=True), aiohttp.TCPConnector(limit=4)
        async with (
            aiohttp.ClientSession(connector=own, timeout=timeout) as fresh,
            aiohttp.ClientSession(connector=kept, timeout=timeout) as open_,
            asyncio.TaskGroup() as group,
        ):
            while not stop.is_set():
                number = next(numbers)
                group.create_task(self._post((fresh, open_)[number % 2], number))
                due += every
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _post(self, web, number):
        tickers = list(TRADED)
        ticker = tickers[number % len(tickers)]
        body = {
            "ticker": ticker,
            "order_action": ("buy", "sell")[number // len(tickers) % 2],
            "order_contracts": TRADED[ticker],
            "alert_id": f"rolling{time.time_ns()}",
        }
        began = time.monotonic()
        try:
            async with web.post(self._webhook, data=json.dumps(body)) as reply:
                told = await reply.json(content_type=None)
                status = reply.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.failed[f"{type(error).__name__}: {error}"] += 1
            return
        self.took_s.append(time.monotonic() - began)
        if status == 200 and told["status"] == "accepted":
            self.alert_ids.append(told["alert_id"])
        else:
            self.failed[f"{status} {told.get('status')}"] += 1


@contextlib.contextmanager
def two_ingests(stack):
    """One of them started, and where both listen: at a socket that belongs to neither."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        port = listener.getsockname()[1]
        both = [
            SecondProcess(stack, "ingest", listener=listener, port=str(port), drain_s="1")
            for _ in range(2)
        ]
        both[0].start()
        try:
            yield both, f"http://127.0.0.1:{port}"
        finally:
            for process in both:
                if process.is_running():
                    process.end(signal.SIGTERM)


async def roll_ingests(first, second):
    for older, newer in ((first, second), (second, first)):
        newer.start()
        await newer.until_ready()
        assert await older.until_ended() == 0


async def roll_supervised(stack, service, *, beside):
    """The supervisor starts it anew; with another one `beside`, which goes on meanwhile."""
    async with contextlib.AsyncExitStack() as other:
        if beside:
            await other.enter_async_context(running_beside(stack, service))
        old = stack.description["processes"][service]
        os.kill(old, signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            while stack.description["processes"].get(service) in {old, None}:
                await asyncio.sleep(0.05)
            ready = f"{stack.description['health'][service]}/health/ready"
            while (await page(ready))[0] != 200:
                await asyncio.sleep(0.05)


async def received_since(trader, before):
    """Of each alert how many orders the exchange received, by what begins their ids."""
    orders = (await trader.orders_received())[before:]
    real = [call for call in orders if float(call["body"]["vol"]) > 0]
    return Counter(call["body"]["externalOid"][:22] for call in real)


def begins(alert_id):
    return client_order_id(
        alert=AlertId(alert_id),
        account=AccountId("paper"),
        effect=Effect.OPEN,
        side=PositionSide.LONG,
        chunk=0,
        attempt=0,
    )[:22]


async def settled(trader, alert_ids):
    """How many ended how, once all have."""
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while True:
            found = await statuses_of(trader, len(alert_ids) + 100)
            counted = Counter(found.get(alert_id, "pending") for alert_id in alert_ids)
            if not counted["pending"]:
                return dict(counted)
            await asyncio.sleep(0.2)


async def statuses_of(trader, count):
    """Of the demo route's newest alerts."""
    found, before = {}, ""
    while len(found) < count:
        path = f"/api/alerts?route=demo&limit=500{before}"
        status, answer = await trader.api("GET", path)
        assert status == 200, answer
        found |= {alert["alert_id"]: alert["status"] for alert in answer["alerts"]}
        if answer["next"] is None:
            break
        before = f"&before={answer['next']}"
    return found


async def test_every_service_is_restarted_and_nobody_notices(trader, stack):
    before = len(await trader.orders_received())
    with two_ingests(stack) as (ingests, address):
        await ingests[0].until_ready()
        sender = Sender(address + urlsplit(trader.demo["webhook"]).path)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(sender.send(stop))
            await roll_ingests(*ingests)
            for service in ("router", "executor"):
                await roll_supervised(stack, service, beside=True)
            for service in ("auditor", "console"):
                await roll_supervised(stack, service, beside=False)
            stop.set()

    assert not sender.failed, sender.failed
    assert len(sender.alert_ids) == len(set(sender.alert_ids)) > 5 * RATE
    wanted = Counter(map(begins, sender.alert_ids))
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while len(received := await received_since(trader, before)) < len(wanted):
            await asyncio.sleep(0.2)
    assert received == wanted, "each once, and nothing else"
    assert await settled(trader, sender.alert_ids) == {"executed": len(wanted)}
    assert sorted(sender.took_s)[int(len(sender.took_s) * 0.99)] < GOAL_S
    for ticker in TRADED:
        await trader.flat(ticker)

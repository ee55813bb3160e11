"""Leverage set beforehand: by the real client at the paper exchange, and by a whole shard of the
executor over a real log.
"""

import asyncio
import contextlib
from dataclasses import replace

import msgspec
import pytest
from structlog.testing import capture_logs

from libs.common.bus import connected as connected_bus
from libs.common.cancelling import cancelled
from libs.common.clock import SystemClock
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.route import Symbols
from libs.common.contracts.words import Action
from libs.common.domain.identity import alert_id, intent_event_id
from libs.common.health import Health
from libs.common.owning import Owner
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.executor.route_terms import RouteTerms
from services.executor.settings import Settings, Timing
from services.executor.shard import Shard
from tests.conformance.stands import paper_stand
from tests.factories import make_account, make_instrument, make_intent, make_route
from tests.fake_halts import FakeHalts
from tests.unit.executor_desk import OneAccount
from tests.unit.leverage_desk import Values

pytestmark = pytest.mark.integration

BTC = "BTC_USDT"
NEW = {"long": "isolated 20", "short": "isolated 20"}
WANTED = {"long": "cross 10", "short": "cross 10"}
TIMING = replace(
    Timing(),
    leverage_look_s=0.02,
    leverage_busy_s=0.05,
    leverage_retry_s=0.05,
    visible_after_s=0.1,
    drift_s=0.2,
)


class Accounts(OneAccount):
    def __init__(self, exchange):
        super().__init__(exchange)
        self.settings = Values({"paper": make_account()})

    def current(self):
        return [self._connected]


class Stand:
    """A shard that owns one account at the paper exchange."""

    def __init__(self, bus, paper):
        self.bus, self.paper = bus, paper
        self.terms = RouteTerms()
        key = subjects.instrument_key(base_url=make_account().base_url, symbol=BTC)
        self._shard = Shard(
            bus=bus,
            accounts=Accounts(paper.exchange),
            halts=FakeHalts(),
            contracts=Values({key: make_instrument()}),
            terms=self.terms,
            settings=Settings(
                nats_url=Secret("nats"), health_port=1, sealing_key_file="none", shards=1
            ),
            timing=TIMING,
            clock=SystemClock(),
        )
        self._sent = 0

    @contextlib.asynccontextmanager
    async def running(self):
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self.terms.routes.follow(self.bus))
            group.create_task(Owner(self.bus, name=self._shard.durable).run(self._shard.work, stop))
            try:
                yield
            finally:
                stop.set()
                await cancelled([following])

    async def route(self, **changes):
        routes = await self.bus.js.key_value(subjects.BUCKET_ROUTES)
        await routes.put("demo", msgspec.json.encode(make_route(**changes)))

    async def send(self, **changes):
        self._sent += 1
        intent = make_intent(
            alert_id=alert_id(unix_ms=self._sent, random_bits=self._sent),
            received_at=SystemClock().now(),
            **changes,
        )
        await self.bus.publish(
            subject=subjects.intent_accepted(shard=0, account="paper", symbol=BTC),
            message=intent,
            event_id=intent_event_id(intent.intent_id),
        )

    async def told(self):
        rows = (await self.paper.exchange.leverages(BTC)).value
        return {one.side.value: f"{one.margin_mode.value} {one.leverage}" for one in rows}

    async def held(self):
        holdings = (await self.paper.exchange.holdings(BTC)).holdings
        return {one.side.value: (int(one.contracts), one.leverage) for one in holdings}

    async def until(self, question, wanted):
        async with asyncio.timeout(10):
            while await question() != wanted:
                await asyncio.sleep(0.02)


@pytest.fixture
async def stand(js, nats_url):
    await ensure_topology(js)
    async with contextlib.AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connected_bus(Access(url=Secret(nats_url)), service="executor", health=Health("t"))
        )
        yield Stand(bus, await stack.enter_async_context(paper_stand("")))


async def test_a_contract_that_a_route_names_is_set_before_any_alert(stand):
    await stand.route(symbols=Symbols(allow=(BTC,)))
    async with stand.running():
        await stand.until(stand.told, WANTED)
        await stand.route(symbols=Symbols(allow=(BTC,)), leverage=4)
        await stand.until(stand.told, {"long": "cross 4", "short": "cross 4"})


async def test_another_is_set_once_its_first_alert_is_closed_and_never_while_it_is_held(stand):
    await stand.route()
    async with stand.running():
        await stand.send()
        await stand.until(stand.held, {"long": (10, 10)})
        await stand.route(leverage=4)
        await asyncio.sleep(0.3)
        assert await stand.told() == {"long": "cross 10", "short": "isolated 20"}
        assert await stand.held() == {"long": (10, 10)}
        await stand.send(action=Action.FLAT, contracts=None)
        await stand.until(stand.told, {"long": "cross 4", "short": "cross 4"})


async def test_a_refusal_costs_no_order(stand):
    """The contract takes isolated margin alone."""
    await stand.paper.paper.control("PUT", f"contracts/{BTC}", {"positionOpenType": 1})
    await stand.route(symbols=Symbols(allow=(BTC,)))
    with capture_logs() as logged:
        async with stand.running():
            async with asyncio.timeout(10):
                while not any(one["event"] == "leverage.refused" for one in logged):
                    await asyncio.sleep(0.02)
            await stand.send(margin_mode="isolated")
            await stand.until(stand.held, {"long": (10, 10)})
    [refused] = [one for one in logged if one["event"] == "leverage.refused"]
    assert refused["code"] == 2026

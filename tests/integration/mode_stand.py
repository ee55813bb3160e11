"""An executor between a real log and the paper exchange, for tests of what signals lead to."""

import asyncio
import contextlib

from libs.common.bus import connected
from libs.common.clock import SystemClock
from libs.common.connecting import Access
from libs.common.consuming import Consumer
from libs.common.contracts import subjects
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.words import PositionMode, TradeMode
from libs.common.domain.identity import alert_id, intent_event_id
from libs.common.executor_shards import executor_consumer
from libs.common.health import Health
from libs.common.secret import Secret
from services.executor.handler import Executor, lane_of
from services.executor.moved import Moved
from services.executor.resting import RestingOrders
from services.executor.settings import Timing
from tests.conformance.stands import paper_stand
from tests.fake_halts import FakeHalts
from tests.paper_client import CREATE
from tests.unit.domain.notation import moves, signal
from tests.unit.executor_desk import OneAccount, Owning

HEDGE, ONE_WAY = PositionMode.HEDGE, PositionMode.ONE_WAY
NUMBERS = {HEDGE: 1, ONE_WAY: 2}
"""What MEXC calls them."""


class Stand:
    def __init__(self, *, bus, paper, position_mode):
        self.bus = bus
        self.paper = paper
        self._alerts = 0
        resting = RestingOrders(owned=lambda _: True)
        resting.complete.set()
        self._executor = Executor(
            bus=bus,
            accounts=OneAccount(paper.exchange, position_mode=position_mode),
            resting=resting,
            halts=FakeHalts(),
            moved=Moved(visible_after_s=0.1),
            ownership=Owning(),
            timing=Timing(receive_window_s=1.0, receive_margin_s=0.5, visible_after_s=0.1),
            clock=SystemClock(),
        )

    @contextlib.asynccontextmanager
    async def running(self):
        consumer = Consumer(
            self.bus, durable=executor_consumer(0), handler=self._executor.handle, lane_of=lane_of
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(consumer.run(stop))
            yield
            stop.set()

    async def hold(self, text):
        """Open what is held before the signal."""
        for part in text.split(", ") if text != "none" else ():
            side, contracts = part.split()
            said = f"{'buy' if side == 'long' else 'sell'} {contracts}"
            assert await self.send(said, trade_mode=TradeMode.HEDGE) == f"open {part}"

    async def send(self, text, **changes):
        """Through the log; returns what the executor planned, once it is done."""
        self._alerts += 1
        intent = signal(
            text,
            alert_id=alert_id(unix_ms=self._alerts, random_bits=self._alerts),
            received_at=SystemClock().now(),
            **changes,
        )
        await self.bus.publish(
            subject=subjects.intent_accepted(shard=0, account=intent.account, symbol=intent.symbol),
            message=intent,
            event_id=intent_event_id(intent.intent_id),
        )
        async with asyncio.timeout(10):
            while (said := await self._answer(intent.alert_id)) is None:
                await asyncio.sleep(0.01)
        return said

    async def _answer(self, alert):
        """None until the plan's last leg has ended."""
        ended = set()
        planned = None
        for subject in ("order.>", "execution.>", "intent.denied.>"):
            async for entry in self.bus.entries_after(subject=subject, seq=0):
                match entry.message:
                    case IntentDenied(alert_id=found) if found == alert:
                        return f"denied {entry.message.denial.reason.value}"
                    case Plan(alert_id=found) if found == alert:
                        planned = entry.message
                    case Execution(alert_id=found) if found == alert:
                        if entry.message.kind.value in {"filled", "resting"}:
                            ended.add(entry.message.client_order_id)
        if planned is None or {leg.client_order_id for leg in planned.legs} - ended:
            return None
        withheld = f", withheld {planned.withheld.reason.value}" if planned.withheld else ""
        return moves(planned) + withheld

    async def held(self):
        found = (await self.paper.exchange.holdings("BTC_USDT")).holdings
        texts = sorted(f"{each.side.value} {each.contracts:f}" for each in found)
        return ", ".join(texts) or "none"

    async def orders(self):
        """How many orders the exchange received."""
        return len(await self.paper.paper.control("GET", f"requests?path={CREATE}"))


@contextlib.asynccontextmanager
async def stands(nats_url):
    """Makes stands, one an account, and ends them."""
    async with contextlib.AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connected(Access(url=Secret(nats_url)), service="executor", health=Health("t"))
        )

        async def make(position_mode):
            paper = await stack.enter_async_context(
                paper_stand("", position_mode=NUMBERS[position_mode])
            )
            await paper.paper.control("PUT", "limits", {"order_create_per_2s": None})
            stand = Stand(bus=bus, paper=paper, position_mode=position_mode)
            await stack.enter_async_context(stand.running())
            return stand

        yield make

"""Follows the orders that wait at the exchange until each has ended, and stores how. An end that is
pushed is taken from there; besides, orders are asked for in turn, a few a second, which takes
nothing from the budget for orders.
"""

import asyncio
import contextlib
from datetime import timedelta
from decimal import Decimal

import structlog

from libs.common.bus import Bus, LogUnavailable
from libs.common.clock import Clock
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Leg
from libs.common.contracts.words import AccountId, ClientOrderId, ExecutionKind
from libs.common.describing import about
from libs.common.telemetry import later_span
from libs.common.topology import RETENTION_S
from services.executor.accounts import Accounts, Connected
from services.executor.asking import ENDS, WAITING, ask_for
from services.executor.exchange import Exchange, Failed, Found, NotFound, OrderQuery
from services.executor.pushes import OrderPushed
from services.executor.recording import Recorder
from services.executor.resting import RestingOrders, ended_orders
from services.executor.settings import Timing
from services.executor.telling import Teller

_TELL_AGAIN_AFTER = timedelta(seconds=RETENTION_S / 2)
"""An order may wait for longer than the log keeps what it was told of it."""
_log = structlog.get_logger()


class Follower:
    """Asks for what `resting` holds; one round at a time per account, accounts side by side."""

    def __init__(
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        resting: RestingOrders,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._accounts = accounts
        self._resting = resting
        self._timing = timing
        self._clock = clock
        self._asking: dict[AccountId, asyncio.Task[None]] = {}
        self._doubtful: set[ClientOrderId] = set()
        self._missed: set[ClientOrderId] = set()
        self._filled: dict[ClientOrderId, Decimal] = {}
        self._parts: dict[ClientOrderId, Decimal] = {}
        self._teller = Teller(bus=bus, clock=clock)
        self._heard: asyncio.Queue[OrderPushed] = asyncio.Queue()

    async def follow(self) -> None:
        """Until cancelled."""
        await self.restore()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            while True:
                for account in self._resting.accounts():
                    running = self._asking.get(account)
                    # An exchange that answers slowly keeps no other account waiting.
                    if running is None or running.done():
                        self._asking[account] = group.create_task(self.ask(account))
                await self._clock.sleep(self._timing.follow_s)

    async def _hear(self) -> None:
        listening: set[Connected] = set()
        try:
            while True:
                for account in self._resting.accounts():
                    connected = self._accounts.find(account)
                    if isinstance(connected, Connected) and connected not in listening:
                        connected.book.orders.listeners.append(self._heard.put_nowait)
                        listening.add(connected)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._timing.follow_s):
                        await self.hear(await self._heard.get())
        finally:
            for connected in listening:
                connected.book.orders.listeners.remove(self._heard.put_nowait)

    async def hear(self, push: OrderPushed) -> None:
        """What is pushed about an order that waits."""
        order = push.client_order_id
        resting = self._resting.find(order) if order is not None else None
        if resting is None or resting.leg is None:
            return
        if push.found.state in WAITING:
            self._tell_part(resting, push.found)
        else:
            await self._conclude(resting, resting.leg, push.found)

    async def restore(self) -> None:
        """Read from the log what waits, for as long as it takes."""
        while True:
            try:
                await self._resting.restore(self._bus)
            except LogUnavailable as error:
                _log.warning("resting.unread", error=str(error))
                await self._clock.sleep(self._timing.follow_s)
            else:
                _log.info(
                    "resting.read",
                    orders=sum(len(self._resting.of(one)) for one in self._resting.accounts()),
                )
                return

    async def ask(self, account: AccountId) -> None:
        """One round: ask for each order of an account."""
        for resting in self._resting.of(account):
            connected = self._accounts.find(account)
            if isinstance(connected, Denial):
                return
            await self._look(resting, exchange=connected.exchange)
            await self._clock.sleep(self._timing.follow_pause_s)

    async def _look(self, resting: Execution, *, exchange: Exchange) -> None:
        order, leg = resting.client_order_id, resting.leg
        if leg is None:
            # Not of this release: nobody knows what to ask for.
            self._resting.remove(order)
            return
        query = await ask_for(
            exchange,
            leg,
            symbol=resting.symbol,
            sent_after=resting.at,
            exchange_order_id=resting.exchange_order_id,
        )
        self._tell_if_missed(resting, query)
        if isinstance(query, Found) and self._resting.find(order) is not None:
            await self._conclude(resting, leg, query)

    async def _conclude(self, resting: Execution, leg: Leg, found: Found) -> None:
        order = resting.client_order_id
        self._tell_book(resting, found)
        try:
            if found.state in WAITING:
                self._tell_part(resting, found)
                await self._keep_in_mind(resting, leg, found)
                return
            if not await self._is_stored(resting):
                await self._store(resting, leg, found)
        except LogUnavailable as error:
            # It may be in the log all the same, and the log forgets event ids after a while.
            self._doubtful.add(order)
            _log.warning("resting.unstored", client_order_id=order, error=str(error))
            return
        self._resting.remove(order)
        self._doubtful.discard(order)
        self._missed.discard(order)
        self._filled.pop(order, None)
        self._parts.pop(order, None)

    def _tell_book(self, resting: Execution, found: Found) -> None:
        order, filled = resting.client_order_id, found.filled_contracts
        if filled == self._filled.get(order, resting.filled_contracts or Decimal(0)):
            return
        self._filled[order] = filled
        connected = self._accounts.find(resting.account)
        if isinstance(connected, Connected):
            connected.book.distrust(resting.symbol)

    def _tell_part(self, resting: Execution, found: Found) -> None:
        """Once for each part that was filled of an order that goes on waiting."""
        order, filled = resting.client_order_id, found.filled_contracts
        if filled <= self._parts.get(order, resting.filled_contracts or Decimal(0)):
            return
        self._parts[order] = filled
        self._tell(resting, found, what=f"order {order} waits, with {filled:f} filled")

    def _tell(self, resting: Execution, query: OrderQuery, *, what: str) -> None:
        self._teller.tell(
            query.calls,
            what=what,
            account=resting.account,
            symbol=resting.symbol,
            alert_id=resting.alert_id,
        )

    def _tell_if_missed(self, resting: Execution, query: OrderQuery) -> None:
        # Once per order: it goes on being asked for, since neither answer says that it has ended.
        order = resting.client_order_id
        refused = query.message if isinstance(query, Failed) and not query.retryable else None
        if order not in self._missed and (refused is not None or isinstance(query, NotFound)):
            self._missed.add(order)
            self._tell(resting, query, what=f"order {order} waits, and: {refused or 'not found'}")
            _log.warning(
                "resting.missed",
                account=resting.account,
                client_order_id=order,
                why=refused or "not found",
            )

    async def _is_stored(self, resting: Execution) -> bool:
        if resting.client_order_id not in self._doubtful:
            return False
        ended = await ended_orders(
            self._bus, account=resting.account, symbol=resting.symbol, after=0
        )
        return resting.client_order_id in ended

    async def _keep_in_mind(self, resting: Execution, leg: Leg, found: Found) -> None:
        if self._clock.now() - resting.at > _TELL_AGAIN_AFTER:
            self._resting.add(await self._store(resting, leg, found))

    async def _store(self, resting: Execution, leg: Leg, found: Found) -> Execution:
        with (
            later_span(resting.alert_id, "follow order", about(resting)),
            structlog.contextvars.bound_contextvars(alert_id=resting.alert_id),
        ):
            recorder = Recorder(bus=self._bus, origin=resting, clock=self._clock)
            recorder.saw(*found.calls)
            if found.state not in WAITING:
                told = recorder.record_found(leg, ENDS[found.state], found)
            else:
                labels = {"order_id": resting.order_id, "comment": resting.comment}
                told = recorder.record_found(leg, ExecutionKind.RESTING, found, leg=leg, **labels)
            await recorder.stored()
            return told

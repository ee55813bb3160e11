"""The orders of ours that wait at the exchange, as the log tells them: followed until they end, and
found by the labels that their alerts gave them. Kept in memory and rebuilt from the log at start.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import msgspec

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.execution import Execution
from libs.common.contracts.order import Pending
from libs.common.contracts.words import AccountId, ClientOrderId, VenueSymbol
from services.executor.journal import ORDER_ENDINGS

_Lane = tuple[AccountId, VenueSymbol]


class RestingOrders:
    """Holds each order's `resting` execution until the order has ended."""

    def __init__(self, *, owned: Callable[[AccountId], bool]) -> None:
        self._owned = owned
        self._orders: dict[ClientOrderId, Execution] = {}
        self._ids: defaultdict[_Lane, set[str]] = defaultdict(set)
        self.complete = asyncio.Event()
        """Set once the log was read."""

    def missing(self) -> str | None:
        """A readiness check."""
        return None if self.complete.is_set() else "orders that wait were not read yet"

    async def restore(self, bus: Bus) -> None:
        """Read the log for what still waits; raises `LogUnavailable`, and may then be repeated."""
        found: dict[_Lane, dict[ClientOrderId, Execution]] = defaultdict(dict)
        first: dict[_Lane, int] = {}
        async for entry in bus.entries_after(subject=subjects.EXECUTIONS_RESTING, seq=0):
            message = entry.message
            if isinstance(message, Execution) and self._owned(message.account):
                lane = (message.account, message.symbol)
                first.setdefault(lane, entry.seq)
                found[lane][message.client_order_id] = message
                self.know(message)
        for (account, symbol), orders in found.items():
            ended = await ended_orders(
                bus, account=account, symbol=symbol, after=first[account, symbol]
            )
            for order, execution in orders.items():
                if order not in ended:
                    self.add(execution)
        self.complete.set()

    def add(self, resting: Execution) -> None:
        """Repeatable."""
        self._orders[resting.client_order_id] = resting
        self.know(resting)

    def know(self, execution: Execution) -> None:
        """Remember whose the exchange's id is, also after the order has ended."""
        if execution.exchange_order_id is not None:
            self._ids[execution.account, execution.symbol].add(execution.exchange_order_id)

    def remove(self, order: ClientOrderId) -> None:
        self._orders.pop(order, None)

    def accounts(self) -> set[AccountId]:
        return {resting.account for resting in self._orders.values()}

    def find(self, order: ClientOrderId) -> Execution | None:
        return self._orders.get(order)

    def all(self) -> list[Execution]:
        return list(self._orders.values())

    def of(self, account: AccountId) -> list[Execution]:
        return [resting for resting in self._orders.values() if resting.account == account]

    async def known_ids(self, *, account: AccountId, symbol: VenueSymbol) -> frozenset[str]:
        """The exchange's ids of stop and other orders that are known to be somebody's already."""
        await self.complete.wait()
        return frozenset(self._ids[account, symbol])

    async def labelled(
        self, pending: tuple[Pending, ...], *, account: AccountId, symbol: VenueSymbol
    ) -> tuple[Pending, ...]:
        """Pending orders with the labels of their alerts, where they are ours."""
        await self.complete.wait()
        ours = [resting for resting in self.of(account) if resting.symbol == symbol]
        by_ours = {resting.client_order_id: resting for resting in ours}
        by_theirs = {resting.exchange_order_id: resting for resting in ours}
        return tuple(_labelled(one, by_ours=by_ours, by_theirs=by_theirs) for one in pending)


async def ended_orders(
    bus: Bus, *, account: AccountId, symbol: VenueSymbol, after: int
) -> set[ClientOrderId]:
    """Orders of a lane whose end was stored after a place in the log; raises `LogUnavailable`."""
    ended: set[ClientOrderId] = set()
    for kind in ORDER_ENDINGS:
        subject = subjects.execution(kind=kind, account=account, symbol=symbol)
        async for entry in bus.entries_after(subject=subject, seq=after):
            if isinstance(entry.message, Execution):
                ended.add(entry.message.client_order_id)
    return ended


def _labelled(
    one: Pending,
    *,
    by_ours: dict[ClientOrderId, Execution],
    by_theirs: dict[str | None, Execution],
) -> Pending:
    resting = by_theirs.get(one.exchange_order_id)
    if one.client_order_id is not None:
        resting = by_ours.get(ClientOrderId(one.client_order_id), resting)
    if resting is None:
        return one
    return msgspec.structs.replace(one, order_id=resting.order_id, comment=resting.comment)

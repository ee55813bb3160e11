"""The depth of a contract as the public sees it: what the market offers, with the resting orders of
accounts among it.

Where no depth was set, the market takes and gives any volume at the last price, and a ladder stands
for that: twenty levels on either side, one tick apart, the best of them one tick from the last
price. A market order is filled at the last price itself, so inside the spread that is shown and
never worse than it.

Versions count what readers could see: a new look at a changed depth is the next version, and the
difference is kept as its commit. Nothing is reckoned for depths that nobody looks at.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.state import Depth, State

LADDER_LEVELS = 20
MOST_LEVELS = 1_000
COMMITS_KEPT = 1_000
ZERO = Decimal(0)

# Price, contracts, number of orders.
Row = tuple[Decimal, Decimal, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What changed with a version: volumes as they are now, zero for a level that is gone."""

    bids: list[Row]
    asks: list[Row]
    version: int


@dataclass(slots=True, kw_only=True)
class Book:
    """The depth of one contract when it was last looked at; best first."""

    version: int
    seen: int = -1
    bids: list[Row] = field(default_factory=list)
    asks: list[Row] = field(default_factory=list)
    commits: deque[Commit] = field(default_factory=lambda: deque(maxlen=COMMITS_KEPT))

    def look(self, state: State, contract: Contract, *, changes: int) -> None:
        """Bring it up to date; `changes` counts what may have changed the depth."""
        if self.seen == changes:
            return
        self.seen = changes
        bids, asks = _merged(state, contract)
        commit = Commit(
            bids=_difference(self.bids, bids),
            asks=_difference(self.asks, asks),
            version=self.version + 1,
        )
        if commit.bids or commit.asks:
            self.bids, self.asks, self.version = bids, asks, commit.version
            self.commits.append(commit)

    def repeat_best(self) -> None:
        """A version in which nothing changed, for streams that must not stand still."""
        self.version += 1
        commit = Commit(bids=self.bids[:1], asks=self.asks[:1], version=self.version)
        self.commits.append(commit)


def _merged(state: State, contract: Contract) -> tuple[list[Row], list[Row]]:
    depth = state.depths.get(contract.symbol)
    if depth is None:
        depth = _ladder(contract, state.prices[contract.symbol].last)
    bids = {price: (vol, 1) for price, vol in depth.bids}
    asks = {price: (vol, 1) for price, vol in depth.asks}
    for order_id, account_id in state.resting.get(contract.symbol, {}).items():
        order = state.accounts[account_id].open_orders[order_id]
        side = bids if order.side.is_buy else asks
        vol, count = side.get(order.price, (ZERO, 0))
        side[order.price] = (vol + order.remaining, count + 1)
    return _rows(bids, best_is_highest=True), _rows(asks, best_is_highest=False)


def _rows(side: dict[Decimal, tuple[Decimal, int]], *, best_is_highest: bool) -> list[Row]:
    prices = sorted(side, reverse=best_is_highest)[:MOST_LEVELS]
    return [(price, *side[price]) for price in prices]


def _ladder(contract: Contract, last: Decimal) -> Depth:
    tick, vol = contract.price_unit, contract.max_vol
    # The last price need not be on a tick: the control side may set any.
    below = ((last / tick).to_integral_value(ROUND_CEILING) - 1) * tick
    above = ((last / tick).to_integral_value(ROUND_FLOOR) + 1) * tick
    steps = [step * tick for step in range(LADDER_LEVELS)]
    return Depth(
        bids=[[below - step, vol] for step in steps if below > step],
        asks=[[above + step, vol] for step in steps],
    )


def _difference(before: list[Row], after: list[Row]) -> list[Row]:
    was, now = {row[0]: row for row in before}, {row[0] for row in after}
    changed = [row for row in after if was.get(row[0]) != row]
    return changed + [(price, ZERO, 0) for price in was if price not in now]

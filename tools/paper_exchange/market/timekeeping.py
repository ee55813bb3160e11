"""What falls due as the exchange's time passes: settlements of funding, the end of trigger orders.

Settlements that fell due while the process was off are left out; trigger orders that ended
meanwhile end when it is back.
"""

import asyncio

from tools.paper_exchange.engine.commands import SettleFunding
from tools.paper_exchange.engine.state import State
from tools.paper_exchange.engine.triggers.commands import ExpireTriggers
from tools.paper_exchange.market.funding import settlements
from tools.paper_exchange.market.tape import Funding, open_interest
from tools.paper_exchange.venue import Venue

LOOK_EVERY_S = 0.25
JOB = "clock"


async def keep_time(venue: Venue) -> None:
    while True:
        pass_time(venue)
        await asyncio.sleep(LOOK_EVERY_S)


def pass_time(venue: Venue) -> None:
    """Let all happen that has become due since the last time, each at its own moment and in order;
    to be called at once after a jump of the clock.
    """
    now_ms = venue.now_ms()
    for settlement_ms in settlements(after_ms=venue.passed_ms, until_ms=now_ms):
        _expire(venue, until_ms=settlement_ms)
        _settle(venue, at_ms=settlement_ms)
        venue.passed_ms = settlement_ms
    _expire(venue, until_ms=now_ms)
    venue.passed_ms = now_ms


def _expire(venue: Venue, *, until_ms: int) -> None:
    while (due_ms := _first_expiry(venue.state)) is not None and due_ms <= until_ms:
        venue.apply(ExpireTriggers(at_ms=max(due_ms, venue.passed_ms)))


def _first_expiry(state: State) -> int | None:
    return min(
        (
            state.accounts[account_id].triggers.plans.open[plan_id].expires_ms
            for waiting in state.waiting.values()
            for plan_id, account_id in waiting.plans.items()
        ),
        default=None,
    )


def _settle(venue: Venue, *, at_ms: int) -> None:
    held = open_interest(venue.state.accounts.values())
    for symbol, rate in venue.funding_rates.items():
        if symbol in held:
            venue.apply(SettleFunding(at_ms=at_ms, symbol=symbol, rate=rate))
        venue.tape.note_funding(Funding(symbol=symbol, rate=rate, at_ms=at_ms))

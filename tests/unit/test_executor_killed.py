"""The executor killed before and after everything that it asks of the log or the exchange: whoever
resumes leaves the account as if nothing had happened, with nothing done twice.
"""

from dataclasses import dataclass

import pytest

from libs.common.contracts.words import Action, OrderType, TradeMode
from tests.factories import D, make_instrument, make_intent
from tests.fakes import Mishap
from tests.unit.executor_desk import OTHER_ALERT, Desk
from tests.unit.test_executor_changes import TRAILING, modify

LIMIT = {"order_type": OrderType.LIMIT, "price": D(49_000)}
STOP = {"order_type": OrderType.STOP, "price": D(51_000)}
ORDERS = {"limit": LIMIT, "stop": STOP}
CHUNKS = make_instrument(maximum_contracts=D(4))

SCENARIOS = {
    # what was held before, and what is asked for
    "market": ("", {}),
    "chunks": ("", {"instrument": CHUNKS}),
    "limit": ("", LIMIT),
    "stop": ("", STOP),
    "stop in chunks": ("", {**STOP, "instrument": CHUNKS}),
    "flip": ("short 4", {}),
    "all closed": ("short 4, long 6", {"action": Action.CLOSE_ALL, "contracts": None}),
    "trail": ("", TRAILING),
    "trail of what was added": ("long 3", TRAILING),
    "protect": ("long 3", modify(stop=49_000)),
    "trail anew": ("long 3 trailed", modify(trailing=200)),
    "cancel": ("limit, stop", {"action": Action.CANCEL, "contracts": None}),
}


class Killed(Exception):  # noqa: N818 - what happens to a process, not an error
    pass


@dataclass
class Fuse:
    """Burns down by one before and after each thing that is asked for."""

    left: int

    def burn(self):
        self.left -= 1
        if self.left == 0:
            raise Killed


def fused(desk, fuse):
    """Another one at the same log and exchange, which dies when the fuse has burnt down."""
    other = desk.successor()
    other.executor._bus = _Fused(desk.bus, fuse)
    connected = other._accounts.find("paper")
    object.__setattr__(connected, "exchange", _Fused(desk.exchange, fuse))
    return other


class _Fused:
    def __init__(self, behind, fuse):
        self._behind = behind
        self._fuse = fuse

    def __getattr__(self, name):
        found = getattr(self._behind, name)
        if name not in {"publish", "submit", "change", "order", "stop_order", "holdings", "trails"}:
            return found

        async def call(*what, **how):
            self._fuse.burn()
            answer = await found(*what, **how)
            self._fuse.burn()
            return answer

        return call


async def prepared(scenario):
    held, asked = scenario
    desk = Desk()
    desk.exchange.takes_ids_twice = True
    for number, what in enumerate(held.split(", ") if held else []):
        other = OTHER_ALERT[:-2] + f"{number:02}"
        if what in ORDERS:
            intent = make_intent(**ORDERS[what], alert_id=other)
        else:
            side, contracts, *trailed = what.split()
            intent = make_intent(
                action=Action.BUY if side == "long" else Action.SELL,
                contracts=D(contracts),
                trade_mode=TradeMode.HEDGE,
                alert_id=other,
                **(TRAILING if trailed else {}),
            )
        await desk.handle(intent)
    desk.forget()
    desk.clock.advance(10)
    if isinstance(asked, dict):
        asked = make_intent(**{"max_age_s": 3_600, **asked})
    return desk, asked


def told(desk):
    """All that the exchange has, without ids."""
    venue = desk.exchange.venue
    return {
        "held": {(side, held.contracts) for (_, side), held in venue.held.items()},
        "orders": sorted((each.leg.contracts, each.found.state) for each in venue.orders.values()),
        "plans": sorted((each.leg.contracts, each.found.state) for each in venue.plans.values()),
        "stops": sorted((each.stop_price, each.contracts) for each in venue.stops.values()),
        "trails": sorted((each.distance, each.contracts) for each in venue.trails.values()),
    }


async def survives(process, intent):
    try:
        await process.handle(intent)
    except* Killed:
        alive = False
    else:
        alive = True
    return alive


@pytest.mark.parametrize("mishaps", [[], [Mishap.LOSE_REPLY], [Mishap.DROP]], ids=str)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_anywhere(name, mishaps):
    desk, intent = await prepared(SCENARIOS[name])
    await desk.handle(intent)
    expected, stages = told(desk), sorted(_ends(desk))
    assert len(desk.submitted) + len(desk.changed) > 0
    burnt = 0
    while True:
        burnt += 1
        desk, intent = await prepared(SCENARIOS[name])
        fuse = Fuse(left=burnt)
        desk.exchange.befall(*mishaps)
        if await survives(fused(desk, fuse), intent):
            break
        await desk.successor().handle(intent, fresh=False)
        assert told(desk) == expected, f"killed at {burnt}"
        assert sorted(_ends(desk)) == stages, f"killed at {burnt}"
    assert burnt > 4


def _ends(desk):
    ends = {"filled", "canceled", "rejected", "resting", "changed"}
    return [stage for stage in desk.bus.stages if stage.split(".")[1] in ends]

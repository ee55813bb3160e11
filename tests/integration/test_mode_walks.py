"""Long walks of signals over a real log and the paper exchange: what is held after each is what the
modes' arithmetic says, also where requests and replies are lost on the way.
"""

import random

import pytest

from libs.common.contracts.words import TradeMode
from libs.common.topology import ensure_topology
from tests.integration.mode_stand import HEDGE, ONE_WAY, stands
from tests.paper_client import CREATE
from tests.property.test_plans import meant

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

MODES = {
    HEDGE: [TradeMode.NETTING, TradeMode.OPPOSITE, TradeMode.REVERSE, TradeMode.HEDGE],
    ONE_WAY: [TradeMode.NETTING, TradeMode.OPPOSITE, TradeMode.REVERSE],
}
LOST = [
    {"path": CREATE, "kind": "lose_reply", "probability": 0.2, "count": None},
    {"path": CREATE, "kind": "drop_before", "probability": 0.1, "count": None},
]


@pytest.fixture
async def stand_of(js, nats_url):
    await ensure_topology(js)
    async with stands(nats_url) as make:
        yield make


def step(chance, held, *, account):
    """One signal as text with its mode, and what is held after it."""
    kind = chance.choice(["signal"] * 4 + ["target", "flat", "half"])
    if kind == "signal":
        mode, size = chance.choice(MODES[account]), chance.randint(1, 9)
        buys = chance.random() < 0.5
        after = meant(mode, held=held, buys=buys, size=size)
        return f"{'buy' if buys else 'sell'} {size}", mode, after
    if kind == "target":
        size, long = chance.randint(1, 9), chance.random() < 0.5
        after = (size, 0) if long else (0, size)
        return f"target {'long' if long else 'short'} {size}", TradeMode.TARGET, after
    if kind == "half" and max(held) > 1:
        return "flat 50%", TradeMode.NETTING, tuple(count - count // 2 for count in held)
    return "flat", TradeMode.NETTING, (0, 0)


def told(held):
    sides = [
        f"{side} {count}" for side, count in zip(("long", "short"), held, strict=True) if count
    ]
    return ", ".join(sides) or "none"


@pytest.mark.parametrize(
    ("account", "faults", "steps"),
    [(HEDGE, [], 60), (ONE_WAY, [], 60), (HEDGE, LOST, 15), (ONE_WAY, LOST, 15)],
)
async def test_a_walk_ends_each_step_where_the_mode_says(stand_of, account, faults, steps):
    stand = await stand_of(account)
    await stand.paper.paper.control("PUT", "seed", {"seed": 7})
    await stand.paper.paper.control("PUT", "faults", faults)
    chance, held = random.Random(4), (0, 0)
    for _ in range(steps):
        said, mode, after = step(chance, held, account=account)
        await stand.send(said, trade_mode=mode)
        assert await stand.held() == told(after), (told(held), mode, said)
        held = after

"""What is signalled while processes end: pure. Every alert makes at least one order, whatever is
held, so that an alert without one is an alert that still waits.
"""

from collections.abc import Iterator
from random import Random

from chaos.world import Account, Mode, Route, Signal, Word, World

SYMBOLS = ("BTC_USDT", "ETH_USDT")
_SIZES = (1, 2, 3)
_MAX_AGE_S = 3_600


def made_world(*, accounts: int, seed: int) -> World:
    """Who trades; nothing is signalled yet, and no act or fault is planned."""
    names = [f"failover-{number:03}" for number in range(accounts)]
    return World(
        seed=seed,
        accounts=tuple(Account(name=name, one_way=False) for name in names),
        routes=tuple(
            Route(
                name=name,
                mode=Mode.NETTING,
                accounts=((name, 1),),
                symbols=SYMBOLS,
                inverse=False,
                max_age_s=_MAX_AGE_S,
            )
            for name in names
        ),
        signals=(),
        acts=(),
        faults=(),
    )


def signals(world: World, *, rate: float) -> Iterator[Signal]:
    """Without end: every lane in its turn, at even times."""
    chance = Random(f"{world.seed} failover")
    lanes = [(route.name, symbol) for symbol in SYMBOLS for route in world.routes]
    number = 0
    while True:
        route, symbol = lanes[number % len(lanes)]
        yield Signal(
            key=f"failover-{world.seed}-{number}",
            route=route,
            symbol=symbol,
            word=chance.choice((Word.BUY, Word.SELL)),
            contracts=chance.choice(_SIZES),
            due_s=number / rate,
        )
        number += 1

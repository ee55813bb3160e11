"""The command line of the failover measurement."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.options import add_place, whole, within

_LARGEST_RATE = 50


@dataclass(frozen=True, kw_only=True)
class Options:
    kills: int
    held: int
    router_kills: int
    rate: float
    accounts: int
    seed: int
    out: Path
    port_base: int

    def shown(self) -> dict[str, object]:
        names = ("kills", "held", "router_kills", "rate", "accounts", "seed")
        return {name: getattr(self, name) for name in names}


def parse(arguments: Sequence[str]) -> Options:
    """Exits with 2 and a sentence on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.failover",
        description=(
            "Start the whole stack in a temporary folder and two more executors and routers, hold "
            "the supervised ones back, send alerts, end whichever process works, and tell how long "
            "the other takes to go on. Exits with 1 unless every alert was executed once and in "
            "order; a goal that is not reached is told, and is no error."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--kills", type=whole(0, 100), default=5, metavar="N", help="SIGKILLs of the executor")
    add(
        "--held",
        type=whole(0, 100),
        default=2,
        metavar="N",
        help="times that the executor is stopped instead, which looks as if its machine were gone",
    )
    add("--router-kills", type=whole(0, 100), default=2, metavar="N", help="and of the router")
    add("--rate", type=within(1, _LARGEST_RATE), default=12, metavar="R", help="alerts per second")
    add("--accounts", type=whole(2, 200), default=20, metavar="N", help="of two lanes each")
    add("--seed", type=whole(0, 2**32), default=1, metavar="N", help="of what is signalled")
    add_place(parser, out="failover.json", port_base=8640)
    return Options(**vars(parser.parse_args(arguments)))

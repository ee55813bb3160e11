"""The command line of the outage measurement."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.options import add_place, whole, within

_LARGEST_RATE = 100


@dataclass(frozen=True, kw_only=True)
class Options:
    minutes: float
    rate: float
    accounts: int
    beside_s: float
    out: Path
    port_base: int

    def shown(self) -> dict[str, object]:
        names = ("minutes", "rate", "accounts", "beside_s")
        return {name: getattr(self, name) for name in names}


def parse(arguments: Sequence[str]) -> Options:
    """Exits with 2 and a sentence on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.outage",
        description=(
            "Start the whole stack in a temporary folder, send alerts at an even rate, stop "
            "PostgreSQL for minutes and let it come back, and tell how long alerts took to become "
            "orders before, meanwhile and after, and how soon the trail had caught up. Exits with "
            "1 unless every alert has exactly one order and every message of the log its row."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--minutes", type=within(0.05, 60), default=10.0, metavar="M", help="without PostgreSQL")
    add("--rate", type=within(1, _LARGEST_RATE), default=10, metavar="R", help="alerts per second")
    add("--accounts", type=whole(1, 200), default=20, metavar="N", help="one route for each")
    add(
        "--beside-s",
        type=within(1, 600),
        default=60.0,
        metavar="S",
        help="seconds of load before and after, to compare with",
    )
    add_place(parser, out="outage.json", port_base=8660)
    return Options(**vars(parser.parse_args(arguments)))

"""The command line of the trail's measurement."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.options import add_place, whole


@dataclass(frozen=True, kw_only=True)
class Options:
    events: int
    months: int
    turns: int
    stored: int
    asked: int
    out: Path
    port_base: int

    def shown(self) -> dict[str, object]:
        names = ("events", "months", "turns", "stored", "asked")
        return {name: getattr(self, name) for name in names}


def parse(arguments: Sequence[str]) -> Options:
    """Exits with 2 and a sentence on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.trail",
        description=(
            "Start the whole stack in a temporary folder, fill the trail with made-up journeys, "
            "and tell what a batch of rows, a journey and a page of the list cost while it grows. "
            "Ten million events take about 25 GB of disk and half an hour. Exits with 1 where a "
            "goal is missed, or a plan reads a big partition from end to end."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--events",
        type=whole(1_000, 100_000_000),
        default=10_000_000,
        metavar="N",
        help="rows in the end",
    )
    add("--months", type=whole(1, 24), default=3, metavar="N", help="partitions that they lie in")
    add(
        "--turns",
        type=whole(1, 50),
        default=5,
        metavar="N",
        help="how often it is measured on the way, evenly",
    )
    add(
        "--stored",
        type=whole(500, 1_000_000),
        default=50_000,
        metavar="N",
        help="rows of each turn that are stored as the auditor stores them, and timed",
    )
    add("--asked", type=whole(1, 10_000), default=200, metavar="N", help="questions of each kind")
    add_place(parser, out="trail.json", port_base=8680)
    return Options(**vars(parser.parse_args(arguments)))

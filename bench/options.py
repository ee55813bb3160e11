"""The command line of the benchmark."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tools.devstack.ports import SPAN


class Part(StrEnum):
    """What a run can be limited to; the first alert and the warm-up belong to all."""

    RATES = "rates"
    LATENCIES = "latencies"
    BURSTS = "bursts"
    SUSTAINED = "sustained"


@dataclass(frozen=True, kw_only=True)
class Options:
    seconds: float
    accounts: int
    rates: tuple[float, ...]
    latencies: tuple[int, ...]
    bursts: tuple[int, ...]
    in_flight: int
    sampled: float
    only: tuple[Part, ...]
    out: Path
    port_base: int

    def shown(self) -> dict[str, object]:
        return {
            "seconds": self.seconds,
            "accounts": self.accounts,
            "rates": list(self.rates),
            "latencies_ms": list(self.latencies),
            "bursts": list(self.bursts),
            "in_flight": self.in_flight,
            "traces_sampled": self.sampled,
            "only": [str(part) for part in self.only],
        }


def parse(arguments: Sequence[str]) -> Options:
    """Exits with 2 and a sentence on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=(
            "Start the whole stack in a temporary folder, put it under load from another process, "
            "and tell how long alerts take to become orders, beside a bare direct bridge and the "
            "usual bot. Exits with 1 unless every alert was accepted and has exactly one order; a "
            "goal that is not reached is told, and is no error."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--seconds", type=within(0.1, 600), default=10.0, metavar="S", help="length of a phase")
    add("--accounts", type=whole(1, 500), default=200, metavar="N", help="one route for each")
    add(
        "--rates", type=_rates, default="20,200", metavar="A,B", help="alerts per second, open loop"
    )
    add(
        "--latencies",
        type=_latencies,
        default="50,150",
        metavar="A,B",
        help="ms that the exchange is away, one way, at the highest rate; empty for none",
    )
    add("--bursts", type=_bursts, default="100,1000", metavar="A,B", help="alerts sent at once")
    add("--in-flight", type=whole(1, 1_000), default=32, metavar="N", help="in the closed loop")
    add(
        "--sampled",
        type=within(0, 1),
        default=0.1,
        metavar="RATIO",
        help="of the alerts are traced, to a collector; 0 for no tracing",
    )
    add(
        "--only",
        type=_parts,
        default=",".join(Part),
        metavar="PART,…",
        help="which parts to run",
    )
    add_place(parser, out="bench.json", port_base=8600)
    return Options(**vars(parser.parse_args(arguments)))


def add_place(parser: argparse.ArgumentParser, *, out: str, port_base: int) -> None:
    """What every measurement asks: where its figures and its ports are."""
    add = parser.add_argument
    add("--out", type=Path, default=Path(out), metavar="FILE", help="every figure")
    add(
        "--port-base",
        type=whole(1024, 65536 - SPAN),
        default=port_base,
        metavar="N",
        help=f"ports N to N+{SPAN - 1} on loopback are used",
    )


def _rates(text: str) -> tuple[float, ...]:
    rate = within(0.1, 5_000)
    return tuple(dict.fromkeys(rate(part) for part in text.split(",")))


def _latencies(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(whole(1, 10_000)(part) for part in text.split(",") if part))


def _bursts(text: str) -> tuple[int, ...]:
    return tuple(sorted({whole(1, 5_000)(part) for part in text.split(",")}))


def _parts(text: str) -> tuple[Part, ...]:
    named = text.split(",")
    if wrong := [name for name in named if name not in set(Part)]:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of {', '.join(Part)}")
    return tuple(part for part in Part if part in named)


def within(low: float, high: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
        return value

    return convert


def whole(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        value = within(low, high)(text)
        if value != int(value):
            raise argparse.ArgumentTypeError(f"{text} is no whole number")
        return int(value)

    return convert

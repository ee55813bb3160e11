"""Which phases there are: pure. Every system goes through each."""

from dataclasses import dataclass

from bench.options import Options, Part
from bench.phases import MakeLoad

FIRST = "first alert"
WARM_UP = "warm-up"
_WARM_UP_TURNS = 2


@dataclass(frozen=True, kw_only=True)
class Phase:
    name: str
    make_load: MakeLoad
    one_way_ms: int = 0
    """The exchange's latency."""


def at_rate(rate: float, *, one_way_ms: int = 0) -> str:
    far = f", exchange {one_way_ms} ms away" if one_way_ms else ""
    return f"{rate:g}/s{far}"


def burst_of(count: int) -> str:
    return f"burst of {count:,}"


def sustained(in_flight: int) -> str:
    return f"sustained, {in_flight} in flight"


def phases(options: Options) -> list[Phase]:
    """In their order; the first turns belong to no figure but the first."""
    warm_up = _WARM_UP_TURNS * options.accounts - 1
    found = [
        Phase(name=FIRST, make_load=lambda driver: driver.one_by_one(1)),
        Phase(name=WARM_UP, make_load=lambda driver: driver.one_by_one(warm_up)),
    ]
    if Part.RATES in options.only:
        found += [_at(rate, options) for rate in options.rates]
    if Part.LATENCIES in options.only:
        near = max(options.rates)
        if options.latencies and Part.RATES not in options.only:
            found.append(_at(near, options))  # what the far ones are compared with
        found += [_at(near, options, one_way_ms=ms) for ms in options.latencies]
    if Part.BURSTS in options.only:
        found += [_burst(count) for count in options.bursts]
    if Part.SUSTAINED in options.only:
        found.append(_sustained(options))
    return found


def _at(rate: float, options: Options, *, one_way_ms: int = 0) -> Phase:
    return Phase(
        name=at_rate(rate, one_way_ms=one_way_ms),
        make_load=lambda driver: driver.open_loop(rate=rate, seconds=options.seconds),
        one_way_ms=one_way_ms,
    )


def _burst(count: int) -> Phase:
    return Phase(name=burst_of(count), make_load=lambda driver: driver.burst(count))


def _sustained(options: Options) -> Phase:
    return Phase(
        name=sustained(options.in_flight),
        make_load=lambda driver: driver.closed_loop(
            in_flight=options.in_flight, seconds=options.seconds
        ),
    )

"""Which phases there are, and which systems go through each: pure."""

from dataclasses import dataclass

from bench.options import Options
from bench.phases import MakeLoad
from bench.report import DIRECT, OURS, USUAL

FIRST = "first alert"
WARM_UP = "warm-up"
_WARM_UP_TURNS = 2
_USUAL_MAX_PER_S = 20.0
"""More than so many a second pile up in it without end."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    name: str
    make_load: MakeLoad
    systems: frozenset[str] = frozenset({OURS, DIRECT})
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
    everybody = frozenset({OURS, DIRECT, USUAL})
    warm_up = _WARM_UP_TURNS * options.accounts - 1
    found = [
        Phase(name=FIRST, make_load=lambda driver: driver.one_by_one(1), systems=everybody),
        Phase(name=WARM_UP, make_load=lambda driver: driver.one_by_one(warm_up)),
    ]
    found += [_at(rate, options, one_way_ms=0) for rate in options.rates]
    found += [_at(max(options.rates), options, one_way_ms=ms) for ms in options.latencies]
    found += [
        Phase(
            name=burst_of(count),
            make_load=lambda driver, count=count: driver.burst(count),  # type: ignore[misc]
            systems=everybody if count == min(options.bursts) else frozenset({OURS, DIRECT}),
        )
        for count in options.bursts
    ]
    found.append(
        Phase(
            name=sustained(options.in_flight),
            make_load=lambda driver: driver.closed_loop(
                in_flight=options.in_flight, seconds=options.seconds
            ),
            systems=everybody,
        )
    )
    return found


def _at(rate: float, options: Options, *, one_way_ms: int) -> Phase:
    systems = {OURS, DIRECT}
    if rate <= _USUAL_MAX_PER_S and not one_way_ms:
        systems.add(USUAL)
    return Phase(
        name=at_rate(rate, one_way_ms=one_way_ms),
        make_load=lambda driver: driver.open_loop(rate=rate, seconds=options.seconds),
        systems=frozenset(systems),
        one_way_ms=one_way_ms,
    )

"""The way to the exchange: our address, whether it answers and how fast, and its clock. Pure."""

import ipaddress
import math
from collections.abc import Iterable, Sequence

from libs.common.contracts.checkup import CheckState, CheckupLine, Finding
from services.executor.checkable import Ping
from services.executor.checkup.observed import Observed, Refused

SLOW_P50_MS = 300.0
SLOW_P99_MS = 1_000.0
CLOCK_WARNING_MS = 1_000
RECEIVE_WINDOW_MS = 10_000
"""A request that was signed longer ago is refused."""


def egress(seen: Observed) -> Finding:
    own, expected = seen.own, expected_addresses(seen)
    told = ", ".join(own.addresses)
    wanted = ", ".join(expected)
    if not expected:
        return Finding(
            line=CheckupLine.EGRESS,
            state=CheckState.OK,
            evidence=f"echo services see {told}; no address is expected, so none is compared"
            if told
            else "no address is expected, so none is looked at",
        )
    if not own.addresses:
        why = f": {own.problem}" if own.problem else ""
        return Finding(
            line=CheckupLine.EGRESS,
            state=CheckState.UNKNOWN,
            evidence=f"expected is {wanted}; no echo service has told our address{why}",
            mend="see whether the executor reaches its echo services (ALERTWIRE_ECHO_URLS)",
        )
    strange = [address for address in own.addresses if not is_among(address, expected)]
    if strange:
        return Finding(
            line=CheckupLine.EGRESS,
            state=CheckState.WRONG,
            evidence=f"echo services see {told}; expected is {wanted}",
            mend=f"run the executor where it leaves by {wanted}, or link {', '.join(strange)}"
            " at the exchange and expect it here",
        )
    return Finding(
        line=CheckupLine.EGRESS,
        state=CheckState.OK,
        evidence=f"echo services see {told}, which is expected",
    )


def exchange(seen: Observed) -> Finding:
    url = seen.account.base_url
    if not seen.pings:
        why = seen.silence or "it was not asked in time"
        return Finding(
            line=CheckupLine.EXCHANGE,
            state=CheckState.UNKNOWN if seen.silence is None else CheckState.WRONG,
            evidence=f"{url} does not answer: {why}",
            mend="see whether the executor's machine reaches the address, and whether the"
            " exchange has announced maintenance",
        )
    p50, p99 = latencies(seen.pings)
    slow = p50 > SLOW_P50_MS or p99 > SLOW_P99_MS
    count = f"{len(seen.pings)} pings" if len(seen.pings) > 1 else "1 ping"
    return Finding(
        line=CheckupLine.EXCHANGE,
        state=CheckState.WARNING if slow else CheckState.OK,
        evidence=f"{url} answers, p50 {p50:.1f} ms, p99 {p99:.1f} ms of {count}",
        mend="run the executor nearer to the exchange: each order takes that long at least"
        if slow
        else "",
    )


def clock(seen: Observed) -> Finding:
    offset_ms = clock_offset_ms(seen.pings)
    if seen.silence is not None or offset_ms is None:
        return Finding(
            line=CheckupLine.CLOCK,
            state=CheckState.NOT_REACHED if seen.silence else CheckState.UNKNOWN,
            evidence="the exchange has not told its time",
        )
    side = "ahead of" if offset_ms > 0 else "behind"
    away = f"the exchange's clock is {abs(offset_ms)} ms {side} ours"
    late = _refused_for_its_time(seen)
    if abs(offset_ms) >= RECEIVE_WINDOW_MS or late:
        said = f"; it says {late}" if late else ""
        return Finding(
            line=CheckupLine.CLOCK,
            state=CheckState.WRONG,
            evidence=f"{away}{said}; requests are refused {RECEIVE_WINDOW_MS} ms after their time",
            mend="set the clock of the executor's machine by NTP",
        )
    return Finding(
        line=CheckupLine.CLOCK,
        state=CheckState.WARNING if abs(offset_ms) >= CLOCK_WARNING_MS else CheckState.OK,
        evidence=away,
        mend="set the clock of the executor's machine by NTP; until then requests are signed"
        " with the exchange's time"
        if abs(offset_ms) >= CLOCK_WARNING_MS
        else "",
    )


def latencies(pings: Sequence[Ping]) -> tuple[float, float]:
    """p50 and p99 in milliseconds, by nearest rank."""
    sorted_ms = sorted(ping.elapsed_ms for ping in pings)
    return _rank(sorted_ms, 0.5), _rank(sorted_ms, 0.99)


def clock_offset_ms(pings: Sequence[Ping]) -> int | None:
    """By the quickest answer, which leaves the least room for error."""
    if not pings:
        return None
    return min(pings, key=lambda ping: ping.elapsed_ms).offset_ms


def expected_addresses(seen: Observed) -> tuple[str, ...]:
    """Of the account where it names some, else of the executor."""
    return seen.account.expected_addresses or seen.own.expected


def is_among(address: str, expected: Iterable[str]) -> bool:
    """Whether one of the expected addresses or networks has it."""
    try:
        ours = ipaddress.ip_address(address)
        return any(ours in ipaddress.ip_network(one, strict=False) for one in expected)
    except ValueError:
        return address in set(expected)


def _rank(sorted_ms: Sequence[float], share: float) -> float:
    return sorted_ms[max(0, math.ceil(share * len(sorted_ms)) - 1)]


def _refused_for_its_time(seen: Observed) -> Refused | None:
    barred = seen.barred
    return barred if barred is not None and barred.kind.value == "timestamp" else None

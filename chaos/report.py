"""What a run is told as: counts, and each thing that does not fit. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from chaos.evidence import Call
from chaos.running import Outcome
from chaos.violations import Violation

_WRONG_TIME = 513


def counted(outcome: Outcome) -> Iterator[str]:
    seen = outcome.evidence
    statuses = Counter(told.status for told in seen.told.values())
    executed = sum(order.filled > 0 for order in seen.orders)
    found_later = {order.oid for order in seen.orders} - seen.sent
    calls = Counter(_outcome(call) for call in seen.calls)
    yield f"alerts: {_words(outcome.sent)}"
    yield f"stored: {len(seen.stored)}; they ended {_words(statuses)}"
    yield f"orders: {len(seen.orders)} made, {executed} filled; calls {_words(calls)}"
    yield f"orders found whose request was not stored: {len(found_later)}"
    yield f"done to the stack: {_words(outcome.done)}"
    yield f"faults that befell calls: {_words(outcome.befallen)}"
    yield f"log: {len(seen.log)} messages, {len(seen.rows)} rows in Postgres"
    streams = len({row.stream for row in seen.chain})
    yield (
        f"hash chains: {len(seen.chain)} rows of {streams} streams, {len(seen.anchors)} anchors,"
        f" judged to {seen.settled}"
    )


def _outcome(call: Call) -> str:
    if call.code == _WRONG_TIME:
        return "refused for their time"
    return "executed" if call.code == 0 else "not executed"


def complaints(violations: list[Violation], *, directory: Path, at_most: int = 40) -> Iterator[str]:
    """Two lines each; the first ones where there are many."""
    for violation in violations[:at_most]:
        place = f" [{violation.lane}]" if violation.lane else ""
        yield f"{violation.breach.value}{place}: {violation.text}"
        if violation.alert_id:
            yield f"    alertwire trace {violation.alert_id} --dir {directory}"
    if len(violations) > at_most:
        yield f"… and {len(violations) - at_most} more"
    kinds = Counter(violation.breach.value for violation in violations)
    yield f"{len(violations)} in all: {_words(kinds)}"


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"

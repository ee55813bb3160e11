"""The results as the document of `bench.json`, and what is wrong with them in words: pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.figures import Spread, ratio
from bench.results import Result

if TYPE_CHECKING:
    from bench.goals import Verdict

OURS = "alertwire"
DIRECT = "direct"
USUAL = "usual"
MEASURES = {"alert to order": "order_ms", "answer": "ack_ms"}
_SHARES = ("p50", "p99", "max")


def document(
    results: Sequence[Result],
    *,
    machine: Mapping[str, Any],
    settings: Mapping[str, Any],
    restarted: Sequence[str],
    verdicts: Sequence["Verdict"] = (),
) -> dict[str, Any]:
    return {
        "machine": dict(machine),
        "settings": dict(settings),
        "agrees": all(each.agrees for each in results if each.system != USUAL),
        "restarted": list(restarted),
        "goals": [dataclasses.asdict(each) for each in verdicts],
        "ratios": _over(results, OURS, DIRECT),
        "ratios_of_usual": _over(results, USUAL, OURS),
        "phases": [_phase(each) for each in results],
    }


def complaint(result: Result) -> str | None:
    """What of a phase is not as it must be: every alert accepted, with one order each."""
    if result.agrees:
        return None
    told = [
        *(f"{count} refused with {why}" for why, count in result.refused.items()),
        *(f"{count} failed with {why}" for why, count in result.failed.items()),
    ]
    for what in ("missing", "doubled", "unexpected"):
        found: list[str] = getattr(result, what)
        if found:
            told.append(f"{len(found)} orders {what}, the first of {found[0]}")
    return f"{result.phase}, {result.system}: " + "; ".join(told)


def by_phase(results: Sequence[Result], system: str) -> dict[str, Result]:
    return {each.phase: each for each in results if each.system == system}


def share_of(spread: Spread | None, share: str) -> float | None:
    return None if spread is None else getattr(spread, share)


def _phase(result: Result) -> dict[str, Any]:
    per_alert = {name: result.cpu_ms_per_alert(name) for name in result.cpu_s}
    derived = {"services_mib": result.services_mib, "cpu_ms_per_alert": per_alert}
    return dataclasses.asdict(result) | derived


def _over(results: Sequence[Result], one: str, other: str) -> dict[str, dict[str, Any]]:
    """By phase, how many times as much one system's figures are."""
    ones, others = by_phase(results, one), by_phase(results, other)
    return {
        phase: {
            **{
                name: {
                    share: ratio(
                        share_of(getattr(ones[phase], attribute), share),
                        share_of(getattr(others[phase], attribute), share),
                    )
                    for share in _SHARES
                }
                for name, attribute in MEASURES.items()
            },
            "orders a second": ratio(ones[phase].orders_rate, others[phase].orders_rate),
        }
        for phase in ones
        if phase in others
    }

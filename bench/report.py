"""The results as tables and as the document of `bench.json`: pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.figures import Spread, ratio
from bench.results import Result
from bench.table import Cell, render

if TYPE_CHECKING:
    from bench.goals import Verdict

OURS = "alertwire"
DIRECT = "direct"
USUAL = "usual"
_MEASURES = {"alert to order": "order_ms", "answer": "ack_ms"}
_LEGEND = """\
Milliseconds. `alert to order`: from sending the POST to the order's arrival at the exchange.
`direct` is one process that stores nothing; `x` is how many times as long alertwire takes."""


def tables(results: Sequence[Result]) -> str:
    """Everything that was measured, for a terminal."""
    parts = [
        _LEGEND,
        _latencies(results),
        "What was sent and what arrived; per second.",
        _counts(results),
        "Processes while alertwire was measured: CPU ms an alert by phase, memory at the end.",
        _processes([each for each in results if each.system == OURS]),
        "\n".join(told for each in results if (told := _auditor(each))),
    ]
    return "\n\n".join(parts)


def document(
    results: Sequence[Result],
    *,
    machine: Mapping[str, Any],
    settings: Mapping[str, Any],
    restarted: Sequence[str],
    verdicts: Sequence["Verdict"] = (),
) -> dict[str, Any]:
    ours, direct = _by_phase(results, OURS), _by_phase(results, DIRECT)
    return {
        "machine": dict(machine),
        "settings": dict(settings),
        "agrees": all(each.agrees for each in results),
        "restarted": list(restarted),
        "goals": [dataclasses.asdict(each) for each in verdicts],
        "ratios": {
            phase: {name: _ratios(ours[phase], direct[phase], at) for name, at in _MEASURES.items()}
            for phase in ours
            if phase in direct
        },
        "phases": [dataclasses.asdict(each) for each in results],
    }


def verdict_table(verdicts: Sequence["Verdict"]) -> str:
    words = {True: "yes", False: "no", None: "not measured"}
    rows: list[list[Cell]] = [
        [each.figure, each.goal, each.measured, words[each.reached]] for each in verdicts
    ]
    return render(["", "goal", "measured", "reached"], rows)


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


def _latencies(results: Sequence[Result]) -> str:
    ours, direct = _by_phase(results, OURS), _by_phase(results, DIRECT)
    rows: list[list[Cell]] = []
    for phase, mine in ours.items():
        other = direct.get(phase)
        for name, attribute in _MEASURES.items():
            a: Spread | None = getattr(mine, attribute)
            b: Spread | None = getattr(other, attribute, None)
            rows.append(
                [
                    f"{phase}: {name}",
                    *_cells(a),
                    *_cells(b),
                    *(_times(a, b, each) for each in ("p50", "p99")),
                ]
            )
    headings = ["", "p50", "p99", "max", f"{DIRECT} p50", "p99", "max", "x p50", "x p99"]
    return render(headings, rows)


def _counts(results: Sequence[Result]) -> str:
    rows: list[list[Cell]] = [
        [
            f"{each.phase}: {each.system}",
            each.sent,
            each.accepted,
            sum(each.refused.values()),
            sum(each.failed.values()),
            each.orders,
            len(each.missing),
            len(each.doubled),
            len(each.unexpected),
            each.acks_rate,
            each.orders_rate,
            each.late_ms.p99 if each.late_ms else None,
            each.others_cores,
        ]
        for each in results
    ]
    headings = ["", "sent", "accepted", "refused", "failed", "orders", "missing", "doubled"]
    headings += ["unexpected", "answers/s", "orders/s", "driver late p99 ms"]
    headings.append("cores taken by others")
    return render(headings, rows)


def _processes(results: Sequence[Result]) -> str:
    names = list(dict.fromkeys(name for each in results for name in each.rss_mib))
    rows: list[list[Cell]] = []
    for name in names:
        memory = [each.rss_mib[name] for each in results if name in each.rss_mib]
        rows.append([name, *(each.cpu_ms_per_alert(name) for each in results), memory[-1]])
    return render(["", *(each.phase for each in results), "MiB"], rows)


def _auditor(result: Result) -> str | None:
    figures = result.auditor
    if figures is None:
        return None
    lag, after = figures.lag_when_load_ended, figures.caught_up_after_s
    behind = "an unknown number of" if lag is None else f"{lag:,.0f}"
    done = "had not caught up in time" if after is None else f"had all after {after:.1f} s"
    return f"{result.phase}: auditor {behind} messages behind when the load ended, {done}"


def _by_phase(results: Sequence[Result], system: str) -> dict[str, Result]:
    return {each.phase: each for each in results if each.system == system}


def _ratios(ours: Result, direct: Result, attribute: str) -> dict[str, float | None]:
    a, b = getattr(ours, attribute), getattr(direct, attribute)
    return {each: ratio(_of(a, each), _of(b, each)) for each in ("p50", "p99", "max")}


def _times(ours: Spread | None, direct: Spread | None, attribute: str) -> str | None:
    times = ratio(_of(ours, attribute), _of(direct, attribute))
    return None if times is None else f"{times:.1f}"


def _of(spread: Spread | None, attribute: str) -> float | None:
    return None if spread is None else getattr(spread, attribute)


def _cells(spread: Spread | None) -> list[Cell]:
    return [None] * 3 if spread is None else [spread.p50, spread.p99, spread.max]

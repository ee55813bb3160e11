"""Everything that was measured, as tables for a terminal: pure."""

from collections.abc import Sequence

from bench.figures import ratio
from bench.goals import Verdict
from bench.report import DIRECT, MEASURES, OURS, USUAL, by_phase, share_of
from bench.results import SERVICES, Result
from bench.table import Cell, render

_SHARES = ("p50", "p99", "max")
_LEGEND = """\
Milliseconds. `alert to order`: from sending the POST to the order's arrival at the exchange.
`direct` is one process that stores nothing, `usual` is Flask and ccxt in the request.
`x direct`: how many times as long alertwire takes as direct; `usual x`: as usual over alertwire."""
_PROCESSES = """\
CPU ms an alert of each process by phase, and its memory at the end. The baselines' are of their
own phases, all others of alertwire's."""


def tables(results: Sequence[Result]) -> str:
    ours = [each for each in results if each.system == OURS]
    parts = [
        _LEGEND,
        *(_latencies(results, name, attribute) for name, attribute in MEASURES.items()),
        *_far(results),
        "What was sent and what arrived; per second.",
        _counts(results),
        _PROCESSES,
        _processes(results),
        "\n".join(told for each in ours if (told := _auditor(each))),
    ]
    return "\n\n".join(parts)


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    words = {True: "yes", False: "no", None: "not measured"}
    rows: list[list[Cell]] = [
        [each.figure, each.goal, each.measured, words[each.reached]] for each in verdicts
    ]
    return render(["", "goal", "measured", "reached"], rows)


def _latencies(results: Sequence[Result], name: str, attribute: str) -> str:
    ours, direct, usual = (by_phase(results, each) for each in (OURS, DIRECT, USUAL))
    rows: list[list[Cell]] = []
    for phase, mine in ours.items():
        spreads = [
            getattr(each, attribute, None) for each in (mine, direct.get(phase), usual.get(phase))
        ]
        a, b, c = spreads
        cells: list[Cell] = [share_of(each, share) for each in spreads for share in _SHARES]
        over = [_times(share_of(a, each), share_of(b, each)) for each in ("p50", "p99")]
        under = [_times(share_of(c, each), share_of(a, each)) for each in ("p50", "p99")]
        rows.append([phase, *cells, *over, *under])
    headings = [name, *_SHARES, f"{DIRECT} p50", "p99", "max", f"{USUAL} p50", "p99", "max"]
    return render([*headings, "x direct p50", "p99", "usual x p50", "p99"], rows)


def _far(results: Sequence[Result]) -> list[str]:
    """With the way to the exchange taken off, beside the same without a way."""
    far = [each for each in results if each.one_way_ms]
    near = {(each.phase, each.system): each for each in results}
    rows: list[list[Cell]] = []
    for each in far:
        # A phase's name begins with its rate, which is the whole name of the near one.
        other = near.get((each.phase.partition(",")[0], each.system))
        a, b = each.beyond_way_ms, other.order_ms if other else None
        rows.append(
            [
                f"{each.phase}: {each.system}",
                *(share_of(a, share) for share in _SHARES),
                *(share_of(b, share) for share in _SHARES),
                *(_less(share_of(a, share), share_of(b, share)) for share in ("p50", "p99")),
            ]
        )
    headings = ["", *_SHARES, "near p50", "p99", "max", "added p50", "p99"]
    told = (
        "Alert to order less the way to the exchange, beside the same at an exchange that is near."
    )
    return [told, render(headings, rows)] if rows else []


def _counts(results: Sequence[Result]) -> str:
    rows: list[list[Cell]] = [
        [
            f"{each.phase}: {each.system}",
            each.sent,
            each.accepted,
            sum(each.refused.values()),
            sum(each.failed.values()),
            each.slow_answers,
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
    headings = ["", "sent", "accepted", "refused", "failed", "over 1.5 s", "orders", "missing"]
    headings += ["doubled", "unexpected", "answers/s", "orders/s", "driver late p99 ms"]
    headings.append("cores taken by others")
    return render(headings, rows)


def _processes(results: Sequence[Result]) -> str:
    ours = by_phase(results, OURS)
    names = dict.fromkeys(name for each in ours.values() for name in each.rss_mib)
    rows = [_process(name, ours, phases=list(ours)) for name in names]
    together: list[Cell] = ["the five services"]
    for each in ours.values():
        used = [ms for name in SERVICES if (ms := each.cpu_ms_per_alert(name)) is not None]
        together.append(sum(used) if used else None)
    together.append(max((each.services_mib or 0.0 for each in ours.values()), default=None))
    rows.append(together)
    rows += [
        _process(name, theirs, phases=list(ours))
        for name in (DIRECT, USUAL)
        if (theirs := by_phase(results, name))
    ]
    return render(["", *ours, "MiB"], rows)


def _process(name: str, results: dict[str, Result], *, phases: Sequence[str]) -> list[Cell]:
    memory = [each.rss_mib[name] for each in results.values() if name in each.rss_mib]
    used = [results[phase].cpu_ms_per_alert(name) if phase in results else None for phase in phases]
    return [name, *used, memory[-1] if memory else None]


def _auditor(result: Result) -> str | None:
    figures = result.auditor
    if figures is None:
        return None
    lag, after = figures.lag_when_load_ended, figures.caught_up_after_s
    behind = "an unknown number of" if lag is None else f"{lag:,.0f}"
    done = "had not caught up in time" if after is None else f"had all after {after:.1f} s"
    told = f"{result.phase}: auditor {behind} messages behind when the load ended, {done}"
    if figures.rows_rate is not None:
        told += f"; {figures.rows_rate:,.0f} rows/s"
    if figures.rows_rate_storing is not None:
        told += f", {figures.rows_rate_storing:,.0f}/s of the time it was storing"
    return told


def _times(one: float | None, other: float | None) -> str | None:
    times = ratio(one, other)
    return None if times is None else f"{times:.1f}"


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other

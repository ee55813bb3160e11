"""A run's figures as the tables of docs/benchmark.md: pure, from `bench.json` alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.report import DIRECT, OURS, USUAL
from bench.results import SERVICES
from bench.table import Cell, shown

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_SHARES = ("p50", "p99", "max")
_AUDITED = ("rows", "rows_rate", "rows_rate_storing", "lag_when_load_ended")
_WORDS = {True: "yes", False: "no", None: "-"}

Run = Mapping[str, Any]


def page(text: str, run: Run) -> str:
    """The page with its figures replaced; raises `ValueError` where the marks are missing."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    before, _, rest = text.partition(BEGIN)
    return before + figures(run) + rest.partition(END)[2]


def figures(run: Run) -> str:
    """The part of the page between its marks."""
    parts = [_said(run), _goals(run), _times(run), _far(run), _processes(run), _auditor(run)]
    return "\n".join([BEGIN, "\n\n".join(part for part in parts if part), END])


def _said(run: Run) -> str:
    machine, settings = run["machine"], run["settings"]
    safely = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in settings["durability"].items()
    )
    traced = "No alert was traced."
    if settings["traces_sampled"]:
        received = shown(_whole(settings["spans_received"]))
        traced = (
            f"{settings['traces_sampled']:.0%} of the alerts were traced to a collector, which"
            f" received {received} spans."
        )
    return (
        f"Of a run on {machine['cores']} cores with Python {machine['python']}, a disk that syncs"
        f" in {machine['disk_sync_ms']:.2f} ms, {settings['accounts']} accounts, phases of"
        f" {settings['seconds']:g} s, at {machine['at']}.\n\nAs it was set: {safely}. {traced}"
    )


def _goals(run: Run) -> str:
    rows = [
        [one["figure"], one["goal"], one["measured"], _WORDS[one["reached"]]]
        for one in run["goals"]
    ]
    return _table(["figure", "goal", "measured", "reached"], rows)


def _times(run: Run) -> str:
    rows: list[list[Cell]] = []
    for each in run["phases"]:
        times = [
            (each[what] or {}).get(share) for what in ("order_ms", "ack_ms") for share in _SHARES
        ]
        rows.append(
            [each["phase"], each["system"], *times, each["slow_answers"], each["orders_rate"]]
        )
    headings = ["phase", "system", "alert to order p50, ms", "p99", "max", "answer p50, ms", "p99"]
    return _table([*headings, "max", "over 1.5 s", "orders/s"], rows)


def _far(run: Run) -> str:
    rows = [
        [each["phase"], each["system"], *(each["beyond_way_ms"][share] for share in _SHARES)]
        for each in run["phases"]
        if each["one_way_ms"] and each["beyond_way_ms"]
    ]
    headings = ["less the way to the exchange", "system", "alert to order p50, ms", "p99", "max"]
    return _table(headings, rows) if rows else ""


def _processes(run: Run) -> str:
    by_system: dict[str, list[Run]] = {}
    for each in run["phases"]:
        by_system.setdefault(each["system"], []).append(each)
    ours = by_system.get(OURS, [])
    if not ours:
        return ""
    shown_phases = [each["phase"] for each in ours if each["accepted"] > 1]
    rows = [_process(name, ours, phases=shown_phases) for name in ours[-1]["rss_mib"]]
    rows.append(_together(ours, phases=shown_phases))
    rows += [
        _process(name, by_system[name], phases=shown_phases)
        for name in (DIRECT, USUAL)
        if name in by_system
    ]
    return _table(["CPU ms an alert", *shown_phases, "memory, MiB"], rows)


def _process(name: str, found: Sequence[Run], *, phases: Iterable[str]) -> list[Cell]:
    used = {each["phase"]: each["cpu_ms_per_alert"].get(name) for each in found}
    return [name, *(used.get(phase) for phase in phases), found[-1]["rss_mib"].get(name)]


def _together(ours: Sequence[Run], *, phases: Iterable[str]) -> list[Cell]:
    used = {
        each["phase"]: sum(each["cpu_ms_per_alert"].get(name) or 0.0 for name in SERVICES)
        for each in ours
    }
    memory = max(each["services_mib"] or 0.0 for each in ours)
    return ["the five services", *(used[phase] for phase in phases), memory]


def _auditor(run: Run) -> str:
    rows = [
        [
            each["phase"],
            *(_whole(told[name]) for name in _AUDITED),
            told["caught_up_after_s"],
        ]
        for each in run["phases"]
        if (told := each["auditor"])
    ]
    headings = ["auditor", "rows", "rows/s", "rows/s while it stores", "behind at the end"]
    return _table([*headings, "had all after, s"], rows) if rows else ""


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    lines = [headings, ["---"] * len(headings), *([shown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

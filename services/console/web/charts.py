"""Charts as SVG: pure. No style stands in them, since the pages' content policy takes none: colours
come from the stylesheet by class, and everything else is a presentation attribute. They scale by
their viewBox. What comes from outside is escaped, and loses what a screen would obey.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from markupsafe import Markup

WIDTH, HEIGHT = 480, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 24, 28
_ROW, _BAR, _LABEL_AT, _BAR_AT = 38, 12, 14, 20
_LABEL_CHARS_MAX = 60
_TICKS_MAX = 6
_TIMES_MAX = 7
_DAY_S = 86_400
_MS_IN_S = 1_000
_STEPS_S = (
    *(60, 300, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600),
    *(_DAY_S, 2 * _DAY_S, 7 * _DAY_S, 30 * _DAY_S),
)
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NOTHING = "Nothing came in this time."


class Scale(StrEnum):
    LINEAR = "linear"
    LOG = "log"


@dataclass(frozen=True, kw_only=True)
class Point:
    """The values of one stretch by series; None, or left out: a gap."""

    at: datetime
    values: Mapping[str, float | None]


def line_chart(  # noqa: PLR0913 - a chart's settings, each by name
    points: Sequence[Point],
    *,
    chart_id: str,
    title: str,
    series: Sequence[str],
    unit: str,
    stretch: timedelta,
    scale: Scale = Scale.LOG,
    description: str = "",
) -> Markup:
    """A line for each of `series`, which is its class too (`p50`, `p99`), over time in UTC. Each
    time's `<text>` has the moment as `data-at`, so that a script can tell it in local time.
    """
    heard = [
        value
        for point in points
        for name in series
        if (value := _number(point.values.get(name), scale)) is not None
    ]
    if not heard:
        return _svg(_empty(HEIGHT), chart_id, title, description or _NOTHING, height=HEIGHT)
    axis = _axis(heard, scale)
    begins, ends = points[0].at, points[-1].at + stretch
    parts = [
        *_grid(axis, unit),
        *_times(begins, ends),
        *_legend(series),
    ]
    for name in series:
        places = [
            (_x(point.at + stretch / 2, begins, ends), _number(point.values.get(name), scale))
            for point in points
        ]
        parts += _line(places, axis, name=name, step=_step(begins, ends, stretch))
    told = description or _spoken(series, points, unit, scale)
    return _svg(Markup().join(parts), chart_id, title, told, height=HEIGHT)


def bar_chart(
    bars: Sequence[tuple[str, int]], *, chart_id: str, title: str, description: str = ""
) -> Markup:
    """A horizontal bar for each label, in the order given, with its count."""
    largest = max((count for _, count in bars), default=0)
    if largest <= 0:
        return _svg(_empty(_ROW * 2), chart_id, title, description or _NOTHING, height=_ROW * 2)
    rows = [_bar(number, *bar, largest=largest) for number, bar in enumerate(bars)]
    spoken = ", ".join(f"{label}: {count}" for label, count in bars)
    return _svg(
        Markup().join(rows), chart_id, title, description or spoken, height=_ROW * len(bars)
    )


@dataclass(frozen=True, kw_only=True)
class _Axis:
    low: float
    high: float
    ticks: Sequence[float]
    scale: Scale

    def y(self, value: float) -> float:
        if self.scale is Scale.LOG:
            share = math.log10(value / self.low) / math.log10(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP)


def _axis(values: Sequence[float], scale: Scale) -> _Axis:
    return _log_axis(values) if scale is Scale.LOG else _linear_axis(values)


def _log_axis(values: Sequence[float]) -> _Axis:
    lowest = math.floor(math.log10(min(values)))
    highest = max(math.ceil(math.log10(max(values))), lowest + 1)
    every = math.ceil((highest - lowest) / (_TICKS_MAX - 1))
    decades = [10.0**power for power in range(lowest, highest + 1, every)]
    if highest - lowest <= 2:
        steps = (10.0**power * digit for power in range(lowest, highest) for digit in (1, 2, 5))
        decades = [*steps, 10.0**highest]
    return _Axis(low=10.0**lowest, high=10.0**highest, ticks=decades, scale=Scale.LOG)


def _linear_axis(values: Sequence[float]) -> _Axis:
    largest = max(*values, 0.0) or 1.0
    rough = largest / (_TICKS_MAX - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= rough * 0.999)
    count = math.ceil(largest / step - 1e-9)
    ticks = [step * number for number in range(count + 1)]
    return _Axis(low=0.0, high=ticks[-1], ticks=ticks, scale=Scale.LINEAR)


def _grid(axis: _Axis, unit: str) -> Iterator[Markup]:
    for tick in axis.ticks:
        y = axis.y(tick)
        yield Markup('<line class="chart-grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
            _LEFT, WIDTH - _RIGHT, y, y
        )
        yield Markup(
            '<text class="chart-label" x="{}" y="{:.1f}" text-anchor="end"'
            ' dominant-baseline="middle">{}</text>'
        ).format(_LEFT - 6, y, _tick(tick, unit))
    yield Markup('<path class="chart-axis" fill="none" d="M{} {}V{}H{}"/>').format(
        _LEFT, _TOP, HEIGHT - _BOTTOM, WIDTH - _RIGHT
    )


def _times(begins: datetime, ends: datetime) -> Iterator[Markup]:
    span_s = (ends - begins).total_seconds()
    step_s = next((step for step in _STEPS_S if span_s / step <= _TIMES_MAX), _STEPS_S[-1])
    days = step_s >= _DAY_S
    at_s = math.ceil(begins.timestamp() / step_s) * step_s
    while at_s <= ends.timestamp():
        at = datetime.fromtimestamp(at_s, UTC)
        x = _x(at, begins, ends)
        yield Markup('<path class="chart-axis" d="M{:.1f} {}v4"/>').format(x, HEIGHT - _BOTTOM)
        yield Markup(
            '<text class="chart-label chart-time" x="{:.1f}" y="{}" text-anchor="{}"'
            ' data-at="{}" data-show="{}">{}</text>'
        ).format(
            x,
            HEIGHT - 8,
            "end" if x > WIDTH - _RIGHT - 20 else "middle",
            at.isoformat().replace("+00:00", "Z"),
            "day" if days else "time",
            f"{at:%m-%d}" if days else f"{at:%H:%M}",
        )
        at_s += step_s


def _legend(series: Sequence[str]) -> Iterator[Markup]:
    x = WIDTH - _RIGHT
    for name in reversed(series):
        label = _clean(name)
        yield Markup('<text class="chart-label" x="{}" y="14" text-anchor="end">{}</text>').format(
            x, label
        )
        x -= 8 * len(label) + 6
        yield Markup('<path class="chart-line {}" d="M{} 10h16"/>').format(_class(name), x - 16)
        x -= 32


def _line(
    places: Sequence[tuple[float, float | None]], axis: _Axis, *, name: str, step: float
) -> Iterator[Markup]:
    """Broken where there was nothing; what stands alone is a dot, since it would not be seen."""
    runs: list[list[tuple[float, float]]] = []
    before: float | None = None
    for x, value in places:
        if value is None:
            continue
        if before is None or x - before > step * 1.5:
            runs.append([])
        runs[-1].append((x, axis.y(value)))
        before = x
    for run in runs:
        if len(run) == 1:
            yield Markup('<circle class="chart-dot {}" cx="{:.1f}" cy="{:.1f}" r="2"/>').format(
                _class(name), *run[0]
            )
            continue
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
        yield Markup('<path class="chart-line {}" fill="none" d="M{}"/>').format(_class(name), way)


def _bar(number: int, label: str, count: int, *, largest: int) -> Markup:
    top, whole = number * _ROW, _clean(label)
    shown = whole if len(whole) <= _LABEL_CHARS_MAX else f"{whole[: _LABEL_CHARS_MAX - 1]}…"
    return Markup(
        '<g><title>{whole}: {count}</title><text class="chart-label" x="0" y="{label_at}">{shown}'
        '</text><text class="chart-label chart-count" x="{right}" y="{label_at}" text-anchor="end">'
        '{count}</text><rect class="chart-bar" x="0" y="{bar_at}" width="{width:.1f}"'
        ' height="{bar}" rx="2"/></g>'
    ).format(
        whole=whole,
        shown=shown,
        count=f"{count:,}",
        label_at=top + _LABEL_AT,
        right=WIDTH,
        bar_at=top + _BAR_AT,
        width=max(2.0, WIDTH * max(0, count) / largest),
        bar=_BAR,
    )


def _svg(content: Markup, chart_id: str, title: str, description: str, *, height: int) -> Markup:
    if _ID.fullmatch(chart_id) is None:
        raise ValueError(f"no id of an element: {chart_id!r}")
    return Markup(
        '<svg class="chart" id="{id}" viewBox="0 0 {width} {height}" role="img"'
        ' aria-labelledby="{id}-title {id}-desc" xmlns="http://www.w3.org/2000/svg">'
        '<title id="{id}-title">{title}</title><desc id="{id}-desc">{description}</desc>{content}'
        "</svg>"
    ).format(
        id=chart_id,
        width=WIDTH,
        height=height,
        title=_clean(title),
        description=_clean(description),
        content=content,
    )


def _empty(height: int) -> Markup:
    return Markup('<text class="chart-label" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        WIDTH // 2, height // 2, _NOTHING
    )


def _spoken(series: Sequence[str], points: Sequence[Point], unit: str, scale: Scale) -> str:
    """The chart in a sentence, for who does not see it."""
    told = []
    for name in series:
        values = [
            value
            for point in points
            if (value := _number(point.values.get(name), scale)) is not None
        ]
        if values:
            told.append(f"{name} between {_short(min(values))} and {_short(max(values))} {unit}")
    when = f"from {points[0].at.astimezone(UTC):%Y-%m-%d %H:%M} UTC on"
    return f"{'; '.join(told)}; {when}"


def _number(value: float | None, scale: Scale) -> float | None:
    """What can be drawn of it: on a scale of powers nothing is below a thousandth."""
    if value is None or not math.isfinite(value):
        return None
    return max(value, 0.001) if scale is Scale.LOG else max(value, 0.0)


def _x(at: datetime, begins: datetime, ends: datetime) -> float:
    return _LEFT + (at - begins) / (ends - begins) * (WIDTH - _RIGHT - _LEFT)


def _step(begins: datetime, ends: datetime, stretch: timedelta) -> float:
    return stretch / (ends - begins) * (WIDTH - _RIGHT - _LEFT)


def _short(value: float) -> str:
    """At most four digits where that says it."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


# As short as can be: a phone shows the whole chart smaller.
def _tick(value: float, unit: str) -> str:
    if unit == "ms" and value >= _MS_IN_S:
        return f"{_short(value / _MS_IN_S)} s"
    return f"{_short(value)} {_clean(unit)}"


def _class(name: str) -> str:
    return name if _ID.fullmatch(name) else "other"


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)

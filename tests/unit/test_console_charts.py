"""Charts: what is drawn, where the gaps are, and that text from outside stays in its place."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from services.console.web.charts import HEIGHT, WIDTH, Point, Scale, bar_chart, line_chart

START = datetime(2026, 11, 29, tzinfo=UTC)
STRETCH = timedelta(minutes=15)
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</text><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\u202egnissim\u0000\x1b[31m",
    "<" * 5_000,
    "&lt;b&gt; ' \" `",
]


def points(*values, series="p50"):
    return [
        Point(at=START + number * STRETCH, values={series: value})
        for number, value in enumerate(values)
    ]


def drawn(*values, scale=Scale.LOG, series=("p50",), given=None):
    markup = line_chart(
        given if given is not None else points(*values),
        chart_id="latency",
        title="From alert to order",
        series=series,
        unit="ms",
        stretch=STRETCH,
        scale=scale,
    )
    return ET.fromstring(str(markup))


def of_class(svg, name):
    return [each for each in svg.iter() if name in (each.get("class") or "").split()]


def lines(svg, series="p50"):
    """Without the legend's."""
    return [
        each
        for each in of_class(svg, "chart-line")
        if series in each.get("class").split() and "h16" not in each.get("d")
    ]


def labels(svg):
    return [each.text for each in of_class(svg, "chart-label")]


@pytest.mark.parametrize("scale", list(Scale))
def test_a_larger_value_stands_higher_and_all_inside(scale):
    (path,) = lines(drawn(1, 5, 250, scale=scale))
    places = [tuple(map(float, each.split())) for each in path.get("d")[1:].split("L")]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert all(above[1] > below[1] for above, below in pairwise(places))


def test_where_there_was_nothing_the_line_is_broken():
    assert len(lines(drawn(1, 2, None, 4, 5))) == 2
    # Left out is as much a gap as None is.
    given = [each for each in points(1, 2, 3, 4, 5) if each.values["p50"] != 3]
    assert len(lines(drawn(given=given))) == 2


def test_what_stands_alone_is_seen():
    svg = drawn(None, 3, None, 4, 5)
    assert len(of_class(svg, "chart-dot")) == 1
    assert len(lines(svg)) == 1


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((3, 40), ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms"]),
        ((0.5, 90_000), ["0.1 ms", "10 ms", "1 s", "100 s"]),
        ((10,), ["10 ms", "20 ms", "50 ms", "100 ms"]),
    ],
    ids=["two decades", "six decades", "one value"],
)
def test_a_log_axis_tells_its_powers(values, told):
    assert [text for text in labels(drawn(*values)) if text.endswith("s")] == told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((3, 40), ["0 ms", "10 ms", "20 ms", "30 ms", "40 ms"]),
        ((0.3,), ["0 ms", "0.1 ms", "0.2 ms", "0.3 ms"]),
        ((0,), ["0 ms", "0.2 ms", "0.4 ms", "0.6 ms", "0.8 ms", "1 ms"]),
    ],
    ids=["tens", "tenths", "zero"],
)
def test_a_linear_axis_begins_with_zero(values, told):
    svg = drawn(*values, scale=Scale.LINEAR)
    assert [text for text in labels(svg) if text.endswith("s")] == told


def test_times_are_told_in_utc_with_the_moment_for_a_script():
    times = of_class(drawn(*[5] * 96), "chart-time")
    assert [each.text for each in times] == [
        *("00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "00:00")
    ]
    assert times[1].get("data-at") == "2026-11-29T04:00:00Z"
    assert {each.get("data-show") for each in times} == {"time"}


def test_a_week_is_told_in_days():
    given = [Point(at=START + timedelta(hours=6) * n, values={"p50": 5}) for n in range(28)]
    times = of_class(drawn(given=given), "chart-time")
    assert times[1].text == "11-30"
    assert {each.get("data-show") for each in times} == {"day"}


def test_each_series_has_its_class_and_its_name():
    given = [Point(at=START + n * STRETCH, values={"p50": 5, "p99": 50}) for n in range(3)]
    svg = drawn(given=given, series=("p50", "p99"))
    assert len(lines(svg, "p50")) == len(lines(svg, "p99")) == 1
    assert {"p50", "p99"} <= set(labels(svg))


@pytest.mark.parametrize(
    "values", [(), (None, None), (float("nan"), float("inf"))], ids=["none", "gaps", "no numbers"]
)
def test_nothing_is_said_to_be_nothing(values):
    svg = drawn(*values)
    assert labels(svg) == ["Nothing came in this time."]
    assert svg.find(f"{SVG}desc").text == "Nothing came in this time."


@pytest.mark.parametrize("value", [0, -5, 1e-9], ids=["zero", "below zero", "next to nothing"])
def test_a_log_scale_bears_what_has_no_logarithm(value):
    assert len(lines(drawn(value, 10))) == 1


def test_who_does_not_see_it_is_told():
    svg = drawn(3, 40)
    assert svg.get("role") == "img"
    told = [svg.find(f".//*[@id='{each}']").text for each in svg.get("aria-labelledby").split()]
    assert told[0] == "From alert to order"
    assert "between 3 and 40 ms" in told[1]
    assert svg.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"


def test_bars_are_in_proportion_with_their_counts():
    svg = ET.fromstring(
        str(bar_chart([("stale", 2_000), ("halted", 500)], chart_id="why", title="Denied"))
    )
    widths = [float(each.get("width")) for each in of_class(svg, "chart-bar")]
    assert widths == [WIDTH, WIDTH / 4]
    assert labels(svg) == ["stale", "2,000", "halted", "500"]
    assert svg.find(f"{SVG}desc").text == "stale: 2000, halted: 500"


@pytest.mark.parametrize("bars", [[], [("stale", 0)]], ids=["none", "zero"])
def test_no_bars_are_said_to_be_none(bars):
    svg = ET.fromstring(str(bar_chart(bars, chart_id="why", title="Denied")))
    assert labels(svg) == ["Nothing came in this time."]


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "attribute", "marks", "long", "entities"])
def test_hostile_text_stays_text(text):
    bars = str(bar_chart([(text, 3)], chart_id="why", title=text, description=text))
    chart = str(
        line_chart(
            [Point(at=START, values={text: 5})],
            chart_id="latency",
            title=text,
            series=(text,),
            unit=text,
            stretch=STRETCH,
        )
    )
    for markup in (bars, chart):
        svg = ET.fromstring(markup)  # As XML, so nothing was left open.
        known = {"svg", "title", "desc", "g", "text", "rect", "path", "line", "circle"}
        assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= known
        assert not [name for each in svg.iter() for name in each.attrib if name.startswith("on")]
        assert all(char.isprintable() for char in markup)
        assert max(len(each) for each in labels(svg)) <= max(60, len(text) + 10)
    assert "…" in bars or len(text) <= 60


def test_no_style_is_in_them():
    """The pages' content policy would not let it count, and tell of it in the console."""
    markup = str(bar_chart([("stale", 3)], chart_id="why", title="Denied"))
    assert not re.search(r"style=|<style|javascript:", markup + ET.tostring(drawn(1, 2)).decode())


def test_an_id_is_one():
    with pytest.raises(ValueError, match="no id"):
        bar_chart([], chart_id='x" onload="', title="")

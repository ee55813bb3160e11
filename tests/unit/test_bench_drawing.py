"""The page and the picture of a run are made of its figures alone."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bench.drawing import PAGE, PICTURE, picture
from bench.goals import verdicts
from bench.options import parse
from bench.page import BEGIN, END, figures, page
from bench.report import DIRECT, OURS, USUAL, document
from tests.unit.test_bench_report import make_result

MACHINE = {"cores": 2, "python": "3.11", "disk_sync_ms": 0.1, "at": "2026-11-24T12:00:00+00:00"}


@pytest.fixture
def run():
    return run_of([make_result(), make_result(system=DIRECT, order_ns=2_000_000)])


def run_of(results):
    options = parse([])
    settings = options.shown() | {
        "durability": {"log_sync_interval": "always", "postgres_fsync": "on"},
        "spans_received": 1234.0,
    }
    judged = verdicts(results, options)
    written = document(results, machine=MACHINE, settings=settings, restarted=[], verdicts=judged)
    return json.loads(json.dumps(written))


def test_the_figures_tell_the_run_its_goals_and_its_times(run):
    text = figures(run)
    assert "2 cores" in text
    assert "200 accounts" in text
    assert MACHINE["at"] in text
    assert "log sync interval always, postgres fsync on" in text
    assert "10% of the alerts were traced to a collector, which received 1,234 spans" in text
    times = " | ".join(["4.00"] * 3 + ["1.00"] * 3)
    assert f"| 20/s | alertwire | {times} | 0 | 200.0 |" in text
    assert "| 20/s | direct | 1.00 |" in text
    assert all(one["figure"] in text for one in run["goals"])


def test_the_figures_tell_what_was_used_and_how_far_the_auditor_was():
    results = [
        replace(make_result(system=system, phase=phase, one_way_ms=2), accepted=2)
        for phase in ("20/s", "200/s")
        for system in (OURS, DIRECT, USUAL)
    ]
    text = figures(run_of(results))
    assert "| router | 250.0 | 250.0 | 30.00 |" in text
    assert "| the five services | 375.0 | 375.0 | 70.00 |" in text
    assert "| usual | 62.50 | 62.50 | 9.00 |" in text
    assert "| 20/s | 4 | 8 | 40 | 3 | 0.50 |" in text
    assert "| 200/s | alertwire | 2.00 | 2.00 | 2.00 |" in text  # less the way of 2 ms


def test_the_page_keeps_what_stands_around_the_figures(run):
    first = page(f"before\n{BEGIN}\nold\n{END}\nbehind\n", run)
    assert first.startswith("before\n")
    assert first.endswith("\nbehind\n")
    assert "old" not in first
    assert page(first, run) == first


def test_a_page_without_marks_is_left_alone(run):
    with pytest.raises(ValueError, match="figures: begin"):
        page("no marks", run)


def test_the_picture_has_a_bar_for_each_system_from_p50_to_p99(run):
    run["phases"][0]["order_ms"] = {"count": 9, "p50": 1.0, "p99": 100.0, "max": 100.0}
    drawn = ET.fromstring(picture(run))
    titles = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["alertwire: 1.0 ms to 100.0 ms", "direct: 1.0 ms to 1.0 ms"]
    bars = [each for each in drawn.iter("{http://www.w3.org/2000/svg}rect") if len(each)]
    wide, narrow = (float(each.get("width")) for each in bars)
    assert wide == pytest.approx(2 / 5 * 640, abs=0.1)
    assert narrow == 3


def test_a_phase_without_orders_is_drawn_without_a_bar(run):
    run["phases"] = [{**run["phases"][0], "order_ms": None, "system": OURS}]
    assert "20/s" in picture(run)
    assert "<title>" not in picture(run)


def test_what_is_shown_is_of_one_run():
    """The picture and the page are made by the same command."""
    text = PAGE.read_text()
    assert BEGIN in text
    assert END in text
    if re.search(r"^Of a run", text, re.MULTILINE):
        assert PICTURE.exists()

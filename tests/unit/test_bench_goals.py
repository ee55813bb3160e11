"""The benchmark's phases, and its goals beside what was measured."""

from dataclasses import replace

import pytest

from bench.figures import Spread
from bench.goals import verdicts
from bench.options import parse
from bench.plan import FIRST, phases
from bench.report import DIRECT, OURS, USUAL, document
from bench.tables import verdict_table
from tests.unit.test_bench_report import make_result

OPTIONS = parse([])


def spread(p50, p99=None, largest=None):
    return Spread(count=1, p50=p50, p99=p99 or p50, max=largest or p99 or p50)


def measured(phase, *, system=OURS, **changes):
    found = make_result(system=system)
    return replace(found, phase=phase, **changes)


def verdict_of(results, figure):
    [found] = [each for each in verdicts(results, OPTIONS) if each.figure.startswith(figure)]
    return found


def test_the_phases_of_the_default_run():
    names = [phase.name for phase in phases(OPTIONS)]
    assert names == [
        FIRST,
        "warm-up",
        "20/s",
        "200/s",
        "200/s, exchange 50 ms away",
        "200/s, exchange 150 ms away",
        "burst of 100",
        "burst of 1,000",
        "sustained, 32 in flight",
    ]
    assert OPTIONS.accounts == 200


def test_a_run_can_be_limited_to_some_parts():
    def names(only):
        return [phase.name for phase in phases(parse(["--only", only]))][2:]

    assert names("bursts") == ["burst of 100", "burst of 1,000"]
    assert names("sustained,rates") == ["20/s", "200/s", "sustained, 32 in flight"]
    far = ["200/s, exchange 50 ms away", "200/s, exchange 150 ms away"]
    assert names("latencies") == ["200/s", *far]


def test_the_exchange_is_far_in_its_phases_alone():
    assert [phase.one_way_ms for phase in phases(OPTIONS)] == [0, 0, 0, 0, 50, 150, 0, 0, 0]


def test_nothing_measured_is_no_verdict():
    assert {each.reached for each in verdicts([], OPTIONS)} == {None}


@pytest.mark.parametrize(("ours", "reached"), [(4.0, True), (4.1, False)])
def test_at_most_so_many_times_direct(ours, reached):
    results = [
        measured("200/s", order_ms=spread(ours)),
        measured("200/s", system=DIRECT, order_ms=spread(1.0)),
    ]
    found = verdict_of(results, "200/s: alert to order p50")
    assert (found.goal, found.reached) == ("at most 4 x", reached)
    assert found.measured == f"{ours:.1f} x"


@pytest.mark.parametrize(("far", "reached"), [(55.0, True), (56.0, False)])
def test_a_far_exchange_adds_its_way_and_nothing_more(far, reached):
    results = [
        measured("200/s", order_ms=spread(3.0)),
        measured("200/s, exchange 50 ms away", order_ms=spread(far)),
    ]
    assert verdict_of(results, "200/s, exchange 50").reached is reached


def test_a_far_exchange_is_not_compared_with_a_near_one_that_had_a_queue():
    results = [
        measured("200/s", order_ms=spread(90.0)),
        measured("200/s, exchange 50 ms away", order_ms=spread(70.0)),
    ]
    found = verdict_of(results, "200/s, exchange 50 ms away")
    assert (found.measured, found.reached) == ("-", None)


@pytest.mark.parametrize(("usual", "reached"), [(30.0, True), (29.0, False)])
def test_at_least_so_many_times_faster_than_usual(usual, reached):
    results = [
        measured("burst of 100", order_ms=spread(1.0, 10.0)),
        measured("burst of 100", system=USUAL, order_ms=spread(1.0, usual)),
    ]
    assert verdict_of(results, "burst of 100: usual").reached is reached


@pytest.mark.parametrize(("rate", "reached"), [(500.0, True), (499.0, False)])
def test_so_many_orders_a_second(rate, reached):
    results = [measured("sustained, 32 in flight", orders_rate=rate)]
    found = [each for each in verdicts(results, OPTIONS) if each.figure.endswith("a second")]
    assert [each.reached for each in found] == [reached]


def test_what_was_refused_or_failed_counts():
    results = [measured("burst of 1,000", refused={"503": 2}, failed={"TimeoutError": 1})]
    found = verdict_of(results, "burst of 1,000: refused")
    assert (found.measured, found.reached) == ("3", False)


@pytest.mark.parametrize(("slow", "reached"), [(0, True), (1, False)])
def test_no_answer_of_the_large_burst_may_be_slow(slow, reached):
    results = [measured("burst of 1,000", slow_answers=slow), measured("20/s", slow_answers=9)]
    assert verdict_of(results, "burst of 1,000: answers over").reached is reached


def test_what_went_wrong_anywhere_counts_but_not_at_the_baselines():
    wrong = measured("20/s", missing=["a"], doubled=["b"], unexpected=["c", "d"])
    theirs = measured("20/s", system=USUAL, missing=["a"])
    assert verdict_of([wrong, measured("200/s"), theirs], "lost").measured == "4"
    assert verdict_of([measured("20/s"), theirs], "lost").reached is True


def test_the_memory_of_the_services_and_of_nothing_else():
    rss = {"ingest": 60.0, "router": 50.0, "executor": 70.0, "nats": 400.0, "driver": 90.0}
    assert verdict_of([measured("20/s", rss_mib=rss)], "the services' memory").measured == (
        "180.0 MiB"
    )


def test_goals_are_told_and_written():
    judged = verdicts([], OPTIONS)
    assert "not measured" in verdict_table(judged)
    written = document([], machine={}, settings={}, restarted=[], verdicts=judged)
    assert len(written["goals"]) == len(judged)

"""What an end of a process cost, from made-up times, and how that is told."""

from dataclasses import replace

import pytest

from bench.failover.options import parse
from bench.failover.report import document, table, verdict
from bench.failover.signalling import made_world, signals
from bench.failover.timing import Cost, Deed, End, costs
from chaos.reference import FLAT, moves

KILL = End(service="executor", how="killed", at_s=100.0, taken_s=100.6)
A, B, C = ("a", "BTC_USDT"), ("b", "BTC_USDT"), ("c", "BTC_USDT")


def done(lane, *, at_s, took_s=0.1) -> Deed:
    """An alert that was planned at once, and whose one order has ended."""
    return Deed(
        lane=lane,
        received_s=at_s,
        planned_s=at_s + 0.01,
        legs=1,
        ordered_s=[at_s + took_s / 2],
        ended_s=[at_s + took_s],
    )


def waited(lane, *, received_s, planned_s) -> Deed:
    return replace(
        done(lane, at_s=planned_s),
        received_s=received_s,
        planned_s=planned_s,
        ordered_s=[planned_s + 0.05],
    )


def cost_of(*deeds, end=KILL) -> Cost:
    [found] = costs([end], deeds)
    return found


def test_the_first_order_is_one_of_a_lane_with_nothing_in_flight():
    found = cost_of(
        done(A, at_s=99.0),
        waited(A, received_s=100.2, planned_s=100.7),
        waited(B, received_s=99.9, planned_s=100.9),
        done(C, at_s=101.5),
    )
    assert found.lease_s == pytest.approx(0.6)
    assert found.first_order_s == pytest.approx(0.75)
    assert found.waited == 2
    assert found.slowest_lane_s == pytest.approx(0.95)
    assert (found.found, found.lost) == (0, 0)


def test_the_slowest_lane_is_the_last_of_those_whose_alert_waited():
    found = cost_of(
        waited(A, received_s=100.1, planned_s=100.7),
        waited(B, received_s=99.9, planned_s=103.0),
        # It came when somebody worked again, so it waited for nobody.
        waited(C, received_s=101.0, planned_s=109.0),
    )
    assert found.waited == 2
    assert found.slowest_lane_s == pytest.approx(3.05)
    assert found.longest_wait_s == pytest.approx(3.15)


def test_an_interrupted_lane_counts_for_no_other_figure():
    interrupted = replace(done(A, at_s=99.95), ended_s=[101.0], ordered_s=[99.99])
    found = cost_of(interrupted, waited(A, received_s=99.97, planned_s=101.2))
    assert found.first_order_s is None
    assert (found.found, found.lost) == (1, 0)
    assert found.found_next_s == pytest.approx(1.25)


def test_what_comes_later_to_an_interrupted_lane_counts_from_its_own_receipt():
    interrupted = replace(done(A, at_s=99.95), ended_s=[101.0], ordered_s=[99.99])
    found = cost_of(interrupted, done(A, at_s=104.0))
    assert found.found_next_s == pytest.approx(0.05)


def test_an_order_that_was_lost_on_its_way_is_counted_from_the_fence():
    lost = replace(done(A, at_s=99.95), ended_s=[114.0], ordered_s=[113.5])
    found = cost_of(lost, done(B, at_s=101.0))
    assert (found.found, found.lost) == (0, 1)
    assert found.lost_again_s == pytest.approx(13.5)
    assert found.beyond_fence_s == pytest.approx(0.9)


def test_an_order_behind_one_that_had_arrived_waits_for_the_fence_too():
    flip = replace(done(A, at_s=99.95), legs=2, ended_s=[101.0, 114.0], ordered_s=[99.99, 113.0])
    found = cost_of(flip)
    assert (found.found, found.lost) == (0, 1)
    assert found.lost_again_s == pytest.approx(13.0)


def test_a_plan_with_an_order_left_is_in_flight():
    flip = replace(done(A, at_s=99.9), legs=2, ended_s=[99.99])
    assert flip.in_flight(100.0)
    assert not flip.in_flight(99.8)
    assert not replace(flip, ended_s=[99.98, 99.99]).in_flight(100.0)


def test_at_a_router_counts_what_came_in_after_its_end():
    found = cost_of(
        # The executor goes on with what the router had made.
        waited(A, received_s=99.99, planned_s=100.01),
        waited(B, received_s=100.1, planned_s=100.8),
        end=replace(KILL, service="router"),
    )
    assert found.first_order_s == pytest.approx(0.85)
    assert (found.found, found.lost) == (0, 0)


def test_every_signal_asks_for_an_order_whatever_is_held():
    world = made_world(accounts=3, seed=5)
    routes = {route.name: route for route in world.routes}
    endless = signals(world, rate=10)
    made = [next(endless) for _ in range(60)]
    assert len({signal.key for signal in made}) == 60
    assert len({(signal.route, signal.symbol) for signal in made[:6]}) == 6
    for signal in made:
        assert moves(signal, routes[signal.route], multiplier=1, held=FLAT)


@pytest.mark.parametrize(("slowest", "told"), [(9.99, "is reached"), (10.0, "is not reached")])
def test_the_goal_is_told(slowest, told):
    cost = replace(cost_of(done(A, at_s=101.0)), slowest_lane_s=slowest)
    assert told in verdict([cost])
    assert f"{slowest:.2f} s" in table([cost])
    assert document([cost], settings={}, machine={})["worst_s"] == slowest


def test_a_run_without_such_lanes_says_so():
    assert verdict([]) == "no lane with nothing in flight was measured"


@pytest.mark.parametrize("wrong", [["--kills", "-1"], ["--rate", "500"], ["--accounts", "1"]])
def test_wrong_use_is_refused(wrong, capsys):
    with pytest.raises(SystemExit) as refused:
        parse(wrong)
    assert refused.value.code == 2
    assert "error" in capsys.readouterr().err

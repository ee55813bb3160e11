"""How routes are shared over router shards, as the names of the log's consumers tell it."""

from datetime import timedelta

import pytest

from libs.common.contracts import subjects
from libs.common.router_shards import (
    order_of,
    router_consumer,
    router_consumers,
    shards_named,
    working_shards,
)
from services.router.generation import mismatch
from services.router.shards import is_of_shard
from tests.factories import NOW


def made(*sets):
    """Consumers of whole sets, each made a minute after the one before."""
    return {
        name: NOW + timedelta(minutes=n)
        for n, shards in enumerate(sets)
        for name in router_consumers(shards)
    }


def test_one_shard_keeps_the_name_it_always_had():
    assert router_consumers(1) == ("router",)
    assert router_consumers(3) == ("router-0-of-3", "router-1-of-3", "router-2-of-3")


@pytest.mark.parametrize("shards", [1, 2, 12])
def test_names_tell_how_many_there_are(shards):
    assert {shards_named(name) for name in router_consumers(shards)} == {shards}
    shuffled = sorted(router_consumers(shards))
    assert tuple(sorted(shuffled, key=order_of)) == router_consumers(shards)


@pytest.mark.parametrize(
    "name",
    ["auditor", "executor-0", "router-", "router-2-of-2", "router-0-of-1", "router-01-of-2", ""],
    ids=lambda name: name or "empty",
)
def test_other_names_are_no_shards(name):
    assert shards_named(name) is None


@pytest.mark.parametrize(
    ("created", "working"),
    [
        (made(), None),
        (made(1), 1),
        (made(2, 4), 2),
        (made(4, 2), 4),
        ({name: at for name, at in made(2, 4).items() if name != "router-1-of-2"}, 4),
        ({name: at for name, at in made(2, 4).items() if name != "router-3-of-4"}, 2),
        ({"router-0-of-2": NOW, "executor-0": NOW, "auditor": NOW}, None),
    ],
    ids=["none", "one", "new-beside-old", "the-older", "old-taken-apart", "new-half-made", "half"],
)
def test_the_set_counts_that_was_whole_first(created, working):
    assert working_shards(created) == working


def test_a_set_is_whole_when_its_last_one_is_made():
    created = {**made(2, 4), "router-1-of-2": NOW + timedelta(hours=1)}
    assert working_shards(created) == 4


def test_a_routes_shard_never_changes():
    """A running installation has alerts under way: another hash would hand them to two."""
    names = ["demo", "btc-trend", "eth.scalper", "München", "a" * 60]
    assert [subjects.shard_of(name, shards=4) for name in names] == [0, 2, 1, 2, 2]


@pytest.mark.parametrize("shards", [2, 3, 4, 8])
def test_routes_are_spread(shards):
    found = [subjects.shard_of(f"route-{n}", shards=shards) for n in range(1_000)]
    assert max(found.count(shard) for shard in range(shards)) < 1.3 * 1_000 / shards
    assert min(found.count(shard) for shard in range(shards)) > 0.7 * 1_000 / shards


@pytest.mark.parametrize("route", ["demo", "with.dot", "with space", "München", ""])
def test_an_alert_is_of_exactly_one_shard(route):
    subject = subjects.alert_received(route)
    of = [shard for shard in range(5) if is_of_shard(subject, shard=shard, shards=5)]
    assert of == [subjects.shard_of(route, shards=5)]


def test_a_mismatch_names_both_numbers():
    assert mismatch(3, ours=3) is None
    told = mismatch(3, ours=4)
    assert "3 router shards" in told
    assert "set up for 4" in told
    assert "the set-up step has to run" in mismatch(None, ours=1)


def test_there_is_one_consumer_name_per_shard():
    assert len({router_consumer(shard, shards=n) for n in range(1, 9) for shard in range(n)}) == 36

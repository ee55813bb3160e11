"""How accounts are shared over executor shards, as the first one's consumer tells it."""

import pytest
from nats.js.api import ConsumerConfig, ConsumerInfo

from libs.common.executor_shards import (
    executor_consumer,
    executor_consumers,
    mismatch,
    shard_named,
    shards_told,
)
from libs.common.settings import SettingsError, from_env
from services.executor.settings import Settings
from tests.factories import NOW


def first(metadata):
    config = ConsumerConfig(metadata=metadata)
    return ConsumerInfo(name="executor-0", stream_name="PIPELINE", config=config, created=NOW)


def test_names_go_both_ways():
    assert executor_consumers(3) == ("executor-0", "executor-1", "executor-2")
    assert [shard_named(executor_consumer(shard)) for shard in (0, 7, 63)] == [0, 7, 63]


@pytest.mark.parametrize(
    "name",
    ["auditor", "router", "executor", "executor-", "executor-01", "executor-1-of-2", "Executor-1"],
)
def test_other_names_are_no_shards(name):
    assert shard_named(name) is None


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"alertwire.shards": "2"}, 2),
        ({"alertwire.shards": "2", "_nats.level": "1"}, 2),
        ({"_nats.level": "1"}, None),
        ({"alertwire.shards": "two"}, None),
        ({"alertwire.shards": "²"}, None),
        (None, None),
    ],
    ids=["told", "beside the server's own", "older release", "no number", "no digit", "nothing"],
)
def test_the_first_consumer_tells_how_many_there_are(metadata, told):
    assert shards_told(first(metadata)) == told


@pytest.mark.parametrize(("shard", "shards"), [(1, 1), (2, 2), (-1, 2), (0, 0)])
def test_a_shard_that_there_is_not_is_no_setting(shard, shards):
    environ = {
        "ALERTWIRE_NATS_URL": "nats://host",
        "ALERTWIRE_HEALTH_PORT": "1",
        "ALERTWIRE_SEALING_KEY_FILE": "none",
        "ALERTWIRE_SHARD": str(shard),
        "ALERTWIRE_SHARDS": str(shards),
    }
    with pytest.raises(SettingsError, match=f"ALERTWIRE_SHARD is {shard}, and .* {shards}: "):
        from_env(Settings, environ)


def test_a_log_without_executors_tells_nothing():
    assert shards_told(None) is None


@pytest.mark.parametrize(("told", "ours"), [(None, 1), (None, 3), (1, 1), (4, 4)])
def test_the_same_number_is_no_mismatch_nor_is_one_that_nobody_told(told, ours):
    assert mismatch(told, ours=ours) is None


def test_a_mismatch_names_both_numbers_and_what_has_to_agree():
    assert mismatch(1, ours=2) == (
        "accounts are shared over 1 executor shard, and this process is set up for 2:"
        " ALERTWIRE_SHARDS and the set-up step must agree"
    )
    assert "over 4 executor shards, and this process is set up for 1:" in str(mismatch(4, ours=1))

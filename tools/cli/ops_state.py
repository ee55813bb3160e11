"""The log's streams and consumers as they are, and what is wrong with them. Gathering asks; judging
is pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import AccountInfo, ClusterInfo, ConsumerInfo, StreamInfo

from libs.common.consumers_made import ConsumersUntold, consumers_made
from libs.common.contracts import subjects
from libs.common.executor_shards import (
    executor_consumer,
    executor_consumers,
    in_words,
    shard_named,
    shards_told,
    waiting_of,
)
from libs.common.topology import AUDITED_STREAMS, AUDITOR, ROUTER, wanted_streams

STREAMS = (subjects.STREAM, subjects.ANCHORS, *map(subjects.bucket_stream, subjects.BUCKETS))
_UNCHECKED = frozenset({"num_replicas", "placement", "metadata", "consumer_limits"})
_FULL_ABOVE = 0.8


@dataclass(frozen=True, kw_only=True)
class LogState:
    streams: Mapping[str, StreamInfo]
    consumers: Sequence[ConsumerInfo]
    """Of our streams, as far as the log tells them."""
    unled: Sequence[tuple[str, str]] = ()
    """Stream and name of those that it does not tell, since nobody leads them."""
    account: AccountInfo


async def gathered(js: JetStreamContext) -> LogState:
    streams = {str(info.config.name): info for info in await js.streams_info()}
    consumers: list[ConsumerInfo] = []
    unled: list[tuple[str, str]] = []
    for name in STREAMS:
        if name in streams:
            try:
                consumers += (await consumers_made(js, name)).values()
            except ConsumersUntold as error:
                consumers += error.told.values()
                unled += [(name, each) for each in error.missing]
    account = await js.account_info()
    return LogState(streams=streams, consumers=consumers, unled=unled, account=account)


def wrong(
    state: LogState, *, replicas: int, shards: int | None, waiting_max: int | None
) -> Iterator[str]:
    """Each thing that is not as `alertwire ops setup` leaves it, or keeps messages from being
    handled.
    """
    for name in STREAMS:
        if name not in state.streams:
            yield f"stream {name} is missing (run `alertwire ops setup`), or has no leader"
        else:
            yield from _wrong_stream(state.streams[name], replicas=replicas)
    for wanted in wanted_streams(replicas=replicas, placement=()):
        if (found := state.streams.get(str(wanted.name))) is not None:
            yield from _wrong_settings(found, wanted.as_dict())
    by_name = {(info.stream_name, info.name): info for info in state.consumers}
    told = shards_told(by_name.get((subjects.STREAM, executor_consumer(0))))
    if shards is not None and told is not None and told != shards:
        yield f"accounts are shared over {in_words(told)}, not {shards}"
    for stream, name in _durables(state, shards=shards or told or 1):
        info = by_name.get((stream, name))
        if (stream, name) in state.unled:
            yield f"consumer {name} of {stream}: no leader"
        elif info is None:
            yield f"consumer {name} of {stream} is missing: run `alertwire ops setup`"
        else:
            yield from _wrong_consumer(info, waiting_max=waiting_max)
    yield from _left_over(by_name.values(), told=told)
    yield from _full(state.account)


def durables(state: LogState) -> list[ConsumerInfo]:
    """Those that stay: consumers of the moment come and go with who reads."""
    return [info for info in state.consumers if info.config.durable_name]


def lacking(cluster: ClusterInfo | None) -> list[str]:
    """What a stream or consumer lacks; without a cluster there is one server, which has all."""
    if cluster is None or cluster.raft_group is None:
        return []
    found = [] if cluster.leader else ["no leader"]
    for peer in cluster.replicas or ():
        if peer.offline:
            found.append(f"{peer.name} is away")
        elif not peer.current:
            found.append(f"{peer.name} is {peer.lag or 0} behind")
    return found


def _durables(state: LogState, *, shards: int) -> list[tuple[str, str]]:
    """Those that are there, and those that have to be."""
    found = [*((info.stream_name, info.name) for info in durables(state)), *state.unled]
    if not any(_is_router(name) for stream, name in found if stream == subjects.STREAM):
        found.append((subjects.STREAM, ROUTER))
    executors = ((subjects.STREAM, name) for name in executor_consumers(shards))
    return list(dict.fromkeys([*found, *executors, *((each, AUDITOR) for each in AUDITED_STREAMS)]))


def _is_router(name: str) -> bool:
    return name == ROUTER or name.startswith(f"{ROUTER}-")


def _wrong_stream(info: StreamInfo, *, replicas: int) -> Iterator[str]:
    name = info.config.name
    if info.config.num_replicas != replicas:
        yield f"stream {name} has {info.config.num_replicas} replicas, not {replicas}"
    for lack in lacking(info.cluster):
        yield f"stream {name}: {lack}"
    if info.state.lost is not None and info.state.lost.msgs:
        yield f"stream {name} has lost {len(info.state.lost.msgs)} messages on its disk"
    if str(name).startswith("KV_") and not info.config.deny_delete:
        yield f"stream {name} lets single entries be deleted"


def _wrong_settings(info: StreamInfo, wanted: Mapping[str, Any]) -> Iterator[str]:
    found = info.config.as_dict()
    for field, value in wanted.items():
        if field not in _UNCHECKED and value is not None and found.get(field) != value:
            yield f"stream {info.config.name}: {field} is {found.get(field)}, not {value}"


def _wrong_consumer(info: ConsumerInfo, *, waiting_max: int | None) -> Iterator[str]:
    name = f"consumer {info.name} of {info.stream_name}"
    if info.paused:
        yield f"{name} is paused: alertwire ops resume {info.name}"
    for lack in lacking(info.cluster):
        yield f"{name}: {lack}"
    waiting = waiting_of(info)
    if waiting_max is not None and waiting > waiting_max:
        yield f"{name} has {waiting} messages waiting"


def _left_over(consumers: Iterable[ConsumerInfo], *, told: int | None) -> Iterator[str]:
    """Of executor shards that there are no more."""
    for info in consumers:
        shard = shard_named(info.name)
        if told is not None and shard is not None and shard >= told and waiting_of(info):
            yield (
                f"consumer {info.name} of {info.stream_name} has {waiting_of(info)} waiting that"
                f" nobody takes: executor shards end at {told - 1}"
            )


def _full(account: AccountInfo) -> Iterator[str]:
    most = account.limits.max_storage
    if most and most > 0 and account.storage > most * _FULL_ABOVE:
        yield f"the log has {account.storage:,} of the {most:,} bytes that it may have"

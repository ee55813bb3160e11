"""The log's stream, its durable consumers, the stream of anchors and the KV buckets: made by a
set-up step, not by the services, which therefore need no right to change them. Idempotent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError, ServerError

from libs.common.contracts import subjects
from libs.common.executor_shards import executor_consumer, share_accounts
from libs.common.router_shards import router_consumer, share_routes

ROUTER = router_consumer(0, shards=1)
"""Where one shard has all the routes."""
AUDITOR = "auditor"
AUDITED_STREAMS = (subjects.STREAM, *map(subjects.bucket_stream, subjects.AUDITED_BUCKETS))
"""Each has a consumer `auditor` of its own, so that none waits for another."""
ACK_WAIT_S = 15
"""Silence after which the log redelivers; handlers say `in_progress` every third of it."""
DELIVERIES_MAX = -1
"""The services count tries themselves and write a dead letter, so the log never gives up alone."""
IN_FLIGHT_MAX = 512
DUPLICATE_WINDOW_S = 300
RETENTION_S = 14 * 86_400
SESSIONS_KEPT_S = 13 * 3600
"""Those that sign in renew theirs sooner."""
_KV_HISTORY = 16
_KV_DUPLICATE_WINDOW_S = 120
_STORE_NOT_MADE = 10049
_MADE_AGAIN_S = (0.1, 0.3, 1.0)


async def ensure_topology(
    js: JetStreamContext,
    *,
    replicas: int = 1,
    shards: int | None = None,
    router_shards: int | None = None,
    placement: Sequence[str] = (),
) -> list[str]:
    """Make what is missing, and bring what is there to these settings; tells in words what was
    done. `placement`: tags of the servers that may keep it. Where `shards` or
    `router_shards` is None, accounts or routes stay shared as they are. Raises `StillWaiting`.
    """
    done: list[str] = []
    for wanted in wanted_streams(replicas=replicas, placement=placement):
        await _stream(js, wanted, done)
    for bucket in subjects.BUCKETS:
        await _bucket(js, name=bucket, replicas=replicas, placement=placement, done=done)

    async def make_router_consumer(name: str, after: int) -> None:
        await _consumer(js, name=name, filter_subject=subjects.ALERTS_RECEIVED, after=after)

    done += await share_routes(js, shards=router_shards, make=make_router_consumer)

    async def make_executor_consumer(shard: int, metadata: Mapping[str, str]) -> None:
        name, intents = executor_consumer(shard), subjects.intents_of_shard(shard)
        await _consumer(js, name=name, filter_subject=intents, metadata=metadata)

    done += await share_accounts(js, shards=shards, make=make_executor_consumer)
    for audited in AUDITED_STREAMS:
        await _consumer(
            js,
            stream=audited,
            name=AUDITOR,
            filter_subject=None,
            in_flight=10_000,
            ack_wait_s=60,
            ack_policy=api.AckPolicy.ALL,
        )
    return done


def wanted_streams(*, replicas: int, placement: Sequence[str]) -> list[api.StreamConfig]:
    """The log and the anchors; buckets have settings of their own."""
    log = api.StreamConfig(
        name=subjects.STREAM,
        subjects=list(subjects.STREAM_SUBJECTS),
        storage=api.StorageType.FILE,
        retention=api.RetentionPolicy.LIMITS,
        discard=api.DiscardPolicy.OLD,
        num_replicas=replicas,
        placement=_placement(placement),
        max_age=RETENTION_S,
        duplicate_window=DUPLICATE_WINDOW_S,
        allow_direct=True,
        allow_atomic=True,
    )
    # Nothing is ever taken out of the anchors again: one must outlive whoever wants it gone.
    anchors = api.StreamConfig(
        name=subjects.ANCHORS,
        subjects=[subjects.ANCHOR_SUBJECTS],
        storage=api.StorageType.FILE,
        retention=api.RetentionPolicy.LIMITS,
        num_replicas=replicas,
        placement=_placement(placement),
        max_age=0,
        duplicate_window=DUPLICATE_WINDOW_S,
        allow_direct=True,
        deny_delete=True,
        deny_purge=True,
    )
    return [log, anchors]


def _placement(tags: Sequence[str]) -> api.Placement | None:
    return api.Placement(tags=list(tags)) if tags else None


async def _stream(js: JetStreamContext, wanted: api.StreamConfig, done: list[str]) -> None:
    name = str(wanted.name)
    try:
        before = (await js.stream_info(name)).config
    except NotFoundError:
        await _made(lambda: js.add_stream(wanted))
        done.append(f"made stream {name}")
        return
    after = (await js.update_stream(wanted)).config
    done.extend(_changes(f"stream {name}", before, after))


async def _made(make: Callable[[], Awaitable[object]]) -> None:
    """Where a stream of the same name was just deleted, its files may still be there."""
    for pause_s in _MADE_AGAIN_S:
        try:
            await make()
        except ServerError as error:
            if error.err_code != _STORE_NOT_MADE:
                raise
            await asyncio.sleep(pause_s)
        else:
            return
    await make()


async def _consumer(  # noqa: PLR0913 - a consumer's settings, each by name
    js: JetStreamContext,
    *,
    name: str,
    filter_subject: str | None,
    stream: str = subjects.STREAM,
    in_flight: int = IN_FLIGHT_MAX,
    ack_wait_s: int = ACK_WAIT_S,
    ack_policy: api.AckPolicy = api.AckPolicy.EXPLICIT,
    after: int = 0,
    metadata: Mapping[str, str] | None = None,
) -> None:
    # No `backoff`: it would override the ack wait and redeliver what is still being handled.
    wanted = api.ConsumerConfig(
        durable_name=name,
        filter_subject=filter_subject,
        deliver_policy=(api.DeliverPolicy.BY_START_SEQUENCE if after else api.DeliverPolicy.ALL),
        opt_start_seq=after + 1 if after else None,
        ack_policy=ack_policy,
        ack_wait=ack_wait_s,
        max_deliver=DELIVERIES_MAX,
        max_ack_pending=in_flight,
        metadata=dict(metadata) if metadata else None,
    )
    handled = await _retired(js, stream=stream, name=name, wanted=wanted)
    await js.add_consumer(stream, wanted)
    if handled:
        await js.reset_consumer(stream, name, seq=handled + 1)


async def _retired(
    js: JetStreamContext, *, stream: str, name: str, wanted: api.ConsumerConfig
) -> int:
    """Where a consumer of an older release acknowledges in another way, which cannot be changed,
    take it away; returns the place up to which it had handled everything.
    """
    try:
        found = await js.consumer_info(stream, name)
    except NotFoundError:
        return 0
    if found.config.ack_policy == wanted.ack_policy:
        return 0
    await js.delete_consumer(stream, name)
    return found.ack_floor.stream_seq if found.ack_floor is not None else 0


async def _bucket(
    js: JetStreamContext, *, name: str, replicas: int, placement: Sequence[str], done: list[str]
) -> None:
    stream = subjects.bucket_stream(name)
    try:
        before = (await js.stream_info(stream)).config
    except NotFoundError:
        wanted = _bucket_stream(name, replicas=replicas, placement=placement)
        await _made(lambda: js.add_stream(wanted))
        done.append(f"made bucket {name}")
        return
    # What else a bucket is was decided when it was made.
    moved = before.evolve(num_replicas=replicas, placement=_placement(placement))
    if (before.num_replicas, _tags(before)) != (replicas, list(placement)):
        after = (await js.update_stream(moved)).config
        done.extend(_changes(f"bucket {name}", before, after))


def _bucket_stream(name: str, *, replicas: int, placement: Sequence[str]) -> api.StreamConfig:
    """As the library makes it, but that it leaves out the placement."""
    kept_s = SESSIONS_KEPT_S if name == subjects.BUCKET_SESSIONS else 0
    return api.StreamConfig(
        name=subjects.bucket_stream(name),
        subjects=[subjects.bucket_subject(bucket=name, key=">")],
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.NEW,
        num_replicas=replicas,
        placement=_placement(placement),
        max_msgs_per_subject=1 if name in subjects.WITHOUT_HISTORY else _KV_HISTORY,
        max_age=kept_s,
        duplicate_window=min(kept_s, _KV_DUPLICATE_WINDOW_S) or _KV_DUPLICATE_WINDOW_S,
        allow_rollup_hdrs=True,
        allow_msg_ttl=True,
        deny_delete=True,
    )


def _tags(config: api.StreamConfig) -> list[str]:
    return list(config.placement.tags or ()) if config.placement is not None else []


def _changes(what: str, before: api.StreamConfig, after: api.StreamConfig) -> Iterator[str]:
    old, new = before.as_dict(), after.as_dict()
    for name in sorted(set(old) | set(new)):
        if name != "metadata" and old.get(name) != new.get(name):
            yield f"{what}: {name} was {old.get(name)}, is {new.get(name)}"

"""The log's stream, its durable consumers, the stream of anchors and the KV buckets: made by a
set-up step, not by the services, which therefore need no right to change them. Idempotent.
"""

import asyncio
from collections.abc import Awaitable, Callable

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError, ServerError

from libs.common.contracts import subjects
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
_STORE_NOT_MADE = 10049
_MADE_AGAIN_S = (0.1, 0.3, 1.0)


def executor_consumer(shard: int) -> str:
    return f"executor-{shard}"


async def ensure_topology(
    js: JetStreamContext, *, replicas: int = 1, shards: int = 1, router_shards: int | None = None
) -> None:
    """Make what is missing, and bring what is there to these settings. Where `router_shards` is
    None, the routes stay shared as they are.
    """
    stream = api.StreamConfig(
        name=subjects.STREAM,
        subjects=list(subjects.STREAM_SUBJECTS),
        storage=api.StorageType.FILE,
        retention=api.RetentionPolicy.LIMITS,
        discard=api.DiscardPolicy.OLD,
        num_replicas=replicas,
        max_age=RETENTION_S,
        duplicate_window=DUPLICATE_WINDOW_S,
        allow_direct=True,
        allow_atomic=True,
    )
    await _stream(js, stream)
    await _stream(js, _anchors(replicas=replicas))
    for bucket in subjects.BUCKETS:
        await _bucket(js, name=bucket, replicas=replicas)

    async def make_router_consumer(name: str, after: int) -> None:
        await _consumer(js, name=name, filter_subject=subjects.ALERTS_RECEIVED, after=after)

    await share_routes(js, shards=router_shards, make=make_router_consumer)
    for shard in range(shards):
        await _consumer(
            js, name=executor_consumer(shard), filter_subject=subjects.intents_of_shard(shard)
        )
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


# Nothing is ever taken out of it again: an anchor must outlive whoever wants it gone.
def _anchors(*, replicas: int) -> api.StreamConfig:
    return api.StreamConfig(
        name=subjects.ANCHORS,
        subjects=[subjects.ANCHOR_SUBJECTS],
        storage=api.StorageType.FILE,
        retention=api.RetentionPolicy.LIMITS,
        num_replicas=replicas,
        max_age=0,
        duplicate_window=DUPLICATE_WINDOW_S,
        allow_direct=True,
        deny_delete=True,
        deny_purge=True,
    )


async def _stream(js: JetStreamContext, wanted: api.StreamConfig) -> None:
    try:
        await js.stream_info(str(wanted.name))
        await js.update_stream(wanted)
    except NotFoundError:
        await _made(lambda: js.add_stream(wanted))


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


async def _bucket(js: JetStreamContext, *, name: str, replicas: int) -> None:
    try:
        await js.key_value(name)
    except NotFoundError:
        wanted = api.KeyValueConfig(
            bucket=name,
            history=1 if name in subjects.WITHOUT_HISTORY else _KV_HISTORY,
            ttl=SESSIONS_KEPT_S if name == subjects.BUCKET_SESSIONS else None,
            storage=api.StorageType.FILE,
            replicas=replicas,
        )
        await _made(lambda: js.create_key_value(wanted))

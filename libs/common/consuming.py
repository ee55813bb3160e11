"""The consumer loop that router and executor share. It knows order, tries and acknowledgement, and
nothing of what the messages mean.

Messages are put into lanes (`lane_of`): one lane is handled strictly in the order of the log,
different lanes run side by side, so that one slow order delays nobody else. A message that must be
tried again holds its lane; it is never handed back to the log, which would deliver it after newer
ones.

On start the consumer is reset to its acknowledgement floor: whatever a dead predecessor left
unacknowledged comes first and in order. JetStream alone would send new messages before them.
Messages that were acknowledged above the floor come again too, so handlers must recognise what is
done. One process consumes a durable at a time (docs/decisions/0003-order-across-a-crash.md).
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import nats.errors
import nats.js.errors
import structlog
from opentelemetry.trace import Span

from libs.common import metrics
from libs.common.arrival import Arrival
from libs.common.bus import Bus, LogUnavailable, origin_of
from libs.common.contracts import codec, subjects
from libs.common.contracts.codec import AnyMessage, UndecodableError
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.words import AlertId
from libs.common.depths import shown
from libs.common.describing import about, handling
from libs.common.domain import identity
from libs.common.domain.retrying import next_delay_s
from libs.common.outcome import Refuse, Retry, Unknown
from libs.common.pulling import pulling
from libs.common.telemetry import is_on, process_span
from libs.common.topology import ACK_WAIT_S, IN_FLIGHT_MAX

TRIES_MAX = 200
"""About a quarter of an hour: an exit outlasts an exchange's outage. An entry grows stale first."""
BUG_TRIES_MAX = 10
"""About half a minute: a bug of ours seldom mends itself, and it holds its lane meanwhile."""
_FINISHED_REMEMBERED = 20_000
_STOP_GRACE_S = 4.0
_RECONNECT_S = 0.5
_UNCERTAIN_LOOK_S = 0.05
_ACKS_GATHERED_S = 0.01

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message of the log on its way to a handler."""

    seq: int
    subject: str
    stored_at: datetime
    message: AnyMessage
    headers: Mapping[str, str]
    data: bytes
    came: Arrival = field(repr=False)
    origin_seq: int
    """Where what was done about it begins: its own place, or the first one's where it is a dead
    letter's message that was put into the log again."""
    fresh: bool
    """False where this message may have been handled before, wholly or in part: by an earlier
    process, or in an earlier try. Its handler then reads in the log what was done."""


Handler = Callable[[Delivery], Awaitable[None]]
"""Handles one message; raises only `Retry`, `Refuse` or `Unknown`. Anything else is a bug."""


class Consumer:
    """Feeds one durable consumer's messages to a handler, lane by lane."""

    def __init__(
        self,
        bus: Bus,
        *,
        durable: str,
        handler: Handler,
        lane_of: Callable[[AnyMessage], str],
        is_ours: Callable[[str], bool] = lambda _subject: True,
        is_certain: Callable[[], bool] = lambda: True,
    ) -> None:
        """`is_ours`: whether a subject is handled here; another's is acknowledged unread, since
        that one has a consumer of its own. `is_certain`: whether nobody else can be at the durable
        now; while it does not hold nothing is taken, since that one would get it too late.
        """
        self._bus = bus
        self._is_certain = is_certain
        self._is_ours = is_ours
        self._durable = durable
        self._handler = handler
        self._lane_of = lane_of
        self._lanes: dict[str, deque[Delivery]] = {}
        self._in_flight: dict[int, Arrival] = {}
        self._finished: OrderedDict[int, None] = OrderedDict()
        self._done: list[str] = []
        self._ready = False
        self._stopping = False
        self._old_until = 0
        self._given_until = 0
        """Up to here the log had delivered before the last reset, to us or to a predecessor."""
        self._waiting = 0
        self._handled_in = metrics.Latency(metrics.handling_seconds.labels(bus.service))

    def missing(self) -> str | None:
        """A readiness check."""
        return None if self._ready else f"consumer {self._durable} is not attached"

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; then let what is being handled finish, and leave the rest."""
        with shown(self._bus.service, self):
            await self._run(stop)

    def waiting(self) -> int:
        return self._waiting

    def in_hand(self) -> int:
        return len(self._in_flight)

    def oldest_s(self) -> float:
        stored = min((came.stored_ns for came in self._in_flight.values()), default=None)
        return 0.0 if stored is None else max(0.0, time.time() - stored / 1e9)

    def lanes(self) -> int:
        return len(self._lanes)

    def deepest_lane(self) -> int:
        return max((len(queue) + 1 for queue in self._lanes.values()), default=0)

    async def _run(self, stop: asyncio.Event) -> None:
        await self._reset(stop)
        _log.info("consumer.attached", durable=self._durable, old_until_seq=self._old_until)
        async with asyncio.TaskGroup() as group:
            heartbeat = group.create_task(self._keep_alive())
            workers: set[asyncio.Task[None]] = set()
            while not stop.is_set():
                try:
                    await self._take(group, workers, stop)
                except (nats.errors.Error, OSError) as error:
                    self._ready = False
                    _log.warning("consumer.lost", error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(_RECONNECT_S)
                if not stop.is_set():
                    await self._reset(stop)
                    _log.info("consumer.reattached", old_until_seq=self._old_until)
            self._ready, self._stopping = False, True
            if workers:
                _, running = await asyncio.wait(workers, timeout=_STOP_GRACE_S)
                for worker in running:
                    worker.cancel()
            heartbeat.cancel()
            self._acknowledge_all()

    async def _take(
        self, group: asyncio.TaskGroup, workers: set[asyncio.Task[None]], stop: asyncio.Event
    ) -> None:
        """From a reset of the consumer until the connection is lost."""
        async with pulling(
            self._bus,
            durable=self._durable,
            room=self._room,
            going=lambda: not stop.is_set(),
        ) as batches:
            async for batch in batches:
                self._ready = True
                if batch:
                    self._waiting = batch[-1].waiting
                for came in batch:
                    await self._accept(came, group=group, workers=workers)
                if not batch and self._room() <= 0:
                    await asyncio.sleep(0.01)

    def _room(self) -> int:
        # A process that slept takes what another waits for, before it knows that it is superseded.
        return IN_FLIGHT_MAX - len(self._in_flight) if self._is_certain() else 0

    async def _reset(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not self._is_certain():
                await asyncio.sleep(_UNCERTAIN_LOOK_S)
                continue
            try:
                consumer = await self._bus.js.consumer_info(subjects.STREAM, self._durable)
                if consumer.delivered is not None:
                    self._given_until = max(self._given_until, consumer.delivered.stream_seq)
                await self._bus.js.reset_consumer(subjects.STREAM, self._durable)
                info = await self._bus.js.stream_info(subjects.STREAM)
                self._old_until = info.state.last_seq
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                _log.warning("consumer.waiting", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_RECONNECT_S)
            else:
                return

    async def _accept(
        self, came: Arrival, *, group: asyncio.TaskGroup, workers: set[asyncio.Task[None]]
    ) -> None:
        seq = came.seq
        if not self._is_ours(came.subject):
            self._acknowledge(came)
            return
        if self._is_redelivered(came):
            metrics.redelivered.labels(self._bus.service).inc()
        if seq in self._finished:
            self._acknowledge(came)
            return
        if seq in self._in_flight:
            # Our heartbeat came late; the newer delivery is the one to acknowledge.
            self._in_flight[seq] = came
            return
        self._in_flight[seq] = came
        try:
            delivery = _decoded(came, old_until=self._old_until)
        except UndecodableError as error:
            await self._bury(came, reason=f"undecodable: {error}")
            self._finish(came, outcome="dead")
            return
        lane = self._lane_of(delivery.message)
        queue = self._lanes.get(lane)
        if queue is not None:
            queue.append(delivery)
            return
        self._lanes[lane] = queue = deque([delivery])
        worker = group.create_task(self._work(lane, queue))
        workers.add(worker)
        worker.add_done_callback(workers.discard)

    async def _work(self, lane: str, queue: deque[Delivery]) -> None:
        try:
            while queue and not self._stopping:
                delivery = queue.popleft()
                started = time.perf_counter()
                outcome = await self._handle(delivery)
                self._handled_in.observe(time.perf_counter() - started, delivery.message.alert_id)
                self._finish(self._in_flight[delivery.seq], outcome=outcome)
        finally:
            # No await lies between the last look at the queue and this line, so none is lost.
            del self._lanes[lane]

    async def _handle(self, delivery: Delivery) -> str:
        with structlog.contextvars.bound_contextvars(
            alert_id=delivery.message.alert_id, seq=delivery.seq
        ):
            tried = 0
            while True:
                tried += 1
                tries_max = TRIES_MAX
                try:
                    with self._span(delivery, tried=tried):
                        await self._check_origin(delivery)
                        await self._handler(delivery)
                except Refuse as refusal:
                    await self._bury(delivery.came, reason=refusal.reason)
                    return "dead"
                except (Retry, Unknown) as failure:
                    reason, delay_s = failure.reason, max(failure.delay_s, next_delay_s(tried - 4))
                except LogUnavailable as failure:
                    # Not the message's fault, and nothing can be buried meanwhile: no try counted.
                    reason, delay_s = str(failure), next_delay_s(tried)
                    tried -= 1
                except Exception as failure:  # noqa: BLE001 - the outermost loop: a bug of ours
                    reason, delay_s = f"{type(failure).__name__}: {failure}", next_delay_s(tried)
                    _log.exception("message.failed", tries=tried)
                    tries_max = BUG_TRIES_MAX
                else:
                    return "done"
                if tried >= tries_max:
                    reason = f"given up after {tried} tries: {reason}"
                    await self._bury(delivery.came, reason=reason)
                    return "dead"
                _log.warning("message.delayed", tries=tried, reason=reason, delay_s=delay_s)
                await asyncio.sleep(delay_s)
                delivery = replace(delivery, fresh=False)

    def _span(self, delivery: Delivery, *, tried: int) -> contextlib.AbstractContextManager[Span]:
        name = f"process {subjects.parse(delivery.subject).stage}"
        if not is_on():
            return process_span(delivery.headers, name, {})
        # The log may have delivered it again since.
        came = self._in_flight[delivery.seq]
        attributes = {
            **handling(came, durable=self._durable),
            "alertwire.redelivered": self._is_redelivered(came),
            "alertwire.fresh": delivery.fresh,
            "alertwire.tries": tried,
        }
        return process_span(delivery.headers, name, attributes, about=about(delivery.message))

    async def _check_origin(self, delivery: Delivery) -> None:
        """Raises `Refuse` where the log no longer tells what was done about a message since it
        came first: handled anew, an order would leave twice.
        """
        origin_seq = delivery.origin_seq
        if origin_seq < delivery.seq and origin_seq < await self._bus.first_seq():
            raise Refuse(f"the log has forgotten what was done about it since {origin_seq}")

    async def _bury(self, came: Arrival, *, reason: str) -> None:
        """Keep the message whole with its reason; nothing is acknowledged before that is stored."""
        service, seq = self._bus.service, came.seq
        letter = DeadLetter(
            service=service,
            at=datetime.now(UTC),
            subject=came.subject,
            seq=seq,
            deliveries=came.deliveries,
            reason=reason,
            data=came.data,
            headers=came.headers,
            alert_id=_alert_of(came),
        )
        tried = 0
        while True:
            try:
                await self._bus.publish(
                    subject=subjects.dead(service),
                    message=letter,
                    event_id=identity.dead_event_id(service=service, seq=seq),
                )
            except LogUnavailable:
                tried += 1
                await asyncio.sleep(next_delay_s(tried))
            else:
                break
        metrics.dead_letters.labels(service).inc()
        _log.error("message.buried", seq=seq, reason=reason)

    def _is_redelivered(self, came: Arrival) -> bool:
        # A reset consumer counts deliveries anew.
        return came.deliveries > 1 or came.seq <= self._given_until

    def _finish(self, came: Arrival, *, outcome: str) -> None:
        self._in_flight.pop(came.seq, None)
        self._finished[came.seq] = None
        if len(self._finished) > _FINISHED_REMEMBERED:
            self._finished.popitem(last=False)
        metrics.handled.labels(self._bus.service, outcome).inc()
        self._acknowledge(came)

    def _acknowledge(self, came: Arrival) -> None:
        # Nobody waits for it, so those of a few milliseconds leave together.
        self._done.append(came.reply)
        if len(self._done) == 1:
            asyncio.get_running_loop().call_later(_ACKS_GATHERED_S, self._acknowledge_all)

    def _acknowledge_all(self) -> None:
        done, self._done = self._done, []
        # A lost acknowledgement brings the message back, and `_finished` knows it.
        with contextlib.suppress(nats.errors.Error, OSError):
            for reply in done:
                self._bus.client.post(reply, b"")

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            with contextlib.suppress(nats.errors.Error, OSError):
                for came in self._in_flight.values():
                    self._bus.client.post(came.reply, b"+WPI")


def _decoded(came: Arrival, *, old_until: int) -> Delivery:
    origin_seq = origin_of(came.headers, seq=came.seq)
    return Delivery(
        seq=came.seq,
        subject=came.subject,
        stored_at=came.stored_at,
        message=codec.decode(came.data),
        headers=came.headers,
        data=came.data,
        came=came,
        origin_seq=origin_seq,
        fresh=came.seq > old_until and came.deliveries == 1 and origin_seq == came.seq,
    )


def _alert_of(came: Arrival) -> AlertId | None:
    try:
        return codec.decode(came.data).alert_id
    except UndecodableError:
        return None

"""A standing pull on a durable consumer: messages come as soon as the log has them.

One request stands at a time, asks for what the process can still take, and is renewed when it is
used up, ends or is lost (a restarted server forgets it).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import msgspec
import nats.errors
import structlog

from libs.common.arrival import Arrival, arrival
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.express import NO_RESPONDERS, status_of

LOOK_UP_S = 0.2
_EXPIRES_S = 2.0
_GRACE_S = 0.5

_log = structlog.get_logger()


def pulling(
    bus: Bus,
    *,
    durable: str,
    room: Callable[[], int],
    going: Callable[[], bool],
    gather_s: Callable[[], float] = lambda: 0.0,
    stream: str = subjects.STREAM,
) -> AbstractAsyncContextManager[AsyncIterator[list[Arrival]]]:
    """Batches of what has come, in its order; empty where nothing came for a moment, so that the
    caller can look up. They end when `going()` does.

    A context, so that whoever leaves in the middle has left: a request that still stood would take
    what comes after the next reset of the consumer.

    `room()` is how many more messages the caller can hold; while it is 0 nothing is asked for.
    `gather_s()`: so many seconds others may still come, once one has, while there is room.

    Ends when the connection was lost and is there again: what the server had sent into the old one
    comes back only after its ack wait, so newer messages must not be taken before the consumer was
    reset. Raises `nats.errors.Error` when it is lost for good, or the request is refused.
    """
    return contextlib.aclosing(
        _pull(bus, stream=stream, durable=durable, room=room, going=going, gather_s=gather_s)
    )


async def _pull(
    bus: Bus,
    *,
    stream: str,
    durable: str,
    room: Callable[[], int],
    going: Callable[[], bool],
    gather_s: Callable[[], float],
) -> AsyncGenerator[list[Arrival], None]:
    connection = bus.client.stats["reconnects"]
    inbox = bus.client.new_inbox()
    request_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
    incoming = _Incoming()
    subscription = await bus.client.listen(inbox, incoming.take)
    try:
        wanted, deadline = 0, 0.0
        while going() and bus.client.stats["reconnects"] == connection:
            now = time.monotonic()
            if wanted <= 0 or now > deadline:
                wanted = room()
                if wanted <= 0:
                    yield []
                    continue
                deadline = now + _EXPIRES_S + _GRACE_S
                bus.client.post(request_subject, _request(wanted), reply=inbox)
            arrivals = await incoming.next(gather_s=gather_s(), enough=wanted)
            if bus.client.stats["reconnects"] != connection:
                # What came behind what was lost is redelivered in its place.
                return
            if (ended := incoming.ended()) is not None:
                wanted = 0
                if ended == NO_RESPONDERS:
                    yield arrivals
                    raise nats.errors.NoRespondersError
            else:
                wanted -= len(arrivals)
            yield arrivals
    finally:
        await bus.client.forget(subscription)


class _Incoming:
    """What has come since somebody last looked."""

    def __init__(self) -> None:
        self._arrivals: list[Arrival] = []
        self._ended: str | None = None
        self._news = asyncio.Event()

    def take(self, subject: str, reply: str, data: bytes, raw_headers: bytes | None) -> None:
        status = status_of(raw_headers)
        if status is not None:
            # 404, 408, 409: the request has ended; 503: the consumer does not answer.
            self._ended = status
        else:
            try:
                self._arrivals.append(arrival(subject, reply, data, raw_headers))
            except ValueError as error:
                _log.warning("message.strange", subject=subject, error=str(error))
        self._news.set()

    async def next(self, *, gather_s: float, enough: int) -> list[Arrival]:
        if not self._news.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_UP_S):
                    await self._news.wait()
        if gather_s and 0 < len(self._arrivals) < enough:
            await asyncio.sleep(gather_s)
        self._news.clear()
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def ended(self) -> str | None:
        """How the standing request has ended, told once; None while it stands."""
        ended, self._ended = self._ended, None
        return ended


def _request(batch: int) -> bytes:
    return msgspec.json.encode({"batch": batch, "expires": int(_EXPIRES_S * 1e9)})

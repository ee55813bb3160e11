"""A standing pull on a durable consumer: messages come as soon as the log has them.

The client library's `fetch` waits for a full batch or a probe's answer first; here one request
stands at a time, asks for what the process can still take, and is renewed when it is used up, ends
or is lost (a restarted server forgets it).
"""

import time
from collections.abc import AsyncIterator, Callable

import msgspec
import nats.errors
from nats.aio.msg import Msg

from libs.common.bus import Bus
from libs.common.contracts import subjects

_EXPIRES_S = 2.0
_GRACE_S = 0.5
_LOOK_UP_S = 0.2
_STATUS = "Status"


async def pull(
    bus: Bus, *, durable: str, room: Callable[[], int], going: Callable[[], bool]
) -> AsyncIterator[Msg | None]:
    """Yield messages while `going()`; None when there was none for a moment, so that the
    caller can look up.

    `room()` is how many more messages the caller can hold; while it is 0 nothing is asked for.
    Ends when the connection was lost and is there again: what the server had sent into the old one
    comes back only after its ack wait, so newer messages must not be taken before the consumer was
    reset. Raises `nats.errors.Error` when it is lost for good, or the request is refused.
    """
    connection = bus.client.stats["reconnects"]
    inbox = bus.client.new_inbox()
    subscription = await bus.client.subscribe(inbox)
    request_subject = f"$JS.API.CONSUMER.MSG.NEXT.{subjects.STREAM}.{durable}"
    try:
        wanted, deadline = 0, 0.0
        while going() and bus.client.stats["reconnects"] == connection:
            now = time.monotonic()
            if wanted <= 0 or now > deadline:
                wanted = room()
                if wanted <= 0:
                    yield None
                    continue
                deadline = now + _EXPIRES_S + _GRACE_S
                await bus.client.publish(request_subject, _request(wanted), reply=inbox)
            try:
                message = await subscription.next_msg(timeout=_LOOK_UP_S)
            except nats.errors.TimeoutError:
                yield None
                continue
            if message.headers and _STATUS in message.headers:
                # 404, 408, 409: the request has ended; 503: the consumer does not answer.
                wanted = 0
                yield None
                if message.headers[_STATUS] == "503":
                    raise nats.errors.NoRespondersError
                continue
            if bus.client.stats["reconnects"] != connection:
                # It came behind what was lost, and is redelivered in its place.
                return
            wanted -= 1
            yield message
    finally:
        if not bus.client.is_closed:
            await subscription.unsubscribe()


def _request(batch: int) -> bytes:
    return msgspec.json.encode({"batch": batch, "expires": int(_EXPIRES_S * 1e9)})

"""The consumers of a stream, as the log has them."""

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

_LISTED_AT_ONCE = 256


async def consumers_made(js: JetStreamContext, stream: str) -> dict[str, ConsumerInfo]:
    """By name; raises the client's errors."""
    found: dict[str, ConsumerInfo] = {}
    while True:
        page = await js.consumers_info(stream, offset=len(found))
        # One that came meanwhile moves the others, and some are named again.
        fresh = {info.name: info for info in page if info.name not in found}
        found |= fresh
        if len(page) < _LISTED_AT_ONCE or not fresh:
            return found

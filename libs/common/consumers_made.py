"""The consumers of a stream, as the log has them: all that are ours, or none."""

import json
import re
from collections.abc import Iterable

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

_LISTED_AT_ONCE = 256
_WITHIN_S = 8.0
"""A cluster waits 4 s for those that nobody leads, and then names them as missing (measured with
nats-server 2.15; `missing` of its `JSApiConsumerListResponse`)."""
_OURS = re.compile(r"(router|executor|auditor)(-.+)?")
"""Those that stay. One of the moment, of who just looks, may be away as long as a server is."""


class ConsumersUntold(nats.errors.TimeoutError):
    """Nobody leads some of them, as for seconds after a server went away. Whoever went on without
    them would take them for gone.
    """

    def __init__(
        self, stream: str, *, missing: Iterable[str], told: dict[str, ConsumerInfo]
    ) -> None:
        self.missing = tuple(sorted(missing))
        self.told = told
        self._text = f"nobody leads consumer {', '.join(self.missing)} of {stream} at the moment"
        super().__init__(self._text)

    def __str__(self) -> str:
        return self._text


async def consumers_made(js: JetStreamContext, stream: str) -> dict[str, ConsumerInfo]:
    """By name; raises `ConsumersUntold` and the client's errors."""
    found: dict[str, ConsumerInfo] = {}
    missing: set[str] = set()
    while True:
        # Not `js.consumers_info`, which leaves out what is missing and does not say so.
        page = await js._api_request(  # noqa: SLF001
            f"{js._prefix}.CONSUMER.LIST.{stream}",  # noqa: SLF001
            json.dumps({"offset": len(found) + len(missing)}).encode(),
            timeout=_WITHIN_S,
        )
        told = {each["name"]: each for each in page["consumers"] or ()}
        unled = set(page.get("missing") or ())
        # One that came meanwhile moves the others, and some are named again.
        fresh = told.keys() | unled
        fresh -= found.keys() | missing
        found |= {name: ConsumerInfo.from_response(each) for name, each in told.items()}
        missing |= unled
        if len(told) + len(unled) < _LISTED_AT_ONCE or not fresh:
            break
    untold = [name for name in missing - found.keys() if _OURS.fullmatch(name)]
    if untold:
        raise ConsumersUntold(stream, missing=untold, told=found)
    return found

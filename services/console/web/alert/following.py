"""Tells a page that something new stands in the trail about what it shows: what it is, the page
asks for by itself. Comes by the log's feed, and looks into the trail at every heartbeat too, since
that may lag the log by hours where Postgres was away.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

import structlog
from litestar.response import ServerSentEventMessage

from libs.common.bus import LogUnavailable
from libs.common.contracts.words import AlertId
from services.console.alerts import alert_of
from services.console.feed import Feed, Lagging
from services.console.log_events import LogEvent, Wanted
from services.console.problems import Problem
from services.console.trail import Trail
from services.console.web.alert.overview import is_open

_REACH = 5_000
"""So far back the log is read for what came between the page and its stream."""
_POLL_S = 0.05
_LAG_S = 5.0
_GATHER_S = 0.05
"""What comes within this is told together."""

_log = structlog.get_logger()


async def news(
    *, feed: Feed, trail: Trail, alerts: Sequence[AlertId], after: int
) -> AsyncGenerator[ServerSentEventMessage, None]:
    """`alerts`: the one that is shown, then those that it lists. Ends with `over` once nothing is
    expected any more.
    """
    yield ServerSentEventMessage(comment="following", data=None)
    told = after
    wanted = Wanted(alerts=frozenset(alerts))
    start = await _start(feed, after=after)
    async with contextlib.aclosing(feed.follow(wanted=wanted, after=start)) as stream:
        async for item in stream:
            if isinstance(item, Lagging):
                return
            came = item.seq if isinstance(item, LogEvent) else 0
            if came and came <= told:
                continue
            stands = await _in_trail(trail, alerts, until=came)
            if stands > told:
                told = stands
                yield ServerSentEventMessage(id=told, event="changed", data=str(told))
            else:
                yield ServerSentEventMessage(comment="still here", data=None)
            if not came and await _is_over(trail, alerts[0]):
                yield ServerSentEventMessage(event="over", data=str(told))
                return


async def _start(feed: Feed, *, after: int) -> int | None:
    try:
        _, last = await feed.history.ends()
    except LogUnavailable:
        return None
    # A log that was made anew counts from the start again.
    return min(max(after, last - _REACH), last)


async def _in_trail(trail: Trail, alerts: Sequence[AlertId], *, until: int) -> int:
    """The last event of these in the trail, once that has come so far or is given up on."""
    await asyncio.sleep(_GATHER_S if until else 0)
    stands = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAG_S):
            while True:
                with contextlib.suppress(Problem):
                    stands = await trail.last_seq(alerts)
                if stands >= until:
                    return stands
                await asyncio.sleep(_POLL_S)
    _log.info("alert.followed_late", until=until, stands=stands)
    return stands


async def _is_over(trail: Trail, alert: AlertId) -> bool:
    try:
        document = await alert_of(trail, alert)
    except Problem:
        return False
    return document is not None and not is_open(document, now=datetime.now(UTC))

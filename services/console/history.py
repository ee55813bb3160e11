"""What stands in the log, read from it directly: whole stretches by one request each, without a
consumer. Postgres is not needed.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import nats.errors
import nats.js.errors

from libs.common.bus import Bus, LogUnavailable
from libs.common.contracts import subjects
from libs.common.express import decoded_headers, status_of
from services.console.log_events import LogEvent

BATCH = 500
_BATCH_BYTES = 1024 * 1024
_TIMEOUT_S = 2.0
_REQUEST = f"$JS.API.DIRECT.GET.{subjects.STREAM}"
_END_OF_BATCH = "204"
_NOT_FOUND = "404"


class History:
    """Of the log that `bus` is connected to. Every call raises `LogUnavailable`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def ends(self) -> tuple[int, int]:
        """The places of the oldest and the newest message; of an empty log the first is the larger
        one.
        """
        try:
            info = await self._bus.js.stream_info(subjects.STREAM)
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        return info.state.first_seq, info.state.last_seq

    async def after(self, seq: int) -> list[LogEvent]:
        """The messages behind a place, oldest first: as many as one request brings."""
        return await self._ask({"seq": seq + 1, "batch": BATCH, "max_bytes": _BATCH_BYTES})

    async def before_time(self, at: datetime, *, last: int) -> int:
        """The place behind which everything stored since then stands."""
        found = await self._ask({"start_time": at.isoformat(), "batch": 1})
        return found[0].seq - 1 if found else last

    async def before_matching(
        self, count: int, matches: Callable[[LogEvent], bool], *, last: int, reach: int
    ) -> int:
        """The place behind which the last `count` matching messages stand, or as many as there are
        among the last `reach` of the log.
        """
        lowest = max(last - reach, 0)
        ends_at, found = last, 0
        while ends_at > lowest:
            begins_at = max(ends_at - BATCH, lowest)
            for event in reversed(await self._between(begins_at, ends_at)):
                found += matches(event)
                if found == count:
                    return event.seq - 1
            ends_at = begins_at
        return lowest

    async def _between(self, after: int, until: int) -> list[LogEvent]:
        stretch: list[LogEvent] = []
        while after < until:
            batch = await self.after(after)
            stretch += (event for event in batch if event.seq <= until)
            if not batch:
                break
            after = batch[-1].seq
        return stretch

    async def _ask(self, request: dict[str, Any]) -> list[LogEvent]:
        answer = _Answer()
        client = self._bus.client
        try:
            inbox = client.new_inbox()
            subscription = await client.listen(inbox, answer.take)
            try:
                client.post(
                    _REQUEST, msgspec.json.encode({**request, "next_by_subj": ">"}), reply=inbox
                )
                async with asyncio.timeout(_TIMEOUT_S):
                    status = await answer.ended
            finally:
                await client.forget(subscription)
        except (nats.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        if status not in {_END_OF_BATCH, _NOT_FOUND}:
            raise LogUnavailable(f"the log answered {status}")
        return answer.events


class _Answer:
    """The messages of one request, and how it ended."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def take(self, _subject: str, _reply: str, data: bytes, raw_headers: bytes | None) -> None:
        status = status_of(raw_headers)
        if status is None:
            self.events.append(_event(data, decoded_headers(raw_headers)))
        elif not self.ended.done():
            self.ended.set_result(status)


def _event(data: bytes, headers: dict[str, str]) -> LogEvent:
    return LogEvent(
        seq=int(headers["Nats-Sequence"]),
        subject=headers["Nats-Subject"],
        stored_at=msgspec.convert(headers["Nats-Time-Stamp"], datetime),
        headers=headers,
        data=data,
    )

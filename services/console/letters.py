"""Dead letters as the log holds them, and putting one's message into the log again. Postgres is not
needed for either.

Of all letters only the places are read, since thousands may lie there after a night; whole ones
are read a page at a time.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import api

from libs.common.bus import Bus, LogUnavailable, origin_of
from libs.common.contracts import codec, subjects
from libs.common.contracts.dead_letter import DeadLetter, DeadReplayed
from libs.common.domain.identity import replay_event_id, replayed_event_id
from services.console.problems import Problem

_BATCH = 500
_READ_S = 5.0
_IDLE_S = 30
_SEQ_MAX = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One dead letter, its place, and its replay where somebody has replayed it."""

    seq: int
    letter: DeadLetter
    replayed: DeadReplayed | None


class DeadLetters:
    """In the log that `bus` is connected to. Every call raises `Problem`, a 503 where the log does
    not answer.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def page(self, *, before: int | None, limit: int) -> tuple[list[Letter], int | None]:
        """Newest first, and the `before` of the next page; None at the end."""
        found = await self._stored(subjects.DEAD_LETTERS, after=0, headers_only=True)
        places = [seq for seq in map(_seq, reversed(found)) if before is None or seq < before]
        page = places[:limit]
        if not page:
            return [], None
        replays = await self._replays(after=page[-1])
        try:
            entries = await asyncio.gather(*map(self._letter, page))
        except LogUnavailable as error:
            raise _unavailable(error) from None
        letters = [
            Letter(seq=seq, letter=letter, replayed=replays.get(seq))
            for seq, letter in zip(page, entries, strict=True)
            if letter is not None
        ]
        return letters, page[-1] if len(places) > limit else None

    async def find(self, seq: int) -> Letter:
        """A 404 where there is none."""
        entry = None
        try:
            if 0 < seq <= _SEQ_MAX:
                entries = self._bus.entries_after(subject=subjects.DEAD_LETTERS, seq=seq - 1)
                entry = await anext(entries, None)
        except LogUnavailable as error:
            raise _unavailable(error) from None
        if entry is None or entry.seq != seq or not isinstance(entry.message, DeadLetter):
            raise Problem(404, f"There is no dead letter {seq}; `GET /api/dead` lists them.")
        replays = await self._replays(after=seq)
        return Letter(seq=seq, letter=entry.message, replayed=replays.get(seq))

    async def replay(self, found: Letter) -> tuple[Letter, bool]:
        """Put its message into the log, and tell whether that is new.

        Who dies in between leaves a message that comes twice in the end: whoever handles it looks
        in the log for what was done.
        """
        letter = found.letter
        try:
            origin_seq = origin_of(letter.headers, seq=letter.seq)
            if origin_seq < await self._bus.first_seq():
                raise _forgotten(origin_seq)
            stored = await self._bus.replay(letter, event_id=replay_event_id(found.seq))
            replayed = DeadReplayed(
                service=letter.service,
                at=datetime.now(UTC),
                letter_seq=found.seq,
                origin_seq=stored.origin_seq,
                seq=stored.seq,
                alert_id=letter.alert_id,
            )
            told = await self._bus.publish(
                subject=subjects.dead_replayed(letter.service),
                message=replayed,
                event_id=replayed_event_id(found.seq),
            )
        except LogUnavailable as error:
            raise _unavailable(error) from None
        if told.duplicate:
            # Somebody else was faster: theirs is the one that is told.
            return await self.find(found.seq), False
        return replace(found, replayed=replayed), True

    async def _letter(self, seq: int) -> DeadLetter | None:
        try:
            entry = await self._bus.entry(seq)
        except codec.UndecodableError:
            return None
        return entry.message if isinstance(entry.message, DeadLetter) else None

    async def _replays(self, *, after: int) -> dict[int, DeadReplayed]:
        # The first one of a letter counts.
        replays: dict[int, DeadReplayed] = {}
        for raw in await self._stored(subjects.DEAD_REPLAYED, after=after, headers_only=False):
            with contextlib.suppress(codec.UndecodableError):
                message = codec.decode(raw.data)
                if isinstance(message, DeadReplayed):
                    replays.setdefault(message.letter_seq, message)
        return replays

    async def _stored(self, subject: str, *, after: int, headers_only: bool) -> Sequence[Msg]:
        # By a consumer of the moment: one question per message would take minutes.
        config = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            filter_subject=subject,
            ack_policy=api.AckPolicy.NONE,
            headers_only=headers_only,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=_IDLE_S,
        )
        js = self._bus.js
        try:
            consumer = await js.add_consumer(subjects.STREAM, config)
            reading = await js.pull_subscribe_bind(consumer=consumer.name, stream=subjects.STREAM)
            left = consumer.num_pending or 0
            found: list[Msg] = []
            while len(found) < left:
                found += await reading.fetch(min(_BATCH, left - len(found)), timeout=_READ_S)
            await reading.unsubscribe()
            await js.delete_consumer(subjects.STREAM, consumer.name)
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise _unavailable(error) from None
        return found


def _seq(raw: Msg) -> int:
    return raw.metadata.sequence.stream


def _forgotten(origin_seq: int) -> Problem:
    return Problem(
        409,
        f"The log has forgotten what was done about it since {origin_seq}; put into the log again"
        " it might be done twice.",
    )


def _unavailable(error: Exception) -> Problem:
    return Problem(503, f"The log does not answer now ({type(error).__name__}); try again.")

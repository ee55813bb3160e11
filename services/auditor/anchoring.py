"""Anchors the heads of the trail's chains outside Postgres: in a stream of the log that takes
nothing back. Whoever rewrites rows, hashes and all, contradicts what stands there.
"""

import asyncio
from datetime import UTC, datetime

import msgspec
import nats.errors
import nats.js.errors
import structlog

from libs.common.bus import HEADER_EVENT_ID, PUBLISH_TIMEOUT_S, Bus
from libs.common.contracts import subjects
from libs.common.contracts.anchor import Anchor, decode_anchor, encode_anchor
from services.auditor import metrics
from services.auditor.chaining import Head
from services.auditor.store import PostgresAway, Store

CONCLUDE_WITHIN_S = 3.0
"""The process must end within seconds."""

_log = structlog.get_logger()


class Anchoring:
    """Remembers what it anchored last, so that a chain which rests costs nothing."""

    def __init__(self, *, bus: Bus, store: Store) -> None:
        self._bus = bus
        self._store = store
        self._anchored: dict[str, tuple[int, str]] = {}
        self._trouble: str | None = None

    async def keep(self, *, every_s: float) -> None:
        """Anchor at once, for what a crash left, and then every so often; until cancelled."""
        while True:
            await self.anchor()
            await asyncio.sleep(every_s)

    async def conclude(self) -> None:
        """Anchor a last time, if that can be done at once."""
        try:
            async with asyncio.timeout(CONCLUDE_WITHIN_S):
                await self.anchor()
        except TimeoutError:
            _log.warning("audit.unanchored", error="no time left")

    async def anchor(self) -> None:
        """Anchor every head that has moved; what fails is tried again the next time."""
        try:
            found = [await self._anchor(head) for head in await self._store.heads()]
        except PostgresAway:
            return  # the store has logged it
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            found = [f"{type(error).__name__}: {error}"]
        trouble = next(filter(None, found), None)
        if trouble is not None and trouble != self._trouble:
            _log.warning("audit.unanchored", error=trouble)
        self._trouble = trouble

    # What is wrong with a head, where something is.
    async def _anchor(self, head: Head) -> str | None:
        shown = head.hash.hex()
        if head.stream not in self._anchored:
            self._anchored[head.stream] = await self._last(head.stream)
        known_seq, known = self._anchored[head.stream]
        if (known_seq, known) == (head.seq, shown):
            metrics.audit_contradicted.labels(head.stream).set(0)
            return None
        contradicted = head.seq <= known_seq
        metrics.audit_contradicted.labels(head.stream).set(contradicted)
        if contradicted:
            # A trail that is being rebuilt is short for a while; else rows were taken out of it.
            return f"{head.stream} ends at {head.seq} otherwise than it was anchored at {known_seq}"
        anchor = Anchor(stream=head.stream, seq=head.seq, hash=shown, at=datetime.now(UTC))
        await self._bus.js.publish(
            subjects.anchor(head.stream),
            encode_anchor(anchor),
            timeout=PUBLISH_TIMEOUT_S,
            stream=subjects.ANCHORS,
            # Two auditors anchor the same head once.
            headers={HEADER_EVENT_ID: f"{head.stream}.{head.seq}.{shown}"},
        )
        self._anchored[head.stream] = (head.seq, shown)
        _log.info("audit.anchored", stream=head.stream, seq=head.seq, hash=shown)
        return None

    async def _last(self, stream: str) -> tuple[int, str]:
        try:
            found = await self._bus.js.get_last_msg(subjects.ANCHORS, subjects.anchor(stream))
            anchor = decode_anchor(found.data or b"")
        except (nats.js.errors.NotFoundError, msgspec.MsgspecError):
            return (0, "")
        return (anchor.seq, anchor.hash)

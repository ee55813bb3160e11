"""Live copies of KV buckets: a change by hand applies within a second, with no restart.

A copy is read whole, then follows; after a lost connection it is read whole again, so that what
changed meanwhile, deletions too, is seen. The server may also drop a watch without a word (its
consumer is idle while the process sleeps, or its node is lost), so the copy compares itself with
the bucket now and then.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec
import nats.errors
import nats.js.errors
import structlog

from libs.common.buckets import DELETED, next_update, state_of
from libs.common.bus import Bus

T = TypeVar("T")

_RETRY_S = 0.5
_CHECK_S = 0.5
_COMPARE_S = 3.0
_log = structlog.get_logger()


@dataclass(kw_only=True, slots=True)
class _Copy(Generic[T]):
    """Values and their revisions, which always belong together."""

    values: dict[str, T] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)

    def drop(self, key: str) -> None:
        self.values.pop(key, None)
        self.revisions.pop(key, None)


class Watched(Generic[T]):
    """The decoded values of a bucket by key; `complete` is set once all of them were read."""

    def __init__(
        self, *, bucket: str, decode: Callable[[bytes], T], on_change: Callable[[], None] | None
    ) -> None:
        self.bucket = bucket
        self.complete = asyncio.Event()
        self._decode = decode
        self._on_change = on_change
        self._copy: _Copy[T] = _Copy()

    @property
    def values(self) -> Mapping[str, T]:
        return self._copy.values

    def get(self, key: str) -> T | None:
        return self._copy.values.get(key)

    def revision(self, key: str) -> int:
        """Of the value; 0 where there is none."""
        return self._copy.revisions.get(key, 0)

    def missing(self) -> str | None:
        """A readiness check."""
        return None if self.complete.is_set() else f"bucket {self.bucket} not read yet"

    async def follow(self, bus: Bus) -> None:
        """Follow the bucket until cancelled, whatever happens to the connection."""
        while True:
            try:
                await self._follow_once(bus)
            except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError) as error:
                _log.warning(
                    "bucket.lost", bucket=self.bucket, error=f"{type(error).__name__}: {error}"
                )
            await asyncio.sleep(_RETRY_S)

    async def _follow_once(self, bus: Bus) -> None:
        reconnects = bus.client.stats["reconnects"]
        store = await bus.js.key_value(self.bucket)
        # What is stored up to here is part of what a new watch tells first.
        state = await state_of(store)
        seen, empty = state.last_seq, state.messages == 0
        compare_at = time.monotonic() + _COMPARE_S
        watcher = await store.watchall()
        fresh: _Copy[T] | None = _Copy()
        promised = seen
        try:
            while bus.client.is_connected and bus.client.stats["reconnects"] == reconnects:
                try:
                    update = await next_update(watcher, timeout_s=_CHECK_S)
                except TimeoutError:
                    if time.monotonic() < compare_at:
                        continue
                    if fresh is not None or promised > seen:
                        _log.warning("bucket.deaf", bucket=self.bucket, seen=seen, last=promised)
                        return
                    promised = (await state_of(store)).last_seq
                    compare_at = time.monotonic() + (0 if promised > seen else _COMPARE_S)
                    continue
                if update is not None:
                    seen = max(seen, update.revision or 0)
                    self._apply(fresh if fresh is not None else self._copy, update)
                # Without an update: the library's mark of the end, which may come too early.
                whole = empty if update is None else update.delta == 0
                if fresh is not None and whole:
                    self._copy, fresh = fresh, None
                    self.complete.set()
                if fresh is None:
                    self._changed()
        finally:
            await _stop(watcher)

    def _apply(self, copy: "_Copy[T]", update: object) -> None:
        key, value = update.key, update.value  # type: ignore[attr-defined]
        if update.operation in DELETED:  # type: ignore[attr-defined]
            copy.drop(key)
            return
        try:
            copy.values[key] = self._decode(value or b"")
            copy.revisions[key] = update.revision or 0  # type: ignore[attr-defined]
        except msgspec.MsgspecError as error:
            # One bad value must not stop the others; the old one no longer holds either.
            copy.drop(key)
            _log.error("bucket.undecodable", bucket=self.bucket, key=key, error=str(error))

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change()


async def _stop(watcher: object) -> None:
    try:
        await watcher.stop()  # type: ignore[attr-defined]
    except (nats.errors.Error, OSError):
        _log.debug("bucket.unwatched")

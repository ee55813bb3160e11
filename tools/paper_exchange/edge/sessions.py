"""One connected client: who it is, what it wants, and the way its frames take in and out.

Frames are written straight to the transport, never awaited: a push that is to go out before the
reply of the call that caused it must be under way before that call is over, and a client that
does not read must hold nobody up. What it leaves unread is bounded: beyond that it is cut off.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from tools.paper_exchange.edge import frames
from tools.paper_exchange.edge.filters import NOTHING, FilterKey, PersonalFilter
from tools.paper_exchange.edge.lines import Line
from tools.paper_exchange.edge.topics import Topic
from tools.paper_exchange.engine.state import Key
from tools.paper_exchange.rest.calls import Permission

# How long a client may take to answer a goodbye; less than the server takes to stop.
_GOODBYE_S = 0.3


@dataclass(frozen=True, kw_only=True)
class EdgeLimits:
    """Where the server loses patience with a client."""

    # Without a ping.
    idle_s: float = 60.0
    frame_bytes: int = 64 * 1024
    # Received or to be sent, and not yet handled or read.
    waiting_bytes: int = 4 * 1024 * 1024
    subscriptions: int = 5_000
    # How often each public channel pushes at most, and how often all tickers are pushed.
    public_s: float = 0.2
    tickers_s: float = 2.0


class Session:
    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        peer: str,
        limits: EdgeLimits,
        one_way_s: Callable[[], float],
        handle: Callable[["Session", bytes], None],
    ) -> None:
        self.peer = peer
        self.key: Key | None = None
        self.filter: PersonalFilter = NOTHING
        self.topics: set[Topic] = set()
        self._transport = transport
        self._limits = limits
        self._one_way_s = one_way_s
        self._inbox = Line(lambda payload: handle(self, payload))
        self._pushes = Line(self.send)
        self._outbox = Line(self._write)
        self._idle: asyncio.TimerHandle | None = None
        self._is_gone = False
        self.pinged()

    @property
    def _is_over(self) -> bool:
        return self._is_gone or self._transport.is_closing()

    @property
    def access_key(self) -> str | None:
        return self.key.access_key if self.key else None

    def wants(self, key: FilterKey | None, symbol: str | None, permission: Permission) -> bool:
        if self.key is None or permission not in self.key.permissions:
            return False
        return self.filter.passes(key, symbol)

    def received(self, payload: bytes) -> None:
        """A frame has left the client; it is handled when it has arrived."""
        if self._inbox.size + len(payload) > self._limits.waiting_bytes:
            self.abort()
            return
        self._inbox.put(payload, delay_s=self._one_way_s())

    def send(self, payload: bytes) -> None:
        if self._has_room(payload):
            self._outbox.put(payload, delay_s=self._one_way_s())

    def push(self, payload: bytes, *, delay_s: float) -> None:
        """Send later, and after the pushes before it; replies do not wait for pushes."""
        if self._has_room(payload):
            self._pushes.put(payload, delay_s=delay_s)

    def pinged(self) -> None:
        if self._is_gone:
            return
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._limits.idle_s, self.close)

    def close(self, code: int = 1000) -> None:
        """Say goodbye; the client answers, or is cut off."""
        if self._is_over:
            return
        self._transport.write(frames.closing(code))
        self.forget()
        asyncio.get_running_loop().call_later(_GOODBYE_S, self._transport.abort)

    def abort(self) -> None:
        """Break the connection."""
        self._transport.abort()
        self.forget()

    def forget(self) -> None:
        """Drop what waits; nothing is sent any more."""
        self._is_gone = True
        for line in (self._inbox, self._pushes, self._outbox):
            line.clear()
        if self._idle is not None:
            self._idle.cancel()

    def _has_room(self, payload: bytes) -> bool:
        if self._is_over:
            return False
        unread = self._transport.get_write_buffer_size() + self._pushes.size + self._outbox.size
        if unread + len(payload) <= self._limits.waiting_bytes:
            return True
        self.abort()
        return False

    def _write(self, payload: bytes) -> None:
        if not self._is_over:
            self._transport.write(frames.on_wire(payload))

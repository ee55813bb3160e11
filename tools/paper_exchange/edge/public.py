"""Public pushes. A subscriber gets what the topic shows at once, and from then on what changes in
it. Changes are looked for every so often, so the streams cost the same however fast orders come.

A depth that does not change goes on all the same, with versions that repeat its best levels: some
clients wait for a number of pushes, since the real market never stands still.
"""

import asyncio
from dataclasses import dataclass, field

import msgspec

from tools.paper_exchange.edge import frames
from tools.paper_exchange.edge.contents import (
    CONTENTS,
    depth_snapshot,
    news_of_contracts,
    news_of_depth,
    news_of_trades,
)
from tools.paper_exchange.edge.sessions import EdgeLimits, Session
from tools.paper_exchange.edge.topics import Topic
from tools.paper_exchange.market.depth import repeat_best
from tools.paper_exchange.rest.replies import encode
from tools.paper_exchange.venue import Venue


@dataclass(slots=True)
class _Stream:
    """A topic's subscribers, and what they have been sent: the depth's version, the last trade or
    the state of the tape, the data itself, or the rows of all contracts.
    """

    subscribers: dict[Session, None] = field(default_factory=dict)
    seen: int = -1
    sent: bytes = b""
    rows: dict[str, msgspec.Raw] = field(default_factory=dict)


class PublicFeed:
    def __init__(self, venue: Venue, limits: EdgeLimits) -> None:
        self._venue = venue
        self._limits = limits
        self._streams: dict[Topic, _Stream] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tickers_due_s = 0.0

    def add(self, session: Session, topic: Topic) -> None:
        """Subscribe, and show the topic as it is. Subscribing twice only shows it again."""
        stream = self._streams.get(topic)
        if stream is None:
            stream = self._streams[topic] = _Stream()
        self._advance(topic, stream)
        stream.subscribers[session] = None
        session.topics.add(topic)
        self._show(session, topic)
        if self._timer is None:
            self._tickers_due_s = asyncio.get_running_loop().time() + self._limits.tickers_s
            self._wind()

    def drop(self, session: Session, topic: Topic) -> None:
        session.topics.discard(topic)
        stream = self._streams.get(topic)
        if stream is not None:
            stream.subscribers.pop(session, None)
            if not stream.subscribers:
                del self._streams[topic]

    def drop_all(self, session: Session) -> None:
        for topic in list(session.topics):
            self.drop(session, topic)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._streams.clear()

    def _wind(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._limits.public_s, self._beat)

    def _beat(self) -> None:
        self._timer = None
        if not self._streams:
            return
        now_s = asyncio.get_running_loop().time()
        tickers_are_due = now_s >= self._tickers_due_s
        if tickers_are_due:
            self._tickers_due_s = now_s + self._limits.tickers_s
        for topic, stream in self._streams.items():
            if topic.kind == "tickers" and not tickers_are_due:
                continue
            if not self._advance(topic, stream) and topic.kind == "depth":
                repeat_best(self._venue, topic.symbol)
                self._advance(topic, stream)
        self._wind()

    def _advance(self, topic: Topic, stream: _Stream) -> bool:
        # Send on what has happened since the last time; whether anything has.
        before = stream.seen
        if topic.kind == "contract":
            return self._tell_contracts(topic, stream)
        if topic.kind == "depth":
            stream.seen, news = news_of_depth(self._venue, topic.symbol, since=before)
        elif topic.kind == "deal":
            stream.seen, news = news_of_trades(self._venue, topic.symbol, since=before)
        else:
            return self._renew(topic, stream)
        for data in news:
            self._send(topic, list(stream.subscribers), data)
        return bool(news)

    def _tell_contracts(self, topic: Topic, stream: _Stream) -> bool:
        changed = news_of_contracts(self._venue, seen=stream.rows)
        stream.rows = dict(self._venue.rows)
        for symbol, row in changed.items():
            self._send(topic, list(stream.subscribers), row, symbol=symbol)
        return bool(changed)

    def _renew(self, topic: Topic, stream: _Stream) -> bool:
        content = CONTENTS.get(topic.kind)
        if content is None:
            return False
        if topic.kind != "funding.rate" and topic.symbol:
            changes = self._venue.tape.changes[topic.symbol]
            if changes == stream.seen:
                return False
            stream.seen = changes
        data = content(self._venue, topic)
        encoded = encode(data)
        if encoded == stream.sent:
            return False
        stream.sent = encoded
        self._send(topic, list(stream.subscribers), data)
        return True

    def _show(self, session: Session, topic: Topic) -> None:
        if topic.kind == "depth":
            self._send(topic, [session], depth_snapshot(self._venue, topic.symbol))
        elif topic.kind in CONTENTS:
            self._send(topic, [session], CONTENTS[topic.kind](self._venue, topic))

    def _send(
        self, topic: Topic, sessions: list[Session], data: object, *, symbol: str | None = None
    ) -> None:
        if not sessions:
            return
        named = symbol or topic.symbol or None
        payload = frames.push(topic.kind, data, at_ms=self._venue.now_ms(), symbol=named)
        for session in sessions:
            session.send(payload)

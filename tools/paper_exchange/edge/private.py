"""Private pushes: told what each command changed, sends it to the account's sessions.

Shapes are made at once, because the engine's objects change with the next command, and only where
a session listens, because thousands of orders a second pass here.
"""

from tools.paper_exchange.edge import frames
from tools.paper_exchange.edge.faulting import SocketFaults, socket_path
from tools.paper_exchange.edge.pushes import PUSHES
from tools.paper_exchange.edge.sessions import Session
from tools.paper_exchange.engine.events import Event, PriceChanged
from tools.paper_exchange.venue import Venue


class PrivateFeed:
    def __init__(self, venue: Venue, faults: SocketFaults) -> None:
        self._venue = venue
        self._faults = faults
        # By account; dictionaries as sets that keep their order.
        self._sessions: dict[int, dict[Session, None]] = {}

    def add(self, session: Session, *, account_id: int) -> None:
        self._sessions.setdefault(account_id, {})[session] = None

    def drop(self, session: Session) -> None:
        if session.key is None:
            return
        sessions = self._sessions.get(session.key.account_id, {})
        sessions.pop(session, None)
        if not sessions:
            self._sessions.pop(session.key.account_id, None)

    def tell(self, events: list[Event], at_ms: int) -> None:
        if not self._sessions:
            return
        delay_s: float | None = None
        for event in events:
            push = PUSHES.get(type(event))
            if push is None or isinstance(event, PriceChanged):
                continue
            sessions = self._sessions.get(event.account.id)
            if not sessions:
                continue
            symbol = push.symbol(event) if push.symbol else None
            payload = b""
            for session in sessions:
                if not session.wants(push.key, symbol, push.permission) or self._is_lost(session):
                    continue
                if delay_s is None:
                    delay_s = self._venue.push_delay.draw_s(self._venue.push_chance)
                payload = payload or frames.push(
                    f"personal.{push.channel}", push.data(self._venue, event), at_ms=at_ms
                )
                session.push(payload, delay_s=delay_s)

    def _is_lost(self, session: Session) -> bool:
        path = socket_path(session.access_key)
        return self._faults.loses_push(path, now_ms=self._venue.clock_ns() / 1e6)

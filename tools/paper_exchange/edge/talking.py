"""Understands what clients say: pings, logins, filters, subscriptions."""

from tools.paper_exchange.edge import frames
from tools.paper_exchange.edge.filters import EVERYTHING, NOTHING, read_filter
from tools.paper_exchange.edge.frames import BadFrameError, ClientFrame
from tools.paper_exchange.edge.login import read_login, signed_in
from tools.paper_exchange.edge.private import PrivateFeed
from tools.paper_exchange.edge.public import PublicFeed
from tools.paper_exchange.edge.sessions import EdgeLimits, Session
from tools.paper_exchange.edge.topics import is_covered, read_kind, read_topic
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.venue import Venue

_SUBSCRIBE = "sub."
_UNSUBSCRIBE = "unsub."


class Talk:
    """Its `hear` takes one frame of a client."""

    def __init__(
        self, venue: Venue, *, private: PrivateFeed, public: PublicFeed, limits: EdgeLimits
    ) -> None:
        self._venue = venue
        self._private = private
        self._public = public
        self._limits = limits

    def hear(self, session: Session, payload: bytes) -> None:
        at_ms = self._venue.now_ms()
        try:
            self._obey(session, frames.read(payload))
        except BadFrameError as error:
            session.send(frames.error(str(error), at_ms=at_ms))
        except Refused as refused:
            language = self._venue.behaviour.default_language
            session.send(frames.refusal(refused.code, language=language, at_ms=at_ms))

    def _obey(self, session: Session, frame: ClientFrame) -> None:
        method = frame.method
        if method == "ping":
            session.pinged()
            session.send(frames.pong(at_ms=self._venue.now_ms()))
        elif method == "login":
            self._log_in(session, frame)
        elif method == "personal.filter":
            self._narrow(session, frame)
        elif method.startswith(_SUBSCRIBE):
            self._subscribe(session, frame)
        elif method.startswith(_UNSUBSCRIBE):
            self._unsubscribe(session, frame)
        else:
            raise BadFrameError(f"Unknown method: {method[:40]}")

    def _log_in(self, session: Session, frame: ClientFrame) -> None:
        param, everything = read_login(frame)
        now_ms = self._venue.now_ms()
        key = signed_in(
            self._venue.state.keys,
            param,
            peer=session.peer,
            now_ms=now_ms,
            told_ms=self._venue.told_ms(),
        )
        # Who logs in again starts anew, as another account too.
        self._private.drop(session)
        session.key = key
        session.filter = EVERYTHING if everything else NOTHING
        self._private.add(session, account_id=key.account_id)
        session.send(frames.accepted("login", at_ms=now_ms))

    def _narrow(self, session: Session, frame: ClientFrame) -> None:
        if session.key is None:
            raise Refused(401)
        session.filter = read_filter(frame.param)
        session.send(frames.accepted("personal.filter", at_ms=self._venue.now_ms()))

    def _subscribe(self, session: Session, frame: ClientFrame) -> None:
        kind = frame.method.removeprefix(_SUBSCRIBE)
        topic = read_topic(kind, frame.param, self._venue.contracts)
        if topic not in session.topics and len(session.topics) >= self._limits.subscriptions:
            raise BadFrameError("Too many subscriptions")
        session.send(frames.accepted(frame.method, at_ms=self._venue.now_ms()))
        self._public.add(session, topic)

    def _unsubscribe(self, session: Session, frame: ClientFrame) -> None:
        kind = read_kind(frame.method.removeprefix(_UNSUBSCRIBE))
        for topic in list(session.topics):
            if is_covered(topic, kind=kind, param=frame.param):
                self._public.drop(session, topic)
        # Whether it was subscribed to or not.
        if self._venue.behaviour.unsub_ack == "send":
            session.send(frames.accepted(frame.method, at_ms=self._venue.now_ms()))

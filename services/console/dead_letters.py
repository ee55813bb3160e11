"""`/api/dead`: what a service gave up on, read from the log itself, and the one thing that can be
done about it: put the message into the log again. Postgres is not needed for either.
"""

import base64
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from libs.common.bus import Bus, LogUnavailable
from libs.common.contracts import codec, subjects
from libs.common.contracts.dead_letter import DeadLetter, DeadReplayed
from libs.common.domain.identity import replay_event_id, replayed_event_id
from services.console.documents import Document
from services.console.problems import Problem

_PAGE_MAX = 500
_READ_MAX = 10_000
"""Far more than anybody can look through; what is older is told to be left out."""

_Letters = dict[int, DeadLetter]
_Replays = dict[int, DeadReplayed]


class DeadLetters:
    """In the log that `bus` is connected to."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self, *, after: int = 0) -> tuple[_Letters, _Replays]:
        """The letters stored after a place, by theirs, and their replays. Raises `Problem`."""
        letters: _Letters = {}
        replays: _Replays = {}
        try:
            async for entry in self._bus.entries_after(subject=subjects.DEAD, seq=after):
                match entry.message:
                    case DeadLetter():
                        letters[entry.seq] = entry.message
                    case DeadReplayed(letter_seq=letter):
                        replays[letter] = entry.message
                if len(letters) >= _READ_MAX:
                    break
        except LogUnavailable as error:
            raise _unavailable(error) from None
        return letters, replays

    async def find(self, seq: int) -> tuple[DeadLetter, DeadReplayed | None]:
        """One letter and its replay; raises `Problem`, a 404 where there is none."""
        letters, replays = await self.read(after=max(seq - 1, 0))
        if seq not in letters:
            raise Problem(404, f"There is no dead letter {seq}; `GET /api/dead` lists them.")
        return letters[seq], replays.get(seq)

    async def replay(self, seq: int, letter: DeadLetter) -> DeadReplayed:
        """Put its message into the log, once; raises `Problem`. Who dies in between leaves a
        message that is there twice: whoever handles it looks in the log for what was done.
        """
        try:
            stored = await self._bus.replay(letter, event_id=replay_event_id(seq))
            replayed = DeadReplayed(
                service=letter.service,
                at=datetime.now(UTC),
                letter_seq=seq,
                origin_seq=stored.origin_seq,
                seq=stored.seq,
                alert_id=letter.alert_id,
            )
            await self._bus.publish(
                subject=subjects.dead_replayed(letter.service),
                message=replayed,
                event_id=replayed_event_id(seq),
            )
        except LogUnavailable as error:
            raise _unavailable(error) from None
        return replayed


@get("/")
async def list_dead(
    dead_letters: NamedDependency[DeadLetters],
    before: Annotated[int | None, QueryParameter(ge=1)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 50,
) -> Document:
    """Newest first; `next` is the `before` of the next page, null at the end."""
    letters, replays = await dead_letters.read()
    wanted = sorted((seq for seq in letters if before is None or seq < before), reverse=True)
    page = wanted[:limit]
    return {
        "dead": [_line(seq, letters[seq], replays.get(seq)) for seq in page],
        "next": page[-1] if len(wanted) > limit else None,
    }


@get("/{seq:int}")
async def show_dead(dead_letters: NamedDependency[DeadLetters], seq: FromPath[int]) -> Document:
    """A letter whole: the message's headers and its bytes, as JSON where they are."""
    letter, replayed = await dead_letters.find(seq)
    return {
        **_line(seq, letter, replayed),
        "headers": letter.headers,
        "message": _json(letter.data),
        "data_base64": base64.b64encode(letter.data).decode(),
    }


@post("/{seq:int}/replay", status_code=200)
async def replay_dead(dead_letters: NamedDependency[DeadLetters], seq: FromPath[int]) -> Document:
    """Once per letter: a second call tells of the first."""
    letter, replayed = await dead_letters.find(seq)
    is_new = replayed is None
    if replayed is None:
        replayed = await dead_letters.replay(seq, letter)
    return {"dead": _line(seq, letter, replayed), "new": is_new}


def _line(seq: int, letter: DeadLetter, replayed: DeadReplayed | None) -> Document:
    message = _message(letter.data)
    return {
        "seq": seq,
        "at": letter.at,
        "service": letter.service,
        "stage": _stage(letter.subject),
        "subject": letter.subject,
        "origin_seq": letter.seq,
        "alert_id": letter.alert_id,
        "route": getattr(message, "route", None),
        "account": getattr(message, "account", None),
        "symbol": getattr(message, "symbol", None),
        "deliveries": letter.deliveries,
        "reason": letter.reason,
        "replayed": None if replayed is None else {"seq": replayed.seq, "at": replayed.at},
    }


def _stage(subject: str) -> str:
    return subjects.parse(subject).stage


def _message(data: bytes) -> Any:
    try:
        return codec.decode(data)
    except codec.UndecodableError:
        return None


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _unavailable(error: LogUnavailable) -> Problem:
    return Problem(503, f"The log does not answer now ({error}); try again.")


dead_router = Router("/dead", route_handlers=[list_dead, show_dead, replay_dead])

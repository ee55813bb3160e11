"""`/api/dead`: what a service gave up on, and the one thing that can be done about it: put the
message into the log again.
"""

import base64
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from libs.common.contracts import codec, subjects
from libs.common.contracts.codec import AnyMessage
from services.console.documents import Document
from services.console.letters import DeadLetters, Letter

_PAGE_MAX = 500
_OUTLOOKS = {
    "alert.received": (
        "the alert is decided on anew where it was not decided yet: an entry that is older than"
        " max_age_s is denied as stale, an exit closes what is held now"
    ),
    "intent.accepted": (
        "the intent is taken up where it was left: what was sent is asked for and not sent again;"
        " an entry that is older than max_age_s is not sent, an exit without a plan closes what is"
        " held now"
    ),
}
"""What a replay comes to, by stage."""
_UNREADABLE = (
    "this release cannot read the message: unless the software was mended it ends here again"
)


@get("/")
async def list_dead(
    dead_letters: NamedDependency[DeadLetters],
    before: Annotated[int | None, QueryParameter(ge=1)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 50,
) -> Document:
    """Newest first; `next` is the `before` of the next page, null at the end."""
    letters, following = await dead_letters.page(before=before, limit=limit)
    return {"dead": [line_of(letter) for letter in letters], "next": following}


@get("/{seq:int}")
async def show_dead(dead_letters: NamedDependency[DeadLetters], seq: FromPath[int]) -> Document:
    """A letter whole: the message's headers, its bytes, as JSON or else as text, and what a replay
    comes to.
    """
    return whole(await dead_letters.find(seq))


@post("/{seq:int}/replay", status_code=200)
async def replay_dead(dead_letters: NamedDependency[DeadLetters], seq: FromPath[int]) -> Document:
    """Once per letter: a second call tells of the first."""
    found, is_new = await replay_letter(dead_letters, seq)
    return {"dead": line_of(found), "new": is_new}


async def replay_letter(dead_letters: DeadLetters, seq: int) -> tuple[Letter, bool]:
    """The letter with its replay, and whether that is new."""
    found = await dead_letters.find(seq)
    return (found, False) if found.replayed is not None else await dead_letters.replay(found)


def whole(found: Letter) -> Document:
    """All that is known of a letter."""
    data = found.letter.data
    message = _json(data)
    return {
        **line_of(found),
        "outlook": outlook(found),
        "headers": found.letter.headers,
        "message": message,
        "text": data.decode(errors="replace") if message is None else None,
        "data_base64": base64.b64encode(data).decode(),
    }


def line_of(found: Letter) -> Document:
    """A letter as a list has it."""
    letter, replayed = found.letter, found.replayed
    message = _message(letter.data)
    return {
        "seq": found.seq,
        "at": letter.at,
        "service": letter.service,
        "stage": subjects.parse(letter.subject).stage,
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


def outlook(found: Letter) -> str:
    """What a replay comes to."""
    letter = found.letter
    if _message(letter.data) is None:
        return _UNREADABLE
    known = _OUTLOOKS.get(subjects.parse(letter.subject).stage)
    return known or f"it is delivered to {letter.service} again"


def _message(data: bytes) -> AnyMessage | None:
    try:
        return codec.decode(data)
    except codec.UndecodableError:
        return None


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


dead_router = Router("/dead", route_handlers=[list_dead, show_dead, replay_dead])

"""The readings where the real exchange is uncertain, and its maintenance: what the control side
switches. A field here is a switch of `PUT /_paper/behaviour`.
"""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from tools.paper_exchange.control.replying import WrongBodyError, decoded
from tools.paper_exchange.engine.commands import DuplicateRule
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.errors import Language


class AbsentMode(StrEnum):
    """How an order without a positionMode is read; the venue's own documents disagree."""

    HEDGE = "hedge"
    ACCOUNT = "account"


class ListShape(StrEnum):
    """Long lists bare, as in the venue's samples, or as pages, as in its tables."""

    BARE = "bare"
    PAGED = "paged"


class CreateAnswer(StrEnum):
    """What a created order is answered with: id and time, the id a string or a number; or the
    bare id.
    """

    OBJECT = "object"
    NUMBER = "number"
    BARE = "bare"


class Behaviour(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    duplicate_oid: DuplicateRule = DuplicateRule.REJECT
    absent_position_mode: AbsentMode = AbsentMode.HEDGE
    list_shape: ListShape = ListShape.BARE
    batch_orders: Literal["accept", "deny"] = "accept"
    create_answer: CreateAnswer = CreateAnswer.OBJECT
    # Sides 2 and 4 in one-way mode.
    one_way_close: Literal["accept", "reject"] = "accept"
    # An order that is not there: success without data, or code 2040.
    unknown_order: Literal["empty", "refuse"] = "empty"
    unknown_key: Literal[401, 402] = 401
    expired_key_status: Literal[200, 401, 403] = 200
    rate_limited_status: Literal[200, 429] = 200
    # Of `unsub` on the WebSocket: some clients wait for it, others saw none.
    unsub_ack: Literal["send", "omit"] = "send"
    # Of a caller that names none.
    default_language: Language = Language.ENGLISH

    def status_of(self, code: int) -> int:
        """The HTTP status that a refusal goes out with."""
        if code == _EXPIRED:
            return self.expired_key_status
        return self.rate_limited_status if code == _TOO_FREQUENT else 200


class Maintenance(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Calls at the path and below it are refused with the code; without a code it is over."""

    code: Literal[604, 801] | None = None
    path: str = "/api/v1/private"

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError("path starts with /")

    def admit(self, path: str) -> None:
        if self.code is not None and f"{path}/".startswith(self.path.rstrip("/") + "/"):
            raise Refused(self.code)


def changed(was: Behaviour, body: bytes) -> Behaviour:
    """What is absent or null stays as it was."""
    given: dict[str, Any] = decoded(body, dict[str, Any])
    named = {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert({**msgspec.to_builtins(was), **named}, Behaviour)
    except msgspec.ValidationError as error:
        raise WrongBodyError(str(error)) from None


_EXPIRED, _TOO_FREQUENT = 402, 510

"""How the control side reads bodies and answers."""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.numbers import sane
from tools.paper_exchange.rest.replies import Answer, encode

T = TypeVar("T")


class WrongBodyError(ValueError):
    """What the control side was asked makes no sense; the message says why."""

    def __init__(self, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def decoded(body: bytes, kind: type[T] | Any) -> T | Any:
    """The body as `kind`, or `WrongBodyError`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongBodyError(str(error)) from None


def is_sane(value: Decimal) -> bool:
    try:
        sane(value)
    except Refused:
        return False
    return True


def done() -> Answer:
    return answer(200, {"done": True})


def answer(status: int, data: Any) -> Answer:
    return Answer(0, encode(data), status)

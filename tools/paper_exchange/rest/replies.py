"""The envelope around every answer: `success`, `code`, `data` or `message`."""

from dataclasses import dataclass
from typing import Any

import msgspec

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.errors import Language, message_of

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out, and the business code in it. Business errors too are HTTP 200."""

    code: int
    body: bytes
    status: int = 200
    content_type: str = "application/json"


def success(data: Any) -> Answer:
    """`None` is an answer without data, as the venue gives for an unknown externalOid."""
    if data is None:
        return Answer(0, b'{"success":true,"code":0}')
    return Answer(0, encode({"success": True, "code": 0, "data": data}))


def failure(
    refused: Refused, *, language: Language = Language.ENGLISH, status: int = 200
) -> Answer:
    message = message_of(refused.code, language=language, **refused.values)
    body = {"success": False, "code": refused.code, "message": message}
    return Answer(refused.code, encode(body), status)


def missing(path: str, *, status: int = 404) -> Answer:
    """No such address here, or not by this method."""
    text = f"No endpoint {path}" if status == 404 else f"Method not allowed at {path}"
    return Answer(status, encode({"success": False, "code": status, "message": text}), status)

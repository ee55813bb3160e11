"""Who opens a session: access key, linked address, time and signature, in the order of the REST
side and with its codes.
"""

import hmac
from collections.abc import Mapping

import msgspec

from tools.paper_exchange.edge.frames import BadFrameError, ClientFrame
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Key
from tools.paper_exchange.rest.authentication import (
    DEFAULT_WINDOW_MS,
    LONGEST_NUMBER,
    hexdigest,
    known_key,
)


class LoginParam(msgspec.Struct, rename="camel"):
    api_key: str = ""
    req_time: str | int = ""
    signature: str = ""
    subscribe: bool | None = None


def read_login(frame: ClientFrame) -> tuple[LoginParam, bool]:
    """What was sent, and whether everything is to be pushed by default."""
    try:
        param = msgspec.convert(frame.param or {}, LoginParam)
    except msgspec.ValidationError:
        raise BadFrameError("Invalid login parameters") from None
    return param, frame.subscribe is not False and param.subscribe is not False


def signed_in(
    keys: Mapping[str, Key], param: LoginParam, *, peer: str, now_ms: int, told_ms: int
) -> Key:
    """The key that signed the login, or `Refused` with 401, 402, 406, 513 or 602."""
    key = known_key(keys, param.api_key, peer=peer, now_ms=now_ms)
    sent = str(param.req_time)
    if not (sent.isascii() and sent.isdecimal()) or len(sent) > LONGEST_NUMBER:
        raise Refused(513)
    if abs(told_ms - int(sent)) > DEFAULT_WINDOW_MS:
        raise Refused(513)
    expected = hexdigest(key, f"{key.access_key}{sent}".encode())
    if not hmac.compare_digest(expected.encode(), param.signature.encode()):
        raise Refused(602)
    return key

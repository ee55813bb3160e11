"""Who calls, and whether the call may pass: access key, linked address, time, signature, in
MEXC's order. Written from the venue's rules alone and shared with no client of ours.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote_plus

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Key
from tools.paper_exchange.rest.calls import Call

DEFAULT_WINDOW_MS = 10_000
WIDEST_WINDOW_MS = 60_000
# Some clients send seconds, some milliseconds: no one means a window of 60 milliseconds.
LARGEST_IN_SECONDS = 60
LONGEST_NUMBER = 15


def authenticate(keys: Mapping[str, Key], call: Call) -> Key:
    """The key that signed the call, or `Refused` with 401, 402, 406, 513 or 602."""
    key = known_key(keys, call.headers.get("ApiKey", ""), peer=call.peer, now_ms=call.now_ms)
    sent = call.headers.get("Request-Time", "")
    if not _is_number(sent) or abs(call.told_ms - int(sent)) > _window_ms(call):
        raise Refused(513)
    given = call.headers.get("Signature", "").encode(errors="surrogateescape")
    signed = f"{key.access_key}{sent}".encode()
    if not any(
        hmac.compare_digest(hexdigest(key, signed + payload).encode(), given)
        for payload in _payloads(call)
    ):
        raise Refused(602)
    return key


def known_key(keys: Mapping[str, Key], access_key: str, *, peer: str, now_ms: int) -> Key:
    key = keys.get(access_key)
    if key is None:
        raise Refused(401)
    if key.expires_ms is not None and now_ms >= key.expires_ms:
        raise Refused(402)
    if key.ip_whitelist and peer not in key.ip_whitelist:
        raise Refused(406)
    return key


def hexdigest(key: Key, text: bytes) -> str:
    return hmac.new(key.secret_key.encode(), text, hashlib.sha256).hexdigest()


def _window_ms(call: Call) -> int:
    asked = call.headers.get("Recv-Window", "")
    if not asked:
        return DEFAULT_WINDOW_MS
    if not _is_number(asked):
        raise Refused(513)
    window = int(asked)
    return min(window * 1000 if window <= LARGEST_IN_SECONDS else window, WIDEST_WINDOW_MS)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER


def _payloads(call: Call) -> list[bytes]:
    # Clients disagree whether values are signed encoded or decoded; both pass, if sorted.
    if call.method == "POST":
        return [call.body]
    pairs = sorted(
        (pair for pair in call.raw_query.split("&") if pair),
        key=lambda pair: pair.partition("=")[0],
    )
    decoded = (unquote_plus(pair) for pair in pairs)
    return ["&".join(pairs).encode(), "&".join(decoded).encode()]

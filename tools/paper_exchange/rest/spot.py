"""The few endpoints of the venue's spot side that futures clients ask: the time, and what an
access key may do. Signed the spot way (in the query) and answered without the envelope.
"""

import hmac
from datetime import UTC, datetime

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Key
from tools.paper_exchange.rest.authentication import WIDEST_WINDOW_MS, hexdigest, known_key
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.replies import Answer, encode
from tools.paper_exchange.venue import Venue

DAY_MS = 86_400_000
DEFAULT_WINDOW_MS = 5_000
# The spot side has numbers of its own for what the futures side calls 401, 402, 406, 513, 602.
_SPOT_ERRORS = {
    401: (10072, "Api key info invalid"),
    402: (10072, "Api key info invalid"),
    406: (700006, "IP [{peer}] not in the ip white list"),
    513: (700003, "Timestamp for this request is outside of the recvWindow."),
    602: (700002, "Signature for this request is not valid."),
}


def server_time(_venue: Venue, call: Call) -> Answer:
    return Answer(0, encode({"serverTime": call.now_ms}))


def api_key_info(venue: Venue, call: Call) -> Answer:
    try:
        signer = _authenticate(venue, call)
    except Refused as refused:
        code, text = _SPOT_ERRORS.get(refused.code, (700004, "Param invalid"))
        body = {"code": code, "msg": text.format(peer=call.peer)}
        return Answer(refused.code, encode(body), 400)
    asked = venue.state.keys.get(call.params.get("accessKey", signer.access_key))
    if asked is None or asked.account_id != signer.account_id:
        return Answer(401, encode({"code": 10072, "msg": "Api key info invalid"}), 400)
    return Answer(0, encode(_shape(asked, now_ms=call.now_ms)))


def _authenticate(venue: Venue, call: Call) -> Key:
    access_key = call.headers.get("X-MEXC-APIKEY", "")
    key = known_key(venue.state.keys, access_key, peer=call.peer, now_ms=call.now_ms)
    window = min(call.whole_number("recvWindow", default=DEFAULT_WINDOW_MS), WIDEST_WINDOW_MS)
    if abs(call.now_ms - call.whole_number("timestamp", default=0)) > window:
        raise Refused(513)
    signed, _, given = call.raw_query.rpartition("&signature=")
    expected = hexdigest(key, signed.encode())
    if not hmac.compare_digest(expected.encode(), given.lower().encode()):
        raise Refused(602)
    return key


def _shape(key: Key, *, now_ms: int) -> dict[str, object]:
    created = datetime.fromtimestamp(key.created_ms / 1000, UTC)
    left = None if key.expires_ms is None else -((now_ms - key.expires_ms) // DAY_MS)
    return {
        "note": "paper",
        "accessKey": key.access_key,
        "createTime": created.isoformat(timespec="milliseconds"),
        "permissions": ",".join(key.permissions),
        "remainingValidity": left,
        "ipWhiteList": ",".join(key.ip_whitelist),
        "status": "VALID",
    }

"""The few endpoints of the venue's spot side that futures clients ask while they start: the time,
the spot markets and wallets (there are none here), and what an access key may do. Signed the spot
way (in the query) and answered without the envelope.
"""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

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
    return Answer(0, encode({"serverTime": call.told_ms}))


def ping(_venue: Venue, _call: Call) -> Answer:
    return Answer(0, b"{}")


def exchange_info(_venue: Venue, call: Call) -> Answer:
    body = {
        "timezone": "CST",
        "serverTime": call.told_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }
    return Answer(0, encode(body))


def currencies(venue: Venue, call: Call) -> Answer:
    """No coin can be deposited or withdrawn here, so none is listed."""
    return _to_signer(venue, call, lambda _signer: [])


def account(venue: Venue, call: Call) -> Answer:
    """The spot wallet, which is empty: the money of an account lies on its futures side."""
    return _to_signer(
        venue,
        call,
        lambda _signer: {
            "canTrade": False,
            "canWithdraw": False,
            "canDeposit": False,
            "updateTime": None,
            "accountType": "SPOT",
            "balances": [],
            "permissions": ["SPOT"],
        },
    )


def api_key_info(venue: Venue, call: Call) -> Answer:
    def told(signer: Key) -> dict[str, object]:
        asked = venue.state.keys.get(call.params.get("accessKey", signer.access_key))
        if asked is None or asked.account_id != signer.account_id:
            raise Refused(401)
        return _shape(asked, now_ms=call.now_ms)

    return _to_signer(venue, call, told)


def _to_signer(venue: Venue, call: Call, told: Callable[[Key], Any]) -> Answer:
    try:
        return Answer(0, encode(told(_authenticate(venue, call))))
    except Refused as refused:
        code, text = _SPOT_ERRORS.get(refused.code, (700004, "Param invalid"))
        body = {"code": code, "msg": text.format(peer=call.peer)}
        return Answer(refused.code, encode(body), 400)


def _authenticate(venue: Venue, call: Call) -> Key:
    access_key = call.headers.get("X-MEXC-APIKEY", "")
    key = known_key(venue.state.keys, access_key, peer=call.peer, now_ms=call.now_ms)
    window = min(call.whole_number("recvWindow", default=DEFAULT_WINDOW_MS), WIDEST_WINDOW_MS)
    if abs(call.told_ms - call.whole_number("timestamp", default=0)) > window:
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

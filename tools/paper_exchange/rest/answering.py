"""Executes one call: who calls, at what rate, with which permission, whether there is maintenance,
then the handler. Pure of transport: faults that befall the connection are the server's affair.
"""

from collections.abc import Mapping

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.authentication import authenticate
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.errors import language_of
from tools.paper_exchange.rest.limits import is_trading
from tools.paper_exchange.rest.replies import Answer, failure, success
from tools.paper_exchange.rest.routes import Route
from tools.paper_exchange.venue import Venue

_UNKNOWN_KEY = 401


def answer_call(venue: Venue, route: Route, call: Call) -> Answer:
    try:
        if route.permission is not None:
            _admit(venue, route, call)
        elif venue.limits.documented:
            venue.limits.admit_documented(route.pattern, caller=call.peer, now_ms=call.now_ms)
        venue.maintenance.admit(call.path)
        data = route.handler(venue, call)
    except Refused as refused:
        return refusal(venue, refused, headers=call.headers)
    return data if isinstance(data, Answer) else success(data)


def refusal(venue: Venue, refused: Refused, *, headers: Mapping[str, str]) -> Answer:
    """The answer in the caller's language."""
    behaviour = venue.behaviour
    language = language_of(headers.get("Language"), default=behaviour.default_language)
    return failure(refused, language=language, status=behaviour.status_of(refused.code))


def _admit(venue: Venue, route: Route, call: Call) -> None:
    try:
        key = authenticate(venue.state.keys, call)
    except Refused as refused:
        if refused.code == _UNKNOWN_KEY:
            raise Refused(venue.behaviour.unknown_key) from None
        raise
    limits = venue.limits
    limits.admit(route.rule, access_key=key.access_key, now_ms=call.now_ms)
    if limits.documented and not route.has_own_rule:
        limits.admit_documented(route.pattern, caller=key.access_key, now_ms=call.now_ms)
    if is_trading(route.pattern):
        limits.admit_trading(key.account_id, now_ms=call.now_ms)
    if route.permission is not None and route.permission not in key.permissions:
        raise Refused(route.permission.code_when_missing)
    call.signed_in = (key, venue.state.accounts[key.account_id])

"""Executes one call: who calls, at what rate, with which permission, then the handler. Pure of
transport: faults that befall the connection are the server's affair.
"""

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.authentication import authenticate
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.replies import Answer, failure, success
from tools.paper_exchange.rest.routes import Route
from tools.paper_exchange.venue import Venue


def answer_call(venue: Venue, route: Route, call: Call) -> Answer:
    try:
        if route.permission is not None:
            _admit(venue, route, call)
        data = route.handler(venue, call)
    except Refused as refused:
        return failure(refused)
    return data if isinstance(data, Answer) else success(data)


def _admit(venue: Venue, route: Route, call: Call) -> None:
    key = authenticate(venue.state.keys, call)
    venue.limits.admit(route.rule, access_key=key.access_key, now_ms=call.now_ms)
    if route.permission is not None and route.permission not in key.permissions:
        raise Refused(route.permission.code_when_missing)
    call.signed_in = (key, venue.state.accounts[key.account_id])

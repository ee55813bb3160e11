"""An old alert beside what today's rules make of it."""

import asyncio

import msgspec
import pytest

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import RouteAccount
from services.console.documents import plain
from services.console.replaying import arrival_of, differences, then_of
from services.router.deciding import decide_intent
from tests.asked_explanations import explained
from tests.factories import NOW, D, make_alert, make_instrument, make_leg, make_route
from tests.traced import rows_of
from tests.trail_messages import common, make_denied, make_flattening, make_plan

BODY = '{"ticker":"BTCUSDT.P","order_action":"buy","order_contracts":0.001}'
ALERT = make_alert(body=BODY)


def intent():
    route = make_route().settings
    return decide_intent(
        ALERT,
        route=route,
        account=route.accounts[0],
        catalogue={"BTC_USDT": make_instrument()},
        now=NOW,
    )


def then(*messages):
    return msgspec.json.decode(msgspec.json.encode(then_of(rows_of(*messages))))


def now(**route):
    return asyncio.run(explained(BODY.encode(), make_route(**route)))


TRADED = (ALERT, intent(), make_plan(make_leg("open", "long"), summary="opens", steps=("a",)))


def test_under_the_same_rules_nothing_differs():
    before = then(*TRADED)
    [account] = before["accounts"]
    assert (account["outcome"], account["summary"]) == ("planned", "opens")
    assert account["intent"]["contracts"] == "10"
    assert account["legs"][0]["effect"] == "open"
    assert list(differences(before, now())) == []


def test_what_a_changed_route_makes_of_it():
    twice = (RouteAccount(account="paper", multiplier=D(2)),)
    found = list(differences(then(*TRADED), now(accounts=twice, leverage=3)))
    assert found == [
        {"account": "paper", "what": "intent.contracts", "then": "10", "now": "20"},
        {"account": "paper", "what": "intent.leverage", "then": 10, "now": 3},
    ]


def test_an_account_that_is_traded_no_more_or_only_now():
    found = list(differences(then(*TRADED), now(accounts=(RouteAccount(account="other"),))))
    assert [(one["account"], one["then"], one["now"]) for one in found] == [
        ("paper", "traded", "not traded"),
        ("other", "not traded", "traded"),
    ]


def test_what_the_router_denied_then():
    before = then(ALERT, make_denied(Reason.SYMBOL_NOT_ALLOWED, account="paper"))
    found = [one for one in differences(before, now()) if one["what"].startswith("denied")]
    assert found == [
        {
            "account": "paper",
            "what": "denied by the router",
            "then": "symbol_not_allowed",
            "now": None,
        }
    ]


def test_what_was_refused_then():
    refused = AlertRefused(
        **common(), status=422, reason=Reason.FIELD_MISSING, message="no", field="x", body=BODY
    )
    before = then(refused)
    assert before["refusal"]["reason"] == "field_missing"
    found = {one["what"]: (one["then"], one["now"]) for one in differences(before, now())}
    assert found["refusal.reason"] == ("field_missing", None)


@pytest.mark.parametrize("silent", ["ask.parse", "ask.decide", "ask.plan.paper"])
def test_what_is_not_told_is_no_difference(silent):
    silenced = explained(BODY.encode(), make_route(), silent=frozenset({silent}))
    assert list(differences(then(*TRADED), asyncio.run(silenced))) == []


def test_a_halts_orders_came_from_no_alert():
    assert arrival_of(rows_of(make_flattening())) is None
    assert plain(arrival_of(rows_of(ALERT)).alert_id) == ALERT.alert_id

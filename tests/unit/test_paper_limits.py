"""The paper exchange's documented call rates: every endpoint has one, and which it is."""

import pytest

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.limits import (
    Limits,
    LimitsChange,
    Rate,
    Rule,
    bucket_of,
    documented_rate,
)
from tools.paper_exchange.rest.routes import ROUTES

FOUR, TWENTY = Rate(4), Rate(20)
RATES = {
    "private/order/create": FOUR,
    "private/order/submit": FOUR,
    "private/order/submit_batch": FOUR,
    "private/order/change_limit_order": FOUR,
    "private/order/chase_limit_order": FOUR,
    "private/position/reverse": FOUR,
    "private/position/close_all": FOUR,
    "private/order/batch_query": Rate(5),
    "private/position/change_leverage": Rate(10, window_ms=10_000),
    "private/order/cancel": TWENTY,
    "private/order/get/{order_id}": TWENTY,
    "private/order/list/history_orders": TWENTY,
    "private/account/assets": TWENTY,
    "contract/detail": Rate(10),
    "contract/depth/{symbol}": Rate(10),
    "contract/ticker": Rate(10),
    "contract/ping": TWENTY,
}


def test_each_route_carries_its_documented_rate():
    known = {route.pattern.removeprefix("/api/v1/"): route.rate for route in ROUTES}
    assert {name: known[name] for name in RATES} == RATES
    rates = {route.rate for route in ROUTES if route.pattern.startswith("/api/v1/")}
    assert rates <= {FOUR, Rate(5), Rate(10), Rate(10, window_ms=10_000), TWENTY}
    assert documented_rate("/api/v3/time") is None


def test_two_addresses_of_one_endpoint_are_counted_together():
    create, submit = "/api/v1/private/order/create", "/api/v1/private/order/submit"
    assert bucket_of(create) == bucket_of(submit)
    assert bucket_of(create) != bucket_of(create + "_other")


def test_nothing_but_order_creation_is_limited_at_the_start():
    limits = Limits()
    for _ in range(100):
        limits.admit(Rule.OTHER, access_key="a", now_ms=0)
        limits.admit(Rule.CHANGE_LEVERAGE, access_key="a", now_ms=0)
        limits.admit_documented("/api/v1/contract/ticker", caller="127.0.0.1", now_ms=0)
        limits.admit_trading(1, now_ms=0)
    assert limits.shown() == {
        "documented": False,
        "order_create_per_2s": 4,
        "change_leverage_per_10s": None,
        "other_per_2s": None,
        "trading_per_2s": None,
    }


def test_named_limits_override_the_documented_ones_in_one_call():
    limits = Limits()
    limits.change(LimitsChange(order_create_per_2s=None, trading_per_2s=7))
    limits.change(LimitsChange(documented=True, order_create_per_2s=50))
    assert limits.allowed[Rule.ORDER_CREATE] == 50
    assert limits.allowed[Rule.CHANGE_LEVERAGE] == 10
    assert limits.allowed[Rule.TRADING] is None
    limits.change(LimitsChange(documented=False))
    assert limits.shown() == Limits().shown()


def test_each_endpoint_and_caller_has_a_window_of_its_own():
    limits = Limits()
    limits.change(LimitsChange(documented=True))
    query = "/api/v1/private/order/batch_query"
    for now in range(5):
        limits.admit_documented(query, caller="a", now_ms=now)
    with pytest.raises(Refused, match="510"):
        limits.admit_documented(query, caller="a", now_ms=1_999)
    limits.admit_documented(query, caller="b", now_ms=1_999)
    limits.admit_documented("/api/v1/contract/ticker", caller="a", now_ms=1_999)
    limits.admit_documented(query, caller="a", now_ms=2_000)


def test_trading_too_frequently_is_a_code_of_its_own():
    limits = Limits()
    limits.change(LimitsChange(trading_per_2s=2))
    for _ in range(2):
        limits.admit_trading(1, now_ms=0)
    with pytest.raises(Refused, match="2037"):
        limits.admit_trading(1, now_ms=0)
    limits.admit_trading(2, now_ms=0)

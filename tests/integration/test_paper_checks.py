"""The checks of a call come in the venue's order: each row provokes two faults at once, of two
neighbours in that order, and sees the code of the first; the last column is what is left once the
first is mended, so that the second was there.
"""

from typing import Any

import pytest

from tests.paper_client import order_body
from tests.paper_server import address_fixture  # noqa: F401 - fixture
from tests.paper_stage import Step, limit, order, post, stage, switch

OLD = {"Request-Time": "1760000000000"}
MAINTENANCE = switch("maintenance", {"code": 604})
ONE_A_TIME = switch("limits", {"order_create_per_2s": 1})
ISOLATED, LONG_ID = {"openType": 1}, {"externalOid": "x" * 33}


def sent(**fields: Any) -> Step:
    return post("order/create", order_body(**fields), **OLD)


# Neighbours, the account with both faults and with the second alone, what is switched, the call.
ELSEWHERE = {"ip_whitelist": ["10.1.2.3"]}
CALLER = [
    ("key, address", ELSEWHERE | {"days_left": 0}, ELSEWHERE, [], order(), (402, 406)),
    ("address, time", ELSEWHERE, {}, [], sent(), (406, 513)),
    ("permission, maintenance", {"permissions": []}, {}, [MAINTENANCE], order(), (704, 604)),
]


@pytest.mark.parametrize("row", CALLER, ids=lambda row: row[0])
async def test_who_calls(address, row):
    _, both, second, before, call, codes = row
    for cast, code in zip((both, second), codes, strict=True):
        async with stage(address, **cast) as scene:
            for step in before:
                await scene.perform(step)
            assert (await scene.perform(call))["code"] == code


async def test_time_comes_before_the_signature(address):
    async with stage(address, actor="forger") as scene:
        assert (await scene.perform(sent()))["code"] == 513
        assert (await scene.perform(order()))["code"] == 602


async def test_the_signature_comes_before_the_rate(address):
    async with stage(address) as scene:
        await scene.perform(ONE_A_TIME)
        await scene.perform(order())
        scene._client._secret_key, right = "wrong", scene._client._secret_key
        assert (await scene.perform(order()))["code"] == 602
        scene._client._secret_key = right
        assert (await scene.perform(order()))["code"] == 510


async def test_the_rate_comes_before_the_permission(address):
    async with stage(address, permissions=[]) as scene:
        await scene.perform(ONE_A_TIME)
        codes = [(await scene.perform(order()))["code"] for _ in range(2)]
        assert codes == [704, 510]


async def test_maintenance_comes_before_the_parameters(address):
    async with stage(address) as scene:
        await scene.perform(MAINTENANCE)
        assert (await scene.perform(order(side=5)))["code"] == 604
        await scene.perform(switch("maintenance", {}))
        assert (await scene.perform(order(side=5)))["code"] == 2001


# Neighbours, what was done before, the first fault, the second one, their codes.
ORDERS: list[tuple[str, list[Step], dict[str, Any], dict[str, Any], int, int]] = [
    ("parameters, symbol", [], {"side": 5}, {"symbol": "NOPE"}, 2001, 1001),
    ("symbol, position mode", [], {"symbol": "NOPE"}, {"positionMode": 2}, 1001, 7002),
    (
        "closed to the API, position mode",
        [],
        {"symbol": "EMBER_USDT"},
        {"positionMode": 2},
        1002,
        7002,
    ),
    (
        "position mode, margin mode",
        [order(side=3)],
        {"positionMode": 2},
        {"openType": 1},
        7002,
        5006,
    ),
    ("margin mode, leverage", [order(side=3)], {"openType": 1}, {"leverage": 501}, 5006, 2006),
    ("leverage, volume", [], {"leverage": 501}, {"vol": 0}, 2006, 2011),
    ("volume, price", [], {"vol": 0}, {"price": 1e9}, 2011, 2003),
    ("price, client id", [], {"price": 1e9}, LONG_ID, 2003, 2030),
    (
        "client id, number of orders",
        [switch("contracts/BTC_USDT", {"maxNumOrders": [0, 0]})],
        LONG_ID,
        {"price": 49000},
        2030,
        2036,
    ),
    ("client id, position to close", [], LONG_ID, {"side": 4}, 2030, 2009),
    ("client id, balance", [], LONG_ID, {"leverage": 1, "vol": 50_000}, 2030, 2005),
]


@pytest.mark.parametrize("row", ORDERS, ids=lambda row: row[0])
async def test_the_terms_of_an_order(address, row):
    """Whoever closes needs no balance, so the last two checks have no order in common."""
    _, before, first, second, code, later = row
    async with stage(address) as scene:
        for step in before:
            assert (await scene.perform(step))["success"]
        both = {"price": 50000} | second | first
        assert (await scene.perform(limit(**both)))["code"] == code
        alone = {"price": 50000} | second
        assert (await scene.perform(limit(**alone)))["code"] == later

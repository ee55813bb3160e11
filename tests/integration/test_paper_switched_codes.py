"""Each code about orders that the control side brings about: by a switch where the venue decides
by something that it tells nobody, and by the `code` fault where it is about its own insides. With
`test_paper_codes` this covers every code of the error page that concerns orders.
"""

import pytest

from tests.integration.test_paper_codes import CALLERS, CHANGES, HELD, LISTS, TERMS
from tests.paper_server import address_fixture  # noqa: F401 - fixture
from tests.paper_stage import Play, code_of, fault, get, limit, order, play, post, switch

CONTRACT = "contracts/BTC_USDT"
ACCOUNT = "accounts/$key"


def refusing(code: int, which: str = "open") -> Play:
    return play(code, switch(ACCOUNT, {"refuse": {which: code}}), order())


CONTRACTS = [
    play(6005, switch(CONTRACT, {"state": 3}), order()),
    play(6005, switch(CONTRACT, {"state": 1}), order()),
    play(8922, switch(CONTRACT, {"state": 4}), order()),
    play(1002, switch(CONTRACT, {"apiAllowed": False}), order()),
    play(8930, switch(CONTRACT, {"openingTime": 9_999_999_999_999}), order()),
    play(8920, switch(CONTRACT, {"suspend": "open"}), order()),
    play(8932, switch(CONTRACT, {"suspend": "risk"}), order()),
    play(8921, order(), switch(CONTRACT, {"suspend": "close"}), order(side=4)),
    play(8922, switch(CONTRACT, {"suspend": "all"}), order()),
    play(9068, switch(CONTRACT, {"suspend": "market_closed"}), order()),
    play(9070, switch(CONTRACT, {"positionOpenType": 1}), order()),
    play(9071, switch(CONTRACT, {"positionOpenType": 2}), order(openType=1)),
    play(8931, switch(CONTRACT, {"countryConfigContractMaxLeverage": 5}), order()),
    play(7008, switch(CONTRACT, {"minOrderValue": "50.1"}), order()),
    play(2051, switch(CONTRACT, {"maxOrderValue": "49.9"}), order()),
    play(2036, switch(CONTRACT, {"maxNumOrders": [1, 5]}), limit(49000), limit(48000)),
]
ACCOUNTS = [
    *[refusing(code) for code in (6002, 6009, 8934, 9998, 2025, 2038)],
    *[refusing(code) for code in (8815, 8816, 8818, 8820)],
    *[refusing(code, "all") for code in (6001, 200005, 300001, 300002)],
    play(200006, switch(ACCOUNT, {"margin_cap": "4.9"}), order()),
    play(300000, switch(ACCOUNT, {"margin_cap": "4.9", "margin_cap_code": 300000}), order()),
    play(8931, switch(ACCOUNT, {"country_max_leverage": 9}), order()),
    play(
        8931,
        switch(ACCOUNT, {"country_max_leverage": 9}),
        post(
            "position/change_leverage",
            {"symbol": "BTC_USDT", "positionType": 1, "openType": 2, "leverage": 10},
        ),
    ),
    play(8919, switch(ACCOUNT, {"value_cap": "148.9"}), order(), limit(49000), order()),
    play(7009, switch(ACCOUNT, {"max_value_ratio": "9"}), order(), order(), balance="11"),
]
VENUE = [
    play(511, switch("behaviour", {"batch_orders": "deny"}), post("order/submit_batch", [])),
    play(604, switch("maintenance", {"code": 604}), order()),
    play(801, switch("maintenance", {"code": 801}), get("order/list/open_orders")),
]
# Inner conditions of the venue, or of its app: nothing here could bring them about.
INSIDES = (
    *(500, 501, 9999, 6022, 3016, 506, 603, 1000, 702),
    *(1004, 2022, 8012, 8917, 6006, 6007, 6020),
    *(2054, 2055, 2058, 2071, 2072, 2073, 2074, 2075, 2076),
)
ALL = CALLERS + TERMS + HELD + CHANGES + LISTS + CONTRACTS + ACCOUNTS + VENUE
# The fact sheet's table of errors, without those of triggers and their prices.
ABOUT_ORDERS = {
    *(406, 401, 402, 1000, 506, 701, 702, 703, 704, 511, 6001, 6002, 6009, 8934),
    *(200005, 200006, 300000, 300001, 300002, 9998, 8931, 602, 513, 510, 2037),
    *(500, 501, 9999, 6022, 604, 801, 3016, 600, 601, 2001, 2002, 2022, 2029, 2035),
    *(1001, 1002, 6005, 8920, 8921, 8922, 8932, 8930, 9068),
    *(2011, 1004, 2028, 2051, 2057, 7008, 2015, 2007, 2003, 2004, 2032, 2033, 2049, 2070),
    *(2039, 2056, 2005, 2018, 2044, 7009, 8012, 8917, 2006, 2019, 2021, 7004, 2026),
    *(7002, 7001, 2027, 7003, 5006, 6006, 6007, 6020, 9070, 9071, 2008, 2009, 2043, 7005),
    *(2025, 2031, 2038, 8815, 8816, 8817, 8818, 8819, 8820, 8821, 8919),
    *(2036, 2013, 2014, 2034, 2016, 2030, 2042, 603, 2040, 2041),
}


@pytest.mark.parametrize("one", CONTRACTS + ACCOUNTS + VENUE, ids=repr)
async def test_codes_by_switch(address, one: Play):
    assert await code_of(address, one) == one.code


@pytest.mark.parametrize("code", INSIDES)
async def test_codes_by_fault(address, code):
    assert await code_of(address, play(code, fault(code), order())) == code


def test_no_code_about_orders_is_left_out():
    provoked = {one.code for one in ALL} | set(INSIDES)
    assert provoked >= ABOUT_ORDERS


OPENING_ONLY = [
    ({"suspend": "open"}, None),
    ({"suspend": "risk"}, None),
    (None, {"refuse": {"open": 6002}}),
]


@pytest.mark.parametrize(("contract", "account"), OPENING_ONLY)
@pytest.mark.parametrize("mode", [1, 2])
async def test_what_forbids_opening_lets_close(address, contract, account, mode):
    steps = [order(positionMode=mode)]
    if contract is not None:
        steps.append(switch(CONTRACT, contract))
    if account is not None:
        steps.append(switch(ACCOUNT, account))
    closing = {"side": 4 if mode == 1 else 3, "positionMode": mode}
    steps.append(order(vol=4, **closing))
    code = 6002 if account else 8932 if contract == {"suspend": "risk"} else 8920
    # In one-way mode more than is held would open the other side.
    last = order(positionMode=1) if mode == 1 else order(vol=7, **closing)
    assert await code_of(address, play(code, *steps, last, position_mode=mode)) == code


async def test_what_lies_within_the_caps_is_let_through_and_an_empty_body_lifts_them(address):
    caps = {
        "country_max_leverage": 10,
        "margin_cap": "14.9392",
        "value_cap": "149",
        "max_value_ratio": "0.0101",
    }
    within = play(
        2005,
        switch(ACCOUNT, caps),
        order(),
        limit(49000),
        order(),
        switch(ACCOUNT, {}),
        order(leverage=10, vol=100),
        order(vol=200_000),
    )
    assert await code_of(address, within) == 2005


async def test_a_contract_changed_back_is_the_catalogues(address):
    again = play(
        2011,
        switch(CONTRACT, {"state": 3, "maxNumOrders": [0, 0]}),
        switch(CONTRACT, {}),
        limit(49000),
        order(vol=0),
    )
    assert await code_of(address, again) == 2011

"""Every published code has its cause, and the few codes that decide about resending are right."""

import pytest

from libs.common.contracts.causes import Cause
from services.executor.mexc import errors
from tests.recorded import recorded

GROUPS = recorded("error_codes")
CODES = sorted(code for codes in GROUPS.values() for code in codes)
CAUSES_OF_GROUP = {
    "key": {Cause.KEY},
    "ip": {Cause.IP},
    "system": {Cause.SYSTEM, Cause.KEY},
    "unknown_outcome": {Cause.SYSTEM},
    "rate_limit": {Cause.RATE_LIMIT},
    "permission": {Cause.PERMISSION},
    "timestamp": {Cause.TIMESTAMP},
    "params": {Cause.PARAMS},
    "signature": {Cause.SIGNATURE},
    "duplicate": {Cause.CLIENT_ID},
    "client_id": {Cause.CLIENT_ID},
    "maintenance": {Cause.MAINTENANCE},
    "account": {Cause.OTHER, Cause.KEY},
    "symbol": {Cause.SYMBOL},
    "risk_limit": {Cause.RISK_LIMIT},
    "quantity": {Cause.QUANTITY},
    "precision": {Cause.QUANTITY},
    "open_type": {Cause.MARGIN_MODE, Cause.PARAMS},
    "price": {Cause.PRICE},
    "margin": {Cause.MARGIN},
    "leverage": {Cause.LEVERAGE},
    "position": {Cause.POSITION, Cause.PARAMS},
    "position_mode": {Cause.POSITION_MODE},
    "batch_limit": {Cause.ORDER_COUNT},
    "order_limit": {Cause.ORDER_COUNT},
    "liquidity": {Cause.LIQUIDITY},
    "order_state": {Cause.ORDER_STATE},
    "edit": {Cause.ORDER_STATE},
    "chase": {Cause.OTHER},
    "trailing": {Cause.TRIGGER},
    "trigger": {Cause.TRIGGER},
    "tpsl": {Cause.TRIGGER},
    "region": {Cause.REGION},
    "kyc": {Cause.REGION},
}


def test_table_holds_every_published_code_and_http_429():
    assert len(CODES) == 157
    assert set(errors.CAUSES) == {*CODES, 429}


def test_no_code_stands_under_two_causes():
    assert sum(len(codes) for codes in errors._CODES.values()) == len(errors.CAUSES)


@pytest.mark.parametrize("group", GROUPS)
def test_cause_agrees_with_the_published_group(group):
    for code in GROUPS[group]:
        assert errors.cause_of(code) in CAUSES_OF_GROUP[group], code


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (406, Cause.IP),
        (402, Cause.KEY),
        (506, Cause.KEY),
        (1000, Cause.KEY),
        (704, Cause.PERMISSION),
        (602, Cause.SIGNATURE),
        (513, Cause.TIMESTAMP),
        (2011, Cause.QUANTITY),
        (2015, Cause.QUANTITY),
        (2005, Cause.MARGIN),
        (2009, Cause.POSITION),
        (7002, Cause.POSITION_MODE),
        (2027, Cause.MARGIN_MODE),
        (6001, Cause.OTHER),
        (8934, Cause.OTHER),
        (8931, Cause.LEVERAGE),
        (424242, Cause.OTHER),
    ],
)
def test_cause(code, cause):
    assert errors.cause_of(code) is cause


def test_codes_that_leave_the_outcome_open_or_name_a_duplicate():
    assert {500, 501, 3016, 9999} == errors.OUTCOME_UNKNOWN
    assert {603, 2042} == errors.DUPLICATE_ORDER


def test_every_order_error_but_none_has_its_cause():
    assert set(errors.ORDER_ERROR_CAUSES) == set(errors.ORDER_ERROR_NAMES) - {0}
    assert sum(len(codes) for codes in errors._ORDER_ERRORS.values()) == 24


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("NORMAL", None),
        ("INSUFFICIENT_BALANCE", Cause.MARGIN),
        ("POSITION_MODE_NOT_MATCH", Cause.POSITION_MODE),
        ("POSITION_NOT_ENOUGH", Cause.POSITION),
        ("RISK_LEVEL_LIMIT", Cause.RISK_LIMIT),
        ("CONTRACT_NOT_ENABLE", Cause.SYMBOL),
        ("BLACK_USER_CANCEL", Cause.OTHER),
        ("IOC_CANCEL", Cause.LIQUIDITY),
        ("MARKET_CANCEL", Cause.LIQUIDITY),
        ("POST_ONLY_CANCEL", Cause.PRICE),
        ("CID_DUPLICATE", Cause.CLIENT_ID),
    ],
)
def test_order_error_cause(name, cause):
    code = next(code for code, known in errors.ORDER_ERROR_NAMES.items() if known == name)
    assert errors.order_error_cause(code) is cause


def test_an_order_error_that_is_not_documented_is_other():
    assert errors.order_error_cause(77) is Cause.OTHER


def test_order_error_names():
    published = {int(code): name for code, name in recorded("order_error_names").items()}
    assert published == errors.ORDER_ERROR_NAMES
    assert errors.order_error_name(21) == "MARKET_CANCEL"
    assert errors.order_error_name(77) == "OTHER"

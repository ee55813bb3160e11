"""MEXC's codes: what each reply's `code` is about, and the names of an order's own `errorCode`.

Texts are never matched: they come in Chinese where a proxy drops our `Language` header.
"""

from collections.abc import Mapping
from types import MappingProxyType

from libs.common.contracts.causes import Cause

HTTP_TOO_MANY_REQUESTS = 429

OUTCOME_UNKNOWN = frozenset({500, 501, 3016, 9999})
"""Codes after which an order may or may not exist."""

DUPLICATE_ORDER = frozenset({603, 2042})
"""An order of that id, or the very request, was seen before."""

ORDER_DUPLICATE = frozenset({22, 23})
"""The errorCodes of an order that died since another of its id was there before."""

ORDER_NOT_EXIST = 2040

GONE = frozenset({ORDER_NOT_EXIST, 2041, 5002})
"""What was to be canceled has ended already, or never was; 5002 says so of a take profit or stop
loss. Whether 2041 may also be said of an order on its way into the book is not documented.
"""

_CODES: dict[Cause, tuple[int, ...]] = {
    Cause.IP: (406,),
    Cause.KEY: (401, 402, 506, 1000),
    Cause.PERMISSION: (511, 701, 702, 703, 704),
    Cause.SIGNATURE: (602,),
    Cause.TIMESTAMP: (513,),
    Cause.RATE_LIMIT: (HTTP_TOO_MANY_REQUESTS, 510, 2037),
    Cause.SYSTEM: (500, 501, 3016, 6022, 9999),
    Cause.MAINTENANCE: (604, 801),
    Cause.PARAMS: (600, 601, 2001, 2002, 2022, 2029, 2035, 4001, 6003, 6004),
    Cause.SYMBOL: (1001, 1002, 6005, 8920, 8921, 8922, 8930, 8932, 9068),
    # 2015 speaks of price or quantity; market orders have a quantity only.
    Cause.QUANTITY: (1004, 2011, 2015, 2028, 2051, 2057, 7008),
    Cause.PRICE: (2003, 2004, 2007, 2032, 2033, 2049, 2070),
    Cause.LIQUIDITY: (2039, 2056),
    Cause.MARGIN: (2005, 2018, 2044, 7009, 8012, 8917),
    Cause.LEVERAGE: (2006, 2019, 2021, 2026, 7004, 8915, 8931),
    Cause.POSITION_MODE: (7001, 7002),
    Cause.MARGIN_MODE: (2027, 5006, 6006, 6007, 6019, 6020, 7003, 9070, 9071),
    Cause.POSITION: (2008, 2009, 2043, 7005),
    Cause.RISK_LIMIT: (
        *(1003, 2023, 2024, 2025, 2031, 2038, 8815, 8816, 8817, 8818, 8819, 8820, 8821, 8919),
    ),
    Cause.ORDER_COUNT: (2013, 2014, 2016, 2034, 2036),
    Cause.CLIENT_ID: (603, 2030, 2042),
    Cause.ORDER_STATE: (2040, 2041, 2052, 2053, 2054, 2055),
    Cause.TRIGGER: (
        *(2045, 2046, 2047, 2048),
        *(3001, 3002, 3003, 3004, 3006, 3007, 3008, 3009, 3010, 3011, 3012, 3013, 3014, 3015),
        *(5001, 5002, 5003, 5004, 5005, 9069),
    ),
    # Verification of the person comes with the rules of the region.
    Cause.REGION: (9998, 200005, 200006, 300000, 300001, 300002),
    Cause.OTHER: (
        # The account may not trade, whatever its key may do.
        *(6001, 6002, 6009, 8934),
        # Chase orders, which we do not place.
        *(2058, 2059, 2064, 2065, 2066, 2071, 2072, 2073, 2074, 2075, 2076),
    ),
}

CAUSES: Mapping[int, Cause] = MappingProxyType(
    {code: cause for cause, codes in _CODES.items() for code in codes}
)

ORDER_ERROR_NAMES: Mapping[int, str] = MappingProxyType(
    {
        0: "NORMAL",
        1: "PARAM_INVALID",
        2: "INSUFFICIENT_BALANCE",
        3: "POSITION_NOT_EXISTS",
        4: "POSITION_NOT_ENOUGH",
        5: "POSITION_LIQ",
        6: "ORDER_LIQ",
        7: "RISK_LEVEL_LIMIT",
        8: "SYS_CANCEL",
        9: "POSITION_MODE_NOT_MATCH",
        10: "REDUCE_ONLY_LIQ",
        11: "CONTRACT_NOT_ENABLE",
        12: "DELIVERY_CANCEL",
        13: "POSITION_LIQ_CANCEL",
        14: "ADL_CANCEL",
        15: "BLACK_USER_CANCEL",
        16: "SETTLE_FUNDING_CANCEL",
        17: "POSITION_IM_CHANGE_CANCEL",
        18: "IOC_CANCEL",
        19: "FOK_CANCEL",
        20: "POST_ONLY_CANCEL",
        21: "MARKET_CANCEL",
        22: "OID_DUPLICATE",
        23: "CID_DUPLICATE",
        999: "OTHER",
    }
)

_ORDER_ERRORS: dict[Cause, tuple[int, ...]] = {
    Cause.PARAMS: (1,),
    Cause.MARGIN: (2,),
    # What it was to close is gone or smaller, or was taken over by the exchange; then every order
    # of the position goes, too.
    Cause.POSITION: (3, 4, 5, 6, 10, 13, 14),
    Cause.RISK_LIMIT: (7,),
    Cause.SYSTEM: (8,),
    Cause.POSITION_MODE: (9,),
    Cause.SYMBOL: (11, 12),
    # Nobody was there to trade with, at that price and in that moment.
    Cause.LIQUIDITY: (18, 19, 21),
    # It would have been filled at once, and was to wait in the book.
    Cause.PRICE: (20,),
    Cause.CLIENT_ID: (22, 23),
    # The account may not trade (15). What funding or a changed margin has to do with an order
    # (16, 17) is not documented.
    Cause.OTHER: (15, 16, 17, 999),
}

ORDER_ERROR_CAUSES: Mapping[int, Cause] = MappingProxyType(
    {code: cause for cause, codes in _ORDER_ERRORS.items() for code in codes}
)


def cause_of(code: int) -> Cause:
    return CAUSES.get(code, Cause.OTHER)


def order_error_cause(code: int) -> Cause | None:
    """What an order died of; None where it did not. A code that is not documented is OTHER."""
    return ORDER_ERROR_CAUSES.get(code, Cause.OTHER) if code else None


def order_error_name(code: int) -> str:
    """MEXC's name of an order's errorCode; a code it has not documented is OTHER."""
    return ORDER_ERROR_NAMES.get(code, "OTHER")

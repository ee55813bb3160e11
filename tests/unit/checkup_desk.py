"""An account in order, as it was seen, and how a checkup of the fake exchange is run."""

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import MarginMode, PositionMode, PositionSide
from libs.common.domain.leverages import SideLeverage, Terms
from services.executor.checkable import Funds, Listing, Ping
from services.executor.checkup.addresses import SeenAddress
from services.executor.checkup.judging import judge_checkup
from services.executor.checkup.observed import LaneSeen, Observed, Refused
from tests.factories import D, make_account, make_instrument
from tests.fake_checks import ORDERLY

SIGNED = ("key", "positions", "position_mode", "funds")
"""What is asked with a signature."""
OURS = "203.0.113.9"
TERMS = Terms(leverage=10, margin_mode=MarginMode.CROSS)


def make_listing(**changes):
    return Listing(
        **{
            "instrument": make_instrument(),
            "is_open": True,
            "api_allowed": True,
            "state": "enabled",
            **changes,
        }
    )


def make_lane(**changes):
    return LaneSeen(
        **{
            "route": "demo",
            "symbol": "BTC_USDT",
            "terms": TERMS,
            "listing": make_listing(),
            "leverages": set_to("cross", 10),
            "price": D(50_000),
            **changes,
        }
    )


def set_to(margin_mode, leverage):
    return tuple(
        SideLeverage(side=side, leverage=leverage, margin_mode=MarginMode(margin_mode))
        for side in PositionSide
    )


def pings(*elapsed_ms, offset_ms=3):
    return [Ping(offset_ms=offset_ms, elapsed_ms=one) for one in elapsed_ms]


def make_seen(**changes):
    return Observed(
        **{
            "account": make_account(access_key="mx0vglABCD1234", expected_addresses=(OURS,)),
            "own": SeenAddress(addresses=(OURS,)),
            "pings": pings(8.0, 9.0, 30.0),
            "key": ORDERLY,
            "positions": (),
            "position_mode": PositionMode.HEDGE,
            "funds": {"USDT": Funds(equity=D(1000), available=D(900))},
            "lanes": [make_lane()],
            **changes,
        }
    )


def barred(kind, code, message="no"):
    """Every signed question meets the same."""
    refused = Refused(kind=Cause(kind), code=code, message=message)
    return {**dict.fromkeys(SIGNED, refused), "lanes": [make_lane(leverages=None)]}


def states(seen):
    """By line; of a line with several the worst told last."""
    return {found.line.value: found.state.value for found in judge_checkup(seen)}


def finding(seen, line):
    found = [one for one in judge_checkup(seen) if one.line.value == line]
    assert len(found) == 1, found
    return found[0]

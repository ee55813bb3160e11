"""Risk tiers: how much may be held at which leverage, and what margin it needs.

BTC_USDT's list: 50,000 contracts up to 500x, 310,000 up to 200x, 480,000 up to 100x, 2.8 million up
to 50x, 17.5 million up to 20x, 19 million up to 10x.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.paper_desk import BTC, CONTRACTS, LONG, NOW, Desk
from tools.paper_exchange.engine.commands import ChangeOrder, SetLeverage
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.tiers import largest_vol, tier_at, tier_of, tiers_of
from tools.paper_exchange.rest.leverage import leverage_shape, risk_shape

CONTRACT = CONTRACTS[BTC]


@pytest.mark.parametrize(
    ("vol", "level", "mmr"),
    [
        (0, 1, "0.001"),
        (50_000, 1, "0.001"),
        (50_001, 2, "0.004"),
        (480_000, 3, "0.005"),
        (19_000_000, 6, "0.05"),
        (19_000_001, 6, "0.05"),
    ],
)
def test_the_tier_of_a_volume(vol, level, mmr):
    tier = tier_of(CONTRACT, Decimal(vol))
    assert (tier.level, tier.mmr) == (level, Decimal(mmr))


@pytest.mark.parametrize(
    ("leverage", "vol"),
    [
        (501, 0),
        (500, 50_000),
        (201, 50_000),
        (200, 310_000),
        (20, 17_500_000),
        (11, 17_500_000),
        (10, 19_000_000),
        (1, 19_000_000),
    ],
)
def test_the_largest_volume_at_a_leverage(leverage, vol):
    assert largest_vol(CONTRACT, leverage) == vol


def test_tiers_from_increments():
    contract = replace(CONTRACTS["ETH_USDT"], risk_level_limit=3)
    assert [
        (tier.level, tier.max_vol, str(tier.mmr), str(tier.imr), tier.max_leverage)
        for tier in tiers_of(contract)
    ] == [
        (1, 1_640_000, "0.0025", "0.005", 200),
        (2, 3_280_000, "0.0585", "0.097", 10),
        (3, 4_920_000, "0.1145", "0.189", 5),
    ]
    assert tier_at(contract, 10) == tiers_of(contract)[1]


def test_no_more_is_opened_than_the_leverage_allows():
    desk = Desk(balance="1000000")
    desk.place(1, 300_000, leverage=200)
    # 300,000 are held and 5,000 rest, so 5,000 are left.
    desk.limit(1, 5_000, "49000", leverage=200)
    assert desk.refused(1, 5_001, leverage=200) == 8819
    assert desk.limit(1, 5_000, "49000", leverage=200).state == 2
    # The other side has a limit of its own, and closing has none.
    assert desk.place(3, 310_000, leverage=200).state == 3
    assert desk.place(4, 300_000).state == 3


def test_an_order_that_takes_the_place_of_another_counts_once():
    desk = Desk(balance="1000000")
    order = desk.limit(1, 310_000, "49000", leverage=200)
    desk.do(
        ChangeOrder(at_ms=NOW, account_id=1, order_id=order.id, price=Decimal(48000), vol=order.vol)
    )
    assert [o.price for o in desk.account.open_orders.values()] == [48000]


def test_beyond_the_last_tier_the_code_is_another():
    desk = Desk()
    desk.price("0.002742", symbol="1000BONK_USDT")
    bonk: dict[str, Any] = {"symbol": "1000BONK_USDT", "leverage": 10}
    desk.place(1, 2_200, **bonk)
    assert desk.refused(1, 1, **bonk) == 2031


def test_a_net_order_that_only_reduces_knows_no_limit():
    desk = Desk(mode=2, balance="1000000")
    desk.place(1, 310_000, leverage=200)
    assert desk.place(3, 310_000, leverage=500).state == 3


def test_a_leverage_must_allow_what_is_held():
    desk = Desk(balance="1000000")
    desk.place(1, 300_000, leverage=200)
    with pytest.raises(Refused) as caught:
        desk.do(SetLeverage(at_ms=NOW, account_id=1, symbol=BTC, position_type=1, leverage=201))
    assert (caught.value.code, caught.value.values) == (8821, {"leverage": 200})


def _shown(shape: dict[str, Any], *names: str) -> list[Any]:
    values = (shape[name] for name in names)
    return [Decimal(bytes(v).decode()) if not isinstance(v, (int, str)) else v for v in values]


def test_the_shown_tier_is_that_of_the_leverage_and_the_current_rate_that_of_what_is_held():
    desk = Desk(balance="10000000")
    names = ("leverage", "level", "maxVol", "mmr", "imr", "currentMmr", "maxLeverageView")
    assert _shown(leverage_shape(desk.account, CONTRACT, LONG), *names) == [
        20, 5, 17_500_000, Decimal("0.02"), Decimal("0.05"), Decimal("0.001"), 500,
    ]  # fmt: skip
    desk.place(1, 50_001, leverage=2)
    assert _shown(leverage_shape(desk.account, CONTRACT, LONG), *names) == [
        2, 6, 19_000_000, Decimal("0.05"), Decimal("0.1"), Decimal("0.004"), 200,
    ]  # fmt: skip
    row = _shown(risk_shape(desk.account, CONTRACT, LONG), "symbol", "maxLeverage", "currentMmr")
    assert row == [BTC, 500, Decimal("0.004")]

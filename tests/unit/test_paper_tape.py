"""The paper exchange's public tape and depth: what others see of what accounts do."""

from decimal import Decimal

import pytest

from tests.paper_desk import BTC, CONTRACTS, NOW
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.engine.commands import (
    AddAccount,
    CancelOrder,
    PlaceOrder,
    Reset,
    SetDepth,
    SetPrice,
)
from tools.paper_exchange.market.books import LADDER_LEVELS
from tools.paper_exchange.market.depth import best_prices, depth_commits, depth_view
from tools.paper_exchange.market.tape import TRADES_KEPT, Effect, open_interest
from tools.paper_exchange.venue import Venue

TICK = CONTRACTS[BTC].price_unit


class Market:
    """A venue without a server, whose time stands still."""

    def __init__(self):
        self.venue = Venue(load_catalogue(), clock_ns=lambda: NOW * 1_000_000)
        account = {"permissions": [], "ip_whitelist": [], "expires_ms": None, "position_mode": 1}
        self.venue.apply(
            AddAccount(
                at_ms=NOW,
                access_key="paper_test",
                secret_key="secret",
                balance=Decimal(100_000),
                **account,
            )
        )
        self.price("50000")

    def price(self, last):
        self.venue.apply(SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(last)))

    def depth(self, bids=None, asks=None):
        sides = [
            None if side is None else [[Decimal(price), Decimal(vol)] for price, vol in side]
            for side in (bids, asks)
        ]
        self.venue.apply(SetDepth(at_ms=NOW, symbol=BTC, bids=sides[0], asks=sides[1]))

    def order(self, side, vol=10, price=None):
        return self.venue.apply(
            PlaceOrder(
                at_ms=NOW,
                account_id=1,
                symbol=BTC,
                side=side,
                type=5 if price is None else 1,
                vol=Decimal(vol),
                price=Decimal(price or 0),
                open_type=2,
                leverage=10,
                position_mode=1,
            )
        )

    def cancel(self, order_id):
        self.venue.apply(CancelOrder(at_ms=NOW, account_id=1, order_id=order_id))

    def trades(self):
        return [
            (int(t.price), int(t.vol), "buy" if t.taker_buys else "sell", t.effect)
            for t in self.venue.tape.trades(BTC)
        ]

    def rows(self, side):
        return [tuple(map(int, row)) for row in depth_view(self.venue, BTC)[side]]


@pytest.fixture(name="market")
def market_fixture() -> Market:
    return Market()


def test_trades_carry_the_takers_side_newest_first(market):
    market.order(1, 10)
    market.order(4, 4)
    market.order(3, 5, price="50100")
    market.order(1, 6, price="49900")
    market.price("49900")
    market.price("50100")
    assert market.trades() == [
        (50100, 5, "buy", Effect.OPENS),
        (49900, 6, "sell", Effect.OPENS),
        (50000, 4, "sell", Effect.CLOSES),
        (50000, 10, "buy", Effect.OPENS),
    ]


def test_a_change_of_price_alone_is_no_trade(market):
    market.price("51000")
    assert market.trades() == []
    assert market.venue.tape.bars[BTC].last.close == 51000


def test_the_tape_keeps_the_latest_trades(market):
    for _ in range(TRADES_KEPT + 5):
        market.venue.tape.market_trade(
            BTC, price=Decimal(1), vol=Decimal(1), taker_buys=True, at_ms=NOW
        )
    ids = [trade.id for trade in market.venue.tape.trades(BTC)]
    assert ids == list(range(TRADES_KEPT + 5, 5, -1))


def test_volume_and_bars_come_from_fills_and_prices(market):
    market.order(1, 10)
    market.price("50500")
    market.order(4, 10)
    day = market.venue.tape.bars[BTC].last.day(NOW // 1000)
    size = CONTRACTS[BTC].contract_size
    assert day.vol == 20
    assert day.amount == 10 * size * 50000 + 10 * size * 50500
    assert (day.high, day.low) == (Decimal("77123.1"), 50000)
    assert market.venue.tape.bars[BTC].fair.close == 50500
    assert market.venue.tape.bars[BTC].index.day(NOW // 1000).vol == 0


def test_open_interest_is_what_all_accounts_hold(market):
    market.order(1, 10)
    market.order(3, 3)
    assert open_interest(market.venue.state.accounts.values()) == {BTC: 13}


def test_an_unlimited_depth_is_shown_as_a_ladder_around_the_last_price(market):
    bids, asks, _ = depth_view(market.venue, BTC)
    assert [row[0] for row in bids] == [50000 - TICK * n for n in range(1, LADDER_LEVELS + 1)]
    assert [row[0] for row in asks] == [50000 + TICK * n for n in range(1, LADDER_LEVELS + 1)]
    assert {row[1:] for row in bids + asks} == {(CONTRACTS[BTC].max_vol, 1)}
    assert len(depth_view(market.venue, BTC, 5)[0]) == 5


@pytest.mark.parametrize(
    ("last", "bid", "ask"), [("0.1", 0, "0.2"), ("0.2", "0.1", "0.3"), ("0.25", "0.2", "0.3")]
)
def test_the_ladder_stays_above_zero_and_on_ticks(market, last, bid, ask):
    market.price(last)
    assert best_prices(market.venue, BTC) == (Decimal(bid), Decimal(ask))
    assert all(price > 0 for price, _, _ in depth_view(market.venue, BTC)[0])


def test_resting_orders_are_in_the_depth(market):
    below, best = "49000", str(50000 - TICK)
    market.order(1, 7, price=below)
    market.order(1, 5, price=below)
    market.order(1, 3, price=best)
    bids = depth_view(market.venue, BTC)[0]
    assert bids[-1] == (49000, 12, 2)
    assert bids[0] == (Decimal(best), CONTRACTS[BTC].max_vol + 3, 2)
    made = market.order(3, 4, price="51000")
    assert depth_view(market.venue, BTC)[1][-1] == (51000, 4, 1)
    market.cancel(made)
    assert len(depth_view(market.venue, BTC)[1]) == LADDER_LEVELS


def test_a_depth_that_was_set_is_shown_and_used_up(market):
    market.depth(bids=[("49990", 5), ("49980", 9)], asks=[("50010", 4), ("50020", 8)])
    market.order(1, 2, price="49980")
    assert market.rows(0) == [(49990, 5, 1), (49980, 11, 2)]
    market.order(1, 6)
    assert market.rows(1) == [(50020, 6, 1)]
    assert market.trades() == [(50020, 2, "buy", 1), (50010, 4, "buy", 1)]
    market.depth(bids=[], asks=[("50020", 8)])
    assert best_prices(market.venue, BTC) == (49980, 50020)
    market.depth()
    assert best_prices(market.venue, BTC) == (50000 - TICK, 50000 + TICK)


def test_what_is_left_of_an_order_is_in_the_depth(market):
    market.depth(bids=[], asks=[("50010", 4)])
    market.order(1, 6, price="50010")
    assert (market.rows(0), market.rows(1)) == ([(50010, 2, 1)], [])


def test_versions_grow_by_one_with_what_readers_can_see(market):
    market.depth(bids=[("49990", 5)], asks=[("50010", 4)])
    first = depth_view(market.venue, BTC)[2]
    market.order(1, 1, price="49000")
    second = depth_view(market.venue, BTC)[2]
    assert depth_view(market.venue, BTC)[2] == second == first + 1
    # Nothing that shows: the depth is the same again.
    market.cancel(market.order(1, 1, price="48000"))
    assert depth_view(market.venue, BTC)[2] == second
    market.depth(bids=[("49990", 6)], asks=[("50011", 4)])
    (newest, before) = depth_commits(market.venue, BTC, 2)
    assert (newest.version, before.version) == (second + 1, second)
    assert newest.bids == [(49990, 6, 1)]
    assert newest.asks == [(50011, 4, 1), (50010, 0, 0)]
    assert (before.bids, before.asks) == ([(49000, 1, 1)], [])


def test_commits_rebuild_the_depth(market):
    market.depth(bids=[("49990", 5)], asks=[("50010", 4)])
    depth_view(market.venue, BTC)
    rebuilt = {row[0]: row for row in depth_view(market.venue, BTC)[0]}
    known = depth_view(market.venue, BTC)[2]
    market.order(1, 3, price="49000")
    depth_view(market.venue, BTC)
    market.depth()
    commits = depth_commits(market.venue, BTC, depth_view(market.venue, BTC)[2] - known)
    for commit in reversed(commits):
        for row in commit.bids:
            rebuilt[row[0]] = row
            if not row[1]:
                del rebuilt[row[0]]
    assert sorted(rebuilt.values(), reverse=True) == depth_view(market.venue, BTC)[0]


def test_a_reset_empties_the_depth_too(market):
    market.depth(bids=[("49990", 5)], asks=[("50010", 4)])
    market.order(1, 2, price="49000")
    assert len(market.rows(0)) == 2
    market.venue.apply(Reset(at_ms=NOW))
    assert len(market.rows(0)) == LADDER_LEVELS

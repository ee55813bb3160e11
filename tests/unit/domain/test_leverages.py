"""Which leverage is wanted where, and what has to be set for it: tables."""

import pytest

from libs.common.contracts.route import RouteAccount, SymbolOverride, Symbols
from libs.common.contracts.words import MarginMode, PositionSide, RouteState
from libs.common.domain.leverages import SideLeverage, Terms, Wish, changes_due, obstacle, wishes
from tests.factories import make_instrument, make_settings

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
BTC, ETH = "BTC_USDT", "ETH_USDT"


def terms(text):
    mode, _, leverage = text.partition(" ")
    return Terms(margin_mode=MarginMode(mode), leverage=int(leverage))


def sides(text):
    """`long cross 10, short isolated 20` as the exchange may tell it; `?` is not told."""
    rows = []
    for part in filter(None, text.split(", ")):
        side, mode, leverage = part.split()
        margin_mode = None if mode == "?" else MarginMode(mode)
        rows.append(
            SideLeverage(side=PositionSide(side), leverage=int(leverage), margin_mode=margin_mode)
        )
    return tuple(rows)


@pytest.mark.parametrize(
    ("told", "due"),
    [
        ("long cross 10, short cross 10", ""),
        ("long cross 20, short cross 10", "long cross 10"),
        ("long cross 10, short cross 9", "short cross 10"),
        ("long isolated 20, short isolated 20", "long cross 10, short cross 10"),
        # The right number in the wrong margin mode.
        ("long isolated 10, short cross 10", "long cross 10"),
        # A mode that is not told is no difference; a leverage is.
        ("long ? 10, short ? 20", "short cross 10"),
        # Told once for each margin mode: the other mode's is nobody's interest.
        ("long cross 10, long isolated 20, short isolated 5, short cross 10", ""),
        ("long cross 20, long isolated 10, short cross 10", "long cross 10"),
        # What is not told is not touched.
        ("", ""),
        ("short cross 20", "short cross 10"),
    ],
)
def test_what_is_told_otherwise_is_set(told, due):
    assert changes_due(terms("cross 10"), told=sides(told)) == sides(due)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"leverage_maximum": 10}, None),
        ({"leverage_maximum": 9}, "leverage 10 is over the contract's 9"),
        ({"tradable": False}, "the contract is not open to orders by API"),
    ],
)
def test_what_the_contract_does_not_allow_is_not_asked_for(changes, why):
    assert obstacle(terms("cross 10"), instrument=make_instrument(**changes)) == why


def test_a_contract_that_is_not_listed_is_not_asked_for():
    why = obstacle(terms("cross 10"), instrument=None)
    assert why == "the exchange lists no such contract"


def wanted(*routes, traded=None):
    """Lanes as `account symbol`, and their terms."""
    traded = {tuple(lane.split()): by for lane, by in (traded or {}).items()}
    found = wishes(routes, traded=traded)
    return {" ".join(lane): str(wish.terms) for lane, wish in found.items()}


def route(name="demo", *, allow=(), overrides=(), accounts=("paper",), leverage=10, **changes):
    named = {f"{number}": SymbolOverride(symbol=each) for number, each in enumerate(overrides)}
    return make_settings(
        id=name,
        accounts=tuple(RouteAccount(account=account) for account in accounts),
        symbols=Symbols(allow=allow, overrides=named),
        leverage=leverage,
        **changes,
    )


class TestWhere:
    def test_a_route_that_names_no_contract_wants_nothing(self):
        assert wanted(route()) == {}

    def test_each_allowed_contract_on_each_account(self):
        found = wanted(route(allow=(BTC, ETH), accounts=("a", "b")))
        assert set(found) == {f"a {BTC}", f"a {ETH}", f"b {BTC}", f"b {ETH}"}

    def test_the_allow_list_may_hold_tickers(self):
        assert set(wanted(route(allow=("BTCUSDT.P",)))) == {f"paper {BTC}"}

    def test_what_is_overridden(self):
        assert set(wanted(route(overrides=(BTC,)))) == {f"paper {BTC}"}

    def test_what_is_overridden_and_not_allowed_is_not_traded(self):
        assert set(wanted(route(overrides=(BTC,), allow=(ETH,)))) == {f"paper {ETH}"}

    def test_what_was_traded(self):
        assert wanted(route(), traded={f"paper {BTC}": {"demo": False}}) == {
            f"paper {BTC}": "cross 10x"
        }

    @pytest.mark.parametrize(
        "changes",
        [{"state": RouteState.PAUSED}, {"allow": (ETH,)}, {"accounts": ("other",)}, {"name": "x"}],
    )
    def test_what_was_traded_and_is_not_any_more(self, changes):
        found = wanted(route(**changes), traded={f"paper {BTC}": {"demo": False}})
        assert f"paper {BTC}" not in found


class TestWhich:
    def test_routes_that_agree(self):
        both = [route(name, allow=(BTC,)) for name in ("a", "b")]
        assert wishes(both, traded={}) == {("paper", BTC): Wish(terms=terms("cross 10"))}

    @pytest.mark.parametrize(
        ("one", "other", "counts"),
        [
            ("cross 10", "cross 5", "cross 5x"),
            ("cross 5", "isolated 10", "cross 5x"),
            ("isolated 10", "cross 10", "isolated 10x"),
            ("cross 20", "isolated 20", "isolated 20x"),
        ],
    )
    def test_the_lowest_counts_whoever_comes_first(self, one, other, counts):
        for first, second in ((one, other), (other, one)):
            routes = [
                route(
                    name,
                    allow=(BTC,),
                    leverage=terms(each).leverage,
                    margin_mode=terms(each).margin_mode,
                )
                for name, each in (("a", first), ("b", second))
            ]
            (wish,) = wishes(routes, traded={}).values()
            assert str(wish.terms) == counts
            assert wish.disputed.endswith(f"the lowest counts, {counts}")
            assert f"a wants {terms(first)}, b wants {terms(second)}" in wish.disputed

    def test_who_does_not_trade_it_has_no_say(self):
        routes = [route("a"), route("b", leverage=5), route("c", leverage=3, state="paused")]
        found = wanted(*routes, traded={f"paper {BTC}": {"a": False}})
        assert found == {f"paper {BTC}": "cross 10x"}

    def test_where_alerts_name_their_own_it_is_left_to_the_orders(self):
        routes = [route("a", allow=(BTC,)), route("b", allow=(BTC,), leverage=5)]
        (wish,) = wishes(routes, traded={("paper", BTC): {"b": True}}).values()
        assert wish.terms is None
        assert wish.disputed == "alerts of b name terms of their own: left to the orders"

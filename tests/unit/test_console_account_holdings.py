"""What an account holds, in words: what is not known is told as such, never as a zero."""

from datetime import timedelta

import pytest

from libs.common.contracts.account_picture import Doubt, PictureState, WaitingKind
from libs.common.contracts.words import Effect, MarginMode, OrderType, PositionMode, PositionSide
from services.console.web.accounts import holdings
from tests.factories import ALERT_ID, NOW, D
from tests.pictured import make_picture, make_position, make_waiting


@pytest.mark.parametrize(
    ("state", "age_ms", "words"),
    [
        pytest.param(PictureState.LIVE, 350, "pushed 0.3 s ago", id="live"),
        pytest.param(PictureState.LIVE, None, "pushed", id="live-without-age"),
        pytest.param(PictureState.ASKED, 1_250, "the exchange answered 1.2 s ago", id="asked"),
        pytest.param(PictureState.UNTRUSTED, 61_000, "what was known 1 min ago", id="old"),
        pytest.param(PictureState.UNTRUSTED, 7_300_000, "what was known 2 h ago", id="very-old"),
        pytest.param(PictureState.UNTRUSTED, None, "nothing is known", id="never"),
    ],
)
def test_how_fresh_it_is(state, age_ms, words):
    picture = make_picture(state=state, age_ms=age_ms, doubt=None, why="")
    found = holdings.freshness(picture)
    assert (found.state, found.words, found.doubt) == (state.value, words, "")


def test_why_it_is_not_trusted_is_said():
    picture = make_picture(state=PictureState.UNTRUSTED, doubt=Doubt.OLD, why="too old")
    found = holdings.freshness(picture)
    assert (found.label, found.doubt) == ("not trusted", "too old")


def test_a_position_with_its_numbers():
    [line] = holdings.positions(make_picture()) or []
    assert (line.symbol, line.side, line.contracts) == ("BTC_USDT", PositionSide.LONG, "10")
    assert (line.base, line.average, line.mark) == ("0.001 BTC", "50000", "50123.4")
    assert (line.liquidation, line.leverage) == ("45250.5", "isolated 10x")
    assert (line.profit, line.currency, line.tone) == ("+0.1234", "USDT", "buy")
    assert line.realised == "\N{MINUS SIGN}0.04"


@pytest.mark.parametrize(
    ("profit", "words", "tone"),
    [
        pytest.param("12.50", "+12.5", "buy", id="gain"),
        pytest.param("-1234.56789", "\N{MINUS SIGN}1234.5679", "sell", id="loss"),
        pytest.param("-0.00000012", "\N{MINUS SIGN}0.00000012", "sell", id="small-loss"),
        pytest.param("0.000", "0", "", id="neither"),
    ],
)
def test_a_profit_has_its_sign(profit, words, tone):
    picture = make_picture(positions=(make_position(unrealised_profit=D(profit)),))
    [line] = holdings.positions(picture) or []
    assert (line.profit, line.tone) == (words, tone)


def test_what_is_not_known_of_a_position_is_no_zero():
    unknown = make_position(
        base_quantity=None,
        mark_price=None,
        liquidation_price=None,
        unrealised_profit=None,
        realised_profit=None,
        profit_currency=None,
        margin_mode=MarginMode.CROSS,
    )
    [line] = holdings.positions(make_picture(positions=(unknown,))) or []
    assert {line.base, line.mark, line.liquidation, line.profit, line.tone, line.realised} == {""}


def test_none_held_is_not_the_same_as_not_known():
    assert holdings.positions(make_picture(positions=())) == []
    assert holdings.positions(make_picture(positions=None)) is None
    assert holdings.waiting(make_picture(orders=())) == []
    assert holdings.waiting(make_picture(orders=None)) is None


@pytest.mark.parametrize(
    ("changes", "kind", "price", "trigger", "size"),
    [
        pytest.param({}, "limit", "49000", "", "6", id="limit"),
        pytest.param(
            {"order_type": OrderType.POST_ONLY}, "post only", "49000", "", "6", id="post-only"
        ),
        pytest.param(
            {
                "kind": WaitingKind.TRIGGER,
                "order_type": OrderType.MARKET,
                "price": None,
                "trigger_price": D(51_000),
            },
            *("trigger, then market", "", "at 51000", "6"),
            id="trigger",
        ),
        pytest.param(
            {"kind": WaitingKind.PROTECTION, "contracts": None, "price": None},
            *("protection", "", "", "all"),
            id="protection",
        ),
        pytest.param(
            {
                "kind": WaitingKind.TRAILING,
                "price": None,
                "trigger_price": D(51_000),
                "trail_distance": D("500.0"),
            },
            *("trailing stop", "", "at 51000, follows by 500", "6"),
            id="trailing",
        ),
    ],
)
def test_what_waits_is_told_by_its_kind(changes, kind, price, trigger, size):
    [line] = holdings.waiting(make_picture(orders=(make_waiting(**changes),))) or []
    assert (line.kind, line.price, line.trigger, line.size) == (kind, price, trigger, size)


def test_whose_order_it_is():
    ours = make_waiting()
    unlabelled = make_waiting(order_id=None)
    strange = make_waiting(route=None, alert_id=None, client_order_id=None, effect=Effect.CLOSE)
    lines = holdings.waiting(make_picture(orders=(ours, unlabelled, strange))) or []
    assert [line.whose for line in lines] == ["demo first", "demo", "not ours"]
    assert [line.alert_id for line in lines] == [ALERT_ID, ALERT_ID, None]
    assert (lines[2].what, lines[0].filled) == ("close long", "4")


def test_a_drift_says_what_was_held_and_what_was_expected():
    found = holdings.drift(make_picture())
    assert found is not None
    assert (found.held, found.expected) == ("long 10", "long 20")
    assert (found.symbol, found.at) == ("BTC_USDT", NOW - timedelta(hours=1))
    assert holdings.drift(make_picture(drift=None)) is None


@pytest.mark.parametrize(
    ("told", "is_wrong", "words"),
    [
        pytest.param(PositionMode.HEDGE, False, "hedge", id="as-expected"),
        pytest.param(PositionMode.ONE_WAY, True, "one-way", id="other"),
        pytest.param(None, False, "", id="not-told"),
    ],
)
def test_the_position_mode_stands_beside_the_expected_one(told, is_wrong, words):
    found = holdings.mode(make_picture(position_mode=told))
    assert (found.told, found.expected, found.is_wrong) == (words, "hedge", is_wrong)
    assert bool(found.mend) == is_wrong


def test_what_is_missing_is_named_with_its_contract():
    assert list(holdings.missing(make_picture())) == ["mark price of X_USDT: not answered"]


@pytest.mark.parametrize(
    ("value", "words"),
    [("10000", "10,000.00"), ("-12.345", "-12.34"), ("0.00001", "0.00001"), ("0", "0")],
)
def test_money_is_cut_to_cents_unless_it_is_less_than_one(value, words):
    assert holdings.money(D(value)) == words

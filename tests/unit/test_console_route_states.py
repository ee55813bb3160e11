"""What a route is and does, in words."""

from datetime import timedelta
from decimal import Decimal

import pytest

from libs.common.contracts.control import Control, Scope
from libs.common.contracts.route import Guards, RouteAccount, Sizing, TokenHash
from libs.common.contracts.words import RouteState, SizingMode, TradeMode
from services.console.web.routes.states import (
    changed_in_words,
    halt_of,
    is_mexc,
    line_of,
    reach_words,
    rotating_until,
    settings_words,
    value_words,
)
from tests.factories import ALERT_ID, NOW, make_account, make_route, make_settings

HASH = "0" * 64


def halt(scope, name=None):
    return Control(scope=scope, id=name, halt_id=ALERT_ID, at=NOW)


HALTS = {
    "everything": (halt(Scope.ALL), "everything is halted"),
    "itself": (halt(Scope.ROUTE, "demo"), "route demo is halted"),
    "its-account": (halt(Scope.ACCOUNT, "paper"), "account paper is halted"),
    "another-route": (halt(Scope.ROUTE, "other"), ""),
    "another-account": (halt(Scope.ACCOUNT, "other"), ""),
}


@pytest.mark.parametrize(("control", "words"), HALTS.values(), ids=HALTS)
def test_whatever_holds_a_route_back_is_named(control, words):
    assert halt_of(make_settings(), [control]) == words


def test_a_halted_route_that_is_paused_too_can_still_be_resumed():
    route = make_route(state=RouteState.PAUSED)
    line = line_of(route, halts=[halt(Scope.ALL)], accounts=["paper"], now=NOW)
    assert (line.state, line.is_paused) == ("halted", True)


def test_a_line_tells_accounts_that_are_gone():
    accounts = (RouteAccount(account="a", multiplier=Decimal("0.50")), RouteAccount(account="b"))
    line = line_of(make_route(accounts=accounts), halts=[], accounts=["b"], now=NOW)
    assert line.accounts == ["a x 0.5", "b"]
    assert line.missing == ["a"]


@pytest.mark.parametrize(("hours", "is_told"), [(1, True), (-1, False)], ids=["later", "past"])
def test_an_old_url_is_told_until_its_end(hours, is_told):
    ends = NOW + timedelta(hours=hours)
    tokens = (TokenHash(sha256=HASH, expires_at=ends), TokenHash(sha256=HASH))
    assert rotating_until(tokens, now=NOW) == (ends if is_told else None)


def test_settings_are_told_in_words_and_what_is_as_usual_is_left_out():
    told = dict(settings_words(make_route()))
    assert told["Size"] == "the alert's number, in the coin itself"
    assert "Inverse" not in told
    assert "Order at most" not in told
    more = make_route(
        inverse=True,
        trade_mode=TradeMode.HEDGE,
        sizing=Sizing(mode=SizingMode.QUOTE, value=Decimal(250), multiplier=Decimal(2)),
        guards=Guards(max_order_notional=Decimal(500), windows=("mon 08:00-09:00",)),
    )
    told = dict(settings_words(more))
    assert told["Size"] == "250 USDT, x 2"
    assert told["Order at most"] == "500 USDT"
    assert told["Opens only"] == "mon 08:00-09:00 (UTC)"
    assert "exits are not" in told["Inverse"]


VALUES = {
    "nothing": (None, "none"),
    "no-entries": ([], "none"),
    "no-names": ({}, "none"),
    "yes": (True, "yes"),
    "no": (False, "no"),
    "zero": (0, "0"),
    "accounts": ([{"account": "a", "multiplier": "2"}, {"account": "b"}], "a x 2, b"),
    "override": ({"symbol": "A_USDT", "per_unit": "1"}, "symbol: A_USDT, per_unit: 1"),
    "text": ("cross", "cross"),
}


@pytest.mark.parametrize(("value", "words"), VALUES.values(), ids=VALUES)
def test_values_of_a_change_are_told_in_words(value, words):
    assert value_words(value) == words


def test_what_is_hidden_is_told_as_set_or_not():
    hidden = {"field": "token", "old": None, "new": "***", "hidden": True}
    [told] = changed_in_words({"fields": [hidden]})["fields"]
    assert (told["old"], told["new"]) == ("none", "set")


ADDRESSES = {
    "loopback": ("http://127.0.0.1:8400/hook/x", "this machine's own"),
    "port": ("https://hook.example.org:8443/hook/x", "this address has 8443"),
    "https": ("https://hook.example.org/hook/x", ""),
    "http": ("http://hook.example.org:80/hook/x", ""),
}


@pytest.mark.parametrize(("webhook", "words"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_that_tradingview_cannot_reach_is_told(webhook, words):
    told = reach_words(webhook)
    assert words in told
    assert bool(told) is bool(words)


@pytest.mark.parametrize(
    ("url", "is_real"),
    [
        ("https://api.mexc.com", True),
        ("https://contract.mexc.com", True),
        ("https://api.mexc.com.example.org", False),
        ("https://notmexc.com", False),
        ("http://127.0.0.1:8402", False),
    ],
    ids=["api", "contract", "longer", "alike", "paper"],
)
def test_real_money_is_told_by_the_address(url, is_real):
    assert is_mexc(make_account(base_url=url)) is is_real

"""What the route's form warns of, by hand: one row per warning, and what stays silent."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from libs.common.addresses import TRADINGVIEW_ADDRESSES
from libs.common.contracts.checkup import (
    AccountChecked,
    CheckState,
    CheckupLine,
    CheckupReason,
    Finding,
)
from libs.common.contracts.route import Guards, RouteAccount, Sizing, SymbolOverride, Symbols
from libs.common.contracts.words import (
    AccountId,
    PositionMode,
    RouteId,
    SizingMode,
    TradeMode,
    VenueSymbol,
)
from services.console.web.routes.warning import (
    Known,
    KnownAccount,
    warnings,
)
from tests.factories import make_account, make_instrument, make_settings

BTC = make_instrument(leverage_maximum=100)
LOW = make_instrument(symbol=VenueSymbol("PEPE_USDT"), base="PEPE", leverage_maximum=20)
PAUSED = make_instrument(symbol=VenueSymbol("OLD_USDT"), base="OLD", tradable=False)
CATALOGUE = {each.symbol: each for each in (BTC, LOW, PAUSED)}
QUIET = {"allow_addresses": TRADINGVIEW_ADDRESSES}


def checked(*findings, stopped=False):
    return AccountChecked(
        account=AccountId("paper"),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        reason=CheckupReason.TIMER,
        findings=findings,
        stopped=stopped,
    )


def finding(state, *, line=CheckupLine.KEY_DAYS, **more):
    return Finding(line=line, state=state, evidence="the key ends in 5 days", **more)


def known(*, checkup=None, account=None, **more):
    name = account.id if account else "paper"
    one = KnownAccount(
        account=account or make_account(id="paper"),
        instruments=CATALOGUE,
        checkup=checkup or checked(),
    )
    return Known(accounts={name: one}, **more)


def settings(**changes):
    return make_settings(accounts=(RouteAccount(account="paper"),), **{**QUIET, **changes})


def sized(mode, value=None, times="1"):
    return Sizing(
        mode=SizingMode(mode),
        value=None if value is None else Decimal(value),
        multiplier=Decimal(times),
    )


def allow(*symbols):
    return Symbols(allow=symbols)


def override(ticker, symbol, per_unit="1", *, allowed=()):
    override = SymbolOverride(symbol=symbol, per_unit=Decimal(per_unit))
    return Symbols(overrides={ticker: override}, allow=allowed)


WARNED = {
    "leverage-of-a-named-contract": (
        {"leverage": 50, "symbols": allow("PEPE_USDT")},
        "leverage",
        "PEPE_USDT 20x",
    ),
    "leverage-of-some-contract": ({"leverage": 50}, "leverage", "1 of the exchange's 3 contracts"),
    "leverage-of-an-override": (
        {"leverage": 50, "symbols": override("PEPEUSDT", "PEPE_USDT")},
        "leverage",
        "20x",
    ),
    "symbol-not-listed": (
        {"symbols": allow("BTX_USDT")},
        "symbols.allow",
        "does not list BTX_USDT. Did you mean BTC_USDT",
    ),
    "symbol-in-charts-words": (
        {"symbols": allow("DOGEUSDT.P")},
        "symbols.allow",
        "does not list DOGE_USDT",
    ),
    "symbol-not-tradable": (
        {"symbols": allow("OLD_USDT")},
        "symbols.allow",
        "does not let it be traded",
    ),
    "override-not-listed": (
        {"symbols": override("XUSDT", "X_USDT")},
        "symbols.overrides",
        "does not list X_USDT",
    ),
    "override-not-allowed": (
        {"symbols": override("PEPEUSDT", "PEPE_USDT", allowed=("BTC_USDT",))},
        "symbols.overrides",
        "not among the allowed",
    ),
    "fixed-below-minimum": (
        {"sizing": sized("fixed", "0.00001")},
        "sizing.value",
        "the minimum of BTC_USDT is 1",
    ),
    "fixed-below-by-multiplier": (
        {"sizing": sized("fixed", "0.001", "0.01")},
        "sizing.value",
        "the minimum",
    ),
    "multiplier-needs-more": (
        {"sizing": sized("base", times="0.1")},
        "sizing.multiplier",
        "at least 0.001 BTC of BTC_USDT",
    ),
    "multiplier-of-contracts": (
        {"sizing": sized("contracts", times="0.1")},
        "sizing.multiplier",
        "at least 10 contracts",
    ),
    "quote-above-order-limit": (
        {"sizing": sized("quote", "250", "2"), "guards": Guards(max_order_notional=Decimal(400))},
        "guards.max_order_notional",
        "worth 500",
    ),
    "quote-above-position-limit": (
        {"sizing": sized("quote", "250"), "guards": Guards(max_position_notional=Decimal(200))},
        "guards.max_position_notional",
        "worth 250",
    ),
    "order-above-position-limit": (
        {"guards": Guards(max_order_notional=Decimal(10), max_position_notional=Decimal(5))},
        "guards.max_order_notional",
        "limit of the whole position",
    ),
    "equity-beyond-leverage": (
        {"sizing": sized("percent_equity", "100", "12")},
        "sizing.value",
        "more than 10x",
    ),
    "too-soon-too-late": ({"max_age_s": 5}, "max_age_s", "sends again"),
    "old-entries": ({"max_age_s": 3600}, "max_age_s", "60 minutes old"),
    "resends-traded": ({"duplicate_window_s": 0}, "duplicate_window_s", "traded twice"),
    "hardly-open": (
        {"guards": Guards(windows=("mon 08:00-08:05",))},
        "guards.windows",
        "5 minutes in a whole week",
    ),
    "always-open": ({"guards": Guards(windows=("00:00-24:00",))}, "guards.windows", "always open"),
    "no-second-lock": ({"allow_addresses": ()}, "body_secret", "Whoever has the URL"),
    "tradingview-shut-out": (
        {"allow_addresses": ("52.89.214.238/32",)},
        "allow_addresses",
        "34.212.75.30",
    ),
}


@pytest.mark.parametrize(("changes", "field", "words"), WARNED.values(), ids=WARNED)
def test_a_warning_stands_beside_its_field_and_says_the_number(changes, field, words):
    found = warnings(settings(**changes), known())
    assert [each.field for each in found] == [field], found
    assert words in found[0].text


SILENT = {
    "defaults": {},
    "leverage-that-is-allowed": {"leverage": 100, "symbols": allow("BTC_USDT")},
    "override-that-is-allowed": {
        "symbols": override("PEPEUSDT", "PEPE_USDT", allowed=("PEPE_USDT",))
    },
    "fixed-at-minimum": {"sizing": sized("fixed", "0.0001")},
    "fixed-by-the-chart's-thousand": {
        "sizing": sized("fixed", "0.0001"),
        "symbols": override("1000X", "PEPE_USDT", "1000"),
    },
    "quote-at-the-limit": {
        "sizing": sized("quote", "250"),
        "guards": Guards(max_order_notional=Decimal(250)),
    },
    "equity-at-leverage": {"sizing": sized("percent_equity", "100", "10")},
    "working-hours": {"guards": Guards(windows=("mon-fri 08:00-20:00",))},
    "a-network": {"allow_addresses": ("0.0.0.0/0",)},
    "a-window-that-is-none": {"guards": Guards(windows=("whenever",))},
    "an-address-that-is-none": {"allow_addresses": ("here",)},
}


@pytest.mark.parametrize("changes", SILENT.values(), ids=SILENT)
def test_what_works_is_not_warned_of(changes):
    assert warnings(settings(**changes), known()) == []


CHECKUPS = {
    "days-left": (
        checked(finding(CheckState.WARNING, mend="make a new key")),
        "the key ends in 5 days. To mend it: make a new key.",
    ),
    "wrong": (checked(finding(CheckState.WRONG)), "the key ends"),
    "stopped": (checked(stopped=True), "nothing is opened"),
}


@pytest.mark.parametrize(("checkup", "words"), CHECKUPS.values(), ids=CHECKUPS)
def test_what_the_latest_checkup_found_is_told(checkup, words):
    found = warnings(settings(), known(checkup=checkup))
    assert [each.field for each in found] == ["accounts"]
    assert words in found[0].text


def test_what_a_checkup_found_of_a_stored_route_says_nothing_of_this_form():
    symbol = finding(CheckState.WRONG, line=CheckupLine.SYMBOL, route=RouteId("other"))
    assert warnings(settings(), known(checkup=checked(symbol))) == []


def test_an_account_without_a_checkup_is_told_unless_it_is_only_being_made():
    account = make_account(id="paper")
    for is_new, fields in ((False, ["accounts"]), (True, [])):
        one = KnownAccount(account=account, instruments=CATALOGUE, is_new=is_new)
        found = warnings(settings(), Known(accounts={"paper": one}))
        assert [each.field for each in found] == fields


def test_hedge_needs_an_account_in_hedge_mode():
    one_way = make_account(id="paper", position_mode=PositionMode.ONE_WAY)
    found = warnings(settings(trade_mode=TradeMode.HEDGE), known(account=one_way))
    assert [each.field for each in found] == ["trade_mode"]
    assert warnings(settings(trade_mode=TradeMode.NETTING), known(account=one_way)) == []
    assert warnings(settings(trade_mode=TradeMode.HEDGE), known()) == []


def test_a_neighbour_on_the_same_contracts_is_a_hint():
    other = settings(id="other", symbols=allow("BTC_USDT"))
    [hint] = warnings(settings(), known(others=(other,)))
    assert (hint.field, hint.is_hint) == ("accounts", True)
    assert "other" in hint.text
    apart = settings(symbols=allow("PEPE_USDT"))
    assert warnings(apart, known(others=(other,))) == []


def test_where_a_price_is_known_too_little_is_seen():
    prices = {VenueSymbol("BTC_USDT"): Decimal(50_000)}
    cheap = settings(guards=Guards(max_order_notional=Decimal(4)))
    [limit] = warnings(cheap, known(prices=prices))
    assert limit.field == "guards.max_order_notional"
    assert "worth about 5 USDT" in limit.text
    [size] = warnings(settings(sizing=sized("quote", "4")), known(prices=prices))
    assert size.field == "sizing.value"
    assert warnings(settings(sizing=sized("quote", "5")), known(prices=prices)) == []


def test_a_body_secret_is_lock_enough():
    assert warnings(settings(allow_addresses=()), known(has_body_secret=True)) == []


def test_nothing_is_made_up_where_nothing_is_known():
    assert warnings(settings(leverage=500, symbols=allow("X_USDT")), Known()) == []


def test_two_accounts_on_one_exchange_are_warned_of_once():
    one = known().accounts["paper"]
    two = KnownAccount(account=make_account(id="b"), instruments=CATALOGUE, checkup=checked())
    both = make_settings(
        accounts=(RouteAccount(account="paper"), RouteAccount(account="b")),
        symbols=allow("BTX_USDT"),
        **QUIET,
    )
    found = warnings(both, Known(accounts={"paper": one, "b": two}))
    assert len(found) == 1

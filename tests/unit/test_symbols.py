"""Tickers of charts to MEXC's contracts."""

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import SymbolOverride, Symbols
from libs.common.domain.symbols import Mapped, map_ticker, nearest, not_allowed, symbol_of
from tests.factories import D, make_instrument

CATALOGUE = {
    name: make_instrument(symbol=name, base=name.split("_")[0])
    for name in (
        *("BTC_USDT", "BTC_USDC", "PEPE_USDT", "1000BONK_USDT", "1INCH_USDT", "ETH_USDT"),
        *("1000000MOG_USDT", "BABYDOGE_USDT", "1000SHIB_USDT", "SATS_USDT", "1000SATS_USDT"),
        *("CAT_USDT", "1000CAT_USDT", "X_USDT", "IL_USDT", "SPX_USDT", "FILECOIN_USDT"),
        *("1000000DUM_USDT", "1000DUM_USDT"),
    )
}


@pytest.mark.parametrize(
    ("ticker", "symbol"),
    [
        ("BTCUSDT.P", "BTC_USDT"),
        ("MEXC:BTCUSDT.P", "BTC_USDT"),
        ("BINANCE:BTCUSDT.P", "BTC_USDT"),
        ("BTCUSDT", "BTC_USDT"),
        ("BTCUSDTPERP", "BTC_USDT"),
        ("BTC_USDT", "BTC_USDT"),
        ("btcusdt.p", "BTC_USDT"),
        (" BTCUSDT.P ", "BTC_USDT"),
        ("BTCUSDC.P", "BTC_USDC"),
        ("BTC/USDT", "BTC_USDT"),
        ("BTC-USDT", "BTC_USDT"),
        ("BTC-USDT-PERP", "BTC_USDT"),
        ("BTC-USDT-SWAP", "BTC_USDT"),
        ("BTCUSDT.PERP", "BTC_USDT"),
        ("BTCUSDT_PERP", "BTC_USDT"),
        ("BTC/USDT:USDT", "BTC_USDT"),
        ("KRAKEN:BTC/USDT", "BTC_USDT"),
        ("BYBIT:1000PEPEUSDT.P", "1000PEPE_USDT"),
        ("PERPUSDT.P", "PERP_USDT"),
        ("PYUSDUSDT", "PYUSD_USDT"),
        ("PERP", "PERP"),
        ("1INCHUSDT.P", "1INCH_USDT"),
        ("1000BONKUSDT.P", "1000BONK_USDT"),
        ("BTCUSD", "BTC_USD"),
        ("USDT", "USDT"),
    ],
)
def test_spelling(ticker, symbol):
    assert symbol_of(ticker) == symbol


def mapped(ticker, **symbols):
    return map_ticker(ticker, catalogue=CATALOGUE, symbols=Symbols(**symbols))


def test_a_listed_contract_is_found():
    found = mapped("MEXC:BTCUSDT.P")
    assert isinstance(found, Mapped)
    assert found.instrument.symbol == "BTC_USDT"
    assert found.per_unit == 1


@pytest.mark.parametrize(
    ("ticker", "symbol", "per_unit"),
    [
        ("1000PEPEUSDT.P", "PEPE_USDT", "1000"),
        ("BINANCE:1000PEPEUSDT", "PEPE_USDT", "1000"),
        ("BONKUSDT", "1000BONK_USDT", "0.001"),
        ("1000BONKUSDT.P", "1000BONK_USDT", "1"),
        ("10000BONKUSDT.P", "1000BONK_USDT", "10"),
        ("MOGUSDT.P", "1000000MOG_USDT", "0.000001"),
        ("1000MOGUSDT.P", "1000000MOG_USDT", "0.001"),
        ("1MMOGUSDT.P", "1000000MOG_USDT", "1"),
        ("1MBABYDOGEUSDT.P", "BABYDOGE_USDT", "1000000"),
        ("1000000BABYDOGEUSDT.P", "BABYDOGE_USDT", "1000000"),
        ("SHIB1000USDT.P", "1000SHIB_USDT", "1"),
        ("SHIBUSDT.P", "1000SHIB_USDT", "0.001"),
        ("1INCHUSDT.P", "1INCH_USDT", "1"),
        # Both are listed: the name itself wins, and of two multiples the nearer one.
        ("1000CATUSDT.P", "1000CAT_USDT", "1"),
        ("CATUSDT.P", "CAT_USDT", "1"),
        ("1000000SATSUSDT.P", "1000SATS_USDT", "1000"),
        ("DUMUSDT.P", "1000DUM_USDT", "0.001"),
        ("1000XUSDT.P", "X_USDT", "1000"),
        ("XBTUSDT", "BTC_USDT", "1"),
        ("KRAKEN:XBTUSDC", "BTC_USDC", "1"),
    ],
)
def test_a_coin_in_another_multiple(ticker, symbol, per_unit):
    found = mapped(ticker)
    assert isinstance(found, Mapped)
    assert (found.instrument.symbol, found.per_unit) == (symbol, D(per_unit))


@pytest.mark.parametrize(
    "ticker",
    [
        "INCHUSDT",  # no multiple of 1INCH
        "1000PEPEUSDC.P",  # listed in another currency alone
        "100PEPEUSDT",
        "SPX6900USDT",  # no power of ten
        "1MILUSDT",  # too short a rest to be a million of IL
        "PEPE",
        "1000USDT",
        "",
        ":",
        ".P",
    ],
)
def test_what_is_no_multiple_is_unknown(ticker):
    denial = mapped(ticker)
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.SYMBOL_UNKNOWN


def test_the_multiple_is_told():
    found = mapped("1000PEPEUSDT.P")
    assert isinstance(found, Mapped)
    assert found.step == (
        "ticker 1000PEPEUSDT.P is PEPE_USDT by its coin: 1 of the chart's unit is 1000 PEPE"
    )


def test_an_unknown_ticker_names_what_is_near():
    denial = mapped("BTCUSD")
    assert isinstance(denial, Denial)
    assert denial.message == (
        "ticker BTCUSD reads as BTC_USD, which the exchange does not list; near: BTC_USDT, BTC_USDC"
    )
    assert denial.context == {
        "ticker": "BTCUSD",
        "symbol": "BTC_USD",
        "nearest": "BTC_USDT, BTC_USDC",
    }


@pytest.mark.parametrize(
    ("symbol", "meant"),
    [("BCT_USDT", "BTC_USDT"), ("FIL_USDT", "FILECOIN_USDT"), ("PEPEE_USDT", "PEPE_USDT")],
)
def test_what_was_meant_is_among_the_nearest(symbol, meant):
    found = nearest(symbol, known=tuple(CATALOGUE))
    assert meant in found
    assert len(found) <= 3


def test_an_unknown_ticker_near_nothing():
    denial = mapped("NOSUCHCOINUSDT.P")
    assert isinstance(denial, Denial)
    assert denial.message.endswith("which the exchange does not list")


def test_an_override_wins_and_rescales():
    override = SymbolOverride(symbol="PEPE_USDT", per_unit=D(1000))
    found = mapped("1000PEPEUSDT.P", overrides={"1000PEPEUSDT.P": override})
    assert isinstance(found, Mapped)
    assert (found.instrument.symbol, found.per_unit) == ("PEPE_USDT", 1000)


def test_an_override_to_a_contract_that_is_not_listed_is_denied():
    denial = mapped("X", overrides={"X": SymbolOverride(symbol="GONE_USDT")})
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.SYMBOL_UNKNOWN


@pytest.mark.parametrize("ticker", ["BITSTAMP:BTCUSD", "bitstamp:btcusd", "BTCUSD", " btcusd "])
def test_an_override_is_found_with_and_without_the_venue(ticker):
    override = SymbolOverride(symbol="BTC_USDT")
    found = mapped(ticker, overrides={"BtcUsd": override})
    assert isinstance(found, Mapped)
    assert found.instrument.symbol == "BTC_USDT"


def test_an_override_of_one_venues_chart_is_its_own():
    overrides = {"A:ETHUSDT": SymbolOverride(symbol="BTC_USDT")}
    other, own = mapped("B:ETHUSDT", overrides=overrides), mapped("A:ETHUSDT", overrides=overrides)
    assert isinstance(other, Mapped)
    assert isinstance(own, Mapped)
    assert (other.instrument.symbol, own.instrument.symbol) == ("ETH_USDT", "BTC_USDT")


def test_an_allow_list_denies_the_rest():
    symbols = Symbols(allow=("BTC_USDT", "ethusdt.p"))
    assert not_allowed("BTC_USDT", symbols=symbols) is None
    assert not_allowed("ETH_USDT", symbols=symbols) is None
    denial = not_allowed("PEPE_USDT", symbols=symbols)
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.SYMBOL_NOT_ALLOWED
    assert not_allowed("PEPE_USDT", symbols=Symbols()) is None

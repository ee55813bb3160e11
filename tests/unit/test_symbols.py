"""Tickers of charts to MEXC's contracts."""

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import SymbolOverride, Symbols
from libs.common.domain.symbols import Mapped, map_ticker, symbol_of
from tests.factories import D, make_instrument

CATALOGUE = {
    name: make_instrument(symbol=name, base=name.split("_")[0])
    for name in ("BTC_USDT", "BTC_USDC", "PEPE_USDT", "1000BONK_USDT", "1INCH_USDT", "ETH_USDT")
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


def test_an_unknown_ticker_names_what_is_near():
    denial = mapped("BONKUSDT.P")
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.SYMBOL_UNKNOWN
    assert "1000BONK_USDT" in denial.message
    assert denial.context["ticker"] == "BONKUSDT.P"


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


def test_an_allow_list_denies_the_rest():
    denial = mapped("ETHUSDT.P", allow=("BTC_USDT",))
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.SYMBOL_NOT_ALLOWED
    assert isinstance(mapped("BTCUSDT.P", allow=("BTC_USDT",)), Mapped)

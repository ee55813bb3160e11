"""Routes and accounts as the console's API speaks of them: the documented defaults, and no others
than the documented values.
"""

import json

import msgspec
import pytest

from libs.common.contracts.route import (
    Account,
    Guards,
    Route,
    RouteAccount,
    RouteSettings,
    Sizing,
    SymbolOverride,
    Symbols,
)
from libs.common.contracts.words import (
    DistanceUnit,
    MarginMode,
    PositionMode,
    RouteState,
    SizingMode,
    TradeMode,
)
from tests.factories import D, make_account, make_route

# As scripts outside the repository send it; every field but `id`, `accounts` and the override is
# the default.
DOCUMENTED = b"""
{"id": "btc-trend", "state": "live",
 "accounts": [{"account": "paper", "multiplier": "1"}],
 "sizing": {"mode": "base", "value": null, "multiplier": "1"},
 "trade_mode": "netting", "inverse": false, "pyramiding": true,
 "margin_mode": "cross", "leverage": 10,
 "symbols": {"overrides": {"1000PEPEUSDT.P": {"symbol": "PEPE_USDT", "per_unit": "1000"}},
             "allow": []},
 "sltp_unit": "price", "max_age_s": 30, "duplicate_window_s": 30,
 "guards": {"max_order_notional": null, "max_position_notional": null, "orders_per_minute": null,
            "windows": []},
 "body_secret": null, "allow_addresses": []}
"""
SHORTEST = b'{"id": "btc-trend", "accounts": [{"account": "paper"}]}'
OVERRIDES = Symbols(
    overrides={"1000PEPEUSDT.P": SymbolOverride(symbol="PEPE_USDT", per_unit=D(1000))}
)


def read(data, kind=RouteSettings):
    return msgspec.json.decode(data, type=kind)


def changed(**changes):
    return json.dumps({**json.loads(SHORTEST), **changes}).encode()


def test_the_documented_route_holds_the_defaults():
    shortest = read(SHORTEST)
    assert read(DOCUMENTED) == msgspec.structs.replace(shortest, symbols=OVERRIDES)
    assert set(json.loads(DOCUMENTED)) == set(RouteSettings.__struct_fields__)


def test_the_defaults():
    assert read(SHORTEST) == RouteSettings(
        id="btc-trend",
        state=RouteState.LIVE,
        accounts=(RouteAccount(account="paper", multiplier=D(1)),),
        sizing=Sizing(mode=SizingMode.BASE, value=None, multiplier=D(1)),
        trade_mode=TradeMode.NETTING,
        inverse=False,
        pyramiding=True,
        margin_mode=MarginMode.CROSS,
        leverage=10,
        symbols=Symbols(overrides={}, allow=()),
        sltp_unit=DistanceUnit.PRICE,
        max_age_s=30,
        duplicate_window_s=30,
        guards=Guards(),
        body_secret=None,
        allow_addresses=(),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "Upper"},
        {"id": "-first"},
        {"id": "a.b"},
        {"id": "a b"},
        {"id": "a\n"},
        {"id": "x" * 64},
        {"id": None},
        {"state": "asleep"},
        {"accounts": []},
        {"accounts": [{}]},
        {"accounts": [{"account": "A"}]},
        {"accounts": [{"account": "paper", "multiplier": "0"}]},
        {"accounts": [{"account": "paper", "multiplier": "-1"}]},
        {"accounts": [{"account": "paper", "multiplier": "NaN"}]},
        {"sizing": {"multiplier": "0"}},
        {"sizing": {"multiplier": "-0.5"}},
        {"sizing": {"multiplier": "1e400"}},
        {"sizing": {"value": "0"}},
        {"sizing": {"value": "Infinity"}},
        {"sizing": {"mode": "lots"}},
        {"trade_mode": "hope"},
        {"margin_mode": "both"},
        {"leverage": 0},
        {"leverage": 501},
        {"leverage": 1.5},
        {"leverage": "10"},
        {"inverse": "yes"},
        {"symbols": {"overrides": {"X": {"symbol": "X_USDT", "per_unit": "0"}}}},
        {"symbols": {"overrides": {"X": {}}}},
        {"sltp_unit": "pips"},
        {"max_age_s": 0},
        {"max_age_s": 86_401},
        {"duplicate_window_s": -1},
        {"duplicate_window_s": 301},
        {"guards": {"max_order_notional": "-1"}},
        {"guards": {"max_position_notional": "NaN"}},
        {"guards": {"orders_per_minute": 0}},
    ],
    ids=str,
)
def test_a_value_that_is_not_documented_is_refused(changes):
    with pytest.raises(msgspec.ValidationError):
        read(changed(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "0"},
        {"id": "a-b_c" + "x" * 58},
        {"leverage": 1},
        {"leverage": 500},
        {"duplicate_window_s": 0},
        {"duplicate_window_s": 300},
        {"max_age_s": 86_400},
        {"accounts": [{"account": "a", "multiplier": "0.001"}, {"account": "b"}]},
    ],
    ids=str,
)
def test_the_edges_of_what_is_documented_are_taken(changes):
    settings = msgspec.to_builtins(read(changed(**changes)))
    for name, value in changes.items():
        assert settings[name] == value or name == "accounts"


def test_what_is_stored_comes_back():
    """Defaults are left out of the bucket, so a later default applies to older routes."""
    route = make_route(leverage=20, symbols=OVERRIDES)
    stored = msgspec.json.encode(route)
    assert read(stored, Route) == route
    assert b"pyramiding" not in stored
    assert route.id == "demo"


@pytest.mark.parametrize("sha256", ["", "0" * 64 + "\n", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_a_tokens_hash_is_a_hash(sha256):
    stored = json.loads(msgspec.json.encode(make_route()))
    stored["tokens"][0]["sha256"] = sha256
    with pytest.raises(msgspec.ValidationError):
        read(json.dumps(stored).encode(), Route)


def test_an_accounts_defaults():
    account = read(
        b'{"id": "main", "base_url": "https://api.mexc.com",'
        b' "ws_url": "wss://contract.mexc.com/edge", "access_key": "k"}',
        Account,
    )
    assert account.position_mode is PositionMode.HEDGE
    assert account.order_calls_per_2s == 4
    assert account.expected_addresses == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "Main"},
        {"base_url": "api.mexc.com"},
        {"base_url": "ftp://api.mexc.com"},
        {"base_url": "https://api.mexc.com/"},
        {"base_url": "https://api.mexc.com\n"},
        {"ws_url": "wss://contract.mexc.com/edge\n"},
        {"base_url": "https://user:password@api.mexc.com"},
        {"ws_url": "https://contract.mexc.com/edge"},
        {"access_key": ""},
        {"access_key": "x" * 129},
        {"order_calls_per_2s": 0},
        {"position_mode": 1},
    ],
    ids=str,
)
def test_an_account_that_cannot_be_is_refused(changes):
    account = {**msgspec.to_builtins(make_account()), **changes}
    with pytest.raises(msgspec.ValidationError):
        read(json.dumps(account).encode(), Account)

"""What the console makes of JSON: checked, merged, shown."""

from decimal import Decimal

import pytest

from libs.common.contracts.route import RouteSettings
from services.console.documents import checked, merged, parse_object, plain
from services.console.problems import Problem

MINIMAL = {"id": "btc", "accounts": [{"account": "paper"}]}
DOCUMENTED = {
    "id": "btc",
    "state": "live",
    "accounts": [{"account": "paper", "multiplier": "1"}],
    "sizing": {"mode": "base", "value": None, "multiplier": "1"},
    "trade_mode": "netting",
    "inverse": False,
    "pyramiding": True,
    "margin_mode": "cross",
    "leverage": 10,
    "symbols": {"overrides": {}, "allow": []},
    "sltp_unit": "price",
    "max_age_s": 30,
    "duplicate_window_s": 30,
    "guards": {
        "max_order_notional": None,
        "max_position_notional": None,
        "orders_per_minute": None,
        "windows": [],
    },
    "body_secret": None,
    "allow_addresses": [],
}


def refused(document):
    with pytest.raises(Problem) as caught:
        checked(document, RouteSettings)
    assert caught.value.status == 422
    return caught.value


def test_the_documented_defaults_are_the_defaults():
    assert plain(checked(MINIMAL, RouteSettings)) == DOCUMENTED
    assert plain(checked(DOCUMENTED, RouteSettings)) == DOCUMENTED


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"leverge": 5}, "leverge"),
        ({"sizing": {"mod": "base"}}, "sizing.mod"),
        ({"accounts": [{"account": "a"}, {"account": "b", "factor": 2}]}, "accounts.1.factor"),
        (
            {"symbols": {"overrides": {"X.P": {"symbol": "X_USDT", "unit": "1"}}}},
            "symbols.overrides.X.P.unit",
        ),
    ],
)
def test_an_unknown_field_is_named_with_its_place(change, field):
    assert refused({**MINIMAL, **change}).field == field


def test_a_misspelt_field_is_told_its_right_name():
    assert "did you mean `leverage`?" in refused({**MINIMAL, "leverge": 5}).detail


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"leverage": "ten"}, "leverage"),
        ({"leverage": 0}, "leverage"),
        ({"id": "Not An Id"}, "id"),
        ({"accounts": []}, "accounts"),
        ({"accounts": [{}]}, "accounts[0].account"),
        ({"sizing": {"multiplier": "NaN"}}, "sizing"),
        ({"sizing": {"multiplier": "1e400"}}, "sizing"),
        ({"sizing": {"multiplier": "-1"}}, "sizing"),
        ({"sizing": {"mode": "martingale"}}, "sizing.mode"),
        ({"guards": {"max_order_notional": "Infinity"}}, "guards"),
        ({"duplicate_window_s": 301}, "duplicate_window_s"),
    ],
)
def test_nonsense_is_refused_by_field(change, field):
    assert refused({**MINIMAL, **change}).field == field


def test_a_missing_field_is_named():
    assert refused({"accounts": [{"account": "paper"}]}).field == "id"


def test_a_number_becomes_the_decimal_that_was_written():
    """0.1 through a float would be 0.1000000000000000055."""
    body = b'{"id":"a","accounts":[{"account":"p","multiplier":0.1}],"sizing":{"multiplier":3}}'
    settings = checked(parse_object(body), RouteSettings)
    assert settings.accounts[0].multiplier == Decimal("0.1")
    assert settings.sizing.multiplier == Decimal(3)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"text"', b"{", b"\xff", b'{"a":1}{"b":2}', b"[" * 50_000]
)
def test_anything_but_one_object_is_415(body):
    with pytest.raises(Problem) as caught:
        parse_object(body)
    assert caught.value.status == 415


def test_a_patch_merges_objects_and_replaces_the_rest():
    before = {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 5}
    patch = {"a": {"b": 9}, "d": [3], "e": None, "f": {"g": None, "h": 1}}
    assert merged(before, patch) == {"a": {"b": 9, "c": 2}, "d": [3], "f": {"h": 1}}
    assert before == {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 5}


def test_decimals_are_shown_without_exponents():
    assert plain(Decimal("1E+3")) == "1000"

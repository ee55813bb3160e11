"""Routes and accounts as a person sends, changes and sees them."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest

from libs.common.contracts.route import Account, Route
from libs.common.contracts.words import RouteState
from services.console import drafting
from services.console.drafting import BOX_OVERHEAD, SECRET_BYTES_MAX
from services.console.problems import Problem
from tests.api_bodies import ACCOUNT
from tests.factories import make_account, make_route

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINIMAL = {"id": "btc", "accounts": [{"account": "paper"}]}


def digest(text):
    return sha256(text.encode()).hexdigest()


def test_a_new_route_holds_hashes_and_no_secret():
    route = drafting.new_route({**MINIMAL, "body_secret": "sesame"}, token="the-token")
    stored = msgspec.json.encode(route).decode()
    assert "sesame" not in stored
    assert "the-token" not in stored
    assert [each.sha256 for each in route.tokens] == [digest("the-token")]
    assert route.body_secret_sha256 == digest("sesame")
    assert msgspec.json.decode(stored, type=Route) == route


def test_the_body_secret_is_shown_as_stars():
    with_secret = drafting.new_route({**MINIMAL, "body_secret": "sesame"}, token="t")
    assert drafting.shown_route(with_secret)["body_secret"] == "***"
    assert drafting.shown_route(make_route())["body_secret"] is None


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"leverage": 5}, digest("sesame")),
        ({"body_secret": "***"}, digest("sesame")),
        ({"body_secret": "new"}, digest("new")),
        ({"body_secret": None}, None),
    ],
)
def test_a_patch_keeps_changes_or_removes_the_body_secret(patch, expected):
    route = drafting.new_route({**MINIMAL, "body_secret": "sesame"}, token="t")
    changed = drafting.changed_route(route, patch)
    assert changed.body_secret_sha256 == expected
    assert changed.settings.body_secret is None
    assert changed.tokens == route.tokens


def test_what_get_shows_may_be_sent_back():
    route = drafting.new_route({**MINIMAL, "body_secret": "s", "leverage": 7}, token="t")
    shown = json.loads(msgspec.json.encode(drafting.shown_route(route)))
    assert drafting.changed_route(route, shown) == route


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"accounts": [{"account": "a"}, {"account": "a"}]}, "accounts"),
        ({"sizing": {"mode": "base", "value": "5"}}, "sizing.value"),
        ({"allow_addresses": ["10.0.0.0/33"]}, "allow_addresses"),
        ({"allow_addresses": ["example.org"]}, "allow_addresses"),
        ({"body_secret": ""}, "body_secret"),
        ({"body_secret": "***"}, "body_secret"),
        ({"sizing": {"mode": "contracts", "value": "5"}}, "sizing.value"),
        ({"sizing": {"mode": "risk_percent", "value": "100.1"}}, "sizing.value"),
        ({"sizing": {"mode": "fixed", "value": "0"}}, "sizing"),
        ({"sizing": {"mode": "percent_position"}, "trade_mode": "target"}, "sizing.mode"),
        ({"sizing": {"multiplier": "0.0000001"}}, "sizing.multiplier"),
        ({"accounts": [{"account": "a", "multiplier": "1000001"}]}, "accounts.multiplier"),
        ({"guards": {"windows": ["mon-fri 08:00-20:00", "mon-fri"]}}, "guards.windows"),
        ({"guards": {"windows": ["24:00-08:00"]}}, "guards.windows"),
        ({"guards": {"orders_per_minute": 0}}, "guards.orders_per_minute"),
        ({"guards": {"max_order_notional": "-1"}}, "guards"),
        ({"guards": {"max_position_notional": "0"}}, "guards"),
        (
            {"symbols": {"overrides": {"A": {"symbol": "BTCUSDT"}}}},
            "symbols.overrides.A.symbol",
        ),
        (
            {"symbols": {"overrides": {"A": {"symbol": "btc_usdt"}}}},
            "symbols.overrides.A.symbol",
        ),
        (
            {"symbols": {"overrides": {"A": {"symbol": "A_B"}, "a": {"symbol": "A_B"}}}},
            "symbols.overrides.a",
        ),
        ({"symbols": {"overrides": {" ": {"symbol": "A_B"}}}}, "symbols.overrides. "),
        ({"symbols": {"allow": ["BTC_USDT", "BTC"]}}, "symbols.allow"),
        ({"symbols": {"allow": [""]}}, "symbols.allow"),
    ],
)
def test_a_route_that_can_never_work_is_refused(change, field):
    with pytest.raises(Problem) as caught:
        drafting.new_route({**MINIMAL, **change}, token="t")
    assert (caught.value.status, caught.value.field) == (422, field)


def test_every_documented_mode_is_accepted():
    for mode in ("contracts", "quote", "percent_equity", "percent_position", "risk_percent"):
        drafting.new_route({**MINIMAL, "sizing": {"mode": mode}}, token="t")
    for mode in ("netting", "opposite", "reverse", "hedge", "target"):
        drafting.new_route({**MINIMAL, "trade_mode": mode}, token="t")
    sizing = {"mode": "fixed", "value": "5"}
    drafting.new_route({**MINIMAL, "sizing": sizing, "allow_addresses": ["::1"]}, token="t")


def test_everything_about_trading_that_a_route_may_say():
    route = drafting.new_route(
        {
            **MINIMAL,
            "accounts": [{"account": "paper", "multiplier": "0.000001"}],
            "sizing": {"mode": "risk_percent", "value": "100", "multiplier": "1000000"},
            "symbols": {
                "overrides": {"BITSTAMP:BTCUSD": {"symbol": "BTC_USDT", "per_unit": "1"}},
                "allow": ["BTC_USDT", "1000BONK_USDT", "ethusdt.p"],
            },
            "guards": {
                "max_order_notional": "100.5",
                "max_position_notional": "1000",
                "orders_per_minute": 5,
                "windows": ["mon-fri 08:00-20:00", "sat 22:00-06:00"],
            },
        },
        token="t",
    )
    assert route.settings.guards.windows == ("mon-fri 08:00-20:00", "sat 22:00-06:00")
    assert set(route.settings.symbols.overrides) == {"BITSTAMP:BTCUSD"}


@pytest.mark.parametrize("mode", ["fixed", "quote", "percent_equity", "risk_percent"])
@pytest.mark.parametrize("value", [None, "5"])
def test_a_size_of_the_routes_own_is_optional(mode, value):
    """Without one, each alert must bring its own."""
    drafting.new_route({**MINIMAL, "sizing": {"mode": mode, "value": value}}, token="t")


def test_a_window_is_refused_with_what_would_be_right():
    with pytest.raises(Problem) as caught:
        drafting.new_route({**MINIMAL, "guards": {"windows": ["weekdays"]}}, token="t")
    assert caught.value.value == "weekdays"
    assert "mon-fri 08:00-20:00" in caught.value.detail


@pytest.mark.parametrize(
    ("change", "before"),
    [
        (drafting.changed_route, make_route()),
        (drafting.changed_account, make_account()),
    ],
)
def test_an_id_cannot_be_changed(change, before):
    with pytest.raises(Problem) as caught:
        change(before, {"id": "other"})
    assert caught.value.field == "id"


def hashes(route):
    return [each.sha256 for each in route.tokens]


def rotate(route, token, *, after_s=0, overlap_s=60):
    return drafting.rotated(
        route, token=token, now=NOW + timedelta(seconds=after_s), overlap_s=overlap_s
    )


def test_rotating_lets_the_old_token_expire():
    route = rotate(make_route(token="one"), "two")
    assert hashes(route) == [digest("one"), digest("two")]
    assert [each.expires_at for each in route.tokens] == [NOW + timedelta(seconds=60), None]


def test_rotating_without_overlap_retires_the_old_token_at_once():
    assert hashes(rotate(make_route(token="one"), "two", overlap_s=0)) == [digest("two")]


def test_at_most_two_tokens_are_valid():
    route = rotate(rotate(make_route(token="one"), "two"), "three", after_s=1)
    assert hashes(route) == [digest("two"), digest("three")]


def test_pausing_changes_the_state_alone():
    route = make_route()
    paused = drafting.with_state(route, RouteState.PAUSED)
    assert paused.settings.state is RouteState.PAUSED
    assert drafting.with_state(paused, RouteState.LIVE) == route


def test_an_account_is_stored_without_its_secret():
    draft = drafting.new_account(ACCOUNT)
    assert draft.secret_key is not None
    assert draft.secret_key.reveal() == "very-secret"
    stored = msgspec.json.encode(draft.account)
    assert b"very-secret" not in stored
    assert msgspec.json.decode(stored, type=Account) == draft.account


def test_an_account_is_shown_with_the_end_of_its_access_key():
    shown = drafting.shown_account(drafting.new_account(ACCOUNT).account)
    assert (shown["access_key"], shown["secret_key"]) == ("***1234", None)
    assert drafting.masked("short") == "***"


def test_what_get_shows_of_an_account_may_be_sent_back():
    account = drafting.new_account(ACCOUNT).account
    draft = drafting.changed_account(account, drafting.shown_account(account))
    assert (draft.account, draft.secret_key) == (account, None)


def test_a_patch_may_bring_new_keys():
    account = drafting.new_account(ACCOUNT).account
    draft = drafting.changed_account(account, {"access_key": "next", "secret_key": " s2\n"})
    assert draft.account.access_key == "next"
    assert draft.secret_key is not None
    assert draft.secret_key.reveal() == "s2"


BOX = b64encode(bytes(BOX_OVERHEAD + 1)).decode()


def test_a_secret_may_come_sealed():
    draft = drafting.new_account({**ACCOUNT, "secret_key": None, "sealed_secret_key": BOX})
    assert (draft.secret_key, draft.sealed) == (None, bytes(BOX_OVERHEAD + 1))
    changed = drafting.changed_account(draft.account, {"sealed_secret_key": BOX})
    assert (changed.account, changed.secret_key, changed.sealed) == (
        *(draft.account, None),
        bytes(BOX_OVERHEAD + 1),
    )
    assert "sealed_secret_key" not in drafting.shown_account(draft.account)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param("not base64!", id="no-base64"),
        pytest.param(BOX[:-4], id="holds-nothing"),
        pytest.param(b64encode(bytes(BOX_OVERHEAD)).decode(), id="of-an-empty-secret"),
        pytest.param(
            b64encode(bytes(BOX_OVERHEAD + SECRET_BYTES_MAX + 1)).decode(), id="too-large"
        ),
        pytest.param(7, id="a-number"),
        pytest.param("", id="empty"),
        pytest.param(f"{BOX}\n", id="with-a-line-end"),
        pytest.param("\u00e9" * 80, id="not-ascii"),
    ],
)
def test_what_can_be_no_sealed_box_is_refused(box):
    with pytest.raises(Problem) as caught:
        drafting.new_account({**ACCOUNT, "secret_key": None, "sealed_secret_key": box})
    assert (caught.value.status, caught.value.field) == (422, "sealed_secret_key")


def test_a_secret_comes_in_one_way():
    with pytest.raises(Problem, match="not both") as caught:
        drafting.new_account({**ACCOUNT, "sealed_secret_key": BOX})
    assert caught.value.field == "sealed_secret_key"
    assert "very-secret" not in caught.value.detail


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"secret_key": None}, "secret_key"),
        ({"secret_key": "  "}, "secret_key"),
        ({"secret_key": 5}, "secret_key"),
        ({"base_url": "ftp://example.org"}, "base_url"),
        ({"base_url": "https://user:password@example.org"}, "base_url"),
        ({"passphrase": "x"}, "passphrase"),
        ({"position_mode": "both"}, "position_mode"),
        ({"expected_addresses": ["nowhere"]}, "expected_addresses"),
    ],
)
def test_an_account_that_can_never_work_is_refused(change, field):
    with pytest.raises(Problem) as caught:
        drafting.new_account({**ACCOUNT, **change})
    assert (caught.value.status, caught.value.field) == (422, field)
    assert "very-secret" not in caught.value.detail

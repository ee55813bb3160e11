"""The route's form: what is typed becomes what the API takes, and a route its form again."""

from decimal import Decimal

import pytest

from libs.common.contracts.route import Guards, RouteAccount, Sizing, SymbolOverride, Symbols
from libs.common.contracts.words import (
    Action,
    DistanceUnit,
    MarginMode,
    PositionMode,
    SizingMode,
    TradeMode,
    VenueSymbol,
)
from libs.common.domain.picture import Picture
from libs.common.domain.planning import Planned, plan_orders
from services.console.drafting import changed_route, new_account, new_route
from services.console.web.routes.forms import MODE_PICTURES
from services.console.web.routes.typed import (
    FIELDS,
    MEXC,
    NEW_ACCOUNT,
    OTHER_PLACE,
    Typed,
    account_document,
    document_of,
    field_of,
    fresh,
    tried,
    typed_of,
)
from tests.factories import make_holding, make_intent, make_route

BASE = [("id", "btc"), ("account", "main")]
FULL = {
    "id": "full",
    "accounts": (
        RouteAccount(account="zeta"),
        RouteAccount(account="alpha", multiplier=Decimal("0.5")),
    ),
    "sizing": Sizing(mode=SizingMode.QUOTE, value=Decimal(250), multiplier=Decimal(2)),
    "trade_mode": TradeMode.OPPOSITE,
    "inverse": True,
    "pyramiding": False,
    "margin_mode": MarginMode.ISOLATED,
    "leverage": 7,
    "symbols": Symbols(
        overrides={
            "1000PEPEUSDT.P": SymbolOverride(
                symbol=VenueSymbol("PEPE_USDT"), per_unit=Decimal(1000)
            ),
            "BYBIT:SHIB1000USDT.P": SymbolOverride(symbol=VenueSymbol("SHIB_USDT")),
        },
        allow=("BTC_USDT", "PEPE_USDT"),
    ),
    "sltp_unit": DistanceUnit.TICKS,
    "max_age_s": 60,
    "duplicate_window_s": 90,
    "guards": Guards(
        max_order_notional=Decimal("500.5"),
        max_position_notional=Decimal(2000),
        orders_per_minute=3,
        windows=("mon-fri 08:00-20:00", "sat,sun 10:00-24:00"),
    ),
    "allow_addresses": ("52.89.214.238", "34.212.75.0/24"),
}


def made(pairs):
    document, faults = document_of(Typed(pairs))
    assert faults == []
    return new_route(document, token="t").settings


def faults(*pairs):
    document, unread = document_of(Typed([*BASE, *pairs]))
    _, refused = tried(document, lambda each: new_route(each, token="t"))
    return {each.field: each.text for each in [*refused, *unread]}


def test_a_route_comes_back_from_its_form_as_it_was():
    route = make_route(**FULL)
    document, unread = document_of(typed_of(route.settings), route=route)
    assert unread == []
    assert changed_route(route, document) == route


def test_what_is_emptied_in_the_form_is_taken_away():
    route = make_route(**FULL)
    document, _ = document_of(Typed([("account", "zeta"), ("pyramiding", "on")]), route=route)
    changed = changed_route(route, document).settings
    assert changed == make_route(id="full", accounts=(RouteAccount(account="zeta"),)).settings


def test_a_new_form_says_the_defaults():
    pairs = [(name, text) for name in FIELDS for text in fresh(account="main").many(name)]
    pairs = [pair for pair in pairs if pair[0] != "id"]
    found = made([*BASE, *pairs])
    assert found == make_route(id="btc", accounts=(RouteAccount(account="main"),)).settings


REFUSED = {
    "name": (("id", "Big Name"), "id", "Small letters"),
    "number": (("sizing.multiplier", "two"), "sizing.multiplier", "no number"),
    "thousands": (("guards.max_order_notional", "1,000"), "guards.max_order_notional", "1250.5"),
    "not-a-number": (("sizing.multiplier", "NaN"), "sizing.multiplier", "no number"),
    "zero": (("sizing.multiplier", "0"), "sizing.multiplier", "It must be positive"),
    "leverage": (("leverage", "900"), "leverage", "from 1 to 500"),
    "leverage-in-part": (("leverage", "1.5"), "leverage", "no whole number"),
    "window": (("guards.windows", "always"), "guards.windows", "no trading window"),
    "address": (("allow_addresses", "home"), "allow_addresses", "Not an address"),
    "override": (("symbols.overrides", "PEPE"), "symbols.overrides", "One a line"),
    "override-symbol": (("symbols.overrides", "A = B"), "symbols.overrides", "like BTC_USDT"),
    "value-without-mode": (("sizing.value", "5"), "sizing.value", "takes its size from the alert"),
    "stars": (("body_secret", "***"), "body_secret", "stands for a secret"),
    "pace": (("guards.orders_per_minute", "0"), "guards.orders_per_minute", "at least 1"),
}


@pytest.mark.parametrize(("pair", "field", "words"), REFUSED.values(), ids=REFUSED)
def test_what_can_never_work_is_told_at_its_field(pair, field, words):
    pairs = [each for each in [pair] if each[0] != "id"]
    found = faults(*pairs) if pairs else _named(pair[1])
    assert list(found) == [field], found
    assert words in found[field]


def _named(name):
    document, _ = document_of(Typed([("id", name), ("account", "main")]))
    _, refused = tried(document, lambda each: new_route(each, token="t"))
    return {each.field: each.text for each in refused}


def test_all_that_is_wrong_is_told_at_once():
    found = faults(
        ("leverage", "0"),
        ("guards.windows", "x"),
        ("sizing.multiplier", "-1"),
        ("max_age_s", "soon"),
        ("multiplier.main", "no"),
    )
    wanted = {"leverage", "guards.windows", "sizing.multiplier", "max_age_s", "accounts"}
    assert set(found) == wanted


def test_every_account_is_traded_with_its_own_multiplier_in_the_forms_order():
    pairs = [("also", "zeta"), ("also", "main"), ("also", "alpha"), ("multiplier.zeta", "2")]
    found = made([*BASE, *pairs])
    assert [(each.account, each.multiplier) for each in found.accounts] == [
        ("main", 1),
        ("zeta", 2),
        ("alpha", 1),
    ]


def test_an_account_entered_in_the_form_is_the_routes_own():
    pairs = [
        ("id", "btc"),
        ("account", NEW_ACCOUNT),
        ("new_account.id", "fresh"),
        ("access_key", "mx0"),
        ("secret_key", " s3 "),
    ]
    typed = Typed(pairs)
    draft = new_account(account_document(typed))
    assert (draft.account.base_url, draft.account.ws_url) == tuple(MEXC.split())
    assert draft.secret_key is not None
    assert draft.secret_key.reveal() == "s3"
    assert made(pairs).accounts == (RouteAccount(account="fresh"),)
    elsewhere = [("place", OTHER_PLACE), ("base_url", "http://a:1"), ("ws_url", "ws://a:1/edge")]
    found = new_account(account_document(Typed([*pairs, *elsewhere])))
    assert found.account.base_url == "http://a:1"


def test_a_new_accounts_wrong_name_is_told_once():
    pairs = [("id", "btc"), ("account", NEW_ACCOUNT), ("new_account.id", "No Name")]
    document, unread = document_of(Typed(pairs))
    _, refused = tried(document, lambda each: new_route(each, token="t"))
    assert [*unread, *refused] == []
    _, of_account = tried(account_document(Typed(pairs)), new_account)
    assert [each.field for each in of_account] == ["id", "access_key", "secret_key"]


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ("accounts.0.multiplier", "accounts"),
        ("symbols.overrides.1000PEPEUSDT.P.symbol", "symbols.overrides"),
        ("allow_addresses.2", "allow_addresses"),
        ("sizing.mode", "sizing.mode"),
        ("identity", ""),
        (None, ""),
    ],
    ids=["account", "override", "address", "itself", "none", "nothing"],
)
def test_what_the_api_names_is_found_in_the_form(named, field):
    assert field_of(named) == field


@pytest.mark.parametrize("mode", [mode for mode in TradeMode if mode is not TradeMode.TARGET])
def test_the_pictures_of_the_modes_are_what_the_planner_does(mode):
    held = {"long": 3, "short": 0}
    intent = make_intent(action=Action.SELL, contracts=Decimal(5), trade_mode=mode)
    picture = Picture(holdings=(make_holding("long", 3),), position_mode=PositionMode.HEDGE)
    plan = plan_orders(intent, picture)
    assert isinstance(plan, Planned)
    for leg in plan.legs:
        held[leg.position_side] += int(leg.contracts) * (1 if leg.effect == "open" else -1)
    assert (held["long"], held["short"]) == MODE_PICTURES[mode]

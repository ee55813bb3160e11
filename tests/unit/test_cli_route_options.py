"""The options of `routes create` and `routes edit`, and what they ask of the console."""

import json

import click
import msgspec
import pytest

from libs.common.contracts.route import (
    Guards,
    Route,
    RouteAccount,
    RouteSettings,
    Sizing,
    SymbolOverride,
    Symbols,
)
from libs.common.contracts.words import DistanceUnit, MarginMode, SizingMode, TradeMode
from services.console.documents import plain
from services.console.drafting import changed_route
from tests.factories import D, make_settings
from tests.unit.cli_stand import ROUTE, accept, run
from tools.cli.route_options import CLEARABLE, cleared, settings_of
from tools.cli.showing import flattened

ALL = {
    "--account": "main:0.5",
    "--trade-mode": "target",
    "--sizing": "fixed",
    "--sizing-value": "7",
    "--multiplier": "2",
    "--margin-mode": "isolated",
    "--leverage": "3",
    "--sltp-unit": "percent",
    "--max-age": "60",
    "--duplicate-window": "5",
    "--allow": "BTC_USDT",
    "--override": "MYPEPE=PEPE_USDT:1000",
    "--max-order-notional": "500",
    "--max-position-notional": "900",
    "--orders-per-minute": "4",
    "--window": "mon-fri 08:00-20:00",
    "--allow-address": "10.0.0.0/8",
}


def arguments():
    return [part for pair in ALL.items() for part in pair]


def sent(server):
    return json.loads(server.asked[-1][2])


def test_every_setting_has_an_option(stack, server):
    made = {"route": ROUTE, "token": "t", "webhook": "https://hook.example.org/hook/t"}
    server.answers["POST /api/routes"] = [(201, made)]
    answer = run(
        *("routes", "create", "--id", "btc", *arguments(), "--inverse", "--no-pyramiding"),
        stack=stack,
    )
    assert answer.exit_code == 0, answer.output
    found = msgspec.convert(sent(server), RouteSettings, strict=False)
    default = RouteSettings(id="other", accounts=())
    same = {
        name
        for name in RouteSettings.__struct_fields__
        if getattr(found, name) == getattr(default, name)
    }
    # The state is `pause` and `resume`, and a body secret is never an option.
    assert same == {"state", "body_secret"}
    for group in ("sizing", "symbols", "guards"):
        for name in getattr(found, group).__struct_fields__:
            assert getattr(getattr(found, group), name) != getattr(getattr(default, group), name)


def test_an_edit_names_only_what_was_given_and_tells_what_changed(stack, server):
    after = {**ROUTE, "leverage": 3, "guards": {"windows": ["08:00-20:00"]}}
    server.answers |= {
        "GET /api/routes/btc": [(200, ROUTE)],
        "PATCH /api/routes/btc": [(200, after)],
    }
    answer = run(
        *("routes", "edit", "btc", "--leverage", "3", "--window", "08:00-20:00"), stack=stack
    )
    assert answer.exit_code == 0, answer.output
    assert sent(server) == {"leverage": 3, "guards": {"windows": ["08:00-20:00"]}}
    assert answer.output.splitlines() == [
        'guards.windows  - -> ["08:00-20:00"]',
        "leverage  10 -> 3",
    ]


def test_an_edit_that_changes_nothing_says_so(stack, server):
    server.answers |= {
        "GET /api/routes/btc": [(200, ROUTE)],
        "PATCH /api/routes/btc": [(200, ROUTE)],
    }
    answer = run("routes", "edit", "btc", "--leverage", "10", stack=stack)
    assert (answer.exit_code, answer.output) == (0, "route btc has these settings already\n")


def test_an_edit_clears_by_nulls(stack, server):
    server.answers |= {
        "GET /api/routes/btc": [(200, ROUTE)],
        "PATCH /api/routes/btc": [(200, ROUTE)],
    }
    run(
        *("routes", "edit", "btc", "--max-order-notional", "5", "--json"),
        *("--clear", "guards.windows", "--clear", "symbols.overrides.PEPEUSDT.P"),
        *("--clear", "body_secret"),
        stack=stack,
    )
    assert sent(server) == {
        "guards": {"max_order_notional": "5", "windows": None},
        "symbols": {"overrides": {"PEPEUSDT.P": None}},
        "body_secret": None,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--clear", "accounts"],
        ["--clear", "guards"],
        ["--clear", "nonsense"],
        ["--clear", "leverage", "--leverage", "3"],
        ["--override", "X"],
        ["--override", "=Y"],
        ["--override", "X=Y:0"],
        ["--override", "X=Y:many"],
        ["--account", ":2"],
        ["--account", "main:"],
        ["--account", "main:-1"],
        ["--sizing-value", "five"],
        ["--multiplier", "0"],
        ["--max-order-notional", "NaN"],
        ["--max-position-notional", "-1"],
        ["--max-age", "0"],
        ["--duplicate-window", "301"],
        ["--orders-per-minute", "0"],
        ["--leverage", "501"],
    ],
)
def test_an_edit_that_cannot_be_meant_is_wrong_use(stack, server, wrong):
    assert run("routes", "edit", "btc", *wrong, stack=stack).exit_code == 2
    assert server.asked == []


OTHER = make_settings(
    accounts=(RouteAccount(account="main"), RouteAccount(account="b", multiplier=D(3))),
    trade_mode=TradeMode.OPPOSITE,
    inverse=True,
    pyramiding=False,
    sizing=Sizing(mode=SizingMode.PERCENT_EQUITY, value=D(5), multiplier=D(4)),
    margin_mode=MarginMode.ISOLATED,
    leverage=20,
    sltp_unit=DistanceUnit.TICKS,
    max_age_s=90,
    duplicate_window_s=9,
    symbols=Symbols(
        overrides={"MYPEPE": SymbolOverride(symbol="PEPE_USDT", per_unit=D(1000))},
        allow=("PEPE_USDT",),
    ),
    guards=Guards(
        max_order_notional=D(1),
        max_position_notional=D(2),
        orders_per_minute=9,
        windows=("00:00-24:00",),
    ),
    allow_addresses=("127.0.0.1",),
)
"""Nothing in it but the state and the body secret is a default."""


def edited(stack, server, *arguments):
    """The settings that the console's own rules make of what the command sends."""
    before = Route(settings=OTHER, tokens=())
    server.answers |= {
        "GET /api/routes/demo": [(200, ROUTE)],
        "PATCH /api/routes/demo": [(200, ROUTE)],
    }
    answer = run("routes", "edit", "demo", *arguments, stack=stack)
    assert answer.exit_code == 0, answer.output
    return changed_route(before, sent(server)).settings


def flat(settings):
    return dict(flattened(plain(settings)))


def differing(settings):
    before, after = flat(OTHER), flat(settings)
    return {
        name
        for name in before.keys() | after.keys()
        if before.get(name, "-") != after.get(name, "-")
    }


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (["--account", "main:0.5"], "accounts"),
        (["--trade-mode", "netting"], "trade_mode"),
        (["--no-inverse"], "inverse"),
        (["--pyramiding"], "pyramiding"),
        (["--sizing", "risk_percent"], "sizing.mode"),
        (["--sizing-value", "7.50"], "sizing.value"),
        (["--multiplier", "2"], "sizing.multiplier"),
        (["--margin-mode", "cross"], "margin_mode"),
        (["--leverage", "3"], "leverage"),
        (["--sltp-unit", "price"], "sltp_unit"),
        (["--max-age", "86400"], "max_age_s"),
        (["--duplicate-window", "0"], "duplicate_window_s"),
        (["--allow", "BTC_USDT"], "symbols.allow"),
        (["--max-order-notional", "500"], "guards.max_order_notional"),
        (["--max-position-notional", "900"], "guards.max_position_notional"),
        (["--orders-per-minute", "4"], "guards.orders_per_minute"),
        (["--window", "mon-fri 08:00-20:00"], "guards.windows"),
        (["--allow-address", "10.0.0.0/8"], "allow_addresses"),
    ],
)
def test_an_edit_leaves_alone_what_was_not_named(stack, server, arguments, changed):
    assert differing(edited(stack, server, *arguments)) == {changed}


def test_an_edit_adds_an_override_and_replaces_one_whole(stack, server):
    added = edited(stack, server, "--override", "B=BTC_USDT").symbols.overrides
    assert added == {**OTHER.symbols.overrides, "B": SymbolOverride(symbol="BTC_USDT")}
    # The old one's thousandfold would stay in a merge patch that does not name it.
    replaced = edited(stack, server, "--override", "MYPEPE=PEPE_USDT").symbols.overrides
    assert replaced == {"MYPEPE": SymbolOverride(symbol="PEPE_USDT")}


@pytest.mark.parametrize("name", sorted(CLEARABLE))
def test_what_is_cleared_has_its_default_and_nothing_else_changes(stack, server, name):
    # A base size takes no value from the route, so these two are cleared together.
    together = ["--clear", "sizing.value"] if name == "sizing.mode" else []
    found = edited(stack, server, "--clear", name, *together)
    default = RouteSettings(id="demo", accounts=OTHER.accounts)
    changed = {place for place in differing(found) if place not in together}
    assert {place for place in changed if not place.startswith(name)} == set()
    for part in name.split("."):
        found, default = getattr(found, part), getattr(default, part)
    assert found == default
    assert changed or name == "body_secret"


def test_one_override_is_cleared_by_its_ticker(stack, server):
    found = edited(stack, server, "--clear", "symbols.overrides.MYPEPE")
    assert found == msgspec.structs.replace(
        OTHER, symbols=msgspec.structs.replace(OTHER.symbols, overrides={})
    )


@pytest.mark.parametrize(
    ("patch", "arguments"),
    [
        ('{"guards": null}', ["--orders-per-minute", "3"]),
        ('{"sizing": "base"}', ["--multiplier", "3"]),
        ('{"symbols": {"overrides": null}}', ["--override", "A=B_USDT"]),
        ('{"guards": null}', ["--clear", "guards.windows"]),
        ('{"guards": {"windows": []}}', ["--clear", "guards.windows"]),
    ],
)
def test_a_file_that_cannot_be_meant_beside_the_options_is_wrong_use(
    stack, server, tmp_path, patch, arguments
):
    file = tmp_path / "patch.json"
    file.write_text(patch)
    answer = run("routes", "edit", "demo", "--file", str(file), *arguments, stack=stack)
    assert (answer.exit_code, server.asked) == (2, []), answer.output


def test_no_setting_is_cleared_by_a_name_that_the_console_does_not_know():
    for name in CLEARABLE:
        inner = RouteSettings(id="a", accounts=())
        for part in name.split("."):
            inner = getattr(inner, part)


def test_an_override_is_added_to_those_of_the_file():
    document = {"symbols": {"overrides": {"A": {"symbol": "A_USDT"}}, "allow": ["A_USDT"]}}
    assert settings_of(document, {"overrides": ("B=B_USDT",)}) == {
        "symbols": {
            "overrides": {"A": {"symbol": "A_USDT"}, "B": {"symbol": "B_USDT", "per_unit": "1"}},
            "allow": ["A_USDT"],
        }
    }


def test_a_patch_is_not_changed_in_place():
    patch = {"guards": {"windows": ["08:00-09:00"]}}
    assert cleared(patch, ["guards.orders_per_minute"])["guards"]["orders_per_minute"] is None
    assert patch == {"guards": {"windows": ["08:00-09:00"]}}
    with pytest.raises(click.UsageError):
        cleared(patch, ["guards.windows"])


def test_the_help_names_every_option():
    text = run("routes", "edit", "--help").output
    for option in ALL:
        assert option in text


def test_a_created_routes_webhook_is_remembered_for_send(stack, server):
    made = {"route": ROUTE, "token": "t", "webhook": "https://hook.example.org/hook/t"}
    server.answers["POST /api/routes"] = [(201, made)]
    answer = run(
        *("routes", "create", "--id", "btc", "--account", "main:0.5", "--account", "b"),
        *("--leverage", "5", "--sizing", "fixed", "--sizing-value", "7"),
        stack=stack,
    )
    assert answer.exit_code == 0, answer.output
    assert answer.output.count("https://hook.example.org/hook/t") == 1
    assert json.loads(server.asked[0][2]) == {
        "id": "btc",
        "accounts": [{"account": "main", "multiplier": "0.5"}, {"account": "b", "multiplier": "1"}],
        "leverage": 5,
        "sizing": {"mode": "fixed", "value": "7"},
    }
    assert (stack / "webhooks.json").stat().st_mode & 0o777 == 0o600
    accept(server, "/hook/t")
    assert run("send", "btc", "--json", "{}", stack=stack).exit_code == 0
    server.answers["DELETE /api/routes/btc"] = [(204, None)]
    assert run("routes", "delete", "btc", stack=stack).exit_code == 0
    assert "not known here" in run("send", "btc", "--json", "{}", stack=stack).output


def test_a_rotated_demo_route_is_posted_to_its_new_webhook(stack, server):
    made = {"route": {**ROUTE, "id": "demo"}, "token": "n", "webhook": f"{server.url}/hook/new"}
    server.answers["POST /api/routes/demo/rotate"] = [(200, made)]
    run("routes", "rotate", "demo", "--overlap", "0", stack=stack)
    assert json.loads(server.asked[0][2]) == {"overlap_s": 0}
    accept(server, "/hook/new")
    assert run("send", "demo", "--json", "{}", stack=stack).exit_code == 0


def test_a_route_comes_from_a_file_and_options_win(stack, server, tmp_path):
    made = {"route": ROUTE, "token": "t", "webhook": "https://hook.example.org/hook/t"}
    server.answers["POST /api/routes"] = [(201, made)]
    file = tmp_path / "route.json"
    file.write_text('{"id":"a","accounts":[{"account":"m"}],"sizing":{"multiplier":0.10}}')
    run("routes", "create", "--file", str(file), "--id", "b", "--json", stack=stack)
    assert json.loads(server.asked[0][2]) == {
        "id": "b",
        "accounts": [{"account": "m"}],
        "sizing": {"multiplier": "0.10"},
    }

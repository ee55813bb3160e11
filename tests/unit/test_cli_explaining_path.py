"""The explanation is what the real services say of the same alert, word for word."""

import json

import pytest

from libs.common.consuming import Delivery
from libs.common.contracts import subjects
from libs.common.contracts.intent import Denial, IntentDenied
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import (
    Guards,
    RouteAccount,
    RouteState,
    Sizing,
    SymbolOverride,
    Symbols,
)
from libs.common.contracts.words import PositionMode, PositionSide, SizingMode, TradeMode
from libs.common.domain.planning import Planned
from services.ingest.parsing import Parsed, parse_alert
from services.router.handler import Router
from tests.factories import NOW, D, make_account, make_alert, make_instrument, make_route
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.fake_halts import FakeHalts
from tests.unit.executor_desk import Desk
from tools.cli.explaining_path import (
    AccountKnown,
    Assumed,
    Held,
    Lack,
    Outcome,
    Unplanned,
    explain,
)

CATALOGUE = {"BTC_USDT": make_instrument()}
PAPER = {"paper": AccountKnown(position_mode=PositionMode.HEDGE, catalogue=CATALOGUE)}
LONG_10 = (Held(side=PositionSide.LONG, contracts=D(10)),)


def explained(assumed=None, *, route=None, accounts=None, **body):
    return explain(
        json.dumps({"ticker": "BTCUSDT.P", **body}).encode(),
        route=route or make_route(),
        accounts=accounts or PAPER,
        assumed=assumed or Assumed(),
        now=NOW,
    )


def planned(assumed=None, **body):
    found = explained(assumed, **body).accounts[0].result
    assert isinstance(found, Planned), found
    return found


async def through_the_services(body, *, route, held):
    """The intent and the plan (or denial) that the log holds after router and executor."""
    parsed = parse_alert(json.dumps(body).encode(), route=route)
    assert isinstance(parsed, Parsed)
    bus = FakeBus()
    account = make_account()
    router = Router(
        bus=bus,
        routes={"demo": route},
        accounts={"paper": account},
        catalogues=lambda: {subjects.instrument_prefix(account.base_url): CATALOGUE},
        halts=FakeHalts(),
        shards=1,
        clock=FakeClock(),
        is_owner=lambda: True,
    )
    await router.handle(
        Delivery(
            seq=0,
            subject="alert.received.demo",
            stored_at=NOW,
            message=make_alert(order=parsed.order),
            headers={},
            data=b"",
            came=None,
            origin_seq=0,
            fresh=True,
        )
    )
    [intent] = [entry.message for entry in bus.entries]
    if isinstance(intent, IntentDenied):
        return None, intent
    desk = Desk()
    for each in held:
        await desk.hold(each.side.value, each.contracts)
    await desk.handle(intent)
    return intent, desk.bus.entries[0].message


@pytest.mark.parametrize("held", [(), LONG_10], ids=["none", "long"])
@pytest.mark.parametrize(
    "body",
    [
        {"order_action": "sell", "order_contracts": "0.002"},
        {"order_action": "buy", "order_contracts": "0.002", "stop_loss": 500, "tp_price": 51000.05},
        {"order_action": "flat"},
        {"order_action": "reverse"},
        {"market_position": "short", "market_position_size": "0.003"},
        {"order_action": "closelong", "order_contracts": "50%"},
        {"order_action": "sell", "order_contracts": 1, "order_type": "limit", "price": 60000.03},
    ],
    ids=lambda body: body.get("order_action", "target"),
)
async def test_the_steps_are_those_of_the_trail(body, held):
    body = {"ticker": "BTCUSDT.P", **body}
    route = make_route()
    intent, decided = await through_the_services(body, route=route, held=held)
    account = explained(Assumed(held=held, price=D(50_000)), route=route, **body).accounts[0]
    assert account.intent.steps == intent.steps
    if isinstance(account.result, Denial):
        assert account.result == decided.denial
        assert account.denied_by == "executor"
        return
    assert account.result.steps == decided.steps
    assert account.result.summary == decided.summary
    assert account.result.withheld == decided.withheld
    amounts = [(leg.effect, leg.position_side, leg.contracts) for leg in account.result.legs]
    assert amounts == [(leg.effect, leg.position_side, leg.contracts) for leg in decided.legs]


async def test_a_denial_is_the_routers_own():
    body = {"ticker": "NOPEUSDT.P", "order_action": "buy", "order_contracts": 1}
    _, denied = await through_the_services(body, route=make_route(), held=())
    account = explained(**body).accounts[0]
    assert (account.result, account.denied_by) == (denied.denial, "router")
    assert account.outcome is Outcome.DENIED


def test_a_refusal_stops_before_any_account():
    found = explained(order_action="jump")
    assert (found.refusal.field, found.refusal.value) == ("order_action", "jump")
    assert (found.order, found.accounts) == (None, ())


def test_each_account_has_its_own_explanation():
    parts = (RouteAccount(account="one"), RouteAccount(account="two", multiplier=D(3)))
    known = dict.fromkeys(("one", "two"), PAPER["paper"])
    route = make_route(accounts=parts)
    body = {"order_action": "buy", "order_contracts": "0.001"}
    found = explained(route=route, accounts=known, **body)
    assert [each.result.legs[0].contracts for each in found.accounts] == [D(10), D(30)]
    only = explained(route=route, accounts={"two": known["two"]}, **body)
    assert [each.account for each in only.accounts] == ["two"]


def test_what_opens_is_withheld_and_what_closes_is_planned():
    route = make_route(state=RouteState.PAUSED)
    found = explained(
        Assumed(held=LONG_10), route=route, order_action="sell", order_contracts="0.002"
    ).accounts[0]
    assert found.outcome is Outcome.PARTIAL
    assert found.result.withheld.reason is Reason.ROUTE_PAUSED
    assert [leg.contracts for leg in found.result.legs] == [D(10)]


@pytest.mark.parametrize(
    ("assumed", "body", "lacking"),
    [
        (Assumed(), {"order_action": "buy", "order_contracts": 1, "stop_loss": 9}, Lack.PRICE),
        (Assumed(price=D(9)), {"order_action": "buy"}, Lack.EQUITY),
        (Assumed(held=LONG_10, price=D(9)), {"order_action": "breakeven"}, Lack.ENTRY),
        (Assumed(held=LONG_10 * 2), {"order_action": "flat"}, None),
        (
            Assumed(
                held=(*LONG_10, Held(side=PositionSide.SHORT, contracts=D(1))),
                position_mode=PositionMode.ONE_WAY,
            ),
            {"order_action": "flat"},
            None,
        ),
        (
            Assumed(held=(Held(side=PositionSide.LONG, contracts=D("0.5")),)),
            {"order_action": "flat"},
            None,
        ),
    ],
)
def test_what_cannot_be_planned_says_why(assumed, body, lacking):
    route = make_route(sizing=Sizing(mode=SizingMode.PERCENT_EQUITY, value=D(5)))
    if lacking is Lack.PRICE:
        route = make_route()
    found = explained(assumed, route=route, **body).accounts[0]
    assert found.outcome is Outcome.UNPLANNED
    assert isinstance(found.result, Unplanned)
    assert found.result.lacking is lacking
    assert found.result.message


def test_equity_and_price_make_the_size():
    route = make_route(sizing=Sizing(mode=SizingMode.PERCENT_EQUITY, value=D(5)))
    found = planned(Assumed(price=D(50_000), equity=D(1000)), route=route, order_action="buy")
    assert found.legs[0].contracts == D(10)
    assert "5 % of 1000 USDT" in found.steps[0]


def test_breakeven_counts_from_the_assumed_entry():
    held = (Held(side=PositionSide.LONG, contracts=D(10), entry=D("50000.03")),)
    found = planned(Assumed(held=held, price=D(51_000)), order_action="breakeven")
    assert found.changes[0].stop_price == D("50000.1")


def test_the_position_mode_is_the_accounts_unless_another_is_assumed():
    hedging = make_route(trade_mode=TradeMode.HEDGE)
    body = {"route": hedging, "order_action": "sell", "order_contracts": "0.001"}
    assert planned(Assumed(held=LONG_10), **body).legs[0].position_mode is PositionMode.HEDGE
    other = Assumed(held=LONG_10, position_mode=PositionMode.ONE_WAY)
    found = explained(other, **body).accounts[0]
    assert found.result.reason is Reason.HEDGE_NEEDS_HEDGE_MODE
    assert "position mode: one_way" in found.assumptions


def test_without_contracts_the_account_is_denied():
    known = {"paper": AccountKnown(position_mode=PositionMode.HEDGE, catalogue={})}
    found = explained(accounts=known, order_action="flat").accounts[0]
    assert (found.result.reason, found.denied_by) == (Reason.CONTRACTS_UNKNOWN, "router")


def test_a_body_secret_is_hidden_and_taken_for_right():
    route = make_route()
    route = type(route)(settings=route.settings, tokens=(), body_secret_sha256="0" * 64)
    found = explained(route=route, order_action="flat", secret="hush-hush")
    assert found.refusal is None
    assert "hush" not in found.body
    assert "the body secret is right" in found.assumptions


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("cancel", ["no order is pending"]),
        ("breakeven", ["no stop and no target are on the position"]),
        ("flat", []),
    ],
)
def test_what_is_taken_for_granted_is_said(action, told):
    held = (Held(side=PositionSide.LONG, contracts=D(10), entry=D(50_000)),)
    found = explained(Assumed(held=held, price=D(51_000)), order_action=action).accounts[0]
    assert found.assumptions[0] == "held: long 10 contracts at 50000, cross 10x, all of it free"
    assert [line for line in found.assumptions if line.startswith("no ")] == told


def test_a_multiplied_coin_is_rescaled_as_it_would_be():
    pepe = make_instrument(symbol="PEPE_USDT", base="PEPE", contract_size=D(1000))
    known = {"paper": AccountKnown(position_mode=PositionMode.HEDGE, catalogue={"PEPE_USDT": pepe})}
    override = Symbols(overrides={"PEPEK": SymbolOverride(symbol="PEPE_USDT", per_unit=D(1000))})
    found = explained(
        route=make_route(symbols=override, guards=Guards(orders_per_minute=3)),
        accounts=known,
        ticker="PEPEK",
        order_action="buy",
        order_contracts=7,
    )
    assert found.accounts[0].result.legs[0].contracts == D(7)
    assert "nothing else was opened in the last minute" in found.assumptions

"""Sizes: when a body needs one, when the route has it, and what a percentage may mean."""

import json
from decimal import Decimal

import pytest

from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Sizing
from libs.common.contracts.words import Action, SizingMode
from services.ingest.parsing import Parsed, Unparsed, parse_alert
from services.ingest.vocabulary import ACTIONS
from tests.factories import make_route

IN_PERCENT = [SizingMode.PERCENT_EQUITY, SizingMode.PERCENT_POSITION, SizingMode.RISK_PERCENT]
IN_UNITS = [mode for mode in SizingMode if mode not in IN_PERCENT]
BY_ALERT = [SizingMode.BASE, SizingMode.CONTRACTS]
ENTRIES = {"buy", "sell", "long", "short"}
EXITS = [word for word in ACTIONS.meanings if word not in {*ENTRIES, "reverse"}]


def found_of(body, *, mode=SizingMode.BASE, value=None):
    data = json.dumps({"ticker": "BTCUSDT.P", "sl_price": 1, **body}).encode()
    sizing = Sizing(mode=mode, value=None if value is None else Decimal(value))
    return parse_alert(data, route=make_route(sizing=sizing))


def order_of(body, **sizing):
    found = found_of(body, **sizing)
    assert isinstance(found, Parsed), found
    return found.order


def refusal_of(body, **sizing):
    found = found_of(body, **sizing)
    assert isinstance(found, Unparsed), found
    assert found.refusal.status == 422
    assert found.refusal.field in found.refusal.message
    return found.refusal


@pytest.mark.parametrize("word", sorted(ENTRIES))
@pytest.mark.parametrize("mode", list(SizingMode))
def test_an_entry_needs_a_size_unless_the_route_has_one(word, mode):
    """The value of a route that counts what the alert sends is no size."""
    refusal = refusal_of({"order_action": word}, mode=mode)
    assert (refusal.reason, refusal.field) == (Reason.FIELD_MISSING, "order_contracts")
    if mode in BY_ALERT:
        refusal_of({"order_action": word}, mode=mode, value=3)
    else:
        assert order_of({"order_action": word}, mode=mode, value=3).quantity is None


@pytest.mark.parametrize("mode", list(SizingMode))
def test_a_target_needs_a_size_unless_the_route_has_one_or_it_is_flat(mode):
    body = {"market_position": "long"}
    assert refusal_of(body, mode=mode).field == "market_position_size"
    assert order_of({"market_position": "flat"}, mode=mode).quantity is None
    if mode in BY_ALERT:
        refusal_of(body, mode=mode, value=3)
    else:
        assert order_of(body, mode=mode, value=3).quantity is None


def test_a_fixed_size_makes_the_traded_one_harmless():
    """`order_contracts` of a target is what the strategy traded; only a fixed size is not asked."""
    body = {"market_position": "long", "order_contracts": 2}
    order = order_of(body, mode=SizingMode.FIXED, value=3)
    assert (order.action, order.quantity) == (Action.TARGET, None)
    assert refusal_of(body, mode=SizingMode.QUOTE, value=3).field == "order_contracts"


@pytest.mark.parametrize("word", EXITS)
def test_an_exit_needs_no_size_and_may_have_zero(word):
    assert order_of({"order_action": word}).quantity is None
    assert order_of({"order_action": word, "order_contracts": 0}).quantity == 0
    assert order_of({"order_action": word, "order_contracts": "7"}).quantity == 7
    assert refusal_of({"order_action": word, "order_contracts": -1}).field == "order_contracts"
    assert refusal_of({"order_action": word, "order_contracts": "x"}).field == "order_contracts"


def test_a_reverse_may_have_a_size():
    assert order_of({"order_action": "reverse"}).quantity is None
    assert order_of({"order_action": "reverse", "qty": 2}).quantity == 2
    assert refusal_of({"order_action": "reverse", "qty": 0}).field == "qty"


@pytest.mark.parametrize(
    "body",
    [
        {"order_action": "buy"},
        {"order_action": "sell"},
        {"order_action": "reverse"},
        {"market_position": "long"},
    ],
)
@pytest.mark.parametrize("sent", ["50%", " 50.0 % "])
def test_a_percentage_of_an_entry_is_the_routes_to_say(body, sent):
    for mode in IN_PERCENT:
        order = order_of({**body, "order_contracts": sent}, mode=mode)
        assert (order.quantity, order.quantity_percent) == (None, 50)
    for mode in IN_UNITS:
        refusal = refusal_of({**body, "order_contracts": sent}, mode=mode, value=1)
        assert (refusal.field, refusal.value) == ("order_contracts", sent.strip())
        assert '"50 % of the equity" or "50 % of the position"' in refusal.message
        assert "sizing.mode" in refusal.message


def test_a_target_may_have_its_percentage_as_its_size():
    body = {"market_position": "short", "market_position_size": "25%"}
    order = order_of(body, mode=SizingMode.PERCENT_EQUITY)
    assert (order.quantity, order.quantity_percent) == (None, 25)
    assert refusal_of(body).field == "market_position_size"
    assert order_of({"position_size": "-25%"}, mode=IN_PERCENT[0]).quantity_percent == 25
    assert refusal_of({"position_size": "-25%"}).field == "position_size"


@pytest.mark.parametrize(
    "body",
    [
        {"market_position": "flat", "order_contracts": "50%"},
        {"position_size": 1, "order_contracts": "50%"},
    ],
)
def test_a_target_with_a_percentage_beside_it_has_two_sizes(body):
    refusal = refusal_of(body, mode=SizingMode.PERCENT_EQUITY)
    assert refusal.field == "order_contracts"
    assert "so it could mean" in refusal.message


@pytest.mark.parametrize("word", ["flat", "close", "closelong", "closeshort"])
def test_a_part_of_what_is_held_is_closed_by_percentage(word):
    for mode in SizingMode:
        order = order_of({"order_action": word, "qty": "50%"}, mode=mode)
        assert (order.quantity, order.quantity_percent) == (None, 50)
    assert order_of({"order_action": word, "qty": "100%"}).quantity_percent == 100
    for sent in ("0%", "-5%", "100.1%"):
        refusal = refusal_of({"order_action": word, "qty": sent})
        assert (refusal.field, refusal.value) == ("qty", sent)


def test_a_part_of_everything_could_mean_two_things():
    refusal = refusal_of({"order_action": "closeall", "order_contracts": "50%"})
    assert '"close 50 % of what is held" or "close everything"' in refusal.message


@pytest.mark.parametrize("word", ["modify", "breakeven", "cancel"])
def test_a_change_has_no_part(word):
    refusal = refusal_of({"order_action": word, "order_contracts": "50%"})
    assert (refusal.field, refusal.value) == ("order_contracts", "50%")


@pytest.mark.parametrize("sent", [0, "0", "0.0", "0%", "-1", "-1%"])
@pytest.mark.parametrize("mode", list(SizingMode))
def test_an_entry_of_nothing_is_refused(sent, mode):
    refusal = refusal_of({"order_action": "buy", "order_contracts": sent}, mode=mode, value=1)
    assert refusal.field == "order_contracts"


def test_a_number_and_a_percentage_under_two_names_differ():
    refusal = refusal_of(
        {"order_action": "buy", "order_contracts": "5", "qty": "5%"},
        mode=SizingMode.PERCENT_EQUITY,
    )
    assert (refusal.field, refusal.value) == ("order_contracts", "5 / 5%")

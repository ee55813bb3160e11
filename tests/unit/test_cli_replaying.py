"""`alertwire replay`: what was decided then beside what today's rules decide."""

from pathlib import Path

import pytest

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import PositionMode
from tests.cli_console import run
from tests.documented_alerts import filled, shown_alerts
from tests.factories import ALERT_ID, D, make_holding, make_instrument
from tests.replay_stand import BUY, Then, differences, drawn, replayed, today
from tests.test_docs_alerts import FLIP
from tests.trail_messages import make_dead, make_flattening

FORMAT = Path(__file__).parents[2] / "docs" / "alert-format.md"
SHOWN = [pytest.param(shown, id=str(n)) for n, shown in enumerate(shown_alerts(FORMAT))]
SELL = '{"ticker":"BTCUSDT.P","order_action":"sell","order_contracts":0.002}'
FLAT = '{"ticker":"BTCUSDT.P","order_action":"flat"}'
HELD = {
    "nothing": (),
    "long": (make_holding("long", 10),),
    "both": (make_holding("long", 10), make_holding("short", 4)),
}


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("shown", SHOWN)
def test_right_after_it_was_decided_every_documented_alert_is_the_same(shown, held, tmp_path):
    then = Then(filled(shown.body, values=FLIP), holdings=HELD[held], **shown.route)
    document = replayed(tmp_path, then)
    assert document["outcome"] == "same", document


@pytest.mark.parametrize(
    "route",
    [
        {"sizing": {"mode": "percent_equity", "value": "5"}},
        {"sizing": {"mode": "quote", "value": "500"}},
        {"guards": {"max_position_notional": "400", "orders_per_minute": 3}},
        {"state": "paused"},
        {"trade_mode": "hedge"},
        {"accounts": [{"account": "paper"}, {"account": "other", "multiplier": "3"}]},
    ],
)
@pytest.mark.parametrize("held", HELD)
def test_same_rules_same_plan(route, held, tmp_path):
    size = "" if route.get("sizing") else ',"order_contracts":0.002'
    body = f'{{"ticker":"BTCUSDT.P","order_action":"sell"{size},"sl_price":60000}}'
    then = Then(body, holdings=HELD[held], **route)
    then.recent_openings = 1
    document = replayed(tmp_path, then, "--exit-code")
    assert document["outcome"] == "same", document
    assert document["sent"] is False


def test_another_multiplier(tmp_path):
    accounts = [{"account": "paper", "multiplier": "3"}]
    document = replayed(tmp_path, Then(), accounts=accounts)
    assert document["outcome"] == "differs"
    assert differences(document) == {
        "intent.contracts": ("10", "30"),
        "order 1.contracts": ("10", "30"),
    }
    account = document["accounts"][0]
    assert account["then"]["plan"]["legs"][0]["contracts"] == "10"
    assert account["now"]["plan"]["legs"][0]["contracts"] == "30"


def test_another_contract(tmp_path):
    """The exchange has changed the contract's step, and the size is cut to it."""
    body = BUY.replace("0.001", "0.0015")
    then, coarse = Then(body), make_instrument(step_contracts=D(10), minimum_contracts=D(10))
    found = differences(replayed(tmp_path, then, instrument=coarse))
    assert found["intent.instrument.step_contracts"] == ("1", "10")
    assert found["intent.contracts"] == found["order 1.contracts"] == ("15", "10")


def test_another_mode_is_planned_on_what_was_held_then(tmp_path):
    then = Then(SELL, holdings=HELD["long"])
    found = differences(replayed(tmp_path, then, trade_mode="hedge"))
    assert found.pop("intent.trade_mode") == ("netting", "hedge")
    assert found["order 1.effect"] == ("close", "open")
    assert found["order 2"] == ("open short 10 market, cross 10x", "-")


def test_a_guard_that_was_not_there(tmp_path):
    document = replayed(tmp_path, Then(SELL, holdings=HELD["long"]), state="paused")
    found = differences(document)
    assert found["outcome"] == ("planned", "partial")
    assert found["withheld"][1].startswith("route_paused")
    assert found["order 2"][1] == "-"
    denied = replayed(tmp_path, Then(), state="paused")
    assert differences(denied)["denied"][1].startswith("route_paused")
    assert differences(denied)["outcome"] == ("planned", "denied")
    exits = replayed(tmp_path, Then(FLAT, holdings=HELD["long"]), state="paused")
    assert exits["outcome"] == "same", "exits pass"


def test_the_age_is_that_of_then(tmp_path):
    """However long ago it was; a shorter limit is a rule."""
    then = Then(late_s=20)
    assert replayed(tmp_path, then)["outcome"] == "same"
    found = differences(replayed(tmp_path, then, max_age_s=10))
    assert found["denied"] == (
        "-",
        "stale: the entry is 20.0 s old; the route's max_age_s is 10 (age_s 20.0, max_age_s 10)",
    )
    stale = Then(late_s=40)
    assert replayed(tmp_path, stale)["outcome"] == "same"
    found = differences(replayed(tmp_path, stale, max_age_s=60))
    assert found["intent.opening_denied"][1] == "-"
    # Beside what is held nothing is closed first, so the router itself has denied it.
    hedging = Then(late_s=40, trade_mode="hedge")
    found = differences(replayed(tmp_path, hedging, max_age_s=60))
    assert found["outcome"] == ("denied", "not known")
    assert found["denied"][1] == "-"


def test_the_executor_looks_at_the_age_again(tmp_path):
    """The alert was young for the router, and the executor had much to do."""
    then = Then(SELL, late_s=5, holdings=HELD["long"])
    then.planned_after_s = 4
    assert replayed(tmp_path, then)["outcome"] == "same"
    found = differences(replayed(tmp_path, then, max_age_s=7))
    assert found["outcome"] == ("planned", "partial")
    assert found["withheld"][1].startswith("stale: the entry is 9.0 s old; max_age_s is 7")
    then.planned_after_s = 40
    assert replayed(tmp_path, then)["outcome"] == "same"
    found = differences(replayed(tmp_path, then, max_age_s=60))
    assert found["outcome"] == ("partial", "planned")
    assert found["order 2"] == ("-", "open short 10 market, cross 10x")


def test_a_window_is_that_of_then(tmp_path):
    inside = {"windows": ["mon 11:00-13:00"]}
    outside = {"windows": ["tue 11:00-13:00"]}
    assert replayed(tmp_path, Then(guards=inside))["outcome"] == "same"
    found = differences(replayed(tmp_path, Then(guards=inside), guards=outside))
    assert found["denied"][1].startswith("outside_windows")


def test_the_openings_of_the_minute_before_are_those_of_then(tmp_path):
    then = Then(guards={"orders_per_minute": 5})
    then.recent_openings = 3
    assert replayed(tmp_path, then)["outcome"] == "same"
    found = differences(replayed(tmp_path, then, guards={"orders_per_minute": 3}))
    assert found["denied"][1].startswith("orders_per_minute: 3 openings")
    then.recent_openings = 5
    assert replayed(tmp_path, then)["outcome"] == "same"


def test_a_halt_is_taken_as_it_was(tmp_path):
    halted = Denial(reason=Reason.HALTED, message="everything was halted")
    for body in (BUY, SELL, FLAT):
        then = Then(body, holdings=HELD["long"])
        then.halted = halted
        assert replayed(tmp_path, then)["outcome"] == "same"


def test_the_route_is_gone(tmp_path):
    document = replayed(tmp_path, Then(), gone=["/api/routes/demo"])
    assert document["outcome"] == "differs"
    assert document["differences"][0]["now"].startswith("route_unknown")
    assert differences(document)["outcome"] == ("planned", "denied")
    assert "its webhook answers 404" in document["assumptions"][0]


def test_the_account_is_gone_or_new(tmp_path):
    document = replayed(tmp_path, Then(), accounts=[{"account": "other"}])
    assert differences(document)["outcome"] == ("planned", "not traded")
    assert differences(document, "other")["outcome"] == ("not traded", "not known")
    document = replayed(tmp_path, Then(), gone=["/api/accounts/paper"])
    assert differences(document)["denied"][1].startswith("account_unknown")


def test_an_account_that_is_set_up_for_another_mode(tmp_path):
    found = differences(replayed(tmp_path, Then(), mode=PositionMode.ONE_WAY))
    assert found["denied"][1].startswith("position_mode_differs")


def test_what_was_refused_and_still_is(tmp_path):
    then = Then('{"ticker":"BTCUSDT.P","order_action":"buy"}')
    assert isinstance(then.messages()[0], AlertRefused)
    assert replayed(tmp_path, then)["outcome"] == "same"


def test_what_was_refused_and_would_be_accepted(tmp_path):
    then = Then('{"ticker":"BTCUSDT.P","order_action":"buy"}')
    fixed = {"mode": "fixed", "value": "0.001"}
    document = replayed(tmp_path, then, sizing=fixed)
    (arrival,) = document["differences"]
    assert arrival["then"].startswith("refused, 422 field_missing")
    assert arrival["now"] == "accepted"
    now = document["accounts"][0]["now"]
    assert now["intent"]["contracts"] == "10"
    assert now["untold"]


def test_what_was_accepted_and_would_be_refused(tmp_path):
    then = Then(
        '{"ticker":"BTCUSDT.P","order_action":"buy"}', sizing={"mode": "fixed", "value": "10"}
    )
    document = replayed(tmp_path, then, sizing={"mode": "base"})
    assert document["differences"][0]["now"].startswith("refused, 422 field_missing")


def test_what_is_about_the_sender_is_taken_as_it_was(tmp_path):
    (refused,) = Then('{"ticker":"BTCUSDT.P","order_action":"buy"}').messages()
    values = {name: getattr(refused, name) for name in refused.__struct_fields__}
    secret = AlertRefused(**{**values, "reason": Reason.BODY_SECRET_WRONG, "body": BUY})
    document = replayed(tmp_path, Then(), messages=[secret])
    assert document["outcome"] == "same"
    assert "taken as it was" in document["assumptions"][0]


def test_a_denial_whose_picture_nobody_kept(tmp_path):
    """The plan was refused, so what was held stands nowhere."""
    then = Then(pyramiding=False, holdings=HELD["long"])
    assert len(then.messages()) == 3
    document = replayed(tmp_path, then)
    assert document["outcome"] == "same"
    assert "taken as is" in document["accounts"][0]["notes"][0]
    other = replayed(tmp_path, then, leverage=3)
    assert differences(other) == {"intent.leverage": ("10", "3")}
    assert other["accounts"][0]["now"]["untold"]


def test_an_answer_that_nobody_asked_for_then(tmp_path):
    """A size in percent of the equity needs the equity."""
    document = replayed(tmp_path, Then(), sizing={"mode": "percent_equity"})
    assert "contract/ticker was not asked then" in document["accounts"][0]["now"]["untold"]
    assert document["outcome"] == "differs"


def test_what_a_service_gave_up_on(tmp_path):
    alert = Then().messages()[0]
    dead = make_dead("router", "alert.received.demo")
    document = replayed(tmp_path, Then(), messages=[alert, dead])
    assert differences(document)["outcome"] == ("router gave up: a bug", "not known")


def test_a_halt_is_no_alert(tmp_path):
    with today(Then(), messages=[make_flattening()]) as console:
        answer = run(tmp_path, console, "replay", ALERT_ID)
    assert (answer.exit_code, "comes from a halt" in answer.output) == (1, True)


def test_an_unknown_alert(tmp_path):
    with today(Then(), gone=[f"/api/alerts/{ALERT_ID}"]) as console:
        answer = run(tmp_path, console, "replay", ALERT_ID)
    assert answer.exit_code == 1


def test_the_exit_status_tells_a_difference_where_it_is_asked_for(tmp_path):
    for rules, status in (({}, 0), ({"leverage": 3}, 3)):
        with today(Then(), **rules) as console:
            assert run(tmp_path, console, "replay", ALERT_ID).exit_code == 0
            answer = run(tmp_path, console, "replay", ALERT_ID, "--exit-code")
            assert answer.exit_code == status


def test_a_secret_that_stands_as_stars_is_told(tmp_path):
    body = BUY.replace("{", '{"secret":"hunter2",')
    output = drawn(tmp_path, Then(body))
    assert "stands as stars" in output
    assert "hunter2" not in output


def test_people_see_both_and_how_they_came_about(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    then = Then(SELL, holdings=HELD["long"])
    output = drawn(tmp_path, then, accounts=[{"account": "paper", "multiplier": "2"}])
    lines = [line.rstrip() for line in output.splitlines()]
    assert lines[0] == f"{ALERT_ID}  differs  route demo"
    assert lines[1] == "it came at 2026-11-23 12:00:00 UTC"
    assert any(line.split() == ["intent.contracts", "20", "40"] for line in lines)
    assert any(line.startswith("executor then") for line in lines)
    assert any(line.startswith("executor today") for line in lines)
    assert lines[-1] == "nothing was sent"
    assert max(map(len, lines)) <= 80
    same = drawn(tmp_path, then)
    assert (
        "account paper  same  planned, holding long 10: close long 10, then open short 10" in same
    )


def test_what_comes_to_no_plan_again_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    tiny = drawn(tmp_path, Then(BUY.replace("0.001", "0.00001")))
    assert "account paper  same  denied, below_minimum: 0.00001 BTC" in tiny
    assert "refused, 415 not_a_json_object: The body must be" in drawn(tmp_path, Then("Buy now!"))

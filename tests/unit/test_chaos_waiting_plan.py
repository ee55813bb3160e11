"""What a seed makes for the accounts whose orders wait, and how it is said."""

import json
from decimal import Decimal

from chaos.waiting.planning import SWEEP
from chaos.world import QUOTED, ActKind, Purpose, Side, Step, StepWord
from tests.chaos_stage import made_world

L, S = Side.LONG, Side.SHORT
D = Decimal


def body(word, **fields):
    step = Step(
        key="k",
        route="waiting-000",
        symbol="ONE_USDT",
        purpose=Purpose.MODIFY,
        word=word,
        due_s=0,
        **fields,
    )
    return json.loads(step.body())


def test_a_seed_makes_the_same_steps_and_leaves_the_other_alerts_alone():
    one, again = made_world(waiting=4), made_world(waiting=4)
    assert one == again
    assert one.signals == made_world().signals
    assert set(made_world().acts) == {act for act in one.acts if act.kind is not ActKind.SWEEP}


def test_steps_stay_on_their_side_of_a_sweep():
    world = made_world(waiting=4, alerts=600)
    assert {step.purpose for step in world.steps} == set(Purpose)
    assert {step.word for step in world.steps} == set(StepWord)
    assert len({step.key for step in world.steps}) == len(world.steps)
    for step in world.steps:
        standing = QUOTED[step.symbol][1]
        prices = [each for each in (step.price, step.stop, step.target) if each]
        reached = [SWEEP[0] <= each / standing <= SWEEP[1] for each in prices]
        assert all(reached) if step.purpose in {Purpose.FILL, Purpose.FIRE} else not any(reached)
        below = step.price or step.stop if step.side is L else step.target
        assert not below or below < standing


def test_what_is_canceled_was_asked_before_under_the_same_label():
    world = made_world(waiting=4, alerts=600)
    placed = {(s.route, s.label): s for s in world.steps if s.word is StepWord.REST}
    canceled = [s for s in world.steps if s.word is StepWord.CANCEL]
    assert canceled
    for step in canceled:
        assert placed[step.route, step.label].due_s <= step.due_s
        assert placed[step.route, step.label].purpose is Purpose.CANCEL


def test_bodies_say_what_is_meant():
    rest = body(StepWord.REST, side=S, contracts=2, price=D("0.0011"), label="x")
    cancel = body(StepWord.CANCEL, label="x")
    enter = body(StepWord.ENTER, contracts=3, stop=D("0.0009"), target=D("0.0011"))
    modify = body(StepWord.MODIFY, target=D("0.00000000108"))
    assert rest == {
        "ticker": "ONEUSDT.P",
        "alert_id": "k",
        "order_action": "sell",
        "order_contracts": "2",
        "order_type": "limit",
        "price": "0.0011",
        "order_id": "x",
    }
    assert cancel == {
        "ticker": "ONEUSDT.P",
        "alert_id": "k",
        "order_action": "cancel",
        "order_id": "x",
    }
    assert (enter["sl_price"], enter["tp_price"]) == ("0.0009", "0.0011")
    assert (modify["order_action"], modify["tp_price"]) == ("modify", "0.00000000108")
    assert "sl_price" not in modify

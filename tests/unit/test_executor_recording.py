"""What is recorded of calls fits into the log, however long the exchange's lists are."""

import asyncio
from dataclasses import replace

import pytest

from libs.common.contracts import codec
from libs.common.contracts.words import Action, ExecutionKind
from libs.common.outcome import Unknown
from services.executor.mexc.transport import KEPT_BODY_BYTES
from services.executor.recording import Recorder
from services.executor.telling import CALLS_KEPT
from tests.factories import ALERT_ID, make_intent
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.fakes import Mishap
from tests.unit.executor_desk import Desk
from tests.unit.mexc_calls import make_call

PAYLOAD_MAX = 1024 * 1024
"""NATS takes no longer message unless it is told to."""
ROW = '{"symbol":"BTC_USDT","orderId":"739113577038255616"},'
LONG = (ROW * (KEPT_BODY_BYTES // len(ROW)))[:KEPT_BODY_BYTES]


async def test_an_order_asked_for_in_long_lists_can_be_recorded():
    """A message that the log refuses for its length would be tried for ever."""
    desk = Desk()
    await desk.handle(make_intent())
    (plan,) = desk.bus.messages("order.planned")
    bus = FakeBus()
    recorder = Recorder(bus=bus, origin=plan, clock=FakeClock())
    calls = [make_call(path=f"/{number}", response_body=LONG) for number in range(2 * CALLS_KEPT)]
    for call in calls:
        recorder.saw(call)
    recorder.record(plan.legs[0], ExecutionKind.FILLED)
    await recorder.stored()
    (filled,) = bus.messages("execution.filled")
    apart = bus.messages("account.called")
    for message in (filled, *apart):
        assert len(codec.encode(message)) < PAYLOAD_MAX / 2
    told = [call for message in (*apart, filled) for call in message.calls]
    assert told == calls, "each call once, whole and in its order"
    assert {message.alert_id for message in apart} == {plan.alert_id}
    assert filled.calls[-1] == calls[-1], "the latest stand with what they led to"


async def test_what_led_to_no_event_is_told_by_itself():
    """A plan that is not carried on may have asked for its order a dozen times."""
    desk = Desk()
    submit = desk.exchange.submit

    async def lost(leg, **how):
        submitted = await submit(leg, **how)
        desk.exchange.fail_queries(count=1_000)
        return submitted

    desk.exchange.submit = lost
    desk.exchange.befall(Mishap.DROP)
    with pytest.raises(Unknown):
        await desk.handle(make_intent())
    apart = desk.bus.messages("account.called")
    assert {(each.account, each.symbol, each.alert_id) for each in apart} == {
        ("paper", "BTC_USDT", ALERT_ID)
    }
    told = [call for message in apart for call in message.calls]
    assert len(told) == desk.exchange.asked.count("order") > CALLS_KEPT
    assert all(call.path.startswith("/order/") for call in told)


async def test_a_plan_made_from_long_lists_can_be_stored():
    desk = Desk()
    pending = desk.exchange.pending

    async def paged(symbol):
        told = await pending(symbol)
        calls = tuple(make_call(path=f"/{number}", response_body=LONG) for number in range(30))
        return replace(told, calls=calls)

    desk.exchange.pending = paged
    await desk.handle(make_intent(action=Action.CANCEL, contracts=None))
    await asyncio.sleep(0)  # nobody waits for what is told apart
    (plan,) = desk.bus.messages("order.planned")
    apart = desk.bus.messages("account.called")
    for message in (plan, *apart):
        assert len(codec.encode(message)) < PAYLOAD_MAX / 2
    assert sum(len(message.calls) for message in (plan, *apart)) == 31

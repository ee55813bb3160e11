"""What is recorded of calls fits into the log, however long the exchange's lists are."""

from dataclasses import replace

from libs.common.contracts import codec
from libs.common.contracts.words import Action, ExecutionKind
from services.executor.mexc.transport import KEPT_BODY_BYTES
from services.executor.recording import CALLS_KEPT, Recorder
from tests.factories import make_intent
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
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
    for number in range(2 * CALLS_KEPT):
        recorder.saw(make_call(path=f"/{number}", response_body=LONG))
    recorder.record(plan.legs[0], ExecutionKind.FILLED)
    await recorder.stored()
    (filled,) = bus.messages("execution.filled")
    assert len(codec.encode(filled)) < PAYLOAD_MAX / 2
    assert len(filled.calls) == CALLS_KEPT, "each call is told"
    assert filled.calls[-1].response_body == LONG, "the latest whole"
    assert LONG.startswith(filled.calls[0].response_body), "the others with how they began"
    assert filled.calls[0].response_body


async def test_a_plan_made_from_long_lists_can_be_stored():
    desk = Desk()
    pending = desk.exchange.pending

    async def paged(symbol):
        told = await pending(symbol)
        calls = tuple(make_call(path=f"/{number}", response_body=LONG) for number in range(30))
        return replace(told, calls=calls)

    desk.exchange.pending = paged
    await desk.handle(make_intent(action=Action.CANCEL, contracts=None))
    (plan,) = desk.bus.messages("order.planned")
    assert len(codec.encode(plan)) < PAYLOAD_MAX / 2

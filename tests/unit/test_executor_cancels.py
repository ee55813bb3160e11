"""The executor and cancels: what the exchange calls gone may wait all the same."""

import pytest

from libs.common.contracts.words import Action, OrderType
from libs.common.outcome import Unknown
from services.executor.exchange import Done
from tests.factories import D, make_intent
from tests.unit.executor_desk import Desk
from tests.unit.mexc_calls import make_call
from tests.unit.test_executor_changes import LATER


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.parametrize("order_type", [OrderType.LIMIT, OrderType.STOP])
async def test_what_was_said_to_be_gone_and_waits_all_the_same_is_canceled_again(desk, order_type):
    """An order on its way into the book may be said not to be cancelable."""
    price = D(49_000) if order_type is OrderType.LIMIT else D(51_000)
    await desk.handle(make_intent(order_type=order_type, price=price))
    _refuse_cancels(desk, count=1)
    await desk.handle(make_intent(action=Action.CANCEL, contracts=None, alert_id=LATER))
    assert (await desk.exchange.pending("BTC_USDT")).value == ()
    assert desk.bus.stages[-3:] == ["execution.unknown", "execution.sent", "execution.changed"]


async def test_what_cannot_be_canceled_is_not_said_to_be_gone(desk):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    _refuse_cancels(desk, count=10_000)
    with pytest.raises(Unknown, match="waits"):
        await desk.handle(make_intent(action=Action.CANCEL, contracts=None, alert_id=LATER))
    assert "execution.changed" not in desk.bus.stages


def _refuse_cancels(desk, *, count):
    change, left = desk.exchange.change, [count]

    async def refused(cancel, *, symbol, before_send):
        if not left[0]:
            return await change(cancel, symbol=symbol, before_send=before_send)
        left[0] -= 1
        call = make_call(sent_at=desk.clock.now())
        before_send(call)
        return Done(exchange_id=None, message="1: order state cannot be cancelled", call=call)

    desk.exchange.change = refused

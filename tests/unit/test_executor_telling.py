"""Calls that no other message carries get messages of their own, whole, and nobody waits for it."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import AccountId, OrderType
from services.executor.pushes import OrderPushed
from services.executor.telling import CALLS_KEPT, REPLIES_KEPT, Teller, split
from tests.factories import ALERT_ID, D, make_intent
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.fakes import Refusal
from tests.unit.executor_desk import Desk
from tests.unit.mexc_calls import make_call

BTC = "BTC_USDT"
LIMIT = {"order_type": OrderType.LIMIT, "price": D(49_000)}


def numbered(count, *, reply_chars=0):
    return [make_call(path=f"/{n}", response_body="x" * reply_chars) for n in range(count)]


async def told(bus, calls):
    teller = Teller(bus=bus, clock=FakeClock())
    teller.tell(calls, what="asked", account=AccountId("paper"))
    await asyncio.sleep(0)
    return bus.messages("account.called")


@pytest.mark.parametrize("count", [0, 1, CALLS_KEPT, CALLS_KEPT + 1, 5 * CALLS_KEPT + 3])
@pytest.mark.parametrize("reply_chars", [0, 60_000, REPLIES_KEPT + 1])
async def test_each_call_is_told_once_whole_and_in_its_order(count, reply_chars):
    calls = numbered(count, reply_chars=reply_chars)
    messages = await told(FakeBus(), calls)
    assert [call for message in messages for call in message.calls] == calls
    for message in messages:
        assert 1 <= len(message.calls) <= CALLS_KEPT
        fits = sum(len(call.response_body) for call in message.calls) <= REPLIES_KEPT
        assert fits or len(message.calls) == 1


def test_the_latest_calls_are_those_that_fit():
    calls = numbered(5, reply_chars=REPLIES_KEPT // 2)
    assert split(calls) == (tuple(calls[:3]), tuple(calls[3:]))
    assert split([]) == ((), ())


async def test_a_log_that_is_away_is_said_and_harms_nobody():
    bus = FakeBus()
    bus.failing = 1
    with capture_logs() as logs:
        assert await told(bus, numbered(1)) == []
        await asyncio.sleep(0)
    assert [line["event"] for line in logs] == ["call.untold"]


async def test_an_order_that_the_exchange_will_not_tell_of_stands_in_the_trail_once():
    desk = Desk()
    await desk.handle(make_intent(**LIMIT))
    desk.exchange.fail_queries(Refusal(code=402, message="Key expired", kind=Cause.KEY), count=2)
    await desk.follow()
    await desk.follow()
    await asyncio.sleep(0)
    (called,) = desk.bus.messages("account.called")
    assert called.alert_id == ALERT_ID
    assert called.what.endswith("waits, and: Key expired")
    assert len(called.calls) == 1


async def test_a_part_of_an_order_that_waits_is_told_once():
    desk = Desk()
    await desk.handle(make_intent(**LIMIT))
    _, leg = desk.exchange.submitted[0]
    found = await desk.exchange.order(BTC, leg.client_order_id)
    part = replace(found, filled_contracts=D(4), call=make_call(method="PUSH", path="part"))
    push = OrderPushed(symbol=BTC, client_order_id=leg.client_order_id, found=part)
    await desk.follower.hear(push)
    await desk.follower.hear(push)
    await asyncio.sleep(0)
    (called,) = desk.bus.messages("account.called")
    assert called.what == f"order {leg.client_order_id} waits, with 4 filled"
    assert (called.alert_id, called.calls) == (ALERT_ID, (part.call,))


async def test_two_plans_of_one_moment_tell_two_messages():
    """Each plan has a teller of its own; one that took the other's place would hide its calls."""
    bus, clock = FakeBus(), FakeClock()
    for call in numbered(2):
        Teller(bus=bus, clock=clock).tell([call], what="asked", account=AccountId("paper"))
    await asyncio.sleep(0)
    assert len(bus.messages("account.called")) == 2

"""What was decided about an alert is found wherever it stands, and nothing is read twice."""

import pytest

from libs.common.bus import connected
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.domain import identity
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.router.decisions import Decisions
from tests.factories import make_intent
from tests.trail_messages import make_denied

pytestmark = pytest.mark.integration


class Counting:
    """The log, which counts what is read of it."""

    def __init__(self, bus):
        self._bus = bus
        self.read = 0

    async def entry(self, seq):
        return await self._bus.entry(seq)

    async def entries_after(self, **where):
        async for entry in self._bus.entries_after(**where):
            self.read += 1
            yield entry


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="router", health=Health("t")
    ) as found:
        yield found


def alert(number):
    return identity.alert_id(unix_ms=number, random_bits=number)


async def accept(bus, number, *, shard=0):
    intent = make_intent(alert_id=alert(number), account="paper")
    subject = subjects.intent_accepted(shard=shard, account="paper", symbol="BTC_USDT")
    return (await bus.publish(subject=subject, message=intent, event_id=f"i{number}")).seq


async def deny(bus, number):
    denied = make_denied(alert=alert(number), account="paper")
    subject = subjects.intent_denied("demo")
    return (await bus.publish(subject=subject, message=denied, event_id=f"d{number}")).seq


async def found(decisions, number, *, after=0):
    decided = await decisions.find(alert=alert(number), route="demo", account="paper", after=after)
    return None if decided is None else decided.alert_id


async def test_a_backlog_is_read_once(bus):
    counting = Counting(bus)
    decisions = Decisions(counting)
    for number in range(1, 41):
        assert await found(decisions, number) is None
        await accept(bus, number)
    for number in range(1, 41):
        assert await found(decisions, number) == alert(number)
    assert counting.read == 40


async def test_what_comes_later_is_found_and_so_is_what_was_decided_by_another_number_of_shards(
    bus,
):
    decisions = Decisions(bus)
    assert await found(decisions, 1) is None
    await accept(bus, 1, shard=5)
    await deny(bus, 2)
    assert await found(decisions, 1) == alert(1)
    assert await found(decisions, 2) == alert(2)


async def test_an_older_alert_is_looked_for_in_what_was_not_read_yet(bus):
    decisions = Decisions(bus)
    places = [await accept(bus, number) for number in range(1, 7)]
    assert await found(decisions, 4, after=places[2]) == alert(4)
    assert await found(decisions, 2, after=places[0]) == alert(2)
    assert await found(decisions, 1, after=places[0]) is None, "that one stands before the place"
    assert await found(decisions, 6, after=places[2]) == alert(6)


async def test_what_nobody_asked_for_is_not_read(bus):
    counting = Counting(bus)
    decisions = Decisions(counting)
    first = await accept(bus, 1)
    assert await found(decisions, 1) == alert(1)
    for number in range(2, 40):
        last = await accept(bus, number)
    counting.read = 0
    assert await found(decisions, 40, after=last) is None
    assert await found(decisions, 30, after=first) == alert(30)
    assert counting.read <= 40

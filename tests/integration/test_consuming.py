"""The consumer loop on a real log: order in a lane, across tries, crashes and a killed NATS."""

import asyncio
import contextlib
from collections import defaultdict

import pytest

from libs.common.bus import Bus, LogUnavailable, connected
from libs.common.connecting import Access
from libs.common.consuming import Consumer
from libs.common.contracts import subjects
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.domain.identity import alert_id
from libs.common.health import Health
from libs.common.outcome import Refuse, Retry
from libs.common.secret import Secret
from libs.common.topology import ROUTER, ensure_topology
from tests.factories import make_alert
from tests.nats_process import NatsProcess

pytestmark = pytest.mark.integration


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="router", health=Health("t")
    ) as found:
        yield found


async def post(bus: Bus, route: str, number: int) -> int:
    alert = make_alert(route=route, alert_id=alert_id(unix_ms=number, random_bits=number))
    stored = await bus.publish(
        subject=subjects.alert_received(route), message=alert, event_id=f"{route}-{number}"
    )
    return stored.seq


class Notes:
    """A handler that writes down what it saw; `behave` may raise or wait first."""

    def __init__(self, behave=None):
        self.seen = []
        self.lanes = defaultdict(list)
        self.fresh = []
        self._behave = behave
        self._changed = asyncio.Event()

    async def __call__(self, delivery):
        if self._behave is not None:
            await self._behave(delivery)
        self.seen.append(delivery.seq)
        self.lanes[delivery.message.route].append(delivery.seq)
        self.fresh.append(delivery.fresh)
        self._changed.set()

    async def until(self, count):
        async with asyncio.timeout(20):
            while len(self.seen) < count:
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def consuming(bus, handler):
    consumer = Consumer(bus, durable=ROUTER, handler=handler, lane_of=lambda message: message.route)
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    async with asyncio.timeout(20):
        while consumer.missing() is not None:
            await asyncio.sleep(0.01)
    try:
        yield task
    finally:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_lane_is_handled_in_order_and_acknowledged(bus):
    sent = [await post(bus, "a", number) for number in range(50)]
    notes = Notes()
    async with consuming(bus, notes):
        await notes.until(50)
    assert notes.seen == sent
    info = await bus.js.consumer_info(subjects.STREAM, ROUTER)
    assert info.ack_floor.stream_seq == sent[-1]


async def test_a_slow_lane_delays_nobody_else(bus):
    release = asyncio.Event()

    async def behave(delivery):
        if delivery.message.route == "slow":
            await release.wait()

    notes = Notes(behave)
    async with consuming(bus, notes):
        await post(bus, "slow", 1)
        fast = [await post(bus, "fast", number) for number in range(2, 7)]
        await notes.until(5)
        assert notes.seen == fast
        release.set()
        await notes.until(6)


async def test_a_retry_holds_its_lane(bus):
    """The second message of a lane never overtakes the first, however often that is tried."""
    tries = defaultdict(int)

    async def behave(delivery):
        tries[delivery.seq] += 1
        if delivery.message.route == "a" and tries[delivery.seq] < 4:
            raise Retry("not yet", delay_s=0.02)

    notes = Notes(behave)
    async with consuming(bus, notes):
        warm = await post(bus, "b", 1)
        await notes.until(1)
        sent = [await post(bus, "a", number) for number in range(3)]
        await notes.until(4)
    assert notes.seen == [warm, *sent]
    assert notes.fresh == [True, False, False, False], "a second try may find its own work"


async def test_what_a_dead_process_left_comes_first_and_in_order(bus):
    """JetStream alone would deliver the new messages before the unacknowledged ones."""
    stuck = asyncio.Event()

    async def hang(_delivery):
        stuck.set()
        await asyncio.Event().wait()

    old = [await post(bus, "a", number) for number in range(5)]
    async with consuming(bus, Notes(hang)) as task:
        await stuck.wait()
        task.cancel()  # As a kill would: nothing is acknowledged, nothing handed back.
    new = [await post(bus, "a", number) for number in range(5, 10)]
    notes = Notes()
    async with consuming(bus, notes):
        await notes.until(10)
        newest = await post(bus, "a", 10)
        await notes.until(11)
    assert notes.seen == [*old, *new, newest]
    assert notes.fresh == [False] * 10 + [True]


async def test_a_refused_message_becomes_a_dead_letter_and_the_lane_goes_on(bus):
    async def behave(delivery):
        if delivery.seq == first:
            raise Refuse("makes no sense")

    first = await post(bus, "a", 1)
    second = await post(bus, "a", 2)
    notes = Notes(behave)
    async with consuming(bus, notes):
        await notes.until(1)
    assert notes.seen == [second]
    letters = [entry.message async for entry in bus.entries_after(subject="dead.>", seq=0)]
    assert len(letters) == 1
    assert isinstance(letters[0], DeadLetter)
    assert (letters[0].seq, letters[0].reason) == (first, "makes no sense")
    assert letters[0].data == (await bus.js.get_msg(subjects.STREAM, seq=first)).data


async def test_a_bug_is_tried_again_and_stays_in_its_lane(bus):
    tries = defaultdict(int)

    async def behave(delivery):
        tries[delivery.seq] += 1
        if tries[delivery.seq] == 1:
            raise ZeroDivisionError

    seq = await post(bus, "a", 1)
    notes = Notes(behave)
    async with consuming(bus, notes):
        await notes.until(1)
    assert notes.seen == [seq]
    assert tries[seq] == 2


async def test_a_bug_that_stays_becomes_a_dead_letter(bus, monkeypatch):
    monkeypatch.setattr("libs.common.consuming.BUG_TRIES_MAX", 2)

    async def behave(delivery):
        if delivery.seq == first:
            raise ZeroDivisionError

    first = await post(bus, "a", 1)
    second = await post(bus, "a", 2)
    notes = Notes(behave)
    async with consuming(bus, notes):
        await notes.until(1)
    assert notes.seen == [second]
    (letter,) = [entry.message async for entry in bus.entries_after(subject="dead.>", seq=0)]
    assert letter.reason == "given up after 2 tries: ZeroDivisionError: "


async def test_bytes_that_are_no_message_become_a_dead_letter(bus):
    await bus.js.publish("alert.received.a", b"not ours")
    seq = await post(bus, "a", 1)
    notes = Notes()
    async with consuming(bus, notes):
        await notes.until(1)
    assert notes.seen == [seq]
    letters = [entry.message async for entry in bus.entries_after(subject="dead.>", seq=0)]
    assert [letter.data for letter in letters] == [b"not ours"]


async def test_the_same_event_is_stored_once(bus):
    first, again = await post(bus, "a", 1), await post(bus, "a", 1)
    assert first == again


async def test_a_killed_nats_loses_nothing_and_is_found_again(tmp_path):
    server = NatsProcess(tmp_path)
    await server.start()
    try:
        health = Health("router")
        async with connected(
            Access(url=Secret(server.url)), service="router", health=health
        ) as bus:
            await ensure_topology(bus.js)
            notes = Notes()
            async with consuming(bus, notes):
                before = [await post(bus, "a", number) for number in range(5)]
                await notes.until(5)
                await server.kill()
                with pytest.raises(LogUnavailable):
                    await post(bus, "a", 99)
                assert "log" in health.missing()
                await server.start()
                after = await _post_when_back(bus)
                await notes.until(after)
            # What was not confirmed may be stored all the same, once.
            assert after in {6, 7}
            assert notes.seen == [*before, *range(6, after + 1)]
            assert health.missing() == {}
    finally:
        await server.stop()


async def _post_when_back(bus: Bus) -> int:
    async with asyncio.timeout(20):
        while True:
            try:
                return await post(bus, "a", 100)
            except LogUnavailable:
                await asyncio.sleep(0.1)

"""The connection to a real log: stored once, with its headers, and read back in order."""

import asyncio

import nats.errors
import pytest

from libs.common.bus import HEADER_ALERT, HEADER_EVENT_ID, HEADER_SERVICE, LogUnavailable, connected
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.domain.identity import alert_id
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from tests.factories import ALERT_ID, NOW, make_alert
from tests.nats_process import NatsProcess

pytestmark = pytest.mark.integration

LETTER = DeadLetter(
    service="router", at=NOW, subject="x", seq=1, deliveries=1, reason="r", data=b"{"
)


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="ingest", health=Health("t")
    ) as found:
        yield found


async def post(bus, route="demo", number=1):
    alert = make_alert(route=route, alert_id=alert_id(unix_ms=number, random_bits=number))
    stored = await bus.publish(
        subject=subjects.alert_received(route), message=alert, event_id=f"{route}-{number}"
    )
    return stored, alert


async def test_a_message_is_stored_with_its_headers(bus, js):
    alert = make_alert()
    stored = await bus.publish(subject="alert.received.demo", message=alert, event_id="event-1")
    assert (stored.seq, stored.duplicate) == (1, False)
    raw = await js.get_msg(subjects.STREAM, seq=1)
    assert raw.subject == "alert.received.demo"
    assert raw.headers == {
        HEADER_EVENT_ID: "event-1",
        HEADER_SERVICE: "ingest",
        HEADER_ALERT: ALERT_ID,
    }


async def test_the_place_up_to_which_everything_was_handled_is_told(bus, js):
    await post(bus, number=1)
    await post(bus, number=2)
    await post(bus, number=3)
    assert await bus.handled_up_to("router") == 0
    subscription = await js.pull_subscribe_bind("router", subjects.STREAM)
    first, second, third = await subscription.fetch(3)
    await third.ack_sync()
    assert await bus.handled_up_to("router") == 0, "what is handled above a gap does not count"
    await first.ack_sync()
    assert await bus.handled_up_to("router") == 1
    await second.ack_sync()
    assert await bus.handled_up_to("router") == 3
    with pytest.raises(LogUnavailable):
        await bus.handled_up_to("nobody")


async def test_a_message_without_an_alert_says_none(bus, js):
    stored = await bus.publish(subject=subjects.dead("router"), message=LETTER, event_id="d")
    raw = await js.get_msg(subjects.STREAM, seq=stored.seq)
    assert set(raw.headers) == {HEADER_EVENT_ID, HEADER_SERVICE}
    assert (await bus.entry(stored.seq)).message == LETTER


async def test_the_same_event_is_stored_once(bus, js):
    first, _ = await post(bus)
    other, _ = await post(bus, number=2)
    again, _ = await post(bus)
    assert (again.seq, again.duplicate) == (first.seq, True)
    assert not other.duplicate
    assert (await js.stream_info(subjects.STREAM)).state.messages == 2


async def test_what_is_handed_over_is_stored_in_that_order(bus):
    def hand_over(number):
        alert = make_alert(alert_id=alert_id(unix_ms=number, random_bits=number))
        subject = subjects.alert_received("demo")
        return bus.publish_soon(subject=subject, message=alert, event_id=f"soon-{number}")

    handed = [hand_over(number) for number in range(1, 31)]
    await asyncio.sleep(0.002)
    handed += [hand_over(number) for number in range(31, 41)]
    again = hand_over(7)
    stored = await asyncio.gather(*handed)
    assert [each.seq for each in stored] == list(range(1, 41))
    assert (await again).seq == 7
    assert (await again).duplicate


async def test_what_was_handed_over_and_not_stored_says_so(bus):
    await bus.client.close()
    handed = bus.publish_soon(
        subject=subjects.alert_received("demo"), message=make_alert(), event_id="soon"
    )
    with pytest.raises(LogUnavailable):
        await handed


async def test_who_gives_up_waiting_keeps_nothing_from_being_stored(bus, js):
    handed = bus.publish_soon(
        subject=subjects.alert_received("demo"), message=make_alert(), event_id="soon"
    )
    handed.cancel()
    await bus.publish_soon(
        subject=subjects.alert_received("demo"), message=make_alert(), event_id="other"
    )
    assert (await js.stream_info(subjects.STREAM)).state.messages == 2


async def test_a_single_entry(bus):
    await post(bus, number=1)
    stored, alert = await post(bus, number=2)
    entry = await bus.entry(stored.seq)
    assert (entry.seq, entry.subject, entry.message) == (2, "alert.received.demo", alert)
    assert entry.stored_at is not None
    assert entry.stored_at.tzinfo is not None


async def test_the_newest_of_a_subject(bus):
    assert await bus.last("alert.received.demo") is None
    await post(bus, number=1)
    await post(bus, number=2)
    await post(bus, route="other", number=3)
    newest = await bus.last("alert.received.demo")
    assert newest is not None
    assert newest.seq == 2


async def test_an_entry_that_is_not_there(bus):
    with pytest.raises(LogUnavailable, match="NotFound"):
        await bus.entry(99)


@pytest.mark.parametrize(
    ("subject", "after", "expected"),
    [
        ("alert.received.a", 0, [1, 3, 5]),
        ("alert.received.a", 1, [3, 5]),
        ("alert.received.a", 2, [3, 5]),
        ("alert.received.a", 5, []),
        ("alert.received.*", 0, [1, 2, 3, 4, 5]),
        ("alert.>", 2, [3, 4, 5]),
        ("alert.received.nobody", 0, []),
    ],
)
async def test_entries_of_a_subject_after_another_in_order(bus, subject, after, expected):
    for number, route in enumerate("ababa", start=1):
        await post(bus, route=route, number=number)
    found = [entry async for entry in bus.entries_after(subject=subject, seq=after)]
    assert [entry.seq for entry in found] == expected
    assert [entry.message.route for entry in found] == ["ababa"[seq - 1] for seq in expected]


async def test_a_log_without_its_stream_is_unavailable(js, nats_url):
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        with pytest.raises(LogUnavailable):
            await post(bus)
        with pytest.raises(LogUnavailable):
            await bus.entry(1)


async def test_while_nats_is_away_nothing_is_kept_for_later_and_readiness_says_so(tmp_path):
    """What was told to have failed must not be sent afterwards."""
    server, health = NatsProcess(tmp_path), Health("t")
    await server.start()
    try:
        async with connected(Access(url=Secret(server.url)), service="t", health=health) as bus:
            await ensure_topology(bus.js)
            assert health.missing() == {}
            await server.kill()
            await eventually(health.missing)
            assert health.missing() == {"log": "not connected to NATS"}
            with pytest.raises(LogUnavailable, match="not connected"):
                await post(bus)
            with pytest.raises(LogUnavailable, match="not connected"):
                await bus.replay(LETTER, event_id="replay:1")
            with pytest.raises(LogUnavailable):
                await bus.first_seq()
            with pytest.raises(LogUnavailable):
                await bus.entry(1)
            with pytest.raises(nats.errors.OutboundBufferLimitError):
                await bus.client.publish("alert.received.demo", b"lost between check and sending")
            with pytest.raises(LogUnavailable):
                [entry async for entry in bus.entries_after(subject="alert.>", seq=0)]
            await server.start()
            await eventually(lambda: not health.missing())
            stored, _ = await post(bus, number=2)
            assert stored.seq == 1
    finally:
        await server.stop()


async def test_reading_a_subject_passes_over_what_is_no_message(js, nats_url):
    """Somebody else's bytes must not keep a redelivered message from its history."""
    await ensure_topology(js)
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        await js.publish("alert.received.demo", b"not ours")
        stored, _ = await post(bus)
        found = [entry.seq async for entry in bus.entries_after(subject="alert.>", seq=0)]
    assert found == [stored.seq]


async def test_a_closed_connection_is_unavailable(js, nats_url):
    await ensure_topology(js)
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        pass
    with pytest.raises(LogUnavailable, match="not connected"):
        await post(bus)


async def eventually(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)

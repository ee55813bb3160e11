"""`GET /api/events` over a real log, with Postgres away: whoever follows sees every message once,
in the order of the log, also after it was away itself.
"""

import asyncio
import contextlib
import json

import pytest

from libs.common.contracts import codec, subjects
from libs.common.contracts.words import AccountId
from libs.common.domain.identity import alert_id
from libs.common.topology import ensure_topology
from tests.console_server import TOKEN, running
from tests.event_stream import following
from tests.factories import ALERT_ID, NOW, make_alert, make_intent, make_leg
from tests.nats_process import NatsProcess
from tests.trail_messages import make_dead, make_execution, make_plan
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

NOWHERE = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
OTHER = alert_id(unix_ms=7, random_bits=7)


@pytest.fixture
async def console(js, nats_url):
    await ensure_topology(js)
    async with running(nats_url, NOWHERE) as found:
        yield found


def stream(console, query="", **headers):
    return following(console.http, f"{console.url}/api/events{query}", token=TOKEN, **headers)


async def store(console, count=1, *, begin=0, message=None, subject="alert.received.demo"):
    """The place of the last one."""
    seq = 0
    for number in range(begin, begin + count):
        stored = await console.bus.publish(
            subject=subject,
            message=message or make_alert(),
            event_id=f"{subject}-{number}",
        )
        seq = stored.seq
    return seq


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_asks_for_the_token(console):
    async with console.http.get(f"{console.url}/api/events") as answer:
        assert answer.status == 401


async def test_an_event_is_told_with_its_message_to_the_byte(console):
    alert = make_alert()
    async with stream(console) as followed:
        await store(console, message=alert)
        number, name, document = (await followed.take(1))[0]
        assert followed.answer.headers["content-type"].startswith("text/event-stream")
        assert followed.answer.headers["cache-control"] == "no-cache"
        assert followed.answer.headers["x-accel-buffering"] == "no"
    assert (number, name) == ("1", "alert.received")
    assert document.pop("data") == json.loads(codec.encode(alert))
    assert document == {
        "seq": 1,
        "stage": "alert.received",
        "service": "console",
        "at": "2026-11-23T12:00:00.000000Z",
        "alert_id": ALERT_ID,
        "route": "demo",
        "account": None,
        "symbol": None,
    }


async def test_what_was_stored_before_is_not_told_unless_it_is_asked_for(console):
    await store(console, 3)
    async with stream(console) as now, stream(console, "?after=1") as before:
        await store(console, begin=3)
        assert await now.seqs(1) == [4]
        assert await before.seqs(3) == [2, 3, 4]


async def test_many_follow_by_one_consumer_which_is_gone_when_they_are(console, js):
    async with contextlib.AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(stream(console)) for _ in range(20)]
        await store(console, 5)
        for followed in streams:
            assert await followed.seqs(5) == [1, 2, 3, 4, 5]
        assert len(await feeds_of(js)) == 1
    await until(lambda: console.feed.followers == 0)
    async with asyncio.timeout(10):
        while await feeds_of(js):
            await asyncio.sleep(0.02)


async def feeds_of(js):
    found = await js.consumers_info(subjects.STREAM)
    return [one.name for one in found if one.name.startswith("console-feed")]


async def test_whoever_comes_back_misses_nothing_and_sees_nothing_twice(console):
    """While others write, streams end and begin again at any place."""
    stop = asyncio.Event()

    async def write():
        number = 0
        while not stop.is_set():
            await store(console, begin=number)
            number += 1

    seen, last = [], "0"
    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for count in (1, 40, 3, 100, 7, 250, 60):
            async with stream(console, **{"Last-Event-ID": last}) as followed:
                seen += await followed.seqs(count)
                last = str(seen[-1])
        stop.set()
    assert seen == list(range(1, len(seen) + 1))


async def test_a_long_way_back_is_read_from_the_log(console, js):
    for number in range(1, 1201):
        await js.publish("alert.received.demo", b"no message of ours %d" % number)
    async with stream(console, "?after=0") as followed:
        assert await followed.seqs(1200) == list(range(1, 1201))
        await store(console)
        assert await followed.seqs(1) == [1201]


LANE = {"account": AccountId("second"), "symbol": "BTC_USDT"}


async def test_filters(js, nats_url):
    await ensure_topology(js)
    letter = make_dead("router", "alert.received.demo", alert=None)
    letter = type(letter)(**{**asdict(letter), "data": codec.encode(make_alert())})
    planned = make_plan(make_leg(client_order_id="o1"), account="second", alert=OTHER)
    filled = make_execution("filled", "o1", route="other")
    async with running(nats_url, NOWHERE, heartbeat_s=0.1) as console:
        for subject, message in (
            ("alert.received.demo", make_alert()),
            (subjects.intent_accepted(shard=0, **LANE), make_intent(account="second")),
            (subjects.order_planned(**LANE), planned),
            ("execution.filled.paper.BTC_USDT", filled),
            ("dead.router", letter),
        ):
            await store(console, message=message, subject=subject)
        for query, expected in (
            ("route=other", [4]),
            ("route=demo", [1, 2, 3, 5]),
            ("route=demo,other", [1, 2, 3, 4, 5]),
            ("account=second&account=nobody", [2, 3]),
            ("symbol=BTC_USDT", [2, 3, 4]),
            ("symbol=BTCUSDT.P", [1]),
            ("stage=intent.accepted,dead", [2, 5]),
            ("stage=execution", [4]),
            (f"alert_id={OTHER}", [3]),
            (f"alert_id={OTHER.replace('-', '')}&route=other", []),
            ("account=second&stage=order", [3]),
        ):
            async with stream(console, f"?after=0&{query}") as followed:
                assert [int(number) for number, _, _ in await followed.until_silence()] == expected


def asdict(message):
    return {name: getattr(message, name) for name in message.__struct_fields__}


async def test_it_begins_at_a_time_or_so_many_back(console):
    await store(console, 3)
    await asyncio.sleep(0.02)
    entry = await console.bus.entry(3)
    await store(console, 2, begin=3)
    since = entry.stored_at.isoformat().replace("+", "%2B")
    async with stream(console, f"?since={since}") as followed:
        assert await followed.seqs(3) == [3, 4, 5]
    await store(console, subject="alert.received.other", message=make_alert(route="other"))
    async with stream(console, "?last=2&route=demo") as followed:
        assert await followed.seqs(2) == [4, 5]
    async with stream(console, "?last=100") as followed:
        assert await followed.seqs(6) == [1, 2, 3, 4, 5, 6]


async def test_a_place_that_the_log_never_reached_is_its_end(console):
    """The log was made anew, and somebody comes back from the old one."""
    async with stream(console, "?after=4000") as followed:
        await store(console)
        assert await followed.seqs(1) == [1]


async def test_what_the_log_has_forgotten_is_told(console, js):
    await store(console, 9)
    await js.purge_stream(subjects.STREAM, seq=6)
    async with stream(console, "?after=2") as late, stream(console, "?after=5") as whole:
        (_, name, data), *_ = await late.take(1)
        assert (name, data) == ("forgotten", {"after": 2, "first": 6})
        assert await late.seqs(4) == await whole.seqs(4) == [6, 7, 8, 9]
    await js.purge_stream(subjects.STREAM)
    async with stream(console, "?after=2") as empty:
        await store(console, begin=9)
        assert await empty.seqs(1) == [10]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?alert_id=7", {}),
        ("?after=-1", {}),
        ("?last=0", {}),
        ("?since=soon", {}),
        ("", {"Last-Event-ID": "x"}),
    ],
)
async def test_what_makes_no_sense_is_refused(console, query, headers):
    status, problem = await console.call("GET", f"/api/events{query}", **headers)
    assert status in {400, 422}, problem


async def test_silence_is_filled_with_heartbeats(js, nats_url):
    await ensure_topology(js)
    async with running(nats_url, NOWHERE, heartbeat_s=0.05) as console:
        async with stream(console) as followed:
            await followed.comment(4)
            await store(console)
            assert await followed.seqs(1) == [1]
    assert followed.comments[:2] == ["following", "still here"]


async def test_a_heartbeat_tells_the_place_to_come_back_to(js, nats_url):
    """Else whoever waits for something rare would have all in between read again."""
    await ensure_topology(js)
    async with running(nats_url, NOWHERE, heartbeat_s=0.05) as console:
        await store(console, 3)
        async with stream(console, "?route=rare") as followed:
            await followed.comment(1)
            assert await followed.answer.content.readline() == b"id: 3\r\n"
            await store(console, 4, begin=3)
            async with asyncio.timeout(10):
                while followed.place != 7:
                    await followed.comment(len(followed.comments) + 1)


async def test_all_streams_end_when_the_console_stops(js, nats_url):
    await ensure_topology(js)
    async with contextlib.AsyncExitStack() as stack:
        async with running(nats_url, NOWHERE) as console:
            followed = await stack.enter_async_context(stream(console))
            await store(console)
            await followed.take(1)
            console.feed.close()
            assert await followed.next() is None
        assert console.feed.followers == 0


async def test_whoever_does_not_read_is_cut_off_and_keeps_nobody_waiting(js, nats_url):
    await ensure_topology(js)
    large = make_alert(body="x" * 60_000, at=NOW)
    async with running(nats_url, NOWHERE, queue_events=50) as console:
        async with stream(console) as deaf, stream(console) as other:
            seen = []
            # The first megabytes wait between the two processes, where nobody counts them.
            for number in range(600):
                await store(console, begin=number, message=large)
                seen += await other.seqs(1)
            assert seen == list(range(1, 601))
            told = [await deaf.next()]
            while told[-1] is not None:
                told.append(await deaf.next())
        *events, (_, name, data), _ = told
        assert name == "lagging"
        numbers = [int(number) for number, _, _ in events]
        assert numbers == list(range(1, len(numbers) + 1))
        assert data == {"after": numbers[-1]}
        assert len(numbers) < 600


async def test_whoever_never_reads_again_is_forgotten(js, nats_url):
    """Its last event cannot be told, so its connection is ended."""
    await ensure_topology(js)
    large = make_alert(body="x" * 60_000)
    async with running(nats_url, NOWHERE, patience_s=0.2, queue_events=50) as console:
        async with stream(console):
            for number in range(500):
                await store(console, begin=number, message=large)
            await until(lambda: console.feed.followers == 0)


async def test_whoever_never_reads_holds_up_no_stop(js, nats_url):
    await ensure_topology(js)
    large = make_alert(body="x" * 60_000)
    async with contextlib.AsyncExitStack() as stack:
        async with running(nats_url, NOWHERE, queue_events=50) as console:
            await stack.enter_async_context(stream(console))
            for number in range(500):
                await store(console, begin=number, message=large)
            assert console.feed.followers == 1, "its end cannot be told"
        assert console.feed.followers == 0


async def test_a_stream_outlives_the_log_and_goes_on_without_a_gap(tmp_path):
    nats = NatsProcess(tmp_path)
    await nats.start()
    async with running(nats.url, NOWHERE, heartbeat_s=0.05) as console:
        await ensure_topology(console.bus.js)
        async with stream(console) as followed:
            await store(console, 3)
            assert await followed.seqs(3) == [1, 2, 3]
            await nats.kill()
            beats = len(followed.comments)
            await followed.comment(beats + 4)
            async with stream(console) as late, stream(console, "?after=1") as earlier:
                await late.comment(3)
                await nats.start()
                async with asyncio.timeout(10):
                    while not console.bus.client.is_connected:
                        await asyncio.sleep(0.01)
                await late.comment(len(late.comments) + 20)
                await store(console, 4, begin=3)
                assert await followed.seqs(4) == [4, 5, 6, 7]
                assert await late.seqs(4) == [4, 5, 6, 7]
                assert await earlier.seqs(6) == [2, 3, 4, 5, 6, 7]
    await nats.stop()

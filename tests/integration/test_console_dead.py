"""`/api/dead` over a real log, with Postgres away: what was given up on is listed whole, and put
into the log again once.
"""

import asyncio
import base64
from dataclasses import replace

import pytest

from libs.common.bus import HEADER_REPLAY_OF
from libs.common.consuming import Consumer
from libs.common.contracts import codec, subjects
from libs.common.contracts.dead_letter import DeadReplayed
from libs.common.contracts.words import AlertId
from libs.common.domain.identity import alert_id
from libs.common.executor_shards import executor_consumer
from libs.common.outcome import Refuse
from libs.common.topology import AUDITOR, ROUTER, ensure_topology
from tests.console_server import running
from tests.factories import ALERT_ID, make_alert
from tests.trail_messages import make_dead
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

OTHER = alert_id(unix_ms=7, random_bits=7)


@pytest.fixture
async def console(js, nats_url):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere) as found:
        yield found


class Service:
    """A router that gives up on everything while it is `broken`."""

    def __init__(self, bus):
        self.broken = True
        self.handled = []
        self._bus = bus

    async def handle(self, delivery):
        self.handled.append(delivery)
        if self.broken:
            raise Refuse("it makes no sense")

    async def post(self, number=1, alert: AlertId = ALERT_ID):
        message = make_alert(alert_id=alert)
        stored = await self._bus.publish(
            subject=subjects.alert_received("demo"), message=message, event_id=f"e{number}"
        )
        return stored.seq

    async def until_handled(self, count):
        async with asyncio.timeout(10):
            while len(self.handled) < count:
                await asyncio.sleep(0.01)


@pytest.fixture
async def service(console):
    made = Service(console.bus)
    stop = asyncio.Event()
    consumer = Consumer(console.bus, durable=ROUTER, handler=made.handle, lane_of=lambda _: "")
    async with asyncio.TaskGroup() as group:
        group.create_task(consumer.run(stop))
        yield made
        stop.set()


async def letters(console, *, count, query=""):
    """As listed, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            status, found = await console.call("GET", f"/api/dead{query}")
            assert status == 200, found
            if len(found["dead"]) >= count:
                return found["dead"]
            await asyncio.sleep(0.02)


async def test_nothing_was_given_up_on(console):
    assert await console.call("GET", "/api/dead") == (200, {"dead": [], "next": None})


async def test_a_letter_is_listed_with_what_is_known_of_its_message(console, service):
    seq = await service.post()
    [letter] = await letters(console, count=1)
    assert letter["origin_seq"] == seq
    assert letter["service"] == "console", "the one whose connection it was"
    assert (letter["stage"], letter["route"]) == ("alert.received", "demo")
    assert letter["alert_id"] == ALERT_ID
    assert letter["reason"] == "it makes no sense"
    assert letter["deliveries"] == 1
    assert letter["replayed"] is None


async def test_newest_first_and_page_by_page(console, service):
    for number in range(5):
        await service.post(number)
    whole = [letter["seq"] for letter in await letters(console, count=5)]
    assert whole == sorted(whole, reverse=True)
    _, first = await console.call("GET", "/api/dead?limit=2")
    assert [letter["seq"] for letter in first["dead"]] == whole[:2]
    _, rest = await console.call("GET", f"/api/dead?limit=3&before={first['next']}")
    assert [letter["seq"] for letter in rest["dead"]] == whole[2:]
    assert rest["next"] is None


async def bury(console, number):
    """A letter in the log, as a service leaves it."""
    letter = make_dead("router", "alert.received.demo")
    stored = await console.bus.publish(
        subject=subjects.dead("router"), message=letter, event_id=f"b{number}"
    )
    return stored.seq


async def test_of_a_night_of_letters_the_newest_are_told_first(console):
    """More than are read at once."""
    seqs = await asyncio.gather(*(bury(console, number) for number in range(600)))
    newest = sorted(seqs, reverse=True)
    _, first = await console.call("GET", "/api/dead?limit=2")
    assert [letter["seq"] for letter in first["dead"]] == newest[:2]
    _, last = await console.call("GET", f"/api/dead?before={newest[-3]}")
    assert [letter["seq"] for letter in last["dead"]] == newest[-2:]
    info = await console.bus.js.consumers_info(subjects.STREAM)
    assert {consumer.name for consumer in info} == {ROUTER, AUDITOR, executor_consumer(0)}


async def test_what_is_no_letter_is_left_out(console):
    seq = await bury(console, 1)
    strange = await console.bus.js.publish(subjects.dead("router"), b"{")
    _, found = await console.call("GET", "/api/dead")
    assert [letter["seq"] for letter in found["dead"]] == [seq]
    assert (await console.call("GET", f"/api/dead/{strange.seq}"))[0] == 404


async def test_a_letter_is_shown_whole(console, service):
    await service.post()
    [letter] = await letters(console, count=1)
    _, shown = await console.call("GET", f"/api/dead/{letter['seq']}")
    assert shown["message"]["alert_id"] == ALERT_ID
    assert codec.decode(base64.b64decode(shown["data_base64"])) == make_alert()
    assert shown["headers"]["Nats-Msg-Id"] == "e1"
    assert shown["text"] is None
    assert "denied as stale" in shown["outlook"]


async def test_a_message_that_nobody_can_read_is_shown_as_it_came(console, service):
    await console.bus.js.publish("alert.received.demo", b"\xff{")
    [letter] = await letters(console, count=1)
    _, shown = await console.call("GET", f"/api/dead/{letter['seq']}")
    assert shown["message"] is None
    assert shown["text"] == "\N{REPLACEMENT CHARACTER}{"
    assert "unless the software was mended" in shown["outlook"]
    assert base64.b64decode(shown["data_base64"]) == b"\xff{"
    assert "undecodable" in shown["reason"]


async def test_a_replay_is_handled_as_the_same_message(console, service):
    seq = await service.post()
    [letter] = await letters(console, count=1)
    service.broken = False
    status, answer = await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    assert (status, answer["new"]) == (200, True)
    await service.until_handled(2)
    again = service.handled[1]
    assert again.seq == answer["dead"]["replayed"]["seq"]
    assert again.origin_seq == seq
    assert not again.fresh, "it may have been handled in part"
    assert again.message == service.handled[0].message
    assert again.headers["Alertwire-Alert"] == ALERT_ID


async def test_a_letter_is_replayed_once(console, service):
    await service.post()
    [letter] = await letters(console, count=1)
    service.broken = False
    _, first = await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    _, second = await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    assert (first["new"], second["new"]) == (True, False)
    assert second["dead"] == first["dead"]
    await service.post(2, OTHER)
    await service.until_handled(3)
    assert [each.message.alert_id for each in service.handled] == [ALERT_ID, ALERT_ID, OTHER]
    [listed] = await letters(console, count=1)
    assert listed["replayed"] == first["dead"]["replayed"]


async def test_a_letter_is_replayed_once_also_when_the_log_has_forgotten_the_event_ids(
    console, service
):
    await service.post()
    [letter] = await letters(console, count=1)
    config = (await console.bus.js.stream_info(subjects.STREAM)).config
    await console.bus.js.update_stream(replace(config, duplicate_window=0.1))
    service.broken = False
    await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    await asyncio.sleep(0.5)
    _, second = await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    assert not second["new"]
    info = await console.bus.js.stream_info(subjects.STREAM, subjects_filter="alert.>")
    assert info.state.subjects == {"alert.received.demo": 2}


async def test_of_two_at_once_one_replays_it(console, service):
    await service.post()
    [letter] = await letters(console, count=1)
    service.broken = False
    path = f"/api/dead/{letter['seq']}/replay"
    answers = await asyncio.gather(*(console.call("POST", path) for _ in range(5)))
    assert sorted(answer["new"] for _, answer in answers) == [False] * 4 + [True]
    assert len({answer["dead"]["replayed"]["seq"] for _, answer in answers}) == 1


async def test_what_the_log_has_forgotten_the_beginning_of_is_not_replayed(console, service):
    """The plan and the orders may be gone, and would be made again."""
    seq = await service.post()
    [letter] = await letters(console, count=1)
    await console.bus.js.purge_stream(subjects.STREAM, seq=seq + 1)
    status, problem = await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    assert status == 409
    assert "forgotten" in problem["detail"]
    await asyncio.sleep(0.1)
    assert len(service.handled) == 1


async def test_nor_is_it_handled_where_it_was_replayed_in_time(console, service):
    service.broken = False
    seq = await service.post()
    await service.until_handled(1)
    await console.bus.js.purge_stream(subjects.STREAM, seq=seq + 1)
    await console.bus.js.publish(
        "alert.received.demo", codec.encode(make_alert()), headers={HEADER_REPLAY_OF: str(seq)}
    )
    [letter] = await letters(console, count=1)
    assert "forgotten" in letter["reason"]
    assert len(service.handled) == 1


async def test_a_header_that_names_nothing_is_not_taken_along(console, service):
    await console.bus.js.publish(
        "alert.received.demo", codec.encode(make_alert()), headers={HEADER_REPLAY_OF: "x"}
    )
    [letter] = await letters(console, count=1)
    service.broken = False
    await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    await service.until_handled(2)
    assert service.handled[1].origin_seq == letter["origin_seq"]
    assert not service.handled[1].fresh


async def test_what_fails_again_makes_another_letter_of_the_same_origin(console, service):
    seq = await service.post()
    [letter] = await letters(console, count=1)
    await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    second, first = await letters(console, count=2)
    assert first["replayed"] is not None
    assert second["replayed"] is None
    service.broken = False
    await console.call("POST", f"/api/dead/{second['seq']}/replay")
    await service.until_handled(3)
    assert [each.origin_seq for each in service.handled] == [seq] * 3


async def test_the_log_tells_of_a_replay(console, service):
    await service.post()
    [letter] = await letters(console, count=1)
    await console.call("POST", f"/api/dead/{letter['seq']}/replay")
    told = [entry.message async for entry in console.bus.entries_after(subject="dead.>", seq=0)]
    [replayed] = [message for message in told if isinstance(message, DeadReplayed)]
    assert (replayed.letter_seq, replayed.alert_id) == (letter["seq"], ALERT_ID)


@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("POST", "/replay")])
async def test_a_letter_that_is_not_there(console, service, method, more):
    seq = await service.post()
    await letters(console, count=1)
    status, problem = await console.call(method, f"/api/dead/{seq}{more}")
    assert status == 404
    assert f"no dead letter {seq}" in problem["detail"]


@pytest.mark.parametrize("header", ["x", "-1", "0", "99999", "9" * 30])
async def test_a_header_that_names_no_earlier_place_is_nothing(console, service, header):
    service.broken = False
    await service.post()
    await service.until_handled(1)
    await console.bus.js.publish(
        "alert.received.demo", codec.encode(make_alert()), headers={HEADER_REPLAY_OF: header}
    )
    await service.until_handled(2)
    _, delivery = service.handled
    assert delivery.origin_seq == delivery.seq
    assert delivery.fresh

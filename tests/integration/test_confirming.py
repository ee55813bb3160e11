"""Publishing to a real log: alone and in groups, each message once and in order."""

import asyncio

import nats.errors
import nats.js.errors
import pytest

from libs.common import grouping
from libs.common.confirming import Confirmation, Confirmed
from libs.common.contracts import subjects
from libs.common.express import ExpressClient, encoded_headers
from libs.common.grouping import BATCH_MIN, GROUP_MAX, Groups, Outgoing
from libs.common.topology import ensure_topology

pytestmark = pytest.mark.integration

SUBJECT = "alert.received.demo"


@pytest.fixture
async def client(js, nats_url):
    await ensure_topology(js)
    client = ExpressClient()
    await client.connect(nats_url)
    yield client
    await client.close()


@pytest.fixture
async def confirmed(client):
    found = Confirmed(client, timeout_s=5)
    await found.open()
    return found


def headers(event_id):
    return {"Nats-Msg-Id": event_id}


class Handing:
    """Hands messages to a group, and keeps their futures."""

    def __init__(self, confirmed):
        self.groups = Groups(confirmed)
        self.futures = []

    def hand(self, *event_ids):
        for event_id in event_ids:
            future = asyncio.get_running_loop().create_future()
            self.futures.append(future)
            self.groups.hand(
                Outgoing(
                    subject=SUBJECT,
                    payload=event_id.encode(),
                    headers=headers(event_id),
                    confirmed=future,
                )
            )

    async def results(self):
        async with asyncio.timeout(10):
            return await asyncio.gather(*self.futures, return_exceptions=True)


@pytest.fixture
def handing(confirmed):
    return Handing(confirmed)


async def stored(js, count):
    found = [(await js.get_msg(subjects.STREAM, seq=seq + 1)).data for seq in range(count)]
    assert (await js.stream_info(subjects.STREAM)).state.messages == count
    return [data.decode() for data in found]


def names(count, *, first=0):
    return [f"e{number}" for number in range(first, first + count)]


async def test_each_confirmation_ends_its_own_message(confirmed):
    futures = [
        confirmed.publish(SUBJECT, b"x", headers=encoded_headers(headers(f"e{n % 3}")))
        for n in range(6)
    ]
    found = await asyncio.gather(*futures)
    assert found == [Confirmation(seq=n) for n in (1, 2, 3)] + [
        Confirmation(seq=n, duplicate=True) for n in (1, 2, 3)
    ]


async def test_what_no_stream_takes_is_an_error(confirmed):
    with pytest.raises(nats.js.errors.NoStreamResponseError):
        await confirmed.publish("nobody.listens", b"x", headers=encoded_headers(headers("e")))


async def test_what_the_stream_refuses_is_an_error(confirmed):
    expecting = headers("e") | {"Nats-Expected-Last-Sequence": "7"}
    with pytest.raises(nats.js.errors.APIError, match="wrong last sequence"):
        await confirmed.publish(SUBJECT, b"x", headers=encoded_headers(expecting))


async def test_a_confirmation_that_does_not_come_is_given_up(client):
    await client.subscribe("deaf", cb=_hear)
    confirmed = Confirmed(client, timeout_s=0.05)
    await confirmed.open()
    with pytest.raises(nats.errors.TimeoutError):
        await confirmed.publish("deaf", b"x", headers=encoded_headers({}))


async def _hear(_message):
    pass


@pytest.mark.parametrize("count", [1, BATCH_MIN - 1, BATCH_MIN, 50, GROUP_MAX + 5])
async def test_a_group_is_stored_in_its_order(handing, js, count):
    handing.hand(*names(count))
    results = await handing.results()
    assert results == [Confirmation(seq=n + 1) for n in range(count)]
    assert await stored(js, count) == names(count)


async def test_a_large_group_is_one_batch(handing, js):
    handing.hand(*names(40))
    await handing.results()
    raw = await js.get_msg(subjects.STREAM, seq=40)
    assert raw.headers["Nats-Batch-Sequence"] == "40"
    assert raw.headers["Nats-Batch-Commit"] == "1"


async def test_what_is_handed_over_meanwhile_is_the_next_group(handing, js):
    handing.hand(*names(20))
    await asyncio.sleep(grouping.GATHERED_FOR_S)
    handing.hand(*names(30, first=20))
    await asyncio.sleep(0)
    handing.hand(*names(3, first=50))
    assert await handing.results() == [Confirmation(seq=n + 1) for n in range(53)]
    assert await stored(js, 53) == names(53)


async def test_one_that_is_stored_already_keeps_no_other_from_it(handing, confirmed, js):
    """The log refuses the whole batch then."""
    await confirmed.publish(SUBJECT, b"e7", headers=encoded_headers(headers("e7")))
    handing.hand(*names(30))
    results = await handing.results()
    assert results[7] == Confirmation(seq=1, duplicate=True)
    assert [each.seq for each in results[:7] + results[8:]] == list(range(2, 31))
    assert sorted(await stored(js, 30)) == sorted(names(30))
    handing.futures.clear()
    handing.hand("later")
    assert await handing.results() == [Confirmation(seq=31)]


async def test_a_batch_is_known_again_message_by_message(handing, js):
    handing.hand(*names(30))
    await handing.results()
    handing.futures.clear()
    handing.hand("e12", *names(20))
    results = await handing.results()
    assert [each.duplicate for each in results] == [True] * 21
    assert [each.seq for each in results] == [13, *range(1, 21)]
    await stored(js, 30)


async def test_a_stream_without_batches_takes_them_one_by_one(handing, js):
    """As one that was made by an older release and not set up since."""
    info = await js.stream_info(subjects.STREAM)
    await js.delete_stream(subjects.STREAM)
    info.config.allow_atomic = False
    await js.add_stream(info.config)
    handing.hand(*names(30))
    assert [each.seq for each in await handing.results()] == list(range(1, 31))
    assert await stored(js, 30) == names(30)


async def test_without_a_connection_each_says_so_and_later_ones_go_on(handing, client):
    await client.close()
    handing.hand(*names(30))
    assert {type(error) for error in await handing.results()} == {
        nats.errors.OutboundBufferLimitError
    }
    handing.futures.clear()
    handing.hand("e")
    assert len(await handing.results()) == 1


async def test_who_gives_up_waiting_keeps_nothing_from_being_stored(handing, js):
    handing.hand(*names(20))
    handing.futures[3].cancel()
    results = await handing.results()
    assert isinstance(results.pop(3), asyncio.CancelledError)
    assert {type(each) for each in results} == {Confirmation}
    assert await stored(js, 20) == names(20)

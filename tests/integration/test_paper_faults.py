"""What the control side of the paper exchange makes go wrong, over real HTTP."""

import asyncio
import time

import aiohttp
import pytest

from tests.paper_client import CREATE, order_body
from tests.paper_server import (  # noqa: F401 - fixtures
    EXTERNAL,
    PRIVATE,
    address_fixture,
    client_fixture,
    created,
    fault,
    held,
)


@pytest.mark.parametrize(("rule", "codes"), [("reject", [0, 2042]), ("async", [0, 0])])
async def test_duplicate_client_ids(client, rule, codes):
    await client.control("PUT", "behaviour", {"duplicate_oid": rule})
    replies = [await client.order(externalOid="one") for _ in range(2)]
    assert [reply["code"] for reply in replies] == codes
    assert await held(client) == 10
    if rule == "async":
        second = await client.get(PRIVATE + "order/get/" + replies[1]["data"]["orderId"])
        assert (second["data"]["state"], second["data"]["errorCode"]) == (5, 23)


async def test_duplicates_accepted(client):
    await client.control("PUT", "behaviour", {"duplicate_oid": "accept"})
    assert [(await client.order(externalOid="one"))["code"] for _ in range(2)] == [0, 0]
    assert await held(client) == 20


async def test_lose_reply_executes_and_closes(client):
    await fault(client, "lose_reply")
    with pytest.raises(aiohttp.ClientError):
        await client.order(externalOid="one")
    assert (await client.get(EXTERNAL + "one"))["data"]["state"] == 3
    assert await created(client) == [0]
    assert (await client.order())["code"] == 0


async def test_it_counts_whom_faults_befell(client):
    assert await client.control("GET", "faults") == {"befallen": {}}
    for _ in range(2):
        await fault(client, "html_403")
        with pytest.raises(ValueError, match="Expecting value"):
            await client.order()
    assert (await client.order())["code"] == 0
    assert await client.control("GET", "faults") == {"befallen": {"html_403": 2}}


async def test_lose_reply_of_a_refused_order_records_its_code(client):
    await fault(client, "lose_reply")
    with pytest.raises(aiohttp.ClientError):
        await client.order(vol=0)
    assert await created(client) == [2011]


async def test_drop_before_executes_nothing(client):
    await fault(client, "drop_before")
    with pytest.raises(aiohttp.ClientError):
        await client.order()
    assert await held(client) == 0
    assert await created(client) == [None]


async def test_delay_before_executes_late_and_answers_then(client):
    await fault(client, "delay_before", ms=400)
    before = time.monotonic()
    pending = asyncio.ensure_future(client.order())
    await asyncio.sleep(0.15)
    assert await held(client) == 0
    assert await created(client) == [None]
    assert (await pending)["code"] == 0
    assert time.monotonic() - before >= 0.4
    assert await held(client) == 10


async def test_delay_before_executes_although_the_client_has_gone(client):
    await fault(client, "delay_before", ms=300)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.order()
    assert await held(client) == 0
    await asyncio.sleep(0.4)
    assert await held(client) == 10


async def test_a_request_delayed_beyond_its_window_is_dead(client):
    await fault(client, "delay_before", ms=1200)
    reply = await client.post(CREATE, order_body(), **{"Recv-Window": "1"})
    assert reply["code"] == 513


async def test_hang_executes_and_never_answers(client):
    await fault(client, "hang", ms=200)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.6):
            await client.order()
    assert await held(client) == 10
    assert await created(client) == [0]


@pytest.mark.parametrize(("kind", "status"), [("html_403", 403), ("http_502", 502)])
async def test_html_instead_of_json_executes_nothing(client, address, kind, status):
    await fault(client, kind)
    async with aiohttp.ClientSession() as session, session.post(address + CREATE, data="") as got:
        assert (got.status, got.content_type) == (status, "text/html")
    assert await created(client) == [None]
    assert (await client.order())["code"] == 0


async def test_any_code(client):
    await fault(client, "code", code=2037, count=2)
    replies = [await client.order() for _ in range(3)]
    assert [reply["code"] for reply in replies] == [2037, 2037, 0]
    assert replies[0]["success"] is False
    assert await held(client) == 10


async def test_async_reject(client):
    await fault(client, "async_reject")
    assert (await client.order(externalOid="one"))["code"] == 0
    order = (await client.get(EXTERNAL + "one"))["data"]
    assert (order["state"], order["errorCode"], order["dealVol"]) == (5, 2, 0)


async def test_partial_fill(client):
    await fault(client, "partial_fill")
    await client.order(externalOid="one", vol=5)
    order = (await client.get(EXTERNAL + "one"))["data"]
    assert (order["state"], order["dealVol"], order["vol"]) == (4, 2, 5)


async def test_hide_order(client):
    await fault(client, "hide_order", ms=300)
    order_id = (await client.order(externalOid="one"))["data"]["orderId"]
    for path in (EXTERNAL + "one", PRIVATE + "order/get/" + order_id):
        assert "data" not in await client.get(path)
    await asyncio.sleep(0.35)
    assert (await client.get(EXTERNAL + "one"))["data"]["state"] == 3


async def test_latency_is_added_to_each_direction(client):
    await client.control("PUT", "latency", {"one_way_ms": 100})
    sent_ns, before = time.time_ns(), time.monotonic()
    await client.order()
    assert 0.2 <= time.monotonic() - before < 1
    (call,) = await client.control("GET", f"requests?path={CREATE}")
    assert 100e6 <= call["received_ns"] - sent_ns < 200e6


async def drawn(client, seed):
    await client.control("PUT", "seed", {"seed": seed})
    path = PRIVATE + "account/assets"
    fault_of_half = {"path": path, "kind": "code", "code": 500, "count": None, "probability": 0.5}
    await client.control("PUT", "faults", [fault_of_half])
    return [(await client.get(path))["code"] for _ in range(30)]


async def test_a_seed_brings_the_same_faults_again(client):
    first = await drawn(client, 7)
    assert set(first) == {0, 500}
    # Pushes draw their delays meanwhile, and must not shift the faults.
    await client.order()
    assert await drawn(client, 7) == first
    assert await drawn(client, 8) != first

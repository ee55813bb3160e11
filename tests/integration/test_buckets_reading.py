"""Reading a bucket, however often, leaves nothing behind at the server."""

import asyncio

import pytest

from libs.common.buckets import read_all
from libs.common.topology import ensure_topology

pytestmark = pytest.mark.integration


async def test_readers_leave_no_consumer_behind(js):
    await ensure_topology(js)
    store = await js.key_value("routes")
    await store.put("a", b"1")
    before = (await js.stream_info("KV_routes")).state.consumer_count
    for _ in range(20):
        assert await read_all(store, timeout_s=5) == {"a": b"1"}
    async with asyncio.timeout(30):
        while (await js.stream_info("KV_routes")).state.consumer_count > before:
            await asyncio.sleep(0.1)

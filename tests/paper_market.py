"""A paper exchange served inside the test whose insides the test can reach: import both fixtures to
ask for `venue` and for `client` (an account of its own, BTC_USDT at 50000).
"""

import asyncio

import aiohttp
import pytest

from tests.paper_client import PaperClient
from tests.paper_server import signed_up
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue

PUBLIC = "/api/v1/contract/"
BTC = "BTC_USDT"


@pytest.fixture(name="venue")
def venue_fixture(tmp_path):
    return Venue(load_catalogue(), kline_dir=tmp_path)


@pytest.fixture(name="client")
async def client_fixture(venue):
    async with serving(venue) as base, await signed_up(base) as client:
        await client.control("PUT", f"prices/{BTC}", {"last": "50000"})
        yield client


async def read(client: PaperClient, path: str, **params):
    reply = await client.get(PUBLIC + path, params)
    assert reply["success"] is True, reply
    return reply["data"]


async def refused(client: PaperClient, method, path, body=None, *, status=400):
    """The error of a control call that is refused."""
    url = f"{client._base_url}/_paper/{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as reply,
    ):
        assert reply.status == status, await reply.text()
        return (await reply.json())["error"]


async def stand_still(client: PaperClient) -> int:
    """Stop the clock in the middle of the next minute, so that none begins by itself."""
    now_ms = (await client.control("GET", "clock"))["now_ms"]
    at_ms = (now_ms // 60_000 + 1) * 60_000 + 30_000
    await client.control("PUT", "clock", {"at_ms": at_ms})
    return at_ms // 60_000 * 60


async def until(holds, *, within_s=5):
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.01)

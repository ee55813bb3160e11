"""A paper exchange served inside the test, and clients of it. A test module that imports
`client_fixture` and `address_fixture` can ask for `client` (an account of its own, BTC_USDT at
50000, no order limit) and for `address`.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.paper_client import CREATE, PaperClient
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue

PRIVATE = "/api/v1/private/"
EXTERNAL = PRIVATE + "order/external/BTC_USDT/"


@pytest.fixture(name="address")
async def address_fixture() -> AsyncIterator[str]:
    async with serving(Venue(load_catalogue())) as base:
        yield base


@pytest.fixture(name="client")
async def client_fixture(address: str) -> AsyncIterator[PaperClient]:
    async with await signed_up(address) as client:
        await client.control("PUT", "prices/BTC_USDT", {"last": "50000"})
        await client.control("PUT", "limits", {"order_create_per_2s": None})
        yield client


async def signed_up(address: str, **account: Any) -> PaperClient:
    async with PaperClient(address) as anyone:
        keys = await anyone.control("POST", "accounts", account)
    assert keys["access_key"].startswith("paper_")
    return PaperClient(address, keys["access_key"], keys["secret_key"])


async def created(client: PaperClient) -> list[int | None]:
    """The codes of the order creations that were received."""
    calls = await client.control("GET", f"requests?path={CREATE}")
    return [call["code"] for call in calls]


async def held(client: PaperClient) -> int:
    positions = (await client.get(PRIVATE + "position/open_positions"))["data"]
    return sum(position["holdVol"] for position in positions)


async def fault(client: PaperClient, kind: str, **fields: Any) -> None:
    await client.control("PUT", "faults", [{"path": CREATE, "kind": kind} | fields])

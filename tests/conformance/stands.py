"""What the conformance suite needs of each implementation: an exchange with one account, the price
of BTC_USDT at 50,000, and a way to let something go wrong.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from aiohttp import web

from libs.common.contracts.causes import Cause
from libs.common.secret import Secret
from services.executor.exchange import Exchange
from services.executor.mexc import client
from services.executor.mexc.client import MexcExchange
from services.executor.mexc.connecting import connect_account
from services.executor.mexc.stream import MexcFeed
from tests.factories import make_account
from tests.fakes import FakeExchange, Mishap, Refusal
from tests.paper_client import PaperClient
from tests.recorded import recorded
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue

PRIVATE = "/api/v1/private"
RECORDED_MS = 1_764_563_170_653
"""The time that the recorded questions name."""
RECORDINGS = ("", "_waiting", "_leverage", "_checks", "_views")
LOST = "connection closed without a reply"


class Stand(Protocol):
    @property
    def exchange(self) -> Exchange: ...

    async def befall(self, mishap: Mishap) -> None:
        """What happens to the next order or change."""

    async def price(self, last: str, *, mark: str | None = None) -> None:
        """Move BTC_USDT; mark and index follow `last` where no mark is given."""

    async def refuse_query(self) -> None:
        """The next question for holdings is answered with: this address is not linked."""


@dataclass
class FakeStand:
    exchange: FakeExchange

    async def befall(self, mishap: Mishap) -> None:
        self.exchange.befall(mishap)

    async def price(self, last: str, *, mark: str | None = None) -> None:
        self.exchange.move(last, mark=mark)

    async def refuse_query(self) -> None:
        self.exchange.fail_queries(Refusal(code=406, message="not linked", kind=Cause.IP))


@dataclass
class PaperStand:
    exchange: MexcExchange
    feed: MexcFeed
    paper: PaperClient

    async def befall(self, mishap: Mishap) -> None:
        kinds: dict[Mishap, dict[str, Any]] = {
            Mishap.LOSE_REPLY: {"kind": "lose_reply"},
            Mishap.DROP: {"kind": "drop_before"},
            Mishap.RATE_LIMIT: {"kind": "code", "code": 510},
            Mishap.DIE_LATER: {"kind": "async_reject", "code": 2},
            Mishap.PARTIAL_FILL: {"kind": "partial_fill"},
        }
        await self.paper.control("PUT", "faults", [{"path": PRIVATE, **kinds[mishap]}])

    async def price(self, last: str, *, mark: str | None = None) -> None:
        prices = {"last": last} if mark is None else {"last": last, "fair": mark}
        await self.paper.control("PUT", "prices/BTC_USDT", prices)

    async def refuse_query(self) -> None:
        fault = {"path": client.OPEN_POSITIONS, "kind": "code", "code": 406}
        await self.paper.control("PUT", "faults", [fault])


@dataclass
class RecordedStand:
    """What happens is in the recording already."""

    exchange: MexcExchange

    async def befall(self, mishap: Mishap) -> None: ...

    async def price(self, last: str, *, mark: str | None = None) -> None: ...

    async def refuse_query(self) -> None: ...


@contextlib.asynccontextmanager
async def fake_stand(_behaviour: str) -> AsyncIterator[Stand]:
    yield FakeStand(FakeExchange())


@contextlib.asynccontextmanager
async def paper_stand(_behaviour: str, *, position_mode: int = 1) -> AsyncIterator[PaperStand]:
    venue = Venue(load_catalogue())
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(venue.close)
        url = await stack.enter_async_context(serving(venue))
        paper = await stack.enter_async_context(PaperClient(url))
        keys = await paper.control("POST", "accounts", {"position_mode": position_mode})
        account = make_account(
            base_url=url,
            ws_url=url.replace("http", "ws", 1) + "/edge",
            access_key=keys["access_key"],
        )
        exchange, feed = connect_account(account, Secret(keys["secret_key"]))
        stack.push_async_callback(exchange.close)
        stand = PaperStand(exchange, feed, paper)
        await stand.price("50000")
        yield stand


@contextlib.asynccontextmanager
async def recorded_stand(behaviour: str) -> AsyncIterator[Stand]:
    """Replays the conversation of one behaviour and insists on being asked exactly that."""
    kept = (recorded(f"conversations{part}") for part in RECORDINGS)
    conversation = {name: turns for each in kept for name, turns in each.items()}[behaviour]
    turns = iter(conversation)
    wrong: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        turn = next(turns, None)
        asked = f"{request.method} {request.raw_path}"
        if turn is None or asked != turn["asked"]:
            wrong.append(f"{asked} instead of {turn and turn['asked']}")
            return web.Response(status=500)
        if "body" in turn and await request.json() != turn["body"]:
            wrong.append(f"{await request.text()} instead of {turn['body']}")
        if turn["reply"] == LOST:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(turn["reply"], dumps=_dumps)

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    exchange = MexcExchange(
        base_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
        access_key="recorded",
        secret=Secret("recorded"),
        clock=lambda: RECORDED_MS * 1_000_000,
    )
    try:
        yield RecordedStand(exchange)
    finally:
        await exchange.close()
        await runner.cleanup()
    assert wrong == []
    assert list(turns) == [], "the recording goes on"


STANDS = {"fake": fake_stand, "paper": paper_stand, "recorded": recorded_stand}


def _dumps(value: object) -> str:
    return msgspec.json.encode(value).decode()

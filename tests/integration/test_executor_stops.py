"""Wherever the exchange refuses our address for a key, the account stops, and goes on with the next
call that is accepted: the real client at a paper exchange that sees us under another address.
"""

import asyncio
import contextlib
from dataclasses import replace
from time import monotonic

import pytest

from libs.common.cancelling import cancelled
from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Change
from libs.common.contracts.words import ChangeKind, MarginMode, PositionSide
from libs.common.domain.leverages import SideLeverage
from libs.common.secret import Secret
from services.executor.accounts import Connected
from services.executor.book import Book
from services.executor.budget import Budget
from services.executor.egress import EgressWatch
from services.executor.exchange import QueryFailed, Rejected
from services.executor.mexc.connecting import connect_account
from services.executor.pictures import Pictures
from services.executor.settings import Timing
from services.executor.stops import Stops
from tests.factories import make_account, make_leg
from tests.paper_server import address_fixture, signed_up

__all__ = ["address_fixture"]

pytestmark = pytest.mark.integration

BTC = "BTC_USDT"
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
TIMING = replace(Timing(), reopen_s=0.02, reopen_largest_s=0.1, correct_pause_s=0.05)
WANTED = SideLeverage(side=PositionSide.LONG, margin_mode=MarginMode.CROSS, leverage=20)
CANCEL = Change(
    change_id="0000000000000000000000ch000", kind=ChangeKind.CANCEL_ORDERS, exchange_ids=("1",)
)

CALLS = {
    "an order": lambda exchange: exchange.submit(make_leg(), symbol=BTC),
    "a change": lambda exchange: exchange.change(CANCEL, symbol=BTC),
    "leverage": lambda exchange: exchange.set_leverage(WANTED, symbol=BTC),
    "an order that is asked for": lambda exchange: exchange.order(BTC, "ours"),
    "what is held of a contract": lambda exchange: exchange.holdings(BTC),
    "the whole account": lambda exchange: exchange.positions(),
    "a list": lambda exchange: exchange.pending(BTC),
}


class Stand:
    """One account, linked to the address that we have at first, and what is told of it."""

    def __init__(self, client):
        self.client = client
        self.told = []
        self.watch = EgressWatch(urls=("https://echo/",))
        self.stops = Stops(
            addresses=lambda: (ELSEWHERE,),
            on_refused=self.watch.recheck,
            on_stop=lambda *told: self.told.append(told),
        )
        account = make_account(
            base_url=client.base_url,
            ws_url=client.base_url.replace("http", "ws") + "/edge",
            access_key=client.keys[0],
        )
        self.exchange, feed = connect_account(
            account, Secret(client.keys[1]), heard=self.stops.listening("paper")
        )
        self.connected = Connected(
            account=account,
            exchange=self.exchange,
            feed=feed,
            book=Book("paper", timing=TIMING, heard_at=lambda: feed.heard_at),
            budget=Budget(4, clock=monotonic),
        )
        # Of `Accounts`, what pictures and probes ask of it.
        self.changed = asyncio.Event()
        self.settings = {"paper": account}

    def current(self):
        return [self.connected]

    def find(self, _account):
        return self.connected

    @property
    def is_stopped(self):
        return self.stops.of("paper") is not None

    async def seen_as(self, address):
        await self.client.control("PUT", "address", {"seen": address})


@pytest.fixture
async def stand(address):
    async with await signed_up(address, ip_whitelist=[HERE]) as client:
        made = Stand(client)
        yield made
        await made.exchange.close()


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
async def test_each_kind_of_call_tells_it(stand, call):
    with contextlib.suppress(QueryFailed):
        await call(stand.exchange)
    assert not stand.is_stopped
    await stand.seen_as(ELSEWHERE)
    refused = None
    try:
        answer = await call(stand.exchange)
    except QueryFailed as failure:
        refused = failure.kind
    else:
        refused = answer.kind
        assert isinstance(answer, Rejected) or not answer.retryable
    assert refused is Cause.IP
    assert stand.told == [("paper", None)]
    stop = stand.stops.of("paper")
    assert (stop.code, stop.addresses) == (406, (ELSEWHERE,))
    assert "whitelist" in stop.said


@pytest.mark.parametrize("code", [401, 402, 406, 602], ids=str)
async def test_each_code_that_does_not_know_us_has_our_address_asked_for(stand, code):
    await stand.client.control(
        "PUT",
        "faults",
        [{"path": "/api/v1/private/position/open_positions", "kind": "code", "code": code}],
    )
    assert not stand.watch._wanted.is_set()
    with pytest.raises(QueryFailed) as failed:
        await stand.exchange.positions()
    assert failed.value.kind in {Cause.IP, Cause.KEY, Cause.SIGNATURE}
    assert stand.watch._wanted.is_set()
    assert stand.is_stopped == (code == 406)


async def test_what_is_asked_without_a_key_tells_nothing(stand):
    await stand.seen_as(ELSEWHERE)
    await stand.exchange.prices(BTC)
    await stand.exchange.sync_clock()
    assert not stand.is_stopped


async def test_a_probe_lifts_it_when_the_address_is_right_again(stand):
    await stand.seen_as(ELSEWHERE)
    with contextlib.suppress(QueryFailed):
        await stand.exchange.positions()
    await stand.stops.probe(stand)
    assert stand.is_stopped
    await stand.seen_as(HERE)
    await stand.stops.probe(stand)
    assert not stand.is_stopped


@contextlib.asynccontextmanager
async def followed(stand):
    async with asyncio.TaskGroup() as group:
        following = group.create_task(Pictures(stand, timing=TIMING).follow())
        yield
        await cancelled([following])


async def test_a_login_that_is_refused_tells_it_and_the_picture_lifts_it(stand):
    await stand.seen_as(ELSEWHERE)
    async with followed(stand):
        await until(lambda: stand.is_stopped)
        await stand.seen_as(HERE)
        await until(lambda: not stand.is_stopped and stand.connected.book.is_live)


async def test_the_corrections_of_a_picture_tell_it_while_the_connection_stands(stand):
    async with followed(stand):
        await until(lambda: stand.connected.book.is_live)
        await stand.seen_as(ELSEWHERE)
        stand.connected.book.want_correction(0.0)
        await until(lambda: stand.is_stopped)

"""The live picture over a real connection to the paper exchange: it follows what happens, says when
it is not to be trusted, and comes back.
"""

import asyncio
import contextlib
from dataclasses import replace
from time import monotonic

import pytest

from libs.common.cancelling import cancelled
from libs.common.contracts.words import PositionMode
from libs.common.secret import Secret
from services.executor.accounts import Connected
from services.executor.book import Book
from services.executor.budget import Budget
from services.executor.exchange import Found
from services.executor.mexc.connecting import connect_account
from services.executor.pictures import Pictures
from services.executor.settings import Timing
from tests.factories import make_account
from tests.paper_server import address_fixture, client_fixture

__all__ = ["address_fixture", "client_fixture"]

pytestmark = pytest.mark.integration

BTC = "BTC_USDT"
TIMING = replace(
    Timing(),
    correct_s=0.5,
    correct_pause_s=0.05,
    correct_again_s=0.05,
    reopen_s=0.02,
    visible_after_s=0.1,
)


class Desk:
    """The pictures of accounts that a test enters and removes."""

    def __init__(self, address):
        self._address = address
        self._connected = []
        self.changed = asyncio.Event()
        self.pictures = Pictures(self, timing=TIMING)

    def current(self):
        return list(self._connected)

    def enter(self, access_key, secret_key, name="paper"):
        account = make_account(
            id=name,
            base_url=self._address,
            ws_url=self._address.replace("http", "ws") + "/edge",
            access_key=access_key,
        )
        exchange, feed = connect_account(account, Secret(secret_key))
        connected = Connected(
            account=account,
            exchange=exchange,
            feed=feed,
            book=Book(name, timing=TIMING, heard_at=lambda: feed.heard_at),
            budget=Budget(4, clock=monotonic),
        )
        self._connected.append(connected)
        self.changed.set()
        return connected

    def remove(self, connected):
        self._connected.remove(connected)
        self.changed.set()

    async def close(self, *more):
        for connected in [*self._connected, *more]:
            await connected.exchange.close()


@pytest.fixture
async def desk(address):
    made = Desk(address)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(made.pictures.follow())
        yield made
        await cancelled([following])
    await made.close()


@pytest.fixture
async def connected(desk, client):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    entered = desk.enter(*client.keys)
    await until(lambda: entered.book.is_live)
    return entered


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def held(connected):
    holdings = connected.book.holdings(BTC)
    if holdings is None:
        return None
    return {holding.side.value: int(holding.contracts) for holding in holdings}


async def faults(client, *listed):
    await client.control("PUT", "faults", list(listed))


async def test_it_is_live_with_the_position_mode_and_what_is_held(desk, connected):
    assert desk.pictures.missing() is None
    assert held(connected) == {}
    assert connected.book.position_mode is PositionMode.HEDGE


@pytest.mark.parametrize("offset_ms", [-12_000, 12_000])
async def test_a_clock_that_was_set_is_measured_anew_though_nobody_trades(
    connected, client, offset_ms
):
    """The login is refused then, and every question."""
    await client.control("PUT", "clock", {"offset_ms": offset_ms})
    await faults(client, {"path": "/edge", "kind": "ws_cut"})
    await until(lambda: not connected.book.is_live)
    await until(lambda: connected.book.is_live)


async def test_a_clock_that_was_set_is_noticed_while_the_connection_stands(connected, client):
    await client.control("PUT", "clock", {"offset_ms": 12_000})
    await until(lambda: connected.exchange.clock_offset_ms > 11_000)
    assert connected.book.is_live


async def test_it_follows_what_is_traded(connected, client):
    await client.order(vol=10)
    await until(lambda: held(connected) == {"long": 10})
    await client.order(side=4, vol=10)
    await until(lambda: held(connected) == {})


async def test_an_order_is_pushed_as_it_is_answered(connected, client):
    pushes = []
    connected.book.orders.listeners.append(pushes.append)
    await client.order(vol=3, externalOid="ours")
    await until(lambda: any(one.found.state == "filled" for one in pushes))
    pushed = next(one for one in pushes if one.found.state == "filled")
    told = await connected.exchange.order(BTC, "ours")
    assert isinstance(told, Found)
    assert pushed.client_order_id == "ours"
    assert replace(pushed.found, call=told.call) == told


async def test_a_change_of_mode_is_seen(connected, client):
    await client.post("/api/v1/private/position/change_position_mode", {"positionMode": 2})
    await until(lambda: connected.book.position_mode is PositionMode.ONE_WAY)


async def test_a_lost_push_is_corrected(connected, client):
    await faults(client, {"path": "/edge", "kind": "ws_gap", "count": 100})
    await client.order(vol=10)
    assert held(connected) == {}
    await faults(client)
    await until(lambda: held(connected) == {"long": 10})


async def test_a_connection_that_tells_nothing_is_not_believed(connected, client):
    """Until it tells of a position again."""
    await faults(client, {"path": "/edge", "kind": "ws_gap", "count": None})
    await client.order(vol=10)
    await until(lambda: held(connected) == {"long": 10})
    await client.order(vol=10)
    await until(lambda: not connected.book.is_live)
    assert held(connected) is None
    await faults(client)
    await client.order(vol=10)
    await until(lambda: held(connected) == {"long": 30})


async def test_a_cut_is_seen_and_mended(connected, client):
    pictures = connected.book
    losses = []
    lost = pictures.lost

    def noted():
        losses.append(True)
        lost()

    pictures.lost = noted
    await faults(client, {"path": "/edge", "kind": "ws_cut"})
    await until(lambda: losses)
    await faults(client)
    await client.order(vol=10)
    await until(lambda: held(connected) == {"long": 10})


async def test_who_is_turned_away_tries_again(desk, client):
    await faults(client, {"path": "/edge", "kind": "ws_refuse", "count": 3})
    entered = desk.enter(*client.keys)
    await until(lambda: desk.pictures.missing() is None)
    await until(lambda: entered.book.is_live)


async def test_a_wrong_key_keeps_nobody_waiting(desk, client):
    entered = desk.enter(client.keys[0], "wrong")
    assert "paper" in desk.pictures.missing()
    await until(lambda: desk.pictures.missing() is None)
    assert not entered.book.is_live


async def test_an_account_that_is_gone_is_left(desk, connected, client):
    desk.remove(connected)
    await until(lambda: not connected.book.is_live)
    again = desk.enter(*client.keys)
    await until(lambda: again.book.is_live)
    assert not connected.book.is_live
    with contextlib.suppress(Exception):
        await connected.exchange.close()


async def test_an_exchange_that_does_not_answer_makes_no_picture(desk, client):
    path = "/api/v1/private/position/open_positions"
    await faults(client, {"path": path, "kind": "http_502", "count": 1_000})
    entered = desk.enter(*client.keys)
    await until(lambda: connected_but_blind(entered))
    assert held(entered) is None
    await faults(client)
    await until(lambda: held(entered) == {})


def connected_but_blind(connected):
    return connected.book._open and not connected.book.is_live

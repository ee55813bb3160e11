"""The executor's catalogue on a real bucket: only what changed is written, what is gone is deleted,
and an exchange's fault deletes nothing.
"""

import asyncio
import base64
import contextlib

import msgspec
import pytest
from nacl.public import PrivateKey

from libs.common.buckets import read_all
from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.instrument import Instrument
from libs.common.health import Health
from libs.common.sealing import seal
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.executor import catalogue
from services.executor.accounts import Accounts
from services.executor.catalogue import Catalogue
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Timing
from tests.factories import D, make_account, make_instrument
from tests.fakes import FakeExchange
from tests.unit.executor_desk import SilentFeed

pytestmark = pytest.mark.integration

ONE, TWO = "http://127.0.0.1:1", "http://127.0.0.1:2"
BTC = make_instrument()
ETH = make_instrument(symbol="ETH_USDT", base="ETH")
SOL = make_instrument(symbol="SOL_USDT", base="SOL")


def key_of(instrument, base_url=ONE):
    return subjects.instrument_key(base_url=base_url, symbol=instrument.symbol)


class Desk:
    """A catalogue, its bucket and one exchange per address."""

    def __init__(self, bus, bucket, *, refresh_s):
        self.bucket = bucket
        self.exchanges = {base_url: FakeExchange(instruments=()) for base_url in (ONE, TWO)}
        self.changed = asyncio.Event()
        key = PrivateKey.generate()
        self._public_key = base64.b64encode(bytes(key.public_key)).decode()
        self.accounts = Accounts(
            keys=SealingKeys.of(Secret(base64.b64encode(bytes(key)).decode())),
            make_exchange=lambda account, _secret: (
                self.exchanges[account.base_url],
                SilentFeed(),
            ),
            timing=Timing(),
            on_change=self.changed.set,
        )
        self.catalogue = Catalogue(
            bus=bus, accounts=self.accounts, changed=self.changed, refresh_s=refresh_s
        )

    def enter(self, name, base_url):
        secret = seal(public_key=self._public_key, secret=Secret("s"))
        self.accounts.secrets._copy.values[name] = secret
        self.accounts.settings._copy.values[name] = make_account(id=name, base_url=base_url)
        self.changed.set()

    def lists(self, *instruments, base_url=ONE):
        self.exchanges[base_url].instruments_ = {each.symbol: each for each in instruments}

    async def refresh(self):
        """Read everything once, and wait until the catalogue has seen what it wrote itself."""
        await self.catalogue._refresh(everything=True)
        stored = await self.stored()
        await eventually(lambda: dict(self.catalogue.stored.values) == stored)
        return stored

    async def stored(self):
        found = await read_all(self.bucket, timeout_s=5)
        return {key: msgspec.json.decode(each, type=Instrument) for key, each in found.items()}

    async def writes(self):
        return (await self.bucket.status()).stream_info.state.last_seq


async def eventually(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(work):
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await cancelled([task])


@pytest.fixture
async def desk(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="executor", health=Health("t")
    ) as bus:
        bucket = await bus.js.key_value(subjects.BUCKET_INSTRUMENTS)
        made = Desk(bus, bucket, refresh_s=60)
        async with running(made.catalogue.stored.follow(bus)):
            await asyncio.wait_for(made.catalogue.stored.complete.wait(), 10)
            yield made


async def test_every_exchange_address_has_its_contracts(desk):
    desk.enter("first", ONE)
    desk.enter("same-exchange", ONE)
    desk.enter("second", TWO)
    small = make_instrument(contract_size=D(1))
    desk.lists(BTC, ETH)
    desk.lists(small, base_url=TWO)
    assert await desk.refresh() == {
        key_of(BTC): BTC,
        key_of(ETH): ETH,
        key_of(small, TWO): small,
    }
    assert desk.exchanges[ONE].asked == ["instruments"], "once per address"


async def test_only_what_changed_is_written(desk):
    desk.enter("first", ONE)
    desk.lists(BTC, ETH)
    await desk.refresh()
    assert await desk.writes() == 2
    await desk.refresh()
    assert await desk.writes() == 2
    dearer = make_instrument(tick_price=D("0.5"))
    desk.lists(dearer, ETH, SOL)
    assert (await desk.refresh())[key_of(BTC)] == dearer
    assert await desk.writes() == 4


async def test_what_is_gone_is_deleted_at_its_own_exchange_alone(desk):
    desk.enter("first", ONE)
    desk.enter("second", TWO)
    desk.lists(BTC, ETH)
    desk.lists(BTC, ETH, base_url=TWO)
    await desk.refresh()
    desk.lists(BTC)
    assert set(await desk.refresh()) == {key_of(BTC), key_of(BTC, TWO), key_of(ETH, TWO)}


async def test_an_empty_answer_deletes_nothing(desk):
    desk.enter("first", ONE)
    desk.lists(BTC, ETH)
    await desk.refresh()
    desk.lists()
    assert set(await desk.refresh()) == {key_of(BTC), key_of(ETH)}
    assert await desk.writes() == 2


async def test_an_exchange_that_fails_keeps_its_contracts_and_stops_no_other(desk):
    desk.enter("first", ONE)
    desk.enter("second", TWO)
    desk.lists(BTC)
    desk.lists(BTC, base_url=TWO)
    await desk.refresh()
    desk.exchanges[ONE].fail_queries()
    desk.lists(ETH)
    desk.lists(ETH, base_url=TWO)
    assert set(await desk.refresh()) == {key_of(BTC), key_of(ETH, TWO)}


async def test_it_is_ready_when_each_exchange_was_asked_whatever_it_answered(desk):
    desk.enter("first", ONE)
    desk.exchanges[ONE].fail_queries(count=2)
    assert "not read yet" in desk.catalogue.missing()
    async with running(desk.catalogue.feed()):
        await asyncio.wait_for(desk.catalogue.tried.wait(), 10)
        assert desk.catalogue.missing() is None
        assert await desk.stored() == {}


async def test_a_new_account_is_read_at_once_and_only_it(desk):
    desk.enter("first", ONE)
    desk.lists(BTC)
    desk.lists(ETH, base_url=TWO)
    async with running(desk.catalogue.feed()):
        await eventually(lambda: desk.catalogue.stored.get(key_of(BTC)) == BTC)
        desk.enter("second", TWO)
        await eventually(lambda: desk.catalogue.stored.get(key_of(ETH, TWO)) == ETH)
    assert desk.exchanges[ONE].asked.count("instruments") == 1


async def test_what_could_not_be_read_is_tried_again_soon(desk, monkeypatch):
    monkeypatch.setattr(catalogue, "_RETRY_S", 0.05)
    desk.enter("first", ONE)
    desk.exchanges[ONE].fail_queries(count=4)
    desk.lists(BTC)
    async with running(desk.catalogue.feed()):
        await eventually(lambda: desk.catalogue.stored.get(key_of(BTC)) == BTC)

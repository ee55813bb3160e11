"""Sealing keys from the console's API over real NATS to executors: who has which, and sealing anew
what was sealed for an older one, without ever overwriting what was entered meanwhile.
"""

import asyncio
import base64
import re

import pytest
from nacl.public import PrivateKey

from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.contracts import subjects
from libs.common.express import ExpressClient
from libs.common.sealing import key_id, seal, sealing_key, unseal
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.console.sealing import Sealings
from services.executor.accounts import Accounts
from services.executor.resealing import Sealings as Answering
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Timing
from tests.console_server import PRIVATE_KEY, running
from tests.console_visitor import users_in, visiting
from tests.fakes import FakeExchange
from tests.unit.executor_desk import SilentFeed
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

OTHER = PrivateKey.generate()
ACCOUNT = {
    "base_url": "http://127.0.0.1:1",
    "ws_url": "ws://127.0.0.1:1/edge",
    "access_key": "mx0-access",
    "secret_key": "s3cret-of-main",
}


def encoded(key):
    return base64.b64encode(bytes(key)).decode()


def named(key):
    return key_id(base64.b64encode(bytes(key.public_key)).decode())


NEW, OLD = named(PRIVATE_KEY), named(OTHER)


@pytest.fixture
async def console(js, nats_url, tmp_path):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere, users=users_in(tmp_path)) as found:
        yield found


class Executor:
    """What an executor with these sealing keys answers."""

    def __init__(self, bus, *keys, shard=0, shards=1):
        held = tuple(sealing_key(bytearray(encoded(key).encode())) for key in keys)
        self.accounts = Accounts(
            keys=SealingKeys(held),
            make_exchange=lambda _account, _secret: (FakeExchange(), SilentFeed()),
            on_change=lambda: None,
            timing=Timing(),
        )
        self.answering = Answering(bus, self.accounts, shard=shard, shards=shards)

    def start(self, bus, group):
        followed = (self.accounts.settings, self.accounts.secrets)
        tasks = [bucket.follow(bus) for bucket in followed]
        return [group.create_task(each) for each in (*tasks, self.answering.follow())]


@pytest.fixture
async def executors(nats_url):
    """Starts executors by the keys that they have."""
    client = ExpressClient()
    await client.connect(nats_url, reconnect_time_wait=0.05, max_reconnect_attempts=-1)
    bus = Bus(client=client, service="executor")
    await bus.open()
    async with asyncio.TaskGroup() as group:
        tasks = []

        async def start(*keys, **shard):
            found = Executor(bus, *keys, **shard)
            tasks.extend(found.start(bus, group))
            await found.accounts.settings.complete.wait()
            await found.accounts.secrets.complete.wait()
            await client.flush()
            return found

        yield start
        await cancelled(tasks)
    await client.close()


async def enter(console, name="main", **changes):
    status, answer = await console.call("POST", "/api/accounts", {"id": name, **ACCOUNT, **changes})
    assert status == 201, answer


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def seal_for_old(console, executor, name="main"):
    """What stood there before the rotation."""
    public = base64.b64encode(bytes(OTHER.public_key)).decode()
    box = seal(public_key=public, secret=Secret("s3cret-of-main"))
    bucket = await console.bus.js.key_value(subjects.BUCKET_SECRETS)
    await bucket.put(name, box)
    await until(lambda: executor.accounts.secrets.get(name) == box)


async def test_what_was_sealed_for_the_old_key_is_sealed_for_the_new_one(console, executors):
    executor = await executors(PRIVATE_KEY, OTHER)
    await enter(console)
    await seal_for_old(console, executor)
    status, told = await console.call("GET", "/api/sealing")
    assert status == 200
    assert told["console_key"] == NEW
    assert told["executors"][0]["keys"] == [NEW, OLD]
    assert told["accounts"] == [{"account": "main", "state": "sealed", "key": OLD, "why": ""}]
    assert told["unheard_shards"] == []

    status, done = await console.call("POST", "/api/sealing/reseal")
    assert (status, done) == (200, {"console_key": NEW, "resealed": ["main"], "left": []})
    box = await console.stored("secrets", "main")
    opened = unseal(private_key=Secret(encoded(PRIVATE_KEY)), sealed=box)
    assert opened == Secret("s3cret-of-main")
    await until(lambda: executor.accounts.secrets.get("main") == box)
    status, done = await console.call("POST", "/api/sealing/reseal")
    assert done["resealed"] == []
    assert await console.stored("secrets", "main") == box


async def test_a_key_that_was_entered_meanwhile_stays(console, executors, monkeypatch):
    executor = await executors(PRIVATE_KEY, OTHER)
    await enter(console)
    await seal_for_old(console, executor)
    ask = Sealings.resealed

    async def and_enter(self, account):
        answered = await ask(self, account)
        await console.call("PATCH", "/api/accounts/main", {"secret_key": "entered-meanwhile"})
        return answered

    monkeypatch.setattr(Sealings, "resealed", and_enter)
    _, done = await console.call("POST", "/api/sealing/reseal")
    assert done["resealed"] == []
    assert "entered anew meanwhile" in done["left"][0]["why"]
    box = await console.stored("secrets", "main")
    assert unseal(private_key=Secret(encoded(PRIVATE_KEY)), sealed=box).reveal() == (
        "entered-meanwhile"
    )


async def test_nothing_is_sealed_for_a_key_that_an_executor_lacks(console, executors):
    """Else what trades now could not be opened by whoever takes over."""
    await executors(PRIVATE_KEY, OTHER)
    await executors(OTHER)
    await enter(console)
    status, answer = await console.call("POST", "/api/sealing/reseal")
    assert status == 409
    assert f"Sealing key {NEW}" in answer["detail"]


async def test_without_an_executor_nothing_is_claimed(console):
    await enter(console)
    _, told = await console.call("GET", "/api/sealing")
    assert (told["executors"], told["accounts"], told["unheard_shards"]) == ([], [], [0])
    assert (await console.call("POST", "/api/sealing/reseal"))[0] == 503


async def test_who_cannot_open_a_secret_says_so(console, executors):
    """And a shard that nobody answers for is named."""
    executor = await executors(OTHER, shard=0, shards=2)
    name = next(
        f"main-{number}"
        for number in range(50)
        if subjects.shard_of(f"main-{number}", shards=2) == 0
    )
    await enter(console, name)
    await until(lambda: executor.accounts.secrets.get(name) is not None)
    _, told = await console.call("GET", "/api/sealing")
    (account,) = told["accounts"]
    assert (account["state"], account["key"]) == ("unusable", "")
    assert "another key" in account["why"]
    assert told["unheard_shards"] == [1]


async def test_an_account_with_a_mounted_key_has_none_here(console, executors):
    with_key = {"secret_source": "mounted"}
    status, answer = await console.call(
        "POST", "/api/accounts", {"id": "both", **ACCOUNT, **with_key}
    )
    assert (status, answer["field"]) == (422, "secret_source")
    await enter(console, secret_key=None, secret_source="mounted")
    await enter(console, "sealed")
    executor = await executors(PRIVATE_KEY)
    status, shown = await console.call("PATCH", "/api/accounts/sealed", with_key)
    assert (status, shown["secret_source"]) == (200, "mounted")
    await until(lambda: executor.accounts.secrets.get("sealed") is None)
    status, answer = await console.call(
        "PATCH", "/api/accounts/sealed", {"secret_source": "sealed"}
    )
    assert (status, answer["field"]) == (422, "secret_key")
    back = {"secret_source": "sealed", "secret_key": "typed-again"}
    assert (await console.call("PATCH", "/api/accounts/sealed", back))[0] == 200
    await until(lambda: executor.accounts.secrets.get("sealed") is not None)
    _, told = await console.call("GET", "/api/sealing")
    states = {one["account"]: one["state"] for one in told["accounts"]}
    assert states == {"main": "unusable", "sealed": "sealed"}


async def test_the_pages_tell_of_a_mounted_key_and_take_none(console):
    """No page says that a key is missing, or sealed, which is a file at the executor."""
    await enter(console, secret_key=None, secret_source="mounted")
    async with visiting(console.url) as operator:
        assert "Secret key mounted at the executor" in (await operator.get("/accounts/main")).text
        form = await operator.get("/accounts/main/edit")
        assert "a file that is mounted at the executor" in form.text
        fields = {
            "revision": re.search(r'name="revision" value="(\d+)"', form.html)[1],
            "base_url": ACCOUNT["base_url"],
            "ws_url": ACCOUNT["ws_url"],
            "position_mode": "one_way",
            "order_calls_per_2s": "4",
        }
        refused = await operator.post("/accounts/main", {**fields, "secret_key": "typed"})
        assert refused.status == 422
        assert "is mounted at the executor: change the file there" in refused.text
        assert (await operator.post("/accounts/main", fields)).status == 303
    shown = (await console.call("GET", "/api/accounts/main"))[1]
    assert (shown["secret_source"], shown["position_mode"]) == ("mounted", "one_way")

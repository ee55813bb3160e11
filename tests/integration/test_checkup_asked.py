"""A checkup asked for by hand: from the console's API over real NATS to the executor that owns the
account, to the paper exchange and back.
"""

import asyncio
import contextlib

import pytest
from nacl.encoding import Base64Encoder
from prometheus_client import REGISTRY

from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.clock import SystemClock
from libs.common.contracts import codec
from libs.common.express import ExpressClient
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.executor.accounts import Accounts
from services.executor.checkup.addresses import UNSEEN
from services.executor.checkup.checker import Checker
from services.executor.checkup.checkups import Checkups
from services.executor.mexc.connecting import connect_account
from services.executor.route_terms import RouteTerms
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Timing
from tests.console_server import PRIVATE_KEY, running
from tests.paper_client import PaperClient
from tests.paper_server import address_fixture  # noqa: F401 - a fixture
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

CHECK = "/api/accounts/main/check"
LINES = ["egress", "exchange", "clock", "access_key", "linked_ip", "secret_key"]


class Impatient(SystemClock):
    """Between pings and questions there is no wait; a look is a moment."""

    async def sleep(self, seconds):
        await asyncio.sleep(min(seconds, 0.02))


@pytest.fixture
async def console(js, nats_url):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere, checkup_s=5) as found:
        yield found


@pytest.fixture
async def main(console, address):
    """An account that the console has sealed the key of."""
    async with PaperClient(address) as anyone:
        keys = await anyone.control("POST", "accounts", {"ip_whitelist": ["127.0.0.1"]})
    account = {"id": "main", "base_url": address, "ws_url": f"{address}/edge".replace("http", "ws")}
    assert (await console.call("POST", "/api/accounts", {**account, **keys}))[0] == 201
    return keys


@contextlib.asynccontextmanager
async def executor(nats_url, *, owns=True):
    """What of an executor answers checkups."""
    client = ExpressClient()
    await client.connect(nats_url)
    bus = Bus(client=client, service="executor")
    await bus.open()
    accounts = Accounts(
        keys=SealingKeys.of(Secret(PRIVATE_KEY.encode(Base64Encoder).decode())),
        make_exchange=connect_account,
        on_change=lambda: None,
        timing=Timing(),
    )
    terms, clock = RouteTerms(), Impatient()
    checker = Checker(
        bus=bus,
        accounts=accounts,
        terms=terms,
        own=UNSEEN,
        is_stopped=lambda _account: False,
        clock=clock,
    )
    checkups = Checkups(
        bus=bus,
        accounts=accounts,
        checker=checker,
        shard_of=lambda _account: 0 if owns else None,
        every_s=0,
        clock=clock,
    )
    followed = (accounts.settings, accounts.secrets, terms.routes)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.follow(bus)) for one in followed]
            for one in followed:
                await one.complete.wait()
            tasks.append(group.create_task(checkups.follow()))
            await client.flush()
            yield checkups
            await cancelled(tasks)
    finally:
        await accounts.close()
        await client.close()


async def test_it_is_answered_kept_and_found_again(console, main, nats_url):
    async with executor(nats_url):
        status, answer = await console.call("POST", CHECK)
        assert status == 200, answer
        assert (answer["account"], answer["reason"]) == ("main", "asked")
        assert [one["line"] for one in answer["findings"]][:6] == LINES
        worse = {one["line"]: one["state"] for one in answer["findings"] if one["state"] != "ok"}
        assert worse == {"permissions": "warning"}, "it has all there are"
        assert answer["state"] == "warning"
        assert answer["at"].endswith("Z")
        assert "calls" not in answer
        assert main["secret_key"] not in str(answer)
        assert main["access_key"] not in str(answer)
        async with asyncio.timeout(5):
            while (found := await console.call("GET", CHECK))[0] == 404:
                await asyncio.sleep(0.02)
        assert found == (200, answer)
        labels = {"account": "main", "state": "warning"}
        assert REGISTRY.get_sample_value("alertwire_checkup_state", labels) == 1
    assert REGISTRY.get_sample_value("alertwire_checkup_state", labels) is None


async def test_the_log_has_its_calls_and_no_secret(console, main, nats_url):
    async with executor(nats_url):
        await console.call("POST", CHECK)
    raw = await console.bus.js.get_last_msg("PIPELINE", "account.checked.main")
    checked = codec.decode(raw.data)
    assert len(checked.calls) >= 5
    for secret in (main["secret_key"], main["access_key"], "signature"):
        assert secret.encode() not in raw.data


async def test_two_who_ask_at_once_are_both_answered(console, main, nats_url):
    async with executor(nats_url):
        answers = await asyncio.gather(*(console.call("POST", CHECK) for _ in range(3)))
    assert [status for status, _ in answers] == [200, 200, 200]


async def test_an_unknown_account_is_a_404(console):
    for method in ("POST", "GET"):
        assert (await console.call(method, "/api/accounts/nobody/check"))[0] == 404
    status, _ = await console.call("POST", CHECK, Authorization="Bearer wrong")
    assert status == 401


async def test_an_account_that_was_never_checked_has_no_latest(console, main):
    status, problem = await console.call("GET", CHECK)
    assert (status, problem["detail"]) == (404, "Account `main` was not checked yet.")


async def test_without_an_executor_it_is_said(console, main):
    status, problem = await console.call("POST", CHECK)
    assert (status, "nobody listens" in problem["detail"]) == (503, True)


async def test_another_shards_executor_does_not_answer(js, nats_url, main, console):
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with executor(nats_url, owns=False), running(nats_url, nowhere, checkup_s=0.2) as other:
        status, problem = await other.call("POST", CHECK)
    assert (status, "No executor has answered" in problem["detail"]) == (503, True)


async def test_an_account_that_the_executor_does_not_see_yet_is_said(console, main, nats_url):
    async with executor(nats_url) as checkups:
        checkups._accounts.settings._copy.values.clear()
        status, problem = await console.call("POST", CHECK)
    assert (status, "does not know account `main` yet" in problem["detail"]) == (503, True)

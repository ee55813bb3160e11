"""Services as processes of their own on a cluster of NATS servers, each with its key, and somebody
who sends alerts to them as TradingView does, only sooner again.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from nacl.encoding import Base64Encoder
from nacl.public import PrivateKey

from libs.common.contracts import subjects
from libs.common.contracts.route import Account
from libs.common.permissions import User
from libs.common.sealing import seal
from libs.common.secret import Secret
from tests.e2e.running_stack import ROOT
from tests.e2e.second_process import page
from tests.integration.ingest_stand import make_route
from tests.nats_cluster import NatsCluster
from tests.paper_client import PaperClient
from tools.cli.log_reaching import log_at
from tools.devstack.ports import free_port

TOKEN = "t0ken-of-a-test"
READY_S = 60
PRICES = {"BTC_USDT": "50000", "ETH_USDT": "3000", "SOL_USDT": "100", "XRP_USDT": "1"}
TICKERS = ("BTCUSDT.P", "ETHUSDT.P", "SOLUSDT.P", "XRPUSDT.P")


@dataclass(kw_only=True)
class Sent:
    """What became of the alerts."""

    accepted: dict[str, str] = field(default_factory=dict)
    """By the sender's own id the id that was answered."""
    accepted_at: list[tuple[float, float]] = field(default_factory=list)
    """When each was sent, and answered."""
    resent: int = 0
    slowest_s: float = 0.0


@contextlib.asynccontextmanager
async def service(
    cluster: NatsCluster, name: User, directory: Path, **more: object
) -> AsyncIterator[int]:
    """The port of a service that is ready."""
    port, health_port = free_port(), free_port()
    settings = {"HEALTH_PORT": health_port, **({"PORT": port} if name is User.INGEST else {})}
    own = {f"ALERTWIRE_{key}": str(value) for key, value in (settings | more).items()}
    environ = {"PATH": os.environ["PATH"], **cluster.environment(name), **own}
    with (directory / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"services.{name}"],
            cwd=ROOT,
            env=environ,
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(READY_S):
            while (await page(f"http://127.0.0.1:{health_port}/health/ready"))[0] != 200:
                assert process.poll() is None, (directory / f"{name}.log").read_text()[-3000:]
                await asyncio.sleep(0.1)
        yield port
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 15)


async def set_up_trading(cluster: NatsCluster, paper: str, directory: Path) -> None:
    """A route and an account at a paper exchange, put where the console puts them."""
    key = PrivateKey.generate()
    (directory / "sealing.key").write_text(key.encode(Base64Encoder).decode())
    async with PaperClient(paper) as anyone:
        keys = await anyone.control("POST", "accounts", {"balance": "100000000"})
        await anyone.control("PUT", "limits", {"order_create_per_2s": None})
        for symbol, last in PRICES.items():
            await anyone.control("PUT", f"prices/{symbol}", {"last": last})
    account = Account(
        id="paper",
        base_url=paper,
        ws_url=f"{paper.replace('http', 'ws', 1)}/edge",
        access_key=keys["access_key"],
        order_calls_per_2s=10_000,
    )
    public = key.public_key.encode(Base64Encoder).decode()
    route = make_route({"max_age_s": 300, "duplicate_window_s": 300}, token=TOKEN)
    documents = {
        subjects.BUCKET_ROUTES: (route.id, msgspec.json.encode(route)),
        subjects.BUCKET_ACCOUNTS: ("paper", msgspec.json.encode(account)),
        subjects.BUCKET_SECRETS: (
            "paper",
            seal(public_key=public, secret=Secret(keys["secret_key"])),
        ),
    }
    async with log_at(cluster.access(User.CONSOLE), user=User.CONSOLE) as js:
        for bucket, (name, value) in documents.items():
            await js.publish(subjects.bucket_subject(bucket=bucket, key=name), value)


async def send_steadily(port: int, *, first: int = 0, count: int, per_s: float, sent: Sent) -> None:
    """Each until it is accepted; the sender's own ids go up from `first`."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout) as http,
        asyncio.TaskGroup() as group,
    ):
        for number in range(first, first + count):
            group.create_task(_send(http, number, sent))
            await asyncio.sleep(1 / per_s)


async def _send(http: aiohttp.ClientSession, number: int, sent: Sent) -> None:
    body: dict[str, Any] = {
        "platform_name": "mexc",
        "ticker": TICKERS[number % len(TICKERS)],
        "order_contracts": "0.01" if number % len(TICKERS) < 2 else "1",
        "order_action": "buy",
        "alert_id": f"n{number}",
    }
    async with asyncio.timeout(60):
        while True:
            began = time.monotonic()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.post(f"/hook/{TOKEN}", json=body) as reply:
                    answer = await reply.json(content_type=None)
                    now = time.monotonic()
                    sent.slowest_s = max(sent.slowest_s, now - began)
                    assert reply.status in {200, 503}, answer
                    if reply.status == 200:
                        sent.accepted[f"n{number}"] = answer["alert_id"]
                        sent.accepted_at.append((began, now))
                        return
            sent.resent += 1
            await asyncio.sleep(0.25)

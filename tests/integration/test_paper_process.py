"""The paper exchange as a process: started, stopped, killed, and what it remembers."""

import asyncio
import os
import signal
import socket
import sys
import time

import aiohttp
import pytest

from tests.paper_client import PaperClient
from tests.paper_server import EXTERNAL, PRIVATE, fault, held, signed_up
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue


class Process:
    """The paper exchange as a process of its own."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder = folder

    async def start(self):
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ALERTWIRE_")}
        environ |= {
            "ALERTWIRE_PORT": str(self.port),
            "ALERTWIRE_STATE_DIR": str(self._folder),
            "ALERTWIRE_LOG_LEVEL": "error",
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tools.paper_exchange", env=environ
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    async def stop(self, number=signal.SIGTERM):
        before = time.monotonic()
        self._process.send_signal(number)
        code = await self._process.wait()
        return code, time.monotonic() - before


async def test_the_books_survive_a_kill_and_a_stop(tmp_path):
    process = Process(tmp_path)
    await process.start()
    async with await signed_up(process.address) as client:
        await client.control("PUT", "prices/BTC_USDT", {"last": "50000"})
        first = (await client.order(externalOid="one"))["data"]["orderId"]
        await client.order(type=1, price=49000, externalOid="two", stopLossPrice="40000.5")
        before = [await client.get(EXTERNAL + oid) for oid in ("one", "two")]
        assets = await client.get(PRIVATE + "account/assets")
        for number in (signal.SIGKILL, signal.SIGTERM):
            code, took = await process.stop(number)
            assert number == signal.SIGKILL or (code == 0 and took < 2)
            await process.start()
            assert [await client.get(EXTERNAL + oid) for oid in ("one", "two")] == before
            assert await client.get(PRIVATE + "account/assets") == assets
        assert (await client.order(externalOid="one"))["code"] == 2042
        assert int((await client.order())["data"]["orderId"]) > int(first)
        await client.control("PUT", "prices/BTC_USDT", {"last": "49000"})
        assert await held(client) == 30
        await fault(client, "hang")
        hanging = asyncio.ensure_future(client.order())
        await asyncio.sleep(0.2)
        code, took = await process.stop()
        assert (code, took < 2) == (0, True)
        with pytest.raises(aiohttp.ClientError):
            await hanging
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "snapshot.json").stat().st_mode & 0o777 == 0o600


async def refused_with(folder, **environ):
    """What a paper exchange says that ends with 2 before it serves."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.paper_exchange"),
        env={"ALERTWIRE_STATE_DIR": str(folder)} | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 2, output
    assert b"Traceback" not in output
    return output.decode()


async def test_one_process_alone_keeps_the_books_of_a_folder(tmp_path):
    process = Process(tmp_path)
    await process.start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = str(taken.getsockname()[1] - 1)
    assert "in use by another process" in await refused_with(tmp_path, ALERTWIRE_PORT=free)
    await process.stop()


async def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"cannot listen on 127.0.0.1 port {port}" in await refused_with(
            tmp_path, ALERTWIRE_PORT=port
        )


async def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    said = await refused_with(tmp_path / "file", ALERTWIRE_PORT="1")
    assert "cannot be used: " in said


async def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path):
    async with serving(Venue(load_catalogue(), state_dir=tmp_path)) as address:
        async with await signed_up(address) as client:
            assert (await client.order(externalOid="one"))["code"] == 0
            keys = client._access_key, client._secret_key
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"sequence":9,"command":{"comm')
    for _ in range(2):
        async with serving(Venue(load_catalogue(), state_dir=tmp_path)) as address:
            async with PaperClient(address, *keys) as client:
                assert (await client.get(EXTERNAL + "one"))["data"]["state"] == 3


async def test_lines_that_the_snapshot_already_holds_are_passed_over(tmp_path):
    """A crash may come after the snapshot and before the journal is emptied."""
    journal = tmp_path / "journal.jsonl"
    venue = Venue(load_catalogue(), state_dir=tmp_path)
    async with serving(venue) as address, await signed_up(address) as client:
        await client.order(externalOid="one")
        keys = client._access_key, client._secret_key
        lines = journal.read_bytes()
    Venue(load_catalogue(), state_dir=tmp_path).close()
    assert journal.read_bytes() == b""
    journal.write_bytes(lines)
    venue = Venue(load_catalogue(), state_dir=tmp_path)
    async with serving(venue) as address, PaperClient(address, *keys) as client:
        assert await held(client) == 10

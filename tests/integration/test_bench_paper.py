"""The measurement of the paper exchange runs, and tells when orders went missing."""

import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from bench.errors import BenchError
from bench.paper_load import Account, compare
from tests.paper_server import address_fixture  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parents[2]


def test_it_measures_and_finds_each_order_once():
    done = subprocess.run(
        [sys.executable, "-m", "bench.paper", "--seconds", "0.3", "--accounts", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    figures = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines()[2:])
    assert int(figures["orders"].replace(",", "")) > 10
    assert float(figures["processor ms per order"]) > 0


async def test_an_order_that_went_missing_is_told(address):
    async with aiohttp.ClientSession(address) as session:
        async with session.post("/_paper/accounts", json={}) as answer:
            keys = await answer.json()
        secret = keys["secret_key"].encode()
        account = Account(access_key=keys["access_key"], secret_key=secret, sent=1)
        with pytest.raises(BenchError, match="holds 0 after 1 orders"):
            await compare(session, [account], host=address.removeprefix("http://"))

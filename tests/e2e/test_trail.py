"""The trail of the whole stack: its chains fit while it runs."""

import asyncio
import json

import pytest

from tests.e2e.running_stack import GUIDE, RunningStack, Trader

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_the_trail_of_a_running_stack_fits(stack: RunningStack, trader: Trader) -> None:
    await trader.execute(**GUIDE)
    done = await asyncio.to_thread(stack.cli, "audit", "verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert (document["fits"], document["anchored"]) == (True, True)
    streams = {one["stream"]: one for one in document["streams"]}
    assert streams["PIPELINE"]["rows"] >= 6
    assert streams["PIPELINE"]["degraded"] == 0

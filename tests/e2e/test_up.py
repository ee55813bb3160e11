"""`alertwire up`: starts from nothing, stops without a trace, and finds its data again."""

import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from tests.e2e.running_stack import RunningStack, Trader

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

STOP_MAX_S = 10


@pytest.fixture
def own_stack():
    home = Path(tempfile.mkdtemp(prefix="alertwire-up-"))
    home.chmod(0o755)
    try:
        stack = RunningStack(home / "state")
        yield stack
    finally:
        stack.stop_if_running()
        shutil.rmtree(home)


def alive(pids):
    return [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()]


async def test_stop_leaves_no_process_and_a_second_start_finds_its_data(own_stack):
    own_stack.start()
    first = own_stack.description
    assert (own_stack.directory / "stack.json").stat().st_mode & 0o777 == 0o600
    trader = Trader(own_stack)
    journey = await trader.execute()
    assert journey["status"] == "executed"
    await trader.close()

    again = own_stack.cli("up", "--port-base", str(own_stack.port_base))
    assert again.returncode == 1, "one folder, one stack"
    assert "another `alertwire up` runs" in again.stdout

    began = time.monotonic()
    assert own_stack.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < STOP_MAX_S
    assert alive(first["processes"]) == []

    own_stack.start()
    second = own_stack.description
    assert second["demo"] == first["demo"], "the webhook that was pasted somewhere still works"
    trader = Trader(own_stack)
    assert await trader.holdings() == {"long": 10}
    assert (await trader.ended(journey["alert_id"]))["events"] == journey["events"]
    await trader.flat()
    await trader.close()
    assert own_stack.stop() == 0
    assert alive(second["processes"]) == []

"""The sealing key is rotated, and a secret key mounted, under a stack that trades all the while."""

import asyncio
import time
from typing import Any

import pytest

from tests.e2e.own_routes import OwnRoutes
from tests.e2e.running_stack import RunningStack, Trader

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PATIENCE_S = 20


async def command(stack: RunningStack, *arguments: str, succeeds: bool = True) -> str:
    done = await asyncio.to_thread(stack.cli, "ops", "sealing-key", *arguments)
    assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr


async def status(trader: Trader) -> dict[str, Any]:
    found: dict[str, Any] = (await trader.api("GET", "/api/sealing"))[1]
    return found


def connections(stack: RunningStack) -> int:
    log = (stack.directory / "logs" / "executor.log").read_text()
    return log.count('"account":"paper","base_url"')


async def follow(trader: Trader, keys: int) -> dict[str, Any]:
    """The status once the executor has read its file again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await status(trader)
            if len(found["executors"][0]["keys"]) == keys:
                return found


async def rotate(stack: RunningStack, trader: Trader) -> tuple[str, str]:
    """As docs/credentials.md has it; the ids of the old key and of the new one."""
    file, public = stack.directory / "sealing.key", stack.directory / "sealing.pub"
    old = (await status(trader))["console_key"]
    await command(stack, "rotate", str(file))
    new = (await follow(trader, keys=2))["executors"][0]["keys"][0]
    public.write_text(await command(stack, "public", str(file)))
    refused = await command(stack, "retire", str(file), succeeds=False)
    assert f"account paper is sealed for {old}" in refused
    assert f"paper: sealed for {new}" in await command(stack, "reseal")
    async with asyncio.timeout(PATIENCE_S):
        while [one["key"] for one in (await status(trader))["accounts"]] != [new]:
            await asyncio.sleep(0.05)
    assert f"{old} opens nothing that an account needs" in await command(stack, "status")
    await command(stack, "retire", str(file))
    assert (await follow(trader, keys=1))["executors"][0]["keys"] == [new]
    return old, new


async def test_a_rotation_stops_no_trading(stack: RunningStack, trader: Trader) -> None:
    """Before, during and after, each alert makes one order, by the same connection; and a process
    that begins afterwards can open everything with the new key alone.
    """
    sent: list[str] = []
    done = asyncio.Event()

    async def keep_trading() -> None:
        while not done.is_set():
            sent.append(await trader.send())
            await asyncio.sleep(0.2)

    before, connected = len(await trader.orders_received()), connections(stack)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_trading())
        try:
            old, new = await rotate(stack, trader)
        finally:
            done.set()
    assert old != new
    ends = [(await trader.ended(alert))["status"] for alert in sent]
    assert ends == ["executed"] * len(sent)
    assert len(sent) >= 5
    assert len(await trader.orders_received()) == before + len(sent)
    assert connections(stack) == connected, "nothing was connected anew"
    changed = (await trader.api("GET", "/api/changes?kind=secret&id=paper"))[1]["changes"]
    assert changed[0]["how"] == "changed"

    stack.kill("executor")
    assert (await trader.execute())["status"] == "executed"
    await trader.flat()


async def test_a_mounted_secret_key_trades_and_is_followed(
    stack: RunningStack, trader: Trader, routes: OwnRoutes
) -> None:
    name = f"mounted-{time.time_ns()}"
    file = stack.directory / "mounted" / name
    paper = await routes.account(name)
    for first in ("wrong-key-of-somebody-else", paper.secret_key):
        file.write_text(first + "\n")
        change = {"secret_source": "mounted"}
        code, answer = await trader.api("PATCH", f"/api/accounts/{name}", change)
        assert code == 200, answer
        assert answer["secret_source"] == "mounted"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                checked = (await trader.api("POST", f"/api/accounts/{name}/check"))[1]
                found = {one["line"]: one for one in checked.get("findings", [])}.get("secret_key")
                if found and (found["state"] == "ok") is (first == paper.secret_key):
                    break
    assert "it is mounted" in found["evidence"]
    held = {one["account"]: one["state"] for one in (await status(trader))["accounts"]}
    assert (held["paper"], held[name]) == ("sealed", "mounted")
    key = {"secret_key": "typed"}
    code, answer = await trader.api("PATCH", f"/api/accounts/{name}", key)
    assert (code, answer["field"]) == (422, "secret_source")
    route = await routes.make(accounts=[{"account": name}])
    assert (await route.execute(order_action="buy", order_contracts="0.001"))[
        "status"
    ] == "executed"
    await paper.close()
    file.unlink()

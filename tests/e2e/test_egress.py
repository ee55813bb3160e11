"""Under which address we are seen: an executor under a wrong one works not at all, and an account
whose key is linked to others stops alone.
"""

import asyncio
import contextlib
import os
import signal

import pytest

from tests.e2e.second_process import SecondProcess, page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HERE, ELSEWHERE, NOWHERE = "127.0.0.1", "203.0.113.9", "198.51.100.77"
LOOK_S = 1.5


async def seen_as(trader, address):
    await trader.paper.control("PUT", "address", {"seen": address})


@pytest.fixture
async def seen(trader):
    yield
    await seen_as(trader, None)


async def until(condition, *, within_s=30):
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.05)


@contextlib.contextmanager
def held(pid):
    """So that there is one executor alone, as the supervisor would start another."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def stages(journey):
    return [event["stage"] for event in journey["events"]]


@pytest.mark.usefixtures("seen")
async def test_an_executor_under_a_wrong_address_pulls_nothing_until_it_is_right(trader, stack):
    await seen_as(trader, ELSEWHERE)
    only = SecondProcess(stack, "executor", expected_addresses=HERE, egress_check_s="1")
    only.start()
    try:
        # Until it was told its address the first time, that is what is missing.
        await until(lambda: misses(only, "egress", because=ELSEWHERE))
        await seen_as(trader, HERE)
        await only.until_ready()
        with held(stack.description["processes"]["executor"]):
            await until(only.owns)
            await seen_as(trader, ELSEWHERE)
            await until(lambda: misses(only, "egress"))
            await until(lambda: leaves(only))
            before = len(await trader.orders_received())
            alert = await trader.send(order_contracts="0.0017")
            await trader.journey(alert, lambda found: "intent.accepted" in stages(found))
            await asyncio.sleep(LOOK_S)
            _, journey = await trader.api("GET", f"/api/alerts/{alert}")
            assert (journey["status"], stages(journey)[-1]) == ("pending", "intent.accepted")
            assert len(await trader.orders_received()) == before
            await seen_as(trader, HERE)
            assert (await trader.ended(alert))["status"] == "executed"
            await only.until_ready()
    finally:
        only.end(signal.SIGTERM)


async def leaves(process):
    return not await process.owns()


async def misses(process, name, *, because=""):
    missing = await process.missing() or {}
    return name in missing and because in missing[name]


@pytest.mark.usefixtures("seen")
async def test_an_account_whose_key_is_linked_to_another_address_stops_alone(trader, routes, stack):
    await (await routes.account("linked", ip_whitelist=[HERE])).close()
    route = await routes.make(accounts=[{"account": "linked"}])
    entry = {"order_action": "buy", "order_contracts": "0.001"}
    assert (await route.execute(**entry))["status"] == "executed"
    await seen_as(trader, ELSEWHERE)
    rejected = await route.execute(**entry)
    assert rejected["status"] == "rejected", rejected
    assert rejected["events"][-1]["data"]["code"] == 406
    denied = await route.execute(**entry)
    assert (denied["status"], denied["reason"]) == ("denied", "address_not_linked"), denied
    assert (await trader.execute())["status"] == "executed", "another account trades on"
    await seen_as(trader, None)
    change = {"order_calls_per_2s": 999}
    status, answer = await trader.api("PATCH", "/api/accounts/linked", change)
    assert status == 200, answer
    await until(lambda: is_not_stopped(stack, "linked"), within_s=5)
    assert (await route.execute(**entry))["status"] == "executed"


async def test_an_executor_that_no_account_expects_here_pulls_nothing(trader, routes, stack):
    """Where one account expects it, another that does not is held back alone."""
    health = stack.description["health"]["executor"]

    async def stands_back():
        _, ready = await page(f"{health}/health/ready")
        _, shown = await page(f"{health}/metrics")
        return "egress" in ready and 'alertwire_owner{service="executor"} 0.0' in shown

    async def is_ready():
        status, _ = await page(f"{health}/health/ready")
        return status == 200

    await (await routes.account("elsewhere", known={"expected_addresses": [NOWHERE]})).close()
    await until(stands_back)
    alert = await trader.send(order_contracts="0.0018")
    await trader.journey(alert, lambda found: "intent.accepted" in stages(found))
    await asyncio.sleep(LOOK_S)
    _, journey = await trader.api("GET", f"/api/alerts/{alert}")
    assert (journey["status"], stages(journey)[-1]) == ("pending", "intent.accepted")
    # It may not have noticed yet that the feigned address of a test before is gone.
    both = {"expected_addresses": [HERE, ELSEWHERE]}
    await (await routes.account("here", known=both)).close()
    assert (await trader.ended(alert))["status"] == "executed"
    await until(is_ready)
    route = await routes.make(accounts=[{"account": "elsewhere"}])
    denied = await route.execute(order_action="buy", order_contracts="0.001")
    assert (denied["status"], denied["reason"]) == ("denied", "address_unexpected"), denied
    (line,) = (one for one in denied["diagnosis"] if one["check"] == "linked_ip")
    assert line["state"] == "wrong", line


async def is_not_stopped(stack, account):
    _, text = await page(f"{stack.description['health']['executor']}/metrics")
    return f'alertwire_account_stopped{{account="{account}"}} 0.0' in text


@pytest.mark.usefixtures("seen")
async def test_a_refused_address_is_looked_into_and_told(trader, routes, stack):
    """By the alert's own call, or by whatever asks first."""
    await (await routes.account("looked", ip_whitelist=[HERE])).close()
    route = await routes.make(accounts=[{"account": "looked"}])
    entry = {"order_action": "buy", "order_contracts": "0.001"}
    assert (await route.execute(**entry))["status"] == "executed"
    await seen_as(trader, ELSEWHERE)
    assert (await route.execute(**entry))["status"] in {"rejected", "denied"}
    found = {}

    async def told():
        _, found["checkup"] = await trader.api("GET", "/api/accounts/looked/check")
        return found["checkup"].get("reason") == "refused"

    await until(told)
    checkup = found["checkup"]
    assert checkup["stopped"]
    (line,) = (one for one in checkup["findings"] if one["line"] == "linked_ip")
    assert (line["state"], f"add {ELSEWHERE} to the key" in line["mend"]) == ("wrong", True), line
    assert stack.cli("doctor", "looked").returncode == 1

"""The examples of docs/paper-exchange.md are taken by the server."""

import json
import re
from pathlib import Path

import aiohttp
import pytest

from tests.paper_server import address_fixture, client_fixture  # noqa: F401 - fixtures

PAGE = (Path(__file__).parents[2] / "docs" / "paper-exchange.md").read_text()
CONTROL = PAGE.split("## Control\n")[1].split("\n## ")[0]


def parsed(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def examples():
    for row in CONTROL.splitlines():
        cells = row.strip("| ").split(" | ", 1)
        calls = re.findall(r"`((?:PUT|POST) [^`]+)`", cells[0])
        for text in re.findall(r"`(\{[^`]*\})`", cells[-1]):
            if calls and isinstance(parsed(text), dict):
                yield pytest.param(calls, text, id=f"{calls[0]} {text}")


@pytest.mark.parametrize(("calls", "text"), list(examples()))
async def test_an_example_is_taken(client, calls, text):
    """By one of the calls that its row names."""
    answers = []
    for call in calls:
        method, path = call.split()
        key = client.keys[0]
        path = path.replace("{symbol}", "BTC_USDT").replace("{access_key}", key)
        answers.append(await client.try_control(method, path, json.loads(text)))
    assert 200 in [status for status, _ in answers], answers


def test_there_are_examples():
    assert len(list(examples())) > 12


async def test_the_fault_that_is_shown_befalls_the_next_order(client):
    body = json.loads(re.search(r"-d '(\[.*?\])'", CONTROL)[1])
    await client.control("PUT", "faults", body)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.order()
    assert len((await client.get("/api/v1/private/position/open_positions"))["data"]) == 1

"""What is sent: alerts, times, and what the driver makes of answers."""

import asyncio
import json
from itertools import islice

import aiohttp
import pytest
from aiohttp import web

from bench.alerts import due_times, shots
from bench.loading import Driver
from bench.options import parse


def test_each_address_gets_buy_and_sell_in_turn_with_ids_of_its_own():
    sent = list(islice(shots(["a", "b"], run="r"), 6))
    assert [shot.url for shot in sent] == ["a", "b"] * 3
    bodies = [json.loads(shot.body) for shot in sent]
    actions = [body["order_action"] for body in bodies]
    assert actions == ["buy", "buy", "sell", "sell", "buy", "buy"]
    assert len({body["alert_id"] for body in bodies}) == 6
    assert bodies[0]["order_contracts"] == 0.001


def test_alerts_are_evenly_spaced():
    assert due_times(rate=4, seconds=1) == [0, 0.25, 0.5, 0.75]
    assert due_times(rate=0.1, seconds=1) == [0]


@pytest.fixture
async def answering():
    """A server whose answers the test chooses, as a driver sends to it."""
    answers: list[tuple[int, dict[str, str]]] = []
    seen = 0

    async def handle(request: web.BaseRequest) -> web.Response:
        nonlocal seen
        status, body = answers[seen % len(answers)]
        seen += 1
        return web.json_response({"alert_id": f"alert-{seen}", **body}, status=status)

    server = await asyncio.get_running_loop().create_server(web.Server(handle), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}/hook/x"
        yield answers, Driver(session=session, shots=shots([url], run="r"))
    server.close()


async def test_only_accepted_alerts_await_an_order(answering):
    answers, driver = answering
    answers += [(200, {"status": "accepted"}), (200, {"status": "duplicate"}), (503, {})]
    load = await driver.one_by_one(6)
    assert load.sent == 6
    assert set(load.sent_ns) == {"alert-1", "alert-4"}
    assert load.refused == {"duplicate": 2, "503": 2}
    assert len(load.ack_ms) == 6


async def test_the_open_loop_sends_them_all_and_the_closed_one_until_its_end(answering):
    answers, driver = answering
    answers.append((200, {"status": "accepted"}))
    load = await driver.open_loop(rate=100, seconds=0.1)
    assert load.accepted == 10
    assert len(load.late_ms) == 10
    assert load.seconds >= 0.09
    assert (await driver.burst(5)).accepted == 5
    assert (await driver.closed_loop(in_flight=2, seconds=0.05)).accepted >= 2


async def test_no_answer_is_a_failure():
    async with aiohttp.ClientSession() as session:
        driver = Driver(session=session, shots=shots(["http://127.0.0.1:1/"], run="r"))
        load = await driver.one_by_one(2)
    assert load.failed == {"ClientConnectorError": 2}
    assert not load.ack_ms


def test_the_options_have_defaults_and_limits(capsys):
    chosen = parse([])
    assert (chosen.seconds, chosen.accounts, chosen.rates) == (10, 200, (20, 200))
    assert parse(["--rates", "5,5,50", "--seconds", "0.5"]).rates == (5, 50)
    assert parse(["--latencies", ""]).latencies == ()
    assert parse(["--bursts", "1000,100,100"]).bursts == (100, 1000)
    wrongs = (["--rates", "20,x"], ["--seconds", "0"], ["--accounts", "1.5"], ["--bursts", "-"])
    assert parse(["--only", "bursts,rates"]).only == ("rates", "bursts")
    for wrong in (*wrongs, ["--latencies", "0"], ["--only", "rates,x"], ["--sampled", "2"]):
        with pytest.raises(SystemExit) as caught:
            parse(wrong)
        assert caught.value.code == 2
    assert "x" in capsys.readouterr().err

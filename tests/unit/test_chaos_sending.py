"""Sends as TradingView does, against a real server that fails as told; its pauses are shortened."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from chaos import sending
from chaos.sending import Sender, stopwatch
from chaos.world import Signal, Word


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(sending, "AGAIN_AFTER_S", 0.01)
    monkeypatch.setattr(sending, "ANSWER_TIMEOUT_S", 0.1)


def make_signal(number: int = 0, **fields) -> Signal:
    return Signal(
        key=f"k{number}",
        route="r",
        symbol="BTC_USDT",
        word=Word.BUY,
        contracts=1,
        due_s=0,
        **fields,
    )


@asynccontextmanager
async def sender_to(answers):
    """Answers in turn: a status, None for no answer, or a body of 200."""
    bodies = []

    async def handle(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        answer = answers[min(len(bodies), len(answers)) - 1]
        if answer is None:
            await asyncio.sleep(0.5)
        if isinstance(answer, int):
            return web.json_response({"status": answer, "detail": "no"}, status=answer)
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/"
            yield Sender(session=session, webhooks={"r": url}, elapsed_s=stopwatch()), bodies
    finally:
        await runner.cleanup()


ACCEPTED = {"status": "accepted", "alert_id": "a"}
DUPLICATE = {"status": "duplicate", "alert_id": "a"}


async def test_an_answer_is_remembered():
    async with sender_to([ACCEPTED]) as (sender, bodies):
        await sender.send_all([make_signal()])
    (answer,) = sender.answers["k0"]
    assert (answer.status, answer.said, answer.alert_id) == (200, "accepted", "a")
    assert answer.sent_s <= answer.answered_s
    assert len(bodies) == 1


async def test_a_5xx_and_silence_are_sent_again_with_the_same_bytes():
    async with sender_to([503, None, DUPLICATE]) as (sender, bodies):
        await sender.send_all([make_signal()])
    assert [answer.status for answer in sender.answers["k0"]] == [503, 0, 200]
    assert len(set(bodies)) == 1
    assert sender.counts["resends"] == 2


async def test_it_gives_up_after_three_more():
    async with sender_to([502]) as (sender, bodies):
        await sender.send_all([make_signal()])
    assert len(bodies) == 4
    assert sender.counts["given up"] == 1


async def test_a_refusal_is_not_sent_again():
    async with sender_to([422]) as (sender, bodies):
        await sender.send_all([make_signal()])
    assert len(bodies) == 1
    assert sender.counts["HTTP 422"] == 1


async def test_some_are_sent_again_although_they_were_answered():
    async with sender_to([ACCEPTED, DUPLICATE]) as (sender, bodies):
        await sender.send_all([make_signal(again_after_s=0.01)])
    assert [answer.said for answer in sender.answers["k0"]] == ["accepted", "duplicate"]
    assert bodies[0] == bodies[1]

"""A page's stream ends with the session of whoever opened it."""

import asyncio

import pytest

from services.console.problems import Problem
from services.console.web.access import ending
from services.console.web.access.ending import EndOfSession


class Stream:
    """An application that streams until it is cancelled, or `parts` are sent."""

    def __init__(self, *, parts=None, status=200):
        self.parts, self.status, self.was_cancelled = parts, status, False

    async def __call__(self, _scope, _receive, send):
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": []})
            sent = 0
            while self.parts is None or sent < self.parts:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                sent += 1
                await asyncio.sleep(0.005)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def streamed(monkeypatch, stream, path="/alerts/events", *, answers=()):
    told = list(answers)

    async def entered(_access, _connection, *, is_used):
        assert not is_used
        answer = told.pop(0) if told else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(ending, "entered", entered)
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [], "method": "GET"}
    async with asyncio.timeout(5):
        await EndOfSession(stream, None, checked_every_s=0.02)(scope, None, send)
    return sent, told


async def test_it_ends_once_the_session_has(monkeypatch):
    stream = Stream()
    sent, _ = await streamed(monkeypatch, stream, answers=["somebody", Problem(503, "away"), None])
    assert stream.was_cancelled
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert [each.get("more_body") for each in sent].count(False) == 1


async def test_whoever_may_no_longer_look_is_shown_nothing_more(monkeypatch):
    stream = Stream()
    await streamed(monkeypatch, stream, answers=[Problem(403, "neither")])
    assert stream.was_cancelled


async def test_a_stream_that_ends_by_itself_is_left_alone(monkeypatch):
    sent, _ = await streamed(monkeypatch, Stream(parts=3), answers=["somebody"] * 100)
    assert [each.get("more_body") for each in sent[1:]] == [True, True, True, False]


@pytest.mark.parametrize("path", ["/api/events", "/alerts"], ids=["api", "page"])
async def test_nobody_asks_about_anything_else(monkeypatch, path):
    _, left = await streamed(monkeypatch, Stream(parts=20), path, answers=["somebody"])
    assert left == ["somebody"]

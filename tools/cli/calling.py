"""Calls to the console's API, with its problems turned into one line for people."""

import asyncio
import json
from typing import Any

import aiohttp
import click

from tools.cli.callers import own_name
from tools.cli.place import Console

BY_HEADER = "Alertwire-By"
_TIMEOUT_S = 15


class NotFound(click.ClickException):
    """The console does not know it (yet)."""


class Unanswered(click.ClickException):
    """Whether the console has done anything is not known."""


def call(
    console: Console, method: str, path: str, *, body: Any = None, timeout_s: float = _TIMEOUT_S
) -> Any:
    """The answer's document; raises `click.ClickException` for anything but success."""
    return asyncio.run(_call(console, method, path, body=body, timeout_s=timeout_s))


async def _call(console: Console, method: str, path: str, *, body: Any, timeout_s: float) -> Any:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    headers = {"Authorization": f"Bearer {console.token}", BY_HEADER: own_name()}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.request(method, f"{console.url}/api{path}", json=body) as answer,
        ):
            text = await answer.text()
            status = answer.status
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unanswered(
            f"the console at {console.url} does not answer: {error or type(error).__name__}"
        ) from None
    if status >= 400:
        kind = NotFound if status == 404 else click.ClickException
        raise kind(told(status, text))
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise click.ClickException(f"{console.url} is no console: it answered no JSON") from None


def told(status: int, text: str) -> str:
    """The console's problem, for people."""
    try:
        problem = json.loads(text)
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the console answered with status {status}"
    if status == 401:
        return "the console does not accept this token"
    field, value = problem.get("field"), problem.get("value")
    where = f"{field}: " if field and str(field) not in detail else ""
    what = f" It was: {value}" if value and str(value) not in detail else ""
    return f"{where}{detail}{what}"

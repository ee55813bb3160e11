"""One HTTP call with JSON in and out, on nothing but asyncio: what starting up asks its own
processes. It speaks HTTP/1.0, so that answers come whole and the connection ends with them.
"""

import asyncio
import contextlib
import dataclasses
import json
from typing import Any
from urllib.parse import urlsplit

from tools.devstack.errors import DevstackError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        content = json.loads(self.body)
        if not isinstance(content, dict):
            raise TypeError(f"expected a JSON object, got {self.body[:200]!r}")
        return content


class NoAnswerError(DevstackError):
    """Nobody listens there, or what came back is not an HTTP answer."""


async def call(
    method: str,
    url: str,
    *,
    json_body: dict[str, Any] | None = None,
    token: str | None = None,
    made_by: str | None = None,
    timeout_s: float = 10.0,
) -> Answer:
    """Make the call, or raise `NoAnswerError`. `made_by` stands in the trail of what it changes."""
    address = urlsplit(url)
    payload = b"" if json_body is None else json.dumps(json_body).encode()
    headers = {"Host": address.netloc, "Content-Length": str(len(payload)), "Connection": "close"}
    if json_body is not None:
        headers["Content-Type"] = "application/json"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if made_by is not None:
        headers["Alertwire-By"] = made_by
    lines = [f"{method} {address.path or '/'} HTTP/1.0", *(f"{k}: {v}" for k, v in headers.items())]
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + payload
    try:
        async with asyncio.timeout(timeout_s):
            return _parse(await _exchange(address.hostname or "", address.port or 80, request))
    except (OSError, TimeoutError, ValueError) as error:
        raise NoAnswerError(f"{method} {url}: {error or 'no answer in time'}") from error


async def _exchange(host: str, port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _parse(answer: bytes) -> Answer:
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if not head.startswith(b"HTTP/1.") or not status:
        raise ValueError("not an HTTP answer")
    return Answer(status=int(status[0]), body=body)

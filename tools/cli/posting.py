"""Posts alerts one after the other, or at a rate that does not wait for answers."""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

TIMEOUT_S = 3
"""TradingView's patience."""
_IN_FLIGHT_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Shot:
    data: bytes
    content_type: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: a status and a body, or why nothing did."""

    status: int | None
    body: str
    elapsed_ms: float
    error: str = ""


async def post_all(
    url: str,
    shots: Sequence[Shot],
    *,
    rate: float | None,
    on_answer: Callable[[Answer], None],
    ca: Path | None = None,
) -> list[Answer]:
    """The answers in the order of the shots; `on_answer` hears each as it comes. `ca` names the
    file of who vouches for the webhook's certificate; without it the system's are asked.
    """
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    context = ssl.create_default_context(cafile=ca) if ca else True
    connector = aiohttp.TCPConnector(limit=_IN_FLIGHT_MAX, ssl=context)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:

        async def fire(shot: Shot) -> Answer:
            answer = await _post(session, url, shot)
            on_answer(answer)
            return answer

        if rate is None:
            return [await fire(shot) for shot in shots]
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            tasks = []
            for number, shot in enumerate(shots):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                tasks.append(group.create_task(fire(shot)))
        return [task.result() for task in tasks]


async def _post(session: aiohttp.ClientSession, url: str, shot: Shot) -> Answer:
    headers = {"Content-Type": f"{shot.content_type}; charset=utf-8"}
    began = time.perf_counter()
    status, body, error = None, "", ""
    try:
        async with session.post(url, data=shot.data, headers=headers) as reply:
            body = await reply.text(errors="replace")
            status = reply.status
    except aiohttp.ClientConnectorCertificateError as failure:
        why = getattr(failure.certificate_error, "verify_message", "") or failure
        error = f"the webhook's certificate is not trusted ({why}); name its authority by --ca FILE"
    except TimeoutError:
        error = f"no answer within {TIMEOUT_S} s"
    except (aiohttp.ClientError, OSError, ValueError) as failure:
        error = str(failure) or type(failure).__name__
    elapsed_ms = (time.perf_counter() - began) * 1000
    return Answer(status=status, body=body, elapsed_ms=round(elapsed_ms, 3), error=error)

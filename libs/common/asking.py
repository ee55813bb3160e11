"""Questions from one service to another that are answered at once and leave no trace of their own:
NATS request and reply. What has to be kept is a message of the log.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import nats.errors
import structlog
from nats.aio.subscription import Subscription

from libs.common.bus import Bus
from libs.common.express import OnMessage

_RETRY_S = 0.5
_log = structlog.get_logger()


class NobodyAnswers(Exception):  # noqa: N818 - says what happened
    """No service has answered in time, or none listens."""


async def ask(bus: Bus, subject: str, *, timeout_s: float) -> bytes:
    """The first answer; raises `NobodyAnswers`."""
    try:
        return bytes((await bus.client.request(subject, b"", timeout=timeout_s)).data)
    except nats.errors.NoRespondersError:
        raise NobodyAnswers("nobody listens") from None
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise NobodyAnswers(f"{type(error).__name__} after {timeout_s:g} s at most") from None


@contextlib.asynccontextmanager
async def answering(
    bus: Bus, subject: str, on_question: Callable[[str, str], None]
) -> AsyncIterator[None]:
    """`on_question` gets the subject and where the answer goes, and must not raise. The client
    keeps the subscription across reconnects.
    """

    def note(asked: str, reply: str, _payload: bytes, _headers: bytes | None) -> None:
        if reply:
            on_question(asked, reply)

    subscription = await _listening(bus, subject, note)
    try:
        yield
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):
            await bus.client.forget(subscription)


def answer(bus: Bus, reply: str, payload: bytes) -> None:
    """Where it cannot leave, whoever asks has long given up waiting."""
    try:
        bus.client.post(reply, payload)
    except nats.errors.Error as error:
        _log.warning("answer.lost", error=f"{type(error).__name__}: {error}")


async def _listening(bus: Bus, subject: str, note: OnMessage) -> Subscription:
    while True:
        try:
            return await bus.client.listen(subject, note)
        except (nats.errors.Error, OSError) as error:
            _log.warning("answering.delayed", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(_RETRY_S)

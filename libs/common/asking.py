"""Questions from one service to another that are answered at once and leave no trace of their own:
NATS request and reply. What has to be kept is a message of the log.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import nats.errors
import structlog
from nats.aio.subscription import Subscription

from libs.common.bus import Bus
from libs.common.express import OnMessage, status_of

OnQuestion = Callable[[str, str, bytes], None]
"""Gets the subject, where the answer goes and what was asked with it; must not raise."""

IsEnough = Callable[[Sequence[bytes]], bool]
"""Whether those who are expected have answered; must not raise."""

_UNEXPECTED_S = 0.03
_RETRY_S = 0.5
_log = structlog.get_logger()


class NobodyAnswers(Exception):  # noqa: N818 - says what happened
    """No service has answered in time, or none listens."""

    def __init__(self, why: str, *, is_certain: bool = False) -> None:
        """`is_certain`: nobody has got the question, nor will."""
        super().__init__(why)
        self.is_certain = is_certain


async def ask(bus: Bus, subject: str, *, payload: bytes = b"", timeout_s: float) -> bytes:
    """The first answer; raises `NobodyAnswers`."""
    try:
        return bytes((await bus.client.request(subject, payload, timeout=timeout_s)).data)
    except nats.errors.NoRespondersError:
        raise NobodyAnswers("nobody listens", is_certain=True) from None
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise NobodyAnswers(f"{type(error).__name__} after {timeout_s:g} s at most") from None


async def ask_all(
    bus: Bus,
    subject: str,
    *,
    payload: bytes = b"",
    within_s: float,
    is_enough: IsEnough | None = None,
) -> list[bytes]:
    """Every answer that comes in time, in the order in which they come; none where nobody listens.
    Where `is_enough` says so, those are waited for for a moment longer that it does not expect.
    Raises `NobodyAnswers` where the question could not leave.
    """
    answers: list[bytes] = []
    enough, nobody = asyncio.Event(), False

    def note(_subject: str, _reply: str, payload: bytes, headers: bytes | None) -> None:
        nonlocal nobody
        # The server itself says with a status that nobody listens.
        if status_of(headers) is not None:
            nobody = True
            enough.set()
            return
        answers.append(payload)
        if is_enough is not None and is_enough(answers):
            enough.set()

    client = bus.client
    try:
        inbox = client.new_inbox()
        subscription = await client.listen(inbox, note)
        try:
            client.post(subject, payload, reply=inbox)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await enough.wait()
                    await asyncio.sleep(0 if nobody else _UNEXPECTED_S)
        finally:
            await client.forget(subscription)
    except (nats.errors.Error, OSError) as error:
        raise NobodyAnswers(f"{type(error).__name__}") from None
    return answers


@contextlib.asynccontextmanager
async def answering(
    bus: Bus, subject: str, on_question: OnQuestion, *, queue: str = ""
) -> AsyncIterator[None]:
    """While the block runs, questions on `subject` (which may hold wildcards) are noted. Of those
    that answer under one `queue` one gets each question. The client keeps the subscription across
    reconnects.
    """

    def note(asked: str, reply: str, payload: bytes, _headers: bytes | None) -> None:
        if reply:
            on_question(asked, reply, payload)

    subscription = await _listening(bus, subject, note, queue=queue)
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


async def _listening(bus: Bus, subject: str, note: OnMessage, *, queue: str) -> Subscription:
    while True:
        try:
            return await bus.client.listen(subject, note, queue=queue)
        except (nats.errors.Error, OSError) as error:
            _log.warning("answering.delayed", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(_RETRY_S)

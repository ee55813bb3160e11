"""Publishing to the log with its confirmation, many at a time: one subscription takes all
confirmations, and each ends the future of its message.
"""

import asyncio
import contextlib
import itertools
from typing import Any

import msgspec
import nats.errors
import nats.js.errors

from libs.common.express import NO_RESPONDERS, ExpressClient, status_of


class Confirmation(msgspec.Struct, frozen=True):
    """What the log answers: the message's place, or why it was not stored."""

    seq: int = 0
    duplicate: bool = False
    """It is the place of an earlier message with the same id."""
    error: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(Confirmation).decode


class Confirmed:
    """Of one connection. A message whose confirmation is lost may have been stored all the same."""

    def __init__(self, client: ExpressClient, *, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._prefix = ""
        self._numbers = itertools.count()
        self._waiting: dict[str, tuple[asyncio.Future[Confirmation], asyncio.TimerHandle]] = {}

    async def open(self) -> None:
        """Once per connection; raises `nats.errors.Error`."""
        prefix = f"{self._client.new_inbox()}."
        await self._client.listen(f"{prefix}*", self._confirm)
        self._prefix = prefix

    def post(self, subject: str, payload: bytes, *, headers: bytes) -> None:
        """Publish without a confirmation of its own; what cannot leave is found missing by the
        confirmation of what follows.
        """
        with contextlib.suppress(nats.errors.Error):
            self._client.post(subject, payload, headers=headers)

    def publish(
        self, subject: str, payload: bytes, *, headers: bytes
    ) -> asyncio.Future[Confirmation]:
        """The future ends with the confirmation, or with `nats.errors.Error` or
        `nats.js.errors.Error`.
        """
        loop = asyncio.get_running_loop()
        confirmed: asyncio.Future[Confirmation] = loop.create_future()
        token = str(next(self._numbers))
        try:
            self._client.post(subject, payload, reply=self._prefix + token, headers=headers)
        except nats.errors.Error as error:
            confirmed.set_exception(error)
            return confirmed
        timer = loop.call_later(self._timeout_s, self._give_up, token)
        self._waiting[token] = (confirmed, timer)
        return confirmed

    def _confirm(self, subject: str, _reply: str, payload: bytes, headers: bytes | None) -> None:
        confirmed = self._taken(subject.removeprefix(self._prefix))
        if confirmed is None:
            return
        if status_of(headers) == NO_RESPONDERS:
            confirmed.set_exception(nats.js.errors.NoStreamResponseError())
            return
        try:
            confirmation = _decode(payload)
        except msgspec.MsgspecError as error:
            confirmed.set_exception(nats.errors.Error(f"nats: no confirmation: {error}"))
            return
        if confirmation.error is None:
            confirmed.set_result(confirmation)
            return
        try:
            # The library's way to make the right one of its errors is to raise it.
            nats.js.errors.APIError.from_error(confirmation.error)
        except nats.js.errors.APIError as error:
            confirmed.set_exception(error)

    def _give_up(self, token: str) -> None:
        confirmed = self._taken(token)
        if confirmed is not None:
            confirmed.set_exception(nats.errors.TimeoutError())

    def _taken(self, token: str) -> asyncio.Future[Confirmation] | None:
        """The future that still waits; None for what nobody waits for any more."""
        confirmed, timer = self._waiting.pop(token, (None, None))
        if timer is not None:
            timer.cancel()
        return None if confirmed is None or confirmed.done() else confirmed

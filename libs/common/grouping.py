"""Publishing in groups what nobody waits for at once: one sync of the log's disk for many messages.

A group leaves when the one before it is stored, so it grows as large as the log is slow: with
little to do a message leaves within milliseconds, and under load dozens share one sync. A large
group is an atomic batch (NATS 2.12, ADR-50); where the log does not take it, for instance because
it has one of the messages already, each goes by itself, and its id keeps it from being stored
twice.
"""

import asyncio
import itertools
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from libs.common.confirming import Confirmation, Confirmed
from libs.common.express import encoded_headers

GATHERED_FOR_S = 0.004
GROUP_MAX = 256
"""The server takes up to 1,000 in a batch."""
BATCH_MIN = 16
"""Smaller ones cost the server more than the messages by themselves (docs/decisions/0013)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    subject: str
    payload: bytes
    headers: Mapping[str, str]
    confirmed: "asyncio.Future[Confirmation]"
    """Ends as that of `Confirmed.publish`."""


class Groups:
    """Of one connection; keeps the order in which messages are handed over."""

    def __init__(self, confirmed: Confirmed) -> None:
        self._confirmed = confirmed
        self._handed: list[Outgoing] = []
        self._is_due = False
        self._name = secrets.token_hex(8)
        self._numbers = itertools.count()

    def hand(self, message: Outgoing) -> None:
        """Publish it soon."""
        self._handed.append(message)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(GATHERED_FOR_S, self._send)

    def _send(self) -> None:
        group, self._handed = self._handed[:GROUP_MAX], self._handed[GROUP_MAX:]
        if len(group) >= BATCH_MIN:
            self._batch(group).add_done_callback(lambda stored: self._conclude(group, stored))
        else:
            self._one_by_one(group)

    def _batch(self, group: list[Outgoing]) -> "asyncio.Future[Confirmation]":
        """Ends with the place of the last message; the others stand right before it."""
        name = f"{self._name}-{next(self._numbers)}"
        *others, last = group
        for number, each in enumerate(others, start=1):
            headers = {**each.headers, "Nats-Batch-Id": name, "Nats-Batch-Sequence": str(number)}
            self._confirmed.post(each.subject, each.payload, headers=encoded_headers(headers))
        headers = {
            **last.headers,
            "Nats-Batch-Id": name,
            "Nats-Batch-Sequence": str(len(group)),
            "Nats-Batch-Commit": "1",
        }
        return self._confirmed.publish(last.subject, last.payload, headers=encoded_headers(headers))

    def _conclude(self, group: list[Outgoing], stored: "asyncio.Future[Confirmation]") -> None:
        if stored.exception() is not None:
            self._one_by_one(group)
            return
        last_seq = stored.result().seq
        for before, each in enumerate(reversed(group)):
            if not each.confirmed.done():
                each.confirmed.set_result(Confirmation(seq=last_seq - before))
        self._go_on()

    def _one_by_one(self, group: Iterable[Outgoing]) -> None:
        left = 0

        def conclude(each: Outgoing, stored: "asyncio.Future[Confirmation]") -> None:
            nonlocal left
            left -= 1
            error = stored.exception()
            if each.confirmed.done():
                pass
            elif error is not None:
                each.confirmed.set_exception(error)
            else:
                each.confirmed.set_result(stored.result())
            if not left:
                self._go_on()

        for each in group:
            left += 1
            stored = self._confirmed.publish(
                each.subject, each.payload, headers=encoded_headers(each.headers)
            )
            stored.add_done_callback(partial(conclude, each))

    def _go_on(self) -> None:
        self._is_due = bool(self._handed)
        if self._handed:
            self._send()

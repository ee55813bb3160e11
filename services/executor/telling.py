"""Puts calls to the exchange into the log that no other message carries: what was set there apart
from any alert, and what was asked for an alert and led to no plan, denial or execution.

It is never in anybody's way: nothing waits for it, and what the log does not take is logged.
"""

import asyncio
import itertools
from collections.abc import Sequence

import structlog

from libs.common.bus import Bus, LogUnavailable, Stored
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.checkup import AccountCalled
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.words import AccountId, AlertId, VenueSymbol
from libs.common.domain.identity import called_event_id

CALLS_KEPT = 24
"""Calls in one message, at most."""
REPLIES_KEPT = 192 * 1024
"""Characters of replies in one message: of what is longer than a megabyte once it is encoded, the
log would take nothing, and no later try could mend that.
"""

# Of the whole process: each plan has a teller of its own, and two may tell in the same moment.
_numbers = itertools.count()
_log = structlog.get_logger()


class Teller:
    def __init__(self, *, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    def tell(
        self,
        calls: Sequence[ExchangeCall],
        *,
        what: str,
        account: AccountId,
        symbol: VenueSymbol | None = None,
        alert_id: AlertId | None = None,
    ) -> None:
        """As many messages as the calls need, each call whole; none without calls."""
        now = self._clock.now()
        for part in _parts(calls):
            stored = self._bus.publish_soon(
                subject=subjects.account_called(account),
                message=AccountCalled(
                    account=account,
                    at=now,
                    what=what,
                    symbol=symbol,
                    calls=part,
                    alert_id=alert_id,
                ),
                event_id=called_event_id(account=account, at=now, number=next(_numbers)),
            )
            stored.add_done_callback(_look)


def split(
    calls: Sequence[ExchangeCall],
) -> tuple[tuple[ExchangeCall, ...], tuple[ExchangeCall, ...]]:
    """Older calls, and the latest: as many as one message can hold."""
    left = REPLIES_KEPT
    for number, call in enumerate(reversed(calls)):
        left -= len(call.response_body)
        # One reply is always taken, however long: the client has cut it where it must be.
        if number and (left < 0 or number == CALLS_KEPT):
            return tuple(calls[:-number]), tuple(calls[-number:])
    return (), tuple(calls)


def _parts(calls: Sequence[ExchangeCall]) -> list[tuple[ExchangeCall, ...]]:
    """In their order."""
    parts: list[tuple[ExchangeCall, ...]] = []
    older = tuple(calls)
    while older:
        older, latest = split(older)
        parts.append(latest)
    return parts[::-1]


def _look(stored: "asyncio.Future[Stored]") -> None:
    if stored.cancelled():
        return
    error = stored.exception()
    if isinstance(error, LogUnavailable):
        _log.warning("call.untold", error=str(error))
    elif error is not None:
        raise error

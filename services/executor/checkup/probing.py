"""An order of nothing, to learn whether the key may place orders where the exchange does not tell:
0 contracts at the lowest price there is, to be filled at once or not at all
(docs/decisions/0018-what-a-checkup-may-ask.md).

Nothing of it can be filled, even if the exchange took 0 for something: nobody sells at that price,
and nothing of it rests. Its client id is always the same, so not even two of them could be taken.
"""

import asyncio
from dataclasses import dataclass
from typing import assert_never

from libs.common.clock import Clock
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckupReason
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.words import AccountId, ClientOrderId
from services.executor.accounts import Connected
from services.executor.budget import Urgency
from services.executor.checkup.observed import AT_THE_GATE, Probed
from services.executor.exchange import (
    Accepted,
    Duplicate,
    NotSent,
    RateLimited,
    Rejected,
    Submitted,
    Unknown,
)

PROBE_ID = ClientOrderId("alertwire-probe")
AGAIN_S = 60.0
"""An answer of this age is used again, who ever asks."""
_WAITED_S = 3.0
"""For a call that no order wants."""
_CANNOT_TELL = AT_THE_GATE | {
    *(Cause.SYSTEM, Cause.MAINTENANCE, Cause.RATE_LIMIT, Cause.OTHER),
}
_FORBIDDEN = frozenset({Cause.PERMISSION, Cause.REGION})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    connected: Connected
    elapsed_s: float
    probed: Probed


class Prober:
    """Remembers what each account's key was answered, so that a timer never asks twice."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[AccountId, _Answer] = {}

    async def probe(
        self, connected: Connected, *, instrument: Instrument, reason: CheckupReason
    ) -> tuple[Probed | None, ExchangeCall | None]:
        """What is known, or the answer and its call; None where no call was free for it."""
        account = connected.account.account_id
        known = self._answers.get(account)
        if known is not None and known.connected is connected and not self._is_due(known, reason):
            return known.probed, None
        try:
            async with asyncio.timeout(_WAITED_S):
                await connected.budget.take(Urgency.PROBE, since=self._clock.now())
        except TimeoutError:
            return None, None
        submitted = await connected.exchange.checks.probe_order(
            PROBE_ID,
            symbol=instrument.symbol,
            price=instrument.tick_price,
            position_mode=connected.book.position_mode or connected.account.position_mode,
        )
        if isinstance(submitted, RateLimited):
            connected.budget.refused(pause_s=0.5)
        probed = judge_probe(submitted)
        if probed.may_place is not None:
            self._answers[account] = _Answer(
                connected=connected, elapsed_s=self._clock.elapsed_s(), probed=probed
            )
        return probed, submitted.call

    def _is_due(self, known: _Answer, reason: CheckupReason) -> bool:
        old = self._clock.elapsed_s() - known.elapsed_s >= AGAIN_S
        return reason is CheckupReason.ASKED and old


def judge_probe(submitted: Submitted) -> Probed:
    """A refusal by a rule of business has passed the question of permission."""
    match submitted:
        case Accepted(exchange_order_id=order):
            return Probed(may_place=True, said=f"order {order}", was_taken=True)
        case Rejected(kind=kind, code=code, message=message):
            said = f"code {code}: {message}"
            if kind in _FORBIDDEN:
                return Probed(may_place=False, said=f"refused, {said}")
            if kind in _CANNOT_TELL:
                return Probed(may_place=None, said=f"cannot be told, {said}")
            return Probed(may_place=True, said=f"allowed (an order of 0 is met with {said})")
        case Duplicate(code=code, message=message):
            return Probed(may_place=True, said=f"allowed (code {code}: {message})")
        case RateLimited(code=code, message=message):
            return Probed(may_place=None, said=f"cannot be told, code {code}: {message}")
        case Unknown(why=why) | NotSent(why=why):
            return Probed(may_place=None, said=f"not answered: {why}")
        case _:
            assert_never(submitted)

"""Whether a plan is still this process's to carry out.

A process that was stopped for a while (its machine was suspended, it was held by a debugger) wakes
in the middle of a plan that another may have taken over and finished, and nothing tells it so.
Therefore nothing is signed on knowledge that is more than a moment old: the log is read again. A
request's time is taken before the last look at the clock, so that who is stopped right then has
signed what the exchange will find too old.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from libs.common.clock import Clock
from libs.common.contracts.execution import Execution
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.words import ClientOrderId
from libs.common.outcome import Retry
from libs.common.owning import Ownership
from services.executor.exchange import BeforeSend
from services.executor.recording import Recorder
from services.executor.settings import Timing

ReadExecutions = Callable[[], Awaitable[tuple[Execution, ...]]]


class Claim:
    """Of one plan; `since` is when it was certain that nobody else was carrying it out. It also
    needs a lease that was confirmed as shortly before.
    """

    def __init__(
        self,
        *,
        read: ReadExecutions,
        recorder: Recorder,
        since: datetime,
        ownership: Ownership,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._read = read
        self._recorder = recorder
        self._since = since
        self._ownership = ownership
        self._timing = timing
        self._lasts = timedelta(seconds=timing.claim_s)
        self._clock = clock

    async def renew(self, order: ClientOrderId) -> None:
        """Before a leg or change is sent. Raises `Retry` where somebody else has begun it, or may
        have become the owner.
        """
        give_up_at = self._clock.now() + timedelta(seconds=self._timing.confirm_lease_s)
        while self._ownership.age_s(self._clock.now()) > self._timing.claim_s:
            if self._clock.now() > give_up_at:
                raise Retry("not sent: nothing confirms that this process is still the owner")
            await self._clock.sleep(self._timing.shown_again_s)
        now = self._clock.now()
        if now - self._since < self._lasts / 2:
            return
        for execution in await self._read():
            if execution.client_order_id == order and not self._recorder.knows(execution):
                raise Retry(f"somebody else has taken over: {execution.kind.value} was not ours")
        self._since = now

    def guarding(self, before_send: BeforeSend) -> BeforeSend:
        """The hook, which raises `Retry` where the claim has grown old by the time of signing."""

        def guarded(call: ExchangeCall) -> None:
            if (
                call.sent_at - self._since > self._lasts
                or self._ownership.age_s(call.sent_at) > self._timing.claim_s
            ):
                raise Retry("not sent: it is not known any more whether it is ours to send")
            before_send(call)

        return guarded

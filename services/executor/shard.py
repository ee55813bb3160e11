"""The work of one shard of accounts, for as long as this process is its owner: intents are handled,
orders that wait are followed, what a halt flattens is closed, leverage is set beforehand, and the
accounts are checked. Each tenure begins with nothing but what the log tells.
"""

import asyncio
from collections.abc import Callable

from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.clock import Clock
from libs.common.consuming import Consumer
from libs.common.contracts.checkup import CheckupReason
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.route import Account
from libs.common.contracts.subjects import shard_of
from libs.common.contracts.words import AccountId, AlertId
from libs.common.executor_shards import executor_consumer
from libs.common.halts import Halts
from libs.common.owning import Ownership
from libs.common.watching import Watched
from services.executor.accounts import Accounts
from services.executor.checkup.addresses import UNSEEN, OwnAddress
from services.executor.checkup.checker import Checker
from services.executor.checkup.checkups import Checkups
from services.executor.drifting import DriftWatch
from services.executor.flattening import Flattener
from services.executor.following import Follower
from services.executor.handler import Executor, lane_of
from services.executor.inquiries import Inquiries
from services.executor.leveraging import LeverageSetter
from services.executor.measuring import unknown
from services.executor.moved import Moved
from services.executor.resting import RestingOrders
from services.executor.route_terms import RouteTerms
from services.executor.settings import Settings, Timing
from services.executor.viewing.answering import AccountPictures


class Shard:
    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        halts: Halts,
        contracts: Watched[Instrument],
        terms: RouteTerms,
        settings: Settings,
        timing: Timing,
        clock: Clock,
        refused_from_here: Callable[[Account], Denial | None] = lambda _account: None,
        own: OwnAddress = UNSEEN,
        is_stopped: Callable[[AccountId], bool] = lambda _account: False,
    ) -> None:
        """`refused_from_here`: see the handler. `own` and `is_stopped`: what checkups and pictures
        tell of our address, and of the account.
        """
        self._refused_from_here = refused_from_here
        self._bus = bus
        self._own = own
        self._is_stopped = is_stopped
        self._checkups: Checkups | None = None
        self._accounts = accounts
        self._halts = halts
        self._contracts = contracts
        self._terms = terms
        self._settings = settings
        self._timing = timing
        self._clock = clock
        self._consumer: Consumer | None = None
        self._resting: RestingOrders | None = None

    @property
    def durable(self) -> str:
        """The consumer in the log, and the name of the lease."""
        return executor_consumer(self._settings.shard)

    def missing(self) -> str | None:
        """A readiness check of an owner."""
        if self._consumer is None or self._resting is None:
            return f"the lease of {self.durable} is not taken yet"
        return self._consumer.missing() or self._resting.missing()

    def check_soon(
        self, account: AccountId, reason: CheckupReason, *, alert_id: AlertId | None = None
    ) -> None:
        """Have an account checked, where this process is its owner; see `Checkups.ask`."""
        if self._checkups is not None:
            self._checkups.ask(account, reason, alert_id=alert_id)

    async def work(self, ownership: Ownership, stop: asyncio.Event) -> None:
        """One tenure."""
        resting = RestingOrders(owned=lambda account: self._shard_of(account) is not None)
        moved = Moved(visible_after_s=self._timing.visible_after_s)
        executor = Executor(
            bus=self._bus,
            accounts=self._accounts,
            resting=resting,
            moved=moved,
            halts=self._halts,
            ownership=ownership,
            timing=self._timing,
            clock=self._clock,
            on_done=self._terms.note,
            refused_from_here=self._refused_from_here,
        )
        follower = Follower(
            bus=self._bus,
            accounts=self._accounts,
            resting=resting,
            timing=self._timing,
            clock=self._clock,
        )
        drifts = DriftWatch(
            bus=self._bus,
            accounts=self._accounts,
            resting=resting,
            moved=moved,
            timing=self._timing,
            clock=self._clock,
        )
        inquiries = Inquiries(
            bus=self._bus,
            accounts=self._accounts,
            proposer=executor.proposer,
            moved=moved,
            shard_of=self._shard_of,
            clock=self._clock,
        )
        leverages = self._leverages(ownership, resting=resting, moved=moved)
        self._checkups = self._new_checkups()
        self._resting = resting
        self._consumer = Consumer(
            self._bus,
            durable=self.durable,
            handler=executor.handle,
            lane_of=lane_of,
            is_certain=ownership.is_certain,
        )
        self._look_again()
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(follower.follow()),
                    group.create_task(self._flattener().follow()),
                    group.create_task(drifts.watch()),
                    group.create_task(leverages.follow()),
                    group.create_task(self._checkups.follow()),
                    group.create_task(self._account_pictures(resting).follow()),
                    group.create_task(inquiries.follow()),
                ]
                try:
                    await self._consumer.run(stop)
                finally:
                    # For certain: the lease is kept until they have ended.
                    await cancelled(helpers)
        finally:
            self._consumer = self._resting = self._checkups = None
            unknown.clear()

    def _look_again(self) -> None:
        # What was traded by somebody else was perhaps not pushed here.
        for connected in self._accounts.current():
            connected.book.want_correction(0.0)

    def _flattener(self) -> Flattener:
        return Flattener(
            bus=self._bus,
            accounts=self._accounts,
            halts=self._halts,
            contracts=self._contracts,
            durable=self.durable,
            shard_of=self._shard_of,
            clock=self._clock,
        )

    def _new_checkups(self) -> Checkups:
        checker = Checker(
            bus=self._bus,
            accounts=self._accounts,
            terms=self._terms,
            own=self._own,
            is_stopped=self._is_stopped,
            clock=self._clock,
        )
        return Checkups(
            bus=self._bus,
            accounts=self._accounts,
            checker=checker,
            shard_of=self._shard_of,
            every_s=self._settings.checkup_every_s,
            clock=self._clock,
        )

    def _account_pictures(self, resting: RestingOrders) -> AccountPictures:
        return AccountPictures(
            bus=self._bus,
            accounts=self._accounts,
            contracts=self._contracts,
            resting=resting,
            shard_of=self._shard_of,
            own=self._own,
            refused_from_here=self._refused_from_here,
            clock=self._clock,
        )

    def _leverages(
        self, ownership: Ownership, *, resting: RestingOrders, moved: Moved
    ) -> LeverageSetter:
        return LeverageSetter(
            bus=self._bus,
            accounts=self._accounts,
            terms=self._terms,
            contracts=self._contracts,
            resting=resting,
            moved=moved,
            ownership=ownership,
            shard_of=self._shard_of,
            timing=self._timing,
            clock=self._clock,
        )

    def _shard_of(self, account: AccountId) -> int | None:
        shard = shard_of(account, shards=self._settings.shards)
        return shard if shard == self._settings.shard else None

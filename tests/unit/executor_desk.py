"""An executor with one account, an in-memory log and exchange, and a clock that tests move."""

from dataclasses import replace

from libs.common.consuming import Delivery
from libs.common.contracts.words import Action, PositionMode
from services.executor.accounts import Connected
from services.executor.book import Book
from services.executor.drifting import DriftWatch
from services.executor.following import Follower
from services.executor.handler import Executor
from services.executor.moved import Moved
from services.executor.pushes import FeedLost
from services.executor.resting import RestingOrders
from services.executor.settings import Timing
from tests.factories import NOW, D, make_account, make_intent
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.fake_halts import FakeHalts
from tests.fakes import FakeExchange

OTHER_ALERT = "01890000-0000-7000-8000-0000000000aa"
HAPPY = ["order.planned", "execution.sent", "execution.accepted", "execution.filled"]


class FreeBudget:
    async def take(self, _urgency, *, since):
        pass

    def refused(self, *, pause_s):
        pass


class SilentFeed:
    """Pushes nothing: everything has to be asked for."""

    heard_at = float("-inf")

    async def listen(self, *, on_open, on_push):
        raise FeedLost("it never opens")


class Owning:
    """A lease that is confirmed all the time. Of how long it has been ours nothing is known, so
    that the fences behind it are tried.
    """

    since = None
    monotonic_since = float("-inf")
    confirmed_s_ago = 0.0

    def age_s(self, _now):
        return self.confirmed_s_ago


class OneAccount:
    def __init__(self, exchange, **changes):
        self._connected = Connected(
            account=make_account(**changes),
            exchange=exchange,
            feed=SilentFeed(),
            book=Book("paper", timing=Timing(), heard_at=lambda: self._connected.feed.heard_at),
            budget=FreeBudget(),
        )

    def budget(self, budget):
        self._connected = replace(self._connected, budget=budget)

    def find(self, _account_id):
        return self._connected


class Desk:
    """An executor with one account, its log and its exchange."""

    def __init__(self, **account):
        self.clock = FakeClock()
        self.bus = FakeBus()
        self.exchange = FakeExchange(
            now=self.clock.now,
            position_mode=account.get("position_mode", PositionMode.HEDGE),
        )
        self._accounts = OneAccount(self.exchange, **account)
        self.start()
        self.resting.complete.set()

    def start(self):
        """A process that knows nothing yet but what is in the log."""
        self.resting = RestingOrders(owned=lambda account: account == "paper")
        needs = {
            "bus": self.bus,
            "accounts": self._accounts,
            "resting": self.resting,
            "timing": Timing(),
            "clock": self.clock,
        }
        self.owning = Owning()
        self.halts = FakeHalts()
        self.moved = Moved(visible_after_s=Timing().visible_after_s)
        self.executor = Executor(**needs, moved=self.moved, ownership=self.owning, halts=self.halts)
        self.drifts = DriftWatch(**needs, moved=self.moved)
        self.follower = Follower(**needs)

    def successor(self):
        """Another process with the same log, exchange and time, as when this one is held dead."""
        other = Desk()
        other.clock, other.bus, other.exchange = self.clock, self.bus, self.exchange
        other._accounts = OneAccount(self.exchange)
        other.start()
        other.resting.complete.set()
        return other

    def count_budget(self, budget):
        """Have another budget decide when a call may be made."""
        self._accounts.budget(budget)

    async def follow(self):
        """One round."""
        await self.follower.ask("paper")

    async def handle(self, message, *, fresh=True, seq=0, origin_seq=0):
        await self.executor.handle(
            Delivery(
                seq=seq,
                subject="intent.accepted.0.paper.BTC_USDT",
                stored_at=NOW,
                message=message,
                headers={},
                data=b"",
                came=None,
                origin_seq=origin_seq,
                fresh=fresh,
            )
        )

    async def hold(self, side, contracts):
        """Begin with a position."""
        action = Action.BUY if side == "long" else Action.SELL
        await self.handle(make_intent(action=action, contracts=D(contracts), alert_id=OTHER_ALERT))
        self.forget()

    def forget(self):
        """What has happened so far is none of the test's."""
        self.bus.entries.clear()
        self.bus.forget_event_ids()
        self.exchange.submitted.clear()
        self.exchange.changed.clear()
        self.exchange.asked.clear()

    @property
    def changed(self):
        return [change.kind.value for _, change in self.exchange.changed]

    @property
    def submitted(self):
        return [
            f"{leg.effect.value} {leg.position_side.value} {leg.contracts}"
            for _, leg in self.exchange.submitted
        ]

    async def holdings(self):
        held = await self.exchange.holdings("BTC_USDT")
        return {holding.side.value: holding.contracts for holding in held.holdings}

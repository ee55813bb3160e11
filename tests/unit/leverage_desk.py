"""A desk whose route names a contract, and what sets its leverage beside it."""

from structlog.testing import capture_logs

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Symbols
from libs.common.contracts.subjects import instrument_key
from libs.common.contracts.words import Action
from services.executor.leveraging import LeverageSetter
from services.executor.route_terms import RouteTerms
from services.executor.settings import Timing
from tests.factories import make_account, make_instrument, make_intent, make_route
from tests.unit.test_executor_changes import LATER

BTC, ETH = "BTC_USDT", "ETH_USDT"
TIMING = Timing()
SETTLED = ["long cross 10", "short cross 10"]
ALLOWED = Symbols(allow=(BTC,))


class Accounts:
    """One account, whose key may be unreadable."""

    def __init__(self, desk):
        self.settings = Values({"paper": make_account()})
        self.readable = True
        self._desk = desk

    def find(self, account_id):
        if not self.readable:
            return Denial(reason=Reason.KEY_UNREADABLE, message="it was never entered")
        return self._desk._accounts.find(account_id)


class Values(dict):
    @property
    def values(self):
        return self


class Levered:
    """A desk with a route that names one contract, and the setter beside it."""

    def __init__(self, desk, **route):
        self.desk, self.exchange, self.bus = desk, desk.exchange, desk.bus
        self.accounts = Accounts(desk)
        self.terms = RouteTerms()
        self.terms.routes.complete.set()
        self.contracts = Values()
        self.list(make_instrument(), make_instrument(symbol=ETH))
        self.route(**{"symbols": ALLOWED, **route})
        desk.executor._on_done = self.terms.note
        self.start()

    def start(self):
        """Another tenure."""
        self.setter = LeverageSetter(
            bus=self.bus,
            accounts=self.accounts,
            terms=self.terms,
            contracts=self.contracts,
            resting=self.desk.resting,
            moved=self.desk.moved,
            ownership=self.desk.owning,
            shard_of=lambda account: 0 if account == "paper" else None,
            timing=TIMING,
            clock=self.desk.clock,
        )

    def list(self, *instruments):
        for one in instruments:
            key = instrument_key(base_url=make_account().base_url, symbol=one.symbol)
            self.contracts[key] = one
            self.exchange.instruments_[one.symbol] = one

    def route(self, name="demo", **changes):
        route = make_route(id=name, **changes)
        self.terms.routes._copy.values[name] = route
        self.terms.routes._changed()

    async def look(self, times=1):
        """As often as its clock says that it is due; returns what was logged."""
        with capture_logs() as logged:
            for _ in range(times):
                for account in self.setter.due():
                    await self.setter.look(account)
                self.desk.clock.advance(TIMING.leverage_look_s)
        return [one for one in logged if one["event"].startswith("leverage.")]

    def wait(self, seconds):
        self.desk.clock.advance(seconds)

    @property
    def set(self):
        return [
            f"{one.side.value} {one.margin_mode.value} {one.leverage}"
            for _, one in self.exchange.leverages_set
        ]


async def closed(levered, **changes):
    """An alert opens and another closes."""
    await levered.desk.handle(make_intent(**changes))
    await levered.desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    levered.wait(2)

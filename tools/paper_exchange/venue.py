"""The running exchange: the engine's state with its journal, and what the control side has set.
Handlers get it passed in; nothing else changes the state.
"""

import copy
import random
import time
from collections.abc import Callable
from pathlib import Path

from tools.paper_exchange.catalogue import Catalogue, with_changes
from tools.paper_exchange.control.behaviour import Behaviour, Maintenance
from tools.paper_exchange.control.faults import Faults
from tools.paper_exchange.control.pushes import PushDelay
from tools.paper_exchange.control.recording import Requests
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import Command, SetContract
from tools.paper_exchange.engine.events import Event
from tools.paper_exchange.engine.restrictions import ContractChanges
from tools.paper_exchange.engine.state import Price, State
from tools.paper_exchange.journal import Journal
from tools.paper_exchange.market.books import Book
from tools.paper_exchange.market.clock import Clock
from tools.paper_exchange.market.feeds import FeedStatus
from tools.paper_exchange.market.jobs import Jobs
from tools.paper_exchange.market.tape import Tape
from tools.paper_exchange.rest.limits import Limits

Listener = Callable[[list[Event], int], None]


class Venue:
    def __init__(
        self,
        catalogue: Catalogue,
        *,
        state_dir: Path | None = None,
        kline_dir: Path | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        chance: random.Random | None = None,
    ) -> None:
        self.catalogue = catalogue
        # As they are by now: what the control side changes is changed in these two.
        self.contracts = dict(catalogue.contracts)
        self.rows = dict(catalogue.rows)
        # The real time; the exchange's own is `now_ms`.
        self.clock_ns = clock_ns
        self.clock = Clock(clock_ns)
        # Until here all that fell due has happened.
        self.passed_ms = self.clock.now_ms()
        self.kline_dir = kline_dir
        self.jobs = Jobs()
        self.feeds: dict[str, FeedStatus] = {}
        self.funding_rates = dict(catalogue.funding_rates)
        self.behaviour = Behaviour()
        self.maintenance = Maintenance()
        self.one_way_s = 0.0
        # Under it every caller is seen; None: under its own.
        self.seen_address: str | None = None
        self.limits = Limits()
        # Faults are drawn from the one, the delays of pushes from the other: how many pushes there
        # are must not change which faults a seed brings.
        self.chance = chance or random.Random()  # noqa: S311 - faults are no secrets
        self.push_chance = copy.copy(self.chance)
        self.faults = Faults(self.chance)
        self.push_delay = PushDelay()
        self.requests = Requests()
        # Who is told what each command changed, at once and before the next one.
        self.listeners: list[Listener] = []
        fresh = State(
            prices={
                symbol: Price(last=price.last, fair=price.fair, index=price.index)
                for symbol, price in catalogue.starting_prices.items()
            }
        )
        self._journal = Journal(state_dir) if state_dir is not None else None
        self.state = self._journal.restore(self.contracts, fresh=fresh) if self._journal else fresh
        for symbol in self.state.contract_changes:
            self._look_up(symbol)
        self.books: dict[str, Book] = {}
        self.tape = Tape(self.contracts, self.state.prices, at_ms=self.passed_ms)
        self.listeners.append(self.tape.listen)

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def told_ms(self) -> int:
        """What is told, and what callers' times are compared with."""
        return self.clock.told_ms()

    def peer(self, remote: str | None) -> str:
        """The address that a caller is seen under."""
        return self.seen_address or remote or ""

    def apply(self, command: Command) -> int:
        """Apply and keep a command, and tell what it changed; see `applying.apply`. Returns what
        was made.
        """
        outcome = apply(self.state, self.catalogue.contracts, command)
        if isinstance(command, SetContract):
            self._look_up(command.symbol)
        if self._journal is not None:
            self._journal.append(command)
            if self._journal.is_long:
                self._journal.compact(self.state)
        for listen in self.listeners:
            listen(outcome.events, command.at_ms)
        return outcome.made

    def _look_up(self, symbol: str) -> None:
        changes = self.state.contract_changes.get(symbol, ContractChanges())
        self.contracts[symbol] = changes.on(self.catalogue.contracts[symbol])
        self.rows[symbol] = with_changes(self.catalogue.rows[symbol], changes.row())

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

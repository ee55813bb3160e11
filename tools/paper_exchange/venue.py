"""The running exchange: the engine's state with its journal, and what the control side has set.
Handlers get it passed in; nothing else changes the state.
"""

import random
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from tools.paper_exchange.catalogue import Catalogue
from tools.paper_exchange.control.faults import Faults
from tools.paper_exchange.control.recording import Requests
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import Command, DuplicateRule
from tools.paper_exchange.engine.events import Event
from tools.paper_exchange.engine.state import Price, State
from tools.paper_exchange.journal import Journal
from tools.paper_exchange.rest.limits import Limits

Listener = Callable[[list[Event], int], None]


class AbsentMode(StrEnum):
    """How an order without a positionMode is read; the venue's own documents disagree."""

    HEDGE = "hedge"
    ACCOUNT = "account"


class Behaviour(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The readings where the real exchange is uncertain."""

    duplicate_oid: DuplicateRule = DuplicateRule.REJECT
    absent_position_mode: AbsentMode = AbsentMode.HEDGE


class Venue:
    def __init__(
        self,
        catalogue: Catalogue,
        *,
        state_dir: Path | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        chance: random.Random | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.contracts = catalogue.contracts
        self.clock_ns = clock_ns
        self.behaviour = Behaviour()
        self.one_way_s = 0.0
        self.limits = Limits()
        self.faults = Faults(chance or random.Random())  # noqa: S311 - faults are no secrets
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

    def now_ms(self) -> int:
        return self.clock_ns() // 1_000_000

    def apply(self, command: Command) -> int:
        """Apply and keep a command, and tell what it changed; see `applying.apply`. Returns what
        was made.
        """
        outcome = apply(self.state, self.contracts, command)
        if self._journal is not None:
            self._journal.append(command)
            if self._journal.is_long:
                self._journal.compact(self.state)
        for listen in self.listeners:
            listen(outcome.events, command.at_ms)
        return outcome.made

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

"""What was asked of the exchange to set one contract's leverage, and what came of it: for the
trail, since no alert tells of it. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from libs.common.contracts.order import ExchangeCall
from libs.common.domain.leverages import SideLeverage
from services.executor.exchange import Changed, Done, NotSent, RateLimited, Rejected, Unknown


@dataclass(kw_only=True, slots=True)
class Attempt:
    calls: list[ExchangeCall]
    """Those that read what was set before, to begin with."""
    said: list[str] = field(default_factory=list)
    """Of each change that was asked for; empty where nothing was."""

    def note(self, wanted: SideLeverage, changed: Changed) -> None:
        self.calls += changed.calls
        match changed:
            case Done():
                came = "done"
            case Rejected(code=code, message=message) | RateLimited(code=code, message=message):
                came = f"refused: {code} {message}".rstrip()
            case Unknown(why=why):
                came = f"not known: {why}"
            case NotSent(why=why):
                came = f"not sent: {why}"
            case _:
                assert_never(changed)
        self.said.append(f"set leverage {in_words([wanted])}: {came}")


def in_words(told: Iterable[SideLeverage]) -> str:
    return ", ".join(
        f"{one.side.value} {one.margin_mode.value if one.margin_mode else '?'} {one.leverage}x"
        for one in told
    )

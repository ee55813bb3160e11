"""What planning decides; the executor adds ids of the log and stores it as a `Plan`."""

from dataclasses import dataclass

from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change, Leg


@dataclass(frozen=True, kw_only=True)
class Planned:
    legs: tuple[Leg, ...] = ()
    """In the order in which they are sent; closing ones first."""
    changes: tuple[Change, ...] = ()
    """Done after the legs."""
    withheld: Denial | None = None
    """Why a part is left out; then nothing is opened."""
    summary: str
    steps: tuple[str, ...] = ()
    """How it came about, one sentence each; the summary is the last."""

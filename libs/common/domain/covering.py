"""How stops and targets come to cover a position: pure. Each that is there moves; what none of them
covers is put on.
"""

from dataclasses import dataclass
from decimal import Decimal

from libs.common.contracts.order import Holding, Protective
from libs.common.domain.protecting import Protected


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """One that is there, with the prices that it shall have; both are told whole."""

    present: Protective
    stop: Decimal | None
    target: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Covering:
    moved: tuple[Moved, ...]
    put_on: Protected | None
    """For the whole position; None where what is there covers it."""


def covering(held: Holding, *, present: tuple[Protective, ...], placed: Protected) -> Covering:
    """`present`: what protects `held` now. A price of `placed` that is None stays as it is."""
    has_stop = any(one.stop_price is not None for one in present)
    has_target = any(one.target_price is not None for one in present)
    # Where there is no stop yet, what is there with a target takes it on. What is for the whole
    # position takes it on in any case: the exchange allows no second one of that kind (5005).
    stops = [one for one in present if one.stop_price is not None or one.whole or not has_stop]
    targets = [
        one for one in present if one.target_price is not None or one.whole or not has_target
    ]
    moved = [
        Moved(
            present=one,
            stop=_moved(one.stop_price, to=placed.stop if one in stops else None),
            target=_moved(one.target_price, to=placed.target if one in targets else None),
        )
        for one in present
        if (placed.stop is not None and one in stops)
        or (placed.target is not None and one in targets)
    ]
    missing = Protected(
        stop=None if _cover(stops, held) else placed.stop,
        target=None if _cover(targets, held) else placed.target,
    )
    nothing = missing.stop is None and missing.target is None
    return Covering(moved=tuple(moved), put_on=None if nothing else missing)


def _moved(present: Decimal | None, *, to: Decimal | None) -> Decimal | None:
    return present if to is None else to


def _cover(protectives: list[Protective], held: Holding) -> bool:
    # A position that grew after its stop was placed is covered in part only.
    together = sum((one.contracts for one in protectives), Decimal(0))
    return together >= held.contracts or any(one.whole for one in protectives)

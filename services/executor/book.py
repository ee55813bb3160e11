"""The live picture of one account: what it holds and its position mode, told by the exchange's
pushes and corrected by questions. It says when it is not to be trusted; then the exchange is asked.

Pushes are hints: what they tell counts at once, and is compared with what the exchange answers on
a timer, a moment after every order, after each reconnect and after a gap in the versions.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import structlog

from libs.common.contracts.account_picture import Doubt
from libs.common.contracts.order import ExchangeCall, Holding
from libs.common.contracts.words import AccountId, PositionMode, PositionSide, VenueSymbol
from libs.common.domain.moving import other
from services.executor.news import OrderNews, PositionNews
from services.executor.pushes import (
    OrderPushed,
    PositionModePushed,
    PositionPushed,
    Pushed,
)
from services.executor.settings import Timing

_Place = tuple[VenueSymbol, PositionSide]
Positions = tuple[tuple[VenueSymbol, Holding], ...]

_UNPUSHED_MAX = 2
"""One push may be lost; a key that may not read orders logs in too, and is told nothing at all."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    holding: Holding | None
    """None: it was closed a moment ago."""
    position_id: str
    version: int | None
    at: float
    push: ExchangeCall | None = None
    """That told so; None where it was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubted:
    """Why the picture as a whole is not to be trusted."""

    doubt: Doubt
    why: str
    since: float
    """An answer to a question of after this moment, of the book's clock, is to be trusted."""


class Book:
    """Pure but for its clock (monotonic seconds); `pictures.py` feeds it."""

    def __init__(
        self,
        account: AccountId,
        *,
        timing: Timing,
        heard_at: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.orders = OrderNews()
        self.positions = PositionNews()
        self.position_mode: PositionMode | None = None
        """As the exchange told it; None where it has not, or where it may have changed unseen."""
        self.want_correction: Callable[[float], None] = lambda _within_s: None
        """Called with the seconds in which the exchange should be asked."""
        self._timing = timing
        self._heard_at = heard_at
        self._clock = clock
        self._rows: dict[_Place, _Row] = {}
        self._corrected_at: float | None = None
        """None while the pushes are not on, or were on for no whole picture yet."""
        self._open = False
        self._confirmed_at = clock()
        """Begins with the book: an account that was never read grows old too."""
        self._doubted_at: float | None = None
        self._asked_at = self._told_at = self._lost_at = float("-inf")
        self._distrusted: dict[VenueSymbol, float] = {}
        self._unpushed = 0
        """How often in a row an answer has shown what nobody had pushed."""

    # What the rest of the executor asks.

    def holdings(self, symbol: VenueSymbol) -> tuple[Holding, ...] | None:
        """What is held of a symbol now; None where the picture is not to be trusted."""
        if not self.is_live or symbol in self._distrusted:
            return None
        rows = [self._rows.get((symbol, side)) for side in PositionSide]
        doubted_at = self._doubted_at
        if doubted_at is not None and not any(row and row.at >= doubted_at for row in rows):
            return None
        return tuple(row.holding for row in rows if row is not None and row.holding is not None)

    def pushes(self, symbol: VenueSymbol) -> tuple[ExchangeCall, ...]:
        """Those that what is held of a symbol was learnt from."""
        rows = [self._rows.get((symbol, side)) for side in PositionSide]
        return tuple(row.push for row in rows if row is not None and row.push is not None)

    def held_symbols(self) -> frozenset[VenueSymbol]:
        """What the picture shows as held, trusted or not."""
        rows = self._rows.items()
        return frozenset(symbol for (symbol, _), row in rows if row.holding is not None)

    @property
    def is_live(self) -> bool:
        """The pushes are on, heard a moment ago, and a whole picture was read since they are; and
        they tell what happens.
        """
        if not self._open or self._corrected_at is None or self._unpushed >= _UNPUSHED_MAX:
            return False
        now = self._clock()
        return (
            now - self._heard_at() <= self._timing.heard_s
            and now - self._corrected_at <= self._timing.picture_lasts_s
        )

    @property
    def shown(self) -> Positions:
        """What the picture shows, trusted or not."""
        rows = sorted(self._rows.items(), key=lambda row: row[0])
        return tuple((symbol, row.holding) for (symbol, _), row in rows if row.holding is not None)

    @property
    def told_at(self) -> float:
        """When a position was told last, pushed or answered; before all times where none was."""
        return self._told_at

    def doubted(self) -> Doubted | None:
        """The first that there is to say against the whole of the picture; `holdings` says it of
        one symbol.
        """
        found = self._doubted_connection()
        if found is None and self._doubted_at is not None:
            why = "a push is missing, and the exchange was not asked since"
            found = Doubted(doubt=Doubt.GAP, why=why, since=self._doubted_at)
        if found is None and self._distrusted:
            names = ", ".join(sorted(self._distrusted))
            why = f"an order has moved {names}, and the exchange has not told what it led to"
            since = max(self._distrusted.values()) + self._timing.visible_after_s
            found = Doubted(doubt=Doubt.UNCONFIRMED, why=why, since=since)
        return found

    def _doubted_connection(self) -> Doubted | None:
        """As `is_live` judges, with the words for it."""
        now, ever = self._clock(), float("-inf")
        if not self._open:
            why = "the private connection is down: nothing is pushed"
            return Doubted(doubt=Doubt.SOCKET_DOWN, why=why, since=self._lost_at)
        if self._corrected_at is None:
            why = "the exchange has not told the whole picture since the connection is open"
            return Doubted(doubt=Doubt.NEVER_READ, why=why, since=ever)
        if self._unpushed >= _UNPUSHED_MAX:
            why = f"positions have moved {self._unpushed} times without a push"
            return Doubted(doubt=Doubt.DEAF, why=why, since=ever)
        silent_s, unconfirmed_s = now - self._heard_at(), now - self._corrected_at
        if silent_s > self._timing.heard_s:
            why = f"the private connection gives no sign of life for {silent_s:.0f} s"
            return Doubted(doubt=Doubt.SILENT, why=why, since=self._heard_at())
        if unconfirmed_s > self._timing.picture_lasts_s:
            why = f"the exchange has not confirmed the picture for {unconfirmed_s:.0f} s"
            return Doubted(doubt=Doubt.OLD, why=why, since=self._corrected_at)
        return None

    @property
    def is_open(self) -> bool:
        """Pushes come."""
        return self._open

    @property
    def confirmed_s_ago(self) -> float:
        """Since the exchange has last told the whole picture."""
        return self._clock() - self._confirmed_at

    def is_corrected_since(self, monotonic_at: float) -> bool:
        """Whether the exchange was asked, and has answered, since then."""
        return self._asked_at > monotonic_at

    def distrust(self, symbol: VenueSymbol) -> None:
        """Something of ours has moved it, and whether that was pushed is not known: it counts again
        once the exchange has answered to a question of after now.
        """
        self._distrusted[symbol] = self._clock()
        self.want_correction(0.0)

    def ordered(self) -> None:
        """An order of this account has ended: what it led to is looked at again soon."""
        self.want_correction(self._timing.correct_after_order_s)

    # What feeds it.

    def opened(self) -> None:
        """Pushes come from now on."""
        self._open, self._corrected_at, self._doubted_at = True, None, None
        self.position_mode = None
        self.want_correction(0.0)

    def lost(self) -> None:
        """Pushes do not come any more."""
        if self._open:
            self._lost_at = self._clock()
        self._open, self._corrected_at = False, None
        self.position_mode = None
        self.orders.lost()

    def pushed(self, push: Pushed) -> None:
        match push:
            case OrderPushed():
                self.orders.tell(push)
            case PositionPushed():
                self._position_pushed(push)
            case PositionModePushed(mode=mode):
                self.position_mode = mode
            case _:
                assert_never(push)

    def corrected(self, positions: Positions, *, asked_at: float) -> None:
        """What the exchange answered to a question of that time. What was pushed since, or so
        shortly before that the answer may not show it, stays.
        """
        told = {(symbol, held.side): held for symbol, held in positions}
        settled_before = asked_at - self._timing.visible_after_s
        self._told_at = self._clock()
        drifted = []
        for place in told.keys() | self._rows.keys():
            row, held = self._rows.get(place), told.get(place)
            if row is not None and row.at > settled_before:
                continue
            known = row.holding if row is not None else None
            if self._corrected_at is not None and _size(known) != _size(held):
                drifted.append(place)
            if held is None:
                del self._rows[place]
            else:
                version = row.version if row and row.position_id == held.position_id else None
                self._rows[place] = _Row(
                    holding=held, position_id=held.position_id, version=version, at=asked_at
                )
        for symbol, side in drifted:
            _log.warning(
                "picture.corrected", account=self.account, symbol=symbol, position_side=side.value
            )
            self.positions.tell(symbol)
        if drifted:
            self._unpushed += 1
            if self._unpushed == _UNPUSHED_MAX:
                _log.warning("picture.deaf", account=self.account)
        self._distrusted = {
            symbol: at
            for symbol, at in self._distrusted.items()
            if at > asked_at - self._timing.visible_after_s
        }
        if self._open:
            self._asked_at = asked_at
            self._corrected_at = self._confirmed_at = self._clock()
            if self._doubted_at is not None and self._doubted_at <= asked_at:
                self._doubted_at = None

    def _position_pushed(self, push: PositionPushed) -> None:
        self._unpushed, self._told_at = 0, self._clock()
        place = (push.symbol, push.side)
        row = self._rows.get(place)
        if row is not None and row.position_id == push.position_id and _both(row, push):
            assert row.version is not None  # noqa: S101 - `_both` looked
            assert push.version is not None  # noqa: S101
            if push.version < row.version:
                return
            if push.version > row.version + 1:
                self._doubt(push)
        self._rows[place] = _Row(
            holding=push.holding,
            position_id=push.position_id,
            version=push.version,
            at=self._clock(),
            push=push.call,
        )
        self._drop_other_side(push)
        self.positions.tell(push.symbol)

    def _drop_other_side(self, push: PositionPushed) -> None:
        """A position that has changed its side is not held on the other one any more, also where
        nobody says so; and in one-way mode nothing is.
        """
        place = (push.symbol, other(push.side))
        row = self._rows.get(place)
        if row is None or push.holding is None:
            return
        if row.position_id == push.position_id or self.position_mode is PositionMode.ONE_WAY:
            del self._rows[place]

    def _doubt(self, push: PositionPushed) -> None:
        """A push is missing: this one is whole, but others may be missing too."""
        _log.info("picture.gap", account=self.account, symbol=push.symbol, version=push.version)
        self._doubted_at = self._clock()
        self.want_correction(0.0)


def _both(row: _Row, push: PositionPushed) -> bool:
    return row.version is not None and push.version is not None


def _size(holding: Holding | None) -> object:
    return None if holding is None else holding.contracts

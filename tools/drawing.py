"""Draws the table of trade modes for docs/trade-modes.md, from the planner's own answers: for each
mode and signal the position before and after, and the orders between. Nothing is decided here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from xml.sax.saxutils import escape

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Intent
from libs.common.contracts.order import Holding
from libs.common.contracts.words import (
    AccountId,
    Action,
    Effect,
    MarginMode,
    MarketPosition,
    PositionMode,
    PositionSide,
    RouteId,
    TradeMode,
    VenueSymbol,
)
from libs.common.domain.identity import alert_id, intent_id
from libs.common.domain.picture import Picture
from libs.common.domain.planning import Planned, plan_orders
from libs.common.domain.quantity import plain

_LONG, _SHORT = PositionSide.LONG, PositionSide.SHORT
_HELD = {_LONG: Decimal(3), _SHORT: Decimal(0)}
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_ALERT = alert_id(unix_ms=0, random_bits=0)
_ACCOUNT = AccountId("drawing")
_INSTRUMENT = Instrument(
    symbol=VenueSymbol("BTC_USDT"),
    base="BTC",
    quote="USDT",
    contract_size=Decimal("0.0001"),
    step_contracts=Decimal(1),
    minimum_contracts=Decimal(1),
    maximum_contracts=Decimal(1000),
    tick_price=Decimal("0.1"),
    leverage_maximum=100,
    tradable=True,
)


@dataclass(frozen=True, kw_only=True)
class _Signal:
    action: Action
    contracts: int | None
    wanted: MarketPosition
    """Where the same order takes the strategy, which a target route is told."""
    wanted_contracts: int

    @property
    def name(self) -> str:
        return self.action.value if self.contracts is None else f"{self.action} {self.contracts}"

    @property
    def target(self) -> str:
        size = f" {self.wanted_contracts}" if self.wanted_contracts else ""
        return f"{self.wanted}{size}"


_SIGNALS = (
    _Signal(action=Action.BUY, contracts=2, wanted=MarketPosition.LONG, wanted_contracts=5),
    _Signal(action=Action.SELL, contracts=2, wanted=MarketPosition.LONG, wanted_contracts=1),
    _Signal(action=Action.SELL, contracts=5, wanted=MarketPosition.SHORT, wanted_contracts=2),
    _Signal(action=Action.FLAT, contracts=None, wanted=MarketPosition.FLAT, wanted_contracts=0),
)

_LEFT, _TOP, _WIDE, _HIGH, _UNIT = 112, 92, 172, 152, 7
_NAMED = 'role="img" aria-labelledby="title"'
_STYLE = """
.paper{fill:#fff}.ink{fill:#1f2328}.faint{fill:#59636e}.rule{stroke:#d1d9e0}.axis{stroke:#59636e}
.long{fill:#0969da}.short{fill:#bc4c00}.was{fill-opacity:.3}
text{font:13px system-ui,sans-serif}.name{font-weight:600;font-size:15px}.small{font-size:11px}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}.ink{fill:#f0f6fc}.faint{fill:#9198a1}.rule{stroke:#3d444d}.axis{stroke:#9198a1}
.long{fill:#4493f8}.short{fill:#f0883e}.was{fill-opacity:.4}}
""".strip()


def trade_modes() -> str:
    """The picture, as SVG that is legible on light and dark pages."""
    width = _LEFT + len(_SIGNALS) * _WIDE + 8
    height = _TOP + len(TradeMode) * _HIGH + 28
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {_NAMED}>',
        '<title id="title">What each trade mode does with a signal while long 3 is held</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        _text(16, 30, "holding long 3", "ink name"),
        _text(16, 50, "contracts, on an account in hedge mode", "faint small"),
    ]
    for column, signal in enumerate(_SIGNALS):
        x = _LEFT + column * _WIDE + 12
        lines += [_text(x, 80, signal.name, "ink name")]
    for row, mode in enumerate(TradeMode):
        lines += _row(row, mode, width=width)
    lines += [
        _text(
            *(16, height - 12, "pale: before, full: after; above the line long, below it short"),
            "faint small",
        ),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _row(row: int, mode: TradeMode, *, width: int) -> list[str]:
    top = _TOP + row * _HIGH
    lines = [
        f'<line class="rule" x1="8" x2="{width - 8}" y1="{top}" y2="{top}"/>',
        _text(16, top + 62, mode.value, "ink name"),
    ]
    for column, signal in enumerate(_SIGNALS):
        lines += _cell(_LEFT + column * _WIDE + 12, top, mode=mode, signal=signal)
    return lines


def _cell(x: int, top: int, *, mode: TradeMode, signal: _Signal) -> list[str]:
    planned = _planned(mode, signal)
    legs = [f"{leg.effect} {leg.position_side} {plain(leg.contracts)}" for leg in planned.legs]
    after = dict(_HELD)
    for leg in planned.legs:
        signed = leg.contracts if leg.effect is Effect.OPEN else -leg.contracts
        after[leg.position_side] += signed
    middle = top + 60
    lines = [
        f'<line class="axis" x1="{x}" x2="{x + 92}" y1="{middle}" y2="{middle}"/>',
        *_bars(x + 8, middle, _HELD, was=True),
        *_bars(x + 52, middle, after, was=False),
    ]
    if mode is TradeMode.TARGET:
        lines.append(_text(x + 98, middle + 4, f"to {signal.target}", "faint small"))
    for number, leg_said in enumerate(legs or ["nothing"]):
        lines.append(_text(x, top + 124 + number * 17, leg_said, "ink"))
    return lines


def _bars(x: int, middle: int, held: dict[PositionSide, Decimal], *, was: bool) -> list[str]:
    lines = []
    for side, contracts in held.items():
        if not contracts:
            continue
        tall = int(contracts) * _UNIT
        y = middle - tall if side is _LONG else middle
        worn = f"{side.value} was" if was else side.value
        lines.append(f'<rect class="{worn}" x="{x}" y="{y}" width="28" height="{tall}"/>')
        at = y - 3 if side is _LONG else y + tall + 11
        lines.append(_text(x + 11, at, plain(contracts), "faint small" if was else "ink small"))
    if not any(held.values()):
        lines.append(_text(x + 11, middle - 3, "0", "ink small"))
    return lines


def _planned(mode: TradeMode, signal: _Signal) -> Planned:
    action, contracts = signal.action, signal.contracts
    if mode is TradeMode.TARGET:
        action, contracts = Action.TARGET, signal.wanted_contracts or None
    intent = Intent(
        intent_id=intent_id(alert=_ALERT, account=_ACCOUNT),
        alert_id=_ALERT,
        route=RouteId("drawing"),
        account=_ACCOUNT,
        symbol=_INSTRUMENT.symbol,
        at=_AT,
        received_at=_AT,
        action=action,
        contracts=None if contracts is None else Decimal(contracts),
        wanted=signal.wanted if action is Action.TARGET else None,
        trade_mode=mode,
        margin_mode=MarginMode.CROSS,
        leverage=10,
        max_age_s=30,
        instrument=_INSTRUMENT,
    )
    holdings = tuple(
        Holding(
            side=side,
            contracts=contracts,
            free_contracts=contracts,
            average_price=Decimal(50_000),
            margin_mode=MarginMode.CROSS,
            leverage=10,
            position_id=side.value,
        )
        for side, contracts in _HELD.items()
        if contracts
    )
    planned = plan_orders(intent, Picture(holdings=holdings, position_mode=PositionMode.HEDGE))
    if not isinstance(planned, Planned):
        raise TypeError(f"{mode} {signal.name}: {planned.message}")
    return planned


def _text(x: int, y: int, text: str, worn: str) -> str:
    return f'<text x="{x}" y="{y}" class="{worn}">{escape(text)}</text>'

"""What a body asks for where it may carry an action, a wanted position, or both.

The alert's own `trade_type` decides between the two, then a route of trade mode target. Where
neither does, the body could mean two things, and the refusal names both.
"""

from dataclasses import dataclass

from libs.common.contracts.words import Action, MarketPosition, TradeMode
from services.ingest.fields import read_amount, read_word, sent_name, sent_text
from services.ingest.objects import Body
from services.ingest.refusals import ambiguous, invalid, missing, target_missing
from services.ingest.targets import TEMPLATE, Position, direction, read_previous, read_target
from services.ingest.vocabulary import (
    ACTION,
    ACTIONS,
    CLOSE_SIDE,
    INVERSE,
    QUANTITY,
    SIDES,
    TRADE_TYPE,
    TRADE_TYPES,
)

CHANGING = frozenset({Action.MODIFY, Action.BREAKEVEN, Action.CANCEL})
"""Actions that make no order of their own."""
_DIRECTIONS = {Action.BUY: 1, Action.SELL: -1}
_CLOSED_SIDES = {Action.CLOSE_LONG: "long", Action.CLOSE_SHORT: "short"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    action: Action
    target: Position | None
    """Of action `target` alone."""
    previous: Position | None
    trade_mode: TradeMode | None
    inverse: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """What the body says, before it is decided which of it counts."""

    body: Body
    action: Action | None
    target: Position | None
    previous: Position | None
    trade_mode: TradeMode | None
    route_mode: TradeMode

    @property
    def field(self) -> str:
        return sent_name(self.body, ACTION)

    @property
    def word(self) -> str:
        return sent_text(self.body, ACTION).lower()

    @property
    def moves(self) -> bool:
        """Whether a position is what counts, by the alert's word or else the route's."""
        return (self.trade_mode or self.route_mode) is TradeMode.TARGET


def read_meaning(body: Body, *, route_mode: TradeMode) -> Meaning:
    trade_type = read_word(body, TRADE_TYPE, TRADE_TYPES)
    told = _Told(
        body=body,
        action=read_word(body, ACTION, ACTIONS),
        target=read_target(body),
        previous=read_previous(body),
        trade_mode=trade_type if isinstance(trade_type, TradeMode) else None,
        route_mode=route_mode,
    )
    _check_close_side(told)
    action = _action(told)
    return Meaning(
        action=action,
        target=told.target if action is Action.TARGET else None,
        previous=told.previous,
        trade_mode=told.trade_mode,
        inverse=trade_type == INVERSE,
    )


def _action(told: _Told) -> Action:
    if told.target is None:
        return _action_alone(told)
    if told.action is None:
        return _target_alone(told)
    _check_direction(told, told.action, told.target)
    if told.action in CHANGING:
        # A position to move to is no part of these: only the alert's own word can set it aside.
        if told.trade_mode in {None, TradeMode.TARGET}:
            raise _two_readings(told, told.target, cure="leave out the position")
        return told.action
    if told.moves:
        return Action.TARGET
    if told.trade_mode is not None:
        return told.action
    if told.target.side is MarketPosition.FLAT and _closes_all(told):
        return told.action
    cure = "send one of them, or trade_type target for the position and netting for the action"
    raise _two_readings(told, told.target, cure=cure)


def _action_alone(told: _Told) -> Action:
    if told.action is None:
        message = (
            f"order_action must be one of {ACTIONS}; or the body must have the target template:"
            f" {TEMPLATE}."
        )
        raise missing(field=ACTION[0], message=message)
    if told.action in _DIRECTIONS and told.moves:
        told_by = "the alert's trade_type" if told.trade_mode else "the route's trade_mode"
        message = (
            f"market_position must be given, because {told_by} is target, which moves to a"
            f" position; {told.field} {told.word} alone does not say which. Send {TEMPLATE}."
        )
        raise target_missing(field="market_position", message=message, value=told.word)
    return told.action


def _target_alone(told: _Told) -> Action:
    if told.trade_mode in {None, TradeMode.TARGET}:
        return Action.TARGET
    field = sent_name(told.body, TRADE_TYPE)
    assert told.target is not None  # noqa: S101 - its only caller has asked
    message = (
        f"{field} {told.trade_mode} must come with order_action; {told.target.field} alone asks to"
        f' move to {told.target}, which is {field} "target".'
    )
    raise invalid(field=field, message=message, value=told.trade_mode.value)


def _check_direction(told: _Told, action: Action, target: Position) -> None:
    """Refuse a buy whose own fields say that the position shrank, and the like."""
    if told.previous is None or action not in _DIRECTIONS:
        return
    way = direction(told.previous, target)
    if way is None or way == _DIRECTIONS[action]:
        return
    if told.moves and told.word == target.side.value:
        # `order_action` filled with the position's word: it names the side, not the way there.
        return
    raise ambiguous(
        field=told.field,
        value=f"{told.word} / {told.previous} / {target}",
        because=f"{told.field} {told.word} does not lead from {told.previous} to {target}",
        readings=(_reading(told), f"move to {target}"),
        cure=f"leave out {told.field}; or leave out {target.field} and send the strategy's"
        " {{strategy.order.action}}",
    )


def _check_close_side(told: _Told) -> None:
    side = read_word(told.body, CLOSE_SIDE, SIDES)
    if side is None:
        return
    closed = "both sides" if told.action is Action.CLOSE_ALL else None
    if told.action in _CLOSED_SIDES and _CLOSED_SIDES[told.action] != side.value:
        closed = _CLOSED_SIDES[told.action]
    if closed is None:
        return
    field = sent_name(told.body, CLOSE_SIDE)
    raise ambiguous(
        field=field,
        value=f"{told.word} / {side.value}",
        because=f"{field} {side.value} does not fit {told.field} {told.word}",
        readings=(f"close {closed}", f"close {side.value}"),
        cure=f"send flat with {field} for one side, or leave out {field}",
    )


def _two_readings(told: _Told, target: Position, *, cure: str) -> Exception:
    return ambiguous(
        field=told.field,
        value=f"{told.word} / {target}",
        because=f"{told.field} and {target.field} both say what to do",
        readings=(_reading(told), f"move to {target}"),
        cure=cure,
    )


def _closes_all(told: _Told) -> bool:
    amount = read_amount(told.body, QUANTITY)
    in_part = amount is not None and amount.is_percent
    return told.action in {Action.FLAT, Action.CLOSE_ALL} and not in_part


def _reading(told: _Told) -> str:
    amount = read_amount(told.body, QUANTITY)
    if amount is None or not (amount.is_percent or told.action in _DIRECTIONS):
        return told.word
    return f"{told.word} {amount}"

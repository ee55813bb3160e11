"""Trailing orders: placed, changed, canceled, followed, fired.

A track that sells follows the price up and fires when it falls back from the highest; one that buys
follows it down and fires when it rises from the lowest. Where there is an `active_price` it starts
to follow only when the price has come to it, from below for sellers and from above for buyers.
"""

from decimal import Decimal

from tools.paper_exchange.engine.checking import asked_order, check_volume, checked_order
from tools.paper_exchange.engine.commands import DuplicateRule, PlaceOrder
from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.ordering import admit, next_id
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account
from tools.paper_exchange.engine.triggers.checking import (
    check_count,
    check_terms,
    check_trend,
    check_trigger_price,
    reference,
)
from tools.paper_exchange.engine.triggers.commands import CancelTracks, ChangeTrack, PlaceTrack
from tools.paper_exchange.engine.triggers.keeping import cancel_listed, changed, keep, retire
from tools.paper_exchange.engine.triggers.state import ZERO, TrackOrder
from tools.paper_exchange.engine.triggers.words import BackType, TrackState
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import OrderType

_BACK_TYPES = frozenset(BackType)


def place_track(turn: Turn, command: PlaceTrack) -> int:
    account = turn.state.accounts[command.account_id]
    order = check_terms(
        turn,
        account,
        PlaceOrder(
            at_ms=command.at_ms,
            account_id=command.account_id,
            symbol=command.symbol,
            side=command.side,
            type=OrderType.MARKET,
            vol=command.vol,
            open_type=command.open_type,
            leverage=command.leverage,
            position_mode=command.position_mode,
            reduce_only=command.reduce_only,
        ),
    )
    contract = turn.contract(order.symbol)
    trend = check_trend(command.trend)
    _check_back(contract, command)
    check_count(account, contract, account.triggers.tracks)
    track = TrackOrder(
        id=next_id(turn),
        symbol=order.symbol,
        side=order.side,
        vol=order.vol,
        leverage=command.leverage,
        open_type=order.open_type,
        position_mode=order.position_mode,
        reduce_only=order.reduce_only,
        trend=trend,
        active_price=command.active_price,
        back_type=BackType(command.back_type),
        back_value=command.back_value,
        created_ms=turn.at_ms,
        updated_ms=turn.at_ms,
    )
    keep(turn, account, track)
    return track.id


def change_track(turn: Turn, command: ChangeTrack) -> int:
    account = turn.state.accounts[command.account_id]
    track = account.triggers.tracks.open.get(command.track_id)
    if track is None or track.symbol != command.symbol:
        raise Refused(3006 if command.track_id in account.triggers.tracks.finished else 2040)
    contract = turn.contract(track.symbol)
    trend = check_trend(command.trend)
    _check_back(contract, command)
    order = asked_order(_order_from(turn, account, track))
    order.vol = command.vol
    check_volume(turn, contract, order=order)
    track.vol, track.trend = command.vol, trend
    track.active_price = command.active_price
    track.back_type, track.back_value = BackType(command.back_type), command.back_value
    track.state, track.extreme, track.trigger_price = TrackState.INACTIVE, ZERO, ZERO
    changed(turn, account, track)
    turn.wake(track.symbol)
    return track.id


def cancel_tracks(turn: Turn, command: CancelTracks) -> int:
    account = turn.state.accounts[command.account_id]
    shelf = account.triggers.tracks
    return cancel_listed(turn, account, shelf, ids=command.track_ids, state=TrackState.CANCELED)


def follow(turn: Turn, account: Account, track: TrackOrder) -> bool:
    """Go along with the price; whether it has come back far enough to fire."""
    price = reference(turn.price(track.symbol), track.trend)
    if track.state is TrackState.INACTIVE:
        if not _is_active(track, price):
            return False
        track.state = TrackState.ACTIVE
        _move(turn, account, track, extreme=price)
    elif price < track.extreme if track.side.is_buy else price > track.extreme:
        _move(turn, account, track, extreme=price)
    if track.side.is_buy:
        return price >= track.trigger_price
    return price <= track.trigger_price


def fire_track(turn: Turn, account: Account, track: TrackOrder) -> None:
    """Place the order at market, or note why that cannot be."""
    try:
        order = checked_order(turn, account, command=_order_from(turn, account, track))
    except Refused as refused:
        retire(turn, account, track, state=TrackState.FAILED, error=refused.code)
        return
    retire(turn, account, track, state=TrackState.EXECUTED)
    admit(turn, account, order)
    track.order_id = order.id


def _is_active(track: TrackOrder, price: Decimal) -> bool:
    if not track.active_price:
        return True
    return price <= track.active_price if track.side.is_buy else price >= track.active_price


def _move(turn: Turn, account: Account, track: TrackOrder, *, extreme: Decimal) -> None:
    track.extreme = extreme
    back = track.back_value
    if track.back_type is BackType.SHARE:
        back *= extreme
    price = extreme + back if track.side.is_buy else extreme - back
    tick = turn.contract(track.symbol).price_unit
    # At least one tick away, or it would fire where it stands.
    rounded = (price / tick).to_integral_value() * tick
    if rounded == extreme:
        rounded += tick if track.side.is_buy else -tick
    track.trigger_price = rounded
    changed(turn, account, track)


def _check_back(contract: Contract, command: PlaceTrack | ChangeTrack) -> None:
    if command.back_type not in _BACK_TYPES:
        raise Refused(600)
    share = command.back_type == BackType.SHARE
    if command.back_value <= 0 or (share and command.back_value >= 1):
        raise Refused(600)
    if command.active_price:
        check_trigger_price(contract, command.active_price)


def _order_from(turn: Turn, account: Account, track: TrackOrder) -> PlaceOrder:
    return PlaceOrder(
        at_ms=turn.at_ms,
        account_id=account.id,
        symbol=track.symbol,
        side=track.side,
        type=OrderType.MARKET,
        vol=track.vol,
        open_type=track.open_type,
        leverage=track.leverage,
        position_mode=track.position_mode,
        reduce_only=track.reduce_only,
        external_oid=f"trackorder_{track.id}_1",
        duplicates=DuplicateRule.ACCEPT,
    )

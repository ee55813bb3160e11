"""Private endpoints about positions: what is held and was held, its margin, closing and turning."""

from typing import Any

from tools.paper_exchange.engine.commands import (
    ChangeMargin,
    CloseAll,
    ReversePosition,
    SetAutoAdd,
    SetPositionMode,
)
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import FundingRecord
from tools.paper_exchange.numbers import number, sane
from tools.paper_exchange.rest.bodies import (
    AutoAddBody,
    MarginBody,
    ModeBody,
    ReverseBody,
    decoded,
)
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.pages import page_shape
from tools.paper_exchange.rest.shapes import position_shape
from tools.paper_exchange.venue import Venue

_SIGNS = {"ADD": 1, "SUB": -1}


def open_positions(venue: Venue, call: Call) -> list[dict[str, Any]]:
    symbol = call.params.get("symbol")
    position_id = call.whole_number("positionId", default=0)
    return [
        position_shape(venue, call.account, position)
        for position in call.account.positions.values()
        if (not symbol or position.symbol == symbol)
        and (not position_id or position.id == position_id)
    ]


def history_positions(venue: Venue, call: Call) -> list[dict[str, Any]]:
    """Newest first, as a bare list. Both names of the position type are in use."""
    symbol = call.params.get("symbol")
    kind = call.whole_number("type", default=call.whole_number("position_type", default=0))
    earliest, latest = _times(call)
    found = [
        position
        for position in reversed(call.account.closed_positions)
        if (not symbol or position.symbol == symbol)
        and kind in {0, position.type}
        and earliest <= position.updated_ms
        and (not latest or position.updated_ms <= latest)
    ]
    page: list[dict[str, Any]] = page_shape(
        call,
        found,
        shape=lambda position: (
            position_shape(venue, call.account, position) | {"positionShowStatus": "CLOSED"}
        ),
    )["resultList"]
    return page


def funding_records(_venue: Venue, call: Call) -> dict[str, Any]:
    symbol = call.params.get("symbol")
    position_id = call.whole_number("position_id", default=0)
    kind = call.whole_number("position_type", default=0)
    earliest, latest = _times(call)
    found = [
        record
        for record in reversed(call.account.funding_records)
        if (not symbol or record.symbol == symbol)
        and position_id in {0, record.position_id}
        and kind in {0, record.type}
        and earliest <= record.at_ms
        and (not latest or record.at_ms <= latest)
    ]
    return page_shape(call, found, shape=_funding_shape)


def change_margin(venue: Venue, call: Call) -> None:
    body = decoded(call.body, MarginBody)
    sign = _SIGNS.get(body.type)
    if sign is None or sane(body.amount) <= 0:
        raise Refused(600)
    venue.apply(
        ChangeMargin(
            at_ms=call.now_ms,
            account_id=call.account.id,
            position_id=body.position_id,
            amount=sign * body.amount,
        )
    )


def change_auto_add(venue: Venue, call: Call) -> None:
    body = decoded(call.body, AutoAddBody)
    venue.apply(
        SetAutoAdd(
            at_ms=call.now_ms,
            account_id=call.account.id,
            position_id=body.position_id,
            enabled=body.is_enabled,
        )
    )


def close_all(venue: Venue, call: Call) -> list[Any]:
    """Always an empty list: what could not be closed is told by a push."""
    venue.apply(CloseAll(at_ms=call.now_ms, account_id=call.account.id))
    return []


def reverse(venue: Venue, call: Call) -> None:
    body = decoded(call.body, ReverseBody)
    venue.apply(
        ReversePosition(
            at_ms=call.now_ms,
            account_id=call.account.id,
            symbol=body.symbol,
            position_id=body.position_id,
            vol=None if body.vol is None else sane(body.vol),
        )
    )


def position_mode(_venue: Venue, call: Call) -> int:
    return call.account.position_mode


def change_position_mode(venue: Venue, call: Call) -> None:
    mode = decoded(call.body, ModeBody).position_mode
    venue.apply(SetPositionMode(at_ms=call.now_ms, account_id=call.account.id, position_mode=mode))


def _times(call: Call) -> tuple[int, int]:
    # Both spellings are in use.
    earliest = call.whole_number("start_time", default=call.whole_number("startTime", default=0))
    latest = call.whole_number("end_time", default=call.whole_number("endTime", default=0))
    return earliest, latest


def _funding_shape(record: FundingRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "symbol": record.symbol,
        "positionId": record.position_id,
        "positionType": record.type,
        "positionValue": number(record.value),
        "funding": number(record.amount),
        "rate": number(record.rate),
        "settleTime": record.at_ms,
    }

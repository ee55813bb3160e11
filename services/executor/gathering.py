"""Gathers the picture that a plan is made from: what is held, from the live picture where that may
be trusted, and what else the intent needs, asked of the exchange side by side.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from libs.common.contracts.intent import Intent
from libs.common.contracts.order import ExchangeCall
from libs.common.domain.picture import Need, Picture, needs
from services.executor.accounts import Connected
from services.executor.exchange import Holdings, QueryFailed, Told
from services.executor.resting import RestingOrders

T = TypeVar("T")
U = TypeVar("U", bound="Holdings | Told[Any]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    picture: Picture
    calls: tuple[ExchangeCall, ...]
    """In the order of what is told here, not of time."""
    live: bool
    """What is held was not asked for: the exchange had told it by itself."""


async def gather_picture(
    intent: Intent, *, connected: Connected, resting: RestingOrders, live: bool
) -> Gathered:
    """`live`: the live picture may be used. Raises `QueryFailed` where any question was not
    answered.
    """
    answered: list[ExchangeCall] = []
    try:
        return await _gather(
            intent, connected=connected, resting=resting, live=live, answered=answered
        )
    except* QueryFailed as failures:
        failed = failures
    raise _most_final(failed, answered=answered)


async def _gather(
    intent: Intent,
    *,
    connected: Connected,
    resting: RestingOrders,
    live: bool,
    answered: list[ExchangeCall],
) -> Gathered:
    exchange, symbol, book = connected.exchange, intent.symbol, connected.book
    wanted = needs(intent)
    pushed = book.holdings(symbol) if live else None
    # What a canceled order has frozen may be pushed as free a moment late: what looks frozen is
    # asked for, since a close could not take it.
    live = pushed is not None and all(one.free_contracts == one.contracts for one in pushed)
    if pushed is not None and live and not wanted:
        mode = book.position_mode or connected.account.position_mode
        picture = Picture(holdings=pushed, position_mode=mode)
        return Gathered(picture=picture, calls=book.pushes(symbol), live=True)
    async with asyncio.TaskGroup() as group:

        def asked(
            need: Need, question: Coroutine[Any, Any, Told[T]]
        ) -> asyncio.Task[Told[T]] | None:
            if need in wanted:
                return group.create_task(_noting(question, answered))
            question.close()
            return None

        held = None if live else _noting(exchange.holdings(symbol), answered)
        asked_holdings = None if held is None else group.create_task(held)
        prices = asked(Need.PRICES, exchange.prices(symbol))
        equity = asked(Need.EQUITY, exchange.equity(intent.instrument.quote))
        pending = asked(Need.PENDING, exchange.pending(symbol))
        protectives = asked(Need.PROTECTIVES, exchange.protectives(symbol))
        trails = asked(Need.TRAILS, exchange.trails(symbol))
    told = [task.result() for task in (prices, equity, pending, protectives, trails) if task]
    # The latest that was pushed, as old as the other answers at most.
    pushed = book.holdings(symbol) if live else None
    held_calls = book.pushes(symbol)
    if pushed is None:
        answer = asked_holdings.result() if asked_holdings else await exchange.holdings(symbol)
        pushed, held_calls, live = answer.holdings, answer.calls, False
    picture = Picture(
        holdings=pushed,
        position_mode=book.position_mode or connected.account.position_mode,
        prices=prices.result().value if prices else None,
        equity=equity.result().value if equity else None,
        pending=await resting.labelled(
            pending.result().value, account=intent.account, symbol=symbol
        )
        if pending
        else (),
        protectives=protectives.result().value if protectives else (),
        trails=trails.result().value if trails else (),
    )
    calls = (*held_calls, *(call for each in told for call in each.calls))
    return Gathered(picture=picture, calls=calls, live=live)


async def _noting(question: Coroutine[Any, Any, U], answered: list[ExchangeCall]) -> U:
    told = await question
    answered += told.calls
    return told


def _most_final(
    failures: BaseExceptionGroup[QueryFailed], *, answered: list[ExchangeCall]
) -> QueryFailed:
    """Of several failures one that asking again does not mend, where there is one; with all that
    was asked beside it.
    """
    flat = [failure for failure in failures.exceptions if isinstance(failure, QueryFailed)]
    final = next((failure for failure in flat if not failure.retryable), flat[0])
    beside = [call for failure in flat if failure is not final for call in failure.calls]
    final.earlier = (*answered, *beside, *final.earlier)
    return final

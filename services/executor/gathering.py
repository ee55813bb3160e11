"""Gathers the picture that a plan is made from: what is held, and what else the intent needs, asked
of the exchange side by side.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from libs.common.contracts.intent import Intent
from libs.common.contracts.order import ExchangeCall
from libs.common.domain.picture import Need, Picture, needs
from services.executor.accounts import Connected
from services.executor.exchange import QueryFailed, Told
from services.executor.resting import RestingOrders

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    picture: Picture
    calls: tuple[ExchangeCall, ...]
    """In the order of what is told here, not of time."""


async def gather_picture(
    intent: Intent, *, connected: Connected, resting: RestingOrders
) -> Gathered:
    """Raises `QueryFailed` where any question was not answered."""
    try:
        return await _gather(intent, connected=connected, resting=resting)
    except* QueryFailed as failures:
        failed = failures
    raise _most_final(failed)


async def _gather(intent: Intent, *, connected: Connected, resting: RestingOrders) -> Gathered:
    exchange, symbol = connected.exchange, intent.symbol
    wanted = needs(intent)
    async with asyncio.TaskGroup() as group:

        def asked(
            need: Need, question: Coroutine[Any, Any, Told[T]]
        ) -> asyncio.Task[Told[T]] | None:
            if need in wanted:
                return group.create_task(question)
            question.close()
            return None

        holdings = group.create_task(exchange.holdings(symbol))
        prices = asked(Need.PRICES, exchange.prices(symbol))
        equity = asked(Need.EQUITY, exchange.equity(intent.instrument.quote))
        pending = asked(Need.PENDING, exchange.pending(symbol))
        protectives = asked(Need.PROTECTIVES, exchange.protectives(symbol))
        trails = asked(Need.TRAILS, exchange.trails(symbol))
    told = [task.result() for task in (prices, equity, pending, protectives, trails) if task]
    held = holdings.result()
    picture = Picture(
        holdings=held.holdings,
        position_mode=connected.account.position_mode,
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
    calls = (*held.calls, *(call for each in told for call in each.calls))
    return Gathered(picture=picture, calls=calls)


def _most_final(failures: BaseExceptionGroup[QueryFailed]) -> QueryFailed:
    """Of several failures one that asking again does not mend, where there is one."""
    flat = [failure for failure in failures.exceptions if isinstance(failure, QueryFailed)]
    return next((failure for failure in flat if not failure.retryable), flat[0])

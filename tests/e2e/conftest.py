"""What the tests on the running stack start each time with; the stack is tests/conftest.py's."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.own_routes import OwnRoutes
from tests.e2e.running_stack import RunningStack, Trader, trading


@pytest.fixture
async def trader(stack: RunningStack) -> AsyncIterator[Trader]:
    async with trading(stack) as found:
        yield found


@pytest.fixture
async def routes(trader: Trader) -> AsyncIterator[OwnRoutes]:
    own = OwnRoutes(trader)
    yield own
    await own.take_back()

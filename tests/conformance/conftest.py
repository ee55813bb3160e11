"""The stands as one fixture: each test runs at every implementation."""

import pytest

from tests.conformance.stands import STANDS


@pytest.fixture(params=STANDS)
async def stand(request):
    async with STANDS[request.param](request.node.originalname) as stand:
        yield stand

"""Ends tasks for certain. In Python 3.11 `asyncio.wait_for`, which client libraries use, swallows a
cancellation that comes together with what was waited for, and the task goes on.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_AFTER_S = 0.5


async def cancelled(tasks: "Iterable[asyncio.Future[Any]]") -> None:
    """Cancel them until all have ended, however they did."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_AFTER_S)

"""What the exchange does by itself beside answering calls: named jobs of the event loop. One that
fails ends, is logged, and its failure can be asked for.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

_log = structlog.get_logger()


class Jobs:
    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, str] = {}

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Do the work; whatever went by the same name is stopped."""
        self.stop(name)
        self._failures.pop(name, None)
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)

    def stop(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def runs(self, name: str) -> bool:
        return name in self._tasks

    def failure(self, name: str) -> str | None:
        return self._failures.get(name)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = task.get_name()
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._failures[name] = f"{type(error).__name__}: {error}"
            _log.error("paper_exchange.job_failed", job=name, exc_info=error)

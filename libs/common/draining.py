"""How a server leaves without anybody being refused (docs/decisions/0039).

Whoever spreads requests over several processes learns late that one of them ends: Kubernetes takes
it from its Service some time after SIGTERM. So a process that is to end says first that it is not
ready, goes on accepting and answering for a while, and lets each connection end with its next
answer. Only then does it stop listening; who has connected by then is still heard.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
import uvicorn

from libs.common.health import Health

HEARD_OUT_S = 1.0
"""So long a new connection may take to ask something once nothing more is accepted."""
_LOOK_S = 0.02

_log = structlog.get_logger()


class Draining:
    """Of one server; `for_s` is 0 where nothing has to be waited for."""

    def __init__(self, health: Health, *, for_s: float) -> None:
        self._health = health
        self._for_s = for_s
        self._begun = False

    def closing(self, app: Any) -> Any:
        """The application, whose connections end with their next answer once this has begun."""

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            if self._begun:
                # The server's own word for it: it then says so, and closes behind the answer.
                send.__self__.keep_alive = False
            await app(scope, receive, send)

        return answer

    async def wait(self, connections: set[Any]) -> None:
        """Not ready from now on, and answering all the same, until the time is over."""
        if self._for_s <= 0:
            return
        self._begun = True
        self._health.add("stop", lambda: "ending: ask another process")
        for connection in connections:
            if connection.cycle is not None:
                connection.cycle.keep_alive = False
        _log.info("process.draining", seconds=self._for_s, connections=len(connections))
        await asyncio.sleep(self._for_s)


async def hear_out(
    connections: set[Any], *, are_more_coming: Callable[[], bool] = lambda: False
) -> None:
    """Until everybody who has connected has asked something, or has had the time to; more come
    where hands are still shaken.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + HEARD_OUT_S
    while loop.time() < give_up_at:
        if not are_more_coming() and all(each.cycle is not None for each in connections):
            return
        await asyncio.sleep(_LOOK_S)


def protocol_of(server: uvicorn.Server) -> asyncio.Protocol:
    """For one more connection of a server that has begun to shut down."""
    made: asyncio.Protocol = server.config.http_protocol_class(  # type: ignore[call-arg]
        config=server.config, server_state=server.server_state, app_state=server.lifespan.state
    )
    return made

"""An alert that came once, decided again under today's settings: asked of the running services, as
an explanation is. Nothing is sent, and the trail stays as it is.
"""

from libs.common.bus import Bus
from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.words import AlertId
from services.console.comparing import arrival_of, compared
from services.console.documents import Document
from services.console.explaining import Explaining
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.trail import Row, Trail


class Replaying:
    def __init__(self, bus: Bus, *, registry: Registry, trail: Trail) -> None:
        self._bus = bus
        self._registry = registry
        self._trail = trail

    async def replay(self, alert: AlertId) -> Document:
        """What would be decided today, and how that differs; a 404 where the trail knows nothing of
        it or its route is gone, a 422 where there is nothing to decide again.
        """
        rows: list[Row] = (await self._trail.events([alert]))[alert]
        if not rows:
            raise Problem(404, f"The trail knows no alert {alert}.")
        arrived = arrival_of(rows)
        if arrived is None:
            raise Problem(422, "A halt closed by this; it came from no alert, so there is no body.")
        if isinstance(arrived, AlertRefused) and not arrived.body:
            raise Problem(422, "Its body was not kept, so it cannot be decided again.")
        route = (await self._registry.routes.find(arrived.route)).value
        came_at = arrived.at
        explaining = Explaining(self._bus, now=lambda: came_at)
        return compared(rows, await explaining.explain(arrived.body.encode(), route))

"""All router shards, as far as this process has them: for each a lease to contend for, a consumer,
and a router with a memory of its own.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.contracts import subjects
from libs.common.contracts.presence import Role
from libs.common.contracts.words import RouteId
from libs.common.owned_consumer import OwnedConsumer
from libs.common.router_shards import router_consumer
from services.router.generation import Generation
from services.router.handler import Router, lane_of
from services.router.replicas import Replicas
from services.router.sharing import FairShare

MakeRouter = Callable[[Callable[[], bool]], Router]
"""Makes one that asks, before it tells what it decided, whether the shard is certainly its own."""


class Shards:
    def __init__(
        self, bus: Bus, *, shards: int, executor_shards: int, make_router: MakeRouter
    ) -> None:
        self._shards = shards
        self._generation = Generation(bus, shards=shards, executor_shards=executor_shards)
        self._sharing = FairShare(lambda: self._replicas, shards=shards)
        self._replicas = Replicas(
            bus,
            shards=shards,
            held=self._sharing.held,
            able=lambda: self._generation.problem() is None,
        )
        self._consumers = [self._consumer(bus, shard, make_router) for shard in range(shards)]

    def missing(self) -> str | None:
        """A readiness check."""
        problem = self._generation.problem()
        if problem is not None:
            return problem
        return "; ".join(filter(None, (each.missing() for each in self._consumers))) or None

    def roles(self) -> list[tuple[Role, str]]:
        """What this process is to each shard."""
        return [each.ownership.role() for each in self._consumers]

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._generation.look()
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._generation.follow())
            if self._shards > 1:
                group.create_task(self._tell(stop))
            await asyncio.gather(*(each.run(stop) for each in self._consumers))
            await cancelled([looking])

    async def _tell(self, stop: asyncio.Event) -> None:
        # The others hear of the end at its beginning: they take each shard as it is given back.
        following = asyncio.ensure_future(self._replicas.follow())
        try:
            await stop.wait()
        finally:
            await cancelled([following])

    def _consumer(self, bus: Bus, shard: int, make_router: MakeRouter) -> OwnedConsumer:
        def is_certain() -> bool:
            return consumer.is_certain()

        router = make_router(is_certain)
        consumer = OwnedConsumer(
            bus,
            durable=router_consumer(shard, shards=self._shards),
            handler=router.handle,
            lane_of=lane_of,
            on_tenure=router.begin,
            is_ours=partial(is_of_shard, shard=shard, shards=self._shards),
            admitted=self._generation.admitted,
            barred=self._generation.problem,
            sharing=self._sharing if self._shards > 1 else None,
        )
        return consumer


def is_of_shard(subject: str, *, shard: int, shards: int) -> bool:
    """Whether an alert of that subject is of a shard's routes."""
    keys = subjects.parse(subject).keys
    route = RouteId(keys[0]) if keys else RouteId("")
    return subjects.shard_of(route, shards=shards) == shard

"""Which shards this router takes and gives, so that all routers have about as many each. One that
nobody takes is taken all the same: a share is a wish, and an alert has to be decided.
"""

import time
from collections.abc import Callable

from services.router.fairness import share, surplus
from services.router.replicas import Replicas

LEFT_FOR_S = 5.0
"""So long a shard that is free is left to those who should have it."""
KEPT_FOR_S = 15.0
"""One that was taken out of turn is kept for so long: who should have had it did not take it."""


class FairShare:
    def __init__(
        self,
        replicas: Callable[[], Replicas],
        *,
        shards: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replicas = replicas
        self._shards = shards
        self._clock = clock
        self._held: dict[str, float] = {}
        """With the time until which it is kept."""

    def held(self) -> int:
        return len(self._held)

    def takes(self, name: str, *, free_s: float, gone: str | None) -> bool:
        if gone is not None:
            self._replicas().forget(gone)
        out_of_turn = self.held() >= self._share()
        if out_of_turn and free_s < LEFT_FOR_S:
            return False
        self._held[name] = self._clock() + KEPT_FOR_S if out_of_turn else 0.0
        self._replicas().tell()
        return True

    def leaves(self, name: str) -> None:
        self._held.pop(name, None)
        self._replicas().tell()

    def gives(self, name: str) -> str | None:
        now, mine = self._clock(), self._share()
        if self.held() <= mine:
            return None
        movable = [each for each, kept_until in self._held.items() if kept_until <= now]
        if name in surplus(movable, share=mine):
            return f"{self.held()} of {self._shards} shards are more than a share of {mine}"
        return None

    def _share(self) -> int:
        replicas = self._replicas()
        return share(replicas.me, has=replicas.has(), shards=self._shards)

"""Tells whoever asks that this process is there, and what it misses, from the moment that it is
connected: not being ready is when somebody wants to know (docs/decisions/0024).
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from libs.common.asking import answer, answering
from libs.common.bus import Bus
from libs.common.contracts import presence, subjects
from libs.common.contracts.presence import Presence, Role
from libs.common.health import Health
from libs.common.metrics import release
from libs.common.processes import this_process


@contextlib.asynccontextmanager
async def present(bus: Bus, health: Health) -> AsyncIterator[None]:
    """While the block runs, every process answers for itself: no queue group."""

    def tell(_asked: str, reply: str, _payload: bytes) -> None:
        answer(bus, reply, presence.encode(presence_of(health, now=datetime.now(UTC))))

    async with answering(bus, subjects.PRESENCE_ASKED, tell):
        yield


def presence_of(health: Health, *, now: datetime) -> Presence:
    process = this_process()
    missing = health.missing()
    roles = health.roles()
    role, work = _together(roles)
    return Presence(
        service=health.service,
        instance=f"{process.host}:{process.pid}",
        version=release(),
        started_at=health.began_at,
        ready=not missing,
        at=now,
        missing=missing,
        role=role,
        work=work,
        leases={name: each for each, name in roles},
    )


def _together(roles: Sequence[tuple[Role, str]]) -> tuple[Role, str]:
    """The most that the process is to any of its leases, and to which."""
    for role in (Role.OWNER, Role.STANDS_BY, Role.WAITS):
        works = [name for each, name in roles if each is role]
        if works:
            return role, ", ".join(works)
    return Role.WORKS, ""

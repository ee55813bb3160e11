"""`GET /api/health`: who is there, how far everybody is behind, what the accounts' last checkups
found, and whether the trail can be read. Each part is asked for by itself: one that cannot be had
says so, and the others stand.
"""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TypeVar

from litestar import Router, get
from litestar.di import NamedDependency

from libs.common.asking import NobodyAnswers
from libs.common.bus import Bus, LogUnavailable
from libs.common.contracts import subjects
from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.presence import Presence
from libs.common.contracts.words import AccountId
from services.console.documents import Document, moment
from services.console.keeping import Kept
from services.console.lags import ConsumerLag, Lags, LogState
from services.console.presences import SERVICES, Presences, silent
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.trail import Trail
from services.console.troubles import (
    AccountSeen,
    Seen,
    TrailState,
    Trouble,
    age_s,
    bad_lines,
    service_of,
    state_of,
    troubles_of,
)

KEPT_S = 1.0
CHECKUPS_KEPT_S = 5.0
"""A checkup comes every few minutes, and each account has one to be read."""
_PART_WITHIN_S = 2.0
_READ_AT_ONCE = 16

T = TypeVar("T")


class Vitals:
    def __init__(
        self,
        bus: Bus,
        *,
        registry: Registry,
        trail: Trail,
        kept_s: float = KEPT_S,
        checkups_kept_s: float = CHECKUPS_KEPT_S,
        part_within_s: float = _PART_WITHIN_S,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._trail = trail
        self._presences = Presences(bus)
        self._lags = Lags(bus)
        self._part_within_s = part_within_s
        self._kept: Kept[Document] = Kept(seconds=kept_s)
        self._checkups: Kept[list[AccountSeen]] = Kept(seconds=checkups_kept_s)

    async def document(self) -> Document:
        """At most a second old; never raises for anything that is away."""
        return await self._kept.get("health", self._look)

    async def _look(self) -> Document:
        (
            (presences, no_presences),
            (log, no_log),
            (lags, no_lags),
            end,
            accounts,
        ) = await asyncio.gather(
            self._part(self._presences.ask()),
            self._part(self._lags.log()),
            self._part(self._consumers()),
            self._part(self._trail.newest()),
            self._part(self._checkups.get("checkups", self._accounts)),
        )
        seen = Seen(
            at=datetime.now(UTC),
            presences=presences or (),
            presences_problem=no_presences,
            log=log,
            log_problem=no_log,
            lags=lags or (),
            lags_problem=no_lags,
            trail=await self._trail_state(*end, log=log),
            accounts=accounts[0] or (),
            accounts_problem=accounts[1],
        )
        return document(seen)

    async def _part(self, part: Awaitable[T]) -> tuple[T | None, str | None]:
        try:
            async with asyncio.timeout(self._part_within_s):
                return await part, None
        except Problem as problem:
            return None, problem.detail
        except (NobodyAnswers, LogUnavailable) as error:
            return None, str(error)
        except TimeoutError:
            return None, f"no answer within {self._part_within_s:g} s"

    async def _consumers(self) -> list[ConsumerLag]:
        names = await self._lags.names()
        return list(await asyncio.gather(*(self._lags.consumer(*name) for name in names)))

    async def _trail_state(
        self, newest: tuple[int, datetime] | None, problem: str | None, *, log: LogState | None
    ) -> TrailState:
        if problem is not None:
            return TrailState(problem=problem)
        seq, stored_at = newest or (0, None)
        behind = None if log is None else max(0, log.last_seq - max(seq, log.first_seq - 1))
        oldest = None
        if behind:
            oldest, _ = await self._part(self._lags.stored_after(seq))
        return TrailState(
            seq=seq if newest else None,
            stored_at=stored_at,
            behind_messages=behind,
            oldest_missing_at=oldest,
        )

    async def _accounts(self) -> list[AccountSeen]:
        reading = asyncio.Semaphore(_READ_AT_ONCE)

        async def last(account: AccountId) -> AccountSeen:
            async with reading:
                entry = await self._bus.last(subjects.account_checked(account))
            found = entry.message if entry is not None else None
            checked = found if isinstance(found, AccountChecked) else None
            return AccountSeen(account=account, checked=checked)

        accounts = await self._registry.accounts.list()
        return list(await asyncio.gather(*(last(each.account_id) for each in accounts)))


def document(seen: Seen) -> Document:
    """What was seen as one document, with what is wrong about it: pure."""
    troubles = troubles_of(seen)
    return {
        "at": moment(seen.at),
        "state": state_of(troubles),
        "troubles": [_trouble(each) for each in troubles],
        "services": {
            "known": list(SERVICES),
            "silent": None if seen.presences_problem else silent(seen.presences),
            "problem": seen.presences_problem,
            "processes": [_process(each, now=seen.at) for each in seen.presences],
        },
        "log": {"problem": seen.log_problem, **_log(seen.log)},
        "consumers": {
            "problem": seen.lags_problem,
            "consumers": [_consumer(each, now=seen.at) for each in seen.lags],
        },
        "trail": _trail(seen.trail, now=seen.at),
        "accounts": {
            "problem": seen.accounts_problem,
            "accounts": [_account(each, now=seen.at) for each in seen.accounts],
        },
    }


def _trouble(trouble: Trouble) -> Document:
    return {
        "part": trouble.part,
        "what": trouble.what,
        "state": trouble.weight.value,
        "text": trouble.text,
        "runbook": f"docs/runbook.md#{trouble.runbook}",
    }


def _process(process: Presence, *, now: datetime) -> Document:
    return {
        "service": process.service,
        "instance": process.instance,
        "version": process.version,
        "started_at": moment(process.started_at),
        "up_s": age_s(process.started_at, now=now),
        "ready": process.ready,
        "missing": process.missing,
        "role": process.role.value,
        "work": process.work or None,
        "leases": {name: role.value for name, role in process.leases.items()},
        "at": moment(process.at),
    }


def _log(log: LogState | None) -> Document:
    if log is None:
        return {}
    return {
        "messages": log.messages,
        "bytes": log.bytes,
        "first_seq": log.first_seq,
        "last_seq": log.last_seq,
        "first_at": _moment(log.first_at),
        "last_at": _moment(log.last_at),
        "retention_s": log.retention_s,
        "bytes_max": log.bytes_max,
        "replicas": log.replicas,
    }


def _consumer(lag: ConsumerLag, *, now: datetime) -> Document:
    return {
        "stream": lag.stream,
        "name": lag.name,
        "service": service_of(lag),
        "waiting": lag.waiting,
        "unacknowledged": lag.unacknowledged,
        "redelivered": lag.redelivered,
        "handled_up_to": lag.handled_up_to,
        "oldest_s": age_s(lag.oldest_at, now=now),
    }


def _trail(trail: TrailState, *, now: datetime) -> Document:
    behind_s = age_s(trail.oldest_missing_at, now=now)
    return {
        "reachable": trail.problem is None,
        "problem": trail.problem,
        "seq": trail.seq,
        "stored_at": _moment(trail.stored_at),
        "behind_messages": trail.behind_messages,
        "behind_s": 0.0 if trail.behind_messages == 0 else behind_s,
    }


def _account(account: AccountSeen, *, now: datetime) -> Document:
    checked = account.checked
    if checked is None:
        return {"account": account.account, "state": None}
    return {
        "account": account.account,
        "state": checked.state.value,
        "lines": bad_lines(checked),
        "checked_at": moment(checked.at),
        "age_s": age_s(checked.at, now=now),
        "key_days_left": checked.key_days_left,
        "stopped": checked.stopped,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


@get("/")
async def show_health(vitals: NamedDependency[Vitals]) -> Document:
    return await vitals.document()


health_router = Router("/health", route_handlers=[show_health])

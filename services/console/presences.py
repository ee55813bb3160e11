"""Which processes are there: the question that each of them answers for itself over NATS."""

from collections.abc import Sequence

import msgspec
import structlog

from libs.common.asking import ask_all
from libs.common.bus import Bus
from libs.common.contracts import presence, subjects
from libs.common.contracts.presence import Presence

SERVICES = ("ingest", "router", "executor", "auditor", "console")
"""Each has at least one process; one of which nobody answers is silent."""
ANSWERED_WITHIN_S = 0.4

_log = structlog.get_logger()


class Presences:
    """Asks, and waits no longer than until everybody has answered who did so the last time."""

    def __init__(self, bus: Bus, *, within_s: float = ANSWERED_WITHIN_S) -> None:
        self._bus = bus
        self._within_s = within_s
        self._last: frozenset[tuple[str, str]] = frozenset()

    async def ask(self) -> list[Presence]:
        """In the order of the services; raises `NobodyAnswers` where the question could not
        leave.
        """
        payloads = await ask_all(
            self._bus,
            subjects.PRESENCE_ASKED,
            within_s=self._within_s,
            is_enough=self._are_all,
        )
        found = _read(payloads)
        self._last = _names(found)
        return sorted(found, key=lambda each: (_place(each.service), each.service, each.instance))

    def _are_all(self, answers: Sequence[bytes]) -> bool:
        if len(answers) < max(len(self._last), len(SERVICES)):
            return False
        names = _names(_read(answers))
        return names >= self._last and {service for service, _ in names} >= set(SERVICES)


def silent(found: Sequence[Presence]) -> list[str]:
    """The services of which nobody has answered."""
    present = {each.service for each in found}
    return [service for service in SERVICES if service not in present]


def _read(payloads: Sequence[bytes]) -> list[Presence]:
    found: dict[tuple[str, str], Presence] = {}
    for payload in payloads:
        try:
            told = presence.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _log.warning("presence.unread", error=str(error))
            continue
        found[told.service, told.instance] = told
    return list(found.values())


def _names(found: Sequence[Presence]) -> frozenset[tuple[str, str]]:
    return frozenset((each.service, each.instance) for each in found)


def _place(service: str) -> int:
    return SERVICES.index(service) if service in SERVICES else len(SERVICES)

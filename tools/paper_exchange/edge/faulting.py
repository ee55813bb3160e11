"""The faults of sockets, acted on from the moment they are put. A fault's path is `/edge` for all
sockets, or `/edge/` and an access key for those that are logged in with it.

`ws_cut` breaks the connections at once, each with the probability given. `ws_gap` loses private
pushes and `ws_refuse` turns away new connections: for `ms` of real time where that is given, else
`count` times.
"""

import random

from tools.paper_exchange.control.faults import SOCKET_PATH, Fault, FaultKind


def socket_path(access_key: str | None) -> str:
    return SOCKET_PATH if access_key is None else f"{SOCKET_PATH}/{access_key}"


class SocketFaults:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        # With the time that each of them ends at, where it has one.
        self._lasting: list[tuple[Fault, float | None]] = []

    def replace(self, faults: list[Fault], *, now_ms: float) -> None:
        self._lasting = [
            (fault, now_ms + fault.ms if fault.ms else None)
            for fault in faults
            if fault.kind is not FaultKind.WS_CUT
        ]

    def cuts(self, faults: list[Fault], path: str) -> bool:
        return any(
            fault.kind is FaultKind.WS_CUT and fault.covers(path) and self._wins(fault)
            for fault in faults
        )

    def loses_push(self, path: str, *, now_ms: float) -> bool:
        return bool(self._lasting) and self._befalls(FaultKind.WS_GAP, path, now_ms=now_ms)

    def refuses(self, path: str, *, now_ms: float) -> bool:
        return bool(self._lasting) and self._befalls(FaultKind.WS_REFUSE, path, now_ms=now_ms)

    def _befalls(self, kind: FaultKind, path: str, *, now_ms: float) -> bool:
        self._lasting = [
            (fault, end) for fault, end in self._lasting if end is None or now_ms < end
        ]
        for entry in self._lasting:
            fault, end = entry
            if fault.kind is kind and fault.covers(path) and self._wins(fault):
                if end is None and fault.count is not None:
                    fault.count -= 1
                    if not fault.count:
                        self._lasting.remove(entry)
                return True
        return False

    def _wins(self, fault: Fault) -> bool:
        return self._chance.random() < fault.probability

"""The times of alerts, plans and ends from a copy of the log, one message a line."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.failover.timing import Deed
from chaos.evidence import Call
from chaos.oids import read_oid

_ENDINGS = frozenset({"filled", "rejected", "canceled"})


def deeds_of(log_copy: Path, *, calls: Iterable[Call]) -> list[Deed]:
    """Every alert of one account each, with the requests that the exchange executed for it."""
    found: dict[str, Deed] = {}
    with log_copy.open("rb") as lines:
        for line in lines:
            _note(msgspec.json.decode(line)["message"], into=found)
    for call in calls:
        name = read_oid(call.oid)
        if call.code == 0 and name is not None and name.alert_id in found:
            found[name.alert_id].ordered_s.append(call.received_ns / 1e9)
    return list(found.values())


def _note(message: dict[str, Any], *, into: dict[str, Deed]) -> None:
    deed = into.get(str(message.get("alert_id") or ""))
    match message["type"]:
        case "intent.accepted":
            into[message["alert_id"]] = Deed(
                lane=(message["account"], message["symbol"]),
                received_s=_unix(message["received_at"]),
            )
        case "order.planned" if deed is not None:
            deed.planned_s, deed.legs = _unix(message["at"]), len(message["legs"])
        case "execution" if deed is not None and message["kind"] in _ENDINGS:
            deed.ended_s.append(_unix(message["at"]))


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()

"""The diagnosis as a page shows it: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libs.common.contracts.checkup import CheckState
from libs.common.domain.diagnosis.checklist import CheckName

Data = Mapping[str, Any]

LABELS: Mapping[str, str] = {
    CheckName.ARRIVED: "Arrived",
    CheckName.JSON: "JSON message",
    CheckName.LINKED_IP: "Linked IP",
    CheckName.PERMISSIONS: "Permissions",
    CheckName.ACCESS_KEY: "Access Key",
    CheckName.SECRET_KEY: "Secret Key",
    CheckName.SYMBOL: "Symbol",
    CheckName.QUANTITY: "Quantity and price",
    CheckName.MARGIN_MODE: "Margin mode",
    CheckName.LEVERAGE: "Leverage",
    CheckName.POSITION_MODE: "Position mode",
    CheckName.BALANCE: "Balance",
    CheckName.EXCHANGE: "The exchange",
}
SECTIONS: Mapping[str, str] = {
    CheckName.ARRIVED: "docs/diagnosis.md#the-lines",
    CheckName.JSON: "docs/alert-format.md#fields",
    CheckName.LINKED_IP: "docs/mexc-setup.md#3-link-the-executors-address-before-you-press-create",
    CheckName.PERMISSIONS: "docs/mexc-setup.md#2-tick-three-permissions-and-never-withdraw",
    CheckName.ACCESS_KEY: "docs/mexc-setup.md#1-make-a-key-of-its-own",
    CheckName.SECRET_KEY: "docs/mexc-setup.md#4-keep-both-halves",
    CheckName.SYMBOL: "docs/mexc-setup.md#6-make-a-route",
    CheckName.QUANTITY: "docs/alert-format.md#sizes",
    CheckName.MARGIN_MODE: "docs/mexc-setup.md#6-make-a-route",
    CheckName.LEVERAGE: "docs/mexc-setup.md#6-make-a-route",
    CheckName.POSITION_MODE: "docs/trade-modes.md#hedge-and-one-way-accounts",
    CheckName.BALANCE: "docs/doctor.md#the-lines",
    CheckName.EXCHANGE: "docs/mends.md#the-exchanges-refusals",
}
"""Where more about a line stands."""
_MARKS = {
    CheckState.OK: "\u2713",
    CheckState.WRONG: "\u2717",
    CheckState.UNKNOWN: "?",
    CheckState.NOT_REACHED: "\u00b7",
}


@dataclass(frozen=True, kw_only=True)
class Check:
    label: str
    state: str
    mark: str
    evidence: str
    mend: str
    section: str


def checklist(lines: Sequence[Data]) -> list[Check]:
    return [
        Check(
            label=LABELS.get(line["check"], line["check"]),
            state=line["state"],
            mark=_MARKS.get(line["state"], "?"),
            evidence=line.get("evidence") or "",
            mend=line.get("mend") or "",
            section=SECTIONS.get(line["check"], ""),
        )
        for line in lines
    ]

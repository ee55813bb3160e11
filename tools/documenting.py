"""Writes the documents that repeat what the code says: reasons, mends, configuration, metrics,
rights at NATS, both HTTP APIs, and the picture of the trade modes.

`python -m tools.documenting` rewrites them; `tests/test_docs.py` fails when they are stale.
"""

import dataclasses
import types
from pathlib import Path
from typing import Any, get_args, get_type_hints

from libs.common.contracts.causes import Cause
from libs.common.contracts.reasons import EXPLANATIONS, Reason
from libs.common.domain.diagnosis.cause_checks import CAUSE_CHECKS
from libs.common.domain.diagnosis.failure import Verdict
from libs.common.domain.diagnosis.reason_checks import REASON_CHECKS
from libs.common.settings import ServiceSettings, variable_name
from services.auditor.settings import Settings as AuditorSettings
from services.console.settings import Settings as ConsoleSettings
from services.executor.settings import Settings as ExecutorSettings
from services.ingest.settings import Settings as IngestSettings
from services.router.settings import Settings as RouterSettings
from tools.documenting_api import texts
from tools.documenting_metrics import page
from tools.documenting_rights import page as rights_page
from tools.drawing import trade_modes
from tools.paper_exchange.settings import PaperExchangeSettings as PaperSettings

DOCS = Path(__file__).parent.parent / "docs"
SERVICES: dict[str, type] = {
    "ingest": IngestSettings,
    "router": RouterSettings,
    "executor": ExecutorSettings,
    "auditor": AuditorSettings,
    "console": ConsoleSettings,
    "paper exchange": PaperSettings,
}


def documents() -> dict[Path, str]:
    """Every generated document with its text."""
    return {
        DOCS / "reasons.md": _reasons(),
        DOCS / "mends.md": _mends(),
        DOCS / "configuration.md": _configuration(),
        DOCS / "metrics.md": page(),
        DOCS / "nats-rights.md": rights_page(),
        DOCS / "pictures" / "trade-modes.svg": trade_modes(),
        **{DOCS / "openapi" / name: text for name, text in texts().items()},
    }


def _reasons() -> str:
    lines = [
        "# Reasons",
        "Why an alert was refused (by ingest; its sender got a 4xx) or denied (by router or",
        "executor; nothing was sent). The list is closed. A rejection is the exchange's, and its",
        "code and words stand in the trail as they came. Made by `python -m tools.documenting`.",
        "",
        "| reason | meaning |",
        "|---|---|",
        *(f"| `{reason.value}` | {EXPLANATIONS[reason]} |" for reason in Reason),
    ]
    return "\n".join(lines) + "\n"


def _mends() -> str:
    lines = [
        "# Mends",
        "What an alert that was not executed calls for, by its reason or by what the exchange's",
        "refusal is about, and the line of the [checklist](diagnosis.md) where it stands.",
        "`{route}`, `{account}`, `{symbol}` and `{field}` are the alert's own there. Made by",
        "`python -m tools.documenting`.",
        "",
        "## Our reasons",
        "| reason | line | mend |",
        "|---|---|---|",
        *(_mend(reason.value, REASON_CHECKS[reason]) for reason in Reason),
        "",
        "## The exchange's refusals",
        "| cause | line | mend |",
        "|---|---|---|",
        *(_mend(cause.value, CAUSE_CHECKS[cause]) for cause in Cause),
    ]
    return "\n".join(lines) + "\n"


def _mend(name: str, verdict: Verdict) -> str:
    return f"| `{name}` | `{verdict.check.value}` | {verdict.mend} |"


def _configuration() -> str:
    lines = [
        "# Configuration",
        "Every process reads its environment once. A variable that starts with `ALERTWIRE_` and is",
        "not listed for the process is an error, since it is most likely misspelt. Tracing is",
        "configured by OpenTelemetry's own `OTEL_EXPORTER_OTLP_ENDPOINT` (http/protobuf; switches",
        "export on) and `OTEL_TRACES_SAMPLER_ARG` (ratio of alerts, default 1); see",
        "[tracing](tracing.md).",
        "",
        "A *secret* may stand in a file instead: `ALERTWIRE_NATS_URL_FILE` names the file that",
        "holds what would be in `ALERTWIRE_NATS_URL`, and so on. A mounted file is seen by fewer",
        "than an environment is.",
        "Made by `python -m tools.documenting`.",
        "",
        "## Every service",
        *_table(ServiceSettings),
    ]
    common = {field.name for field in dataclasses.fields(ServiceSettings)}
    for name, settings in SERVICES.items():
        skipped = common if issubclass(settings, ServiceSettings) else set()
        lines += ["", f"## {name}", *_table(settings, skipped=skipped)]
    return "\n".join(lines) + "\n"


def _table(settings: type, *, skipped: set[str] | frozenset[str] = frozenset()) -> list[str]:
    hints = get_type_hints(settings)
    rows = [
        f"| `{variable_name(field.name)}` | {_kind(hints[field.name])} | {_default(field)} "
        f"| {field.metadata['doc']} |"
        for field in dataclasses.fields(settings)
        if field.name not in skipped
    ]
    if not rows:
        return ["Nothing of its own."]
    return ["| variable | type | default | meaning |", "|---|---|---|---|", *rows]


def _kind(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        arms = [arm for arm in get_args(hint) if arm is not type(None)]
        return " or ".join(_kind(arm) for arm in arms)
    # The class's own name: where a class lives differs between versions of Python.
    name: str = hint.__name__
    return name.lower()


def _default(field: "dataclasses.Field[object]") -> str:
    if field.default is dataclasses.MISSING:
        return "required"
    return "empty" if field.default == "" else f"`{field.default}`"


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)

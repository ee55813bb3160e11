"""The page of all metrics, made of the objects themselves, so that it cannot say anything else."""

from types import ModuleType

from prometheus_client.metrics import MetricWrapperBase

from libs.common import metrics as shared
from services.auditor import metrics as auditor
from services.console.web.access import counting as console
from services.executor import drifting, measuring
from services.executor import metrics as executor
from services.ingest import counting as ingest

MODULES: dict[str, tuple[ModuleType, ...]] = {
    "Every service, where it applies": (shared,),
    "Ingest": (ingest,),
    "Executor": (measuring, executor, drifting),
    "Auditor": (auditor,),
    "Console": (console,),
}
_UNITS = {
    "timestamp_seconds": "Unix time, seconds",
    "seconds": "seconds",
    "messages": "messages",
    "calls": "calls",
    "rows": "rows",
    "months": "months",
    "days_left": "days",
}
_QUERIED = {"counter": "_total", "info": "_info"}
"""What the exposition adds to a name."""


def page() -> str:
    lines = [
        "# Metrics",
        "Every service shows them at `/metrics` on its health port, as OpenMetrics where the",
        "scraper asks for it (Prometheus does), else as plain text. Only OpenMetrics carries",
        "exemplars: the latest alert of each bucket of a latency, as `trace_id`, which is the",
        "alert's id without dashes ([tracing](tracing.md)). Prometheus keeps them with",
        "`--enable-feature=exemplar-storage`.",
        "",
        "A histogram `x` is queried as `x_bucket`, `x_sum` and `x_count`. Times between two",
        "services are by the clocks of both. A count is of what one process did since it",
        "started, so sum rates over processes; what was done twice after a crash is counted",
        "twice, and the trail knows better. The rules that watch them are",
        "`deploy/prometheus/alertwire.rules.yml`, the dashboard is",
        "`deploy/grafana/alertwire.json`. Beside these, Python's own `process_*` and `python_*`",
        "are shown. Made by `python -m tools.documenting`.",
    ]
    common = declared(shared)
    for title, modules in MODULES.items():
        lines += ["", f"## {title}", "| metric | type | labels | unit | meaning |"]
        # What a service only uses is the shared module's to tell.
        own = [one for one in declared(*modules) if modules == (shared,) or one not in common]
        lines += ["|---|---|---|---|---|", *(_row(one) for one in own)]
    return "\n".join(lines) + "\n"


def declared(*modules: ModuleType) -> list[MetricWrapperBase]:
    """The metrics that modules define, by name, each once."""
    found = {
        name: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, MetricWrapperBase) and _is_whole(value)
        for name in [queried(value)]
    }
    return [found[name] for name in sorted(found)]


def queried(metric: MetricWrapperBase) -> str:
    """The name in queries; of a histogram without what follows it."""
    (described,) = metric.describe()
    return described.name + _QUERIED.get(described.type, "")


def _is_whole(metric: MetricWrapperBase) -> bool:
    # A child for certain labels is of the same class; the module that owns it shows it.
    return not metric._labelvalues  # noqa: SLF001 - the library does not tell otherwise


def _row(metric: MetricWrapperBase) -> str:
    (described,) = metric.describe()
    labels = ", ".join(f"`{name}`" for name in metric._labelnames)  # noqa: SLF001 - as above
    return (
        f"| `{queried(metric)}` | {described.type} | {labels} | {_unit(described.name)} |"
        f" {described.documentation} |"
    )


def _unit(name: str) -> str:
    return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")

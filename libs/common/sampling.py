"""Which traces are recorded: a ratio of alerts, by their ids, so that every process decides alike.

OpenTelemetry's own ratio sampler reads the low 64 bits of a trace id, where a UUID's variant bits
sit: at 10 % it would record nothing. This one reads the low 56.
"""

import contextlib
from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind
from opentelemetry.util.types import Attributes

from libs.common.settings import SettingsError

_LOW_BITS = 56


class AlertRatio(Sampler):
    """Records a ratio of traces by the low 56 bits of their id, and whatever is linked to a
    recorded one.
    """

    def __init__(self, ratio: float) -> None:
        self._bound = round(ratio * (1 << _LOW_BITS))

    def should_sample(  # noqa: PLR0913, PLR0917 - the signature is OpenTelemetry's
        self,
        parent_context: Context | None,  # noqa: ARG002
        trace_id: int,
        name: str,  # noqa: ARG002
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: object = None,  # noqa: ARG002
    ) -> SamplingResult:
        recorded = self.records(trace_id) or any(
            link.context.trace_flags.sampled for link in links or ()
        )
        decision = Decision.RECORD_AND_SAMPLE if recorded else Decision.DROP
        return SamplingResult(decision, attributes)

    def records(self, trace_id: int) -> bool:
        return trace_id & ((1 << _LOW_BITS) - 1) < self._bound

    def get_description(self) -> str:
        return f"AlertRatio({self._bound / (1 << _LOW_BITS)})"


class AlertSampler(ParentBased):
    """An alert's trace is recorded everywhere or nowhere."""

    def __init__(self, ratio: float) -> None:
        self._alerts = AlertRatio(ratio)
        super().__init__(self._alerts)

    def records(self, trace_id: int) -> bool:
        return self._alerts.records(trace_id)


def ratio_of(environ: Mapping[str, str]) -> float:
    """As configured; raises `SettingsError` where that is none."""
    raw = environ.get("OTEL_TRACES_SAMPLER_ARG") or "1"
    with contextlib.suppress(ValueError):
        if 0 <= float(raw) <= 1:
            return float(raw)
    raise SettingsError(f"OTEL_TRACES_SAMPLER_ARG must be a ratio from 0 to 1, not {raw!r}")


def delay_s_of(environ: Mapping[str, str]) -> float:
    """Between two batches of spans, as configured; raises `SettingsError` where that is none."""
    raw = environ.get("OTEL_BSP_SCHEDULE_DELAY") or "5000"
    if raw.isdecimal() and int(raw) > 0:
        return int(raw) / 1000
    raise SettingsError(f"OTEL_BSP_SCHEDULE_DELAY must be milliseconds, 1 or more, not {raw!r}")

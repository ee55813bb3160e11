"""Logging: one wide line per message, JSON for machines, pretty on a terminal.

Events are named `noun.verb`; field names carry their units. Context is bound once with
`structlog.contextvars.bind_contextvars`.
"""

import logging
import sys

import msgspec
import structlog
from structlog.typing import EventDict, Processor

_encoder = msgspec.json.Encoder(enc_hook=repr)
# Without local variables, which both of structlog's own renderers show: they hold tokens and keys.
_render_traceback = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure_logs(*, service: str, level: str = "info") -> None:
    """Send structlog, and what libraries log, to standard error."""
    pretty = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if pretty
        else [_render_traceback, _render_json]
    )
    numeric = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=(
            structlog.PrintLoggerFactory(sys.stderr)
            if pretty
            else structlog.BytesLoggerFactory(sys.stderr.buffer)
        ),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)


class _ToStructlog(logging.Handler):
    # Libraries log sentences; they become one field of a line like ours.
    def emit(self, record: logging.LogRecord) -> None:
        line = structlog.get_logger()
        line.log(record.levelno, "library.logged", logger=record.name, message=record.getMessage())


def _render_json(_logger: object, _method: str, event: EventDict) -> bytes:
    return _encoder.encode(event)

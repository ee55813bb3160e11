"""Logging: one wide line per message, JSON for machines, pretty on a terminal.

Events are named `noun.verb`; field names carry their units. Context is bound once with
`structlog.contextvars.bind_contextvars`.
"""

import logging
import sys

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from libs.common.settings import SettingsError

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_encoder = msgspec.json.Encoder(enc_hook=repr)
# Without local variables, which both of structlog's own renderers show: they hold tokens and keys.
_render_traceback = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure_logs(*, service: str, level: str = "info") -> None:
    """Send structlog, and what libraries log, to standard error; `SettingsError` for an unknown
    level.
    """
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
    numeric = LEVELS.get(level.lower())
    if numeric is None:
        raise SettingsError(
            f"ALERTWIRE_LOG_LEVEL must be one of {', '.join(LEVELS)}, not {level!r}"
        )
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
        # structlog knows the five levels only; a library may have its own between them.
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        structlog.get_logger().log(
            level,
            "library.logged",
            logger=record.name,
            message=record.getMessage(),
            exc_info=record.exc_info,
        )


def _render_json(_logger: object, _method: str, event: EventDict) -> bytes:
    return _encoder.encode(event)

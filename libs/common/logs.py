"""Logging: one wide line per message, JSON for machines, pretty on a terminal.

Events are named `noun.verb`; field names carry their units. Context is bound once with
`structlog.contextvars.bind_contextvars`.
"""

import logging
import sys
from collections.abc import Mapping
from io import StringIO
from types import NoneType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from libs.common.settings import SettingsError
from libs.common.unseen import escaped, replaced

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

LINE_BYTES_MAX = 16_384
"""Of a longer line each text is shortened: strangers must not be able to fill a disk."""
_TEXT_CHARS_MAX = 500
_ITEMS_MAX = 50
_DEPTH_MAX = 8
_STACK_LINES_MAX = 400
_STACKS = frozenset({"exception", "exc_info", "stack"})

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
        [_without_unseen, structlog.dev.ConsoleRenderer(exception_formatter=_plain_traceback)]
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
    # A line is escaped by JSON already; what is left are rare texts of strangers.
    try:
        line = _encoder.encode(event)
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
        line = _encoder.encode(_shortened(event))
    if len(line) > LINE_BYTES_MAX:
        line = _encoder.encode(_shortened(event))
    if line.isascii() and b"\x7f" not in line:
        return line
    return escaped(line.decode()).encode()


def _shortened(value: Any, *, depth: int = 0) -> Any:
    if isinstance(value, Mapping) and depth < _DEPTH_MAX:
        items = list(value.items())[:_ITEMS_MAX]
        return {_text(key): _shortened(each, depth=depth + 1) for key, each in items}
    if isinstance(value, (list, tuple, set, frozenset)) and depth < _DEPTH_MAX:
        return [_shortened(each, depth=depth + 1) for each in list(value)[:_ITEMS_MAX]]
    return value if isinstance(value, (bool, int, float, NoneType)) else _text(value)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    kept = text.encode("utf-8", "replace").decode()
    return kept if len(kept) <= _TEXT_CHARS_MAX else kept[:_TEXT_CHARS_MAX] + "…"


def _without_unseen(_logger: object, _method: str, event: EventDict) -> EventDict:
    # The pretty renderer writes texts nearly as they are.
    return {key: value if key in _STACKS else _seen(value) for key, value in event.items()}


def _seen(value: object) -> object:
    if isinstance(value, (bool, int, float, NoneType)):
        return value
    return replaced(_text(value))


def _plain_traceback(out: TextIO, failure: ExcInfo) -> None:
    # An error may quote what a stranger sent: set in, none of it looks like a line of ours.
    written = StringIO()
    structlog.dev.plain_traceback(written, failure)
    lines = written.getvalue().strip("\n").split("\n")
    shown = lines if len(lines) <= _STACK_LINES_MAX else [*lines[:_STACK_LINES_MAX], "…"]
    out.write("".join(f"\n  {replaced(_text(line))}" for line in shown))

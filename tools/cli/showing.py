"""How the commands print: JSON for scripts, tables that fit 80 columns for people."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from libs.common.unseen import escaped, replaced

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STATUS_STYLES = {
    "executed": "green",
    "filled": "green",
    "changed": "green",
    "done": "green",
    "live": "green",
    "accepted": "green",
    "pending": "yellow",
    "partial": "yellow",
    "partly_filled": "yellow",
    "paused": "yellow",
    "resting": "yellow",
    "waits": "yellow",
    "unknown": "bold yellow",
    "denied": "magenta",
    "refused": "red",
    "rejected": "red",
    "canceled": "red",
    "not done": "red",
    "dead": "bold red",
}


def examples(*commands: str) -> str:
    """A command's epilog; the backspace keeps click from folding the lines into one."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--json`; the command is given `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(command)


def print_json(document: Any) -> None:
    click.echo(escaped(json.dumps(document, indent=2, ensure_ascii=False)))


def print_json_line(document: Any) -> None:
    """For whoever follows a stream: one document, one line, at once."""
    click.echo(escaped(json.dumps(document, ensure_ascii=False)))
    sys.stdout.flush()


def terminal() -> "Console":
    """Standard output; without colours where NO_COLOR is set or nobody looks."""
    from rich.console import Console  # noqa: PLC0415 - costs 50 ms that JSON output need not pay

    return Console(highlight=False, markup=False, emoji=False)


def table(*columns: str) -> "Table":
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def style_of(status: str) -> str:
    return _STATUS_STYLES.get(status, "")


def print_fields(document: Mapping[str, Any]) -> None:
    """A document as lines of name and value, nested names joined by dots."""
    fields = flattened(document)
    width = max((len(name) for name, _ in fields), default=0)
    for name, value in fields:
        click.echo(clean(f"{name:<{width}}  {value}"))


def flattened(document: Mapping[str, Any], *, prefix: str = "") -> Sequence[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for name, value in document.items():
        if isinstance(value, dict) and value:
            out.extend(flattened(value, prefix=f"{prefix}{name}."))
        else:
            out.append((f"{prefix}{name}", in_words(value)))
    return out


def clean(text: str) -> str:
    """Text from outside without what a terminal would obey, or show where it does not belong."""
    return replaced(text)


def came_at(at: str) -> str:
    """When an alert came, from a document's time."""
    when = datetime.fromisoformat(at).astimezone(UTC)
    return f"it came at {when:%Y-%m-%d %H:%M:%S} UTC"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def in_words(value: Any) -> str:
    """A document's value for people."""
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""The explanations that docs/explain.md shows: commands with what they print.

Before a block of a command may stand the settings of its route, behind it the exit status, which
is otherwise 0.
"""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from libs.common.contracts.route import RouteSettings
from tests.cli_console import answering, documents_of, run
from tests.factories import make_account, make_instrument, make_settings

_EXAMPLE = re.compile(
    r"(?:^Route: `(?P<route>\{[^`]*\})`\s+)?"
    r"^```console\n\$ alertwire (?P<command>explain .*)\n(?P<printed>(?:.*\n)*?)```$"
    r"(?:\s+Exit status: (?P<status>\d))?",
    re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Example:
    command: str
    route: dict[str, Any]
    printed: str
    status: int


def examples_of(page: Path) -> list[Example]:
    return [
        Example(
            command=f"alertwire {found['command']}",
            route=json.loads(found["route"] or "{}"),
            printed=found["printed"],
            status=int(found["status"] or 0),
        )
        for found in _EXAMPLE.finditer(page.read_text())
    ]


def printed(command: str, *, route: dict[str, Any], directory: Path) -> tuple[str, int]:
    """What the command prints, without blanks at the ends of lines, and its exit status."""
    known = msgspec.to_builtins(make_settings())
    documents = documents_of(
        msgspec.convert({**known, **route}, RouteSettings),
        accounts=[make_account()],
        instruments=[make_instrument()],
    )
    with answering(documents) as console:
        answer = run(directory, console, *shlex.split(command)[1:])
    lines = answer.output.splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines), answer.exit_code

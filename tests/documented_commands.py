"""The commands that a document shows, with what they print.

Before a block of a command may stand the settings of its route, behind it the exit status, which
is otherwise 0.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EXAMPLE = re.compile(
    r"(?:^Route: `(?P<route>\{[^`]*\})`\s+)?"
    r"^```console\n\$ alertwire (?P<command>.+)\n(?P<printed>(?:.*\n)*?)```$"
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

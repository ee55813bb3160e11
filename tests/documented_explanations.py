"""The explanations that docs/explain.md shows, made anew."""

import shlex
from pathlib import Path
from typing import Any

import msgspec

from libs.common.contracts.route import RouteSettings
from tests.cli_console import answering, documents_of, run
from tests.factories import make_account, make_instrument, make_settings


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

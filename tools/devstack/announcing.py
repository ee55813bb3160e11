"""What `up` prints once everything answers: the next things a person will want to type."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

# The alert that MEXC's own guide gives for a first test.
TEST_ALERT = (
    '{"platform_name":"mexc","ticker":"BTCUSDT.P","order_contracts":0.001,"order_action":"buy"}'
)
DEFAULT_DIRECTORY = Path(".alertwire")


def announcement(directory: Path, described: dict[str, Any]) -> str:
    """The closing lines for the stack that runs from `directory`."""
    webhook = described["demo"]["webhook"]
    shown = _short(directory)
    trace = f"{_command()} trace ALERT_ID"
    if directory != DEFAULT_DIRECTORY.absolute():
        trace += f" --dir {shlex.quote(shown)}"
    return f"""
webhook   {webhook}
console   {described["console"]} (sign in as operator; the password is in {shown}/stack.json:
          console_users in it, and for the API console_token in it)
logs      {shown}/logs/

Send the guide's test alert, which buys on paper:

  curl -sS -H 'Content-Type: application/json' -d '{TEST_ALERT}' {webhook}

and see what became of it, with the alert_id of the answer:

  {trace}

Ctrl-C stops everything."""


def _command() -> str:
    beside = Path(sys.executable).with_name("alertwire")
    return shlex.quote(_short(beside)) if beside.exists() else "alertwire"


def _short(path: Path) -> str:
    here = Path.cwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)

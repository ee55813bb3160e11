"""Asks the database of known holes about every locked package, through pip-audit.

An answer that is none must not look like a good one: pip-audit itself ends with 0 where it has
skipped a package, and so does a run that reaches nothing in some set-ups.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEADLINE_S = 300


@dataclass(frozen=True, kw_only=True)
class LookedUp:
    """`unknown` are packages about which nothing was learned, with the reason."""

    holes: list[str]
    unknown: list[str]


def look_up(pip_audit: Path, lock: Path) -> LookedUp:
    try:
        asked = subprocess.run(
            [
                *(str(pip_audit), "--requirement", str(lock), "--disable-pip", "--no-deps"),
                *("--format", "json", "--progress-spinner", "off"),
            ],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return LookedUp(holes=[], unknown=[f"{lock.name}: {type(error).__name__}"])
    try:
        return read_answer(json.loads(asked.stdout))
    except (ValueError, KeyError, TypeError):
        last = (asked.stderr.strip() or "no answer").splitlines()[-1]
        return LookedUp(holes=[], unknown=[f"{lock.name}: {last[:200]}"])


def read_answer(document: dict[str, Any]) -> LookedUp:
    """pip-audit's JSON."""
    holes, unknown = [], []
    for package in document["dependencies"]:
        if "skip_reason" in package:
            unknown.append(f"{package['name']}: {package['skip_reason']}")
            continue
        for hole in package["vulns"]:
            mended = ", ".join(hole.get("fix_versions", [])) or "no version yet"
            holes.append(
                f"{package['name']} {package['version']}: {hole['id']}, mended in {mended}"
            )
    return LookedUp(holes=holes, unknown=unknown)

"""Which Chromium the tests drive.

`make test` brings one (tests/browser/fetch-chromium). Where there is none the tests are skipped,
and under CI=true they fail.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium: `make test` brings one, or CHROMIUM names one"


def found() -> str | None:
    """The one that CHROMIUM names, the one beside Python, or the machine's own."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    beside = Path(sys.executable).with_name("chromium")
    return str(beside) if beside.exists() else next(filter(None, map(shutil.which, NAMES)), None)


def is_needed() -> bool:
    """Whether its lack is a failure."""
    return os.environ.get("CI") == "true"


def required() -> str:
    path = found()
    if path is None and is_needed():
        pytest.fail(MISSING)
    if path is None:
        pytest.skip(MISSING)
    return path

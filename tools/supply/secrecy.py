"""Looks for keys and passwords of somebody's in the tree. It knows the shapes that give themselves
away; what has no shape, such as a password, no search finds.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.supply.locks import ROOT

SHAPES = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"),
    "an NKey's seed": re.compile(r"\bS[ACNOUX][A-Z2-7]{56}\b"),
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60})"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20}"),
    "an API key of MEXC": re.compile(r"\bmx0v[a-z0-9A-Z]{2}[A-Za-z0-9]{14,}"),
    "a token of PyPI": re.compile(r"\bpypi-AgE[A-Za-z0-9_-]{40}"),
}
# File -> the shapes that it may hold, and why.
KNOWN: Mapping[str, set[str]] = {
    # The example of NATS's own documents, which everybody can read, and one made for that test.
    "tests/unit/test_common_connecting.py": {"an NKey's seed"},
}
_TEXT_MAX_BYTES = 2_000_000


def found_secrets(root: Path = ROOT) -> list[str]:
    """In files that are tracked, or would be: what, and where, never the thing itself."""
    found = []
    for name in _files(root):
        path = root / name
        if not path.is_file() or path.stat().st_size > _TEXT_MAX_BYTES:
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [
            f"{name}:{line}: {kind}"
            for kind, line in secrets_in(text)
            if kind not in KNOWN.get(name, set())
        ]
    return found


def secrets_in(text: str) -> list[tuple[str, int]]:
    """The kind of each, and its line."""
    return [
        (kind, text.count("\n", 0, found.start()) + 1)
        for kind, shape in SHAPES.items()
        for found in shape.finditer(text)
    ]


def _files(root: Path) -> list[str]:
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=root, capture_output=True, check=True)
    return [name for name in listed.stdout.decode().split("\0") if name]

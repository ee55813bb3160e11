"""What the CI's workflow files may say: actions by commit, rights named, no key left behind.

A tag can be moved to other code by whoever owns the action; a commit cannot. The version stands
behind it as a comment, for people.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from tools.supply.locks import ROOT

FOLDER = ROOT / ".github" / "workflows"
_USES = re.compile(r"^\s*(?:- )?uses:\s*(?P<what>\S+)(?P<rest>.*)$", re.MULTILINE)
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def wrong_workflows(folder: Path = FOLDER) -> list[str]:
    files = sorted(path for path in folder.iterdir() if path.suffix in {".yml", ".yaml"})
    return [f"{path.name}: {text}" for path in files for text in wrong(path.read_text())]


def wrong(text: str) -> list[str]:
    """What one workflow should not say, as sentences."""
    document: dict[Any, Any] = yaml.safe_load(text)
    found = [each for used in _USES.finditer(text) for each in _wrong_use(used)]
    if "permissions" not in document:
        found.append("it does not say which rights it needs")
    # YAML reads `on` as true.
    if "pull_request_target" in (document.get("on") or document.get(True) or {}):
        found.append("it gives our rights to other people's changes")
    for name, job in document["jobs"].items():
        rights = job.get("permissions", document.get("permissions"))
        if rights == "write-all" or (isinstance(rights, dict) and "write" in rights.values()):
            found.append(f"{name} may write")
        if any(_keeps_key(step) for step in job.get("steps", [])):
            found.append(f"{name} leaves the checkout's key on disk")
    return found


def _wrong_use(used: re.Match[str]) -> list[str]:
    if used["what"].startswith("./"):
        return []
    if not _PINNED.fullmatch(used["what"]):
        return [f"{used['what']} is not pinned to a commit"]
    if not re.fullmatch(r"\s+# v\d+(\.\d+)*", used["rest"]):
        return [f"{used['what']} does not tell its version behind it"]
    return []


def _keeps_key(step: dict[str, Any]) -> bool:
    checks_out = str(step.get("uses", "")).startswith("actions/checkout@")
    return checks_out and (step.get("with") or {}).get("persist-credentials") is not False

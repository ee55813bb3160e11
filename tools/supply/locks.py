"""What the locks say: which packages at which versions, with which hashes, and where they apply."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "requirements"
# Where the images run.
_THERE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;]+)(?P<rest>.*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


class LockError(ValueError):
    """A line of a lock is no pinned package with its hashes."""


@dataclass(frozen=True, kw_only=True)
class Locked:
    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str = ""

    @property
    def applies(self) -> bool:
        """Whether an image installs it."""
        return not self.marker or Marker(self.marker).evaluate(dict(_THERE))


def read_lock(text: str) -> list[Locked]:
    """Every package of a lock, or `LockError` with the line that is none."""
    return [_locked(line) for line in _logical_lines(text)]


def lock_of(slice_name: str, *, folder: Path = FOLDER) -> list[Locked]:
    return read_lock((folder / f"{slice_name}.txt").read_text(encoding="utf-8"))


def asked_of(name: str, *, root: Path = ROOT) -> list[Requirement]:
    """What pyproject.toml asks of a lock: an extra stands on what all share, the group `dev` on all
    extras, another group on itself. Of a lock that it does not know it asks nothing.
    """
    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = document["project"], document["dependency-groups"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    asked = list(groups.get(name, []))
    if name == "dev" or name in extras:
        asked += project["dependencies"]
    for extra in extras if name == "dev" else {name} & set(extras):
        asked += extras[extra]
    found: list[Requirement] = []
    for requirement in map(Requirement, asked):
        if canonicalize_name(requirement.name) == project["name"]:
            found += [Requirement(each) for extra in requirement.extras for each in extras[extra]]
        else:
            found.append(requirement)
    return found


def unmet(asked: list[Requirement], locked: list[Locked]) -> list[str]:
    """What is asked for, and is not in the lock at a version that fits."""
    versions = {canonicalize_name(each.name): each.version for each in locked}

    def met(requirement: Requirement) -> bool:
        version = versions.get(canonicalize_name(requirement.name))
        return version is not None and requirement.specifier.contains(version, prereleases=True)

    return [str(each) for each in asked if not met(each)]


def _logical_lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def _locked(line: str) -> Locked:
    found = _PIN.fullmatch(line)
    hashes = tuple(_HASH.findall(line))
    if found is None or not hashes or "://" in line:
        raise LockError(f"no pinned package with its hashes: {line[:80]}")
    marker = found["rest"].partition("--hash")[0].strip().removeprefix(";").strip()
    return Locked(name=found["name"], version=found["version"], hashes=hashes, marker=marker)

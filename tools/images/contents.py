"""What of the tree goes into which image, and the copy of it that the Dockerfile makes.

A service's image holds `libs/` and that one service. The command line calls pure parts of several
services, so its image holds the modules that it imports, and none besides. Standard library alone:
this runs where nothing is installed yet. `python -m tools.images.contents IMAGE TARGET`.
"""

import ast
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("libs", "services", "tools")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """`module` is what runs; `folders` come whole; with `follows`, so does each module of ours that
    theirs import, except for those `left_out` and what only they need.
    """

    module: str
    folders: tuple[str, ...]
    follows: bool = False
    left_out: frozenset[str] = frozenset()


IMAGES = {
    **{
        name: Contents(module=f"services.{name}", folders=("libs", f"services/{name}"))
        for name in ("ingest", "router", "executor", "auditor", "console")
    },
    "cli": Contents(
        module="tools.cli",
        # What `alertwire ops migrate` applies.
        folders=("libs", "tools/cli", "services/auditor/migrations"),
        follows=True,
        # `alertwire up` starts servers whose binaries are no part of an image.
        left_out=frozenset({"tools.devstack.up"}),
    ),
    "paper-exchange": Contents(
        module="tools.paper_exchange", folders=("libs", "tools/paper_exchange")
    ),
}


def files_of(image: str, *, root: Path = ROOT) -> list[Path]:
    """The image's files, relative to the tree."""
    contents = IMAGES[image]
    found = {
        path.relative_to(root)
        for folder in contents.folders
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if contents.follows:
        modules = [module_of(path) for path in found if path.suffix == ".py"]
        found |= reached_from(modules, left_out=contents.left_out, root=root)
    # A package's own module is run whenever anything within it is imported.
    inits = {parent / "__init__.py" for path in found for parent in path.parents if parent.name}
    return sorted(found | {init for init in inits if (root / init).is_file()})


def imported_by(source: str) -> Iterator[str]:
    """What a module's source imports anywhere in it; of `from a import b` both `a` and `a.b`, since
    `b` may be a module.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(module: str, *, root: Path = ROOT) -> Path | None:
    """Where a module of ours stands, relative to the tree."""
    place = Path(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if module.partition(".")[0] in OURS and (root / path).is_file():
            return path
    return None


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def reached_from(
    modules: Iterable[str], *, left_out: frozenset[str] = frozenset(), root: Path = ROOT
) -> set[Path]:
    """The files of these modules of ours, and of all that they import, and so on."""
    waiting, seen, found = list(modules), set(left_out), set[Path]()
    while waiting:
        module = waiting.pop()
        path = file_of(module, root=root)
        if module in seen or path is None:
            continue
        seen.add(module)
        found.add(path)
        waiting += imported_by((root / path).read_text(encoding="utf-8"))
    return found


def copy(image: str, target: Path, *, root: Path = ROOT) -> None:
    for path in files_of(image, root=root):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target / path)
    _describe(target, root=root)


# So that `importlib.metadata` tells our version, as it does where the project is installed.
def _describe(target: Path, *, root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = target / f"{project['name']}-{project['version']}.dist-info"
    folder.mkdir()
    lines = ("Metadata-Version: 2.4", f"Name: {project['name']}", f"Version: {project['version']}")
    license_line = f"License-Expression: {project['license']}"
    (folder / "METADATA").write_text("\n".join((*lines, license_line, "")), encoding="utf-8")


if __name__ == "__main__":
    copy(sys.argv[1], Path(sys.argv[2]))

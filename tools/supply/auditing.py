"""`make audit`: all that is asked of what we build from and with. Prints a line for each question,
and what is wrong below it; ends with 1 where anything is, or where it could not be asked.

`--offline` leaves out what needs a database elsewhere, and says so.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from tools.images.contents import IMAGES
from tools.supply import bom
from tools.supply.licences import USABLE, licence_of, refused
from tools.supply.locks import FOLDER, ROOT, LockError, asked_of, lock_of, unmet
from tools.supply.secrecy import found_secrets
from tools.supply.vendored import vendored, wrong
from tools.supply.vulnerabilities import look_up
from tools.supply.workflows import FOLDER as WORKFLOWS
from tools.supply.workflows import wrong_workflows

# The lock of which the others are parts, and the tools that look.
_WHOLE = ("dev", "audit")
_Question = tuple[str, Callable[[], list[str]]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--offline", action="store_true", help="look nothing up elsewhere")
    parser.add_argument(
        "--tools", type=Path, default=Path(sys.prefix) / "audit/bin", help="where the tools are"
    )
    given = parser.parse_args(arguments)
    bad = sum(_ask(*question) for question in questions(given.tools))
    if given.offline:
        print("not looked up  known holes in the locked packages (--offline)")
    else:
        bad += _ask("no known holes in the locked packages", lambda: holes(given.tools))
    return 1 if bad else 0


def questions(tools: Path) -> list[_Question]:
    """Those that need nobody else."""
    return [
        ("locks have hashes and no addresses, and what pyproject.toml asks for", wrong_locks),
        ("what an image ships is under a licence that allows it", shipped_licences),
        ("what we build and test with is under a licence that allows it", tool_licences),
        ("files of others are unchanged, with their licences", lambda: wrong(vendored())),
        ("no keys stand in the tree", found_secrets),
        ("workflows pin their actions and ask for few rights", wrong_workflows),
        ("zizmor finds nothing in the workflows", lambda: _said_by(_zizmor(tools))),
        ("trivy finds no secret in the tree", lambda: _said_by(_trivy_secrets(tools))),
        ("trivy finds nothing in the Dockerfile", lambda: _said_by(_trivy_dockerfile(tools))),
        ("lists of what images hold fit CycloneDX's schema", lambda: invalid_boms(tools)),
    ]


def wrong_locks() -> list[str]:
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        try:
            locked = lock_of(path.stem)
        except LockError as error:
            found.append(f"{path.name}: {error}")
            continue
        found += [f"{path.name} lacks {each}" for each in unmet(asked_of(path.stem), locked)]
    whole = {(each.name, each.version) for each in lock_of("dev")}
    for image in IMAGES:
        strays = {(each.name, each.version) for each in lock_of(image)} - whole
        found += [f"{image}.txt has {name} {version}, dev.txt not" for name, version in strays]
    return found


def shipped_licences() -> list[str]:
    return refused(
        _licences(each.name for name in IMAGES for each in lock_of(name) if each.applies)
    )


def tool_licences() -> list[str]:
    names = [each.name for each in lock_of("dev") if each.applies]
    return refused(_licences(names), allowed=USABLE)


def invalid_boms(tools: Path) -> list[str]:
    program = (
        "import sys; from cyclonedx.schema import SchemaVersion;"
        "from cyclonedx.validation.json import JsonStrictValidator as Validator;"
        "found = [Validator(SchemaVersion.V1_6).validate_str(open(name).read())"
        " for name in sys.argv[1:]]; sys.exit('\\n'.join(str(each) for each in found if each) or 0)"
    )
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for image in IMAGES:
            try:
                files.append(str(bom.write(image, Path(scratch))))
            except PackageNotFoundError as missing:
                return [f"{missing.name} is not installed: `make setup` does that"]
        return _said_by([str(tools / "python"), "-c", program, *files])


def holes(tools: Path) -> list[str]:
    found = []
    for name in _WHOLE:
        looked = look_up(tools / "pip-audit", FOLDER / f"{name}.txt")
        found += looked.holes
        if looked.unknown:
            first = looked.unknown[0]
            found.append(f"{name}.txt was not looked up: {len(looked.unknown)} packages; {first}")
    return found


def _licences(names: Iterable[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = licence_of(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _zizmor(tools: Path) -> list[str]:
    return [str(tools / "zizmor"), "--offline", "--no-progress", "--quiet", str(WORKFLOWS)]


def _trivy_secrets(tools: Path) -> list[str]:
    skipped = (".venv", ".git", "wheels", "sbom", ".mypy_cache", ".hypothesis")
    folders = [part for name in skipped for part in ("--skip-dirs", name)]
    scan = ["fs", "--scanners", "secret", "--exit-code", "1", *folders, str(ROOT)]
    return [*_trivy(tools), *scan]


def _trivy_dockerfile(tools: Path) -> list[str]:
    scan = ["config", "--skip-check-update", "--exit-code", "1", str(ROOT / "Dockerfile")]
    return [*_trivy(tools), *scan]


def _trivy(tools: Path) -> list[str]:
    return [str(tools / "trivy"), "--quiet", "--disable-telemetry", "--skip-version-check"]


# Its words where it has ended badly, or is not there.
def _said_by(command: Sequence[str]) -> list[str]:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        return [f"{command[0]}: {error.strerror}"]
    if done.returncode == 0:
        return []
    return (done.stdout + done.stderr).strip().splitlines() or [f"exit {done.returncode}"]


def _ask(question: str, ask: Callable[[], list[str]]) -> int:
    found = ask()
    print(f"{'WRONG' if found else 'ok':14} {question}", flush=True)
    for text in found:
        print(f"               {text}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())

"""The table of values in the chart's README says what `values.yaml` says."""

import difflib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.charting.findings import Finding
from tools.charting.places import CHART, CHECKS, shown
from tools.charting.toolbox import BIN, run

README = CHART / "README.md"
_PACKAGE = CHECKS / "readme"
_INSTALLED = BIN.parent / "readme"
GENERATOR = _INSTALLED / "node_modules" / ".bin" / "readme-generator"


def install() -> str | None:
    """Bring the generator, from its lock; returns why not."""
    if shutil.which("npm") is None:
        return "no npm"
    lock = _INSTALLED / "package-lock.json"
    wanted = _PACKAGE / "package-lock.json"
    if GENERATOR.exists() and lock.exists() and lock.read_bytes() == wanted.read_bytes():
        return None
    _INSTALLED.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_PACKAGE / name, _INSTALLED / name)
    done = run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=_INSTALLED)
    return None if done.returncode == 0 else done.stderr.strip()


def write(readme: Path = README, values: Path = CHART / "values.yaml") -> str | None:
    """Write the table anew into `readme`; returns what the generator complains of."""
    done = run([str(GENERATOR), "--readme", str(readme), "--values", str(values)])
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip()


def judge(
    folder: Path, readme: Path = README, values: Path = CHART / "values.yaml"
) -> Iterator[Finding]:
    """Compare the README with the one that the generator would write."""
    if not readme.exists():
        yield _finding(readme, "there is none")
        return
    copied = folder / "README.md"
    shutil.copy(readme, copied)
    complaint = write(copied, values)
    if complaint is not None:
        yield _finding(readme, complaint)
        return
    before, after = readme.read_text().splitlines(), copied.read_text().splitlines()
    changed = [
        line
        for line in difflib.unified_diff(before, after, lineterm="", n=0)
        if line.startswith(("+|", "-|"))
    ]
    if before != after:
        what = "\n  ".join(changed[:6])
        yield _finding(readme, f"the table is not what values.yaml says: `make k8s-base`\n  {what}")


def _finding(readme: Path, message: str) -> Finding:
    return Finding(source=shown(readme), subject="values", rule="readme", message=message)

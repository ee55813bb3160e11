"""What Helm says of the chart itself, and the values that the chart has to refuse."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tools.charting.findings import Finding
from tools.charting.places import CHART, NAMESPACE, RELEASE, ROOT, shown
from tools.charting.toolbox import program, run


def lint(values: Path) -> Iterator[Finding]:
    done = run([program("helm"), "lint", str(CHART), "--strict", "--values", str(values)])
    if done.returncode != 0:
        for line in done.stdout.splitlines():
            if line.startswith(("[ERROR]", "[WARNING]")):
                yield Finding(source=shown(values), subject="chart", rule="lint", message=line)
        if "[ERROR]" not in done.stdout + done.stderr and "[WARNING]" not in done.stdout:
            message = (done.stdout + done.stderr).strip()
            yield Finding(source=shown(values), subject="chart", rule="lint", message=message)


def refused(cases: Path) -> Iterator[Finding]:
    """Render every case of a file like `refused-values.yaml`; one that renders, or whose refusal
    does not say what its `names` tells, is a finding. So is a start that does not render.
    """
    table = yaml.safe_load(cases.read_text())
    start = ROOT / table["start"]
    with TemporaryDirectory() as folder:
        if (stderr := _refusal([start])) is not None:
            yield _finding(cases, "start", f"{table['start']} does not render: {stderr}")
            return
        for index, case in enumerate(table["cases"]):
            changed = Path(folder) / f"{index}.yaml"
            changed.write_text(yaml.safe_dump(case["values"]))
            stderr = _refusal([start, changed])
            if stderr is None:
                yield _finding(cases, case["why"], "the chart renders it")
            elif not _names(stderr, case["names"]):
                yield _finding(
                    cases, case["why"], f"the refusal does not name {case['names']!r}: {stderr}"
                )


def _names(stderr: str, key: Any) -> bool:
    """Helm writes a key of the schema as a path with slashes, and our own messages with dots."""
    flat = stderr.replace("/", ".").replace("'", "")
    return str(key) in stderr or str(key) in flat


def _refusal(values: list[Path]) -> str | None:
    """What Helm says; `None`: it renders."""
    command = [program("helm"), "template", RELEASE, str(CHART), "--namespace", NAMESPACE]
    for each in values:
        command += ["--values", str(each)]
    done = run(command)
    return None if done.returncode == 0 else done.stderr.strip() or f"exit {done.returncode}"


def _finding(cases: Path, subject: str, message: str) -> Finding:
    return Finding(source=shown(cases), subject=subject, rule="refused-values", message=message)

"""Makes renderings: of the chart with a values file, and of a kustomization."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.charting.findings import CheckError, Finding
from tools.charting.manifests import Rendering, parse
from tools.charting.places import CHART, NAMESPACE, RELEASE, shown
from tools.charting.toolbox import program, run


def of_values(values: Path, *, over: Mapping[str, str] | None = None) -> tuple[str, Rendering]:
    """The chart with these values, and single ones over them: as text, and read."""
    command = [
        *(program("helm"), "template", RELEASE, str(CHART), "--namespace", NAMESPACE),
        *("--values", str(values)),
    ]
    for key, value in (over or {}).items():
        command += ["--set", f"{key}={value}"]
    text = _text(command, values)
    settings = merged_values(values)
    return text, _parsed(
        text,
        values,
        production=not brings_stand_ins(settings),
        egress=str(settings.get("executor", {}).get("egress", {}).get("mode", "node")),
    )


def of_kustomization(folder: Path, *, production: bool, egress: str) -> tuple[str, Rendering]:
    text = _text([program("kubectl"), "kustomize", str(folder)], folder)
    return text, _parsed(text, folder, production=production, egress=egress)


def merged_values(values: Path) -> dict[str, Any]:
    """The chart's defaults with these values over them, as Helm merges them."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    return _over(defaults, yaml.safe_load(values.read_text()) or {})


def brings_stand_ins(values: dict[str, Any]) -> bool:
    return any(
        isinstance(each, dict) and each.get("enabled")
        for each in (values.get("dev") or {}).values()
    )


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, dict) and isinstance(under, dict)
        merged[key] = _over(under, value) if both else value  # type: ignore[arg-type]
    return merged


def _text(command: list[str], source: Path) -> str:
    done = run(command)
    if done.returncode != 0 or "warning" in done.stderr.lower():
        raise CheckError(
            [
                Finding(
                    source=shown(source),
                    subject="the whole",
                    rule=" ".join(Path(each).name for each in command[:2]),
                    message=done.stderr.strip(),
                )
            ]
        )
    return done.stdout


def _parsed(text: str, source: Path, *, production: bool, egress: str) -> Rendering:
    try:
        rendering = parse(text, source=shown(source), production=production, egress=egress)
    except yaml.YAMLError as error:
        message = str(error)
        found = Finding(source=shown(source), subject="the whole", rule="yaml", message=message)
        raise CheckError([found]) from None
    if not rendering.manifests:
        found = Finding(
            source=shown(source), subject="the whole", rule="yaml", message="nothing is rendered"
        )
        raise CheckError([found])
    return rendering

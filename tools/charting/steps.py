"""The steps of `make chart`, in their order: each checks something and says what, or refuses."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tools.charting import alerting, basing, linting, rendering, scanning, schemas, tabling, toolbox
from tools.charting.findings import Finding, demand_none
from tools.charting.judging import (
    egress,
    environment,
    images,
    names,
    policies,
    probes,
    references,
    restricted,
    secrets,
)
from tools.charting.manifests import Rendering
from tools.charting.places import OVERLAYS, REFUSED_VALUES, SECRETS, shown, values_files

JUDGES: Mapping[str, Callable[[Rendering], list[Finding]]] = {
    "names": names.judge,
    "references": references.judge,
    "restricted": restricted.judge,
    "images": images.judge,
    "probes": probes.judge,
    "environment": environment.judge,
    "policies": policies.judge,
    "egress": egress.judge,
    "secrets": secrets.judge,
}


@dataclass(frozen=True)
class Work:
    """What steps hand on to those after them."""

    folder: Path
    renderings: list[Rendering] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    """By the rendering's source."""

    def keep(self, text: str, made: Rendering) -> None:
        self.renderings.append(made)
        self.texts[made.source] = text


def tools(_: Work) -> str:
    said = toolbox.unpack()
    missing = tabling.install()
    return said + (f"; NO TABLE: {missing}" if missing else "")


def lint(_: Work) -> str:
    with ThreadPoolExecutor(2) as pool:
        found = [each for some in pool.map(_listed_lint, values_files()) for each in some]
    demand_none(found)
    return f"{len(values_files())} values files, strict"


def _listed_lint(values: Path) -> list[Finding]:
    return list(linting.lint(values))


def render(work: Work) -> str:
    for values in values_files():
        text, made = rendering.of_values(values)
        work.keep(text, made)
    production = [made for made in work.renderings if made.production]
    _demand_some(production, "none of them is production, so most would go unjudged")
    objects = sum(len(made.manifests) for made in work.renderings)
    return f"{len(work.renderings)} values files, {objects} objects"


def refusals(_: Work) -> str:
    demand_none(linting.refused(REFUSED_VALUES))
    return f"{len(yaml.safe_load(REFUSED_VALUES.read_text())['cases'])} bad values"


def base(_: Work) -> str:
    demand_none(basing.drift())
    return ", ".join(shown(folder) for folder in basing.BASES)


def overlays(work: Work) -> str:
    found = sorted(path.parent for path in OVERLAYS.glob("*/kustomization.yaml"))
    if not {"dev", "prod"} <= {folder.name for folder in found}:
        demand_none([_missing(shown(OVERLAYS), "dev and prod have to be there")])
    for folder in found:
        dev = folder.name.startswith("dev")
        text, made = rendering.of_kustomization(
            folder, production=not dev, egress="none" if dev else "node"
        )
        work.keep(text, made)
    return ", ".join(folder.name for folder in found)


def fit(work: Work) -> str:
    demand_none(schemas.judge(work.renderings))
    return f"Kubernetes {', '.join(schemas.versions())}, and the kinds of others"


def judge(work: Work) -> str:
    documented = yaml.safe_load(SECRETS.read_text())
    demand_none(
        finding
        for made in work.renderings
        for name, judged in JUDGES.items()
        for finding in (
            secrets.judge(made, documented)
            if name == "secrets" and made.source.startswith(shown(OVERLAYS))
            else judged(made)
        )
    )
    return ", ".join(JUDGES)


def trivy(work: Work) -> str:
    folder = work.folder / "all"
    folder.mkdir()
    for made in work.renderings:
        (folder / scanning.file_name(made)).write_text(scanning.marked(made))
    demand_none(scanning.trivy(folder))
    return f"{len(work.renderings)} renderings, {len(scanning.our_rules())} files of our own rules"


def checkov(work: Work) -> str:
    folder = work.folder / "production"
    folder.mkdir()
    production = [made for made in work.renderings if made.production]
    for made in production:
        (folder / scanning.file_name(made)).write_text(work.texts[made.source])
    demand_none(scanning.checkov(folder))
    return f"{len(production)} renderings of production"


def rules(work: Work) -> str:
    with_rules = [made for made in work.renderings if made.of_kind("PrometheusRule")]
    _demand_some(with_rules, "no values file switches the rules on")
    folder = work.folder / "rules"
    folder.mkdir()
    demand_none(finding for made in with_rules[:1] for finding in alerting.rules(made, folder))
    return f"those of {with_rules[0].source}, by the project's tests of them"


def dashboards(work: Work) -> str:
    boards = [made for made in work.renderings if _has_board(made)]
    _demand_some(boards, "no values file switches the dashboard on")
    folder = work.folder / "dashboards"
    folder.mkdir()
    demand_none(alerting.dashboards(boards[0], folder))
    return f"that of {boards[0].source}"


def table(work: Work) -> str:
    if not tabling.GENERATOR.exists():
        if os.environ.get("CI") == "true":
            message = "npm brings the generator, and is not here"
            demand_none([_missing(shown(tabling.README), message)])
        return "SKIPPED: there is no npm here"
    folder = work.folder / "table"
    folder.mkdir()
    demand_none(tabling.judge(folder))
    return shown(tabling.README)


STEPS: tuple[tuple[str, Callable[[Work], str]], ...] = (
    ("tools", tools),
    ("helm lint", lint),
    ("helm template", render),
    ("bad values", refusals),
    ("base in step", base),
    ("kustomize", overlays),
    ("schemas", fit),
    ("judgements", judge),
    ("trivy", trivy),
    ("checkov", checkov),
    ("alert rules", rules),
    ("dashboard", dashboards),
    ("README", table),
)


def _has_board(made: Rendering) -> bool:
    return any(
        name.endswith(".json")
        for config in made.of_kind("ConfigMap")
        for name in config.document.get("data") or {}
    )


def _demand_some(there: list[Rendering], message: str) -> None:
    if not there:
        demand_none([_missing("deploy/k8s/alertwire/ci", message)])


def _missing(source: str, message: str) -> Finding:
    return Finding(source=source, subject="the whole", rule="missing", message=message)

"""The rendered alert rules and the dashboard: promtool reads, tests and parses them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.charting.findings import Finding
from tools.charting.manifests import Manifest, Rendering
from tools.charting.places import RULE_TESTS, RULES
from tools.charting.toolbox import program, run

# Grafana's variables, as it would fill them in.
_VARIABLES = {"$__rate_interval": "5m", "$__range": "1h"}
_RUNBOOK = re.compile(r"\Ahttps?://\S*docs/runbook\.md")
_VARIABLE = re.compile(r"\$\{?\w+\}?")


def rules(rendering: Rendering, folder: Path) -> Iterator[Finding]:
    """Check the rules of a rendering, and let the project's tests of them run against these."""
    for manifest in rendering.of_kind("PrometheusRule"):
        path = folder / RULES.name
        path.write_text(yaml.safe_dump(_at_home(manifest.spec), sort_keys=False))
        yield from _ran(manifest, ["check", "rules", "--lint=all", str(path)], folder)
        space = scope(manifest.spec)
        for test in sorted(RULE_TESTS.glob("*.yml")):
            given = yaml.safe_load(test.read_text())
            given["rule_files"] = [str(path)]
            copied = folder / test.name
            placed = scoped_test(given, space) if space else given
            copied.write_text(yaml.safe_dump(placed, sort_keys=False))
            yield from _ran(manifest, ["test", "rules", str(copied)], folder)
        yield from differences(manifest, yaml.safe_load(RULES.read_text()))


def _at_home(spec: dict[str, Any]) -> dict[str, Any]:
    """The rules with links to the runbook as the tests know them."""
    home: dict[str, Any] = json.loads(json.dumps(spec))
    for rule in _alerts(home):
        notes = rule.get("annotations") or {}
        if "runbook_url" in notes:
            notes["runbook_url"] = _RUNBOOK.sub("docs/runbook.md", notes["runbook_url"])
    return home


def scope(spec: dict[str, Any]) -> str | None:
    """The namespace that the rules are kept to, as each alert is labelled."""
    scopes = {str(rule["labels"].get("namespace", "")) for rule in _alerts(spec)}
    return scopes.pop() if len(scopes) == 1 and scopes != {""} else None


def unscoped(spec: dict[str, Any]) -> dict[str, Any]:
    """The rules without what an operator's values put into them: the namespace, and what stands
    before the runbook in links.
    """
    plain = _at_home(spec)
    space = scope(spec)
    for rule in _alerts(plain):
        if space and rule["labels"].pop("namespace", None):
            matcher = f'namespace="{space}"'
            expr = rule["expr"].replace(f"{matcher},", "").replace(f"{{{matcher}}}", "")
            rule["expr"] = expr
    return plain


def scoped_test(test: dict[str, Any], space: str) -> dict[str, Any]:
    """A test of the rules whose series and alerts all belong to a namespace."""
    placed: dict[str, Any] = json.loads(json.dumps(test))
    for case in placed["tests"]:
        for series in case.get("input_series", ()):
            series["series"] = _with_namespace(series["series"], space)
        for asked in case.get("promql_expr_test", ()):
            for sample in asked.get("exp_samples") or ():
                sample["labels"] = _with_namespace(sample["labels"], space)
        for asked in case.get("alert_rule_test", ()):
            for alert in asked.get("exp_alerts") or ():
                alert.setdefault("exp_labels", {})["namespace"] = space
    return placed


def _with_namespace(series: str, space: str) -> str:
    name, brace, labels = series.partition("{")
    rest = labels if brace and labels.strip() != "}" else "}"
    return f'{name}{{namespace="{space}"{"," if rest != "}" else ""}{rest}'


def differences(manifest: Manifest, wanted: dict[str, Any]) -> Iterator[Finding]:
    """Alerts that got lost on the way, or were changed: templates in rules are also Helm's."""
    rendered = {rule["alert"]: rule for rule in _alerts(unscoped(manifest.spec))}
    for rule in _alerts(wanted):
        other = rendered.pop(rule["alert"], None)
        if other is None:
            yield manifest.finding("rules", f"{rule['alert']} is not there")
            continue
        for key in ("expr", "for", "labels", "annotations"):
            if _spaced(other.get(key)) != _spaced(rule.get(key)):
                yield manifest.finding("rules", f"{rule['alert']}: {key} is another")
    for name in rendered:
        yield manifest.finding("rules", f"{name} is not in {RULES.name}, so nothing tests it")


def _spaced(value: Any) -> str:
    """Folded lines differ in spaces alone."""
    return " ".join(json.dumps(value, sort_keys=True).replace("\\n", " ").split())


def _alerts(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in spec["groups"]:
        yield from (rule for rule in group["rules"] if "alert" in rule)


def dashboards(rendering: Rendering, folder: Path) -> Iterator[Finding]:
    """Each query of a dashboard parses. promtool reads expressions only as rules."""
    for manifest in rendering.of_kind("ConfigMap"):
        for name, text in (manifest.document.get("data") or {}).items():
            if not name.endswith(".json") or '"panels"' not in text:
                continue
            try:
                queries = list(expressions(json.loads(text)))
            except ValueError as error:
                yield manifest.finding("dashboard", f"{name}: {error}")
                continue
            if not queries:
                yield manifest.finding("dashboard", f"{name} has no query")
            # A group for each, so that what promtool says names the panel.
            groups = [
                {"name": f"{index} {title}", "rules": [{"record": "checked", "expr": query}]}
                for index, (title, query) in enumerate(queries)
            ]
            path = folder / "queries.yml"
            path.write_text(yaml.safe_dump({"groups": groups}))
            yield from _ran(manifest, ["check", "rules", str(path)], folder)


def expressions(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in (*board["panels"], *(p for row in board["panels"] for p in row.get("panels", ()))):
        for target in panel.get("targets", ()):
            query = str(target["expr"])
            for variable, value in _VARIABLES.items():
                query = query.replace(variable, value)
            yield panel.get("title", "?"), _VARIABLE.sub(".*", query)


def _ran(manifest: Manifest, arguments: list[str], folder: Path) -> Iterator[Finding]:
    done = run([program("promtool"), *arguments], cwd=folder)
    if done.returncode != 0:
        told = (done.stdout + done.stderr).strip().replace(str(folder), "")
        yield manifest.finding("promtool", f"{' '.join(arguments[:2])}: {told[-800:]}")

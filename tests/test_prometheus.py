"""Rules, their tests and the dashboard: what promtool says of them, and that they name no metric,
no section of the runbook and no alert that does not exist.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
RULES = ROOT / "deploy" / "prometheus" / "alertwire.rules.yml"
RULE_TESTS = sorted((ROOT / "deploy" / "prometheus" / "tests").glob("*.yml"))
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "alertwire.json").read_text())
ALERTS = [
    rule
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
NAMES = [rule["alert"] for rule in ALERTS]
DOCUMENTED = set(
    re.findall(r"^\| `(alertwire_\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
)
_OF_HISTOGRAMS = re.compile(r"_(bucket|sum|count)\Z")


def expressions():
    """Every query of the dashboard, with Grafana's variables filled in."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for variable, value in (
                ("$__rate_interval", "5m"),
                ("$__range", "1h"),
                ("$route", ".*"),
                ("$account", ".*"),
            ):
                query = query.replace(variable, value)
            yield panel["title"], query


@pytest.fixture(scope="session")
def promtool():
    beside = Path(sys.executable).with_name("promtool")
    found = str(beside) if beside.exists() else shutil.which("promtool")
    if found is None:
        why = "NO PROMTOOL: rules and dashboard are not tested; `make test` fetches it where it can"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)

    def run(*arguments):
        result = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    return run


def test_the_rules_are_well_formed(promtool):
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", "--lint=all", str(RULES))


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.name)
def test_the_rules_fire_when_they_should(promtool, path):
    assert "SUCCESS" in promtool("test", "rules", str(path))


def test_every_alert_is_tested_to_fire_and_not_to():
    fires, rests = set(), set()
    for path in RULE_TESTS:
        for group in yaml.safe_load(path.read_text())["tests"]:
            for case in group.get("promql_expr_test", ()):
                (name,) = re.findall(r'alertname="(\w+)"', case["expr"])
                (fires if case["exp_samples"] else rests).add(name)
            for case in group.get("alert_rule_test", ()):
                (fires if case["exp_alerts"] else rests).add(case["alertname"])
    assert fires == rests == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_an_alert_says_what_to_do(rule):
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 60
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    assert anchor == rule["alert"].lower()


def metrics_of(text):
    names = set(re.findall(r"\balertwire_\w+", text))
    return {_OF_HISTOGRAMS.sub("", name) if "_seconds_" in name else name for name in names}


def test_rules_name_metrics_that_exist():
    named = metrics_of(" ".join(rule["expr"] for rule in ALERTS))
    assert len(named) > 15
    assert named <= DOCUMENTED
    assert metrics_of(" ".join(path.read_text() for path in RULE_TESTS)) <= DOCUMENTED


def test_the_dashboard_names_metrics_that_exist():
    named = metrics_of(" ".join(query for _, query in expressions()))
    assert len(named) > 25
    assert named <= DOCUMENTED


def test_the_dashboards_queries_are_understood(promtool, tmp_path):
    """As rules, since the Prometheus of a stable Debian has no other way to parse a query."""
    rules = [
        {"record": f"dashboard:{number}", "expr": query, "labels": {"panel": title}}
        for number, (title, query) in enumerate(expressions())
    ]
    path = tmp_path / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", "--lint=none", str(path))


def test_the_dashboard_asks_the_chosen_prometheus():
    assert DASHBOARD["schemaVersion"] >= 39
    first, *_ = DASHBOARD["templating"]["list"]
    assert (first["name"], first["type"], first["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]


def test_latencies_show_their_exemplars():
    with_exemplars = [
        target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
        if target.get("exemplar")
    ]
    assert len(with_exemplars) >= 6
    assert all("_bucket" in query for query in with_exemplars)

"""The steps around a chart refuse what they have to, here of a tiny one with rules and README."""

import shutil

import pytest
import yaml

from tests.chart.example import rendering
from tools.charting import alerting, linting, tabling
from tools.charting import rendering as rendering_of
from tools.charting.findings import CheckError
from tools.charting.manifests import Manifest, Rendering
from tools.charting.places import RULES

SCHEMA = """
{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
 "additionalProperties": false,
 "properties": {"replicas": {"type": "integer", "minimum": 1}, "zone": {"type": "string"}},
 "if": {"properties": {"replicas": {"const": 3}}, "required": ["replicas"]},
 "then": {"required": ["zone"]}}
"""
TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: tiny}
data: {replicas: {{ .Values.replicas | quote }}}
"""


@pytest.fixture
def chart(tmp_path, monkeypatch):
    folder = tmp_path / "tiny"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 0.1.0\nicon: file:i\n")
    (folder / "values.yaml").write_text("## @param replicas How many\nreplicas: 1\n")
    (folder / "values.schema.json").write_text(SCHEMA)
    (folder / "templates" / "all.yaml").write_text(TEMPLATE)
    monkeypatch.setattr(linting, "CHART", folder)
    monkeypatch.setattr(rendering_of, "CHART", folder)
    return folder


def written(path, text):
    path.write_text(text)
    return path


def test_lint_refuses_values_that_the_schema_does_not_know(chart, tmp_path):
    assert list(linting.lint(written(tmp_path / "good.yaml", "replicas: 2\n"))) == []
    (finding, *_) = linting.lint(written(tmp_path / "bad.yaml", "replica: 2\n"))
    assert "replica" in str(finding)
    assert "bad.yaml" in finding.source


def test_lint_refuses_a_warning(chart, tmp_path):
    """Without `--strict` this would pass: Helm only recommends what a name looks like."""
    values = written(tmp_path / "good.yaml", "replicas: 2\n")
    text = TEMPLATE.replace("tiny", "Tiny_name")
    (chart / "templates" / "all.yaml").write_text(text)
    assert list(linting.lint(values))


def test_a_bad_value_that_renders_is_found(chart, tmp_path):
    start = written(tmp_path / "start.yaml", "replicas: 1\n")
    cases = [
        {"why": "refused", "values": {"replicas": 0}, "names": "replicas"},
        {"why": "refused by if and then", "values": {"replicas": 3}, "names": "zone"},
        {"why": "rendered", "values": {"replicas": 2}, "names": "replicas"},
        {"why": "refused for another", "values": {"replicas": 0}, "names": "zone"},
    ]
    table = tmp_path / "table.yaml"
    table.write_text(yaml.safe_dump({"start": str(start), "cases": cases}))
    assert [finding.subject for finding in linting.refused(table)] == [
        "rendered",
        "refused for another",
    ]
    start.write_text("replicas: 0\n")
    assert [finding.subject for finding in linting.refused(table)] == ["start"]


def test_what_helm_cannot_render_is_refused(chart, tmp_path):
    text, made = rendering_of.of_values(written(tmp_path / "good.yaml", "replicas: 2\n"))
    assert 'replicas: "2"' in text
    assert [manifest.kind for manifest in made.manifests] == ["ConfigMap"]
    for spoilt in (TEMPLATE + '{{ fail "no" }}', TEMPLATE + "metadata: {}\n", "---\n"):
        (chart / "templates" / "all.yaml").write_text(spoilt)
        with pytest.raises(CheckError, match=r"good\.yaml"):
            rendering_of.of_values(tmp_path / "good.yaml")


def test_a_kustomization_that_does_not_build_is_refused(tmp_path):
    (tmp_path / "kustomization.yaml").write_text("resources: [missing.yaml]\n")
    with pytest.raises(CheckError, match=r"missing\.yaml"):
        rendering_of.of_kustomization(tmp_path, production=True, egress="node")


def ruled(spec):
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "rules"},
        "spec": spec,
    }
    return rendering(more=(document,))


@pytest.fixture
def spec():
    return yaml.safe_load(RULES.read_text())


def test_the_projects_rules_pass_their_tests(spec, tmp_path):
    assert [str(finding) for finding in alerting.rules(ruled(spec), tmp_path)] == []


@pytest.mark.parametrize(
    ("key", "value"), [("expr", "sum("), ("for", "3h")], ids=["broken", "too late"]
)
def test_a_rule_that_came_out_otherwise_is_refused(spec, tmp_path, key, value):
    spec["groups"][0]["rules"][0][key] = value
    assert "promtool" in {finding.rule for finding in alerting.rules(ruled(spec), tmp_path)}


def test_a_dashboard_with_a_query_that_does_not_parse_is_refused(tmp_path):
    def board(query):
        panels = f'{{"panels": [{{"title": "p", "targets": [{{"expr": "{query}"}}]}}]}}'
        document = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "board"},
            "data": {"alertwire.json": panels},
        }
        manifests = (Manifest(source="example", document=document),)
        return Rendering(source="example", production=True, manifests=manifests)

    good = board('rate(a[$__rate_interval]) + b{c=~\\"$route\\"}')
    assert list(alerting.dashboards(good, tmp_path)) == []
    (finding,) = alerting.dashboards(board("rate(a[5m]"), tmp_path)
    assert "0 p" in finding.message


def test_a_table_that_is_out_of_step_is_refused(chart, tmp_path):
    if missing := tabling.install():
        pytest.skip(missing)
    readme = written(tmp_path / "README.md", "# Tiny\n\n## Parameters\n")
    values = chart / "values.yaml"
    values.write_text("## @section All\n## @param replicas How many\nreplicas: 1\n")
    assert tabling.write(readme, values) is None
    assert "`replicas`" in readme.read_text()
    copied = tmp_path / "copied"
    copied.mkdir()
    assert list(tabling.judge(copied, readme, values)) == []
    values.write_text(values.read_text().replace("How many", "How many pods"))
    (finding,) = tabling.judge(copied, readme, values)
    assert "How many pods" in finding.message
    values.write_text(values.read_text() + "other: 1\n")
    (finding,) = tabling.judge(copied, readme, values)
    assert "other" in finding.message
    shutil.rmtree(copied)

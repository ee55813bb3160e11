"""Manifests are read as the API server reads them, and bases are written as kubectl users want."""

import dataclasses

import pytest
import yaml

from tests.chart.example import INGEST, rendering
from tools.charting import alerting, basing
from tools.charting.findings import CheckError, Finding, demand_none
from tools.charting.manifests import Manifest, parse, selects
from tools.charting.places import K8S, SECRETS

LABELS = {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        (None, True),
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "1", "c": "3"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "c", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "Like"}]}, False),
    ],
    ids=range(10),
)
def test_selectors_choose_as_kubernetes_does(selector, chosen):
    assert selects(selector, LABELS) is chosen


def test_empty_documents_are_passed_over_and_keys_stand_once():
    made = parse("---\n---\nkind: A\n---\n# nothing\n", source="s", production=True)
    assert [manifest.kind for manifest in made.manifests] == ["A"]
    with pytest.raises(yaml.YAMLError, match="stands twice"):
        parse("kind: A\nkind: B\n", source="s", production=True)


def test_a_finding_names_file_object_and_rule():
    finding = Finding(source="f.yaml", subject="Pod/p", rule="r/s", message="m")
    assert str(finding) == "f.yaml: Pod/p: [r/s] m"
    demand_none([])
    with pytest.raises(CheckError, match=r"\Af\.yaml: Pod/p: \[r/s\] m\Z"):
        demand_none([finding, finding])
    other = dataclasses.replace(finding, source="g.yaml")
    with pytest.raises(CheckError, match=r"\[r/s\] m \(and in 1 more: g\.yaml, …\)\Z"):
        demand_none([finding, other])


HOOKED = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "test", "annotations": {"helm.sh/hook": "test"}},
    "spec": {},
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}


def test_a_base_is_free_of_what_only_helm_reads():
    labels = {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "alertwire-1"}
    made = rendering(
        (INGEST, "metadata.labels./app.kubernetes.io/managed-by/", "Helm"),
        (INGEST, "spec.template.metadata.annotations", {"helm.sh/hook": "post-install"}),
        more=(HOOKED, SECRET, {"kind": "ConfigMap", "metadata": {"name": "c", "labels": labels}}),
    )
    texts = basing.files(made)
    assert set(texts) == {"ingest.yaml", "executor.yaml", "shared.yaml", "kustomization.yaml"}
    everything = "".join(texts.values())
    for word in ("Helm", "helm.sh", "kind: Secret", "name: test", "namespace: alertwire"):
        assert word not in everything
    (ingest,) = yaml.safe_load_all(texts["ingest.yaml"])
    assert "annotations" not in ingest["spec"]["template"]["metadata"]
    listed = yaml.safe_load(texts["kustomization.yaml"])["resources"]
    assert listed == ["executor.yaml", "ingest.yaml", "shared.yaml"]


def test_a_base_that_is_not_what_the_chart_renders_is_refused(tmp_path):
    texts = basing.files(rendering())
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert list(basing.compared(tmp_path, texts)) == []
    (tmp_path / "ingest.yaml").write_text(
        texts["ingest.yaml"].replace("replicas: 2", "replicas: 9")
    )
    (tmp_path / "executor.yaml").unlink()
    (tmp_path / "left.yaml").write_text("{}")
    changed = [finding.source.rpartition("/")[2] for finding in basing.compared(tmp_path, texts)]
    assert changed == ["executor.yaml", "ingest.yaml", "left.yaml"]


def rule(expr, **labels):
    return {"alert": "A", "expr": expr, "labels": labels, "annotations": {"summary": "s"}}


def spec(*rules):
    return {"groups": [{"name": "g", "rules": list(rules)}]}


def test_rules_of_one_namespace_are_compared_without_it():
    scoped = spec(rule('a{namespace="x",b="1"} > sum(c{namespace="x"})', namespace="x"))
    assert alerting.scope(scoped) == "x"
    assert alerting.unscoped(scoped) == spec(rule('a{b="1"} > sum(c)'))
    assert alerting.scope(spec(rule("a"))) is None


def test_a_rule_that_is_lost_changed_or_new_is_told():
    def told(rendered):
        manifest = Manifest(source="s", document={"kind": "PrometheusRule", "spec": rendered})
        return [finding.message for finding in alerting.differences(manifest, spec(rule("a > 1")))]

    assert told(spec(rule("a\n> 1"))) == []
    assert told(spec(rule("a > 2"))) == ["A: expr is another"]
    assert told(spec(rule("a > 1", severity="none"))) == ["A: labels is another"]
    assert told(spec()) == ["A is not there"]
    (message,) = told(spec(rule("a > 1"), rule("b") | {"alert": "B"}))
    assert message.startswith("B is not in")


def test_a_test_of_rules_moves_into_a_namespace():
    given = {
        "tests": [
            {
                "input_series": [{"series": "up"}, {"series": 'up{a="1"}'}],
                "promql_expr_test": [{"exp_samples": [{"labels": 'ALERTS{alertname="A"}'}]}],
                "alert_rule_test": [{"exp_alerts": [{"exp_labels": {"a": "1"}}]}],
            }
        ]
    }
    (case,) = alerting.scoped_test(given, "x")["tests"]
    assert [each["series"] for each in case["input_series"]] == [
        'up{namespace="x"}',
        'up{namespace="x",a="1"}',
    ]
    assert case["promql_expr_test"][0]["exp_samples"][0]["labels"] == (
        'ALERTS{namespace="x",alertname="A"}'
    )
    assert case["alert_rule_test"][0]["exp_alerts"][0]["exp_labels"]["namespace"] == "x"


def test_the_readme_tells_of_every_secret():
    text = (K8S / "README.md").read_text()
    for name, keys in yaml.safe_load(SECRETS.read_text()).items():
        assert f"`{name}`" in text
        assert all(f"`{key}`" in text for key in keys)

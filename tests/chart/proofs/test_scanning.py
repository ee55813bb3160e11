"""trivy, with our rules and its own, and checkov refuse what is wrong, and pass what is not."""

import json

import pytest
import yaml

from tests.chart.example import CONTAINER, EXECUTOR, GONE, INGEST, POD, rendering
from tools.charting import scanning
from tools.charting.manifests import Rendering

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"a": "b"}}
OUTSIDE = {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"port": 443}]}
PASSWORD = {"name": "SMTP_PASSWORD", "value": "x"}
BY_REFERENCE = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "n", "key": "k"}}}
NAMES = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumNetworkPolicy",
    "metadata": {"name": "n"},
    "spec": {"endpointSelector": {"matchLabels": {"app.kubernetes.io/component": "router"}}},
}
# What is wrong -> the rule of trivy that says so.
WRONG = {
    "node": ("AW-0001", rendering((EXECUTOR, f"{POD}.nodeSelector", GONE))),
    "aks": ("AW-0001", rendering(egress="aks")),
    "addresses": ("AW-0001", rendering((EXECUTOR, f"{CONTAINER}.env.5", GONE))),
    "outside": ("AW-0002", rendering(("NetworkPolicy/alertwire-ingest", "spec.egress.+", OUTSIDE))),
    "anywhere": (
        "AW-0002",
        rendering(("NetworkPolicy/alertwire-executor", "spec.egress.0.to", GONE)),
    ),
    "names": ("AW-0002", rendering(more=(NAMES,))),
    "host": ("AW-0002", rendering((INGEST, f"{POD}.hostNetwork", True))),
    "secret": ("AW-0003", rendering(more=(SECRET,))),
    "password": ("AW-0003", rendering((INGEST, f"{CONTAINER}.env.+", PASSWORD))),
    "reference": ("AW-0003", rendering((INGEST, f"{CONTAINER}.env.+", BY_REFERENCE))),
    "address": (
        "AW-0003",
        rendering((INGEST, f"{CONTAINER}.env.0.value", "nats://user:secret@nats:4222")),
    ),
    "privileged": (
        "KSV-0017",
        rendering((INGEST, f"{CONTAINER}.securityContext.privileged", True)),
    ),
}
# Nothing is said against these, though some look like the ones above.
RIGHT = {
    "good": rendering(),
    "cilium": rendering((EXECUTOR, f"{POD}.nodeSelector", GONE), egress="cilium"),
    "development": rendering(
        (EXECUTOR, f"{POD}.nodeSelector", GONE), more=(SECRET,), production=False, egress="none"
    ),
}


def put(folder, made: Rendering, name: str):
    (folder / f"{name}.yaml").write_text(scanning.marked(made))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Everything in one run: a start of trivy costs seconds."""
    folder = tmp_path_factory.mktemp("scanned") / "all"
    folder.mkdir()
    for name, (_, made) in WRONG.items():
        put(folder, made, name)
    for name, made in RIGHT.items():
        put(folder, made, name)
    return list(scanning.trivy(folder))


@pytest.mark.parametrize("name", WRONG)
def test_trivy_refuses(found, name):
    rules = {finding.rule for finding in found if finding.source == f"{name}.yaml"}
    assert f"trivy/{WRONG[name][0]}" in rules


@pytest.mark.parametrize("name", RIGHT)
def test_trivy_passes(found, name):
    assert [str(finding) for finding in found if finding.source == f"{name}.yaml"] == []


def test_a_file_that_trivy_does_not_look_at_is_told(tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    put(folder, rendering(), "good")
    (folder / "other.yaml").write_text("a: b\n")
    assert [finding.source for finding in scanning.trivy(folder)] == ["other.yaml"]


def test_checkov_refuses_and_passes(tmp_path):
    """Both in one run, since its start takes longer than anything else here."""
    spoilt = rendering((INGEST, f"{CONTAINER}.securityContext.privileged", True))
    for name, made in (("good", rendering()), ("bad", spoilt)):
        text = yaml.safe_dump_all([manifest.document for manifest in made.manifests])
        (tmp_path / f"{name}.yaml").write_text(text)
    found = list(scanning.checkov(tmp_path))
    assert [str(finding) for finding in found if finding.source == "good.yaml"] == []
    assert "checkov/CKV_K8S_16" in {finding.rule for finding in found}


@pytest.mark.parametrize(
    ("resource", "check", "told"),
    [
        ("Pod.alertwire.alertwire-test", "CKV_K8S_8", 0),
        ("Pod.alertwire.alertwire-test", "CKV_K8S_16", 1),
        ("Deployment.alertwire.alertwire-ingest", "CKV_K8S_8", 1),
    ],
    ids=["test without probe", "test with privileges", "service without probe"],
)
def test_only_a_pod_that_ends_needs_no_probe(resource, check, told):
    failure = {"check_id": check, "resource": resource, "file_path": "/a", "check_name": "n"}
    report = {"summary": {"passed": 1}, "results": {"failed_checks": [failure]}}
    assert len(list(scanning.checkov_report(json.dumps(report)))) == told


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Traceback", "Traceback"),
        ('{"passed": 0, "failed": 0, "parsing_errors": 0}', "looked at nothing"),
        (
            '{"summary": {"passed": 1, "parsing_errors": 1}, "results": {"failed_checks": []}}',
            "could not read",
        ),
    ],
    ids=["no report", "empty", "unreadable"],
)
def test_checkov_that_has_looked_at_nothing_is_told(said, words):
    (finding,) = scanning.checkov_report(said)
    assert words in finding.message

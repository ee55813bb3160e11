"""Judgements of what several objects are together: scalers, monitors, rights, modes of egress."""

import pytest

from tests.chart.example import EXECUTOR, GONE, INGEST, POD, rendering
from tools.charting.judging import egress, policies, references, restricted, secrets

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"a": "b"}}


@pytest.mark.parametrize(("production", "rules"), [(True, {"secret/object"}), (False, set())])
def test_a_secret_stands_in_development_alone(production, rules):
    made = rendering(more=(SECRET,), production=production)
    assert {finding.rule for finding in secrets.judge(made)} == rules


def test_secrets_that_nobody_is_told_to_make_are_refused():
    told = {"alertwire-nats-ingest": ["seed"], "alertwire-nats-executor": [], "hook-tls": []}
    found = secrets.judge(rendering(), told)
    (finding,) = found
    assert finding.subject == INGEST
    assert finding.message == "Secret alertwire-nats-ingest is not told to have sealing.key"
    found = secrets.judge(rendering(), {})
    assert {finding.rule for finding in found} == {"secret/documented"}
    assert {finding.subject for finding in found} == {INGEST, EXECUTOR, "Ingress/alertwire-ingest"}


@pytest.mark.parametrize(("enforced", "rules"), [("restricted", 0), ("baseline", 1), (None, 1)])
def test_a_namespace_enforces_the_profile(enforced, rules):
    labels = {"pod-security.kubernetes.io/enforce": enforced} if enforced else {}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "labels": labels}}
    assert len(restricted.judge(rendering(more=(space,)))) == rules


def scaler(kind: str, target: str) -> dict[str, object]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": kind,
        "metadata": {"name": "scaler"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target}},
    }


@pytest.mark.parametrize(
    ("target", "changes", "told"),
    [
        ("alertwire-ingest", ((INGEST, "spec.replicas", GONE),), []),
        ("alertwire-ingest", (), ["sets replicas"]),
        ("alertwire-other", (), ["there is no"]),
        ("alertwire-executor-0", ((EXECUTOR, "spec.replicas", GONE),), ["never scaled"]),
    ],
    ids=["good", "replicas too", "nothing", "executor"],
)
def test_what_scales(target, changes, told):
    made = rendering(*changes, more=(scaler("HorizontalPodAutoscaler", target),))
    found = [finding.message for finding in references.judge(made)]
    assert len(found) == len(told)
    assert all(text in message for text, message in zip(told, found, strict=True))


def monitor(port: str, labels: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "m"},
        "spec": {"selector": {"matchLabels": labels}, "podMetricsEndpoints": [{"port": port}]},
    }


@pytest.mark.parametrize(
    ("port", "label", "rules"),
    [
        ("health", "alertwire", set()),
        ("metrics", "alertwire", {"reference/metrics-port"}),
        ("health", "other", {"reference/selector"}),
    ],
    ids=["good", "port", "labels"],
)
def test_metrics_are_read_where_they_are(port, label, rules):
    made = rendering(more=(monitor(port, {"app.kubernetes.io/name": label}),))
    assert {finding.rule for finding in references.judge(made)} == rules


def test_rights_are_given_to_who_exists():
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "here"},
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "alertwire-ingest", "namespace": "there"}],
    }
    found = references.judge(rendering(more=(binding,)))
    assert {finding.rule for finding in found} == {"reference/subject", "reference/role"}


def cilium(component: str) -> dict[str, object]:
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumEgressGatewayPolicy",
        "metadata": {"name": "c"},
        "spec": {
            "selectors": [
                {
                    "podSelector": {
                        "matchLabels": {
                            "io.kubernetes.pod.namespace": "alertwire",
                            "app.kubernetes.io/component": component,
                        }
                    }
                }
            ]
        },
    }


def antrea(component: str) -> dict[str, object]:
    labels = {"app.kubernetes.io/component": component}
    return {
        "apiVersion": "crd.antrea.io/v1beta1",
        "kind": "Egress",
        "metadata": {"name": "e"},
        "spec": {"appliedTo": {"podSelector": {"matchLabels": labels}}},
    }


ANNOTATED = {"kubernetes.azure.com/static-gateway-configuration": "gateway"}


@pytest.mark.parametrize(
    ("mode", "changes", "more", "count"),
    [
        ("cilium", (), (cilium("executor"),), 0),
        ("cilium", (), (cilium("ingest"),), 1),
        ("cilium", (), (), 1),
        ("antrea", (), (antrea("executor"),), 0),
        ("antrea", (), (antrea("router"),), 1),
        ("aks", ((EXECUTOR, "spec.template.metadata.annotations", ANNOTATED),), (), 0),
        ("aks", (), (), 1),
        ("none", ((EXECUTOR, f"{POD}.nodeSelector", GONE),), (), 0),
        ("nat", (), (), 1),
    ],
    ids=[
        *("cilium", "cilium of another", "cilium without", "antrea", "antrea of another"),
        *("aks", "aks without", "none", "no mode"),
    ],
)
def test_each_mode_fixes_the_address_in_its_way(mode, changes, more, count):
    assert len(egress.judge(rendering(*changes, more=more, egress=mode))) == count


@pytest.mark.parametrize("kind", ["CiliumNetworkPolicy", "FQDNNetworkPolicy"])
@pytest.mark.parametrize("component", ["executor", "ingest"])
def test_names_outside_are_opened_for_the_executor_alone(kind, component):
    opened = {
        "apiVersion": "x/v1",
        "kind": kind,
        "metadata": {"name": "n"},
        "spec": {"podSelector": {"matchLabels": {"app.kubernetes.io/component": component}}},
    }
    found = policies.judge(rendering(more=(opened,)))
    assert bool(found) == (component != "executor")

"""Each schema takes a good object and refuses a bad one, as do kinds that have no schema."""

import copy

import pytest

from tests.chart.example import GONE, _set, rendering
from tools.charting import schemas
from tools.charting.manifests import Manifest

LABELS = {"matchLabels": {"app.kubernetes.io/component": "executor"}}


def document(api_version, kind, spec, **metadata):
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "alertwire-executor", **metadata},
        "spec": spec,
    }


GOOD = {
    "PodMonitor": document(
        "monitoring.coreos.com/v1",
        "PodMonitor",
        {"selector": LABELS, "podMetricsEndpoints": [{"port": "health", "interval": "15s"}]},
    ),
    "PrometheusRule": document(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0", "for": "1m"}]}]},
    ),
    "ScaledObject": document(
        "keda.sh/v1alpha1",
        "ScaledObject",
        {
            "scaleTargetRef": {"name": "alertwire-router"},
            "minReplicaCount": 2,
            "triggers": [{"type": "nats-jetstream", "metadata": {"stream": "PIPELINE"}}],
        },
    ),
    "CiliumEgressGatewayPolicy": document(
        "cilium.io/v2",
        "CiliumEgressGatewayPolicy",
        {
            "selectors": [
                {"podSelector": {"matchLabels": {"io.kubernetes.pod.namespace": "alertwire"}}}
            ],
            "destinationCIDRs": ["0.0.0.0/0"],
            "egressGateway": {"nodeSelector": {"matchLabels": {"a": "b"}}, "egressIP": "192.0.2.1"},
        },
    ),
    "CiliumNetworkPolicy": document(
        "cilium.io/v2",
        "CiliumNetworkPolicy",
        {
            "endpointSelector": LABELS,
            "egress": [
                {
                    "toFQDNs": [{"matchName": "api.mexc.com"}],
                    "toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}]}],
                }
            ],
        },
        namespace="alertwire",
    ),
    "Egress": document(
        "crd.antrea.io/v1beta1",
        "Egress",
        {
            "appliedTo": {"podSelector": LABELS, "namespaceSelector": LABELS},
            "externalIPPool": "pool",
        },
    ),
    "ExternalIPPool": document(
        "crd.antrea.io/v1beta1",
        "ExternalIPPool",
        {"ipRanges": [{"start": "192.0.2.1", "end": "192.0.2.2"}], "nodeSelector": LABELS},
    ),
    "FQDNNetworkPolicy": document(
        "networking.gke.io/v1alpha1",
        "FQDNNetworkPolicy",
        {
            "podSelector": LABELS,
            "egress": [
                {
                    "matches": [{"name": "api.mexc.com"}],
                    "ports": [{"protocol": "TCP", "port": 443}],
                }
            ],
        },
    ),
    "HTTPRoute": document(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        {
            "parentRefs": [{"name": "public"}],
            "hostnames": ["hook.example.org"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/hook/"}}],
                    "backendRefs": [{"name": "alertwire-ingest", "port": 8080}],
                }
            ],
        },
    ),
}
BAD = [
    ("PodMonitor", "spec.podMetricsEndpoints", "health"),
    ("PodMonitor", "spec.podMetricsEndpoints.0.prot", "health"),
    ("PrometheusRule", "spec.groups.0.rules.0.expr", GONE),
    ("PrometheusRule", "spec.groups.0.rules.0.annotation", {"summary": "x"}),
    ("ScaledObject", "spec.scaleTargetRef", GONE),
    ("ScaledObject", "spec.minReplicas", 2),
    ("CiliumEgressGatewayPolicy", "spec.egressGateway.egressIP", "192.0.2.300"),
    ("CiliumEgressGatewayPolicy", "spec.egressGateway.nodeSelector", {}),
    ("CiliumEgressGatewayPolicy", "spec.selectors.0.podSelector.matchLabels", {"a": "b"}),
    ("CiliumEgressGatewayPolicy", "spec.destinationCIDRs", ["0.0.0.0/33"]),
    ("CiliumEgressGatewayPolicy", "metadata.namespace", "alertwire"),
    ("CiliumNetworkPolicy", "spec.egress.0.toPorts", GONE),
    ("CiliumNetworkPolicy", "spec.egress.0.toPorts.0.ports.0.port", 443),
    ("CiliumNetworkPolicy", "spec.egress.0.toFQDNs.0.matchName", "https://api.mexc.com"),
    ("CiliumNetworkPolicy", "spec.endpointSelector", {}),
    ("Egress", "spec.externalIPPool", GONE),
    ("Egress", "spec.appliedTo.namespaceSelector", GONE),
    ("Egress", "spec.egressIPs", ["192.0.2.1"]),
    ("ExternalIPPool", "spec.ipRanges.0.end", GONE),
    ("ExternalIPPool", "spec.nodeSelector", GONE),
    ("FQDNNetworkPolicy", "spec.egress.0.to", [{"fqdns": ["api.mexc.com"]}]),
    ("FQDNNetworkPolicy", "spec.egress.0.ports.0.port", "443"),
    ("FQDNNetworkPolicy", "apiVersion", "networking.gke.io/v1alpha3"),
    ("HTTPRoute", "spec.rules.0.backendRefs.0.port", GONE),
    ("HTTPRoute", "spec.rules.0.matches.0.path.type", "Prefix"),
    ("HTTPRoute", "spec.hostnames", ["*"]),
]


def told(made):
    return list(schemas.problems(Manifest(source="example", document=made)))


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_object_of_somebody_elses_kind_passes(kind):
    assert told(GOOD[kind]) == []


@pytest.mark.parametrize(
    ("kind", "path", "value"), BAD, ids=[f"{kind}-{path}" for kind, path, _ in BAD]
)
def test_a_bad_one_is_refused(kind, path, value):
    spoilt = copy.deepcopy(GOOD[kind])
    _set(spoilt, path, value)
    assert told(spoilt)


def test_the_example_fits_every_version_of_kubernetes():
    assert schemas.judge([rendering()]) == []
    assert schemas.versions()[0] == schemas.OLDEST
    assert len(schemas.versions()) >= 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("spec.replica", 2), "replica"),
        (("spec.replicas", "two"), "spec.replicas"),
        (("spec.template.spec.containers.0.livenessProbe.httpGet.port", GONE), "port"),
        (("apiVersion", "apps/v1beta1"), "has no Deployment of apps/v1beta1"),
        (("kind", "Deploy"), "has no Deploy of apps/v1"),
    ],
    ids=["unknown key", "type", "missing", "removed version", "unknown kind"],
)
def test_what_kubernetes_would_not_take_is_refused(changes, words):
    (finding,) = schemas.judge([rendering(("Deployment/alertwire-ingest", *changes))])
    assert words in finding.message
    assert finding.message.startswith(f"Kubernetes {schemas.OLDEST}")


def test_a_version_that_only_the_newest_lacks_is_refused():
    """A removed version passes the oldest: here `flowcontrol` v1beta3, gone with 1.32."""
    removed = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1beta3",
        "kind": "FlowSchema",
        "metadata": {"name": "f"},
        "spec": {"priorityLevelConfiguration": {"name": "p"}},
    }
    (problem,) = told(removed)
    assert "has no FlowSchema" in problem
    assert not problem.startswith(f"Kubernetes {schemas.OLDEST}")

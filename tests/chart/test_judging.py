"""Each judgement lets a good installation pass, and refuses one with a single thing wrong."""

import pytest

from tests.chart.example import CONTAINER, EXECUTOR, GONE, INGEST, POD, rendering
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

JUDGES = (
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
CONTEXT = f"{CONTAINER}.securityContext"
KEYS = f"{POD}.volumes.0.projected.sources.0.secret.items"
INGRESS = "Ingress/alertwire-ingest"
SERVICE = "Service/alertwire-ingest"
BUDGET = "PodDisruptionBudget/alertwire-ingest"
OTHER_IMAGE = f"alertwire-executor@sha256:{'a' * 64}"
DENY = "NetworkPolicy/alertwire-default-deny"
INGEST_POLICY = "NetworkPolicy/alertwire-ingest"
EXECUTOR_POLICY = "NetworkPolicy/alertwire-executor"
OUTSIDE = {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"port": 443}]}

WRONG = [
    # Pod Security Standards, restricted.
    (restricted, "restricted/host-namespaces", INGEST, f"{POD}.hostNetwork", True),
    (restricted, "restricted/host-namespaces", INGEST, f"{POD}.hostPID", True),
    (restricted, "restricted/volumes", INGEST, f"{POD}.volumes.0", {"name": "v", "hostPath": {}}),
    (restricted, "restricted/sysctls", INGEST, f"{POD}.securityContext.sysctls", [{"name": "x"}]),
    (restricted, "restricted/run-as-user", INGEST, f"{CONTEXT}.runAsUser", 0),
    (restricted, "restricted/run-as-non-root", INGEST, f"{POD}.securityContext.runAsNonRoot", GONE),
    (restricted, "restricted/run-as-non-root", INGEST, f"{CONTEXT}.runAsNonRoot", False),
    (restricted, "restricted/seccomp", INGEST, f"{POD}.securityContext.seccompProfile", GONE),
    (restricted, "restricted/seccomp", INGEST, f"{CONTEXT}.seccompProfile", {"type": "Unconfined"}),
    (restricted, "restricted/privileged", INGEST, f"{CONTEXT}.privileged", True),
    (
        restricted,
        "restricted/privilege-escalation",
        INGEST,
        f"{CONTEXT}.allowPrivilegeEscalation",
        GONE,
    ),
    (restricted, "restricted/capabilities", INGEST, f"{CONTEXT}.capabilities", GONE),
    (restricted, "restricted/capabilities", INGEST, f"{CONTEXT}.capabilities.add", ["SYS_ADMIN"]),
    (restricted, "restricted/proc-mount", INGEST, f"{CONTEXT}.procMount", "Unmasked"),
    (restricted, "restricted/selinux", INGEST, f"{CONTEXT}.seLinuxOptions.user", "root"),
    (
        restricted,
        "restricted/apparmor",
        INGEST,
        f"{CONTEXT}.appArmorProfile",
        {"type": "Unconfined"},
    ),
    (
        restricted,
        "restricted/host-process",
        INGEST,
        f"{CONTEXT}.windowsOptions",
        {"hostProcess": True},
    ),
    (restricted, "restricted/host-ports", INGEST, f"{CONTAINER}.ports.0.hostPort", 80),
    (
        restricted,
        "restricted/host-probes",
        INGEST,
        f"{CONTAINER}.livenessProbe.httpGet.host",
        "169.254.169.254",
    ),
    (restricted, "restricted/containers", INGEST, f"{POD}.containers", []),
    (restricted, "beyond/token", INGEST, f"{POD}.automountServiceAccountToken", GONE),
    (restricted, "beyond/service-account", INGEST, f"{POD}.serviceAccountName", GONE),
    (restricted, "beyond/service-links", INGEST, f"{POD}.enableServiceLinks", GONE),
    (restricted, "beyond/read-only", INGEST, f"{CONTEXT}.readOnlyRootFilesystem", False),
    (restricted, "beyond/user", INGEST, f"{POD}.securityContext.runAsUser", GONE),
    (restricted, "beyond/requests", INGEST, f"{CONTAINER}.resources.requests.cpu", GONE),
    (restricted, "beyond/limits", INGEST, f"{CONTAINER}.resources.limits", GONE),
    # One object speaks of another.
    (references, "reference/selector", INGEST, "spec.template.metadata.labels", {"a": "b"}),
    (
        references,
        "reference/selector",
        INGEST,
        "spec.selector.matchLabels./app.kubernetes.io/version/",
        "1",
    ),
    (references, "reference/component", INGEST, "metadata.labels", {}),
    (references, "reference/service", SERVICE, "spec.selector", {"a": "b"}),
    (references, "reference/service", SERVICE, "spec.selector", GONE),
    (
        references,
        "reference/service",
        SERVICE,
        "spec.selector",
        {"app.kubernetes.io/instance": "alertwire"},
    ),
    (references, "reference/service-port", SERVICE, "spec.ports.0.targetPort", "https"),
    (references, "reference/service-port", SERVICE, "spec.ports.0.protocol", "UDP"),
    (references, "reference/selector", BUDGET, "spec.selector.matchLabels", {"a": "b"}),
    (references, "reference/budget", BUDGET, "spec.minAvailable", 2),
    (
        references,
        "reference/backend",
        INGRESS,
        "spec.defaultBackend",
        {"service": {}},
    ),
    (references, "reference/backend", SERVICE, "spec.ports.0.port", 81),
    (references, "reference/account", INGEST, f"{POD}.serviceAccountName", "other"),
    (references, "reference/account", INGEST, f"{POD}.serviceAccountName", "alertwire-executor"),
    (
        references,
        "reference/token",
        "ServiceAccount/alertwire-ingest",
        "automountServiceAccountToken",
        True,
    ),
    (references, "reference/volume", INGEST, f"{CONTAINER}.volumeMounts.0.name", "other"),
    (references, "reference/volume", INGEST, f"{POD}.volumes.+", {"name": "idle", "emptyDir": {}}),
    (
        references,
        "reference/selector",
        INGEST_POLICY,
        "spec.podSelector",
        {"matchLabels": {"a": "b"}},
    ),
    (
        references,
        "reference/spread",
        INGEST,
        f"{POD}.topologySpreadConstraints",
        [{"labelSelector": {"matchLabels": {"a": "b"}}}],
    ),
    # Names and numbers.
    (names, "name/dns", INGEST, "metadata.name", "Alertwire_ingest"),
    (names, "name/length", INGEST, "metadata.name", "a" * 60),
    (names, "name/service", SERVICE, "metadata.name", "1-ingest"),
    (names, "name/twice", EXECUTOR, "metadata.name", "alertwire-ingest"),
    (names, "name/label", INGEST, "metadata.labels.x", "no spaces"),
    (names, "name/label", INGEST, f"{POD}.nodeSelector", {"static": True}),
    (names, "name/port", SERVICE, "spec.ports.0.port", 99_999),
    (names, "name/port", INGEST, f"{CONTAINER}.ports.0.name", "much-too-long-a-name"),
    (names, "name/port", INGEST, f"{CONTAINER}.ports.1.containerPort", 8080),
    (names, "name/network", EXECUTOR_POLICY, "spec.egress.1.to.0.ipBlock.cidr", "10.0.0.0/33"),
    (names, "name/network", EXECUTOR_POLICY, "spec.egress.1.to.0.ipBlock.cidr", "10.0.0.1/8"),
    (names, "name/network", EXECUTOR_POLICY, "spec.egress.1.to.0.ipBlock.except", ["::/0"]),
    # Images.
    (images, "image/digest", INGEST, f"{CONTAINER}.image", "r/alertwire-ingest:1.0"),
    (images, "image/digest", INGEST, f"{CONTAINER}.image", "r/alertwire-ingest@sha256:abc"),
    (images, "image/latest", INGEST, f"{CONTAINER}.image", "r/alertwire-ingest:latest"),
    (images, "image/latest", INGEST, f"{CONTAINER}.image", "localhost:5000/alertwire-ingest"),
    (
        images,
        "image/service",
        INGEST,
        f"{CONTAINER}.image",
        f"alertwire-executor@sha256:{'a' * 64}",
    ),
    (
        images,
        "image/component",
        INGEST,
        "spec.template.metadata.labels./app.kubernetes.io/component/",
        "other",
    ),
    (
        images,
        "image/stand-in",
        INGEST,
        "spec.template.metadata.labels./app.kubernetes.io/component/",
        "nats",
    ),
    # Probes.
    (probes, "probe/liveness", INGEST, f"{CONTAINER}.livenessProbe.httpGet.path", "/health/ready"),
    (probes, "probe/liveness", INGEST, f"{CONTAINER}.livenessProbe", GONE),
    (probes, "probe/liveness", INGEST, f"{CONTAINER}.livenessProbe.httpGet.port", "other"),
    (probes, "probe/readiness", INGEST, f"{CONTAINER}.readinessProbe.httpGet.path", "/health/live"),
    (probes, "probe/startup", INGEST, f"{CONTAINER}.startupProbe.httpGet.path", "/health/ready"),
    (
        probes,
        "probe/drain",
        INGEST,
        f"{CONTAINER}.env.+",
        {"name": "ALERTWIRE_DRAIN_S", "value": "45"},
    ),
    # The process's own settings.
    (environment, "env/settings", INGEST, f"{CONTAINER}.env.4.name", "ALERTWIRE_HOTS"),
    (environment, "env/settings", INGEST, f"{CONTAINER}.env.5", GONE),
    (environment, "env/settings", INGEST, f"{CONTAINER}.env.5.value", "eighty"),
    (
        environment,
        "env/settings",
        INGEST,
        f"{CONTAINER}.env.+",
        {"name": "ALERTWIRE_NATS_URL_FILE", "value": "/run/alertwire/seed"},
    ),
    (environment, "env/port", INGEST, f"{CONTAINER}.env.5.value", "8081"),
    (environment, "env/host", INGEST, f"{CONTAINER}.env.4.value", "127.0.0.1"),
    (environment, "env/twice", INGEST, f"{CONTAINER}.env.5.name", "ALERTWIRE_HOST"),
    (environment, "env/config", INGEST, f"{CONTAINER}.envFrom", [{"configMapRef": {"name": "x"}}]),
    (environment, "env/file", INGEST, f"{CONTAINER}.env.1.value", "/run/elsewhere/seed"),
    (environment, "env/file", INGEST, f"{CONTAINER}.env.1.value", "/run/alertwire/sead"),
    (environment, "env/settings", EXECUTOR, f"{CONTAINER}.env.6.value", "1"),
    (environment, "env/shard", EXECUTOR, "metadata.name", "alertwire-executor-1"),
    # Who may reach whom.
    (policies, "policy/default-deny", DENY, "", GONE),
    (policies, "policy/default-deny", DENY, "spec.policyTypes", ["Ingress"]),
    (policies, "policy/default-deny", DENY, "spec.podSelector.matchLabels", {"app": "ingest"}),
    (policies, "policy/outside", INGEST_POLICY, "spec.egress.+", OUTSIDE),
    (policies, "policy/outside", INGEST_POLICY, "spec.egress.0.to", GONE),
    (
        policies,
        "policy/outside",
        EXECUTOR_POLICY,
        "spec.podSelector.matchLabels",
        {"app.kubernetes.io/instance": "alertwire"},
    ),
    (policies, "policy/outside", EXECUTOR_POLICY, "spec.egress.1", GONE),
    (policies, "policy/metadata", EXECUTOR_POLICY, "spec.egress.1.to.0.ipBlock.except.5", GONE),
    (policies, "policy/inside", EXECUTOR_POLICY, "spec.egress.1.to.0.ipBlock.except.0", GONE),
    (policies, "policy/inside", EXECUTOR_POLICY, "spec.ingress", [{"ports": [{"port": 9090}]}]),
    (policies, "policy/ports", EXECUTOR_POLICY, "spec.egress.1.ports", GONE),
    (policies, "policy/ports", EXECUTOR_POLICY, "spec.egress.1.ports.0.endPort", 500),
    # The executor's address.
    (egress, "egress/address", EXECUTOR, f"{POD}.nodeSelector", GONE),
    (egress, "egress/address", EXECUTOR, f"{CONTAINER}.env.5.value", ""),
    (
        egress,
        "egress/address",
        EXECUTOR,
        f"{CONTAINER}.env.+",
        {"name": "ALERTWIRE_ECHO_URLS", "value": ""},
    ),
    # Secrets.
    (
        secrets,
        "secret/value",
        INGEST,
        f"{CONTAINER}.env.+",
        {"name": "SMTP_PASSWORD", "value": "x"},
    ),
    (
        secrets,
        "secret/variable",
        INGEST,
        f"{CONTAINER}.env.0",
        {"name": "ALERTWIRE_NATS_URL", "valueFrom": {"secretKeyRef": {"name": "n", "key": "k"}}},
    ),
    (secrets, "secret/variable", INGEST, f"{CONTAINER}.envFrom", [{"secretRef": {"name": "n"}}]),
    (secrets, "secret/looks", INGEST, f"{CONTAINER}.env.0.value", "nats://user:secret@nats:4222"),
    (secrets, "secret/mode", INGEST, f"{POD}.volumes.0.projected.defaultMode", GONE),
    (secrets, "secret/mode", INGEST, f"{POD}.volumes.0.projected.defaultMode", 0o444),
    (secrets, "secret/mode", INGEST, f"{KEYS}.0.mode", 0o444),
    (secrets, "secret/mode", INGEST, f"{POD}.volumes.+", {"name": "s", "secret": {}}),
    (secrets, "secret/mode", INGEST, f"{CONTAINER}.volumeMounts.0.readOnly", False),
    (secrets, "secret/mode", INGEST, f"{CONTAINER}.volumeMounts.0.subPath", "seed"),
]


def test_nothing_is_said_against_a_good_installation():
    good = rendering()
    assert [str(finding) for module in JUDGES for finding in module.judge(good)] == []


@pytest.mark.parametrize(
    ("module", "rule", "name", "path", "value"),
    WRONG,
    ids=[f"{index:03}-{case[1].replace('/', '-')}" for index, case in enumerate(WRONG)],
)
def test_one_wrong_thing_is_refused(module, rule, name, path, value):
    found = module.judge(rendering((name, path, value)))
    assert rule in {finding.rule for finding in found}, [str(finding) for finding in found]
    assert all(finding.source == "example" and finding.subject for finding in found)

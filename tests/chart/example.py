"""A tiny installation that nothing can be said against, and ways to spoil one thing in it."""

import copy
from typing import Any

import yaml

from tools.charting.manifests import Manifest, Rendering

GONE: Any = object()
"""In place of a value: take the key away."""

_DIGEST = "a" * 64


def _labels(component: str, indent: int) -> str:
    return f"\n{' ' * indent}".join(
        (
            "app.kubernetes.io/name: alertwire",
            "app.kubernetes.io/instance: alertwire",
            f"app.kubernetes.io/component: {component}",
        )
    )


def _deployment(name: str, component: str, *, ports: str, env: str, pod: str = "") -> str:
    return f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: alertwire-{component}}}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    {_labels(component, 4)}
spec:
  replicas: 2
  selector:
    matchLabels:
      {_labels(component, 6)}
  template:
    metadata:
      labels:
        {_labels(component, 8)}
    spec:
      serviceAccountName: alertwire-{component}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 45
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        seccompProfile: {{type: RuntimeDefault}}
{pod}
      containers:
        - name: {component}
          image: registry.example.org/alertwire-{component}@sha256:{_DIGEST}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          resources:
            requests: {{cpu: 100m, memory: 64Mi}}
            limits: {{memory: 128Mi}}
          ports:
{ports}
          startupProbe: {{httpGet: {{path: /health/live, port: health}}}}
          livenessProbe: {{httpGet: {{path: /health/live, port: health}}}}
          readinessProbe: {{httpGet: {{path: /health/ready, port: health}}}}
          env:
            - {{name: ALERTWIRE_NATS_URL, value: "tls://nats:4222"}}
            - {{name: ALERTWIRE_NATS_NKEY_FILE, value: /run/alertwire/seed}}
            - {{name: ALERTWIRE_HEALTH_HOST, value: 0.0.0.0}}
            - {{name: ALERTWIRE_HEALTH_PORT, value: "9090"}}
{env}
          volumeMounts:
            - {{name: secrets, mountPath: /run/alertwire, readOnly: true}}
      volumes:
        - name: secrets
          projected:
            defaultMode: 0440
            sources:
              - secret:
                  name: alertwire-nats-{component}
                  items: [{{key: seed, path: seed}}, {{key: sealing.key, path: sealing.key}}]
"""


def _policy(component: str, rules: str) -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: alertwire-{component}}}
spec:
  podSelector:
    matchLabels:
      {_labels(component, 6)}
  policyTypes: [Ingress, Egress]
  egress:
    - to: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: nats}}}}}}]
      ports: [{{protocol: TCP, port: 4222}}]
{rules}
"""


_HTTP = "            - {name: http, containerPort: 8080}\n"
_HEALTH = "            - {name: health, containerPort: 9090}"
_TEXT = "---".join(
    (
        _deployment(
            "alertwire-ingest",
            "ingest",
            ports=_HTTP + _HEALTH,
            env="""\
            - {name: ALERTWIRE_HOST, value: 0.0.0.0}
            - {name: ALERTWIRE_PORT, value: "8080"}
""",
        ),
        _deployment(
            "alertwire-executor-0",
            "executor",
            ports=_HEALTH,
            pod="      nodeSelector: {egress: static}",
            env="""\
            - {name: ALERTWIRE_SEALING_KEY_FILE, value: /run/alertwire/sealing.key}
            - {name: ALERTWIRE_EXPECTED_ADDRESSES, value: 203.0.113.10}
            - {name: ALERTWIRE_SHARD, value: "0"}
            - {name: ALERTWIRE_SHARDS, value: "1"}
""",
        ),
        f"""
apiVersion: v1
kind: Service
metadata: {{name: alertwire-ingest}}
spec:
  selector:
    {_labels("ingest", 4)}
  ports: [{{name: http, port: 8080, targetPort: http}}]
""",
        f"""
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: alertwire-ingest}}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      {_labels("ingest", 6)}
""",
        """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: alertwire-ingest}
spec:
  tls: [{hosts: [hook.example.org], secretName: hook-tls}]
  rules:
    - host: hook.example.org
      http:
        paths:
          - path: /hook/
            pathType: Prefix
            backend: {service: {name: alertwire-ingest, port: {number: 8080}}}
""",
        """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: alertwire-default-deny}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/instance: alertwire}}
  policyTypes: [Ingress, Egress]
""",
        _policy(
            "ingest",
            """\
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]
      ports: [{protocol: TCP, port: 8080}]
""",
        ),
        _policy(
            "executor",
            """\
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 127.0.0.0/8,
              169.254.0.0/16]
      ports: [{protocol: TCP, port: 443}]
""",
        ),
    )
)
_DOCUMENTS = {
    f"{document['kind']}/{document['metadata']['name']}": document
    for document in yaml.safe_load_all(_TEXT)
}

INGEST = "Deployment/alertwire-ingest"
EXECUTOR = "Deployment/alertwire-executor-0"
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"


def rendering(
    *changes: tuple[str, str, Any],
    more: tuple[dict[str, Any], ...] = (),
    production: bool = True,
    egress: str = "node",
) -> Rendering:
    """The installation with single values changed: object, path with dots, value or `GONE`. An
    empty path with `GONE` takes the whole object away.
    """
    documents = copy.deepcopy(_DOCUMENTS)
    for name, path, value in changes:
        if not path:
            del documents[name]
        else:
            _set(documents[name], path, value if value is GONE else copy.deepcopy(value))
    for document in (*documents.values(), *more):
        document["metadata"].setdefault("namespace", "alertwire")
    return Rendering(
        source="example",
        production=production,
        egress=egress,
        manifests=tuple(
            Manifest(source="example", document=document)
            for document in (*documents.values(), *more)
        ),
    )


def _set(node: Any, path: str, value: Any) -> None:
    # A key with dots in it stands between slashes: spec.podSelector.matchLabels./a.b/
    *parents, last = _parts(path)
    for key in parents:
        node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
    if isinstance(node, list):
        if last == "+":
            node.append(value)
        elif value is GONE:
            del node[int(last)]
        else:
            node[int(last)] = value
    elif value is GONE:
        del node[last]
    else:
        node[last] = value


def _parts(path: str) -> list[str]:
    before, slash, rest = path.partition("/")
    parts = [part for part in before.split(".") if part]
    return [*parts, rest.rstrip("/")] if slash else parts

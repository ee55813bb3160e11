"""What one object says of another is true: selectors meet labels, ports and names exist.

The API server takes all of this without a word; a Service that selects nothing is no error to it.
"""

from collections.abc import Iterator
from typing import Any

from tools.charting.findings import Finding
from tools.charting.manifests import COMPONENT, Manifest, Pod, Rendering, selects

_SELECTING_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


def judge(rendering: Rendering) -> list[Finding]:
    return [
        *_workloads(rendering),
        *_services(rendering),
        *_selecting(rendering),
        *_scaled(rendering),
        *_routed(rendering),
        *_accounts(rendering),
        *_bound(rendering),
        *_mounts(rendering),
    ]


def _pods_in(rendering: Rendering, manifest: Manifest) -> list[Pod]:
    space = manifest.metadata.get("namespace")
    return [pod for pod in rendering.pods() if pod.owner.metadata.get("namespace") == space]


def _workloads(rendering: Rendering) -> Iterator[Finding]:
    chosen_by: dict[str, Manifest] = {}
    for pod in rendering.pods():
        owner = pod.owner
        if owner.kind not in _SELECTING_WORKLOADS:
            continue
        selector = owner.spec.get("selector") or {}
        if not selector or not selects(selector, pod.labels):
            yield owner.finding("reference/selector", "it does not select its own pods")
        if "app.kubernetes.io/version" in (selector.get("matchLabels") or {}):
            yield owner.finding(
                "reference/selector", "it selects by version, and a selector can never be changed"
            )
        same = chosen_by.setdefault(
            repr(sorted((selector.get("matchLabels") or {}).items())), owner
        )
        if same is not owner:
            yield owner.finding(
                "reference/selector", f"it selects the same pods as {same.kind}/{same.name}"
            )
        if owner.component != pod.component or not pod.component:
            yield owner.finding(
                "reference/component", f"its pods are not labelled {COMPONENT} alike"
            )


def _services(rendering: Rendering) -> Iterator[Finding]:
    for service in rendering.of_kind("Service"):
        selector = service.spec.get("selector")
        if not selector:
            yield service.finding("reference/service", "it has no selector")
            continue
        pods = [
            pod
            for pod in _pods_in(rendering, service)
            if selects({"matchLabels": selector}, pod.labels)
        ]
        if not pods:
            yield service.finding("reference/service", f"no pod has the labels {selector}")
        components = {pod.component for pod in pods}
        if len(components) > 1:
            yield service.finding("reference/service", f"it selects {sorted(components)} together")
        for port in service.spec.get("ports") or ():
            target = port.get("targetPort", port.get("port"))
            for pod in pods:
                if not _has_port(pod, target, port.get("protocol", "TCP")):
                    yield service.finding(
                        "reference/service-port",
                        f"{pod.owner.kind}/{pod.owner.name} has no port {target!r}",
                    )


def _has_port(pod: Pod, wanted: Any, protocol: str = "TCP") -> bool:
    return any(
        wanted in (port.get("name"), port.get("containerPort"))
        and port.get("protocol", "TCP") == protocol
        for container in pod.spec.get("containers") or ()
        for port in container.get("ports") or ()
    )


def _selecting(rendering: Rendering) -> Iterator[Finding]:
    """What chooses pods by a label selector, and would choose none."""
    yield from _budgets_and_monitors(rendering)
    for policy in rendering.of_kind("NetworkPolicy"):
        selector = policy.spec.get("podSelector") or {}
        if selector and not any(selects(selector, pod.labels) for pod in rendering.pods()):
            yield policy.finding("reference/selector", "it selects no pod")
    for pod in rendering.pods():
        for spread in pod.spec.get("topologySpreadConstraints") or ():
            if not selects(spread.get("labelSelector"), pod.labels):
                yield pod.owner.finding("reference/spread", "it spreads other pods than its own")


def _budgets_and_monitors(rendering: Rendering) -> Iterator[Finding]:
    for manifest in rendering.of_kind("PodDisruptionBudget", "PodMonitor"):
        selector = manifest.spec.get("selector") or {}
        chosen = [
            pod
            for pod in _pods_in(rendering, manifest)
            if pod.owner.kind != "Job" and selects(selector, pod.labels)
        ]
        if not selector or not chosen:
            yield manifest.finding("reference/selector", "it selects no pod")
        for endpoint in manifest.spec.get("podMetricsEndpoints") or ():
            for pod in chosen:
                port = endpoint.get("port") or endpoint.get("portNumber")
                if not _has_port(pod, port):
                    yield manifest.finding(
                        "reference/metrics-port",
                        f"{pod.owner.kind}/{pod.owner.name} has no port {port!r}",
                    )
        if manifest.kind == "PodDisruptionBudget":
            yield from _budget(manifest, chosen)


def _budget(budget: Manifest, chosen: list[Pod]) -> Iterator[Finding]:
    """A budget that lets no pod go holds up each upgrade of the cluster."""
    if any("replicas" not in pod.owner.spec for pod in chosen):
        return  # As many as load asks for.
    replicas = sum(pod.owner.spec["replicas"] for pod in chosen)
    least, most = budget.spec.get("minAvailable"), budget.spec.get("maxUnavailable")
    if (isinstance(least, int) and chosen and least >= replicas) or most in (0, "0%"):
        yield budget.finding("reference/budget", f"of {replicas} pods none may ever be evicted")


def _scaled(rendering: Rendering) -> Iterator[Finding]:
    by_name = {(manifest.kind, manifest.name): manifest for manifest in rendering.manifests}
    for scaler in rendering.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler.spec.get("scaleTargetRef") or {}
        scaled = by_name.get((target.get("kind", "Deployment"), str(target.get("name"))))
        if scaled is None:
            yield scaler.finding("reference/scaled", f"there is no {target}")
        elif "replicas" in scaled.spec:
            yield scaler.finding(
                "reference/scaled",
                f"{scaled.kind}/{scaled.name} sets replicas, so each upgrade resets the count",
            )
        elif scaled.component == "executor":
            yield scaler.finding("reference/scaled", "the executor is never scaled by load")


def _routed(rendering: Rendering) -> Iterator[Finding]:
    services = {service.name: service for service in rendering.of_kind("Service")}
    for manifest in rendering.of_kind("Ingress", "HTTPRoute", "TLSRoute"):
        for name, port in _backends(manifest):
            service = services.get(name)
            ports = (service.spec.get("ports") or ()) if service else ()
            if not any(port in (each.get("name"), each.get("port")) for each in ports):
                yield manifest.finding("reference/backend", f"there is no Service {name}:{port}")


def _backends(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    rules = manifest.spec.get("rules") or ()
    if manifest.kind != "Ingress":
        for rule in rules:
            for backend in rule.get("backendRefs") or ():
                yield str(backend.get("name")), backend.get("port")
        return
    paths = [path for rule in rules for path in (rule.get("http") or {}).get("paths") or ()]
    backends = [path.get("backend") or {} for path in paths]
    if manifest.spec.get("defaultBackend"):
        backends.append(manifest.spec["defaultBackend"])
    for backend in backends:
        service = backend.get("service") or {}
        port = service.get("port") or {}
        yield str(service.get("name")), port.get("name", port.get("number"))


def _accounts(rendering: Rendering) -> Iterator[Finding]:
    accounts = {account.name for account in rendering.of_kind("ServiceAccount")}
    for account in rendering.of_kind("ServiceAccount"):
        if account.document.get("automountServiceAccountToken") is not False:
            yield account.finding("reference/token", "automountServiceAccountToken is not false")
    users: dict[str, set[str]] = {}
    for pod in rendering.pods():
        name = pod.spec.get("serviceAccountName", "default")
        users.setdefault(name, set()).add(pod.component)
        if name not in accounts:
            yield pod.owner.finding("reference/account", f"there is no ServiceAccount {name}")
        if len(users[name]) > 1:
            yield pod.owner.finding("reference/account", f"{sorted(users[name])} share {name}")


def _bound(rendering: Rendering) -> Iterator[Finding]:
    """Who is given rights exists, in the namespace where he is looked for."""
    accounts = {
        (account.name, account.metadata.get("namespace"))
        for account in rendering.of_kind("ServiceAccount")
    }
    roles = {role.name for role in rendering.of_kind("Role")}
    for binding in rendering.of_kind("RoleBinding"):
        for subject in binding.document.get("subjects") or ():
            if (subject.get("name"), subject.get("namespace")) not in accounts:
                yield binding.finding("reference/subject", f"there is no {subject}")
        if (binding.document.get("roleRef") or {}).get("name") not in roles:
            yield binding.finding("reference/role", "there is no such Role")


def _mounts(rendering: Rendering) -> Iterator[Finding]:
    """Volumes that are mounted and volumes that exist are the same, and so are ConfigMaps' keys."""
    configs = {config.name: config for config in rendering.of_kind("ConfigMap")}
    for pod in rendering.pods():
        claims = pod.owner.spec.get("volumeClaimTemplates") or ()
        there = {str((claim.get("metadata") or {}).get("name")) for claim in claims}
        there |= {str(volume.get("name")) for volume in pod.spec.get("volumes") or ()}
        mounted = {
            str(mount.get("name"))
            for container in pod.containers
            for mount in container.get("volumeMounts") or ()
        }
        for name in sorted(mounted - there):
            yield pod.owner.finding("reference/volume", f"there is no volume {name}")
        for name in sorted(there - mounted):
            yield pod.owner.finding("reference/volume", f"volume {name} is mounted nowhere")
        for volume in pod.spec.get("volumes") or ():
            yield from _keys(pod, volume.get("configMap") or {}, configs)


def _keys(pod: Pod, wanted: dict[str, Any], configs: dict[str, Manifest]) -> Iterator[Finding]:
    config = configs.get(wanted.get("name", ""))
    if config is None:
        return  # An operator's own, or the cluster's.
    data = config.document.get("data") or {}
    for item in wanted.get("items") or ():
        if item.get("key") not in data:
            yield pod.owner.finding(
                "reference/key", f"ConfigMap/{config.name} has no key {item.get('key')}"
            )

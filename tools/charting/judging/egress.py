"""The executor leaves under an address that is known beforehand, in the way that its mode names."""

from collections.abc import Iterator

from tools.charting.findings import Finding
from tools.charting.manifests import Pod, Rendering, selects

AKS_ANNOTATION = "kubernetes.azure.com/static-gateway-configuration"
MODES = ("node", "cilium", "antrea", "aks", "none")


def judge(rendering: Rendering) -> list[Finding]:
    executors = [pod for pod in rendering.pods() if pod.component == "executor"]
    return [
        pod.owner.finding("egress/address", message)
        for pod in executors
        for message in _address(pod, rendering)
    ]


def ways(pod: Pod, rendering: Rendering) -> set[str]:
    """By which modes this pod's address is fixed."""
    found = set()
    if pod.spec.get("nodeSelector"):
        found.add("node")
    if AKS_ANNOTATION in (pod.metadata.get("annotations") or {}):
        found.add("aks")
    for policy in rendering.of_kind("CiliumEgressGatewayPolicy"):
        chosen = [each.get("podSelector") or {} for each in policy.spec.get("selectors") or ()]
        if any(_selects_in_namespace(selector, pod) for selector in chosen):
            found.add("cilium")
    for policy in rendering.of_kind("Egress"):
        applied = policy.spec.get("appliedTo") or {}
        if applied.get("podSelector") and selects(applied["podSelector"], pod.labels):
            found.add("antrea")
    return found


def _selects_in_namespace(selector: dict[str, dict[str, str]], pod: Pod) -> bool:
    """A cluster-wide policy names the namespace as a label that Cilium gives to each pod."""
    spaces = {
        key: value
        for key, value in (selector.get("matchLabels") or {}).items()
        if key in ("io.kubernetes.pod.namespace", "k8s:io.kubernetes.pod.namespace")
    }
    return bool(selector) and selects(selector, {**pod.labels, **spaces})


def _address(pod: Pod, rendering: Rendering) -> Iterator[str]:
    if not rendering.production:
        return
    if rendering.egress not in MODES:
        yield f"{rendering.egress!r} is no mode"
    elif rendering.egress != "none" and rendering.egress not in ways(pod, rendering):
        yield f"nothing fixes the address that it leaves under in mode {rendering.egress}"
    for container in pod.spec.get("containers") or ():
        given = {each.get("name"): each.get("value") for each in container.get("env") or ()}
        if not given.get("ALERTWIRE_EXPECTED_ADDRESSES"):
            yield "ALERTWIRE_EXPECTED_ADDRESSES is not set, so it would trade under any address"
        if given.get("ALERTWIRE_ECHO_URLS") == "":
            yield "ALERTWIRE_ECHO_URLS is empty, so it cannot learn its address"

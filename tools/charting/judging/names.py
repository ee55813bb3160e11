"""Names, labels, ports and networks are ones that Kubernetes will take; schemas let them pass."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from tools.charting.findings import Finding
from tools.charting.manifests import Manifest, Rendering

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?\Z")
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_RBAC = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
# The controller makes pods' names from these, and puts their own into labels of at most 63.
_NAMES_PODS = {"Deployment": 47, "StatefulSet": 52, "Job": 63, "CronJob": 52}


def judge(rendering: Rendering) -> list[Finding]:
    return [
        *_twice(rendering),
        *(finding for manifest in rendering.manifests for finding in _named(manifest)),
        *_networks(rendering),
        *_ports(rendering),
    ]


def is_name(name: str) -> bool:
    """Whether it may be an object's name: a DNS subdomain of RFC 1123."""
    return len(name) <= 253 and all(_LABEL.match(part) for part in name.split("."))


def _twice(rendering: Rendering) -> Iterator[Finding]:
    seen: set[tuple[str, str, str, str]] = set()
    for manifest in rendering.manifests:
        group = manifest.api_version.rpartition("/")[0]
        key = (group, manifest.kind, manifest.metadata.get("namespace", ""), manifest.name)
        if key in seen:
            yield manifest.finding("name/twice", "it stands twice: the later one overwrites")
        seen.add(key)


def _named(manifest: Manifest) -> Iterator[Finding]:
    name = manifest.name
    if manifest.kind == "Service" and not _SERVICE_NAME.match(name):
        yield manifest.finding("name/service", f"{name!r} can be no Service's name")
    if manifest.kind not in _RBAC and not is_name(name):
        yield manifest.finding("name/dns", f"{name!r} is no DNS name in lower case")
    longest = _NAMES_PODS.get(manifest.kind)
    if longest and len(name) > longest:
        yield manifest.finding("name/length", f"{name!r} has over {longest} characters")
    for key, value in _labels(manifest.document):
        if not isinstance(value, str):
            yield manifest.finding("name/label", f"{key} is {value!r}, and no text")
        elif not _LABEL_VALUE.match(value):
            yield manifest.finding("name/label", f"{key}: {value!r} can be no label's value")


def _labels(node: Any) -> Iterator[tuple[str, Any]]:
    """Labels and what selects by them, wherever they stand."""
    if isinstance(node, list):
        for each in node:
            yield from _labels(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            is_map = isinstance(value, dict) and "matchLabels" not in value
            if key in ("labels", "matchLabels", "nodeSelector") and is_map:
                yield from value.items()
            else:
                yield from _labels(value)


def _networks(rendering: Rendering) -> Iterator[Finding]:
    for policy in rendering.of_kind("NetworkPolicy"):
        for direction, peers in (("egress", "to"), ("ingress", "from")):
            for rule in policy.spec.get(direction) or ():
                for peer in rule.get(peers) or ():
                    if "ipBlock" in peer:
                        yield from _block(policy, peer["ipBlock"] or {})
                for port in rule.get("ports") or ():
                    yield from _port_numbers(policy, port)


def _block(policy: Manifest, block: dict[str, Any]) -> Iterator[Finding]:
    try:
        whole = ipaddress.ip_network(str(block.get("cidr")))
        inner = [ipaddress.ip_network(str(each)) for each in block.get("except") or ()]
    except ValueError as error:
        yield policy.finding("name/network", str(error))
        return
    for each in inner:
        if each.version != whole.version or each == whole or not each.subnet_of(whole):  # type: ignore[arg-type]
            yield policy.finding("name/network", f"{each} lies not within {whole}")


def _port_numbers(manifest: Manifest, port: dict[str, Any]) -> Iterator[Finding]:
    for key in ("port", "endPort", "containerPort", "targetPort", "nodePort", "hostPort"):
        value = port.get(key)
        if isinstance(value, int) and not 1 <= value <= 65_535:
            yield manifest.finding("name/port", f"{key} {value} lies not within 1 and 65535")
        if isinstance(value, str) and not _PORT_NAME.match(value):
            yield manifest.finding("name/port", f"{key} {value!r} can be no port's name")


def _ports(rendering: Rendering) -> Iterator[Finding]:
    for service in rendering.of_kind("Service"):
        for port in service.spec.get("ports") or ():
            yield from _port_numbers(service, port)
    for pod in rendering.pods():
        seen = set()
        for container in pod.containers:
            for port in container.get("ports") or ():
                yield from _port_numbers(pod.owner, port)
                if port.get("name") and not _PORT_NAME.match(port["name"]):
                    yield pod.owner.finding("name/port", f"{port['name']!r} can be no port's name")
                if port.get("containerPort") in seen:
                    yield pod.owner.finding("name/port", f"{port['containerPort']} stands twice")
                seen.add(port.get("containerPort"))

"""Who may reach whom: nobody but who is named, and outside the cluster the executor alone."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from tools.charting.findings import Finding
from tools.charting.manifests import Manifest, Pod, Rendering, selects

OUTSIDE = ("executor",)
"""Components that may open a connection to an address outside."""
_ANYWHERE: tuple[dict[str, Any], ...] = ({},)
METADATA = ipaddress.ip_address("169.254.169.254")
"""Where clouds hand out credentials to whoever asks from a node."""
_INSIDE = [
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("fc00::/7", "::1/128", "fe80::/10"),
    )
]
_NARROWING = ("CiliumNetworkPolicy", "FQDNNetworkPolicy")
"""Policies of other makers that open the way to names."""


def judge(rendering: Rendering) -> list[Finding]:
    policies = rendering.of_kind("NetworkPolicy")
    return [
        *(finding for pod in rendering.pods() for finding in _denied(pod, policies)),
        *(finding for policy in policies for finding in _egress(policy, rendering)),
        *(finding for policy in policies for finding in _ingress(policy, rendering)),
        *_narrowed(rendering),
        *_reaches(rendering, policies),
    ]


def is_outside(cidr: str) -> bool:
    network = ipaddress.ip_network(cidr)
    return not any(_holds(inside, network) for inside in _INSIDE)


def _holds(whole: Any, part: Any) -> bool:
    return bool(whole.version == part.version and part.subnet_of(whole))


def _chosen(policy: Manifest, rendering: Rendering) -> list[Pod]:
    selector = policy.spec.get("podSelector") or policy.spec.get("endpointSelector")
    return [pod for pod in rendering.pods() if selects(selector, pod.labels)]


def _denied(pod: Pod, policies: list[Manifest]) -> Iterator[Finding]:
    for direction in ("Ingress", "Egress"):
        denying = [
            policy
            for policy in policies
            if selects(policy.spec.get("podSelector"), pod.labels)
            and direction in (policy.spec.get("policyTypes") or ())
            and not policy.spec.get(direction.lower())
        ]
        if not denying:
            yield pod.owner.finding("policy/default-deny", f"{direction} is not denied by default")


def _egress(policy: Manifest, rendering: Rendering) -> Iterator[Finding]:
    for rule in policy.spec.get("egress") or ():
        if not rule.get("ports"):
            yield policy.finding("policy/ports", "it opens every port")
        if any(_opens_outside(peer) for peer in rule.get("to") or _ANYWHERE):
            for pod in _chosen(policy, rendering):
                if pod.component not in OUTSIDE:
                    yield policy.finding(
                        "policy/outside",
                        f"{pod.owner.kind}/{pod.owner.name} may reach the internet",
                    )
            yield from _outside_rule(policy, rule)


def _opens_outside(peer: Mapping[str, Any]) -> bool:
    if not peer:
        return True  # A rule without `to` means anywhere.
    block = peer.get("ipBlock") or {}
    try:
        return bool(block) and is_outside(str(block.get("cidr")))
    except ValueError:
        return False  # `names.py` tells of it.


def _outside_rule(policy: Manifest, rule: Mapping[str, Any]) -> Iterator[Finding]:
    if not rule.get("to"):
        yield policy.finding("policy/outside", "a rule without `to` opens everything")
    for peer in rule.get("to") or ():
        block = peer.get("ipBlock") or {}
        if not _opens_outside(peer):
            continue
        whole = ipaddress.ip_network(str(block.get("cidr")))
        spared = [ipaddress.ip_network(str(each)) for each in block.get("except") or ()]
        if METADATA in whole and not any(METADATA in each for each in spared):
            yield policy.finding("policy/metadata", f"{whole} holds the clouds' metadata server")
        for inside in _INSIDE:
            within = inside.version == whole.version == 4 and _holds(whole, inside)
            if within and not any(_holds(each, inside) for each in spared):
                yield policy.finding("policy/inside", f"{whole} opens {inside} too")
    for port in rule.get("ports") or ():
        if port.get("endPort") or port.get("protocol", "TCP") != "TCP":
            yield policy.finding("policy/ports", f"{port} is more than one TCP port outside")


def _ingress(policy: Manifest, rendering: Rendering) -> Iterator[Finding]:
    for rule in policy.spec.get("ingress") or ():
        if not rule.get("ports"):
            yield policy.finding("policy/ports", "it opens every port to who may come in")
        anywhere = not rule.get("from") or any(_opens_outside(peer) for peer in rule["from"])
        for pod in _chosen(policy, rendering) if anywhere else ():
            if pod.component not in ("ingest", "console"):
                yield policy.finding(
                    "policy/inside", f"{pod.owner.kind}/{pod.owner.name} is open to everybody"
                )


def _narrowed(rendering: Rendering) -> Iterator[Finding]:
    for policy in rendering.of_kind(*_NARROWING):
        for pod in _chosen(policy, rendering):
            if pod.component not in OUTSIDE:
                yield policy.finding(
                    "policy/outside", f"{pod.owner.kind}/{pod.owner.name} may reach the internet"
                )


def _reaches(rendering: Rendering, policies: list[Manifest]) -> Iterator[Finding]:
    """Each shard of the executor does get out, or no order does."""
    for pod in rendering.pods():
        if pod.component != "executor" or not policies:
            continue
        opened = [
            policy
            for policy in rendering.of_kind("NetworkPolicy", *_NARROWING)
            if pod in _chosen(policy, rendering) and (policy.kind in _NARROWING or _opens(policy))
        ]
        if not opened and rendering.production:
            yield pod.owner.finding("policy/outside", "no policy lets it reach the exchange")
    if not policies:
        for pod in rendering.pods():
            yield pod.owner.finding("policy/default-deny", "there is no policy at all")


def _opens(policy: Manifest) -> bool:
    return any(
        _opens_outside(peer)
        for rule in policy.spec.get("egress") or ()
        for peer in rule.get("to") or _ANYWHERE
    )

"""Every pod keeps to the restricted profile of Kubernetes' Pod Security Standards, and to what we
ask for beyond it. The profile's list as the documentation of Kubernetes 1.37 gives it:
https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator
from typing import Any

from tools.charting.findings import Finding
from tools.charting.manifests import Pod, Rendering

VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"),
    *("projected", "secret"),
}
SYSCTLS = {
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"),
    *("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
    *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies"),
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
OUR_USER = 10001
_SECCOMP = {"RuntimeDefault", "Localhost"}


def judge(rendering: Rendering) -> list[Finding]:
    return [
        *(
            pod.owner.finding(rule, message)
            for pod in rendering.pods()
            for rule, message in (*_pod(pod), *_containers(pod), *_beyond(pod))
        ),
        *(
            space.finding("restricted/namespace", "it does not enforce the restricted profile")
            for space in rendering.of_kind("Namespace")
            if space.labels.get("pod-security.kubernetes.io/enforce") != "restricted"
        ),
    ]


def _pod(pod: Pod) -> Iterator[tuple[str, str]]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key):
            yield "restricted/host-namespaces", f"{key} is set"
    for volume in pod.spec.get("volumes") or ():
        for kind in set(volume) - {"name"} - VOLUMES:
            yield "restricted/volumes", f"volume {volume.get('name')} is a {kind}"
    context = pod.spec.get("securityContext") or {}
    for sysctl in context.get("sysctls") or ():
        if sysctl.get("name") not in SYSCTLS:
            yield "restricted/sysctls", f"{sysctl.get('name')} is not a safe one"
    yield from _shared(context, "the pod")
    for key in pod.metadata.get("annotations") or {}:
        if key.startswith("container.apparmor.security.beta.kubernetes.io/"):
            yield "restricted/apparmor", f"{key}: the profile belongs into securityContext"


def _shared(context: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """What pods and containers may both set."""
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "restricted/host-process", f"{where} is a host process"
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type", "") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "restricted/selinux", f"{where} chooses its SELinux user, role or type"
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield "restricted/apparmor", f"{where} is unconfined"
    if context.get("runAsUser") == 0:
        yield "restricted/run-as-user", f"{where} runs as root"
    if (context.get("seccompProfile") or {}).get("type", "RuntimeDefault") not in _SECCOMP:
        yield "restricted/seccomp", f"{where} is unconfined"


def _containers(pod: Pod) -> Iterator[tuple[str, str]]:
    above = pod.spec.get("securityContext") or {}
    if not pod.containers:
        yield "restricted/containers", "there is no container"
    for container in pod.containers:
        where = f"container {container.get('name')}"
        context = container.get("securityContext") or {}
        yield from _shared(context, where)
        yield from _privileges(context, where)
        if not context.get("runAsNonRoot", above.get("runAsNonRoot")):
            yield "restricted/run-as-non-root", f"{where} does not say runAsNonRoot"
        if not context.get("seccompProfile", above.get("seccompProfile")):
            yield "restricted/seccomp", f"{where} has no seccomp profile"
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield "restricted/host-ports", f"{where} takes the node's port {port['hostPort']}"
        yield from _host_of_probes(container, where)


def _privileges(context: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if context.get("privileged"):
        yield "restricted/privileged", f"{where} is privileged"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "restricted/privilege-escalation", f"{where} may gain privileges"
    if context.get("procMount", "Default") != "Default":
        yield "restricted/proc-mount", f"{where} unmasks /proc"
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "restricted/capabilities", f"{where} does not drop ALL"
    if set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
        yield "restricted/capabilities", f"{where} adds {capabilities['add']}"


def _host_of_probes(container: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """Since 1.34: a probe that names a host makes the kubelet ask somebody else."""
    hooks = container.get("lifecycle") or {}
    asked = [container.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")]
    for probe in (*asked, hooks.get("postStart"), hooks.get("preStop")):
        for kind in ("httpGet", "tcpSocket"):
            if ((probe or {}).get(kind) or {}).get("host"):
                yield "restricted/host-probes", f"{where} has a probe or hook that names a host"


def _beyond(pod: Pod) -> Iterator[tuple[str, str]]:
    """What the profile leaves open and we do not."""
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "beyond/token", "automountServiceAccountToken is not false"
    if pod.spec.get("serviceAccountName", "default") == "default":
        yield "beyond/service-account", "it runs as the namespace's default service account"
    if pod.spec.get("enableServiceLinks") is not False:
        # They come as variables, and `ALERTWIRE_INGEST_PORT=tcp://…` is one that no service knows.
        yield "beyond/service-links", "enableServiceLinks is not false"
    above = pod.spec.get("securityContext") or {}
    for container in pod.containers:
        where = f"container {container.get('name')}"
        context = container.get("securityContext") or {}
        if context.get("readOnlyRootFilesystem") is not True:
            yield "beyond/read-only", f"{where} may write to its root file system"
        for key in ("runAsUser", "runAsGroup"):
            if context.get(key, above.get(key)) is None:
                yield "beyond/user", f"{where} leaves {key} to the image"
        resources = container.get("resources") or {}
        if set(resources.get("requests") or {}) < {"cpu", "memory"}:
            yield "beyond/requests", f"{where} does not ask for cpu and memory"
        if not (resources.get("limits") or {}).get("memory"):
            yield "beyond/limits", f"{where} has no limit of memory"

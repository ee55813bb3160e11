"""Who is asked whether a process lives: the process, and nobody behind it.

A liveness probe that fails when NATS is away restarts every pod while NATS is away.
"""

from collections.abc import Iterator

from tools.charting.findings import Finding
from tools.charting.manifests import Pod, Rendering

SERVICES = ("ingest", "router", "executor", "auditor", "console")
LIVE, READY = "/health/live", "/health/ready"


def judge(rendering: Rendering) -> list[Finding]:
    return [
        pod.owner.finding(rule, message)
        for pod in rendering.pods()
        if pod.component in SERVICES
        for rule, message in _probes(pod)
    ]


def _probes(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.spec.get("containers") or ():
        asked = {
            name: ((container.get(f"{name}Probe") or {}).get("httpGet") or {})
            for name in ("startup", "liveness", "readiness")
        }
        if asked["liveness"].get("path") != LIVE:
            yield "probe/liveness", f"liveness asks {asked['liveness'].get('path')}, not {LIVE}"
        if asked["readiness"].get("path") != READY:
            yield "probe/readiness", f"readiness asks {asked['readiness'].get('path')}, not {READY}"
        if asked["startup"].get("path", LIVE) != LIVE:
            # A pod that waits for NATS to become ready would be killed for NATS's sake.
            yield "probe/startup", f"startup asks {asked['startup'].get('path')}, not {LIVE}"
        ports = container.get("ports") or ()
        known = {port.get("name") for port in ports} | {port.get("containerPort") for port in ports}
        for name, request in asked.items():
            if request and request.get("port") not in known:
                yield f"probe/{name}", f"it asks port {request.get('port')!r}, which is not there"
        yield from _ending(pod)


def _ending(pod: Pod) -> Iterator[tuple[str, str]]:
    """A pod keeps answering after SIGTERM until the cluster sends it nothing more, and what is
    under way ends; so it needs more time than it drains.
    """
    grace = pod.spec.get("terminationGracePeriodSeconds", 30)
    for container in pod.spec.get("containers") or ():
        for variable in container.get("env") or ():
            if variable.get("name") == "ALERTWIRE_DRAIN_S":
                drain = float(variable.get("value", 0))
                if drain >= grace:
                    yield "probe/drain", f"it drains {drain:g} s and is killed after {grace} s"

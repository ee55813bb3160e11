"""Images: which they are, and that nobody can put another one behind the same name."""

import re
from collections.abc import Iterator

from tools.charting.findings import Finding
from tools.charting.manifests import Pod, Rendering

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}\Z")
# Component -> the service whose image it runs; what is missing here brings an image of its own.
SERVICES = {
    **{name: name for name in ("ingest", "router", "executor", "auditor", "console")},
    "setup": "cli",
    "migrate": "cli",
    "test": "cli",
    "paper-exchange": "paper-exchange",
    "dev-secrets": "console",
}
STAND_INS = ("nats", "postgres", "paper-exchange", "dev-secrets")


def judge(rendering: Rendering) -> list[Finding]:
    return [
        pod.owner.finding(rule, message)
        for pod in rendering.pods()
        for rule, message in _images(pod, production=rendering.production)
    ]


def _images(pod: Pod, *, production: bool) -> Iterator[tuple[str, str]]:
    if pod.component not in SERVICES and pod.component not in STAND_INS:
        yield "image/component", f"{pod.component!r} is a component that nobody knows"
    if production and pod.component in STAND_INS:
        yield "image/stand-in", f"{pod.component} is a stand-in, and no part of production"
    for container in pod.containers:
        image = str(container.get("image", ""))
        name, tag = _parts(image)
        if production and not _DIGEST.search(image):
            yield "image/digest", f"{image!r} is not fixed by its digest"
        if tag == "latest" or (not tag and "@" not in image):
            yield "image/latest", f"{image!r} is whatever came last"
        service = SERVICES.get(pod.component)
        ours = {f"alertwire-{service}", "alertwire-cli"}
        if service and not any(name.endswith(each) for each in ours):
            yield "image/service", f"{image!r} is the image of another service than {service}"


def _parts(image: str) -> tuple[str, str]:
    """The name without its registry and folders, and the tag."""
    last = image.partition("@")[0].rpartition("/")[2]
    name, _, tag = last.partition(":")
    return name, tag

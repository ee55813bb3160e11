"""Secrets exist beforehand, are files only, and are those that the documents name."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.charting.findings import Finding
from tools.charting.manifests import Manifest, Pod, Rendering

_SOUNDS_SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|NKEY|SEED|PRIVATE)", re.IGNORECASE)
_NAMES_A_FILE = re.compile(r"(_FILE|_DIR|_PATH)\Z")
# What a secret looks like wherever it stands: an address with a password, a seed of a NATS key, a
# private key, a token of ours in a webhook's address.
_LOOKS_SECRET = {
    "an address with a password": re.compile(r"[a-z]+://[^/\s:@]*:[^/\s@$]+@"),
    "the seed of a NATS key": re.compile(r"\bS[UAONC][A-Z2-7]{56}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a webhook with its token": re.compile(r"/hook/[A-Za-z0-9_-]{16,}"),
}


def judge(rendering: Rendering, documented: Mapping[str, Any] | None = None) -> list[Finding]:
    """`documented`: name -> keys of the secrets that the documents tell operators to make."""
    return [
        *_objects(rendering),
        *(finding for pod in rendering.pods() for finding in _variables(pod, rendering)),
        *(finding for pod in rendering.pods() for finding in _volumes(pod)),
        *_looks(rendering),
        *([] if documented is None else _documented(rendering, documented)),
    ]


def _objects(rendering: Rendering) -> Iterator[Finding]:
    for secret in rendering.of_kind("Secret"):
        if rendering.production:
            yield secret.finding("secret/object", "secrets exist beforehand; none is rendered")


def _variables(pod: Pod, rendering: Rendering) -> Iterator[Finding]:
    for container in pod.containers:
        for source in container.get("envFrom") or ():
            if source.get("secretRef") and rendering.production:
                yield pod.owner.finding("secret/variable", "a whole secret becomes variables")
        for variable in container.get("env") or ():
            name = str(variable.get("name"))
            if (variable.get("valueFrom") or {}).get("secretKeyRef") and rendering.production:
                yield pod.owner.finding("secret/variable", f"{name} is a secret, and no file")
            if (
                variable.get("value")
                and _SOUNDS_SECRET.search(name)
                and not _NAMES_A_FILE.search(name)
                and rendering.production
            ):
                yield pod.owner.finding("secret/value", f"{name} has its value in the manifest")


def _volumes(pod: Pod) -> Iterator[Finding]:
    """Mounted read-only, and readable by the process's group alone."""
    names = set()
    for volume in pod.spec.get("volumes") or ():
        for mode in _modes(volume):
            names.add(volume.get("name"))
            if mode is None or mode & 0o337:
                shown = "0644 by default" if mode is None else f"{mode:04o}"
                message = f"volume {volume.get('name')} is {shown}, not 0440 or less"
                yield pod.owner.finding("secret/mode", message)
    for container in pod.containers:
        for mount in container.get("volumeMounts") or ():
            if mount.get("name") in names and mount.get("readOnly") is not True:
                message = f"{mount.get('name')} is not mounted readOnly"
                yield pod.owner.finding("secret/mode", message)
            if mount.get("name") in names and mount.get("subPath"):
                # Such a mount never sees a changed secret.
                yield pod.owner.finding("secret/mode", f"{mount.get('name')} is mounted by subPath")


def _modes(volume: Mapping[str, Any]) -> Iterator[int | None]:
    """The mode of what holds a secret, and of each key that has one of its own."""
    projected = volume.get("projected") or {}
    secrets = [source["secret"] for source in projected.get("sources") or () if "secret" in source]
    if secrets:
        yield projected.get("defaultMode")
    if "secret" in volume:
        yield volume["secret"].get("defaultMode")
        secrets.append(volume["secret"])
    for secret in secrets:
        yield from (item["mode"] for item in secret.get("items") or () if "mode" in item)


def _looks(rendering: Rendering) -> Iterator[Finding]:
    for manifest in rendering.manifests:
        if manifest.kind == "Secret" or not rendering.production:
            continue
        text = json.dumps(manifest.document)
        for what, pattern in _LOOKS_SECRET.items():
            if pattern.search(text):
                yield manifest.finding("secret/looks", f"{what} stands in it")


def references(rendering: Rendering) -> Iterator[tuple[Manifest, str, str | None]]:
    """Each secret that a pod or an Ingress needs, with its key where one is named."""
    for pod in rendering.pods():
        for volume in pod.spec.get("volumes") or ():
            for name, key in _of_volume(volume):
                yield pod.owner, name, key
        for container in pod.containers:
            for variable in container.get("env") or ():
                wanted = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if wanted:
                    yield pod.owner, str(wanted.get("name")), wanted.get("key")
    for ingress in rendering.of_kind("Ingress"):
        for tls in ingress.spec.get("tls") or ():
            yield ingress, str(tls.get("secretName")), None


def _of_volume(volume: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    projected = (volume.get("projected") or {}).get("sources") or ()
    secrets: list[dict[str, Any]] = [source["secret"] for source in projected if "secret" in source]
    if "secret" in volume:
        secrets.append({**volume["secret"], "name": volume["secret"].get("secretName")})
    for secret in secrets:
        keys: list[str | None] = [item.get("key") for item in secret.get("items") or ()]
        for key in keys or [None]:
            yield str(secret.get("name")), key


def _documented(rendering: Rendering, documented: Mapping[str, Any]) -> Iterator[Finding]:
    made = {secret.name for secret in rendering.of_kind("Secret")}
    for manifest, name, key in references(rendering):
        if name in made:
            continue
        if name not in documented:
            yield manifest.finding("secret/documented", f"nobody is told to make Secret {name}")
        elif key is not None and documented[name] and key not in documented[name]:
            yield manifest.finding("secret/documented", f"Secret {name} is not told to have {key}")

"""`deploy/k8s/base` and `base-dev`: the chart rendered once and committed, for who uses kubectl.

One file for each component. What only Helm reads is left out: the label `managed-by: Helm`, and
hooks, which are plain Jobs here. Secrets are left out too: those of development are written by the
overlay, where everybody sees that they are no secrets.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.charting.findings import Finding
from tools.charting.manifests import Rendering
from tools.charting.places import BASE, BASE_DEV, BASE_VALUES, CHART, DEV_VALUES, shown
from tools.charting.rendering import of_values

_HEADER = "# Rendered from deploy/k8s/alertwire by `make k8s-base`; edit an overlay instead.\n"
_SHARED = "shared"
# Order within a file, and so what is applied first.
_KINDS = (
    *("ServiceAccount", "ConfigMap", "NetworkPolicy", "Service"),
    *("Deployment", "StatefulSet", "Job"),
)

BASES: Mapping[Path, Path] = {BASE: BASE_VALUES, BASE_DEV: DEV_VALUES}


def files(rendering: Rendering) -> dict[str, str]:
    """Name -> text of each file of a base."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for manifest in rendering.manifests:
        if manifest.kind != "Secret" and not _is_test(manifest.metadata):
            name = manifest.component if manifest.component in _OWN_FILE else _SHARED
            parts.setdefault(name, []).append(_elsewhere(manifest.document))
    texts = {
        f"{name}.yaml": _HEADER + yaml.dump_all(sorted(documents, key=_place), Dumper=_Dumper)
        for name, documents in sorted(parts.items())
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(texts),
    }
    return {**texts, "kustomization.yaml": _HEADER + yaml.dump(kustomization, Dumper=_Dumper)}


def write() -> Iterator[str]:
    """Write the bases anew; yields what was written."""
    for folder, values in BASES.items():
        texts = files(_rendering(values))
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.yaml"):
            if old.name not in texts:
                old.unlink()
        for name, text in texts.items():
            (folder / name).write_text(text)
        yield f"{shown(folder)}: {len(texts)} files"


def drift() -> Iterator[Finding]:
    for folder, values in BASES.items():
        yield from compared(folder, files(_rendering(values)))


def compared(folder: Path, wanted: Mapping[str, str]) -> Iterator[Finding]:
    there = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    for name in sorted(there.keys() | wanted.keys()):
        if there.get(name) != wanted.get(name):
            yield Finding(
                source=f"{shown(folder)}/{name}",
                subject="the whole",
                rule="drift",
                message="is not what the chart renders; `make k8s-base` writes it anew",
            )


def _rendering(values: Path) -> Rendering:
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    # Jobs are named after what they do, the image included, so those of a release are new ones.
    return of_values(values, over={"useHelmHooks": "false", "image.tag": version})[1]


_OWN_FILE = {
    *("ingest", "router", "executor", "auditor", "console", "setup", "migrate"),
    *("nats", "postgres", "paper-exchange"),
}


def _is_test(metadata: Mapping[str, Any]) -> bool:
    """A pod of `helm test` would run at once and never again; so would what belongs to it."""
    hooks = (metadata.get("annotations") or {}).get("helm.sh/hook", "")
    labels = metadata.get("labels") or {}
    return "test" in hooks or labels.get("app.kubernetes.io/component") == "test"


def _for_kubectl(node: Any) -> Any:
    """The same without what only Helm reads."""
    if isinstance(node, list):
        return [_for_kubectl(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _for_kubectl(value)
        for key, value in node.items()
        if not str(key).startswith(("helm.sh/", "meta.helm.sh/"))
        and not (key == "app.kubernetes.io/managed-by" and value == "Helm")
    }
    if node.get("annotations") and not kept.get("annotations"):
        kept.pop("annotations")
    return kept


def _elsewhere(document: dict[str, Any]) -> dict[str, Any]:
    """The same without its namespace, which an overlay gives."""
    kept: dict[str, Any] = _for_kubectl(document)
    kept["metadata"].pop("namespace", None)
    return kept


def _place(document: Mapping[str, Any]) -> tuple[int, str]:
    kind = str(document["kind"])
    return (_KINDS.index(kind) if kind in _KINDS else len(_KINDS), document["metadata"]["name"])


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Keeps the order of keys, and long texts readable."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: Any = None) -> Any:
        return super().represent_mapping(tag, list(mapping.items()), flow_style)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)

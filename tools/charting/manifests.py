"""Rendered manifests as the judgements look at them: documents, and the pods that they make."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tools.charting.findings import Finding

COMPONENT = "app.kubernetes.io/component"
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    source: str
    document: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.document.get("kind", ""))

    @property
    def api_version(self) -> str:
        return str(self.document.get("apiVersion", ""))

    @property
    def metadata(self) -> dict[str, Any]:
        return self.document.get("metadata") or {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.get("labels") or {}

    @property
    def component(self) -> str:
        return self.labels.get(COMPONENT, "")

    @property
    def spec(self) -> dict[str, Any]:
        return self.document.get("spec") or {}

    def finding(self, rule: str, message: str) -> Finding:
        return Finding(
            source=self.source, subject=f"{self.kind}/{self.name}", rule=rule, message=message
        )


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod as a workload will make it."""

    owner: Manifest
    metadata: dict[str, Any]
    spec: dict[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.get("labels") or {}

    @property
    def component(self) -> str:
        return self.labels.get(COMPONENT, "")

    @property
    def containers(self) -> list[dict[str, Any]]:
        """All of them, those that run first included."""
        return [
            *(self.spec.get("initContainers") or ()),
            *(self.spec.get("containers") or ()),
            *(self.spec.get("ephemeralContainers") or ()),
        ]


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """What one values file or overlay comes to."""

    source: str
    production: bool
    """False where a stand-in comes along: its database may have a password that everybody knows."""
    manifests: tuple[Manifest, ...]
    egress: str = "node"
    """How the executor is said to leave the cluster: the chart's `executor.egress.mode`."""

    def of_kind(self, *kinds: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest.kind in kinds]

    def pods(self) -> Iterator[Pod]:
        for manifest in self.manifests:
            if manifest.kind in _TEMPLATES:
                template: Any = manifest.document
                for key in _TEMPLATES[manifest.kind]:
                    template = (template or {}).get(key)
                template = template or {}
                yield Pod(
                    owner=manifest,
                    metadata=template.get("metadata") or {},
                    spec=template.get("spec") or {},
                )


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """Refuses a key that stands twice, as the API server does; PyYAML takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return dict(super().construct_mapping(node, deep))


# A lone `=` is a value to YAML 1.1 and to nobody else; PyYAML has no constructor for it.
_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: str(node.value))


def parse(text: str, *, source: str, production: bool, egress: str = "node") -> Rendering:
    """Read a stream of documents; empty ones are passed over. Raises `yaml.YAMLError`."""
    return Rendering(
        source=source,
        production=production,
        egress=egress,
        manifests=tuple(
            Manifest(source=source, document=document)
            for document in yaml.load_all(text, Loader=_Loader)
            if document
        ),
    )


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector of Kubernetes selects what has these labels. An empty one selects
    everything, as in a NetworkPolicy.
    """
    selector = selector or {}
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(wish, labels) for wish in selector.get("matchExpressions") or ())


def _meets(wish: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = wish.get("key", ""), wish.get("values") or ()
    match wish.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False

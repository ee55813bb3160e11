"""Every object fits its schema: Kubernetes' own in each version that the chart may meet, and those
of the kinds that others bring. A kind without a schema is refused, since nobody would look at it.
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import pydantic
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule

from tools.charting.findings import Finding
from tools.charting.manifests import Manifest, Rendering
from tools.charting.places import CRDS

OLDEST = "1.29"
"""As the chart's `kubeVersion` says."""

# The operators' own models. They pass over keys that they do not know, so the keys that we write
# are compared with what the model has read (`_unread`).
_MODELS: dict[tuple[str, str], Any] = {
    ("monitoring.coreos.com/v1", "PodMonitor"): PodMonitor,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PrometheusRule,
    ("keda.sh/v1alpha1", "ScaledObject"): ScaledObject,
}


def versions() -> list[str]:
    """The oldest, the newest, and every second between."""
    known: list[str] = kubernetes_validate.utils.all_versions()
    numbers = sorted({tuple(map(int, each.split(".")[:2])) for each in known})
    oldest = tuple(map(int, OLDEST.split(".")))
    met = [".".join(map(str, each)) for each in numbers if each >= oldest]
    return [*met[:-1:2], met[-1]]


def judge(renderings: Iterable[Rendering]) -> list[Finding]:
    seen: dict[str, list[str]] = {}
    found = []
    for rendering in renderings:
        for manifest in rendering.manifests:
            key = json.dumps(manifest.document, sort_keys=True)
            if key not in seen:  # Most objects are the same with other values.
                seen[key] = list(problems(manifest))
            found += [manifest.finding("schema", problem) for problem in seen[key]]
    return found


def problems(manifest: Manifest) -> Iterator[str]:
    key = (manifest.api_version, manifest.kind)
    if key in _MODELS:
        yield from _by_model(_MODELS[key], manifest.document)
    elif key in _own_schemas():
        errors = _own_schemas()[key].iter_errors(manifest.document)
        yield from (_told(error) for error in errors)
    else:
        yield from _by_kubernetes(manifest)


# It reads and parses a megabyte of definitions for each object; nothing changes them.
kubernetes_validate.utils.schema_contents = cache(kubernetes_validate.utils.schema_contents)


def _by_kubernetes(manifest: Manifest) -> Iterator[str]:
    for version in versions():
        try:
            kubernetes_validate.validate(manifest.document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"Kubernetes {version}: {_told(error)}"
        except kubernetes_validate.SchemaNotFoundError:
            yield f"Kubernetes {version} has no {manifest.kind} of {manifest.api_version}"
        else:
            continue
        return  # The other versions would say the same again.


def _told(error: Any) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    return f"{path or 'the object'}: {error.message[:300]}"


def _by_model(model: Any, document: dict[str, Any]) -> Iterator[str]:
    try:
        read = model.model_validate(document)
    except pydantic.ValidationError as error:
        for each in error.errors():
            yield f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
        return
    kept = json.loads(read.model_dump_json(by_alias=True, exclude_none=True))
    for path in _unread(document, kept):
        yield f"{path}: no such key"


def _unread(given: Any, kept: Any, path: str = "") -> Iterator[str]:
    """The paths of what was given and is not in what was kept."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if value is not None and key not in kept:
                yield f"{path}.{key}".lstrip(".")
            else:
                yield from _unread(value, kept.get(key), f"{path}.{key}")
    elif isinstance(given, list) and isinstance(kept, list):
        for index, (one, other) in enumerate(zip(given, kept, strict=False)):
            yield from _unread(one, other, f"{path}.{index}")


@cache
def _own_schemas() -> dict[tuple[str, str], Any]:
    schemas = {}
    for path in sorted(CRDS.glob("*.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        properties = schema["properties"]
        key = (properties["apiVersion"]["const"], properties["kind"]["const"])
        schemas[key] = jsonschema.Draft202012Validator(schema)
    return schemas

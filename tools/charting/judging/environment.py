"""The variables that a pod gets are ones that its process knows, and make a valid configuration.

A service's own settings are asked (`libs.common.settings.from_env`), so a misspelt or missing
variable, or a number that is none, fails here and not in the cluster.
"""

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from libs.common.settings import PREFIX, SettingsError, from_env, is_secret, variable_name
from services.auditor.settings import Settings as AuditorSettings
from services.console.settings import Settings as ConsoleSettings
from services.executor.settings import Settings as ExecutorSettings
from services.ingest.settings import Settings as IngestSettings
from services.router.settings import Settings as RouterSettings
from tools.charting.findings import Finding
from tools.charting.manifests import Pod, Rendering
from tools.paper_exchange.settings import PaperExchangeSettings

SETTINGS: Mapping[str, type] = {
    "ingest": IngestSettings,
    "router": RouterSettings,
    "executor": ExecutorSettings,
    "auditor": AuditorSettings,
    "console": ConsoleSettings,
    "paper-exchange": PaperExchangeSettings,
}
# What the commands of Jobs and of `helm test` take (docs/command-line.md).
_COMMAND_LINE = {
    *("ALERTWIRE_NATS_URL", "ALERTWIRE_NATS_URL_FILE"),
    *("ALERTWIRE_NATS_NKEY_FILE", "ALERTWIRE_NATS_CA_FILE"),
    *("ALERTWIRE_POSTGRES_URL", "ALERTWIRE_POSTGRES_URL_FILE"),
    *("ALERTWIRE_CONSOLE_URL", "ALERTWIRE_CONSOLE_TOKEN", "ALERTWIRE_CONSOLE_TOKEN_FILE"),
}
COMMANDS = ("setup", "migrate", "test")
_PORTS = {"http": "port", "health": "health_port", "metrics": "health_port"}


def judge(rendering: Rendering) -> list[Finding]:
    configs = {
        config.name: config.document.get("data") or {} for config in rendering.of_kind("ConfigMap")
    }
    return [
        finding
        for pod in rendering.pods()
        for container in pod.spec.get("containers") or ()
        for finding in _container(pod, container, configs)
    ]


def variables(
    container: Mapping[str, Any], configs: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """The container's environment as far as the manifests hold it; what comes from elsewhere, such
    as a secret or the pod's own address, stands as a text that is not empty.
    """
    known: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        prefix = source.get("prefix", "")
        wanted = (source.get("configMapRef") or {}).get("name", "")
        known |= {prefix + key: str(value) for key, value in configs.get(wanted, {}).items()}
    for variable in container.get("env") or ():
        origin = (variable.get("valueFrom") or {}).get("configMapKeyRef")
        if origin:
            value = configs.get(origin.get("name", ""), {}).get(origin.get("key", ""), "elsewhere")
        else:
            value = "elsewhere" if variable.get("valueFrom") else variable.get("value", "")
        known[str(variable.get("name"))] = str(value)
    return known


def _container(
    pod: Pod, container: Mapping[str, Any], configs: Mapping[str, Mapping[str, str]]
) -> Iterator[Finding]:
    names = [variable.get("name") for variable in container.get("env") or ()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield pod.owner.finding("env/twice", f"{name} is set twice")
    for source in container.get("envFrom") or ():
        wanted = (source.get("configMapRef") or {}).get("name")
        if wanted and wanted not in configs:
            yield pod.owner.finding("env/config", f"there is no ConfigMap {wanted}")
    environ = variables(container, configs)
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    yield from _files(pod, container, ours)
    if pod.component in COMMANDS:
        for name in sorted(set(ours) - _COMMAND_LINE):
            yield pod.owner.finding("env/unknown", f"no command knows {name}")
    settings = SETTINGS.get(pod.component)
    if settings is not None:
        yield from _settings(pod, container, settings, ours)


def _settings(
    pod: Pod, container: Mapping[str, Any], settings: type, ours: dict[str, str]
) -> Iterator[Finding]:
    try:
        read: Any = from_env(settings, _without_files(settings, ours))
    except (SettingsError, ValueError) as error:
        yield pod.owner.finding("env/settings", str(error))
        return
    for port in container.get("ports") or ():
        field = _PORTS.get(port.get("name", ""))
        listens = getattr(read, field, None) if field else None
        if listens is not None and listens != port.get("containerPort"):
            yield pod.owner.finding(
                "env/port",
                f"port {port['name']} is {port.get('containerPort')}, but the process"
                f" listens on {listens}",
            )
    for field in ("host", "health_host"):
        if getattr(read, field, None) in ("127.0.0.1", "::1", "localhost"):
            yield pod.owner.finding("env/host", f"{variable_name(field)} keeps everybody out")
    if pod.component == "executor" and not pod.owner.name.endswith(f"-executor-{read.shard}"):
        yield pod.owner.finding("env/shard", f"it works on shard {read.shard}, not on its own")


def _without_files(settings: type, ours: dict[str, str]) -> dict[str, str]:
    """The environment with secrets in place of the files that hold them in the cluster."""
    given = dict(ours)
    for field, kind in typing.get_type_hints(settings).items():
        file_variable = f"{variable_name(field)}_FILE"
        if is_secret(kind) and given.pop(file_variable, ""):
            # With both set the process refuses to start, and so the check does.
            given[variable_name(field)] = "secret" if variable_name(field) not in ours else ""
    return given


def _files(pod: Pod, container: Mapping[str, Any], ours: dict[str, str]) -> Iterator[Finding]:
    """A file that a variable names lies in something that is mounted there."""
    mounts = {
        str(mount.get("mountPath", "")).rstrip("/"): str(mount.get("name"))
        for mount in container.get("volumeMounts") or ()
        if not mount.get("subPath")
    }
    volumes = {str(volume.get("name")): volume for volume in pod.spec.get("volumes") or ()}
    for name, path in ours.items():
        if not name.endswith(("_FILE", "_DIR")):
            continue
        parents = [mount for mount in mounts if path == mount or path.startswith(f"{mount}/")]
        if not parents:
            yield pod.owner.finding("env/file", f"{name}: nothing is mounted at {path}")
            continue
        mount = max(parents, key=len)
        held = _held(volumes.get(mounts[mount]) or {})
        inner = path[len(mount) :].lstrip("/")
        if held is not None and inner and inner not in held:
            yield pod.owner.finding("env/file", f"{name}: {path} is none of {sorted(held)}")


def _held(volume: Mapping[str, Any]) -> set[str] | None:
    """The paths in a volume as far as the manifest tells; `None`: it does not."""
    sources = (volume.get("projected") or {}).get("sources")
    if sources is None:
        sources = [{key: volume[key]} for key in ("secret", "configMap") if key in volume]
    held: set[str] = set()
    for source in sources:
        wanted = source.get("secret") or source.get("configMap") or {}
        if not wanted.get("items"):
            return None
        held |= {str(item.get("path")) for item in wanted["items"]}
    return held or None

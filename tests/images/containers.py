"""Images built and run by Debian's tools, in a storage of the run's own: nothing of the machine's
is touched, and nothing stays.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.images.building import ROOT

TOOLS = ("buildah", "podman", "runc", "mmdebstrap")
BASE = "localhost/debian-python:trixie"
# As a pod of the restricted profile runs them.
RESTRICTED = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all"),
    *("--security-opt", "no-new-privileges", "--user", "10001:10001"),
)
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Images:
    """`version` is what they are tagged with."""

    version = "under-test"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = {**os.environ, **environ}

    def name(self, image: str) -> str:
        return f"localhost/alertwire-{image}:{self.version}"

    def build(self) -> None:
        self.tool(str(ROOT / "deploy/images/make-base"), BASE)
        self.tool(
            *(str(ROOT / "deploy/images/build"), "--tool", "buildah", "--offline", "--no-sbom"),
            *("--base", BASE, "--repository", "localhost/", "--version", self.version),
            *("--source", "https://example.org/alertwire", "--revision", "0" * 40),
        )

    def run(
        self, image: str, *command: str, options: Sequence[str] = ("--network", "none")
    ) -> subprocess.CompletedProcess[str]:
        """One process in a container of its own, to its end; `command` follows the entry point."""
        asked = ("podman", "run", "--rm", "--no-healthcheck", *RESTRICTED, *options)
        return subprocess.run(
            [*asked, self.name(image), *command],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def python(self, image: str, program: str) -> str:
        found = self.run(
            image, "-c", program, options=("--network", "none", "--entrypoint", "python")
        )
        assert found.returncode == 0, found.stderr
        return found.stdout

    def tool(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout


@contextlib.contextmanager
def own_storage() -> Iterator[dict[str, str]]:
    """The environment that points the tools at an empty storage, which goes with the block."""
    home = Path(tempfile.mkdtemp(prefix="alertwire-images-", dir="/var/tmp"))
    conf = {"CONTAINERS_CONF": home / "containers.conf", "CONTAINERS_STORAGE_CONF": home / "s.conf"}
    conf["CONTAINERS_CONF"].write_text(_CONTAINERS)
    environ = {name: str(path) for name, path in conf.items()} | {"BUILDAH_ISOLATION": "chroot"}
    try:
        # The kernel's overlays are quick; on some file systems there are none.
        for driver in ("overlay", "vfs"):
            conf["CONTAINERS_STORAGE_CONF"].write_text(
                f'[storage]\ndriver = "{driver}"\ngraphroot = "{home}/{driver}"\n'
                f'runroot = "{home}/run"\n'
            )
            asked = subprocess.run(
                ["buildah", "info"], env={**os.environ, **environ}, capture_output=True, check=False
            )
            if asked.returncode == 0:
                break
        yield environ
    finally:
        _clear(home, environ)


def _clear(home: Path, environ: Mapping[str, str]) -> None:
    everything = {**os.environ, **environ}
    for command in (
        ["podman", "rm", "--force", "--all", "--time", "1"],
        ["buildah", "rm", "--all"],
    ):
        subprocess.run(command, env=everything, capture_output=True, check=False)
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((each for each in mounted if each.startswith(f"{home}/")), reverse=True):
        subprocess.run(["umount", place], capture_output=True, check=False)
    shutil.rmtree(home)

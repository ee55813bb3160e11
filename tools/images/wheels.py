"""Fetches the locked wheels of the images into `wheels/`, for builds that reach no index.

`deploy/images/fetch-wheels [IMAGE...]`; pip is asked as it is set up here, and what is there
already is kept where its hash is the lock's.
"""

import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.images.contents import IMAGES, ROOT

FOLDER = ROOT / "wheels"
_PYTHON = "3.13"
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
# Debian trixie's glibc is 2.41; what was built for an older one runs.
_GLIBC_MINORS = (5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 39, 41)


def command(image: str, *, machine: str, folder: Path = FOLDER) -> list[str]:
    tag = f"cp{_PYTHON.replace('.', '')}"
    old_names = ("manylinux1", "manylinux2010", "manylinux2014", "linux")
    systems = [*old_names, *(f"manylinux_2_{minor}" for minor in _GLIBC_MINORS)]
    return [
        *(sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--requirement", str(ROOT / f"requirements/{image}.txt"), "--dest", str(folder)),
        *("--python-version", _PYTHON, "--implementation", "cp"),
        *(part for abi in (tag, "abi3", "none") for part in ("--abi", abi)),
        *(part for system in systems for part in ("--platform", f"{system}_{machine}")),
    ]


def main(images: Sequence[str]) -> int:
    machine = platform.machine()
    for image in images or IMAGES:
        asked = command(image, machine=_MACHINES.get(machine, machine))
        if subprocess.run(asked, check=False).returncode != 0:
            print(f"the wheels of {image} cannot be had", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

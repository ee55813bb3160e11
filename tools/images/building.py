"""Builds the images with whichever of docker, podman and buildah is there, and writes beside each
what is in it. `deploy/images/build --help` tells how it is called.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.images.contents import IMAGES, ROOT

TOOLS = ("docker", "podman", "buildah")
_Runner = Callable[[Sequence[str]], bool]


@dataclass(frozen=True, kw_only=True)
class Build:
    """How all images of one call are built."""

    tool: str
    repository: str
    version: str
    revision: str
    source: str
    made_at_s: int
    base: str | None
    offline: bool

    def name(self, image: str) -> str:
        return f"{self.repository}alertwire-{image}:{self.version}"

    def command(self, image: str) -> list[str]:
        """To be run in the tree's root, which is the context."""
        told = {
            "SERVICE": image,
            "VERSION": self.version,
            "REVISION": self.revision,
            "SOURCE": self.source,
            **({"BASE_IMAGE": self.base} if self.base else {}),
            **({"WHEELS": "wheels"} if self.offline else {}),
        }
        # Only this format of theirs knows a healthcheck.
        own = {
            "docker": ["docker", "build", "--provenance=false"],
            "podman": ["podman", "build", "--format=docker", "--layers"],
            "buildah": ["buildah", "bud", "--format=docker", "--layers"],
        }[self.tool]
        if self.tool == "docker":
            told["SOURCE_DATE_EPOCH"] = str(self.made_at_s)
        elif self.offline:
            own.append("--pull-never")
        values = [
            part for name, value in told.items() for part in ("--build-arg", f"{name}={value}")
        ]
        return [*own, *values, "--tag", self.name(image), "--file", "Dockerfile", "."]


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    tool = given.tool or found_tool(_usable)
    if tool is None:
        print(f"none of {', '.join(TOOLS)} works here", file=sys.stderr)
        return 1
    build = Build(
        tool=tool,
        repository=given.repository,
        version=given.version or released_version(),
        revision=given.revision or _revision(),
        source=given.source,
        made_at_s=int(_git("log", "-1", "--format=%ct") or 0),
        base=given.base,
        offline=given.offline,
    )
    for image in given.images or IMAGES:
        print(f"building {build.name(image)} with {tool}", flush=True)
        done = subprocess.run(build.command(image), cwd=ROOT, check=False)
        if done.returncode != 0:
            print(f"{tool} could not build {image}", file=sys.stderr)
            return 1
    return 0 if given.no_sbom else _write_boms(given.images or list(IMAGES), given.sbom)


def found_tool(usable: _Runner) -> str | None:
    """The first that works: a client without its daemon does not."""
    asked = {"docker": "info", "podman": "info", "buildah": "version"}
    return next((tool for tool in TOOLS if usable((tool, asked[tool]))), None)


def released_version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy/images/build",
        description="Build the images of Alertwire, all or those that are named.",
        epilog="With --offline nothing is fetched: the wheels come from the folder `wheels`"
        " (deploy/images/fetch-wheels fills it), and --base names an image that is there.",
    )
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"of {', '.join(IMAGES)}")
    parser.add_argument("--tool", choices=TOOLS, help="instead of the first that works")
    parser.add_argument(
        "--repository", default="", metavar="P", help="before the name: registry.example.org/team/"
    )
    parser.add_argument("--version", help="the tag  [the project's]")
    parser.add_argument("--revision", help="[the commit, with -dirty where files were changed]")
    parser.add_argument("--source", default="", metavar="URL", help="where the sources are")
    parser.add_argument("--base", metavar="IMAGE", help="[the Dockerfile's, by digest]")
    parser.add_argument("--offline", action="store_true", help="use what is on this machine")
    parser.add_argument(
        "--sbom", type=Path, default=ROOT / "sbom", metavar="DIR", help="where lists are written"
    )
    parser.add_argument("--no-sbom", action="store_true", help="write none")
    return parser


def _usable(command: Sequence[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _revision() -> str:
    commit = _git("rev-parse", "HEAD")
    return f"{commit}-dirty" if commit and _git("status", "--porcelain") else commit


def _git(*arguments: str) -> str:
    if shutil.which("git") is None:
        return ""
    found = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


# By the development environment, since licences are read from installed packages.
def _write_boms(images: Sequence[str], folder: Path) -> int:
    python = os.environ.get("PYTHON", sys.executable)
    command = [python, "-m", "tools.supply.bom", "--out", str(folder), *images]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

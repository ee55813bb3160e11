"""The files of others that stand in our tree: which they are, and that nobody has touched them."""

import hashlib
from pathlib import Path

import msgspec

from tools.supply.licences import is_allowed
from tools.supply.locks import FOLDER, ROOT

PLACES = ("services/console/static/vendor",)


class Vendored(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an npm package, unchanged."""

    file: str
    sha256: str
    name: str
    version: str
    licence: str
    licence_file: str
    file_in_package: str


def vendored(folder: Path = FOLDER) -> list[Vendored]:
    return msgspec.json.decode((folder / "vendored.json").read_bytes(), type=list[Vendored])


def wrong(files: list[Vendored], *, root: Path = ROOT) -> list[str]:
    """What does not hold of them, as sentences; also what stands beside them and is not listed."""
    found = []
    for each in files:
        path = root / each.file
        if not path.is_file():
            found.append(f"{each.file} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != each.sha256:
            found.append(f"{each.file} is not the file of {each.name} {each.version}")
        if not is_allowed(each.licence):
            found.append(f"{each.file}: {each.licence}")
        if not (root / each.licence_file).is_file():
            found.append(f"{each.file} comes without the text of its licence")
    listed = {each.file for each in files} | {each.licence_file for each in files}
    there = {str(path.relative_to(root)) for place in PLACES for path in (root / place).iterdir()}
    return found + [f"{path} is not listed" for path in sorted(there - listed)]

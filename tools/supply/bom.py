"""Writes what an image is made of as CycloneDX 1.6: `python -m tools.supply.bom [IMAGE...]`.

From the lock alone, so that it needs no image and is the same to the byte wherever it is made:
each package with its version, its licence and the hashes of the files that it may be installed
from; for the console also the scripts of others that it serves. What the base image brings is not
in it: that is the base's own list.
"""

import argparse
import json
import sys
import uuid
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from tools.images.building import released_version
from tools.images.contents import IMAGES, ROOT
from tools.supply.licences import licence_of
from tools.supply.locks import Locked, lock_of
from tools.supply.vendored import Vendored, vendored

_NAMESPACE = uuid.UUID("6f1b0b0e-6a43-5d0e-8f3b-6c0f6f2b7d51")
"""Of serial numbers: the same contents have the same."""


def document(image: str, *, version: str) -> dict[str, Any]:
    packages = [_package(each) for each in lock_of(image) if each.applies]
    scripts = [_script(each) for each in vendored()] if image == "console" else []
    components = sorted((*packages, *scripts), key=lambda each: str(each["bom-ref"]))
    root_ref = f"alertwire-{image}@{version}"
    body = {
        "metadata": {
            "component": {
                "type": "container",
                "bom-ref": root_ref,
                "name": f"alertwire-{image}",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": root_ref, "dependsOn": [each["bom-ref"] for each in components]}],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(body, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial.urn,
        "version": 1,
        **body,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write what images are made of, as CycloneDX.")
    parser.add_argument("images", nargs="*", choices=[*IMAGES, []], metavar="IMAGE")
    parser.add_argument("--out", type=Path, default=ROOT / "sbom", metavar="DIR")
    given = parser.parse_args(arguments)
    for image in given.images or IMAGES:
        try:
            print(write(image, given.out))
        except PackageNotFoundError as missing:
            print(f"{missing.name} is not installed: `make setup` does that", file=sys.stderr)
            return 1
    return 0


def write(image: str, folder: Path) -> Path:
    found = document(image, version=released_version())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{image}.cdx.json"
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return path


def _package(locked: Locked) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{locked.name}@{locked.version}",
        "name": locked.name,
        "version": locked.version,
        "purl": f"pkg:pypi/{locked.name}@{locked.version}",
        "licenses": _licences(licence_of(locked.name)),
        # One for each file that the lock admits; CycloneDX has no better place for several.
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"pkg:pypi/{locked.name}@{locked.version}",
                "hashes": [{"alg": "SHA-256", "content": each} for each in locked.hashes],
            }
        ],
    }


def _script(file: Vendored) -> dict[str, Any]:
    purl = f"pkg:npm/{file.name}@{file.version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": file.name,
        "version": file.version,
        "hashes": [{"alg": "SHA-256", "content": file.sha256}],
        "licenses": _licences(file.licence),
        "purl": purl,
    }


def _licences(expression: str | None) -> list[dict[str, Any]]:
    if expression is None:
        return []
    if " " in expression:
        return [{"expression": expression}]
    return [{"license": {"id": expression}}]


if __name__ == "__main__":
    sys.exit(main())

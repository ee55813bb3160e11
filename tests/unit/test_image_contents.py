"""What each image holds: all that its entry point imports, and nothing of another service."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.cli.__main__ import _COMMANDS
from tools.cli.ops import _COMMANDS as _OPS
from tools.images.contents import (
    IMAGES,
    OURS,
    ROOT,
    copy,
    file_of,
    files_of,
    imported_by,
    reached_from,
)

SERVICES = {"ingest", "router", "executor", "auditor", "console"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# Names under which packages are imported, and their names in a lock.
PACKAGES = importlib.metadata.packages_distributions()


def sources_of(image):
    return {path for path in files_of(image) if path.suffix == ".py"}


def locked(image):
    lock = (ROOT / f"requirements/{image}.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_what_its_modules_import(image):
    held = sources_of(image)
    assert file_of(f"{IMAGES[image].module}.__main__") in held
    for path in held:
        for module in imported_by((ROOT / path).read_text()):
            needed = file_of(module)
            if needed is not None and module not in IMAGES[image].left_out:
                assert needed in held, f"{path} imports {module}, which {image} lacks"


@pytest.mark.parametrize("image", IMAGES)
def test_what_an_image_imports_of_others_is_in_its_lock(image):
    names, contents = locked(image), IMAGES[image]
    modules = [f"{contents.module}.__main__"]
    if image == "cli":
        modules += [place.partition(":")[0] for place in {**_COMMANDS, **_OPS}.values()]
    for path in reached_from(modules, left_out=contents.left_out):
        for module in imported_by((ROOT / path).read_text()):
            top = module.partition(".")[0]
            if top in OURS or top in sys.stdlib_module_names or top not in PACKAGES:
                continue
            found = {name.lower().replace("_", "-") for name in PACKAGES[top]}
            assert found & names, f"{path} imports {module}, which {image}'s lock lacks"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_nothing_of_another_service(image):
    of_services = {path.parts[1] for path in files_of(image) if path.parts[0] == "services"}
    of_services -= {"__init__.py"}
    if image == "cli":
        return
    assert of_services == ({image} if image in SERVICES else set())
    assert ("tools" in {path.parts[0] for path in files_of(image)}) is (image not in SERVICES)


def test_the_command_lines_image_holds_no_process_of_a_service():
    held = files_of("cli")
    assert Path("services/router/deciding.py") in held
    ends = {"__main__.py", "app.py", "handler.py", "settings.py"}
    assert not [path for path in held if path.parts[0] == "services" and path.name in ends]
    assert not [path for path in held if path.match("services/console/templates/**")]
    migrations = {path for path in held if path.suffix == ".sql" and "migrations" in path.parts}
    assert len(migrations) == len(list((ROOT / "services/auditor/migrations").glob("*.sql")))


@pytest.mark.parametrize("command", {**_COMMANDS, **_OPS}.values())
def test_the_command_lines_image_holds_each_command(command):
    """They are named by strings and loaded when they are used."""
    assert file_of(command.partition(":")[0]) in files_of("cli")


@pytest.mark.parametrize("image", IMAGES)
def test_an_images_tree_runs_by_itself(image, tmp_path):
    """All modules but those that need an event loop's start are loaded from the copy alone."""
    copy(image, tmp_path)
    modules = [f"{IMAGES[image].module}.__main__"]
    if image == "cli":
        modules += [place.partition(":")[0] for place in {**_COMMANDS, **_OPS}.values()]
    program = f"""
import importlib, importlib.metadata, sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path = [{str(tmp_path)!r}] + [path for path in sys.path if path != {str(ROOT)!r}]
for name in {modules!r}:
    importlib.import_module(name)
ours = [module for name, module in sys.modules.items() if name.split(".")[0] in {OURS!r}]
strays = [module.__file__ for module in ours if not module.__file__.startswith({str(tmp_path)!r})]
assert ours and not strays, strays
print(importlib.metadata.distribution("alertwire").locate_file(""))
"""
    found = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == str(tmp_path)


@pytest.mark.parametrize("image", IMAGES)
def test_the_dockerfile_runs_each_image_as_a_process_of_its_own(image):
    stage = DOCKERFILE.partition(f"FROM runtime AS {image}\n")[2].partition("\nFROM")[0]
    assert f'ENTRYPOINT ["python", "-m", "{IMAGES[image].module}"]' in stage
    probing = 'CMD ["python", "-m", "libs.common.probing"]' in stage
    assert probing is (image in SERVICES)


def test_the_dockerfile_knows_no_other_image():
    assert set(re.findall(r"^FROM runtime AS (.+)$", DOCKERFILE, re.MULTILINE)) == set(IMAGES)
    assert "USER 10001:10001" in DOCKERFILE
    assert re.search(r"^ARG BASE_IMAGE=\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)


def test_the_context_is_a_list_of_what_may_be_in_an_image():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    needed = {folder.split("/")[0] for image in IMAGES.values() for folder in image.folders}
    assert needed <= allowed
    assert allowed - needed == {"requirements", "pyproject.toml", "LICENSE", "wheels"}

"""The images, built once for the run; only where that is asked for, since it takes minutes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running_stack import RunningStack
from tests.images.containers import TOOLS, Images, own_storage


@pytest.fixture(scope="session")
def images() -> Iterator[Images]:
    if "TEST_IMAGES" not in os.environ:
        pytest.skip("`make images-test` builds and runs the images")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        # Where the tools are to be there, they cannot be missed in silence.
        refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse(f"images need root and {', '.join(missing or TOOLS)}")
    with own_storage() as environ:
        built = Images(environ)
        built.build()
        yield built


@pytest.fixture(scope="session")
def stack_of_images(images: Images) -> Iterator[RunningStack]:
    """A stack whose processes run in containers."""
    home = Path(tempfile.mkdtemp(prefix="alertwire-images-stack-"))
    home.chmod(0o755)
    running = RunningStack(
        home / "state", environ=images.environ, program="tests.images.stack_of_images"
    )
    try:
        running.start()
        yield running
        assert running.stop() == 0
    finally:
        running.stop_if_running()
        shutil.rmtree(home)

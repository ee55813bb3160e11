"""Where the browser comes from: what is there, else Debian's package, else a clear word."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import chromium

FETCH = Path(__file__).with_name("fetch-chromium")
WORKING = "#!/bin/sh\necho Chromium 1\n"
BROKEN = "#!/bin/sh\nexit 1\n"
# Installs on the second try, once the lists are there.
APT_GET = """#!/bin/sh
echo "$@" >> {folder}/asked
case "$*" in
*update) touch {folder}/updated ;;
*install*chromium*fonts-*) [ -e {folder}/updated ] && cp {folder}/packaged {folder}/chromium ;;
esac
"""


class Machine:
    """Has what a test puts there, on PATH, and little else."""

    def __init__(self, folder):
        self.folder = folder
        self.wanted = folder / "venv-chromium"
        for name in ("ln", "touch", "cp"):
            (folder / name).symlink_to(shutil.which(name))

    def put(self, name, text):
        path = self.folder / name
        path.write_text(text.format(folder=self.folder))
        path.chmod(0o755)
        return path

    def fetch(self, **environ):
        return subprocess.run(
            [FETCH, self.wanted],
            env={"PATH": str(self.folder), **environ},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("name", chromium.NAMES)
def test_the_machines_own_is_linked(machine, name):
    own = machine.put(name, WORKING)
    assert machine.fetch(CI="true").returncode == 0
    assert machine.wanted.readlink() == own


def test_a_stub_that_does_not_run_is_passed_over(machine):
    machine.put("chromium", BROKEN)
    own = machine.put("google-chrome", WORKING)
    assert machine.fetch().returncode == 0
    assert machine.wanted.readlink() == own


def test_the_one_that_is_named_is_linked(machine):
    machine.put("chromium", WORKING)
    named = machine.put("mine", WORKING)
    assert machine.fetch(CHROMIUM=str(named)).returncode == 0
    assert machine.wanted.readlink() == named


def test_root_installs_debians(machine):
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.put("apt-get", APT_GET)
    machine.put("packaged", WORKING)
    assert machine.fetch(CI="true").returncode == 0
    assert machine.wanted.readlink() == machine.folder / "chromium"
    first, update, second = (machine.folder / "asked").read_text().splitlines()
    assert "update" in update
    assert first == second
    assert "--no-install-recommends chromium fonts-dejavu-core" in first


def _nothing(machine):
    return {}


def _not_root(machine):
    machine.put("id", "#!/bin/sh\necho 1000\n")
    machine.put("apt-get", APT_GET)
    return {}


def _no_package(machine):
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.put("apt-get", BROKEN)
    return {}


def _named_wrongly(machine):
    machine.put("chromium", WORKING)
    return {"CHROMIUM": str(machine.folder / "none")}


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (_nothing, "no Chromium and no apt-get"),
        (_not_root, "only root can install it"),
        (_no_package, "apt-get installs no Chromium"),
        (_named_wrongly, "which does not run"),
    ],
    ids=["nothing", "not-root", "no-package", "named-wrongly"],
)
def test_without_any_the_tests_are_skipped_but_not_in_ci(machine, prepare, said):
    environ = prepare(machine)
    done = machine.fetch(**environ)
    assert done.returncode == 0
    assert not machine.wanted.is_symlink()
    assert said in done.stderr
    assert done.stderr.endswith("; the browser tests are skipped\n")
    failed = machine.fetch(CI="true", **environ)
    assert failed.returncode == 1
    assert failed.stderr.endswith("; the browser tests need one\n")


def test_the_one_that_is_named_is_driven(monkeypatch, machine):
    named = machine.put("mine", WORKING)
    monkeypatch.setenv("CHROMIUM", str(named))
    assert chromium.required() == str(named)


def test_a_test_without_a_browser_is_skipped_but_not_in_ci(monkeypatch):
    monkeypatch.setenv("CHROMIUM", os.devnull)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        chromium.required()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        chromium.required()

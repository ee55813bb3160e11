"""What a process keeps in memory is nobody else's: no core dump, no debugger, no look by /proc."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SLEEPER = """
import sys
from libs.common.running import run

async def main(stop):
    print("ready", flush=True)
    await stop.wait()

sys.exit(run("sleeper", main))
"""
NOBODY = 65534

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own means")


@pytest.fixture
def sleeper(tmp_path):
    """A process of a service, run by `run`, with a limit that would allow core dumps."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import resource; {_allow()}\n{SLEEPER}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "TOLD_BY_ENVIRONMENT": "s3cret"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _allow():
    hard = "resource.getrlimit(resource.RLIMIT_CORE)[1]"
    return f"resource.setrlimit(resource.RLIMIT_CORE, ({hard}, {hard}))"


def test_its_core_limit_is_nothing(sleeper):
    limits = Path(f"/proc/{sleeper.pid}/limits").read_text()
    (line,) = (line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]


def test_its_memory_and_environment_belong_to_root(sleeper):
    for name in ("environ", "mem", "maps"):
        assert Path(f"/proc/{sleeper.pid}/{name}").stat().st_uid == 0


def test_an_abort_leaves_no_core(sleeper, tmp_path):
    sleeper.send_signal(signal.SIGABRT)
    assert sleeper.wait(20) == -signal.SIGABRT
    assert list(tmp_path.iterdir()) == []


def test_what_shows_that_a_process_lives_is_still_there(sleeper):
    """Leases and leftovers are told by it."""
    assert Path(f"/proc/{sleeper.pid}/stat").read_text().split()[0] == str(sleeper.pid)


BEFORE_AND_AFTER = """
import ctypes, os, sys
from libs.common.processes import is_certainly_dead, this_process
from libs.common.running import keep_memory_private
from prometheus_client import CollectorRegistry, ProcessCollector

libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
libc.prctl(4, 1, 0, 0, 0)  # a change of user has made it so already

def try_from_another_process():
    sys.stdout.flush()
    if os.fork() == 0:
        parent = os.getppid()
        attached = libc.ptrace(16, parent, 0, 0) == 0
        if attached:
            os.waitpid(parent, 0x40000000)
            libc.ptrace(17, parent, 0, 0)
        try:
            open(f"/proc/{parent}/environ", "rb").read()
            seen = True
        except PermissionError:
            seen = False
        print(attached, seen, flush=True)
        os._exit(0)
    os.wait()

try_from_another_process()
before = this_process()
keep_memory_private()
try_from_another_process()
assert not is_certainly_dead(before), "others tell by /proc whether the owner of a lease lives"
registry = CollectorRegistry()
ProcessCollector(registry=registry)
assert registry.get_sample_value("process_open_fds") > 0, "metrics of itself go on"
"""


def test_the_same_user_cannot_look_into_it_and_it_still_sees_itself():
    """The first line shows that the same looks succeed without it."""
    found = subprocess.run(
        [sys.executable, "-c", BEFORE_AND_AFTER],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    before, after = found.stdout.splitlines()
    assert after == "False False"
    if before == "False True":
        pytest.skip("this machine lets nobody attach anyway")
    assert before == "True True"

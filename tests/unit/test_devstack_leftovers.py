import os
import subprocess
import sys

import pytest

from tools.devstack.errors import DevstackError
from tools.devstack.leftovers import Record, end_leftovers, start_of
from tools.devstack.lock import locked
from tools.devstack.private_files import read_json, write_json


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def record(tmp_path):
    return Record(path=tmp_path / "pids.json")


def test_what_an_earlier_start_left_running_is_ended(record, sleeper):
    record.write({"router": sleeper.pid})
    assert end_leftovers(record) == ["router"]
    assert sleeper.wait(1) != 0
    assert not record.path.exists()


def test_a_stranger_with_a_reused_process_id_is_left_alone(record, sleeper):
    write_json(record.path, {"router": {"pid": sleeper.pid, "started": "long ago"}})
    assert end_leftovers(record) == []
    assert sleeper.poll() is None


def test_no_record_means_nothing_to_end(record):
    assert end_leftovers(record) == []


def test_a_process_that_ended_has_no_start_even_before_it_is_reaped():
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start_of(process.pid) is None
    process.wait()


def test_the_record_tells_processes_apart_by_their_start(record):
    record.write({"self": os.getpid()})
    kept = read_json(record.path)
    assert kept == {"self": {"pid": os.getpid(), "started": start_of(os.getpid())}}


def test_a_folder_in_use_is_refused_and_free_again_afterwards(tmp_path):
    with (
        locked(tmp_path / "D"),
        pytest.raises(DevstackError, match="another `alertwire up` runs"),
        locked(tmp_path / "D"),
    ):
        pytest.fail("two held the lock")
    with locked(tmp_path / "D") as held:
        assert held.is_absolute()
        assert (held / "logs").is_dir()

import signal

from tools.devstack.child_logs import open_log, size_of, tail
from tools.devstack.supervisor import HEALTHY_AFTER_S, describe_exit, next_delay


def test_restarts_wait_ever_longer_up_to_ten_seconds():
    delays = []
    last = None
    for _ in range(8):
        last = next_delay(last, lived_s=1)
        delays.append(last)
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]


def test_a_healthy_life_is_forgiven():
    assert next_delay(10, lived_s=HEALTHY_AFTER_S) == 0.2
    assert next_delay(10, lived_s=HEALTHY_AFTER_S - 1) == 10


def test_the_end_of_a_process_is_told_in_words():
    assert describe_exit(2) == "exit code 2"
    assert describe_exit(-signal.SIGKILL) == "SIGKILL"
    assert describe_exit(None) == "never started"


def test_logs_are_appended_to_and_the_tail_is_of_this_run(tmp_path):
    path = tmp_path / "x.log"
    path.write_text("of an earlier run\n")
    with open_log(path) as log:
        start = size_of(log)
    with path.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(20))
    shown = tail(path, start=start).splitlines()
    assert shown[0] == "line 5"
    assert shown[-1] == "line 19"
    assert path.read_text().startswith("of an earlier run\n")
    assert "earlier" not in tail(path, start=start)


def test_a_log_that_has_grown_large_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.devstack.child_logs._LIMIT_BYTES", 10)
    path = tmp_path / "x.log"
    path.write_text("more than ten bytes")
    with open_log(path) as log:
        assert size_of(log) == 0
    assert (tmp_path / "x.log.1").read_text() == "more than ten bytes"

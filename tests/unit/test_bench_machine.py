"""What is read from the machine and from the services."""

import os

from bench.draining import until_reached
from bench.exposition import total
from bench.usage import Stat, Usage, cpu_between, family, parse_busy, parse_stat, read_usage

METRICS = """# HELP handled_total Messages
# TYPE handled_total counter
handled_total{outcome="done",service="a b"} 3.0
handled_total{outcome="dead",service="a b"} 2.0
handled_total_other 7.0
lag 1.5e+03
"""


def test_a_metric_is_summed_over_its_labels():
    assert total(METRICS, "handled_total") == 5
    assert total(METRICS, "lag") == 1500
    assert total(METRICS, "handled") is None


def test_a_process_may_have_any_name():
    fields = ["0"] * 50
    fields[0], fields[1] = "S", "7"
    fields[11:15] = ["1", "2", "3", "4"]
    fields[21] = "99"
    line = f"42 (a) b (c) {' '.join(fields)}\n"
    assert parse_stat(line) == Stat(pid=42, parent=7, ticks=10, pages=99)


def test_a_process_counts_with_its_descendants():
    parents = {10: 1, 11: 10, 12: 11, 20: 1}
    stats = {pid: Stat(pid=pid, parent=at, ticks=1, pages=1) for pid, at in parents.items()}
    assert {stat.pid for stat in family(10, stats)} == {10, 11, 12}
    assert family(99, stats) == []


def test_idling_and_waiting_for_the_disk_are_no_work():
    assert parse_busy("cpu  1 2 4 8 16 32 64 128 0 0\ncpu0 9 9 9 9\n") == 1 + 2 + 4 + 32 + 64 + 128


def test_what_does_not_run_uses_nothing(tmp_path):
    assert read_usage({"me": os.getpid()}, proc=tmp_path) == {}
    assert read_usage({"me": os.getpid()}, proc=tmp_path / "none") == {}


def test_the_difference_leaves_out_what_was_restarted():
    before = {"a": Usage(cpu_s=1, rss_mib=1), "b": Usage(cpu_s=9, rss_mib=1)}
    after = {"a": Usage(cpu_s=3, rss_mib=1), "b": Usage(cpu_s=1, rss_mib=1)}
    assert cpu_between(before, after | {"c": Usage(cpu_s=1, rss_mib=1)}) == {"a": 2}


async def test_waiting_ends_at_the_target_or_when_nothing_moves():
    values = iter([None, 1.0, 2.0, 5.0])

    async def rising() -> float | None:
        return next(values)

    async def still() -> float | None:
        return 1.0

    assert await until_reached(rising, target=5, limit_s=5, look_s=0)
    assert not await until_reached(still, target=5, limit_s=5, idle_s=0.01, look_s=0.001)
    assert not await until_reached(still, target=5, limit_s=0.01, idle_s=5, look_s=0.001)

"""What processes use of the machine, read from /proc; nothing is known where there is none.

A process counts with its descendants, since PostgreSQL does its work in them. Their resident
memory is added up, so memory that they share counts more than once. Only this process counts alone:
its descendants are what it measures.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Stat:
    """One line of /proc/<pid>/stat, of which the times are in clock ticks."""

    pid: int
    parent: int
    ticks: int
    pages: int


@dataclass(frozen=True, kw_only=True)
class Usage:
    cpu_s: float
    rss_mib: float


def parse_stat(text: str) -> Stat:
    """The name in brackets may itself hold spaces and brackets."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    return Stat(
        pid=int(head.split(maxsplit=1)[0]),
        parent=int(fields[1]),
        # Own time, and that of children which have ended.
        ticks=sum(int(fields[place]) for place in (11, 12, 13, 14)),
        pages=int(fields[21]),
    )


def family(pid: int, stats: Mapping[int, Stat]) -> list[Stat]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for stat in stats.values():
        children[stat.parent].append(stat.pid)
    found: list[Stat] = []
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        if each in stats:
            found.append(stats[each])
            waiting.extend(children[each])
    return found


def read_usage(pids: Mapping[str, int], *, proc: Path = PROC) -> dict[str, Usage]:
    """By the names given; a process that does not run is left out."""
    stats = {stat.pid: stat for stat in _stats(proc)}
    ticks_s, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    usage: dict[str, Usage] = {}
    for name, pid in pids.items():
        members = [stats[pid]] if pid == os.getpid() and pid in stats else family(pid, stats)
        if members:
            usage[name] = Usage(
                cpu_s=sum(stat.ticks for stat in members) / ticks_s,
                rss_mib=sum(stat.pages for stat in members) * page / _MIB,
            )
    return usage


def parse_busy(text: str) -> int:
    """Clock ticks that all cores together have worked, of /proc/stat; waiting is no work."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, text.split("\n", 1)[0].split()[1:9])
    return user + nice + system + sum(interrupts)


def machine_cpu_s(*, proc: Path = PROC) -> float | None:
    """Seconds of CPU that everything on the machine has used since it started."""
    try:
        return parse_busy((proc / "stat").read_text()) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return None


def cpu_between(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, float]:
    """Seconds of CPU by name. A process that was restarted in between has started anew."""
    return {
        name: usage.cpu_s - before[name].cpu_s
        for name, usage in after.items()
        if name in before and usage.cpu_s >= before[name].cpu_s
    }


def _stats(proc: Path) -> Iterable[Stat]:
    if not proc.is_dir():
        return
    for folder in proc.iterdir():
        if folder.name.isdecimal():
            try:
                yield parse_stat((folder / "stat").read_text(errors="replace"))
            except OSError:  # it has ended meanwhile
                continue

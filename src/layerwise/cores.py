"""How many threads pay: the physical cores that this process may use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path


def usable_cores(cpus: set[int] | None = None, root: Path = Path("/")) -> int:
    """min(cores with a CPU in the affinity mask, CPUs that the control groups grant, rounded up), at least 1.

    Two CPUs of one core (simultaneous multithreading) count once. `cpus`: the affinity mask; `root`: the file system.

    >>> 1 <= usable_cores() <= os.cpu_count()
    True
    """
    if cpus is None:
        if not hasattr(os, "sched_getaffinity"):
            return os.cpu_count() or 1
        cpus = os.sched_getaffinity(0)
    topology = root / "sys/devices/system/cpu"
    cores = {_text(topology / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu) for cpu in cpus}
    return max(1, min([len(cores), *(math.ceil(limit) for limit in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """CPUs granted by the process' control groups and those around them, of version 1 and 2."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / controllers
        group = base / path.lstrip("/")
        for folder in [group, *group.parents][: len(group.parts) - len(base.parts) + 1]:
            if controllers:
                quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
            else:
                quota, _, period = _text(folder / "cpu.max").partition(" ")
            if quota.isdecimal() and period.isdecimal():  # "max" and -1 are no limit
                yield int(quota) / int(period)


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""

"""How many threads are the default: affinity, simultaneous multithreading and control groups, on made-up machines."""

import sys

import pytest

from layerwise import config
from layerwise.cores import usable_cores

FOUR_CORES_OF_TWO = {
    f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list": f"{cpu % 4},{cpu % 4 + 4}\n" for cpu in range(8)
}


@pytest.fixture
def machine(tmp_path):
    """Writes files below a root of their own and says how many cores `cpus` are there."""

    def cores(cpus, files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, "ascii")
        return usable_cores(set(cpus), tmp_path)

    return cores


def test_a_core_counts_once(machine):
    assert machine(range(8), FOUR_CORES_OF_TWO) == 4
    assert machine([1, 5], {}) == 1
    assert machine([1, 2, 5], {}) == 2


def test_without_a_description_each_cpu_is_a_core(machine):
    assert machine([0, 3, 9], {}) == 3


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "10000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/cpu.max": "4 1\n", "sys/fs/cgroup/a/cpu.max": "max 1"}, 4),
        (
            {
                "proc/self/cgroup": "3:memory:/m\n2:cpu,cpuacct:/c\n",
                "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/m/cpu.max": "1 1",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "2:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            8,
        ),
    ],
)
def test_control_groups_limit(machine, files, cores):
    assert machine(range(8), files) == cores


def test_the_environment_and_the_setter_decide(monkeypatch):
    monkeypatch.setitem(config._defaults, "num_threads", None)
    monkeypatch.delenv("LAYERWISE_NUM_THREADS", raising=False)
    assert config.num_threads() == usable_cores()
    monkeypatch.setitem(config._defaults, "num_threads", None)
    monkeypatch.setenv("LAYERWISE_NUM_THREADS", "3")
    assert config.num_threads() == 3
    monkeypatch.setitem(config._defaults, "num_threads", None)
    monkeypatch.setenv("LAYERWISE_NUM_THREADS", "many")
    with pytest.raises(ValueError, match="LAYERWISE_NUM_THREADS: got 'many', expected a whole number >= 1"):
        config.num_threads()


def test_without_kernels_nothing_is_counted(monkeypatch):
    monkeypatch.delitem(sys.modules, "layerwise.backends._native", raising=False)
    assert config.memory_stats() == {}

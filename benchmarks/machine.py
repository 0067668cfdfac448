"""The machine: what it is called, and the most that it can do, measured.

`python machine.py THREADS` prints GFLOP/s of NumPy's matrix product and GB/s of its copies: a stand-in for peak.cpp
where no compiler is.
"""

from __future__ import annotations

import atexit
import functools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
POOLS = ["OMP", "OPENBLAS", "MKL", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"]


def cpu() -> str:
    """The processor's name, with what tells apart machines that call themselves the same."""
    info = Path("/proc/cpuinfo")
    text = info.read_text("utf-8") if info.exists() else ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    widest = next((isa for flag, isa in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if f" {flag} " in text), "")
    family = re.search(r"^cpu family\s*:\s*(\d+)$", text, re.M)
    said = [
        name[1] if name else platform.processor() or platform.machine(),
        f"family {family[1]}" if family else "",
        widest,
        f"{os.cpu_count()} CPUs",
    ]
    return ", ".join(filter(None, said))


def environment(threads: int) -> dict[str, str]:
    """The environment of a process that may use so many threads, whatever its thread pools are called."""
    names = [f"{pool}_THREADS" if pool.startswith("TF") else f"{pool}_NUM_THREADS" for pool in POOLS]
    return {**os.environ, **dict.fromkeys(names, str(threads))}


def limit_cpus(threads: int) -> None:
    """Keep this process, and what it starts, to so many of the CPUs it may use: XLA has no other limit."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


@functools.cache
def _peak_program() -> list[str]:
    """The command that measures; compiled on first use, in a folder that goes with the process."""
    candidates = [os.environ["CXX"]] if "CXX" in os.environ else ["c++", "g++", "clang++"]
    compiler = next(filter(shutil.which, candidates), None)
    if compiler:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)
        program = f"{folder}/peak"
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-std=c++17", "-pthread"]
        done = subprocess.run([compiler, *flags, str(HERE / "peak.cpp"), "-o", program], capture_output=True, text=True)
        if done.returncode == 0:
            return [program]
        print(f"peak.cpp does not compile, NumPy's figures stand in:\n{done.stderr}", file=sys.stderr)
    return [sys.executable, str(HERE / "machine.py")]


def peak_source() -> str:
    return "multiply-adds from registers" if len(_peak_program()) == 1 else "NumPy's matrix product: no compiler here"


def peak(threads: int) -> tuple[float, float]:
    """FLOP/s of a multiply-add loop, and bytes/s read and written by copies of 16 MB."""
    command, env = [*_peak_program(), str(threads)], environment(threads)
    flops, copied = map(float, subprocess.check_output(command, env=env, text=True).split())
    return flops * 1e9, copied * 1e9


def _numpy_peak() -> None:
    import numpy as np

    def fastest(call: Callable[[], object]) -> float:
        times = []
        for _ in range(8):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times)

    factor, a = np.ones((1024, 1024), "float32"), np.ones(1 << 22, "float32")
    b = np.empty_like(a)
    print(2e-9 * 1024**3 / fastest(lambda: factor @ factor), 2e-9 * a.nbytes / fastest(lambda: np.copyto(b, a)))


if __name__ == "__main__":
    _numpy_peak()

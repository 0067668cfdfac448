"""A contender in a process of its own: it prepares a work and runs timed repetitions of it, one for each request.

    python serve.py CONTENDER FLAVOUR THREADS                   requests and answers are lines of JSON
    python serve.py CONTENDER FLAVOUR THREADS FOLDER WORK SEED  the cold run: trains on MNIST, answers, and ends
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import limit_cpus
from work import Work


def seconds_per_call(call: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def calibrated(seconds: float, call: Callable[[], Any]) -> tuple[int, float]:
    """How many calls take about so long, and what one takes."""
    count = 1
    while (taken := seconds_per_call(call, count)) * count < seconds / 4:
        count *= 4
    return max(1, round(seconds / taken)), taken


def digest(result: Any) -> list[float] | None:
    """Mean and mean magnitude: what contenders that did the same work agree in."""
    if not isinstance(result, np.ndarray):
        return None
    return [float(result.mean(dtype="float64")), float(np.abs(result).mean(dtype="float64"))]


class Repetition:
    """A work made ready: the fastest of the ways to do it that a contender offers."""

    def __init__(self, contender: Any, work: Work, seconds: float) -> None:
        to_numpy = getattr(contender, "to_numpy", lambda result: result)
        costs = {}
        self.answer: dict[str, Any] = {}  # nothing where the contender declines
        for way, call in getattr(contender, work.kind)(work).items():
            result = call()  # compiles, allocates
            count, costs[way] = calibrated(seconds, call)
            if costs[way] == min(costs.values()):
                self.call, self.count = call, count
                self.answer = {"way": way, "digest": digest(to_numpy(result))}

    def seconds(self) -> float:
        gc.collect()
        if self.count > 1:
            self.call()  # back into the caches
        return seconds_per_call(self.call, self.count)


def peak_megabytes() -> float:
    """The most memory that this process ever held; getrusage alone may count the parent in."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def main() -> None:
    name, flavour, threads, *cold = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    limit_cpus(int(threads))
    contender = importlib.import_module(f"contenders.{name}")
    contender.setup(flavour, int(threads))
    if cold:
        folder, work, seed = cold
        epochs, accuracy = contender.reach(folder, Work(**json.loads(work)), int(seed))
        answer(epochs=epochs, accuracy=accuracy, megabytes=peak_megabytes())
        return
    answer(versions=contender.versions())
    repetition = None
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            repetition = None
            gc.collect()
            repetition = Repetition(contender, Work(**request["prepare"]), request["seconds"])
            answer(**repetition.answer)
        else:
            answer(seconds=repetition.seconds())


if __name__ == "__main__":
    main()

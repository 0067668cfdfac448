"""`layerwise launch`: a program in several processes on this machine, all of which end when one is lost."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path

from .. import config

_GRACE = 5  # seconds between asking a process to end and ending it


def run(options: Namespace) -> int:
    """Start the processes and wait for them; 1, and a line on standard error, if one failed."""
    if not os.path.isfile(options.program):
        raise ValueError(f"{options.program}: no such file")
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder, "checkpoint")
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the workers are ended first
        address = f"127.0.0.1:{_free_port()}"
        workers: list[subprocess.Popen[bytes]] = []
        try:
            for rank in range(options.processes):
                workers.append(_start(options, rank, address, note))
            lost = _wait(workers)
        finally:
            _end(workers)
            signal.signal(signal.SIGTERM, before)
        if lost is None:
            return 0
        checkpoint = note.read_text("utf-8") if note.exists() else "none"
    again = shlex.join(["layerwise", "launch", "-n", str(options.processes), options.program, *options.arguments])
    how = _ending(workers[lost].returncode)
    print(f"layerwise: rank {lost} {how}; last checkpoint: {checkpoint}; to go on: {again}", file=sys.stderr)
    return 1


def _start(options: Namespace, rank: int, address: str, note: Path) -> "subprocess.Popen[bytes]":
    """One process; only the first one's output is shown, the errors of all."""
    environment = {
        "LAYERWISE_BACKEND": config.DISTRIBUTED,
        **os.environ,
        "LAYERWISE_JOB_ADDRESSES": address,
        "LAYERWISE_NUM_PROCESSES": str(options.processes),
        "LAYERWISE_PROCESS_ID": str(rank),
        "LAYERWISE_CHECKPOINT_NOTE": str(note),
    }
    return subprocess.Popen(
        [sys.executable, options.program, *options.arguments],
        env=environment,
        stdout=None if rank == 0 else subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(workers: "list[subprocess.Popen[bytes]]") -> int | None:
    """The rank of the first process that fails, None when all have ended well."""
    while True:
        codes = [worker.poll() for worker in workers]
        failed = [rank for rank, code in enumerate(codes) if code]
        if failed:  # the others fail for its sake, soon after: what was killed from outside comes first
            return min(failed, key=lambda rank: (codes[rank] != -9, rank))
        if None not in codes:
            return None
        time.sleep(0.02)


def _end(workers: "list[subprocess.Popen[bytes]]") -> None:
    """Whatever they are doing."""
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + _GRACE
    for worker in workers:
        try:
            worker.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

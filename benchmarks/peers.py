"""Layerwise and its peers, each in a process of its own that is stopped while it is not asked.

One process for all would let their thread pools fight; a process that waits might still spin. So a worker is paused
(SIGSTOP) between requests, and every repetition finds the machine quiet.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import environment
from work import Work

HERE = Path(__file__).parent
OURS = "Layerwise"
BEFORE = "Layerwise before"  # another checkout of this project, with a .venv of its own


@dataclass(frozen=True)
class Contender:
    """A module in contenders/, and which of its flavours."""

    module: str
    flavour: str = ""


PEERS = {
    "PyTorch": Contender("torch_", "eager"),
    "torch.compile": Contender("torch_", "compile"),
    "Keras on TensorFlow": Contender("keras_", "tensorflow"),
    "Keras on JAX": Contender("keras_", "jax"),
    "JAX": Contender("jax_"),
    "JAX, step by step": Contender("jax_", "step"),
    "scikit-learn": Contender("sklearn_"),
    "ONNX Runtime": Contender("onnxruntime_"),
    "NumPy": Contender("numpy_"),
}
checkouts = {OURS: HERE.parent}  # `run.py --against` adds the one before
KINDS = {  # who has something to do for which group or kind of work; the modules may still decline one
    "train": [OURS, "PyTorch", "torch.compile", "Keras on TensorFlow", "Keras on JAX", "JAX", "scikit-learn"],
    "xla": [OURS, "JAX", "JAX, step by step"],
    "predict": [OURS, "PyTorch", "torch.compile", "Keras on TensorFlow", "Keras on JAX", "JAX", "ONNX Runtime"],
    "conv": [OURS, "PyTorch", "JAX"],
    "matmul": [OURS, "PyTorch", "JAX", "NumPy"],
    "operation": [OURS, "PyTorch", "torch.compile", "JAX"],
    "reach": [OURS, "PyTorch", "Keras on TensorFlow", "Keras on JAX", "JAX"],
}


def peers_python() -> str:
    """The interpreter of the peers' environment, which is made, or renewed, where requirements.txt asks for it."""
    folder, wanted = HERE / ".venv", (HERE / "requirements.txt").read_text("utf-8")
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    if not (stamp.exists() and stamp.read_text("utf-8") == wanted):
        print("Installing the peers into benchmarks/.venv: 0.7 GB to download, 3.1 GB on disk; one to three minutes.")
        venv.create(folder, clear=True, symlinks=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
        subprocess.run([python, *install, HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted, "utf-8")
    return str(python)


class ContenderError(RuntimeError):
    """A contender's process ended or answered nonsense; the message has its last words."""


class Worker:
    """A contender's process, for a number of threads."""

    def __init__(self, name: str, threads: int, backend: str) -> None:
        self.name, self.threads = name, threads
        self._words = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed with the worker)
        self._process = subprocess.Popen(
            command(name, threads, backend), env=process_environment(name, threads), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._words, text=True, cwd=tempfile.gettempdir(),
        )  # fmt: skip
        self.versions: dict[str, str] = self._answer()["versions"]

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.send_signal(signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):  # the missing answer will say so
            print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._words.seek(0)
            raise ContenderError(f"{self.name}:\n{self._words.read()[-3000:]}")
        self._process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._words.close()


def cold_run(name: str, work: Work, threads: int, backend: str, folder: Path, seed: int) -> dict[str, Any]:
    """A new process from its start to its end: seconds, peak megabytes, epochs and accuracy."""
    arguments = [str(folder), json.dumps(dataclasses.asdict(work)), str(seed)]
    start = time.perf_counter()
    done = subprocess.run(
        [*command(name, threads, backend), *arguments], env=process_environment(name, threads), capture_output=True,
        text=True, cwd=tempfile.gettempdir(),
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode:
        raise ContenderError(f"{name}:\n{done.stderr[-3000:]}")
    return {"seconds": seconds, **json.loads(done.stdout)}


def command(name: str, threads: int, backend: str) -> list[str]:
    """Layerwise runs in this environment, another checkout and the peers in theirs."""
    who = PEERS.get(name) or Contender("layerwise_", backend)
    folder = checkouts.get(name, HERE.parent)
    python = {OURS: sys.executable, BEFORE: str(folder / ".venv/bin/python")}.get(name) or peers_python()
    return [python, str(folder / "benchmarks" / "serve.py"), who.module, who.flavour, str(threads)]


def process_environment(name: str, threads: int) -> dict[str, str]:
    variables = environment(threads)
    variables.pop("PYTHONPATH", None)
    if name in checkouts:
        variables["PYTHONPATH"] = str(checkouts[name] / "src")
    return variables

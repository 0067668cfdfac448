"""Reads each file of a folder, and says what came of it: one JSON line a file.

    python tests/read_files.py FOLDER [SECONDS]

A file may take four times its size, or what its name says that it is decoded to, and 64 MiB of memory, and so many
seconds. Nothing else may be opened, written, started or asked for on the network. Damage to the interpreter ends the
output. Each line has the seconds of computing, too.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import layerwise
from hostile_files import network
from layerwise import saving
from layerwise.cli import card
from layerwise.data import read_cifar10, read_csv, read_idx, read_npz, read_records
from layerwise.data.images import read_image
from layerwise.data.wav import read_wav

FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "socket.connect",
    "socket.getaddrinfo",
    "marshal.loads",
    "pickle.find_class",
    "ctypes.dlopen",
    "shutil.",
)


class OutOfTime(BaseException):
    """Not an Exception, so that no reader takes it for a damaged file."""


def readers() -> dict[str, Callable[[Path], Any]]:
    model = network()
    return {
        ".keras": saving.load_model,
        ".card.keras": lambda path: card.load(str(path)),
        ".weights.h5": model.load_weights,
        ".h5": saving.load_model,
        ".safetensors": saving.load_safetensors,
        ".idx": read_idx,
        ".idx.gz": read_idx,
        ".npz": read_npz,
        ".lists.npz": lambda path: read_npz(path, lists=True),
        ".wav": read_wav,
        ".tfrecord": lambda path: list(read_records(path)),
        ".tfrecord.gz": lambda path: list(read_records(path, "GZIP")),
        ".csv": lambda path: read_csv(path, "kind"),
        ".png": read_image,
        ".tar.gz": read_cifar10,
    }


def used() -> int:
    """Bytes of address space that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def main(folder: Path, seconds: int) -> None:
    allowed: list[str] = []  # the file that may be opened
    deeds: list[str] = []
    libraries = tuple({os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, Path(layerwise.__file__).parent)})

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if not allowed:
            return
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            if writes or not (path in allowed or path.startswith(libraries)):
                deeds.append(f"{event} {path}")
        elif event.startswith(FORBIDDEN) and not (event == "marshal.loads" and importing()):
            deeds.append(f"{event} {arguments}"[:200])

    def late(*_: Any) -> None:
        raise OutOfTime

    by_ending = readers()
    sys.addaudithook(watch)
    signal.signal(signal.SIGALRM, late)
    warnings.simplefilter("ignore")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(tuple(by_ending)))
    for warm in (True, False):  # what readers import belongs to no file
        for path in paths:
            if warm and not path.name.startswith("control"):
                continue
            ending = max((e for e in by_ending if path.name.endswith(e)), key=len)
            size = int(m[1]) if (m := re.search(r"decoding-(\d+)", path.name)) else path.stat().st_size
            if not warm:
                limit = used() + 4 * size + (64 << 20)
                resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
                signal.alarm(seconds)
                allowed.append(os.path.realpath(path))
            start = time.process_time()
            try:
                by_ending[ending](path)
                outcome = "read"
            except saving.FileFormatError as error:
                text = str(error)
                whole = "MemoryError" not in text and str(path) in text
                outcome = "refused" if whole else f"refused badly: {text[:300]}"
            except (OutOfTime, MemoryError, Exception) as error:
                outcome = f"{type(error).__name__}: {error}"[:300]
            signal.alarm(0)
            seconds_taken = time.process_time() - start
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            allowed.clear()
            if deeds:
                outcome = f"did: {deeds}"
                deeds.clear()
            if not warm:
                print(json.dumps([path.name, outcome, seconds_taken]), flush=True)


def importing() -> bool:
    """Whether Python itself reads a module's bytecode."""
    frame = sys._getframe(2)
    return frame.f_code.co_filename.startswith("<frozen importlib")


if __name__ == "__main__":
    threading.stack_size(1 << 20)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10)

"""The folder that a training writes to: one training at a time, a record of it, and a model that is not lost."""

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ..data import TrainingData
from ..saving.files import fingerprint, replacing
from . import in_one_line

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

MODEL, RECORD, HISTORY, CURVE = "model.keras", "run.json", "history.csv", "curve.png"


@contextlib.contextmanager
def results_folder(out: str | None, overwrite: bool) -> Iterator[Path]:
    """The folder `out`, or a new runs/DATE-N, which no other training gets before the `with` block ends."""
    folder = _made(out, overwrite)
    descriptor = os.open(folder, os.O_RDONLY) if fcntl else None
    try:
        if descriptor is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"--out: another training writes to '{folder}'; choose another folder") from None
        yield folder
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _made(out: str | None, overwrite: bool) -> Path:
    if out is not None:
        folder = Path(out)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(exist_ok=overwrite)
        except FileExistsError:
            raise ValueError(f"--out: '{out}' exists; choose another, or add --overwrite") from None
        return folder
    n = 1
    while True:
        folder = Path("runs", f"{date.today()}-{n}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            n += 1


def try_to_save(save: Callable[[Path], None], folder: Path) -> None:
    """Write the model there and take it away again: what hinders that is better known before the training."""
    trial = folder / f".trial-{MODEL}"
    try:
        save(trial)
    finally:
        trial.unlink(missing_ok=True)


def save_somewhere(save: Callable[[Path], None], folder: Path) -> Path:
    """Save the model in this folder, else in a new one elsewhere, which is said; returns the folder."""
    try:
        save(folder / MODEL)
        return folder
    except OSError as error:
        for place in (tempfile.gettempdir(), Path.home()):
            with contextlib.suppress(OSError):
                other = Path(tempfile.mkdtemp(prefix="layerwise-", dir=place))
                save(other / MODEL)
                print(f"layerwise: {in_one_line(error)}; the model is saved in {other} instead", file=sys.stderr)
                return other
        raise


@dataclass
class Record:
    """What a training was told, and what came out of it, beside the model as JSON.

    settings    everything chosen, and what else the result depends on
    facts       at the end: epochs, seconds and the result
    """

    settings: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        with replacing(folder / RECORD) as file:
            file.write(json.dumps(vars(self), indent=2).encode() + b"\n")


def data_hash(data: TrainingData) -> str:
    """SHA-256 of all examples as they came: equal for equal data, whatever file they are in."""
    parts = (data.x_train, data.y_train, data.x_test, data.y_test)
    return hashlib.sha256("".join(map(fingerprint, parts)).encode()).hexdigest()

"""All that a training has changed, in one file, so that it goes on as if it had not been interrupted.

A safetensors file: the arrays are the variables of the training step, in order, and what callbacks remember; the rest
is JSON in the metadata, with a SHA-256 of all of it.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import random, tree
from ..training.trainer import Trainer
from ..variables import Variable, all_or_nothing
from .files import FileFormatError, fingerprint, locating, parse_json
from .safetensors import header_of, load_safetensors, save_safetensors

ENDING = ".safetensors"
FACTS, DIGEST = "layerwise_training", "layerwise_sha256"
ARRAY = "$array"


def save_training_state(
    model: Trainer,
    filepath: str | os.PathLike[str],
    epoch: int,
    batches: int = 0,
    logs: Mapping[str, Any] | None = None,
) -> None:
    """Write what a running `fit` needs to go on from here; callbacks call it.

    Args:
        model: the one that is being trained.
        filepath: ends in ".safetensors"; replaced whole or not at all.
        epoch: the one to go on with, counted from 0.
        batches: how many batches of it are done; 0 before it begins.
        logs: the last losses and metrics.
    """
    run = model._run
    if run is None:
        raise ValueError("save_training_state: model: is not being trained; call it from a callback of fit")
    variables = model._state()
    names = [f"variables/{number}/{v.path}" for number, v in enumerate(variables)]
    arrays = {name: v.numpy() for name, v in zip(names, variables, strict=True)}
    callbacks = [[type(c).__name__, _packed(c.get_state(), arrays)] for c in _remembering(run)]
    facts = {
        "epoch": epoch,
        "batches": batches,
        "stopping": model.stop_training,
        "logs": _packed(dict(logs or {}), arrays),
        "random": list(random.process_state()),
        "data": _description(run.stream.source),
        "stream": run.stream.state(),
        "variables": names,
        "callbacks": callbacks,
    }
    text = json.dumps(facts)
    save_safetensors(arrays, filepath, {FACTS: text, DIGEST: _digest(text, arrays)})


def load_training_state(model: Trainer, filepath: str | os.PathLike[str]) -> None:
    """Let the next `fit` of a model go on where a file of `ModelCheckpoint(..., save_state=True)` was written.

    Args:
        model: compiled, made as the one that was trained. `fit` is to be called as it was then, with the same data.
        filepath: the file.

    Raises FileFormatError: the file is damaged. `fit` raises ValueError where it is another model's.
    """
    model._resume = TrainingState(Path(filepath))


@dataclass
class TrainingState:
    """What is in such a file."""

    path: Path

    def __post_init__(self) -> None:
        self.arrays = load_safetensors(self.path)
        metadata = header_of(self.path)[1]
        text = metadata.get(FACTS, "")
        if not text or metadata.get(DIGEST) != _digest(text, self.arrays):
            raise FileFormatError(f"{self.path}: damaged, or not the state of a training; delete it to begin anew")
        with locating(self.path, FACTS):
            self.facts = parse_json(text)
            for name, is_right in _FORM.items():
                if name not in self.facts or not is_right(self.facts[name]):
                    raise FileFormatError(f"{name}: got {self.facts.get(name)!r}, which no training has written")
            self.values = [self.arrays[name] for name in self.facts["variables"]]
            self.callbacks = [(kind, self._unpacked(state)) for kind, state in self.facts["callbacks"]]
            self.logs = self._unpacked(self.facts["logs"])
        self.epoch, self.batches = self.facts["epoch"], self.facts["batches"]

    def restore(self, model: Any) -> dict[str, Any]:
        """Give the model, and the data and callbacks of its running `fit`, their state; returns the last logs."""
        variables, values = model._state(), self.values
        if [_form(a) for a in values] != [_form(v) for v in variables]:
            raise ValueError(
                f"{self.path} is the backup of another model or optimizer: it holds {len(values)} variables where "
                f"{len(variables)} were expected, or of other shapes; delete it, or choose another place"
            )
        data = _description(model._run.stream.source)
        if self.batches and self.facts["data"] != data:
            raise ValueError(
                f"{self.path} was written in the middle of an epoch of other data: {self.facts['data']}, got {data}; "
                "give fit the same, or delete the file"
            )
        states = {(kind, count): state for (kind, state), count in _numbered(self.callbacks)}
        with all_or_nothing(variables):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            for callback, count in _numbered([(type(c).__name__, c) for c in _remembering(model._run)]):
                if (state := states.get((callback[0], count))) is not None:
                    callback[1].set_state(state)
            model._run.stream.restore(self.facts["stream"], self.batches)
        model.stop_training = self.facts["stopping"]
        random.set_process_state(*self.facts["random"])
        return self.logs

    def _unpacked(self, value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {ARRAY}:
            return self.arrays[value[ARRAY]]
        return tree.map_items(self._unpacked, value)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_count, value))


# What a file says, besides its arrays; of data sets and callbacks, what these make of it.
_FORM: dict[str, Callable[[Any], bool]] = {
    "epoch": _is_count,
    "batches": _is_count,
    "stopping": lambda value: isinstance(value, bool),
    "logs": lambda value: isinstance(value, dict),
    "random": _is_pair,
    "data": lambda value: isinstance(value, dict),
    "stream": lambda value: isinstance(value, dict)
    and value.keys() == {"position", "began", "dataset"}
    and (value["position"] is None or _is_count(value["position"]))
    and _is_pair(value["began"]),
    "variables": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    "callbacks": lambda value: isinstance(value, list)
    and all(isinstance(x, list) and len(x) == 2 and isinstance(x[0], str) and isinstance(x[1], dict) for x in value),
}


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A value as plain data, with the names of its arrays in their places, which are put into `arrays`."""
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "shape"):
        name = f"memory/{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {ARRAY: name}
    items = list(value) if isinstance(value, tuple) else value
    return tree.map_items(lambda item: _packed(item, arrays), items)


def _remembering(run: Any) -> list[Any]:
    return [callback for callback in run.listeners.callbacks if hasattr(callback, "get_state")]


def _numbered(pairs: Any) -> list[tuple[Any, int]]:
    """Each pair (kind, ...) with the number of those of its kind before it."""
    counts: Counter[str] = Counter()
    numbered = []
    for pair in pairs:
        numbered.append((pair, counts[pair[0]]))
        counts[pair[0]] += 1
    return numbered


def _form(array: np.ndarray | Variable) -> tuple[str, tuple[int, ...]]:
    return np.dtype(array.dtype).name if isinstance(array, np.ndarray) else array.dtype, tuple(array.shape)


def _description(source: Any) -> dict[str, Any]:
    """What must be the same of data for a place in the middle of it to mean the same."""
    names = ("examples", "batch_size", "shuffle")
    return {"kind": type(source).__name__, **{name: getattr(source, name) for name in names if hasattr(source, name)}}


def _digest(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {fingerprint(arrays[name])}".encode())
    return digest.hexdigest()

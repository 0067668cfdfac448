"""`tf.train.Checkpoint`: the values of several objects' variables in one file, and a number of such files."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ...saving.files import FileFormatError
from ...saving.safetensors import load_safetensors, save_safetensors
from ...variables import Variable, all_or_nothing

ENDING = ".safetensors"


class Checkpoint:
    """The values of all variables of some objects: models, optimizers, variables, modules.

    A file is a safetensors file, `PATH.safetensors`, not TensorFlow's format. `restore` assigns to the variables
    that there are: let a model see data, or build it, before.

    Args:
        root: an object without a name.
        objects: by name.

    >>> step = Variable(1)
    >>> checkpoint = Checkpoint(step=step)
    >>> path = checkpoint.write(getfixture("tmp_path") / "at")
    >>> _ = step.assign(5)
    >>> _ = checkpoint.restore(path).assert_consumed()
    >>> int(step)
    1
    """

    def __init__(self, root: Any = None, **objects: Any) -> None:
        self._objects = ({} if root is None else {"root": root}) | objects
        self.save_counter = Variable(0, dtype="int32", trainable=False, name="save_counter")
        for name, value in objects.items():
            setattr(self, name, value)

    def _named(self) -> dict[str, Variable]:
        named = {"save_counter": self.save_counter}
        for name, held in self._objects.items():
            if isinstance(held, Variable):
                named[name] = held
                continue
            if not hasattr(held, "variables"):
                raise TypeError(f"tf.train.Checkpoint: {name}: got {held!r}, expected something that holds variables")
            named |= {f"{name}/{number}": v for number, v in enumerate(held.variables)}
        return named

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write the file `FILE_PREFIX.safetensors`; returns the prefix."""
        prefix = os.fspath(file_prefix)
        Path(prefix).parent.mkdir(parents=True, exist_ok=True)
        save_safetensors({name: v.numpy() for name, v in self._named().items()}, prefix + ENDING)
        return prefix

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write `PREFIX-N.safetensors`, N from 1, which `latest_checkpoint` finds; returns the path without ending."""
        self.save_counter.assign_add(1)
        prefix = self.write(f"{os.fspath(file_prefix)}-{int(self.save_counter.numpy())}")
        _remember(prefix)
        return prefix

    def read(self, save_path: Any, options: Any = None) -> "Status":
        """Assign what lies in a file: all values or none; nothing where the path is None."""
        if save_path is None:
            return Status([], [])
        path = Path(os.fspath(save_path).removesuffix(ENDING) + ENDING)
        arrays, named = load_safetensors(path), self._named()
        for name in sorted(arrays.keys() & named.keys()):
            if arrays[name].shape != named[name].shape:
                raise FileFormatError(
                    f"{path}: {name}: shape {arrays[name].shape}, expected {named[name].shape} of {named[name].path!r}"
                )
        here = [name for name in named if name in arrays]
        with all_or_nothing([named[name] for name in here]):
            for name in here:
                named[name].assign(arrays[name])
        return Status(sorted(arrays.keys() - named.keys()), sorted(named.keys() - arrays.keys()))

    restore = read


class Status:
    """What `restore` left alone: values without a variable, and variables without a value."""

    def __init__(self, unused: list[str], missing: list[str]) -> None:
        self.unused, self.missing = unused, missing

    def assert_consumed(self) -> "Status":
        """Raise `AssertionError` unless everything was assigned."""
        if self.unused or self.missing:
            raise AssertionError(
                f"restore: in the file alone: {self.unused}; here alone: {self.missing}; "
                "build models and optimizers before restoring them"
            )
        return self

    def assert_existing_objects_matched(self) -> "Status":
        """Raise `AssertionError` unless every variable was assigned."""
        if self.missing:
            raise AssertionError(f"restore: not in the file: {self.missing}")
        return self

    def expect_partial(self) -> "Status":
        return self


def _index(folder: Path, name: str = "checkpoint") -> Path:
    return folder / name


def _remember(prefix: str, keep: list[str] | None = None) -> None:
    """Note in the folder which file is the newest, as TensorFlow does."""
    path = Path(prefix)
    names = [Path(kept).name for kept in keep or [prefix]]
    lines = [f'model_checkpoint_path: "{path.name}"', *(f'all_model_checkpoint_paths: "{name}"' for name in names)]
    _index(path.parent).write_text("\n".join(lines) + "\n", "utf-8")


def _known(folder: Any) -> list[str]:
    """The checkpoints of a folder, from the oldest on."""
    index = _index(Path(folder))
    if not index.exists():
        return []
    names = [line.split('"')[1] for line in index.read_text("utf-8").splitlines() if line.startswith("all_model")]
    return [str(Path(folder, name)) for name in names if Path(folder, name + ENDING).exists()]


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The newest checkpoint that `save` wrote in a folder, for `restore`; None where there is none."""
    known = _known(checkpoint_dir)
    return known[-1] if known else None


class CheckpointManager:
    """Writes numbered checkpoints into a folder and keeps the newest.

    Args:
        checkpoint: what to save.
        directory: the folder; made if missing.
        max_to_keep: how many; None: all.
        checkpoint_name: what files' names begin with.
        options: `step_counter` and the like have no effect.

    >>> manager = CheckpointManager(Checkpoint(step=Variable(1)), getfixture("tmp_path"), max_to_keep=2)
    >>> [os.path.basename(path) for path in (manager.save(), manager.save(), manager.save())]
    ['ckpt-1', 'ckpt-2', 'ckpt-3']
    >>> [os.path.basename(path) for path in manager.checkpoints]
    ['ckpt-2', 'ckpt-3']
    """

    def __init__(
        self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None = 5, checkpoint_name: str = "ckpt",
        **options: Any,
    ) -> None:  # fmt: skip
        self.checkpoint, self.directory, self.max_to_keep = checkpoint, os.fspath(directory), max_to_keep
        self._prefix = os.path.join(self.directory, checkpoint_name)
        self.checkpoints = _known(self.directory)

    @property
    def latest_checkpoint(self) -> str | None:
        return self.checkpoints[-1] if self.checkpoints else None

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None) -> str:
        """Write the next file, and remove those that are too many."""
        if checkpoint_number is not None:
            self.checkpoint.save_counter.assign(np.asarray(checkpoint_number) - 1)
        prefix = self.checkpoint.save(self._prefix)
        self.checkpoints = [*(kept for kept in self.checkpoints if kept != prefix), prefix]
        while self.max_to_keep and len(self.checkpoints) > self.max_to_keep:
            Path(self.checkpoints.pop(0) + ENDING).unlink(missing_ok=True)
        _remember(prefix, self.checkpoints)
        return prefix

    def restore_or_initialize(self) -> str | None:
        """Restore the newest; None where there is none."""
        self.checkpoint.restore(self.latest_checkpoint)
        return self.latest_checkpoint

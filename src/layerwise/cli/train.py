"""`layerwise train`."""

import math
import os
import shlex
import shutil
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .. import __version__, config, layers
from ..backends import missing_kernels
from ..callbacks import CSVLogger, History, TerminateOnNaN
from ..data import TrainingData, images
from ..data.cells import DATE, NUMBER, TEXT
from ..data.columns import Columns
from ..data.loading import set_apart
from ..models import Sequential
from ..random import set_random_seed
from ..terminal import counted
from ..variables import uninterrupted
from . import data as sources
from . import in_one_line, say
from .card import Card
from .evaluate import measured, result
from .pictures import Classes, is_drawings, pixel_range, save_image
from .recipes import RECIPES, build, compile_model
from .results import CURVE, HISTORY, MODEL, RECORD, Record, data_hash, results_folder, save_somewhere, try_to_save

_MOST_COLUMNS = 50_000  # that a file describes; inputs of wider arrays are known by their order
_MOST_CLASSES = 50  # whose mean images a file keeps
_LARGEST = 96  # pixels: larger images are shrunk unless --image-size says otherwise


def run(options: Namespace) -> int:
    """Train, save, say how good it is and what can be done next."""
    if options.overwrite and options.out is None:
        raise ValueError("--overwrite: needs --out FOLDER; without it each run gets a new folder")
    if options.out is not None and os.path.lexists(options.out) and not options.overwrite:
        raise ValueError(f"--out: '{options.out}' exists; choose another, or add --overwrite")
    table = {"ignore": options.ignore, "missing": options.missing, "delimiter": options.delimiter}
    data = sources.read(options.data, options.target, options.task, options.image_size, **table)
    if data.kind == "image" and options.image_size is None and max(data.x_train.shape[1:3]) > _LARGEST:
        square = (_LARGEST, _LARGEST)
        data.x_train, data.x_test = (sources.resized(x, square) for x in (data.x_train, data.x_test))
    kind = options.model or ("cnn" if data.kind == "image" else "mlp")
    rest, held = set_apart(data.y_train, data.task, sources.VALIDATION_FRACTION)
    x, y = data.x_train[rest], data.y_train[rest]
    _describe(options.data, data, len(rest), len(held))

    set_random_seed(options.seed)
    model = build(kind, data, x, y, options.augment)
    epochs = options.epochs or RECIPES[kind].epochs(len(x))
    batch_size = options.batch_size or RECIPES[kind].batch(len(x))
    steps = epochs * math.ceil(len(x) / batch_size)
    compile_model(model, kind, y, data.task, steps, options.optimizer, options.learning_rate)
    _card(kind, data, x, y, options.target).attach(model)
    validation = (data.x_train[held], data.y_train[held]) if len(held) else None
    fit = {"x": x, "y": y, "batch_size": batch_size, "epochs": epochs, "validation_data": validation}
    record = Record(_settings(options, model, kind, data) | {"epochs": epochs, "batch_size": batch_size})
    with results_folder(options.out, options.overwrite) as out:
        return _train(options, model, kind, data, fit, record, out)


def _train(
    options: Namespace,
    model: Sequential,
    kind: str,
    data: TrainingData,
    fit: dict[str, Any],
    record: Record,
    out: Path,
) -> int:
    """Train with these arguments of `fit`, and leave everything in a folder; returns the exit code."""

    def save(path: Path) -> None:
        _save(model, kind, path)

    model.summary()
    model.optimizer.build(model.trainable_variables)  # so that as much is tried to be saved as will be
    try_to_save(save, out)
    record.write(out)
    start = perf_counter()
    history = History()
    callbacks = [history, CSVLogger(out / HISTORY), TerminateOnNaN()]
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # the loss tells
            model.fit(**fit, callbacks=callbacks)
    except (KeyboardInterrupt, OSError) as error:
        with uninterrupted():
            saved = save_somewhere(save, out)
        if isinstance(error, BrokenPipeError):  # nobody reads on
            raise
        why = f"{in_one_line(error)}: " if isinstance(error, OSError) else ""
        steps = fit["epochs"] * math.ceil(len(fit["x"]) / fit["batch_size"])
        print(
            f"\nlayerwise: {why}stopped after {counted(int(model.optimizer.iterations), 'step')} of {steps}; "
            f"the model is saved as it was then: {saved / MODEL}",
            file=sys.stderr,
        )
        return 2 if why else 130
    if not all(np.isfinite(w).all() for w in model.get_weights()):
        raise ValueError("the loss is no longer a number: training diverged; try a smaller --learning-rate")
    saved = save_somewhere(save, out)
    values = measured(model.predict(data.x_test, batch_size=256, verbose=0), data)
    print(result(values))
    record.facts |= {"epochs": len(history.epoch), "seconds": round(perf_counter() - start, 1), "result": values}
    try:
        record.write(out)
    except OSError as error:
        say([f"the record is not complete: {in_one_line(error)}"])
    pictured = _picture(history, out)
    if (note := _surprise(history, model)) is not None:
        print(note)
    _next(options, data, saved / MODEL, out, pictured)
    return 0


def _settings(options: Namespace, model: Sequential, kind: str, data: TrainingData) -> dict[str, Any]:
    """What was chosen, by the user or by default, and what else the result depends on."""
    names = ("data", "target", "task", "ignore", "missing", "image_size", "seed")
    given = {name: value for name in names if (value := getattr(options, name)) not in (None, [])}
    return given | {
        "data_sha256": data_hash(data),
        "model": kind,
        "parameters": model.count_params(),
        "optimizer": type(model.optimizer).__name__,
        "learning_rate": float(f"{float(model.optimizer.learning_rate):.6g}"),
        "augment": any("random" in layer.name for layer in model.layers),
        "backend": config.backend(),
        "layerwise": __version__,
    }


def _threads() -> int:
    """How many threads the arithmetic may use; the reference has those that the environment grants NumPy's BLAS."""
    blas = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    for name in blas if config.backend() == config.REFERENCE else ():
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return config.num_threads()


def _describe(source: str, data: TrainingData, fit: int, held: int) -> None:
    shape = " x ".join(map(str, data.x_train.shape[1:]))
    what = f"images of {shape}" if data.columns is None else _columns(data.columns)
    goal = f"{len(data.class_names)} classes" if data.class_names else "a number"
    slow = "NumPy does the same, more slowly"
    why = f" (no C++ kernels: {reason}; {slow})" if (reason := missing_kernels()) else ""
    print(f"backend: {config.backend()}, {counted(_threads(), 'thread')}{why}")
    print(f"data: {source}, {what}, {goal}")
    say(data.notes)
    print(f"examples: {fit:,} to train, {held:,} to validate, {len(data.x_test):,} to test")


def _columns(columns: Columns) -> str:
    kinds = Counter(columns.kinds.values())
    what = counted(len(columns.columns), "column")
    if len(kinds) > 1 or NUMBER not in kinds:
        parts = ", ".join(counted(kinds[kind], kind) for kind in (NUMBER, DATE, TEXT) if kinds[kind])
        what += f" ({parts}; {counted(len(columns.inputs), 'input')})"
    return what


def _card(kind: str, data: TrainingData, x: np.ndarray, y: np.ndarray, target: str | None) -> Card:
    card = Card(kind, list(data.class_names) if data.class_names else None, target=target)
    if data.kind == "image":
        card.pixels = pixel_range(x)
        if is_drawings(x):
            card.drawing = images.drawing_style(x)
            card.classes = Classes.of(x, y) if data.class_names and len(data.class_names) <= _MOST_CLASSES else None
    elif data.columns is not None and len(data.columns.columns) <= _MOST_COLUMNS:
        card.columns = data.columns
    return card


def _save(model: Sequential, kind: str, path: Path) -> None:
    if kind == "perceptron":  # its loss is ours; without it the file opens in Keras, too
        notes = model.file_notes
        model = Sequential([layers.Input(model.input_shape[1:]), *model.layers], name=model.name)
        model.file_notes = notes
    model.save(path)


def _picture(history: History, out: Path) -> bool:
    """Draw the learning curve; where that fails, print its numbers and say why."""
    try:
        history.plot(out / CURVE)
    except Exception as error:  # whatever hinders matplotlib must not cost the results
        names = list(history.history)
        print("\nepoch  " + "  ".join(f"{name:>6}" for name in names))
        for row in zip(history.epoch, *history.history.values()):
            print(
                f"{row[0] + 1:5}  "
                + "  ".join(f"{value:{max(len(name), 6)}.4f}" for name, value in zip(names, row[1:]))
            )
        if isinstance(error, ModuleNotFoundError):
            print("for a picture of the learning curve: pip install 'layerwise[plot]'")
        else:
            say([f"no picture of the learning curve: {in_one_line(error)}"])
        return False
    return True


def _surprise(history: History, model: Sequential) -> str | None:
    """Why the curve of validation lies above that of training, where it does."""
    name, sign = ("accuracy", 1) if "accuracy" in history.history else ("loss", -1)
    training, validation = (sign * history.history.get(n, [np.nan])[-1] for n in (name, f"val_{name}"))
    if not validation > training:
        return None
    kinds = {"random": "augmentation", "dropout": "dropout"}
    harder = [what for part, what in kinds.items() if any(part in layer.name for layer in model.layers)]
    why = f"only training is made harder, by {' and '.join(harder)}"
    return f"validation is better than training: {why if harder else 'training is measured while it learns'}"


def _next(options: Namespace, data: TrainingData, model: Path, out: Path, pictured: bool) -> None:
    """Paths, and commands to copy."""
    print(f"\nmodel:    {model}\nrecord:   {out / RECORD}\nhistory:  {out / HISTORY}")
    if pictured:
        print(f"curve:    {out / CURVE}")
    print("\nNext:")
    for words in _commands(options, data, model):
        print(f"  {_program()} {shlex.join(words)}")


def _commands(options: Namespace, data: TrainingData, model: Path) -> Iterator[list[str]]:
    extra = ["--delimiter", options.delimiter] if options.delimiter else []
    target = ["--target", options.target] if options.target else []
    yield ["evaluate", str(model), "--data", options.data, *target, *extra]
    yield ["summary", str(model)]
    if data.kind == "table" and options.target:
        yield ["predict", str(model), options.data, *extra]
    elif data.kind == "image" and (example := save_image(data.x_test[0], data.x_train, model.parent / "example.png")):
        yield ["predict", str(model), str(example)]


def _program() -> str:
    """How this command was called."""
    path = Path(sys.argv[0])
    if path.name != "layerwise":
        return f"{shlex.quote(sys.executable)} -m layerwise"
    found = shutil.which("layerwise")
    if found is not None and Path(found).resolve() == path.resolve():
        return "layerwise"
    near = os.path.relpath(path)
    return shlex.quote(str(path.resolve()) if near.startswith("..") else near)

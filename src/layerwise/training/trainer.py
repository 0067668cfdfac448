"""fit, evaluate, predict: what a model does with data, around pure steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from typing import Any

import numpy as np

from .. import random, tree
from ..autograd import GradientTape
from ..backends import backend
from ..callbacks import CallbackList, History
from ..config import max_epochs, max_steps_per_epoch
from ..naming import whole_number
from ..optimizers import Optimizer
from ..terminal import say
from ..variables import Variable
from .arguments import check_counts, for_users, most
from .arrays import Arrays, checked_array, unpack_x_y_sample_weight
from .loop import Run, Validation, evaluate, noting, predict
from .objective import Objective
from .sources import ArrayBatches, IterableBatches, batches
from .steps import flat_logs, prepared
from .stream import Stream
from .turns import alone, with_weights_that_stay

_ALL = 2**31 - 1  # the size of a batch that holds all examples
_LONG_WAIT, _LARGE_SHARE = 1.0, 0.3  # seconds, and their part of a training, which are worth a word


class Trainer(Objective):
    """What makes a layer a model: how it is trained, evaluated and used on data."""

    _untracked = Objective._untracked | {"_outputs", "_resume", "_run", "_turn"}
    _run: Run | None = None  # the `fit` that is running
    _resume: Any = None  # the `TrainingState` that the next `fit` is to go on from
    history: Any = None
    train_function: Any = None
    test_function: Any = None
    predict_function: Any = None

    # The step -----------------------------------------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on a batch: predict, loss, gradients, update, metrics. Override it to train otherwise."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        variables = self.trainable_variables
        if variables:
            self.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One batch of `evaluate`."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One batch of `predict`."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def make_train_function(self, force: bool = False) -> None:
        """Set `train_function`: iterator -> the logs of a step on its next batch. `fit` calls one of a subclass's.

        Args:
            force: also where there is one already.
        """
        self._make_function("train", force)

    def make_test_function(self, force: bool = False) -> None:
        """The same of `test_function`, for `evaluate`; force: also where there is one already."""
        self._make_function("test", force)

    def make_predict_function(self, force: bool = False) -> None:
        """The same of `predict_function`, for `predict`; force: also where there is one already."""
        self._make_function("predict", force)

    def _make_function(self, kind: str, force: bool) -> None:
        if force or getattr(self, f"{kind}_function") is None:
            setattr(self, f"{kind}_function", lambda iterator: getattr(self, f"{kind}_step")(next(iterator)))

    def _state(self) -> list[Variable]:
        """Every variable that a step may change, in a fixed order."""
        variables = self.variables
        optimizers = [o for o in self._held("optimizer") if isinstance(o, Optimizer)]
        for owner in dict.fromkeys((*self._held("metric"), *optimizers, *self.metrics)):
            variables += owner.variables
        return list({id(v): v for v in (*variables, *random.shared_state())}.values())

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: not what was compiled for this very object."""
        here = ("_inference", "_run", "_steps", "_turn", "train_function", "test_function", "predict_function")
        return {name: value for name, value in vars(self).items() if name not in here}

    def _has_own_step(self, kind: str) -> bool:
        """Whether the "train", "test" or "predict" step is not the library's."""
        own = getattr(getattr(self, f"{kind}_step"), "__func__", None) is not getattr(Trainer, f"{kind}_step")
        return own or self._has_own_function(kind)

    def _has_own_function(self, kind: str) -> bool:
        return getattr(type(self), f"make_{kind}_function") is not getattr(Trainer, f"make_{kind}_function")

    # fit, evaluate, predict ---------------------------------------------------------------------------------------

    def _require_compiled(self, method: str) -> None:
        if not self._compiled:
            raise ValueError(f"{method}: the model is not compiled; call model.compile(optimizer=..., loss=...) first")

    @for_users
    @alone
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Iterable[int] = 1,
    ) -> History:
        """Train for `epochs` passes over the data.

        Args:
            x, y: arrays, or lists or dicts of them; or x alone: an iterable of batches (x, y) or (x, y, weights).
            batch_size: examples in a step, 32 by default (arrays only).
            epochs: the epoch to stop at; `initial_epoch` is the one to start at.
            verbose: 0 silent, 1 a bar, 2 a line an epoch, "auto" 1 in a terminal and 2 elsewhere.
            callbacks: objects that are told about epochs and batches.
            validation_split: the last part of the arrays, kept out of training and evaluated after each epoch.
            validation_data: (x, y), (x, y, sample_weight) or an iterable of batches.
            shuffle: whether the order is drawn anew each epoch (of arrays, and of a PyDataset's batches).
            class_weight: {class: weight} of each label in the loss.
            sample_weight: an array with a weight for each example.
            steps_per_epoch: steps that count as an epoch; needed for sources without end.
            validation_steps, validation_batch_size, validation_freq: the same for validation, and how often it happens.

        Returns the `History` of losses and metrics. If training is interrupted, the model is as after the last step.
        """
        self._require_compiled("fit")
        check_counts(
            "fit",
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq if np.ndim(validation_freq) == 0 else None,  # type: ignore[arg-type]
        )
        whole_number("fit: initial_epoch", initial_epoch, 0)
        epochs = most(epochs, max_epochs())
        if validation_split and validation_data is None:
            whole = batches(x, y, sample_weight, batch_size)
            if not isinstance(whole, ArrayBatches):
                raise ValueError("fit: validation_split needs arrays; pass validation_data for other sources")
            (x, validation_data), y, sample_weight = whole.arrays.split(validation_split), None, None
        options: dict[str, Any] = {"shuffle": shuffle, "class_weight": class_weight}
        source = batches(x, y, sample_weight, batch_size, steps_per_epoch, **options)
        stream = Stream(source, most(steps_per_epoch, max_steps_per_epoch()))
        held_out = self._held_out(validation_data, validation_batch_size or batch_size, validation_steps)
        steps = most(validation_steps, max_steps_per_epoch())
        validation = None if held_out is None else Validation(held_out, steps, validation_freq)
        step = prepared(self, "train", stream.source, stream.peek())
        listeners = self._listeners(callbacks, verbose, stream.steps, epochs, add_history=True)
        self.stop_training = False
        with Run(self, stream, listeners) as run:
            listeners.on_train_begin()
            start, stream.waited = perf_counter(), 0.0
            logs = run.epochs(step, validation, initial_epoch, epochs)
            if isinstance(self.optimizer, Optimizer):
                self.optimizer.finalize_variable_values(self.trainable_variables)
            listeners.on_train_end(logs)
        if verbose:
            _tell_of_waiting(stream.waited, perf_counter() - start)
        self._clear_losses()
        return self.history

    def _held_out(self, data: Any, batch_size: int | None, steps: int | None) -> ArrayBatches | IterableBatches | None:
        """The batches of `validation_data`; what is wrong with arrays is said now rather than after an epoch."""
        if data is None:
            return None
        with noting("in validation_data"):
            x, y, weight = unpack_x_y_sample_weight(data)
            sized = y is not None or not isinstance(data, Iterable)
            source = batches(x, y, weight, batch_size if sized else None, steps)
            if isinstance(source, ArrayBatches):
                prepared(self, "test", source, source.first())
        return source

    def _listeners(
        self, callbacks: Any, verbose: str | int, steps: int | None, epochs: int = 1, add_history: bool = False
    ) -> CallbackList:
        return CallbackList(
            callbacks, add_history, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=epochs, steps=steps
        )

    def _results(self, logs: Any) -> dict[str, Any]:
        """The logs of a step as numbers and arrays, in alphabetical order; the metrics' values where there are none."""
        results = self.get_metrics_result() if logs is None or not isinstance(logs, dict) else logs
        values = {name: np.asarray(value) for name, value in sorted(results.items())}
        return {name: value if value.ndim else float(value) for name, value in values.items()}

    @for_users
    @alone
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and metrics on data: a number, a list [loss, metrics...], or a dict with `return_dict`."""
        self._require_compiled("evaluate")
        check_counts("evaluate", steps=steps)
        stream = Stream(batches(x, y, sample_weight, batch_size, steps), most(steps, max_steps_per_epoch()))
        results = evaluate(self, stream, self._listeners(callbacks, verbose, stream.steps))
        return results if return_dict else self._listed(results)

    def _listed(self, results: dict[str, Any]) -> Any:
        """The results in the order of `metrics`, the compiled ones as they were given; a single one without a list."""
        names = dict.fromkeys([*(m.name for m in self.metrics), *self.get_metrics_result(), *results])
        listed = [results[name] for name in names if name in results]
        return listed[0] if len(listed) == 1 else listed

    @for_users
    @with_weights_that_stay
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for data, as NumPy arrays in the form of the model's outputs."""
        if verbose == 0 and callbacks is None and steps is None and _is_one_batch(x, batch_size):
            return self.predict_on_batch(x)
        check_counts("predict", steps=steps)
        source = batches(x, None, None, batch_size, steps, inputs_only=True)
        stream = Stream(source, most(steps, max_steps_per_epoch()))
        step = self._prediction(stream.source, stream.peek())
        return predict(self, step, stream, self._listeners(callbacks, verbose, stream.steps))

    @alone
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step on these arrays; returns their loss and metrics."""
        self._require_compiled("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    @alone
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate on these arrays without changing the model."""
        self._require_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def _on_batch(self, kind: str, x: Any, y: Any, weight: Any, class_weight: Any, return_dict: bool) -> Any:
        source = ArrayBatches(Arrays(x, y, weight), _ALL, class_weight=class_weight)
        step = prepared(self, kind, source, source.data)
        self.reset_metrics()
        results = self._results(flat_logs(step(source.data)))
        self._clear_losses()
        return results if return_dict else self._listed(results)

    @with_weights_that_stay
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for these arrays."""
        if _is_one_batch(x, _ALL) and (replay := self._replayed()) is not None:
            return tree.map_structure(np.asarray, replay(checked_array(x, "x"), training=False))
        source = ArrayBatches(Arrays(x), _ALL)
        outputs = tree.map_structure(np.asarray, self._prediction(source, source.data)(source.data))
        self._clear_losses()
        return outputs

    def _prediction(self, source: ArrayBatches | IterableBatches, batch: Any) -> Callable[[Any], Any]:
        """The prediction step as a function of batches x like this one."""
        if (replay := self._replayed()) is not None:
            return lambda data: replay(unpack_x_y_sample_weight(data)[0], training=False)
        return prepared(self, "predict", source, batch)

    def _host_part(self) -> Any:
        """The part of the model that computes on NumPy arrays, where it can be told apart: a `models.HostPart`."""
        return None

    def _replayed(self) -> Callable[..., Any] | None:
        """What the prediction step does in one call, where there is such a function of x and `training`."""
        return None


def _tell_of_waiting(waited: float, seconds: float) -> None:
    """Say that the data held up the training, where they did. A backend that computes meanwhile waits less."""
    if waited > max(_LONG_WAIT, _LARGE_SHARE * seconds) and not backend().asynchronous:
        say(
            f"{waited:.1f} of {seconds:.1f} s went by waiting for batches of data; of a layerwise.data.Dataset, "
            "cache() keeps what it has made, and prefetch() makes batches meanwhile"
        )


def _is_one_batch(x: Any, size: Any) -> bool:
    """Whether x is a plain array that a batch holds."""
    size = 32 if size is None else size
    return type(x) is np.ndarray and x.ndim > 0 and isinstance(size, int) and 0 < len(x) <= size


def _batch_size(x: Any) -> int:
    return next(leaf.shape[0] for leaf in tree.flatten(x) if leaf is not None)

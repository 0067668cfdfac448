"""compile, fit, evaluate, predict: the training loop around a pure step."""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .. import config, losses, observe, optimizers, tree
from ..autograd import GradientTape, Spec, Tensor, as_tensor
from ..backends import backend
from ..callbacks import CallbackList, History
from ..callbacks.progress import end_line
from ..layers.base import Layer
from ..optimizers import Optimizer
from ..serialization import deserialize, serialize, suggest
from ..variables import StepFunction, Variable, rehearsal
from .batches import (
    ArrayBatches,
    IterableBatches,
    RowBatches,
    Stream,
    as_data,
    batches,
    checked_array,
    gathered,
    split_arrays,
    unpack_x_y_sample_weight,
)
from .compiled import CompiledLoss, CompiledMetrics
from .inference import Inference, inference
from .nonfinite import CheckedStep
from .run import Run

if TYPE_CHECKING:
    _Base = Layer  # what it is mixed with: `Model` derives from Trainer and Layer
else:
    _Base = object

TOGETHER = 0.1  # seconds that steps may take which no callback has to be told of one by one
Method = TypeVar("Method", bound=Callable[..., Any])


def _for_users(method: Method) -> Method:
    """A method that says what an unknown argument may have meant, and whose errors begin below the progress bar."""
    known = list(inspect.signature(method).parameters)[1:]

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._require_init()
        for name in kwargs:
            if name not in known:
                raise TypeError(f"{method.__name__}: unknown argument {name!r}; {suggest(name, known)}")
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            end_line()
            raise

    return called  # type: ignore[return-value]


class Trainer(_Base):
    """What makes a layer a model: how it is trained, evaluated and used on data."""

    _untracked = Layer._untracked | {"_compile_arguments", "_outputs", "_resume", "_run", "_steps"}
    optimizer: Any = None
    stop_training = False
    _run: Run | None = None  # the `fit` that is running
    _resume: Any = None  # the `TrainingState` that the next `fit` is to go on from
    history: Any = None
    _compiled = False
    _compile_arguments: dict[str, Any] | None = None
    _compiled_loss: CompiledLoss | None = None
    _compiled_metrics: CompiledMetrics | None = None
    _loss_tracker: Any = None

    # Compiling ----------------------------------------------------------------------------------------------------

    @_for_users
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose what `fit` minimises, how, and what it reports.

        Args:
            optimizer: a name or an `Optimizer`.
            loss: a name, a function or a `Loss`: one for all outputs, a list, or a dict by output name.
            loss_weights: a number for each output.
            metrics, weighted_metrics: names, functions or `Metric`s, the second kind using sample weights.
            run_eagerly: run the step's Python for every batch even where the backend could compile it.
            steps_per_execution, jit_compile, auto_scale_loss: Keras' arguments; here backends decide by themselves.

        Raises ValueError for a name that is not known, saying what is close; the model is then as it was.
        """
        from .. import metrics as metrics_module

        resolved = optimizers.get(optimizer)
        for identifier in tree.flatten(loss) if tree.is_nested(loss) else [loss]:
            if not (isinstance(identifier, str) and identifier in ("crossentropy", "ce")):
                losses.get(identifier)
        for identifier in tree.flatten([metrics, weighted_metrics]):
            if not (isinstance(identifier, str) and identifier in ("accuracy", "acc", "crossentropy", "ce")):
                metrics_module.get(identifier)
        _check_counts("compile", steps_per_execution=steps_per_execution)
        self.optimizer = resolved
        self._compile_arguments = {
            "loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self.loss, self.run_eagerly, self.jit_compile = loss, run_eagerly, jit_compile
        self._compiled_loss = self._compiled_metrics = None
        self._loss_tracker = metrics_module.Mean(name="loss")
        self._compiled = True
        self.stop_training = False
        self._steps: dict[Any, Any] = {}

    @property
    def compiled(self) -> bool:
        return self._compiled

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given, as plain data; empty if it was not called."""
        if self._compile_arguments is None:
            return {}
        return {"optimizer": serialize(self.optimizer), **serialize(self._compile_arguments)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what `get_compile_config` returned."""
        if type(self).compile is not Trainer.compile:
            warnings.warn(f"{type(self).__name__} overrides compile: the loaded model is not compiled", stacklevel=2)
            return
        known = inspect.signature(Trainer.compile).parameters
        arguments = {name: deserialize(value) for name, value in config.items() if name in known}
        self.compile(**arguments)
        if self.built and isinstance(self.optimizer, Optimizer):
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[Any]:
        """The metrics that `fit` resets and reports: the loss, those compiled, and those the model owns."""
        found = [self._loss_tracker] if self._loss_tracker is not None else []
        found += super().metrics
        if self._compiled_metrics is not None:
            found.append(self._compiled_metrics)
        if self._compiled_loss is not None:
            found += self._compiled_loss.metrics
        return list({id(m): m for m in found}.values())

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def _output_names_for(self, y_pred: Any) -> list[str]:
        if isinstance(y_pred, dict):
            return list(y_pred)
        names = getattr(self, "output_names", None)
        flat = tree.flatten(y_pred)
        if names is not None and len(names) == len(flat):
            return list(names)
        return ["output"] if len(flat) == 1 else [f"output_{i}" for i in range(len(flat))]

    # The step -----------------------------------------------------------------------------------------------------

    @observe.placed
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The number that training minimises: the compiled losses and what layers added."""
        total = None
        arguments = self._compile_arguments or {}
        if arguments.get("loss") is not None:
            if self._compiled_loss is None:
                names = self._output_names_for(y_pred)
                self._compiled_loss = CompiledLoss(arguments["loss"], arguments["loss_weights"], names)
            if y is None:
                raise ValueError("fit: the compiled loss needs labels; pass y, or batches (x, y)")
            total = self._compiled_loss(y, y_pred, sample_weight)
        for added in self.losses:
            total = added if total is None else total + added
        if total is None:
            raise ValueError(
                "nothing to minimise: give compile() a loss, call add_loss() in a layer, "
                "or override compute_loss() or train_step()"
            )
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the compiled metrics with a batch, and return all results."""
        arguments = self._compile_arguments or {}
        if y is not None and (arguments.get("metrics") is not None or arguments.get("weighted_metrics") is not None):
            if self._compiled_metrics is None:
                self._compiled_metrics = CompiledMetrics(
                    arguments["metrics"], arguments["weighted_metrics"], self._output_names_for(y_pred)
                )
            self._compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """All metrics' present values by name."""
        found: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            found |= value if isinstance(value, dict) else {metric.name: value}
        return found

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on a batch: predict, loss, gradients, update, metrics. Override it to train otherwise."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
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
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One batch of `predict`."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def _state(self) -> list[Variable]:
        """Every variable that a step may change, in a fixed order."""
        found = list(self.variables)
        for owner in (*(o for o in self._held("optimizer") if isinstance(o, Optimizer)), *self.metrics):
            found += owner.variables
        return list({id(v): v for v in found}.values())

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: not what was compiled for this very object."""
        return {name: value for name, value in vars(self).items() if name not in ("_inference", "_run", "_steps")}

    def _step(self, kind: str) -> _Step:
        """The step of this kind, made anew when what it depends on has changed."""
        variables = self._state()
        eager = bool(getattr(self, "run_eagerly", False))
        checked = config.debug_nans()
        settings = config.backend(), config.fusion(), eager, checked, backend().distribution
        key = (kind, settings, tuple((id(v), v.trainable) for v in variables), id(self.optimizer))
        steps = self.__dict__.setdefault("_steps", {})
        if key not in steps:
            for old in [k for k in steps if k[0] == kind]:
                del steps[old]
            if checked:
                function: StepFunction = CheckedStep(self, kind, variables, compiled=not eager)
            else:
                step = getattr(self, f"{kind}_step")
                function = StepFunction(step, variables, compiled=not eager, donate=kind == "train")
            steps[key] = _Step(function)
        if checked:
            steps[key].function.begin()
        return steps[key]

    def _prepare(self, batch: Any, kind: str, source: Any) -> tuple[Callable[..., Any], list[int | None]]:
        """The step of this kind, with everything created that it creates, so that it changes values only.

        Returns also what `_check_labels` needs for the batches that are still to come.
        """
        form = repr((source.bare, tree.map_structure(lambda a: a if a is None else (a.shape, a.dtype.str), batch)))
        step = self._step(kind)
        if form not in step.rehearsed:
            classes = self._rehearse(batch, kind, source)
            step = self._step(kind)  # another one, if there are new variables
            step.rehearsed[form] = classes
        classes = step.rehearsed[form]
        self._check_labels(source.data[1] if isinstance(source, ArrayBatches) else batch[1], classes)
        return step.function, classes

    def _rehearse(self, batch: Any, kind: str, source: Any) -> list[int | None]:
        """Go through a step for what it creates: layers, metrics, optimizers' slots; nothing is computed for keeps.

        Returns the number of classes of each output with a sparse loss. A step of the user's own sees the data, and so
        does one that is to run eagerly: its Python may ask for values.
        """
        with rehearsal():
            if getattr(type(self), f"{kind}_step") is not getattr(Trainer, f"{kind}_step"):
                data = tree.map_structure(_tensor, as_data(batch, source))
                getattr(self, f"{kind}_step")(data)
                self._clear_losses()
                return []
            x, y, weight = tree.map_structure(_tensor if getattr(self, "run_eagerly", False) else _symbolic, batch)
            y_pred = self(x, training=kind == "train")
            if kind != "predict":
                loss = self.compute_loss(x, y, y_pred, weight, training=kind == "train")
                if loss.shape != ():
                    raise ValueError(
                        f"the loss has shape {loss.shape}, expected one number; "
                        "its reduction must not be None, or override compute_loss"
                    )
                self.compute_metrics(x, y, y_pred, weight)
        self._clear_losses()
        if kind == "train" and self.trainable_variables:
            self.optimizer.build(self.trainable_variables)
        return [] if kind == "predict" or self._compiled_loss is None else self._compiled_loss.label_classes(y_pred)

    def _check_labels(self, y: Any, classes: list[int | None]) -> None:
        if self._compiled_loss is not None and y is not None and any(classes):
            self._compiled_loss.check_labels(y, classes)

    def _ready(self, batch: Any, source: Any, classes: list[int | None]) -> Any:
        """What steps are given: on the device where there is one, labels checked where `_prepare` has not seen them."""
        if isinstance(batch, RowBatches):
            if len(batch.rows) > 1 or not backend().asynchronous:
                return RowBatches(as_data(batch.data, source), batch.rows)
            batch = gathered(batch.data, batch.rows[0])
        elif not isinstance(source, ArrayBatches):
            self._check_labels(batch[1], classes)
            batch = gathered(batch)
        return as_data(batch, source)

    # fit, evaluate, predict ---------------------------------------------------------------------------------------

    def _require_compiled(self, method: str) -> None:
        if not self._compiled:
            raise ValueError(f"{method}: the model is not compiled; call model.compile(optimizer=..., loss=...) first")

    @_for_users
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
            class_weight: {class: weight} of each example in the loss.
            sample_weight: an array with a weight for each example.
            steps_per_epoch: steps that count as an epoch; needed for sources without end.
            validation_steps, validation_batch_size, validation_freq: the same for validation, and how often it happens.

        Returns the `History` of losses and metrics. If training is interrupted, the model is as after the last step.
        """
        self._require_compiled("fit")
        _check_counts(
            "fit",
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq if np.ndim(validation_freq) == 0 else None,  # type: ignore[arg-type]
        )
        if not isinstance(initial_epoch, int | np.integer) or initial_epoch < 0:
            raise ValueError(f"fit: initial_epoch: got {initial_epoch!r}, expected a whole number >= 0")
        if validation_split and validation_data is None:
            if not isinstance(source := batches(x, y, sample_weight, batch_size), ArrayBatches):
                raise ValueError("fit: validation_split needs arrays; pass validation_data for other sources")
            (x, y, sample_weight), validation_data = split_arrays(source.data, validation_split)
        source = batches(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        validation = self._validation(validation_data, validation_batch_size or batch_size, validation_steps)
        stream = Stream(source, steps_per_epoch)
        step, classes = self._prepare(stream.peek(), "train", source)
        ready = functools.partial(self._ready, source=source, classes=classes)
        listeners = self._listeners(callbacks, verbose, stream.steps, epochs, add_history=True)
        self.stop_training = False
        with Run(self, stream, listeners) as run:
            listeners.on_train_begin()
            resume, self._resume = self._resume, None  # from where, if a callback or the user has loaded a state
            logs: dict[str, Any] = {}
            epoch_logs: dict[str, Any] = {}
            if resume is not None:
                epoch_logs, initial_epoch = resume.restore(self), resume.epoch
            for epoch in range(initial_epoch, epochs):
                middle = resume is not None and resume.batches > 0
                if resume is not None and self.stop_training and not middle:
                    break
                if not middle and not stream.more():
                    warnings.warn(
                        f"fit: the source of batches is at its end after {epoch - initial_epoch} epochs; training "
                        "stops here. Give steps_per_epoch, or batches that can be gone through again (a generator "
                        "cannot)",
                        stacklevel=3,
                    )
                    break
                run.epoch = epoch
                self.reset_metrics()
                listeners.on_epoch_begin(epoch)
                if middle:  # whatever the beginning of the epoch did has been done before
                    logs = resume.restore(self)
                over, resume = middle and self.stop_training, None
                stream.seconds = _seconds_together(step, listeners, "train")
                number = stream.done
                for data in () if over else stream.epoch(ready):
                    listeners.on_train_batch_begin(number)
                    logs = _advance(step, data)
                    number = stream.done
                    listeners.on_train_batch_end(number - 1, logs)
                    if self.stop_training:
                        break
                epoch_logs = self._results(logs)
                if validation is not None and _due(epoch, validation_freq):
                    with _noted("in validation_data"):
                        results = self._evaluate(validation, validation_steps, listeners)
                    epoch_logs |= {f"val_{name}": value for name, value in results.items()}
                    step = self._step("train").function
                epoch_logs = dict(sorted(epoch_logs.items()))
                listeners.on_epoch_end(epoch, epoch_logs)
                if self.stop_training or stream.exhausted:
                    break
            if isinstance(self.optimizer, Optimizer) and epochs > 0:
                self.optimizer.finalize_variable_values(self.trainable_variables)
            listeners.on_train_end(epoch_logs)
        self._clear_losses()
        return self.history

    def _validation(
        self, data: Any, batch_size: int | None, steps: int | None
    ) -> ArrayBatches | IterableBatches | None:
        """The batches of `validation_data`; what is wrong with arrays is said now rather than after an epoch."""
        if data is None:
            return None
        with _noted("in validation_data"):
            x, y, weight = unpack_x_y_sample_weight(data)
            sized = y is not None or not isinstance(data, Iterable)
            found = batches(x, y, weight, batch_size if sized else None, steps=steps)
            if isinstance(found, ArrayBatches):
                self._prepare(Stream(found, None).peek(), "test", found)
        return found

    def _listeners(
        self, callbacks: Any, verbose: str | int, steps: int | None, epochs: int = 1, add_history: bool = False
    ) -> CallbackList:
        return CallbackList(
            callbacks, add_history, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=epochs, steps=steps
        )

    def _results(self, logs: Any) -> dict[str, Any]:
        """The logs of a step as numbers, in alphabetical order; the metrics' values where there are none."""
        results = self.get_metrics_result() if logs is None or not isinstance(logs, dict) else logs
        return {name: float(np.asarray(value)) for name, value in sorted(results.items()) if np.ndim(value) == 0}

    @_for_users
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
        _check_counts("evaluate", steps=steps)
        source = batches(x, y, sample_weight, batch_size, steps=steps)
        listeners = self._listeners(callbacks, verbose, Stream(source, steps).steps)
        results = self._evaluate(source, steps, listeners)
        return results if return_dict else self._listed(results)

    def _listed(self, results: dict[str, Any]) -> Any:
        """The results in the order of `metrics`, the compiled ones as they were given; a single one without a list."""
        names = dict.fromkeys([*(m.name for m in self.metrics), *self.get_metrics_result(), *results])
        listed = [results[name] for name in names if name in results]
        return listed[0] if len(listed) == 1 else listed

    def _evaluate(self, source: Any, steps: int | None, listeners: Any) -> dict[str, float]:
        stream = Stream(source, steps)
        step, classes = self._prepare(stream.peek(), "test", source)
        self.reset_metrics()
        listeners.on_test_begin()
        stream.seconds = _seconds_together(step, listeners, "test")
        logs: Any = {}
        number = 0
        for data in stream.epoch(functools.partial(self._ready, source=source, classes=classes)):
            listeners.on_test_batch_begin(number)
            logs = _advance(step, data)
            number = stream.done
            listeners.on_test_batch_end(number - 1, logs)
        results = self._results(logs)
        listeners.on_test_end(results)
        self._clear_losses()
        return results

    @_for_users
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
        _check_counts("predict", steps=steps)
        source = batches(x, None, None, batch_size, steps=steps)
        stream = Stream(source, steps)
        step = self._prediction(stream.peek()[0], source)
        listeners = self._listeners(callbacks, verbose, stream.steps)
        listeners.on_predict_begin()
        parts = []
        for number, inputs in enumerate(stream.epoch(lambda batch: gathered(batch[0]))):
            listeners.on_predict_batch_begin(number)
            outputs = tree.map_structure(np.asarray, step(inputs))
            parts.append(outputs)
            listeners.on_predict_batch_end(number, {"outputs": outputs})
        listeners.on_predict_end()
        self._clear_losses()
        return tree.map_structure(lambda *columns: np.concatenate(columns), *parts)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step on these arrays; returns their loss and metrics."""
        self._require_compiled("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate on these arrays without changing the model."""
        self._require_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def _on_batch(self, kind: str, x: Any, y: Any, weight: Any, class_weight: Any, return_dict: bool) -> Any:
        source = ArrayBatches(x, y, weight, batch_size=2**31 - 1, class_weight=class_weight)
        step, _ = self._prepare(source.data, kind, source)
        self.reset_metrics()
        results = self._results(step(as_data(source.data, source)))
        self._clear_losses()
        return results if return_dict else self._listed(results)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for these arrays."""
        if _is_one_batch(x, 2**31) and (found := self._replayed()) is not None:
            return tree.map_structure(np.asarray, found(checked_array(x, "x"), training=False))
        source = ArrayBatches(x, batch_size=2**31 - 1)
        outputs = tree.map_structure(np.asarray, self._prediction(source.data[0], source)(source.data[0]))
        self._clear_losses()
        return outputs

    def _prediction(self, x: Any, source: Any) -> Callable[[Any], Any]:
        """The prediction step as a function of inputs alike in form to x."""
        if (found := self._replayed()) is not None:
            return functools.partial(found, training=False)
        step, _ = self._prepare((x, None, None), "predict", source)
        return lambda x: step((x,))

    def _replayed(self) -> Inference | None:
        """The model's inference in one call, where that is all that the prediction step does."""
        own = type(self).predict_step is Trainer.predict_step and not getattr(self, "run_eagerly", False)
        return inference(self) if own and not config.debug_nans() else None  # type: ignore[arg-type]


@dataclass
class _Step:
    """A training, test or prediction step as a function of batches."""

    function: Any  # a StepFunction
    rehearsed: dict[str, list[int | None]] = field(default_factory=dict)  # by the batches' form: `_rehearse`'s result


@contextlib.contextmanager
def _noted(place: str) -> Iterator[None]:
    """Errors inside the `with` block say where they come from."""
    try:
        yield
    except Exception as error:
        error.add_note(place)
        raise


def _seconds_together(step: Any, listeners: CallbackList, kind: str) -> float | None:
    """How long steps may take that are handed out together; None for one that takes its batches one by one."""
    if not isinstance(step, StepFunction):
        return None
    return 0 if listeners.every_batch(kind) else TOGETHER


def _advance(step: Any, data: Any) -> Any:
    """Take the step on a batch, or on each of several."""
    return step.for_each(data.rows, data.data) if isinstance(data, RowBatches) else step(data)


def _is_one_batch(x: Any, size: Any) -> bool:
    """Whether x is a plain array that a batch holds."""
    size = 32 if size is None else size
    return type(x) is np.ndarray and x.ndim > 0 and isinstance(size, int) and 0 < len(x) <= size


def _check_counts(method: str, **counts: Any) -> None:
    for name, value in counts.items():
        if value is not None and (not isinstance(value, int | np.integer) or value < 1):
            raise ValueError(f"{method}: {name}: got {value!r}, expected a whole number >= 1")


def _batch_size(x: Any) -> int:
    return next(leaf.shape[0] for leaf in tree.flatten(x) if leaf is not None)


def _tensor(a: Any) -> Tensor | None:
    return None if a is None else as_tensor(a)


def _symbolic(a: Any) -> Any:
    if a is None:
        return None
    return Tensor(Spec(tuple(a.shape), a.dtype.name))


def _due(epoch: int, frequency: int | Iterable[int]) -> bool:
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency

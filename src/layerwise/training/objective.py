"""What a model minimises and measures: what `compile` was given."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

from .. import observe, optimizers, tree
from ..autograd import Tensor
from ..layers.base import Layer
from ..metrics import Mean
from ..optimizers import Optimizer
from ..serialization import deserialize, serialize
from ..stateless import stateless
from .arguments import check_counts, for_users
from .compiled import CompiledLoss, CompiledMetrics, check_known


class Objective(Layer):
    """A layer with an optimizer, a loss and metrics, which the steps of training and evaluation ask."""

    _untracked = Layer._untracked | {"_compile_arguments", "_steps"}
    optimizer: Any = None
    stop_training = stop_evaluating = stop_predicting = False  # what callbacks set
    _compiled = False
    _compile_arguments: dict[str, Any] | None = None
    _compiled_loss: CompiledLoss | None = None
    _compiled_metrics: CompiledMetrics | None = None
    _loss_tracker: Any = None
    _steps: dict[Any, Any]  # made for what is compiled now

    @for_users
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
            steps_per_execution, jit_compile: Keras' arguments; here backends decide by themselves.
            auto_scale_loss: whether a model of the policy "mixed_float16" gets a `LossScaleOptimizer` around its own.

        Raises ValueError for a name that is not known, saying what is close; the model is then as it was.
        """
        resolved = optimizers.get(optimizer)
        scaled = isinstance(resolved, optimizers.Optimizer) and auto_scale_loss
        if scaled and self.dtype_policy.name == "mixed_float16":
            single = not isinstance(resolved, optimizers.LossScaleOptimizer)
            resolved = optimizers.LossScaleOptimizer(resolved, name="loss_scale_optimizer") if single else resolved
        check_known(loss, metrics, weighted_metrics)
        check_counts("compile", steps_per_execution=steps_per_execution)
        self.optimizer = resolved
        self._compile_arguments = {
            "loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self.loss, self.run_eagerly, self.jit_compile = loss, run_eagerly, jit_compile
        measured = metrics is not None or weighted_metrics is not None
        self._compiled_loss = None
        measuring = CompiledMetrics(metrics, weighted_metrics, self._output_names_for)
        self._compiled_metrics = measuring if measured else None
        self._loss_tracker = Mean(name="loss")
        self._compiled = True
        self.stop_training = False
        self._steps = {}

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
        if type(self).compile is not Objective.compile:
            warnings.warn(f"{type(self).__name__} overrides compile: the loaded model is not compiled", stacklevel=2)
            return
        known = inspect.signature(Objective.compile).parameters
        arguments = {name: deserialize(value) for name, value in config.items() if name in known}
        self.compile(**arguments)
        if self.built and isinstance(self.optimizer, Optimizer):
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[Any]:
        """The metrics that `fit` resets and reports: the loss, those compiled, and those the model owns."""
        metrics = [self._loss_tracker] if self._loss_tracker is not None else []
        metrics += super().metrics
        if self._compiled_metrics is not None:
            metrics.append(self._compiled_metrics)
        if self._compiled_loss is not None:
            metrics += self._compiled_loss.metrics
        return list({id(m): m for m in metrics}.values())

    def _metrics_outside(self) -> list[Any]:
        """Those of the layers inside: the model's own are for its own training, not for that of a model around it."""
        return self._inner_metrics()

    @property
    def metrics_variables(self) -> list[Any]:
        """The state of `metrics`."""
        return list({id(v): v for metric in self.metrics for v in metric.variables}.values())

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def _output_names_for(self, y_pred: Any) -> list[str]:
        """The key of each output in a dict, otherwise its layer's name, behind the places of the structures around."""
        paths = _paths(y_pred)
        names = getattr(self, "output_names", None)
        if names is None or len(names) != len(paths):
            names = ["output"] if len(paths) == 1 else [f"output_{i}" for i in range(len(paths))]
        ends = [path[-1] if path and isinstance(path[-1], str) else n for path, n in zip(paths, names, strict=True)]
        return ["/".join(map(str, [*path[:-1], end])) for path, end in zip(paths, ends, strict=True)]

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
                _check_form(arguments["loss"], y_pred)
                self._compiled_loss = CompiledLoss(arguments["loss"], arguments["loss_weights"], names)
            if y is None:
                raise ValueError("fit: the compiled loss needs labels; pass y, or batches (x, y)")
            total = self._compiled_loss(self._labels(y), y_pred, sample_weight)
        for added in self.losses:
            total = added if total is None else total + added
        if total is None:
            raise ValueError(
                "nothing to minimise: give compile() a loss, call add_loss() in a layer, "
                "or override compute_loss() or train_step()"
            )
        return total

    def _labels(self, y: Any) -> Any:
        """y with None for the outputs without a loss, where only the others have labels."""
        return y if self._compiled_loss is None else self._compiled_loss.labels(y)

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Tensor:
        """`compute_loss`, also one of a user's that does not ask for the mode."""
        parameters = inspect.signature(self.compute_loss).parameters
        asks = "training" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        mode = {"training": training} if asks else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **mode)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Tensor, tuple[list[Tensor], ...]]:
        """(loss, (trainable, non-trainable, metrics' values)) of `compute_loss` with the variables at these values."""
        groups = self.trainable_variables, self.non_trainable_variables, self.metrics_variables
        given = trainable_variables, non_trainable_variables, metrics_variables
        loss, values = stateless(
            [v for group in groups for v in group],
            [value for values in given for value in values],
            lambda: self._loss_of(x, y, y_pred, sample_weight, training),
        )
        rest = iter(values)
        return loss, tuple([next(rest) for _ in group] for group in groups)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the compiled metrics with a batch, and return all results."""
        if y is not None and self._compiled_metrics is not None:
            self._compiled_metrics.update_state(self._labels(y), y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """All metrics' present values by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results |= value if isinstance(value, dict) else {metric.name: value}
        return results


def _check_form(loss: Any, outputs: Any) -> None:
    """Refuse what means a loss of several outputs together: losses in lists inside of another kind of sequence."""
    kinds = list | tuple
    mixed = isinstance(loss, kinds) and isinstance(outputs, kinds | dict) and not isinstance(outputs, type(loss))
    if mixed and len(tree.flatten(outputs)) > 1 and any(isinstance(entry, kinds | dict) for entry in loss):
        raise ValueError(
            f"compile: loss: got a {type(loss).__name__} with structures inside for outputs in a "
            f"{type(outputs).__name__}, expected it arranged like these; for a loss of several outputs together "
            "override compute_loss"
        )


def _paths(structure: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """For each leaf the keys and numbers that lead to it."""
    if not tree.is_nested(structure):
        return [path]
    if isinstance(structure, dict):
        keys = tree.flatten({key: key for key in structure})
        return [found for key in keys for found in _paths(structure[key], (*path, key))]
    return [found for i, part in enumerate(structure) for found in _paths(part, (*path, i))]

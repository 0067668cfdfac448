"""The losses and metrics that `compile` was given, matched with a model's outputs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import losses, metrics, ops, tree
from ..autograd import Tensor
from ..losses.matching import matching_exactly
from ..naming import numbered, suggest


def _per_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """`given` (one for all, a list, a dict by output name, or nested as outputs are) with one entry for each output."""
    if _is_deep(given) and len(entries := tree.flatten(given)) == len(names):
        around = {name.partition("/")[0] for name in names if name not in given}  # a/b is in what `a` names
        whole = isinstance(given, dict) and all(key in names or key in around for key in given)
        if not isinstance(given, dict) or (around and around <= given.keys() and whole):
            return entries
    if isinstance(given, dict):
        unknown = set(given) - set(names)
        if unknown:
            name = sorted(unknown)[0]
            raise ValueError(f"compile: {what}: no output is named {name!r}; {suggest(name, names)}")
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple) and len(names) > 1:
        if len(given) != len(names):
            raise ValueError(
                f"compile: {what}: got a list of {len(given)}, expected one for each of {len(names)} outputs"
            )
        return list(given)
    return [given] * len(names)


def _is_deep(structure: Any) -> bool:
    """Whether a structure holds other structures."""
    parts = structure.values() if isinstance(structure, dict) else structure
    return tree.is_nested(structure) and any(map(tree.is_nested, parts))


class _SumOfLosses(losses.Loss):
    """sum of weight_i loss_i of one output"""

    def __init__(self, functions: Sequence[Any], weights: Sequence[float]) -> None:
        super().__init__(name="+".join(fn.name for fn in functions))
        self.functions, self.weights = functions, weights

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        values = [fn(y_true, y_pred, sample_weight) * w for fn, w in zip(self.functions, self.weights, strict=True)]
        return ops.sum(ops.stack(values))


def _function(given: Any) -> Any:
    """The loss that is given, or "crossentropy", whose kind the shapes say; None where there is none."""
    if isinstance(given, str) and given in ("crossentropy", "ce"):
        return given
    fn = losses.get(given)
    return fn if fn is None or isinstance(fn, losses.Loss) else losses.FunctionLoss(fn)


def _loss_of_output(given: Any, weight: Any, name: str) -> tuple[Any, float]:
    """The loss of one output and its weight: that of one loss, or of the sum of several."""
    given = tree.flatten(given) if isinstance(given, list | tuple) else [given]
    several = isinstance(weight, list | tuple)
    weights = list(weight) if several else [1.0] * len(given)
    if len(weights) != len(given):
        raise ValueError(f"compile: loss_weights: got {weight} for the {len(given)} losses of output {name!r}")
    functions = [_function(entry) for entry in given]
    if len(given) == 1:
        return functions[0], weights[0] if several else 1.0 if weight is None else weight
    if any(fn is None or isinstance(fn, str) for fn in functions):
        raise ValueError(f"compile: loss: got {given} for output {name!r}, expected losses that can be added up")
    return _SumOfLosses(functions, weights), 1.0 if several or weight is None else weight


def _targets(y: Any, names: Sequence[str]) -> list[Any]:
    """y_true as a list with one entry for each output, whether it is a dict, a list, nested or one array."""
    if _is_deep(y) and len(leaves := tree.flatten(y)) == len(names):
        return leaves
    if isinstance(y, dict):
        unknown = [name for name in y if name not in names]
        if unknown and len(names) == 1 and len(y) == 1:
            return list(y.values())
        if unknown:
            raise ValueError(f"y: no output is named {unknown[0]!r}; {suggest(unknown[0], names)}")
        return [y.get(name) for name in names]
    if len(names) == 1:
        return list(y) if isinstance(y, list | tuple) and len(y) == 1 else [y]
    if not isinstance(y, list | tuple) or len(y) != len(names):
        got = f"{len(y)} arrays" if isinstance(y, list | tuple) else "one array"
        raise ValueError(f"y: got {got}, expected one for each of the {len(names)} outputs {list(names)}")
    return list(y)


def _by_output(y_true: Any, y_pred: Any, sample_weight: Any, names: Sequence[str]) -> tuple[list[Any], ...]:
    """Labels, predictions and weights, each a list with one entry for each output; one array of weights is for all."""
    targets = _targets(y_true, names)
    weights = _targets(sample_weight, names) if tree.is_nested(sample_weight) else [sample_weight] * len(names)
    return targets, tree.flatten(y_pred), weights


@contextlib.contextmanager
def _called(kind: str, fn: Any, y_true: Any, y_pred: Any) -> Iterator[None]:
    """Inside the `with` block shapes match exactly, and errors say which loss or metric was called on what."""
    try:
        with matching_exactly():
            yield
    except Exception as error:
        shapes = " and ".join(f"{y.dtype} {y.shape}" for y in tree.flatten([y_true, y_pred]))
        error.add_note(f"in {kind} {fn.name!r}, called on {shapes}")
        raise


def check_known(loss: Any, *measured: Any) -> None:
    """Raise the error for a name of a loss or a metric that is not known, before the model changes."""
    for identifier in tree.flatten(loss) if tree.is_nested(loss) else [loss]:
        if not (isinstance(identifier, str) and identifier in ("crossentropy", "ce")):
            losses.get(identifier)
    for identifier in tree.flatten(measured):
        if not (isinstance(identifier, str) and identifier in ("accuracy", "acc", "crossentropy", "ce")):
            metrics.get(identifier)


class CompiledLoss:
    """The sum of each output's loss times its weight; with several outputs each loss is tracked by name."""

    def __init__(self, loss: Any, weights: Any, names: Sequence[str]) -> None:
        self.names = list(names)
        self.functions: list[Any] = []
        self.weights: list[float] = []
        given = _per_output(loss, names, "loss"), _per_output(weights, names, "loss_weights")
        for entry, weight, name in zip(*given, names, strict=True):
            fn, weight = _loss_of_output(entry, weight, name)
            self.functions.append(fn)
            self.weights.append(weight)
        several = sum(fn is not None for fn in self.functions) > 1
        self.trackers = [metrics.Mean(name=f"{name}_loss") for name in names] if several else []

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor | None:
        targets, predictions, weights = _by_output(y_true, y_pred, sample_weight, self.names)
        total = None
        for i, (fn, y, p, w) in enumerate(zip(self.functions, targets, predictions, weights, strict=True)):
            if fn is None:
                continue
            if y is None:
                if isinstance(y_true, dict):
                    raise ValueError(f"y: got {list(y_true)}, expected also {self.names[i]!r}, an output with a loss")
                continue
            if isinstance(fn, str):
                fn = self.functions[i] = losses.get(type(metrics.crossentropy_for(y.shape, p.shape)).__name__)
            with _called("loss", fn, y, p):
                value = fn(y, p, sample_weight=w)
            if self.trackers:
                self.trackers[i].update_state(value, sample_weight=p.shape[0])
            value = value * self.weights[i] if self.weights[i] != 1.0 else value
            total = value if total is None else total + value
        return total

    def labels(self, y: Any) -> Any:
        """y with None for the outputs without a loss, where only the others have labels."""
        given = y if isinstance(y, list | tuple) else [y]
        wanted = [fn is not None for fn in self.functions]
        if isinstance(y, dict) or _is_deep(y) or len(given) == len(wanted) or len(given) != sum(wanted):
            return y
        labels = iter(given)
        return [next(labels) if has_loss else None for has_loss in wanted]

    def label_classes(self, y_pred: Any) -> list[int | None]:
        """For each output the number of classes that a sparse loss takes its labels from, or None."""

        def classes(fn: Any, output: Tensor) -> int | None:
            sparse = isinstance(fn, losses.SparseCategoricalCrossentropy) or (
                isinstance(fn, losses.FunctionLoss) and fn.fn is losses.sparse_categorical_crossentropy
            )
            return output.shape[-1] if sparse and getattr(fn, "ignore_class", None) is None else None

        return [classes(fn, output) for fn, output in zip(self.functions, tree.flatten(y_pred), strict=False)]

    def check_labels(self, y: Any, classes: Sequence[int | None]) -> None:
        """Refuse labels that are no classes of their outputs, before a step changes anything."""
        for target, number in zip(_targets(self.labels(y), self.names), classes, strict=True):
            if target is not None and number is not None:
                losses.check_labels(target, number)

    @property
    def metrics(self) -> list[Any]:
        return [m for m, fn in zip(self.trackers, self.functions, strict=False) if fn is not None]


class CompiledMetrics:
    """Each output's metrics, which are resolved ("accuracy" by the shapes) when the first batch is seen."""

    name = "compile_metrics"
    names: Sequence[str] = ()

    def __init__(self, unweighted: Any, weighted: Any, names_for: Callable[[Any], Sequence[str]]) -> None:
        self._names_for = names_for  # the names of outputs like these
        self._given = [(unweighted, False), (weighted, True)]
        self._entries: dict[str, tuple[int, Any, bool]] | None = None  # by name in logs: output, metric, weighted

    def _listed(self, given: Any) -> list[list[Any]]:
        if given is None:
            return [[] for _ in self.names]
        if isinstance(given, dict):
            per = _per_output(given, self.names, "metrics")
        elif len(self.names) > 1 and len(given) == len(self.names) and all(isinstance(g, list | tuple) for g in given):
            per = list(given)
        elif len(self.names) > 1 and isinstance(given, list | tuple) and given:
            per = _per_output(list(given), self.names, "metrics")
        else:
            per = [given for _ in self.names]
        return [list(p) if isinstance(p, list | tuple) else [p] if p is not None else [] for p in per]

    @property
    def built(self) -> bool:
        return self._entries is not None

    def _resolve(self, targets: list[Any], predictions: list[Any]) -> None:
        entries: dict[str, tuple[int, Any, bool]] = {}
        for given, weighted in self._given:
            listed = self._listed(given)
            for i, (y, p) in enumerate(zip(targets, predictions, strict=True)):
                for identifier in listed[i]:
                    if y is None:
                        continue
                    metric, name = _metric(identifier, y.shape, p.shape)
                    output = f"{self.names[i]}_" if len(self.names) > 1 else ""
                    if weighted and output + name in entries:
                        name = f"weighted_{name}"
                    entries[numbered(output + name, entries)] = (i, metric, weighted)
        self._entries = entries

    def check(self, y: Any, sample_weight: Any) -> None:
        """Refuse labels and weights that a metric cannot take."""
        if y is not None and self._entries:
            targets, _, weights = _by_output(y, (), sample_weight, self.names)
            for i, metric, weighted in self._entries.values():
                metric.check(targets[i], None, weights[i] if weighted else None)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.names = self.names or self._names_for(y_pred)
        targets, predictions, weights = _by_output(y_true, y_pred, sample_weight, self.names)
        if self._entries is None:
            self._resolve(targets, predictions)
        for i, metric, weighted in (self._entries or {}).values():
            with _called("metric", metric, targets[i], predictions[i]):
                metric.update_state(targets[i], predictions[i], sample_weight=weights[i] if weighted else None)

    def result(self) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for name, metric in self.by_name.items():
            value = metric.result()
            results |= value if isinstance(value, dict) else {name: value}
        return results

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    stateless_update_state = metrics.Metric.stateless_update_state
    stateless_result = metrics.Metric.stateless_result

    @property
    def by_name(self) -> dict[str, Any]:
        """The metrics by their names in logs."""
        return {name: metric for name, (_, metric, _) in (self._entries or {}).items()}

    @property
    def metrics(self) -> list[Any]:
        return list(self.by_name.values())

    @property
    def variables(self) -> list[Any]:
        return [v for metric in self.metrics for v in metric.variables]


def _metric(identifier: Any, y_true: tuple[int, ...], y_pred: tuple[int, ...]) -> tuple[Any, str]:
    """The metric that `identifier` stands for between arrays of these shapes, and its name in logs."""
    name = identifier if isinstance(identifier, str) else None
    if identifier in ("accuracy", "acc"):
        metric = metrics.accuracy_for(y_true, y_pred)
    elif identifier in ("crossentropy", "ce"):
        metric = metrics.crossentropy_for(y_true, y_pred)
    else:
        metric = metrics.get(identifier)
    if not isinstance(metric, metrics.Metric):
        metric = metric() if isinstance(metric, type) else metrics.MeanMetricWrapper(metric, name)
    return metric, name or metric.name

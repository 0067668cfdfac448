"""One example forward and back through a model, layer by layer, with its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import observe, tree
from ..autograd import GradientTape, Tensor, as_tensor
from ..dtypes import is_float
from ..layers.base import Layer
from ..models import Model
from ..models.graph import graph_of
from ..training.arrays import map_leaves
from ..variables import rehearsal


@dataclass
class ParameterTrace:
    """A parameter and dL/d(parameter) for the example.

    Attributes:
        name: of the parameter in its layer.
        value: what it holds.
        gradient: None where the loss does not depend on it.
    """

    name: str
    value: np.ndarray
    gradient: np.ndarray | None


@dataclass
class LayerTrace:
    """What one call of a layer gave for the example, and dL/d(output); None where no gradient arrives.

    Of a softmax or sigmoid the gradient is that by its logits, which are what the loss takes.

    Attributes:
        name, type: of the layer.
        output, gradient: of this call, with a batch of 1.
        parameters: the layer's.
    """

    name: str
    type: str
    output: np.ndarray
    gradient: np.ndarray | None
    parameters: list[ParameterTrace] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the output, without the batch."""
        return self.output.shape[1:]


@dataclass
class Trace:
    """The `loss` of the example, the model's `prediction`, and in `layers` what each call of a layer did, in order."""

    loss: float
    prediction: Any
    layers: list[LayerTrace]

    def __getitem__(self, name: str) -> LayerTrace:
        """The (first) trace of the layer of this name."""
        for row in self.layers:
            if row.name == name:
                return row
        raise KeyError(f"no layer is named {name!r}; there are {', '.join(row.name for row in self.layers)}")

    def __iter__(self) -> Iterator[LayerTrace]:
        return iter(self.layers)

    def print(self, width: int | None = None) -> None:
        """Show the trace as a table, `width` columns wide, by default as wide as the terminal."""
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, title=f"One example forward and back, loss {self.loss:.4f}", pad_edge=False)
        table.title_justify, table.title_style = "left", "bold"
        for heading in ("Layer", "Shape"):
            table.add_column(heading, overflow="fold")
        for heading in ("Mean", "Std", "Min", "Max", "Zeros", "|Gradient|"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in self.layers:
            table.add_row(row.name, str(row.shape), *_statistics(row.output, row.gradient))
            for p in row.parameters:
                table.add_row(f"  {p.name}", str(p.value.shape), *_statistics(p.value, p.gradient), style="dim")
        Console(width=width).print(table, highlight=False)


def trace(model: Model, x: Any, y: Any, training: bool = False, verbose: bool = True) -> Trace:
    """Each layer's output a_l and the loss L forward, dL/da_l and dL/d(parameters) back, for one example.

    The printed table shows a row a layer, with its parameters' rows beneath: where activations die out or explode, and
    where gradients vanish (|Gradient| is the Euclidean norm). The model is left as it was.

    Args:
        model: compiled, so that it has a loss.
        x: one example: the model's input without or with a batch dimension of 1 (or a list or dict of inputs).
        y: its label, likewise.
        training: whether layers behave as in training (dropout drops, batch normalisation uses the example).
        verbose: whether to print the table.

    Raises ValueError if the model is not compiled, x is more than one example, or y is nothing that the loss takes.

    >>> from layerwise import layers, models
    >>> model = models.Sequential([layers.Input((4,)), layers.Dense(3, name="scores"), layers.Softmax()])
    >>> model.compile(loss="sparse_categorical_crossentropy")
    >>> traced = trace(model, [1.0, 2.0, 3.0, 4.0], 2, verbose=False)
    >>> traced["scores"].shape, traced["scores"].parameters[0].gradient.shape
    ((3,), (4, 3))
    """
    if not model.compiled:
        raise ValueError("trace: the model has no loss; call model.compile(loss=...) first")
    x, y = _batch_of_one(model, x, y)
    model.test_on_batch(*tree.map_structure(np.asarray, (x, y)))  # refuses what `fit` refuses
    model.reset_metrics()
    calls: list[tuple[Layer, Tensor]] = []  # the innermost layers with each Tensor that they return, in order
    inner = {id(layer) for layer in model._flatten_layers() if not layer._sublayers() and layer is not model}

    def note(layer: Layer, outputs: Any) -> None:
        if id(layer) in inner:
            calls.extend((layer, output) for output in tree.flatten(outputs) if type(output) is Tensor)

    with GradientTape() as tape, observe.observing(left=note), rehearsal():
        tape.watch([leaf for leaf in tree.flatten(x) if is_float(leaf.dtype)])
        prediction = model(x, training=training)
        loss = model.compute_loss(x, y, prediction, training=training)
    weights = model.trainable_weights
    gradients = tape.gradient(loss, [*(output.logits[1] if output.logits else output for _, output in calls), *weights])
    by_weight = {id(w): _array(g) for w, g in zip(weights, gradients[len(calls) :])}
    rows = []
    for (layer, output), gradient in zip(calls, gradients):
        parameters = [ParameterTrace(w.name, w.numpy(), by_weight[id(w)]) for w in layer.trainable_weights]
        rows.append(LayerTrace(layer.name, type(layer).__name__, output.numpy(), _array(gradient), parameters))
    traced = Trace(loss.item(), tree.map_structure(np.asarray, prediction), rows)
    if verbose:
        traced.print()
    return traced


def _batch_of_one(model: Model, x: Any, y: Any) -> tuple[Any, Any]:
    """The example as Tensors with a batch dimension of 1."""
    x, y = (map_leaves(part, as_tensor) for part in (x, y))
    leaves = tree.flatten(x)
    expected = [t.shape[1:] for t in model.inputs] if graph_of(model) is not None else [None] * len(leaves)
    if graph_of(model) is not None and len(leaves) == len(expected):
        leaves = [as_tensor(leaf, t.dtype) for leaf, t in zip(leaves, model.inputs)]
        x = tree.pack_sequence_as(x, leaves)
    if all(leaf.shape[:1] == (1,) and _may_be_example(leaf.shape[1:], shape) for leaf, shape in zip(leaves, expected)):
        return x, y
    if not all(_may_be_example(leaf.shape, shape) for leaf, shape in zip(leaves, expected)):
        got = ", ".join(str(leaf.shape) for leaf in leaves)
        raise ValueError(f"trace: x: got shape {got}, expected one example of shape {', '.join(map(str, expected))}")
    return tree.map_structure(lambda t: t[None], (x, y))


def _may_be_example(shape: tuple[int, ...], expected: tuple[int | None, ...] | None) -> bool:
    """Whether an example can have this shape; channels of size 1 may be left out."""
    if expected is None:
        return True
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        shape = (*shape, 1)
    return len(shape) == len(expected) and all(e in (n, None) for n, e in zip(shape, expected))


def _array(gradient: Tensor | None) -> np.ndarray | None:
    return None if gradient is None else gradient.numpy()


def _statistics(x: np.ndarray, gradient: np.ndarray | None) -> list[str]:
    """Mean, deviation, least and largest value, share of zeros, norm of the gradient."""
    x = x.astype(np.float64)
    numbers = [f"{f(x):.3g}" if x.size else "-" for f in (np.mean, np.std, np.min, np.max)]
    zeros = f"{np.mean(x == 0):.0%}" if x.size else "-"
    return [*numbers, zeros, "-" if gradient is None else f"{np.linalg.norm(gradient.astype(np.float64).ravel()):.3g}"]

"""One step of recurrent layers: cells, and stacks of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import activations, ops, random, tree
from ..autograd import Tensor
from ..naming import whole_number
from .base import Layer
from .weights import Weight


class Cell(Layer):
    """output, states = cell(x, states), in a part for all steps at once and one for each step.

    `project` is what the inputs of any number of steps go through, `advance` does the rest of one step.
    """

    inner_name: str | None = None  # what a layer calls its cell; None: as the class
    gates = 1
    rank = 0  # how many spatial axes inputs have
    features = -1  # the axis of the features
    units: int
    kernel: Any
    recurrent_kernel: Any
    bias: Any
    dropout: float
    recurrent_dropout: float
    held: list[Any] | None = None  # what x and h are multiplied with in all steps of the sequence that is running
    _untracked = Layer._untracked | {"held"}

    def _set(self, units: int, activation: Any, use_bias: bool, dropout: float, recurrent: float, seed: Any) -> None:
        self.units = whole_number(f"{type(self).__name__}: units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.dropout, self.recurrent_dropout = (min(1.0, max(0.0, rate)) for rate in (dropout, recurrent))
        self.seed, self.seed_generator = seed, random.SeedGenerator(seed)
        self.state_size: Any = self.units
        self.output_size = self.units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        width = self.gates * self.units
        super().make("kernel", (input_shape[-1], width))
        super().make("recurrent_kernel", (self.units, width))
        self._make_bias(width)

    def _make_bias(self, width: int) -> None:
        super().make("bias", (width,), given=self.use_bias)

    def project(self, inputs: Tensor) -> Tensor:
        """x W + b of any number of steps."""
        return ops.dense(inputs, self.kernel, self.bias)

    def recur(self, h: Tensor) -> Tensor:
        """h U."""
        return ops.matmul(h, self.recurrent_kernel)

    def advance(self, projected: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        """The new states, of which the first is the output; h is what recurrent weights multiply."""
        raise NotImplementedError

    def noises(self, input_shape: Any, state_shape: Any) -> list[Any]:
        """What x and h are multiplied with to drop some of each, None where none are to be."""
        rates = ((self.dropout, input_shape), (self.recurrent_dropout, state_shape))
        return [
            random.dropout(ops.ones(shape, self.compute_dtype), rate, seed=self.seed_generator) if rate else None
            for rate, shape in rates
        ]

    def call(self, inputs: Tensor, states: Any, training: bool | None = False) -> Any:
        nested = tree.is_nested(states)
        states = list(states) if nested else [states]
        h = states[0]
        if training:
            of_x, of_h = self.held or self.noises(inputs.shape, h.shape)
            inputs, h = inputs if of_x is None else inputs * of_x, h if of_h is None else h * of_h
        new = self.advance(self.project(inputs), states, h)
        return new[0], new if nested else new[0]

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        """Zeros."""
        sizes = [self.state_size] if isinstance(self.state_size, int) else self.state_size
        return [ops.zeros((batch_size, n), dtype=self.compute_dtype) for n in sizes]


class SimpleRNNCell(Cell):
    """h <- activation(x W + h U + b)

    x (batch, n), the state h (batch, units), which is the output, too.

    Args:
        units: the width of the state.
        activation: of the new state.
        use_bias: whether there is a bias.
        dropout: the share of x that is dropped in training.
        recurrent_dropout: the share of h that is dropped before it meets U.
        seed: of both.

    >>> from layerwise import layers, ops
    >>> h, states = layers.SimpleRNNCell(4)(ops.ones((2, 3)), [ops.zeros((2, 4))])
    >>> h.shape
    (2, 4)
    """

    kernel = Weight("glorot_uniform")
    recurrent_kernel = Weight("orthogonal", prefix="recurrent")
    bias = Weight("zeros")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._set(units, activation, use_bias, dropout, recurrent_dropout, seed)

    def advance(self, projected: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        return [self.activation(projected + self.recur(h))]


class LSTMCell(Cell, after={"unit_forget_bias": "bias_initializer"}):
    """i, f, g, o = split(x W + h U + b),  c <- s(f) c + s(i) a(g),  h <- s(o) a(c)

    x (batch, n), the states h, which is the output, and c, (batch, units) each. (Hochreiter and Schmidhuber 1997)

    Args:
        units: the width of the states.
        activation: a.
        recurrent_activation: s.
        use_bias: whether there is a bias.
        unit_forget_bias: whether b begins with 1 for f.
        dropout: the share of x that is dropped in training.
        recurrent_dropout: the share of h that is dropped before it meets U.
        seed: of both.

    >>> from layerwise import layers, ops
    >>> h, (h, c) = layers.LSTMCell(4)(ops.ones((2, 3)), [ops.zeros((2, 4)), ops.zeros((2, 4))])
    >>> c.shape
    (2, 4)
    """

    gates = 4
    kernel = Weight("glorot_uniform")
    recurrent_kernel = Weight("orthogonal", prefix="recurrent")
    bias = Weight("zeros")
    bias_initializer: Any

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        unit_forget_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._set(units, activation, use_bias, dropout, recurrent_dropout, seed)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def _make_bias(self, width: int) -> None:
        def remembering(shape: Any, dtype: Any = None) -> Tensor:
            parts = [self.bias_initializer((n * self.units,), dtype=dtype) for n in (1, 2)]
            return ops.concatenate([parts[0], ops.ones((self.units,), dtype=dtype), parts[1]])

        initializer = remembering if self.unit_forget_bias else self.bias_initializer
        super().make("bias", (width,), given=self.use_bias, initializer=initializer)

    def advance(self, projected: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        i, f, g, o = ops.split(projected + self.recur(h), 4, axis=self.features)
        gate = self.recurrent_activation
        c = gate(f) * states[1] + gate(i) * self.activation(g)
        return [gate(o) * self.activation(c), c]


class GRUCell(Cell):
    """z = s(x W_z + h U_z + b_z),  r = s(x W_r + h U_r + b_r),  h <- z h + (1 - z) a(x W_h + r (h U_h + b_u) + b_h)

    x (batch, n), the state h (batch, units), which is the output, too. (Cho et al. 2014)

    Args:
        units: the width of the state.
        activation: a.
        recurrent_activation: s.
        use_bias: whether there are biases.
        dropout: the share of x that is dropped in training.
        recurrent_dropout: the share of h that is dropped before it meets U.
        reset_after: whether r multiplies h U_h + b_u, as above, or h itself, without b_u.
        seed: of the dropout.

    >>> from layerwise import layers, ops
    >>> h, states = layers.GRUCell(4)(ops.ones((2, 3)), [ops.zeros((2, 4))])
    >>> h.shape
    (2, 4)
    """

    gates = 3
    kernel = Weight("glorot_uniform")
    recurrent_kernel = Weight("orthogonal", prefix="recurrent")
    bias = Weight("zeros")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._set(units, activation, use_bias, dropout, recurrent_dropout, seed)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _make_bias(self, width: int) -> None:
        super().make("bias", (2, width) if self.reset_after else (width,), given=self.use_bias)

    def project(self, inputs: Tensor) -> Tensor:
        bias = self.bias[0] if self.use_bias and self.reset_after else self.bias
        return ops.dense(inputs, self.kernel, bias)

    def advance(self, projected: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        n = 2 * self.units
        if self.reset_after:
            inner = ops.dense(h, self.recurrent_kernel, self.bias[1] if self.use_bias else None)
        else:
            inner = ops.matmul(h, self.recurrent_kernel[:, :n])
        z, r = ops.split(self.recurrent_activation(projected[:, :n] + inner[:, :n]), 2, axis=-1)
        candidate = r * inner[:, n:] if self.reset_after else ops.matmul(r * h, self.recurrent_kernel[:, n:])
        candidate = self.activation(projected[:, n:] + candidate)
        return [z * states[0] + (1 - z) * candidate]


class StackedRNNCells(Layer):
    """output, states = cells[-1](... cells[0](x)): the output of each cell is the input of the next.

    Args:
        cells: the cells, of which each has its state in the list of states.

    >>> from layerwise import layers, ops
    >>> layers.RNN(layers.StackedRNNCells([layers.GRUCell(3), layers.LSTMCell(2)]))(ops.ones((1, 5, 4))).shape
    (1, 2)
    """

    _written = Layer._written | {"cells"}

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            check_cell("StackedRNNCells: cells", cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        return output_size_of(self.cells[-1])

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for cell in self.cells:
            build_cell(cell, input_shape)
            input_shape = (input_shape[0], output_size_of(cell))

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """That of each cell."""
        states = [initial_state_of(cell, batch_size, self.compute_dtype) for cell in self.cells]
        return [
            s if isinstance(cell.state_size, list | tuple) else s[0] for s, cell in zip(states, self.cells, strict=True)
        ]

    def call(self, inputs: Tensor, states: Any, training: bool | None = False) -> Any:
        new_states = []
        for cell, own in zip(self.cells, states, strict=True):
            inputs, new = call_cell(cell, inputs, list(own) if tree.is_nested(own) else [own], training)
            new_states.append(new if tree.is_nested(own) else new[0])
        return inputs, new_states


def check_cell(what: str, cell: Any) -> None:
    """Raise ValueError unless `cell` has what a cell has; `what` names the argument."""
    for name in ("call", "state_size"):
        if not hasattr(cell, name):
            raise ValueError(f"{what}: got a {type(cell).__name__} without {name!r}, expected a cell such as LSTMCell")


@contextmanager
def holding_noise(cell: Any, batch_size: int) -> Iterator[None]:
    """Inside the `with` block the cells in `cell` drop the same in each step, as they do in a layer of their own."""
    cells = [c for c in cell._flatten_layers() if isinstance(c, Cell) and not c.rank] if isinstance(cell, Layer) else []
    for c in cells:
        c.held = c.noises((batch_size, c.kernel.shape[0]), (batch_size, c.units))
    try:
        yield
    finally:
        for c in cells:
            c.held = None


def output_size_of(cell: Any) -> Any:
    """The width of a cell's output: what it says, or that of its first state."""
    if getattr(cell, "output_size", None) is not None:
        return cell.output_size
    return cell.state_size[0] if isinstance(cell.state_size, list | tuple) else cell.state_size


def build_cell(cell: Any, input_shape: tuple[int | None, ...]) -> None:
    """Make a cell's weights, if it is a layer that has none yet."""
    if isinstance(cell, Layer) and not cell.built:
        cell.build(input_shape)
        cell.built = True


def initial_state_of(cell: Any, batch_size: int | None, dtype: str) -> list[Any]:
    """What a cell says that its states begin with, zeros if it says nothing."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch_size)
        return list(states) if tree.is_nested(states) else [states]
    sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    return [ops.zeros((batch_size, *(n if isinstance(n, list | tuple) else (n,))), dtype=dtype) for n in sizes]


def call_cell(cell: Any, inputs: Tensor, states: list[Any], training: bool | None) -> tuple[Tensor, list[Any]]:
    """A cell's output and its new states, as a list."""
    takes = isinstance(cell, Layer) and cell._call_parameters().training
    run = cell if callable(cell) else cell.call
    output, new = run(inputs, states, **({"training": training} if takes else {}))
    return output, list(new) if tree.is_nested(new) else [new]

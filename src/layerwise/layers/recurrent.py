"""Recurrent layers: a cell's steps over sequences, in a loop that compiled steps keep as one."""

from __future__ import annotations

import contextlib
import inspect
import operator
from collections.abc import Sequence
from inspect import Parameter
from typing import Any

from .. import ops, tree
from ..autograd import Tensor
from ..naming import snake_case
from ..signatures import described, taking
from ..variables import Variable
from .base import Layer
from .cells import (
    Cell,
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    build_cell,
    call_cell,
    check_cell,
    holding_noise,
    initial_state_of,
    output_size_of,
)
from .input_spec import InputSpec


class RNN(Layer):
    """output_t, states_t = cell(x_t, states_(t-1)) for each t; the last output, or all of them

    x (batch, steps, ...) -> (batch, units), or (batch, steps, units). Where a mask is False, states stay, and so
    does the output. The call takes `initial_state`, a list of states to begin with.

    Args:
        cell: a layer with `state_size` and `call(x, states)`, or a list of them, which are stacked.
        return_sequences: whether all outputs are returned.
        return_state: whether the last states are returned behind the output.
        go_backwards: whether steps are taken from the last to the first; outputs are in that order.
        stateful: whether a call begins with the states that the one before left; `reset_state` zeroes them.
        unroll: Keras' argument, without effect on a loop.
        zero_output_for_mask: whether outputs are 0 where the mask is False.

    >>> from layerwise import layers, ops
    >>> y, h, c = layers.RNN(layers.LSTMCell(4), return_sequences=True, return_state=True)(ops.ones((2, 5, 3)))
    >>> y.shape, c.shape
    ((2, 5, 4), (2, 4))
    """

    supports_masking = True
    states: list[Variable] | None = None
    _written = Layer._written | {"cell"}

    def __init_subclass__(cls, cell: type[Cell] | None = None, behind: Sequence[str] = (), **kwargs: Any) -> None:
        if cell is not None:
            _take_options_of(cls, cell, behind)
        super().__init_subclass__(**kwargs)

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell
        check_cell(f"{type(self).__name__}: cell", cell)
        self.cell = cell
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self.stateful, self.unroll, self.zero_output_for_mask = stateful, unroll, zero_output_for_mask

    @property
    def state_size(self) -> list[Any]:
        """The width of each state."""
        size = self.cell.state_size
        return list(size) if isinstance(size, list | tuple) else [size]

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        build_cell(self.cell, (sequences_shape[0], *sequences_shape[2:]))
        if self.stateful and self.states is None:
            if sequences_shape[0] is None:
                raise ValueError(
                    f"layer {self.name!r}: stateful: the batch size is not known; give it with Input(batch_size=...)"
                )
            begin = self.get_initial_state(sequences_shape[0])
            # Not by an attribute of the usual kind: Keras does not count them among the weights, nor do files.
            self.__dict__["states"] = tree.map_structure(
                lambda value: Variable(value, trainable=False, name="rnn_state"), begin
            )

    def _own_variables(self) -> list[Variable]:
        return [*super()._own_variables(), *tree.flatten(self.states or [])]

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """What the states begin with."""
        return initial_state_of(self.cell, batch_size, self.compute_dtype)

    def reset_state(self) -> None:
        """Let the next call begin with zeros, where the layer is stateful."""
        for state in tree.flatten(self.states or []):
            state.assign(ops.zeros_like(state.value))

    reset_states = reset_state

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool | None = False
    ) -> Any:
        xs = ops.swapaxes(sequences, 0, 1)
        steps = None if mask is None else ops.expand_dims(ops.swapaxes(ops.cast(mask, "bool"), 0, 1), -1)
        if self.go_backwards:
            xs, steps = ops.flip(xs, 0), None if steps is None else ops.flip(steps, 0)
        states = self._first_states(initial_state, xs.shape[1])
        fast = isinstance(self.cell, Cell) and type(self.cell).call is Cell.call
        if fast:
            of_x, noise = self.cell.noises(xs.shape[1:], states[0].shape) if training else (None, None)
            xs = self.cell.project(xs if of_x is None else xs * of_x)
        size = output_size_of(self.cell)
        sizes = size if isinstance(size, list | tuple) else (size,)
        # The output of the step before, where it is not the first state.
        outputs = [] if fast else [ops.zeros((xs.shape[1], *sizes), tree.flatten(states)[0].dtype)]

        def step(carry: Any, given: list[Tensor]) -> tuple[Any, Any]:
            before, last = carry
            x, kept = given if len(given) == 2 else (given[0], None)
            if fast:
                new = self.cell.advance(x, before, before[0] if noise is None else before[0] * noise)
                output = new[0]
            else:
                output, new = call_cell(self.cell, x, before, training)
            if kept is not None:
                new = tree.map_structure(lambda a, b: ops.where(_like(kept, a), a, b), new, before)
                output = new[0] if fast else ops.where(_like(kept, output), output, last[0])
            return (new, [] if fast else [output]), output if self.return_sequences else None

        with contextlib.nullcontext() if fast or not training else holding_noise(self.cell, xs.shape[1]):
            (states, outputs), ys = ops.scan(step, (states, outputs), [xs] if steps is None else [xs, steps])
        output = ys if self.return_sequences else states[0] if fast else outputs[0]
        if steps is not None and self.zero_output_for_mask:
            kept = steps if self.return_sequences else steps[-1]
            output = ops.where(ops.reshape(kept, (*kept.shape, *(1,) * (output.ndim - kept.ndim))), output, 0.0)
        if self.stateful:
            for variable, state in zip(tree.flatten(self.states), tree.flatten(states), strict=True):
                variable.assign(state)
        if self.return_sequences:
            output = ops.swapaxes(output, 0, 1)
        return (output, *states) if self.return_state else output

    def _first_states(self, given: Any, batch_size: Any) -> list[Any]:
        if given is None:
            given = self.states if self.stateful else self.get_initial_state(batch_size)
        given = list(given) if tree.is_nested(given) else [given]
        states = tree.map_structure(lambda s: ops.cast(s, self.compute_dtype), given)
        if self.stateful and tree.flatten(states)[0].shape[0] != batch_size:
            raise ValueError(
                f"layer {self.name!r}: stateful: got a batch of {batch_size}, expected "
                f"{tree.flatten(states)[0].shape[0]}, for which its states are"
            )
        return states

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = tree.flatten(mask)[0]
        return mask if self.return_sequences else None

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "unroll": self.unroll, "zero_output_for_mask": self.zero_output_for_mask}
        config.pop("use_cudnn", None)
        return config


def _like(mask: Tensor, array: Tensor) -> Tensor:
    """A mask (batch, 1) with as many axes as the array has."""
    return ops.reshape(mask, (mask.shape[0], *(1,) * (array.ndim - 1)))


def _take_options_of(cls: Any, cell: type[Cell], behind: Sequence[str]) -> None:
    """Give a recurrent layer the options of its cell, `behind` last, in its signature and as attributes."""
    of_cell = list(inspect.signature(cell.__init__).parameters.values())[:-1]
    of_loop = [p for p in inspect.signature(RNN.__init__).parameters.values() if p.default is not p.empty]
    cudnn = Parameter("use_cudnn", Parameter.KEYWORD_ONLY, default="auto", annotation=Any)
    names = [p.name for p in of_cell[1:]]
    others = {"zero_output_for_mask", *(["unroll"] if cell.rank else [])}  # are among the other options
    order = [*of_cell, *(p for p in of_loop if p.name not in others)]
    activity = Parameter("activity_regularizer", Parameter.KEYWORD_ONLY, default=None, annotation=Any)
    order.insert([p.name for p in order].index("bias_regularizer") + 1, activity)
    last = [next((p for p in order if p.name == name), cudnn) for name in behind]
    order = [*(p for p in order if p not in last), *last]

    def __init__(self: Any, **options: Any) -> None:
        self.use_cudnn = options.pop("use_cudnn", "auto")
        inner = {name: options.pop(name) for name in (*names, "implementation") if name in options}
        inner.pop("implementation", None)  # of Keras' loops
        common = {name: options[name] for name in ("dtype", "trainable") if name in options}
        RNN.__init__(self, cell(**inner, **common, name=cell.inner_name or snake_case(cell.__name__)), **options)
        self.input_spec = InputSpec(ndim=3 + cell.rank)

    cls.__init__ = taking(__init__, order)
    for name in names:
        setattr(cls, name, property(operator.attrgetter(f"cell.{name}")))
    loop = ", ".join(p.name for p in of_loop)
    of_its_own = "; use_cudnn: Keras' argument, without effect" if "use_cudnn" in behind else ""
    cls.__doc__ = described(
        cls.__doc__, f"As `{cell.__name__}` says: {', '.join(names)}. As `RNN` says: {loop}{of_its_own}."
    )


class SimpleRNN(RNN, cell=SimpleRNNCell, behind=["seed"]):
    """h_t = activation(x_t W + h_(t-1) U + b); the last h, or all of them

    x (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.

    >>> from layerwise import layers, ops
    >>> layers.SimpleRNN(4)(ops.ones((2, 5, 3))).shape
    (2, 4)
    """


class LSTM(RNN, cell=LSTMCell, behind=["use_cudnn"]):
    """The steps of an `LSTMCell` over sequences; the last h, or all of them

    x (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.

    >>> from layerwise import layers, ops
    >>> layers.LSTM(4, return_sequences=True)(ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """


class GRU(RNN, cell=GRUCell, behind=["reset_after", "use_cudnn"]):
    """The steps of a `GRUCell` over sequences; the last h, or all of them

    x (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.

    >>> from layerwise import layers, ops
    >>> layers.GRU(4)(ops.ones((2, 5, 3))).shape
    (2, 4)
    """

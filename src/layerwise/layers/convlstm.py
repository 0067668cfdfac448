"""LSTMs over sequences of pictures, whose products are convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ops
from ..autograd import Spec, Tensor
from ..config import checked_data_format
from ..ops.convolution import one_for_each_axis
from .cells import LSTMCell
from .recurrent import RNN
from .spatial import checked_padding
from .weights import Weight


class ConvLSTMCell(LSTMCell, after={"unit_forget_bias": "bias_initializer"}):
    """`LSTMCell` with convolutions in the place of products: that of x as said, that of h with padding "same"

    x (batch, spatial..., channels), the states h and c (batch, out..., filters). (Shi et al. 2015)

    Args:
        filters: how many channels the states have.
        kernel_size: how many taps both kernels have: one number, or one for each dimension.
        strides: of the convolution of x, likewise.
        padding: of the convolution of x, "valid" or "same".
        data_format: "channels_last" or "channels_first"; None: as configured.
        dilation_rate: how far apart the taps are for x.
        activation: a of `LSTMCell`.
        recurrent_activation: s of `LSTMCell`.
        use_bias: whether there is a bias.
        unit_forget_bias: whether it begins with 1 for f.
        dropout: the share of x that is dropped in training.
        recurrent_dropout: the share of h that is dropped before it is convolved.
        seed: of both.
    """

    inner_name = "conv_lstm_cell"
    kernel = Weight("glorot_uniform")
    recurrent_kernel = Weight("orthogonal", prefix="recurrent")
    bias = Weight("zeros")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        super().__init__(
            filters,
            activation,
            recurrent_activation,
            use_bias,
            unit_forget_bias=unit_forget_bias,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **options,
        )
        self.filters = filters
        self.kernel_size = one_for_each_axis(kernel_size, self.rank, "ConvLSTM: kernel_size")
        self.strides = one_for_each_axis(strides, self.rank, "ConvLSTM: strides")
        self.dilation_rate = one_for_each_axis(dilation_rate, self.rank, "ConvLSTM: dilation_rate")
        self.padding = checked_padding(padding, "ConvLSTM")
        self.data_format = checked_data_format(data_format)
        self.features = 1 if self.data_format == "channels_first" else -1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if None in input_shape[1:]:
            raise ValueError(
                f"layer {self.name!r}: got pictures of shape {tuple(input_shape[1:])}, expected known sizes, for "
                "the states to begin with"
            )
        width = self.gates * self.filters
        super().make("kernel", (*self.kernel_size, input_shape[self.features], width))
        super().make("recurrent_kernel", (*self.kernel_size, self.filters, width))
        self._make_bias(width)
        out = list(self.project(Tensor(Spec((1, *input_shape[1:]), self.compute_dtype))).shape)
        out[self.features] = self.filters
        self._state_shape = tuple(out[1:])

    def project(self, inputs: Tensor) -> Tensor:
        steps = inputs.shape[: inputs.ndim - self.rank - 2]  # of all at once
        x = ops.reshape(inputs, (-1, *inputs.shape[len(steps) + 1 :]))
        geometry = (self.strides, self.padding, self.data_format, self.dilation_rate)
        y = ops.conv(x, self.kernel, *geometry)
        if self.use_bias:
            y = y + (self.bias if self.features == -1 else ops.reshape(self.bias, (-1, *(1,) * self.rank)))
        return ops.reshape(y, (*inputs.shape[: len(steps) + 1], *y.shape[1:]))

    def recur(self, h: Tensor) -> Tensor:
        return ops.conv(h, self.recurrent_kernel, padding="same", data_format=self.data_format)

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        return [ops.zeros((batch_size, *self._state_shape), dtype=self.compute_dtype) for _ in range(2)]


class _Cell1D(ConvLSTMCell):
    rank = 1


class _Cell2D(ConvLSTMCell):
    rank = 2


class _Cell3D(ConvLSTMCell):
    rank = 3


class ConvLSTM1D(RNN, cell=_Cell1D):
    """An `LSTM` over sequences of rows, whose products are convolutions; the last h, or all of them

    x (batch, steps, length, channels) -> (batch, out, filters), or (batch, steps, out, filters). (Shi et al. 2015)
    """


class ConvLSTM2D(RNN, cell=_Cell2D):
    """An `LSTM` over sequences of pictures, whose products are convolutions; the last h, or all of them

    x (batch, steps, rows, columns, channels) -> (batch, out..., filters), or with the steps. (Shi et al. 2015)

    >>> from layerwise import layers, ops
    >>> layers.ConvLSTM2D(4, 3, padding="same")(ops.ones((1, 5, 8, 8, 3))).shape
    (1, 8, 8, 4)
    """


class ConvLSTM3D(RNN, cell=_Cell3D):
    """An `LSTM` over sequences of volumes, whose products are convolutions; the last h, or all of them

    x (batch, steps, depth, rows, columns, channels) -> (batch, out..., filters), or with the steps. (Shi et al. 2015)
    """

"""Products, convolutions, pooling, resizing, and labels without times, as tf.keras' backend had them."""

from collections.abc import Sequence
from typing import Any

from .. import config, ops
from ..autograd import Tensor, as_tensor
from ..config import epsilon

__all__ = [
    "batch_dot", "bias_add", "conv1d", "conv2d", "conv3d", "ctc_batch_cost", "ctc_decode", "depthwise_conv2d", "pool2d",
    "pool3d", "resize_images", "resize_volumes", "separable_conv2d", "spatial_2d_padding", "spatial_3d_padding",
]  # fmt: skip


def batch_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """the sum over axis a of x and b of y, for each example by itself

    axes: (a, b), or one number for both; by default x's last and y's second to last, or only, axis. The others follow
    each other; of vectors (n, k) each product is one number: (n, 1).

    >>> batch_dot([[1.0, 2.0]], [[3.0, 4.0]])
    Tensor([[11.]], shape=(1, 1), dtype=float32)
    """
    x, y = as_tensor(x), as_tensor(y)
    a, b = (axes, axes) if isinstance(axes, int) else axes or (x.ndim - 1, max(1, y.ndim - 2))
    a, b = a % x.ndim, b % y.ndim
    if min(x.ndim, y.ndim) < 2 or 0 in (a, b):
        raise ValueError(f"batch_dot: axes: got {axes} for shapes {x.shape} and {y.shape}, expected axes from 1 on")
    left = "a" + "".join(chr(ord("b") + i) for i in range(1, x.ndim))
    right = ["a", *(chr(ord("n") + i) for i in range(1, y.ndim))]
    right[b] = left[a]
    rest = left.replace(left[a], "") + "".join(c for c in right[1:] if c != left[a])
    product = ops.einsum(f"{left},{''.join(right)}->{rest}", x, y)
    return ops.expand_dims(product, -1) if product.ndim == 1 else product


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Tensor:
    """x + bias, one number for each channel, or one for each place and channel; data_format: where channels stand"""
    x, bias = as_tensor(x), as_tensor(bias)
    if _channels_first(data_format):
        bias = ops.moveaxis(bias, -1, 0)
        bias = ops.reshape(bias, (*bias.shape, *(1,) * (x.ndim - 1 - bias.ndim)))
    return x + bias


def _channels_first(data_format: str | None) -> bool:
    return config.checked_data_format(data_format, "data_format") == "channels_first"


def conv1d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """`ops.conv` of x with the kernel; padding may be "causal"; strides, data_format, dilation_rate as there"""
    if padding == "causal":
        before = dilation_rate * (as_tensor(kernel).shape[0] - 1)
        x, padding = ops.pad(x, _spatial([(before, 0)], data_format)), "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """`ops.conv` of x with the kernel; strides, padding, data_format, dilation_rate as there"""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


conv3d = conv2d


def depthwise_conv2d(
    x: Any, depthwise_kernel: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """`ops.depthwise_conv` of x with depthwise_kernel; strides, padding, data_format, dilation_rate as there"""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv2d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """`ops.separable_conv` of x with depthwise_kernel and pointwise_kernel

    strides, padding, data_format, dilation_rate: as there.
    """
    return ops.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def pool2d(
    x: Any, pool_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:  # fmt: skip
    """`ops.max_pool` of x, or `ops.average_pool` (pool_mode "avg"), of pool_size; strides, padding, data_format too"""
    pool = {"max": ops.max_pool, "avg": ops.average_pool}[pool_mode]
    return pool(x, pool_size, strides, padding, data_format)


pool3d = pool2d


def _spatial(widths: Sequence[Any], data_format: str | None) -> list[tuple[int, int]]:
    """What to pad: nothing but places in space or time."""
    places = [tuple(pair) for pair in widths]
    return [(0, 0), (0, 0), *places] if _channels_first(data_format) else [(0, 0), *places, (0, 0)]


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """x with `padding` zeros (before, after) along each axis of space; data_format: where channels stand"""
    return ops.pad(x, _spatial(padding, data_format))


def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """x with `padding` zeros (before, after) along each axis of space; data_format: where channels stand"""
    return ops.pad(x, _spatial(padding, data_format))


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Tensor:
    """`ops.image.resize` of x to height_factor times its height and width_factor times its width

    data_format, interpolation: as there.
    """
    h, w = as_tensor(x).shape[2:] if _channels_first(data_format) else as_tensor(x).shape[1:-1]
    return ops.image.resize(x, (h * height_factor, w * width_factor), interpolation, data_format=data_format)


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Tensor:
    """x with each slice along its axes of space repeated depth_factor, height_factor, width_factor times

    data_format: where channels stand.
    """
    first = 2 if _channels_first(data_format) else 1
    for axis, n in enumerate((depth_factor, height_factor, width_factor), start=first):
        x = ops.repeat(x, n, axis=axis)
    return x


# Labels without times


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Tensor:
    """`ops.ctc_loss` of probabilities y_pred (n, time, classes), the last class the blank, for labels y_true -> (n, 1)

    input_length, label_length: how many times, how many labels count, (n, 1).
    """
    y_pred = as_tensor(y_pred)
    loss = ops.ctc_loss(y_true, ops.log(y_pred + epsilon()), label_length, input_length, y_pred.shape[-1] - 1)
    return ops.expand_dims(loss, 1)


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Tensor], Tensor]:
    """(labels, one array for each of top_paths, scores): `ops.ctc_decode` of probabilities, the last class the blank

    y_pred (n, time, classes), input_length (n,). greedy: rather than by a beam of beam_width.
    """
    y_pred = as_tensor(y_pred)
    labels, scores = ops.ctc_decode(
        ops.log(y_pred + epsilon()), input_length, "greedy" if greedy else "beam_search", beam_width, top_paths,
        mask_index=y_pred.shape[-1] - 1,
    )  # fmt: skip
    return [labels[i] for i in range(labels.shape[0])], scores

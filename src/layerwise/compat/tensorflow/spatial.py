"""`tf.nn`'s convolutions and pools, whose sizes are one number, one a dimension, or four of which two count."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops


def spatial(sizes: Any, rank: int) -> tuple[int, ...]:
    """One size a dimension of space.

    >>> spatial([1, 2, 3, 1], 2), spatial(2, 2)
    ((2, 3), (2, 2))
    """
    values = tuple(int(n) for n in np.atleast_1d(sizes))
    values = values * rank if len(values) == 1 else values
    return values[1:-1] if len(values) == rank + 2 else values


def _format(data_format: str | None) -> str:
    return "channels_first" if data_format and data_format.startswith("NC") else "channels_last"


def _conv(operation: Callable[..., Any], x: Any, w: Any, strides: Any, padding: Any, form: Any, dilations: Any) -> Any:
    rank = len(x.shape) - 2
    rate = spatial(1 if dilations is None else dilations, rank)
    return operation(x, w, spatial(strides, rank), padding.lower(), _format(form), rate)


def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: str,
    data_format: str = "NWC",
    dilations: Any = None,
    name: Any = None,
) -> Any:
    """Products of a kernel (width, in, out) with each window of a sequence."""
    return _conv(ops.conv, input, filters, stride, padding, data_format, dilations)


def conv2d(
    input: Any, filters: Any, strides: Any, padding: str, data_format: str = "NHWC", dilations: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Products of a kernel (height, width, in, out) with each window of an image."""
    return _conv(ops.conv, input, filters, strides, padding, data_format, dilations)


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: str, data_format: str | None = None, dilations: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Products of a kernel (height, width, in, multiplier) with each window of each channel."""
    return _conv(ops.depthwise_conv, input, filter, strides, padding, data_format, dilations)


def max_pool(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Any:
    """The largest value of each window."""
    rank = len(input.shape) - 2
    return ops.max_pool(input, spatial(ksize, rank), spatial(strides, rank), padding.lower(), _format(data_format))


def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Any:
    """The mean of each window."""
    rank = len(input.shape) - 2
    return ops.average_pool(input, spatial(ksize, rank), spatial(strides, rank), padding.lower(), _format(data_format))


max_pool2d, avg_pool2d, max_pool1d, avg_pool1d = max_pool, avg_pool, max_pool, avg_pool

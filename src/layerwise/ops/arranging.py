"""More of rearranging: joining and cutting under further names, blocks and windows of images, einops' patterns."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import config
from ..autograd import Array, Spec, Tensor, as_tensor, cast, elementwise, primitive, reshape, stop_gradient
from ..backends import xp
from ..dtypes import is_float, standardize_dtype
from ..naming import expect, whole_number
from .arithmetic import floor_divide, mod
from .comparison import isnan, where
from .functions import power
from .indexing import _add_at, get_item, take
from .making import arange, diag, full_like
from .reduction import argsort
from .shaping import concatenate, expand_dims, flip, pad, ravel, split, swapaxes, transpose

__all__ = [
    "angle", "append", "argpartition", "array_split", "conj", "conjugate", "copy", "depth_to_space", "diagflat",
    "dsplit", "dstack", "dtype", "empty_like", "extract_sequences", "fliplr", "flipud", "fold", "hsplit", "imag",
    "kron", "real", "rearrange", "rot90", "space_to_depth", "unfold", "unique", "unravel_index", "vander", "view",
    "vsplit",
]  # fmt: skip


def dtype(x: Any) -> str:
    """The name of x's dtype."""
    return as_tensor(x).dtype


@elementwise
def copy(x: Array) -> Array:
    """y = x"""
    return xp().copy(x)


@copy.gradient
def _(g):
    return g


def real(x: Any) -> Tensor:
    """y = x: arrays hold real numbers"""
    return copy(x)


def imag(x: Any) -> Tensor:
    """y = 0, in the shape of x: arrays hold real numbers"""
    return full_like(x, 0)


def conjugate(x: Any) -> Tensor:
    """y = x: arrays hold real numbers"""
    return copy(x)


conj = conjugate


def angle(x: Any) -> Tensor:
    """y = 0 where x >= 0, else pi: the angle of a real number in the plane of complex ones"""
    x = as_tensor(x)
    wide = cast(x, dtype=x.dtype if is_float(x.dtype) else config.floatx())
    return where(isnan(wide), wide, where(wide < 0, full_like(wide, math.pi), full_like(wide, 0)))


def empty_like(x: Any, dtype: Any = None) -> Tensor:
    """y = 0, in the shape of x; dtype: by default x's"""
    return full_like(x, 0, dtype)


# Joining, cutting, turning


def append(x1: Any, x2: Any, axis: int | None = None) -> Tensor:
    """y = x2 behind x1 along `axis`, both flattened where it is None"""
    parts = [x1, x2] if axis is not None else [ravel(x1), ravel(x2)]
    return concatenate(parts, axis=axis or 0)


def dstack(xs: Sequence[Any]) -> Tensor:
    """y = xs one behind the other along the third axis"""
    parts = [as_tensor(x) for x in xs]
    parts = [reshape(x, (1, -1, 1)) if x.ndim < 2 else expand_dims(x, 2) if x.ndim == 2 else x for x in parts]
    return concatenate(parts, axis=2)


def array_split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """y = x cut along `axis` at the places indices_or_sections, or into so many parts, the first ones longer by 1

    >>> [part.shape for part in array_split([1, 2, 3, 4, 5], 2)]
    [(3,), (2,)]
    """
    if isinstance(indices_or_sections, int):
        size, longer = divmod(as_tensor(x).shape[axis], indices_or_sections)
        indices_or_sections = [i * size + min(i, longer) for i in range(1, indices_or_sections)]
    return split(x, indices_or_sections, axis=axis)


def hsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """y = x cut along the second axis, or the only one, by indices_or_sections as in `split`"""
    return split(x, indices_or_sections, axis=min(1, as_tensor(x).ndim - 1))


def vsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """y = x cut along the first axis by indices_or_sections as in `split`"""
    return split(x, indices_or_sections, axis=0)


def dsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """y = x cut along the third axis by indices_or_sections as in `split`"""
    return split(x, indices_or_sections, axis=2)


def flipud(x: Any) -> Tensor:
    """y = x in reverse order along the first axis"""
    return flip(x, axis=0)


def fliplr(x: Any) -> Tensor:
    """y = x in reverse order along the second axis"""
    return flip(x, axis=1)


def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """y = the array turned k times by 90 degrees in the plane of two axes, from the first to the second

    >>> rot90([[1, 2], [3, 4]])
    Tensor([[2, 4],
            [1, 3]], shape=(2, 2), dtype=int32)
    """
    x = as_tensor(array)
    expect("rot90: array", x.shape, x.ndim >= 2, "at least two dimensions")
    expect("rot90: axes", axes, len(axes) == 2 and axes[0] % x.ndim != axes[1] % x.ndim, "two different axes")
    first, second = axes
    match k % 4:
        case 1:
            return swapaxes(flip(x, axis=second), first, second)
        case 2:
            return flip(x, axis=(first, second))
        case 3:
            return flip(swapaxes(x, first, second), axis=second)
    return x


def diagflat(x: Any, k: int = 0) -> Tensor:
    """y = the matrix with the elements of x on its k-th diagonal"""
    return diag(ravel(x), k)


def kron(x1: Any, x2: Any) -> Tensor:
    """y = the Kronecker product: x1 with each element replaced by its product with x2

    >>> kron([1, 10], [1, 2])
    Tensor([ 1,  2, 10, 20], shape=(4,), dtype=int32)
    """
    a, b = as_tensor(x1), as_tensor(x2)
    ndim = max(a.ndim, b.ndim)
    sizes = [((1,) * (ndim - x.ndim) + x.shape) for x in (a, b)]
    a = reshape(a, tuple(n for size in sizes[0] for n in (size, 1)))
    b = reshape(b, tuple(n for size in sizes[1] for n in (1, size)))
    return reshape(a * b, tuple(m * n for m, n in zip(*sizes, strict=True)))


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """y[i, j] = x_i^(N-1-j), or x_i^j where the powers are `increasing`; N: as many as x has numbers"""
    x = as_tensor(x)
    powers = arange(x.shape[0] if N is None else N, dtype=x.dtype)
    return power(expand_dims(x, -1), powers if increasing else powers[::-1])


def view(x: Any, dtype: Any = None) -> Tensor:
    """y = the bits of x read as `dtype`; where its numbers are wider or narrower, the last axis has fewer or more"""
    return as_tensor(x) if dtype is None else _view(x, dtype=standardize_dtype(dtype))


@primitive(differentiable=False)
def _view(x: Array, *, dtype: str) -> Array:
    """y = the bits of x read as `dtype`"""
    return x.view(np.dtype(dtype))


@_view.shape
def _(x, *, dtype):
    wide, narrow = np.dtype(x.dtype).itemsize, np.dtype(dtype).itemsize
    if wide == narrow:
        return Spec(x.shape, dtype)
    if not x.shape or x.shape[-1] * wide % narrow:
        raise ValueError(f"view: the last axis of {x.dtype} {x.shape} is no whole number of {dtype}")
    return Spec((*x.shape[:-1], x.shape[-1] * wide // narrow), dtype)


# Places


def argpartition(x: Any, kth: int, axis: int | None = -1) -> Tensor:
    """y = an order of x along `axis` in which the element `kth` has smaller ones before and larger ones behind it

    It sorts x, which is more than is asked for. Of the flattened x where axis is None.
    """
    return argsort(x, axis=axis)


def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """y = the positions, axis by axis, at which an array of `shape` has its elements number `indices`

    >>> [i.item() for i in unravel_index(5, (2, 3))]
    [1, 2]
    """
    rest, places = as_tensor(indices), []
    for size in reversed(shape):
        places.append(mod(rest, size))
        rest = floor_divide(rest, size)
    return tuple(reversed(places))


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """y = the different elements of x in ascending order, or the different slices along `axis`

    Also, where asked for: where each stands first in x (return_index), which of y each of x is (return_inverse), how
    often each comes (return_counts). With `size` y has so many: the first, or as many of `fill_value` (the smallest,
    unless given) behind them as are lacking. They are `sorted` in any case. x must have values; gradients flow to each
    one's first place.

    >>> unique([3, 1, 3])
    Tensor([1, 3], shape=(2,), dtype=int32)
    """
    x = as_tensor(x)
    along = 0 if axis is None else axis
    _, index, inverse, counts = np.unique(
        np.asarray(stop_gradient(x)),
        return_index=True,
        return_inverse=True,
        return_counts=True,
        axis=axis,
        equal_nan=False,
    )
    lacking = 0 if size is None else max(0, size - len(index))
    index, counts = index[:size], counts[:size]
    y = take(ravel(x) if axis is None else x, index.astype("int32"), axis=along)
    if lacking:
        first = take(y, np.zeros(lacking, "int32"), axis=along)
        y = concatenate([y, first if fill_value is None else full_like(first, fill_value)], axis=along)
        index = np.pad(index, (0, lacking), constant_values=index[0])
        counts = np.pad(counts, (0, lacking))
    inverse = inverse.reshape(x.shape if axis is None else -1)
    wanted = [(return_index, index), (return_inverse, inverse), (return_counts, counts)]
    others = [as_tensor(numbers.astype("int32")) for asked, numbers in wanted if asked]
    return (y, *others) if others else y


# Blocks and windows


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """y = the tensor with its axes named, split and put together anew, as in einops: pattern "b (h p) c -> b h (p c)"

    Axes in parentheses make up one, the last of them running fastest; all but one of such a group need a size in
    axes_lengths.

    >>> rearrange([[1, 2], [3, 4]], "a b -> (b a)")
    Tensor([1, 3, 2, 4], shape=(4,), dtype=int32)
    """
    x = as_tensor(tensor)
    before, after = (
        [part.strip("()").split() for part in re.findall(r"\(.*?\)|\w+", side)] for side in pattern.split("->")
    )
    names = [name for group in before for name in group]
    if len(before) != x.ndim or sorted(names) != sorted(name for group in after for name in group):
        raise ValueError(
            f"rearrange: pattern: got {pattern!r} for shape {x.shape}, "
            "expected a name for each axis, and the same names on both sides"
        )
    sizes = dict(axes_lengths)
    for group, n in zip(before, x.shape, strict=True):
        free = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(free) > 1 or (not free and known != n) or n % known:
            raise ValueError(f"rearrange: ({' '.join(group)}) of {pattern!r} does not fit the size {n}")
        sizes.update(dict.fromkeys(free, n // known))
    y = transpose(reshape(x, tuple(sizes[name] for name in names)), tuple(names.index(n) for g in after for n in g))
    return reshape(y, tuple(math.prod(sizes[name] for name in group) for group in after))


def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """y[n, h b + i, w b + j, c] = x[n, h, w, (i, j, c)]: channels become blocks of b x b pixels (Shi et al. 2016)

    x (n, h, w, b b c) -> (n, h b, w b, c), or with `data_format="channels_first"` (n, c b b, h, w) -> (n, c, h b, w b).
    block_size: b, at least 2.

    >>> depth_to_space([[[[1, 2, 3, 4]]]], 2).shape
    (1, 2, 2, 1)
    """
    first = _blocks("depth_to_space", block_size, data_format)
    pattern = "n (c a b) h w -> n c (h a) (w b)" if first else "n h w (a b c) -> n (h a) (w b) c"
    return rearrange(x, pattern, a=block_size, b=block_size)


def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """y[n, h, w, (i, j, c)] = x[n, h b + i, w b + j, c]: blocks of b x b pixels become channels

    x (n, h b, w b, c) -> (n, h, w, b b c), or with `data_format="channels_first"` (n, c, h b, w b) -> (n, c b b, h, w).
    block_size: b, at least 2.
    """
    first = _blocks("space_to_depth", block_size, data_format)
    pattern = "n c (h a) (w b) -> n (c a b) h w" if first else "n (h a) (w b) c -> n h w (a b c)"
    return rearrange(x, pattern, a=block_size, b=block_size)


def _blocks(name: str, block_size: int, data_format: str) -> bool:
    """Whether channels come first, of blocks that are large enough."""
    whole_number(f"{name}: block_size", block_size, least=2)
    return config.checked_data_format(data_format, f"{name}: data_format") == "channels_first"


def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """y[..., t, i] = x[..., t stride + i]: all windows of sequence_length that begin sequence_stride apart

    >>> extract_sequences([1, 2, 3, 4], 2, 1)
    Tensor([[1, 2],
            [2, 3],
            [3, 4]], shape=(3, 2), dtype=int32)
    """
    x = as_tensor(x)
    return take(x, windows_of(x.shape[-1], sequence_length, sequence_stride), axis=-1)


def windows_of(size: int, length: int, stride: int, dilation: int = 1) -> np.ndarray:
    """The places (which window, which of its elements) of all windows that lie within `size` places."""
    starts = np.arange(0, max(0, size - dilation * (length - 1)), stride, dtype="int32")
    return starts[:, None] + np.arange(length, dtype="int32") * dilation


def _pair(n: Any) -> tuple[int, int]:
    return (n, n) if isinstance(n, int) else tuple(n)


def _window_key(size: Sequence[int], kernel_size: Any, dilation: Any, stride: Any) -> tuple[Any, ...]:
    """The key under which images (..., height, width) hold (..., row and column in the window, which window)."""
    rows, columns = (
        windows_of(*sizes).T for sizes in zip(size, _pair(kernel_size), _pair(stride), _pair(dilation), strict=True)
    )
    return ..., rows[:, None, :, None], columns[None, :, None, :]


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """y[n, (c, i, j), window] = x[n, c, row i, column j of the window]: im2col

    x (n, c, height, width) -> (n, c kernel_height kernel_width, windows). kernel_size, dilation, stride, and the
    `padding` with zeros on both sides: a number, or one for rows and one for columns.

    >>> unfold([[[[1, 2, 3], [4, 5, 6]]]], kernel_size=2)[0]
    Tensor([[1, 2],
            [2, 3],
            [4, 5],
            [5, 6]], shape=(4, 2), dtype=int32)
    """
    x = as_tensor(x)
    expect("unfold: x", x.shape, x.ndim == 4, "(n, channels, height, width)")
    x = pad(x, ((0, 0), (0, 0), *((p, p) for p in _pair(padding))))
    y = get_item(x, _window_key(x.shape[2:], kernel_size, dilation, stride))
    return reshape(y, (-1, y.shape[1] * y.shape[2] * y.shape[3], y.shape[4] * y.shape[5]))


def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """y[n, c, row, column] = the sum of x[n, (c, i, j), window] over all that `unfold` reads there: col2im

    x (n, c kernel_height kernel_width, windows) -> (n, c, *output_size). kernel_size, dilation, padding, stride: those
    of `unfold`.
    """
    x = as_tensor(x)
    expect("fold: x", x.shape, x.ndim == 3, "(n, channels x kernel, windows)")
    sizes, (low, left) = _pair(output_size), _pair(padding)
    whole = (sizes[0] + 2 * low, sizes[1] + 2 * left)
    key = _window_key(whole, kernel_size, dilation, stride)
    window = (*_pair(kernel_size), key[1].shape[2], key[2].shape[3])
    x = reshape(x, (-1, x.shape[1] // math.prod(window[:2]), *window))
    y = _add_at(x, key=key, shape=(*x.shape[:2], *whole))
    return y[:, :, low : low + sizes[0], left : left + sizes[1]]

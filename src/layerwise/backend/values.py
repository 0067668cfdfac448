"""Making, reading and changing values, comparing and rearranging them, as tf.keras' backend did."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import dtypes, ops, random
from ..activations import relu as _relu
from ..autograd import Tensor, as_tensor
from ..config import floatx
from ..dtypes import standardize_dtype
from ..variables import Variable

__all__ = [
    "argmax", "argmin", "batch_flatten", "batch_get_value", "batch_normalization", "batch_set_value", "cast_to_floatx",
    "clip", "constant", "count_params", "cumprod", "cumsum", "equal", "eval", "expand_dims", "eye", "flatten", "foldl",
    "foldr", "function", "gather", "get_uid", "get_value", "greater", "greater_equal", "hard_sigmoid", "identity",
    "in_top_k", "int_shape", "is_float_dtype", "is_int_dtype", "is_sparse", "l2_normalize", "less", "less_equal",
    "logsumexp", "map_fn", "moving_average_update", "not_equal", "one_hot", "ones", "ones_like", "permute_dimensions",
    "pow", "random_bernoulli", "random_normal", "random_normal_variable", "random_uniform", "random_uniform_variable",
    "relu", "repeat", "repeat_elements", "reshape", "result_type", "reverse", "set_value", "squeeze", "switch",
    "temporal_padding", "to_dense", "update", "update_add", "update_sub", "variable", "zeros", "zeros_like",
]  # fmt: skip


def equal(x: Any, y: Any) -> Tensor:
    """x == y"""
    return ops.equal(x, y)


def not_equal(x: Any, y: Any) -> Tensor:
    """x != y"""
    return ops.not_equal(x, y)


def greater(x: Any, y: Any) -> Tensor:
    """x > y"""
    return ops.greater(x, y)


def greater_equal(x: Any, y: Any) -> Tensor:
    """x >= y"""
    return ops.greater_equal(x, y)


def less(x: Any, y: Any) -> Tensor:
    """x < y"""
    return ops.less(x, y)


def less_equal(x: Any, y: Any) -> Tensor:
    """x <= y"""
    return ops.less_equal(x, y)


def pow(x: Any, a: Any) -> Tensor:
    """x^a"""
    return ops.power(x, a)


def clip(x: Any, min_value: Any, max_value: Any) -> Tensor:
    """x, at least min_value and at most max_value; None: no such limit"""
    return ops.clip(x, -np.inf if min_value is None else min_value, np.inf if max_value is None else max_value)


def argmax(x: Any, axis: int | None = -1) -> Tensor:
    """where the largest of x along `axis` is"""
    return ops.argmax(x, axis=axis)


def argmin(x: Any, axis: int | None = -1) -> Tensor:
    """where the smallest of x along `axis` is"""
    return ops.argmin(x, axis=axis)


def cumsum(x: Any, axis: int = 0) -> Tensor:
    """the sums of x up to each place of `axis`"""
    return ops.cumsum(x, axis=axis)


def cumprod(x: Any, axis: int = 0) -> Tensor:
    """the products of x up to each place of `axis`"""
    return ops.cumprod(x, axis=axis)


def cast_to_floatx(x: Any) -> Tensor:
    """x as `floatx`"""
    return ops.cast(x, floatx())


def batch_flatten(x: Any) -> Tensor:
    """x with all axes but the first in one"""
    return ops.reshape(x, (-1, int(np.prod(as_tensor(x).shape[1:]))))


def flatten(x: Any) -> Tensor:
    """x in one dimension"""
    return ops.reshape(x, (-1,))


def reshape(x: Any, shape: Any) -> Tensor:
    """the elements of x in this `shape`"""
    return ops.reshape(x, tuple(shape))


def expand_dims(x: Any, axis: int = -1) -> Tensor:
    """x with a dimension of size 1 at `axis`"""
    return ops.expand_dims(x, axis)


def squeeze(x: Any, axis: int) -> Tensor:
    """x without the dimension of size 1 at `axis`"""
    return ops.squeeze(x, axis)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Tensor:
    """x with its axes in the order of `pattern`"""
    return ops.transpose(x, tuple(pattern))


def reverse(x: Any, axes: Any) -> Tensor:
    """x in reverse order along `axes`"""
    return ops.flip(x, axis=axes)


def repeat(x: Any, n: int) -> Tensor:
    """x (batch, features), n times along a new second axis"""
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> Tensor:
    """x with each of its slices along `axis` rep times"""
    return ops.repeat(x, rep, axis=axis)


def gather(reference: Any, indices: Any) -> Tensor:
    """the entries of `reference` at `indices` of its first axis"""
    return ops.take(reference, indices, axis=0)


def one_hot(indices: Any, num_classes: int) -> Tensor:
    """1 where the class is that of `indices`, 0 at the num_classes - 1 others"""
    return ops.one_hot(indices, num_classes)


def in_top_k(predictions: Any, targets: Any, k: int) -> Tensor:
    """whether the target's prediction is among the k largest of `predictions`, for each of `targets`"""
    return ops.in_top_k(targets, predictions, k)


def hard_sigmoid(x: Any) -> Tensor:
    """0.2 x + 0.5, at least 0 and at most 1"""
    return ops.clip(0.2 * as_tensor(x) + 0.5, 0.0, 1.0)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """min(x, max_value) where x > threshold, else alpha (x - threshold)"""
    return _relu(x, alpha, max_value, threshold)


def l2_normalize(x: Any, axis: Any = None) -> Tensor:
    """x over the root of the sum of its squares along `axis`"""
    return as_tensor(x) * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))


def identity(x: Any) -> Tensor:
    """x"""
    return as_tensor(x)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """ln sum e^x over `axis`; keepdims: with size 1 there"""
    return ops.logsumexp(x, axis, keepdims)


def temporal_padding(x: Any, padding: tuple[int, int] = (1, 1)) -> Tensor:
    """x (batch, time, features) with `padding` zeros before and after it in time"""
    return ops.pad(x, ((0, 0), padding, (0, 0)))


def map_fn(fn: Callable[[Any], Any], elems: Any, name: Any = None, dtype: Any = None) -> Any:
    """fn of each entry of `elems`, stacked; `name` and dtype have no effect"""
    return ops.map(fn, elems)


def eye(size: int, dtype: Any = None, name: Any = None) -> Tensor:
    """the identity matrix of `size` rows and this dtype; `name` has no effect"""
    return ops.eye(size, dtype=dtype)


def zeros(shape: Any, dtype: Any = None, name: Any = None) -> Tensor:
    """0, of this shape and dtype; `name` has no effect"""
    return ops.zeros(shape, dtype)


def ones(shape: Any, dtype: Any = None, name: Any = None) -> Tensor:
    """1, of this shape and dtype; `name` has no effect"""
    return ops.ones(shape, dtype)


def zeros_like(x: Any, dtype: Any = None, name: Any = None) -> Tensor:
    """0, in the shape of x; dtype: by default x's; `name` has no effect"""
    return ops.zeros_like(x, dtype)


def ones_like(x: Any, dtype: Any = None, name: Any = None) -> Tensor:
    """1, in the shape of x; dtype: by default x's; `name` has no effect"""
    return ops.ones_like(x, dtype)


def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """mean + stddev z of this shape and dtype, z standard normal

    seed: of draws that go on from each other; None: the process's.
    """
    return random.normal(shape, mean, stddev, dtype, random.going_on(seed))


def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """uniform on [minval, maxval), of this shape and dtype

    seed: of draws that go on from each other; None: the process's.
    """
    return random.uniform(shape, minval, maxval, dtype, random.going_on(seed))


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """1 with probability p, else 0, of this shape and dtype

    seed: of draws that go on from each other; None: the process's.
    """
    return ops.cast(random.bernoulli(p, shape, random.going_on(seed)), dtype or floatx())


def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Tensor:
    """(x - mean) / sqrt(var + epsilon) gamma + beta along `axis`"""
    return ops.batch_normalization(x, mean, var, axis, beta, gamma, epsilon)


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """a Variable that begins with `value`; dtype, `name`, constraint: those of `Variable`"""
    return Variable(np.asarray(value), dtype=dtype or floatx(), name=name, constraint=constraint)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: Any = None, seed: Any = None
) -> Variable:
    """a Variable called `name` of mean + scale z in this shape and dtype, z normal; seed: as in `random`"""
    return variable(random.normal(shape, mean, scale, dtype, seed), dtype, name)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: Any = None, seed: Any = None
) -> Variable:
    """a Variable called `name`, uniform on [low, high), of this shape and dtype; seed: as in `random`"""
    return variable(random.uniform(shape, low, high, dtype, seed), dtype, name)


def get_value(x: Any) -> np.ndarray:
    """x as a NumPy array"""
    return np.array(as_tensor(x))


def eval(x: Any) -> np.ndarray:
    """x as a NumPy array"""
    return np.array(as_tensor(x))


def batch_get_value(tensors: Iterable[Any]) -> list[np.ndarray]:
    """all `tensors` as NumPy arrays"""
    return [get_value(x) for x in tensors]


def int_shape(x: Any) -> tuple[int | None, ...]:
    """x's sizes, None where one is not known"""
    return tuple(as_tensor(x).shape)


def count_params(x: Any) -> int:
    """how many elements x has"""
    return int(np.prod(as_tensor(x).shape))


def is_sparse(tensor: Any) -> bool:
    """False: every tensor is dense"""
    return False


def to_dense(tensor: Any) -> Tensor:
    """the tensor, which is dense"""
    return as_tensor(tensor)


def is_float_dtype(dtype: Any) -> bool:
    """whether the dtype holds fractions"""
    return dtypes.is_float(standardize_dtype(dtype))


def is_int_dtype(dtype: Any) -> bool:
    """whether the dtype holds whole numbers"""
    return "int" in standardize_dtype(dtype)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Tensor:
    """`value` as a Tensor of this dtype, in this `shape`, which one number fills; `name` has no effect"""
    x = as_tensor(value, standardize_dtype(dtype))
    return x if shape is None else ops.broadcast_to(x, tuple(shape)) if x.size == 1 else ops.reshape(x, tuple(shape))


def set_value(x: Variable, value: Any) -> None:
    """Give the Variable x this value."""
    x.assign(value)


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Give each Variable its value, of pairs `tuples`."""
    for x, value in tuples:
        x.assign(value)


def update(x: Variable, new_x: Any) -> Any:
    """x <- new_x"""
    return x.assign(new_x)


def update_add(x: Variable, increment: Any) -> Any:
    """x <- x + increment"""
    return x.assign(x + increment)


def update_sub(x: Variable, decrement: Any) -> Any:
    """x <- x - decrement"""
    return x.assign(x - decrement)


def moving_average_update(x: Variable, value: Any, momentum: float) -> Any:
    """x <- momentum x + (1 - momentum) value"""
    return x.assign(momentum * x + (1 - momentum) * value)


def result_type(*dtypes_: Any) -> str:
    """The dtype that arguments of these dtypes, dtypes_, are computed in.

    >>> result_type("int32", "float16")
    'float16'
    """
    weak = {int: "int", float: "float"}
    return dtypes.result_type(*(weak.get(name) or standardize_dtype(name) for name in dtypes_ or ("float",)))


_uids: dict[str, itertools.count[int]] = {}


def get_uid(prefix: str = "") -> int:
    """How often the prefix has been asked for, this time included."""
    return next(_uids.setdefault(prefix, itertools.count(1)))


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """then_expression where the condition holds, else else_expression; either may be a function without arguments"""
    condition = ops.cast(condition, "bool")
    if not condition.ndim and (callable(then_expression) or callable(else_expression)):
        branches = (e if callable(e) else lambda e=e: e for e in (then_expression, else_expression))
        return ops.cond(condition, *branches)
    chosen, other = (e() if callable(e) else as_tensor(e) for e in (then_expression, else_expression))
    return ops.where(ops.reshape(condition, (*condition.shape, *(1,) * (chosen.ndim - condition.ndim))), chosen, other)


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: Any = None) -> Any:
    """fn(... fn(fn(initializer, e_0), e_1) ..., e_n) of `elems`, from e_0 on where there is no initializer

    `name` has no effect.
    """
    first, rest = (as_tensor(elems)[0], as_tensor(elems)[1:]) if initializer is None else (initializer, elems)
    return ops.scan(lambda carry, x: (fn(carry, x), None), first, as_tensor(rest))[0]


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: Any = None) -> Any:
    """`foldl` of elems in reverse: fn, initializer and `name` as there"""
    return foldl(fn, ops.flip(elems, axis=0), initializer, name)


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None) -> Callable[[Any], Any]:
    """A function of arrays for `inputs`, symbolic Tensors, that gives NumPy arrays for `outputs`, those made of them

    `updates` have no effect. name: that of the model which computes it.

    >>> from layerwise.layers import Input
    >>> x = Input((2,))
    >>> function(x, ops.square(x))(np.ones((1, 2)))
    array([[1., 1.]], dtype=float32)
    """
    from ..models import Model

    model = Model(inputs, outputs, name=name)

    def call(arrays: Any) -> Any:
        results = model(arrays)
        return [np.array(y) for y in results] if isinstance(results, list | tuple) else np.array(results)

    return call

"""Connectionist temporal classification: labels of a sequence without their times.

A path names a class or the blank at every time; it stands for the labels that are left when repetitions are merged
and blanks dropped. (Graves, Fernandez, Gomez, Schmidhuber 2006)
"""

from typing import Any

import numpy as np

from .. import config
from ..autograd import Tensor, as_tensor, broadcast_to, cast, reshape
from ..dtypes import is_float, result_type
from ..naming import expect, one_of
from .comparison import logical_and, logical_or, where
from .control import scan
from .crossentropy import log_softmax
from .functions import logaddexp
from .indexing import take_along_axis
from .linear import matmul
from .making import arange, full, one_hot
from .reduction import argmax, argsort, logsumexp, max, sum
from .shaping import concatenate, expand_dims, moveaxis, repeat

__all__ = ["ctc_decode", "ctc_loss"]

_NEVER = -1e30  # the logarithm of no probability; a finite number, whose gradient is none


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Tensor:
    """y = -ln of the probability of all paths that stand for the target

    target (n, labels) whole numbers, output (n, time, classes) logits, target_length and output_length (n,): how many
    of each count -> (n,). mask_index: the class of the blank. The sum over paths goes from time to time, along the
    target with blanks around each label.

    >>> ctc_loss([[1]], [[[0.0, 0.0], [0.0, 0.0]]], [1], [2]).numpy().round(4)  # 3 paths of 4: 11, 1-, -1
    array([0.2877], dtype=float32)
    """
    target, log_p, lengths = _inputs("ctc_loss", output, output_length, target)
    n, times, _ = log_p.shape
    labels = cast(target, "int32")
    count = 2 * labels.shape[1] + 1
    odd = np.arange(count) % 2 == 1
    path = where(odd, repeat(concatenate([labels, labels[:, -1:]], axis=1), 2, axis=1)[:, :count], mask_index)
    before = concatenate([path[:, :2] * 0 - 1, path[:, :-2]], axis=1)
    may_skip = logical_and(odd, path != before)
    emitted = take_along_axis(log_p, broadcast_to(expand_dims(path, 1), (n, times, count)), axis=2)
    never = full((n, 1), _NEVER, log_p.dtype)

    def step(alpha: Tensor, now: Any) -> tuple[Tensor, None]:
        emission, counts = now
        one = concatenate([never, alpha[:, :-1]], axis=1)
        two = concatenate([never, never, alpha[:, :-2]], axis=1) if count > 1 else one
        new = emission + logaddexp(logaddexp(alpha, one), where(may_skip, two, _NEVER))
        return where(counts, new, alpha), None

    start = where(np.arange(count) < 2, emitted[:, 0], _NEVER)
    counts = expand_dims(arange(times, dtype="int32"), -1) < lengths
    later = (moveaxis(emitted, 1, 0)[1:], expand_dims(counts, -1)[1:])
    alpha = scan(step, start, later)[0] if times > 1 else start
    last = 2 * reshape(cast(as_tensor(target_length), "int32"), (-1, 1))
    blank, label = (take_along_axis(alpha, where(place < 0, 0, place), axis=1)[:, 0] for place in (last, last - 1))
    return -logaddexp(blank, where(last[:, 0] > 0, label, _NEVER))


def _inputs(name: str, output: Any, lengths: Any, target: Any = None) -> tuple[Any, Tensor, Tensor]:
    """The target, ln p of each class, at least in single precision, and the lengths."""
    x = as_tensor(output)
    expect(f"{name}: the outputs", x.shape, x.ndim == 3, "(batch, time, classes)")
    log_p = log_softmax(cast(x, result_type(x.dtype if is_float(x.dtype) else config.floatx(), "float32")))
    return None if target is None else as_tensor(target), log_p, reshape(cast(as_tensor(lengths), "int32"), (-1,))


def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """(labels, scores): the most probable labels of each sequence, behind them -1

    inputs (n, time, classes) logits, sequence_lengths (n,): how many times count -> labels (top_paths, n, time).
    strategy: "greedy" takes the largest class of each time, and its scores (n, 1) are minus the sums of these logits;
    without merge_repeated it keeps repetitions. "beam_search" follows the beam_width most probable beginnings, adding
    up all paths that stand for one; its scores (n, top_paths) are the logarithms of their probabilities. mask_index:
    the blank.

    >>> ctc_decode([[[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]], [3])[0]
    Tensor([[[ 1, -1, -1]]], shape=(1, 1, 3), dtype=int32)
    """
    one_of("ctc_decode: strategy", strategy, "greedy", "beam_search")
    _, log_p, lengths = _inputs("ctc_decode", inputs, sequence_lengths)
    if strategy == "beam_search":
        return _searched(log_p, lengths, beam_width, top_paths, mask_index)
    x = as_tensor(inputs)
    counts = arange(x.shape[1], dtype="int32") < expand_dims(lengths, -1)
    best = where(counts, argmax(x, axis=-1), mask_index)
    dropped = best == mask_index
    if merge_repeated:
        dropped = logical_or(dropped, concatenate([best[:, :1] < 0, best[:, 1:] == best[:, :-1]], axis=1))
    order = argsort(dropped, axis=-1)
    labels = take_along_axis(where(dropped, -1, best), order, axis=-1)
    best_of_each = cast(max(x, axis=-1), log_p.dtype)
    return expand_dims(labels, 0), -sum(where(counts, best_of_each, 0), axis=1, keepdims=True)


def _searched(log_p: Tensor, lengths: Tensor, width: int, top_paths: int, blank: int) -> tuple[Tensor, Tensor]:
    """`ctc_decode` by a beam of beginnings.

    A beginning has its labels, their number and a hash of them, by which it is found again, and ln p of all paths that
    end with the blank or with its last label.
    """
    n, times, classes = log_p.shape
    never = full((n, width), _NEVER, log_p.dtype)
    first = where(arange(width) == 0, 0.0 * never, never)
    nothing = cast(0 * never, "int32")
    slots, letters = arange(times, dtype="int32"), arange(classes, dtype="int32")
    start = (broadcast_to(expand_dims(nothing - 1, -1), (n, width, times)), nothing, nothing, nothing - 1, first, never)

    def step(beam: Any, now: Any) -> tuple[Any, None]:
        labels, sizes, hashes, last, with_blank, with_label = beam
        p, counts = now
        total = logaddexp(with_blank, with_label)
        again = take_along_axis(p, where(last < 0, 0, last), axis=1)
        stays_blank, stays_label = total + p[:, blank : blank + 1], where(last < 0, _NEVER, with_label + again)
        # Every beginning with every letter behind it: a repetition needs a blank between.
        repeats = expand_dims(last, -1) == letters
        longer = where(repeats, expand_dims(with_blank, -1), expand_dims(total, -1)) + expand_dims(p, 1)
        longer = where(letters == blank, _NEVER, longer)
        # Where that is a beginning j of the beam already, its paths join those of j.
        letter = expand_dims(where(last < 0, 0, last), 1)
        joins = expand_dims(hashes, 2) * 1000003 + letter + 1 == expand_dims(hashes, 1)
        joins = logical_and(joins, expand_dims(sizes + 1, 2) == expand_dims(sizes, 1))
        joins = logical_and(joins, expand_dims(logical_and(last >= 0, total > _NEVER / 2), 1))
        joined = where(joins, take_along_axis(longer, broadcast_to(letter, (n, width, width)), axis=2), _NEVER)
        stays_label = logaddexp(stays_label, logsumexp(joined, axis=1))
        longer = where(matmul(cast(joins, p.dtype), one_hot(last, classes, dtype=p.dtype)) > 0, _NEVER, longer)
        scores = concatenate([logaddexp(stays_blank, stays_label), reshape(longer, (n, -1))], axis=1)
        chosen = argsort(-scores, axis=-1)[:, :width]
        extends = chosen >= width
        parent = where(extends, (chosen - width) // classes, chosen)
        letter = (chosen - width) % classes

        def of(values: Tensor) -> Tensor:
            return take_along_axis(values, parent, axis=1)

        grown = take_along_axis(labels, broadcast_to(expand_dims(parent, -1), (n, width, times)), axis=1)
        here = logical_and(slots == expand_dims(of(sizes), -1), expand_dims(extends, -1))
        new = (
            where(here, expand_dims(letter, -1), grown),
            of(sizes) + cast(extends, "int32"),
            where(extends, of(hashes) * 1000003 + letter + 1, of(hashes)),
            where(extends, letter, of(last)),
            where(extends, _NEVER, of(stays_blank)),
            where(extends, take_along_axis(scores, chosen, axis=1), of(stays_label)),
        )
        keep = [where(reshape(counts, (-1, *(1,) * (a.ndim - 1))), a, b) for a, b in zip(new, beam, strict=True)]
        return tuple(keep), None

    counts = expand_dims(slots, -1) < lengths
    (labels, *_, with_blank, with_label), _ = scan(step, start, (moveaxis(log_p, 1, 0), counts))
    scores = logaddexp(with_blank, with_label)
    order = argsort(-scores, axis=-1)[:, :top_paths]
    best = take_along_axis(labels, broadcast_to(expand_dims(order, -1), (*order.shape, times)), axis=1)
    return moveaxis(best, 1, 0), take_along_axis(scores, order, axis=1)

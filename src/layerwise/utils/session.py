"""Symbolic Tensors, and names that start anew."""

import gc
from typing import Any

from ..applications.imagenet_utils import source_inputs
from ..autograd import Tensor
from ..naming import reset_names


def is_keras_tensor(x: Any) -> bool:
    """Whether x is a symbolic Tensor, which the functional API builds models from."""
    return isinstance(x, Tensor) and x.symbolic


def clear_session(free_memory: bool = True) -> None:
    """Start automatic names from the beginning; `free_memory` collects garbage.

    Models live on as long as something refers to them.
    """
    reset_names()
    if free_memory:
        gc.collect()


def get_source_inputs(tensor: Tensor) -> list[Tensor]:
    """The inputs that a symbolic `tensor` is computed from, as a list.

    >>> from layerwise import Input, layers
    >>> x = Input((2,))
    >>> get_source_inputs(layers.Dense(1)(x))[0] is x
    True
    """
    inputs = source_inputs(tensor)
    return inputs if isinstance(inputs, list) else [inputs]

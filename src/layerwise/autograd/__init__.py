"""Backpropagation: tensors, primitives with their gradients beside them, and the tape.

Reverse mode. A `Tape` is one differentiation in progress; its `level` tells nested ones apart. A recorded `Tensor`
holds the value it has one level further out, so running a rule on the values of the innermost level records it on the
outer ones, and derivatives of derivatives need no code of their own.

Read tensor.py, tape.py, primitive.py, derivatives.py, in this order.
"""

from .checking import gradcheck
from .derivatives import GradientTape, custom_gradient, grad, value_and_grad, vjp
from .primitive import (
    Primitive,
    add,
    as_operand,
    as_tensor,
    broadcast_shapes,
    broadcast_to,
    cast,
    elementwise,
    merge_specs,
    outlined,
    outlining,
    primitive,
    primitives,
    reshape,
    stop_gradient,
    sum_to,
    with_unknown_sizes,
)
from .tape import Captures, Node, Tape, captured_in, captures, differentiating, lifted, no_grad, resolved
from .tensor import Array, Call, GraphError, Operators, Spec, Tensor, raw

__all__ = [
    "Array",
    "Call",
    "Captures",
    "GradientTape",
    "GraphError",
    "Node",
    "Operators",
    "Primitive",
    "Spec",
    "Tape",
    "Tensor",
    "add",
    "as_operand",
    "as_tensor",
    "broadcast_shapes",
    "broadcast_to",
    "captured_in",
    "captures",
    "cast",
    "custom_gradient",
    "differentiating",
    "elementwise",
    "grad",
    "gradcheck",
    "lifted",
    "merge_specs",
    "no_grad",
    "outlined",
    "outlining",
    "primitive",
    "primitives",
    "raw",
    "reshape",
    "resolved",
    "stop_gradient",
    "sum_to",
    "value_and_grad",
    "vjp",
    "with_unknown_sizes",
]

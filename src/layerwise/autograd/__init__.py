"""Backpropagation: tensors, primitives with their gradients beside them, and the tape.

Reverse mode. A `Tape` is one differentiation in progress; its `level` tells nested ones apart. A recorded `Tensor`
holds the value it has one level further out, so running a rule on the values of the innermost level records it on the
outer ones, and derivatives of derivatives need no code of their own.

Read symbolic.py, operators.py, tape.py, calls.py, operands.py, primitive.py, basic.py, backward.py,
derivatives.py, gradient_tape.py, jacobians.py, in this order; captures.py, budget.py and checking.py can wait.
"""

from ..lazy import public_only
from .basic import add, broadcast_to, cast, reshape, stop_gradient, sum_to
from .budget import check_count, made, outlined, outlining
from .calls import operation
from .captures import Assigned, Captures, captured_in, note_assignment
from .checking import gradcheck
from .derivatives import custom_gradient, grad, value_and_grad, vjp
from .gradient_tape import GradientTape
from .jacobians import hessian, jacobian, jvp
from .operands import as_given, as_operand, as_tensor
from .operators import Operators
from .primitive import Primitive, elementwise, primitive
from .symbolic import Array, Call, Spec, broadcast_shapes, merge_specs, operations, primitives, with_unknown_sizes
from .tape import GraphError, Node, Tape, Tensor, captures, differentiating, lifted, no_grad, raw, resolved

__all__ = [
    "Array", "Assigned", "Call", "Captures", "GradientTape", "GraphError", "Node", "Operators", "Primitive", "Spec",
    "Tape", "Tensor", "add", "as_given", "as_operand", "as_tensor", "broadcast_shapes", "broadcast_to", "captured_in",
    "captures", "cast", "check_count", "custom_gradient", "differentiating", "elementwise", "grad", "gradcheck",
    "hessian", "jacobian", "jvp", "lifted", "made", "merge_specs", "no_grad", "note_assignment", "operation",
    "operations", "outlined", "outlining", "primitive", "primitives", "raw", "reshape", "resolved", "stop_gradient",
    "sum_to", "value_and_grad", "vjp", "with_unknown_sizes",
]  # fmt: skip
public_only(__name__)

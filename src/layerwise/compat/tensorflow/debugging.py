"""`tf.debugging`: conditions on values, which have to be known."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...autograd import Tensor
from ...config import set_debug_nans
from ...lazy import public_only

__all__ = [
    "assert_all_finite", "assert_equal", "assert_greater", "assert_greater_equal", "assert_less",
    "assert_less_equal", "assert_near", "check_numerics", "enable_check_numerics",
]  # fmt: skip
public_only(__name__)


def _asserting(compare: Callable[[Any, Any], Any], sign: str) -> Any:
    def check(x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: Any = None) -> None:
        if not np.all(compare(np.asarray(x), np.asarray(y))):
            raise ValueError(f"{message or 'tf.debugging'}: expected {x} {sign} {y}")

    check.__doc__ = f"Raise ValueError unless x {sign} y everywhere."
    return check


assert_equal, assert_less, assert_less_equal = (
    _asserting(operator.eq, "=="), _asserting(operator.lt, "<"), _asserting(operator.le, "<="))  # fmt: skip
assert_greater, assert_greater_equal = _asserting(operator.gt, ">"), _asserting(operator.ge, ">=")
assert_near = _asserting(np.isclose, "close to")


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """The values, if all of them are finite."""
    if not (isinstance(tensor, Tensor) and tensor.symbolic) and not np.isfinite(np.asarray(tensor)).all():
        raise ValueError(f"{message}: got NaN or infinity")
    return tensor


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Any:
    """The values, if all of them are finite."""
    return check_numerics(x, message)


def enable_check_numerics(*args: Any) -> None:
    """Find the first NaN or infinity and say where it came from."""
    set_debug_nans(True)

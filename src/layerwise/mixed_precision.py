"""Dtype policies and the scaling of losses under the names that Keras has here.

`set_global_policy("mixed_bfloat16")` lets the layers made from then on compute in short floats and keep their weights
in float32; of "mixed_float16" `compile` also wraps the optimizer into a `LossScaleOptimizer`.

>>> global_policy()
<DTypePolicy 'float32'>
"""

from .config import DTypePolicy, dtype_policy, set_dtype_policy
from .lazy import public_only
from .optimizers import LossScaleOptimizer

__all__ = [
    "DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy", "set_dtype_policy",
    "set_global_policy",
]  # fmt: skip
public_only(__name__)

Policy, global_policy, set_global_policy = DTypePolicy, dtype_policy, set_dtype_policy

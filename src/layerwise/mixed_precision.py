"""Dtype policies under the names that Keras has here; they live in `config`.

>>> global_policy()
<DTypePolicy 'float32'>
"""

from .config import DTypePolicy, dtype_policy, set_dtype_policy
from .lazy import public_only

__all__ = [
    "DTypePolicy", "Policy", "dtype_policy", "global_policy", "set_dtype_policy", "set_global_policy",
]  # fmt: skip
public_only(__name__)

Policy, global_policy, set_global_policy = DTypePolicy, dtype_policy, set_dtype_policy

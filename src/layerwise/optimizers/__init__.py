"""Optimizers: how gradients become better weights. Each is one formula, its `rule` and what it keeps for a variable."""

from ..catalog import Names
from ..lazy import lazy
from ..serialization import lookups

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".base": "Optimizer",
        ".sgd": "SGD",
        ".adam": "Adam AdamW Adamax Lamb Lion Nadam ScheduleFreeAdamW",
        ".matrix": "Adafactor Muon",
        ".wrapping": "LossScaleOptimizer MultiOptimizer OptimizerMap",
        ".adagrad": "Adadelta Adagrad Ftrl RMSprop",
        ".": "deserialize get serialize",
    },
    submodules="legacy schedules",
)
get, serialize, deserialize = lookups(
    "optimizer", Names("optimizers", but="Optimizer"), base="Optimizer", example="adam"
)

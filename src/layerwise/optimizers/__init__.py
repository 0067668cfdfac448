"""Optimizers: how gradients become better weights. Each is one formula, its `rule` and what it keeps for a variable."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".base": "Optimizer",
        ".sgd": "SGD",
        ".adam": "Adam AdamW Adamax Lamb Lion Nadam",
        ".adagrad": "Adadelta Adagrad Ftrl RMSprop",
        ".lookup": "deserialize get serialize",
    },
    submodules="schedules",
)

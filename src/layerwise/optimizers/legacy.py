"""The optimizers by the names that tf.keras gave those before Keras 3: they are today's.

>>> from layerwise import optimizers
>>> Adam is optimizers.Adam
True
"""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__, {"layerwise.optimizers": "Adadelta Adagrad Adam Adamax Ftrl Nadam Optimizer RMSprop SGD"}
)

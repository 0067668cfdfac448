"""`tf.nest`."""

from .renaming import namespace

__getattr__, __dir__, __all__ = namespace(
    __name__, names={"layerwise.tree": "flatten is_nested map_structure pack_sequence_as"}
)

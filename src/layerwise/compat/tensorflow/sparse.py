"""`tf.sparse`."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(__name__, names={f"{PREFIX}.ragged": "SparseTensor to_dense"})

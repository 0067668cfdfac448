"""`tf.audio`."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(__name__, names={f"{PREFIX}.decoding": "decode_wav"})

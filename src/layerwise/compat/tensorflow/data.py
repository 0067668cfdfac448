"""`tf.data`."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(
    __name__,
    names={
        "layerwise.data": "AUTOTUNE Dataset",
        f"{PREFIX}.reading": "TFRecordDataset TextLineDataset",
        f"{PREFIX}.machine": "Options",
        PREFIX: "experimental",
    },
)

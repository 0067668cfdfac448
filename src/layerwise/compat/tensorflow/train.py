"""`tf.train`."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(
    __name__,
    names={
        f"{PREFIX}.checkpoints": "Checkpoint CheckpointManager latest_checkpoint",
        f"{PREFIX}.example": "BytesList Example Feature Features FloatList Int64List",
    },
    absent=dict.fromkeys(
        ("AdamOptimizer", "GradientDescentOptimizer", "MomentumOptimizer", "RMSPropOptimizer"),
        "it is TensorFlow 1's; use layerwise.optimizers",
    ),
)

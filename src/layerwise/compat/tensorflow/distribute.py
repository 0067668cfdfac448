"""`tf.distribute`, on one device; `layerwise.distribution` trains on several."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(
    __name__,
    names={
        f"{PREFIX}.machine": """
            CentralStorageStrategy MirroredStrategy MultiWorkerMirroredStrategy OneDeviceStrategy ReduceOp Strategy
            get_strategy
        """
    },
    absent={
        "TPUStrategy": "there are no TPUs here; use tf.distribute.MirroredStrategy",
        "ParameterServerStrategy": "use layerwise.distribution",
    },
)

"""What TensorFlow's namespaces hold under `experimental`: `tf.config.experimental`, `tf.data.experimental`, ..."""

from .renaming import PREFIX, namespace

__getattr__, __dir__, __all__ = namespace(
    __name__,
    names={
        "layerwise.data": "AUTOTUNE make_csv_dataset",
        "layerwise": "ops",
        f"{PREFIX}.machine": """
            enable_op_determinism list_logical_devices list_physical_devices set_memory_growth set_visible_devices
        """,
    },
)

"""Models and weights in files: Keras' formats, safetensors, PyTorch's names, ONNX."""

from ..lazy import lazy as _lazy

__getattr__, __dir__, __all__ = _lazy(
    "layerwise.saving",
    {
        ".api": "load_model load_weights save_model save_weights",
        ".file_editor": "KerasFileEditor",
        ".files": "FileFormatError",
        ".onnx.export": "export_onnx",
        ".safetensors": "load_safetensors save_safetensors",
        ".training_state": "load_training_state save_training_state",
        ".torch": "load_torch_state_dict torch_state_dict",
        "layerwise.serialization": """
            CustomObjectScope custom_object_scope deserialize_keras_object get_custom_objects get_registered_name
            get_registered_object register_keras_serializable serialize_keras_object
        """,
    },
)

# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from .api import load_model as load_model
from .api import load_weights as load_weights
from .api import save_model as save_model
from .api import save_weights as save_weights
from .file_editor import KerasFileEditor as KerasFileEditor
from .files import FileFormatError as FileFormatError
from .onnx.export import export_onnx as export_onnx
from .safetensors import load_safetensors as load_safetensors
from .safetensors import save_safetensors as save_safetensors
from .torch import load_torch_state_dict as load_torch_state_dict
from .torch import torch_state_dict as torch_state_dict
from .training_state import load_training_state as load_training_state
from .training_state import save_training_state as save_training_state
from layerwise.serialization import CustomObjectScope as CustomObjectScope
from layerwise.serialization import custom_object_scope as custom_object_scope
from layerwise.serialization import deserialize_keras_object as deserialize_keras_object
from layerwise.serialization import get_custom_objects as get_custom_objects
from layerwise.serialization import get_registered_name as get_registered_name
from layerwise.serialization import get_registered_object as get_registered_object
from layerwise.serialization import register_keras_serializable as register_keras_serializable
from layerwise.serialization import serialize_keras_object as serialize_keras_object

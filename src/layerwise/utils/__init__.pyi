# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from .arrays import normalize as normalize
from .arrays import pack_x_y_sample_weight as pack_x_y_sample_weight
from .arrays import to_categorical as to_categorical
from .feature_space import FeatureSpace as FeatureSpace
from .fetching import get_file as get_file
from .images import array_to_img as array_to_img
from .images import img_to_array as img_to_array
from .images import load_img as load_img
from .images import save_img as save_img
from .plotting import model_to_dot as model_to_dot
from .plotting import plot_model as plot_model
from .sequences import pad_sequences as pad_sequences
from .session import clear_session as clear_session
from .session import is_keras_tensor as is_keras_tensor
from .splitting import split_dataset as split_dataset
from layerwise.data import PyDataset as PyDataset
from layerwise.data.folder import audio_dataset_from_directory as audio_dataset_from_directory
from layerwise.data.folder import image_dataset_from_directory as image_dataset_from_directory
from layerwise.data.folder import text_dataset_from_directory as text_dataset_from_directory
from layerwise.data.timeseries import timeseries_dataset_from_array as timeseries_dataset_from_array
from layerwise.dtypes import standardize_dtype as standardize_dtype
from layerwise.random import set_random_seed as set_random_seed
from layerwise.serialization import CustomObjectScope as CustomObjectScope
from layerwise.serialization import custom_object_scope as custom_object_scope
from layerwise.serialization import deserialize_keras_object as deserialize_keras_object
from layerwise.serialization import get_custom_objects as get_custom_objects
from layerwise.serialization import get_registered_name as get_registered_name
from layerwise.serialization import get_registered_object as get_registered_object
from layerwise.serialization import register_keras_serializable as register_keras_serializable
from layerwise.serialization import serialize_keras_object as serialize_keras_object
from layerwise.terminal import Progbar as Progbar
from layerwise.training.arrays import unpack_x_y_sample_weight as unpack_x_y_sample_weight

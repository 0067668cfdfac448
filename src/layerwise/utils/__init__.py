"""Helpers around data, files, seeds and names, under Keras' names."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".arrays": "normalize pack_x_y_sample_weight to_categorical",
        ".feature_space": "FeatureSpace",
        ".fetching": "get_file",
        ".images": "array_to_img img_to_array load_img save_img",
        ".plotting": "model_to_dot plot_model",
        ".sequences": "pad_sequences",
        ".session": "clear_session is_keras_tensor",
        ".splitting": "split_dataset",
        "layerwise.data": "PyDataset",
        "layerwise.data.folder": """
            audio_dataset_from_directory image_dataset_from_directory text_dataset_from_directory
        """,
        "layerwise.data.timeseries": "timeseries_dataset_from_array",
        "layerwise.dtypes": "standardize_dtype",
        "layerwise.random": "set_random_seed",
        "layerwise.serialization": """
            CustomObjectScope custom_object_scope deserialize_keras_object get_custom_objects get_registered_name
            get_registered_object register_keras_serializable serialize_keras_object
        """,
        "layerwise.terminal": "Progbar",
        "layerwise.training.arrays": "unpack_x_y_sample_weight",
    },
)

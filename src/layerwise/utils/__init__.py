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
        ".options": "Config",
        ".session": "clear_session get_source_inputs is_keras_tensor",
        ".splitting": "split_dataset",
        "layerwise.config": """
            disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled
        """,
        "layerwise.data.indexed": "PyDataset Sequence",
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

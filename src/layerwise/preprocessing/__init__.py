"""Where Keras had its helpers for images, sequences, texts and folders before they came to `layerwise.utils`."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "layerwise.data.folder": "image_dataset_from_directory text_dataset_from_directory",
        "layerwise.data.timeseries": "timeseries_dataset_from_array",
    },
    submodules="image sequence text",
)

"""Data on its way to a model: pipelines (`Dataset`), readers that check before they allocate, images."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".dataset.dataset": "Dataset",
        ".dataset.pipeline": "DatasetIterator",
        ".dataset.transforming": "AUTOTUNE",
        ".indexed": "PyDataset",
        ".loading": "TrainingData load",
        ".idx": "read_idx read_mnist_folder",
        ".npz": "read_npz",
        ".table": "Table read_csv",
        ".records": "RecordWriter read_records",
        ".csv_dataset": "make_csv_dataset",
        ".cifar": "read_cifar10",
        ".image_folder": "ImageFolder read_image_folder",
        ".split": "permutation stratified_split",
    },
    submodules="download images records",
)

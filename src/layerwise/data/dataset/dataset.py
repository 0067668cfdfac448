"""Input pipelines: `Dataset`, a chain of steps between stored data and `fit`."""

from .making import Making
from .transforming import Transforming


class Dataset(Making, Transforming):
    """A sequence of elements: arrays, or tuples and dictionaries of them, nested as you like.

    Start with `from_tensor_slices`, `from_generator` or `zip`, and append steps; each returns a new dataset:

    >>> import numpy as np
    >>> data = Dataset.from_tensor_slices((np.arange(5), np.arange(5) ** 2))
    >>> [y.tolist() for x, y in data.shuffle(seed=1).batch(2)]
    [[0, 16], [4, 9], [1]]

    Each `for` loop over a dataset is one epoch; shuffles differ from epoch to epoch. `len(data)` is the number of
    elements where it is known. `state()` says where the newest loop stands and `restore(state)` lets the next loop
    go on from there.

    Args:
        stage: the last step of the pipeline, which these methods make.

    Attributes:
        class_names, file_paths: of data sets made of a folder, such as `image_dataset_from_directory` gives them.
    """

    class_names: list[str] | None
    file_paths: list[str]

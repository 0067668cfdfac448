"""How data sets begin: with arrays, functions, numbers, names of files, other data sets."""

import glob
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from ...dtypes import standardize_dtype
from ...naming import expect, whole_number
from ..records import read_records
from ..text_files import column_types, text_lines, typed_records
from .choosing import Sampled
from .nesting import FlatMap
from .pipeline import Pipeline
from .sources import Files, Generator, Listed, Range, Slices, Zip
from .stage import Stage, map_structure
from .steps import Shuffle


class Making(Pipeline):
    """The sources of data sets."""

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Self:
        """One element for each entry along the first axis of an array, or of each array in tuples and dictionaries.

        Elements are views that cannot be written to. Raises `ValueError` for arrays of different length.

        >>> from layerwise.data import Dataset
        >>> [row.tolist() for row in Dataset.from_tensor_slices([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
        """
        return cls(Slices(tensors))

    @classmethod
    def from_generator(
        cls,
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Iterable[Any] = (),
        output_signature: Any = None,
        *,
        length: int | None = None,
    ) -> Self:
        """The elements of `generator(*args)`, which is called anew for each epoch and should then give the same ones.

        With `output_types`, dtypes in the form of an element, elements are arrays of those; with `output_shapes` they
        are checked, None being any size. `output_signature` says both by objects with a `dtype` and a `shape`, such as
        `layers.InputSpec`. `length` is the number of elements, if you know it; another one raises `ValueError`.

        >>> from layerwise.data import Dataset
        >>> list(Dataset.from_generator(lambda: range(3)))
        [0, 1, 2]
        >>> list(Dataset.from_generator(range, "float32", args=[2]))
        [array(0., dtype=float32), array(1., dtype=float32)]
        """
        if output_signature is not None:
            output_types = map_structure(lambda spec: spec.dtype, output_signature)
            output_shapes = map_structure(lambda spec: spec.shape, output_signature)
        return cls(Generator(generator, length, tuple(args or ()), output_types, output_shapes))

    @classmethod
    def zip(cls, *datasets: Any) -> Self:
        """Tuples with an element of each dataset, as many as the shortest has.

        A tuple or dictionary of datasets, nested as you like, gives elements of its form.

        >>> from layerwise.data import Dataset
        >>> a = Dataset.from_tensor_slices([1, 2, 3])
        >>> [(int(x), int(y)) for x, y in Dataset.zip(a, a.skip(1))]
        [(1, 2), (2, 3)]
        """
        form = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple | dict) else datasets
        parts = form if isinstance(form, dict) else dict(enumerate(form))
        if not parts or not all(isinstance(part, Pipeline | tuple | dict) for part in parts.values()):
            got = ", ".join(type(part).__name__ for part in parts.values()) or "nothing"
            raise ValueError(f"zip: expected datasets, got {got}")
        stages = {key: (d if isinstance(d, Pipeline) else cls.zip(d))._stage for key, d in parts.items()}
        return cls(Zip(stages, isinstance(form, dict)))

    @classmethod
    def from_tensors(cls, tensors: Any) -> Self:
        """One element: `tensors`, an array or a structure of them.

        >>> from layerwise.data import Dataset
        >>> [x.tolist() for x in Dataset.from_tensors([1, 2])]
        [[1, 2]]
        """
        return cls(Listed([map_structure(np.asarray, tensors)]))

    @classmethod
    def range(cls, *args: int, output_type: Any = "int64") -> Self:
        """The numbers of Python's range(*args), of dtype `output_type`.

        >>> from layerwise.data import Dataset
        >>> [int(x) for x in Dataset.range(1, 7, 2)]
        [1, 3, 5]
        """
        return cls(Range(range(*map(int, args)), standardize_dtype(output_type)))

    @classmethod
    def list_files(cls, file_pattern: Any, shuffle: bool | None = None, seed: int | None = None) -> Self:
        """The names of the files that a pattern such as "folder/*.txt" fits, or some patterns.

        They are in another order each epoch unless `shuffle` is False; `seed` is that of `shuffle`.
        """
        patterns = file_pattern if isinstance(file_pattern, list | tuple | np.ndarray) else [file_pattern]
        names = sorted({name for pattern in patterns for name in glob.glob(os.fspath(pattern))})
        if not names:
            raise ValueError(f"list_files: no file fits {', '.join(map(str, patterns))}")
        stage = Slices(np.array(names))
        return cls(stage if shuffle is False else Shuffle(stage, None, seed, reshuffle=True))

    @classmethod
    def sample_from_datasets(
        cls,
        datasets: Sequence[Any],
        weights: Sequence[float] | None = None,
        seed: int | None = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool = True,
    ) -> Self:
        """Each element from a data set drawn at random.

        Args:
            datasets: what is drawn from.
            weights: how probable each is; by default all alike.
            seed: the draws depend on it and, with `rerandomize_each_iteration`, on the epoch alone; without one it is
                drawn from NumPy's global generator.
            stop_on_empty_dataset: end with the first data set that ends; otherwise the others go on.

        >>> from layerwise.data import Dataset
        >>> ones, twos = Dataset.from_tensors(1).repeat(3), Dataset.from_tensors(2).repeat(2)
        >>> [int(x) for x in Dataset.sample_from_datasets([ones, twos], seed=1)]
        [1, 2, 1, 1, 2]
        """
        if not datasets or not all(isinstance(data, Pipeline) for data in datasets):
            raise ValueError(f"sample_from_datasets: datasets: expected data sets, got {datasets!r}")
        shares = [1.0] * len(datasets) if weights is None else [float(weight) for weight in weights]
        is_right = len(shares) == len(datasets) and min(shares) >= 0 and sum(shares) > 0
        expect("sample_from_datasets: weights", weights, is_right, f"{len(datasets)} numbers >= 0, not all 0")
        seed = int(np.random.randint(2**31)) if seed is None else whole_number("sample_from_datasets: seed", seed, 0)
        stages = tuple(data._stage for data in datasets)
        return cls(Sampled(stages, shares, seed, stop_on_empty_dataset, rerandomize_each_iteration))

    @classmethod
    def from_text_lines(cls, filenames: Any, compression_type: str | None = None) -> Self:
        """The lines of text files, one file after the other, as strings: TensorFlow's `TextLineDataset`

        Args:
            filenames: one, a list of them, or a data set such as `list_files` gives.
            compression_type: None or "", "GZIP" or "ZLIB".

        Bytes that are not UTF-8 are kept, as Python's "surrogateescape" has it.

        >>> from layerwise.data import Dataset
        >>> path = getfixture("tmp_path") / "a.txt"
        >>> _ = path.write_text("one" + chr(10) + "two")
        >>> [str(line) for line in Dataset.from_text_lines(path).skip(1)]
        ['two']
        """
        return cls(_files(filenames, partial(text_lines, compression_type=compression_type)))

    @classmethod
    def from_csv(
        cls,
        filenames: Any,
        record_defaults: Sequence[Any],
        compression_type: str | None = None,
        header: bool = False,
        field_delim: str = ",",
        use_quote_delim: bool = True,
        na_value: str = "",
        select_cols: Sequence[int] | None = None,
    ) -> Self:
        """Tuples of the values in the records of CSV files: TensorFlow's `CsvDataset`

        Args:
            filenames, compression_type: as in `from_text_lines`.
            record_defaults: for each column a dtype, or a value that tells its type and stands for missing ones.
            header: whether the first record of each file is left out.
            field_delim, use_quote_delim: what parts values, and whether quotes hold them together.
            na_value: what stands for a missing value, besides nothing.
            select_cols: the numbers of the columns that are wanted.

        >>> from layerwise.data import Dataset
        >>> path = getfixture("tmp_path") / "a.csv"
        >>> _ = path.write_text("1,a" + chr(10) + ",b")
        >>> [(int(n), str(text)) for n, text in Dataset.from_csv(path, [7, "string"])]
        [(1, 'a'), (7, 'b')]
        """
        read = typed_records(
            column_types(record_defaults), header, na_value, select_cols,
            delimiter=field_delim, quotes=use_quote_delim, compression_type=compression_type,
        )  # fmt: skip
        return cls(_files(filenames, read))

    @classmethod
    def from_tfrecords(cls, filenames: Any, compression_type: str | None = None) -> Self:
        """The records of TFRecord files as bytes: TensorFlow's `TFRecordDataset`

        `data.RecordWriter` writes them; `compat.tensorflow.io.parse_single_example` tells what most of them hold.
        Checksums are verified.

        Args:
            filenames, compression_type: as in `from_text_lines`.
        """
        return cls(_files(filenames, partial(read_records, compression_type=compression_type)))


def _files(filenames: Any, read: Callable[[Any], Iterable[Any]]) -> Stage:
    """What is read from these files, one after the other."""
    if isinstance(filenames, Pipeline):
        return FlatMap(filenames._stage, lambda name: Files([str(name)], read))
    is_list = isinstance(filenames, list | tuple | np.ndarray)
    return Files(list(filenames) if is_list else [filenames], read)

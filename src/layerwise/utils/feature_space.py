"""`FeatureSpace`: tables of numbers, categories and texts as vectors, each column by a layer of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import layers, ops, tree
from ..autograd import Tensor, as_tensor
from ..layers.host import host_array
from ..naming import auto_name, expect, one_of
from ..saving import keras_v3
from ..saving.files import replacing
from ..saving.walk import Part
from ..serialization import deserialize, serialize

ROWS = 32  # of a batch, where the data have none


class Cross(Part):
    """Several features as one category: the hash of their combination."""

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        one_of("FeatureSpace.cross: output_mode", output_mode, "int", "one_hot")
        self.feature_names, self.crossing_dim, self.output_mode = tuple(feature_names), crossing_dim, output_mode

    @property
    def name(self) -> str:
        """The names of the features, "a_X_b"."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        return {
            "feature_names": list(self.feature_names),
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        return cls(**config)


class Feature(Part):
    """A column: its dtype, the layer that prepares it, and what becomes of that layer's result."""

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        one_of("FeatureSpace.feature: output_mode", output_mode, "int", "one_hot", "float")
        self.dtype, self.preprocessor, self.output_mode = dtype, deserialize(preprocessor), output_mode

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "preprocessor": serialize(self.preprocessor), "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        return cls(**config)


class FeatureSpace(layers.Layer):
    """y = the columns of a table as vectors, one behind the other in the order of their names, crosses at the end

    A column is a feature of one of these kinds, a name or what the method of that name returns:

    - `float`, `float_rescaled`, `float_normalized`: a number; `float_discretized`: which bin it is in.
    - `integer_categorical`, `string_categorical`: which of the values that `adapt` has seen.
    - `integer_hashed`, `string_hashed`: its hash.
    - `feature`: what a layer of yours makes of it.

    Args:
        features: the kind of each column, by its name.
        output_mode: "concat", one vector; or "dict", one for each feature and cross by its name.
        crosses: pairs (or more) of names of features whose combinations are categories, too, or `cross` of them.
        crossing_dim: how many categories crosses have.
        hashing_dim: how many categories hashed features have.
        num_discretization_bins: how many bins discretized features have.
        name: of the layer.

    >>> from layerwise.utils import FeatureSpace
    >>> table = {"size": [0.5, 1.5, 2.5], "colour": ["red", "blue", "red"]}
    >>> space = FeatureSpace({"size": "float_rescaled", "colour": "string_categorical"})
    >>> space.adapt(table)
    >>> space(table)
    Tensor([[0. , 1. , 0. , 0.5],
            [0. , 0. , 1. , 1.5],
            [0. , 1. , 0. , 2.5]], shape=(3, 4), dtype=float32)
    """

    built = True
    stands_alone = True  # as a model does in a file

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Iterable[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        expect("FeatureSpace: features", features, features, "at least one")
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = one_of("FeatureSpace: output_mode", output_mode, "concat", "dict")
        self.features = {name: self._feature_of(name, given) for name, given in features.items()}
        self.crosses = [self._cross_of(given) for given in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.inputs = {name: layers.Input((1,), dtype=f.dtype, name=name) for name, f in self.features.items()}
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {c.name: layers.HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses}
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: Any = None
        self.encoded_features: Any = None
        self._is_adapted = False

    # Kinds of features --------------------------------------------------------------------------------------------

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """The combination of these features, as one of `crossing_dim` categories, or with "one_hot" a vector for it."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column of this dtype, prepared by a layer, whose result is "float" or "int", or to be "one_hot"."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A number as it is."""
        return cls._made("float", name, "float32", "float", layers.Identity, dtype="float32")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """scale x + offset"""
        return cls._made("float_rescaled", name, "float32", "float", layers.Rescaling, scale=scale, offset=offset)

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number minus the mean of those that `adapt` saw, divided by their standard deviation."""
        return cls._made("float_normalized", name, "float32", "float", layers.Normalization, axis=-1)

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """The bin that a number is in: of `num_bins` that `adapt` makes equally full, or (None) between boundaries."""
        bins = {"num_bins": num_bins, "bin_boundaries": bin_boundaries}
        return cls._made("float_discretized", name, "float32", output_mode, layers.Discretization, **bins)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """The place of a whole number in a vocabulary, as `IntegerLookup` finds it."""
        sizes = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return cls._made("integer_categorical", name, "int32", output_mode, layers.IntegerLookup, **sizes)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """The place of a text in a vocabulary, as `StringLookup` finds it."""
        sizes = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return cls._made("string_categorical", name, "string", output_mode, layers.StringLookup, **sizes)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """The hash of a text, as `Hashing` has it."""
        return cls._made("string_hashed", name, "string", output_mode, layers.Hashing, num_bins=num_bins)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """The hash of a whole number, as `Hashing` has it."""
        return cls._made("integer_hashed", name, "int32", output_mode, layers.Hashing, num_bins=num_bins)

    @staticmethod
    def _made(kind: str, name: str | None, dtype: str, output_mode: str, layer: Any, /, **arguments: Any) -> Feature:
        return Feature(dtype, layer(**arguments, name=f"{name or auto_name(kind)}_preprocessor"), output_mode)

    def _feature_of(self, name: str, given: Any) -> Feature:
        sizes = {
            "float": (), "float_rescaled": (), "float_normalized": (), "integer_categorical": (),
            "string_categorical": (), "float_discretized": (self.num_discretization_bins,),
            "integer_hashed": (self.hashing_dim,), "string_hashed": (self.hashing_dim,),
        }  # fmt: skip
        if isinstance(given, str):
            one_of(f"FeatureSpace: features: {name!r}", given, *sizes)
            return getattr(self, given)(*sizes[given], name=name)
        feature = deserialize(given)
        expect(f"FeatureSpace: features: {name!r}", given, isinstance(feature, Feature), f"one of {list(sizes)}")
        return feature

    def _cross_of(self, given: Any) -> Cross:
        cross = deserialize(given) if isinstance(given, dict | Cross) else Cross(given, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        expect("FeatureSpace: crosses", cross.feature_names, not unknown, f"names among {list(self.features)}")
        expect("FeatureSpace: crossing_dim", cross.crossing_dim, cross.crossing_dim, "a number of categories")
        return cross

    # Adapting -----------------------------------------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Give the features' layers the data that they take vocabularies, bins and statistics from.

        Args:
            dataset: a dict of arrays or lists; or a `Dataset` of dicts, in batches or one by one.
        """
        if not isinstance(dataset, Mapping) and (hasattr(dataset, "__array__") or not isinstance(dataset, Iterable)):
            kind = type(dataset).__name__
            raise ValueError(
                f"layer {self.name!r}: adapt: got a {kind}, expected a dict of arrays or a data set of dicts"
            )
        if isinstance(dataset, Iterator):  # which can be gone through only once
            dataset = list(dataset)
        for name in self._adaptable():
            self.preprocessors[name].adapt(_column(dataset, name))
        self._is_adapted = True
        self.encoded_features = None
        self.get_encoded_features()

    def _adaptable(self) -> list[str]:
        """The features whose layers take something from data, and were not given it."""
        return [name for name, layer in self.preprocessors.items() if _is_adaptable(layer)]

    # Encoding -----------------------------------------------------------------------------------------------------

    def get_inputs(self) -> dict[str, Tensor]:
        """The symbolic inputs of a model that begins with the table, by name."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What becomes of them, symbolically: the beginning of a model that is trained on encoded features."""
        if not self._is_adapted and self._adaptable():
            raise ValueError(f"layer {self.name!r}: call adapt on data first, for {self._adaptable()}")
        if self.encoded_features is None:
            self.one_hot_encoders, self.concat = {}, layers.Concatenate(axis=-1)
            self.encoded_features = self._encoded(self.inputs)
        return self.encoded_features

    def __call__(self, data: Any) -> Any:
        """The features of a table: a dict of columns (n,) or (n, 1), or of the entries of one row."""
        self.get_encoded_features()
        if not isinstance(data, Mapping):
            raise ValueError(f"layer {self.name!r}: got a {type(data).__name__}, expected a dict of columns")
        if missing := [name for name in self.features if name not in data]:
            raise ValueError(f"layer {self.name!r}: got columns {list(data)}, expected {missing} too")
        columns = {name: host_array(data[name]) for name in self.features}
        is_row = any(column.ndim == 0 for column in columns.values())
        given = {}
        for name, column in columns.items():
            column = column.reshape(-1, 1) if column.ndim < 2 else column
            floats = self.features[name].dtype == "float32"
            given[name] = as_tensor(column, "float32") if floats else Tensor(column)
        encoded = self._encoded(given)
        return tree.map_structure(lambda t: ops.squeeze(t, 0), encoded) if is_row else encoded

    def _encoded(self, columns: Mapping[str, Tensor]) -> Any:
        """Columns (n, 1), with values or symbolic, as vectors."""
        prepared = {name: self.preprocessors[name](columns[name]) for name in sorted(self.features)}
        crossed = {
            name: self.crossers[name]([prepared[feature] for feature in self.crosses_by_name[name].feature_names])
            for name in sorted(self.crossers)
        }
        encoded = {name: self._as_vector(name, x) for name, x in (prepared | crossed).items()}
        return encoded if self.output_mode == "dict" else self.concat(list(encoded.values()))

    def _as_vector(self, name: str, x: Any) -> Any:
        spec: Any = self.features.get(name) or self.crosses_by_name[name]
        whole = all(not t.dtype.startswith("float") for t in tree.flatten(x))
        if spec.output_mode == "one_hot":
            if name not in self.one_hot_encoders:
                expect(
                    f"FeatureSpace: feature {name!r}: output_mode", "one_hot", whole, "a layer of whole numbers for it"
                )
                count = self._cardinality(name)
                self.one_hot_encoders[name] = layers.CategoryEncoding(count, output_mode="multi_hot")
            return self.one_hot_encoders[name](x)
        if self.output_mode == "concat" and whole:
            raise ValueError(
                f"layer {self.name!r}: feature {name!r} is {x.dtype}, which is not concatenated with others; give it "
                "output_mode='one_hot', or the layer output_mode='dict'"
            )
        return x

    def _cardinality(self, name: str) -> int:
        """How many categories a feature or a cross has."""
        layer: Any = self.preprocessors.get(name) or self.crossers[name]
        if hasattr(layer, "vocabulary_size"):
            return layer.vocabulary_size()
        if isinstance(layer, layers.Discretization) and layer.num_bins is None:
            return len(layer.bin_boundaries or ()) + 1
        count: Any = getattr(layer, "num_bins", getattr(layer, "num_tokens", None))
        expect(
            f"FeatureSpace: feature {name!r}: output_mode", "one_hot", count, "'int': the layer does not tell its size"
        )
        return count

    # Files --------------------------------------------------------------------------------------------------------

    def save(self, filepath: Any) -> None:
        """Write it to a `.keras` file, which `load_model` reads."""
        name = os.fspath(filepath)
        expect("FeatureSpace: save: filepath", name, name.endswith(".keras"), "a name that ends in '.keras'")
        with replacing(name, overwrite=True) as file:
            keras_v3.write_model(self, file)

    def get_config(self) -> dict[str, Any]:
        return {
            "features": serialize(self.features),
            "output_mode": self.output_mode,
            "crosses": serialize(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FeatureSpace:
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        for name, shapes in config.items():
            if not self.preprocessors[name].built:
                self.preprocessors[name].build_from_config(shapes)
        self._is_adapted = True


def _is_adaptable(layer: Any) -> bool:
    """Whether a layer takes something from data, and was not given it."""
    return hasattr(layer, "adapt") and getattr(layer, "is_adaptable", True)


def _column(dataset: Any, name: str) -> Iterator[np.ndarray]:
    """A column in batches (n, 1)."""
    if isinstance(dataset, Mapping):
        column = host_array(dataset[name])
        found: Iterable[np.ndarray] = (column[i : i + ROWS] for i in range(0, len(column), ROWS))
    else:
        found = (host_array((row[0] if isinstance(row, tuple) else row)[name]) for row in dataset)
    batches = iter(found)
    for first in batches:
        rows = [first, *itertools.islice(batches, ROWS - 1)] if first.ndim == 0 else None  # one by one
        batch = first if rows is None else np.array([row.item() for row in rows], first.dtype)
        yield batch[:, None] if batch.ndim == 1 else batch

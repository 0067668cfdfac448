"""A vocabulary: adapting to data, looking up, files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import config
from ..autograd import Spec
from ..hashing import buckets, key_of
from ..naming import one_of, whole_number
from ..serialization import is_trusting, serialize
from .host import MODES, HostLayer, batches, encoded, host_array, outline_of, whole_dtype

FILE = "vocabulary.txt"


class IndexLookup(HostLayer):
    """y = the place of x in the vocabulary, or with `invert` what stands at the place x

    The vocabulary begins with the mask's token (where there is one, and `output_mode` is "int"), then come
    `num_oov_indices` places for what is not in it, then the tokens. `adapt` takes them from data, the most frequent
    ones first and equally frequent ones in descending order, or they are given. Two places or more are chosen among by
    a hash, which is TensorFlow's.

    Args:
        max_tokens: the largest size of the vocabulary, all places included.
        num_oov_indices: places for what is not in the vocabulary; with none of them, it raises ValueError.
        mask_token: what has place 0 and means "nothing here"; in other modes than "int" it counts nowhere.
        oov_token: what `invert` gives for those places.
        vocabulary: the tokens, as a list or array, or the name of a file with one in each line.
        idf_weights: for "tf_idf", the weight of each token, log(1 + documents / (1 + documents with it)).
        invert: whether to go from places to tokens.
        output_mode: "int"; "one_hot", a vector for each token; "multi_hot", "count" or "tf_idf", one for all along the
            last axis: which tokens occur, how often, and that times their weights.
        pad_to_max_tokens: whether vectors have `max_tokens` numbers, also where the vocabulary is smaller.
        sparse: whether vectors are sparse, which is refused.
        salt: one or two whole numbers, the key of a SipHash that takes the place of FarmHash.
        oov_method: "floormod", the remainder of whole numbers, or "farmhash", their hash; of texts always the hash.
    """

    kind = "string"  # of the tokens
    _untracked = HostLayer._untracked | {"_counts", "_documents", "_places", "_tokens", "input_vocabulary"}

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        salt: Any,
        oov_method: str = "floormod",
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        what = type(self).__name__
        if max_tokens is not None:
            whole_number(f"{what}: max_tokens", max_tokens, 2)
        whole_number(f"{what}: num_oov_indices", num_oov_indices, 0)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        one_of(f"{what}: output_mode", output_mode, *MODES, "tf_idf")
        one_of(f"{what}: oov_method", oov_method, "floormod", "farmhash")
        weighs = output_mode == "tf_idf"
        for wrong, problem in (
            (pad_to_max_tokens and max_tokens is None, "pad_to_max_tokens: expected max_tokens beside it"),
            (invert and output_mode != "int", f"output_mode: got {output_mode!r}, expected 'int' where invert is set"),
            (sparse, "sparse: got True, but there are no sparse Tensors; leave it out"),
            (idf_weights is not None and not weighs, "idf_weights: expected only in output_mode 'tf_idf'"),
            (weighs and vocabulary is not None and idf_weights is None, "idf_weights: expected for this vocabulary"),
        ):
            if wrong:
                raise ValueError(f"{what}: {problem}")
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.output_mode, self.sparse = invert, output_mode, False
        self.pad_to_max_tokens, self.oov_method = pad_to_max_tokens, oov_method
        self.salt = key_of(what, salt)
        if self.salt and self.kind != "string" and oov_method != "farmhash":
            raise ValueError(f"{what}: salt: expected only with oov_method='farmhash'")
        self.input_vocabulary = None if isinstance(vocabulary, str | Path) else vocabulary
        self.input_idf_weights = idf_weights
        self.idf_weights: np.ndarray | None = None
        self._given = vocabulary is not None if has_input_vocabulary is None else has_input_vocabulary
        self._tokens: list[Any] = []
        self._places = self._place_of_mask()
        self._size = vocabulary_size  # what vectors have been made with
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    @property
    def is_adaptable(self) -> bool:
        """Whether the vocabulary is to be taken from data."""
        return not self._given

    # The vocabulary -----------------------------------------------------------------------------------------------

    @property
    def _masks(self) -> bool:
        """Whether the mask's token has a place."""
        return self.mask_token is not None and self.output_mode == "int"

    @property
    def _special(self) -> list[Any]:
        """What stands before the tokens."""
        return [self.mask_token] * self._masks + [self.oov_token] * self.num_oov_indices

    def _place_of_mask(self) -> dict[Any, int]:
        """Its place, or one that counts nowhere."""
        return {} if self.mask_token is None else {self.key(self.mask_token): 0 if self._masks else -2}

    def token(self, value: Any) -> Any:
        """An entry of a vocabulary, a line of a file, or a key, as a token."""
        raise NotImplementedError

    def key(self, token: Any) -> Any:
        """What a token is looked up by."""
        return token

    def vocabulary_size(self) -> int:
        """The number of places, those before the tokens included."""
        return len(self._special) + len(self._tokens)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The vocabulary as a list.

        Args:
            include_special_tokens: whether it begins with the tokens of the mask and of what is not in it.
        """
        return [*self._special, *self._tokens] if include_special_tokens else list(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: a list or array of tokens, with what stands before them or without it; or a file's name.
            idf_weights: for "tf_idf", a weight for each entry.
        """
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise ValueError(f"layer {self.name!r}: idf_weights: expected in output_mode 'tf_idf', and only there")
        if isinstance(vocabulary, str | Path):
            vocabulary = self._read(vocabulary)
        entries = [self.token(value) for value in host_array(vocabulary).reshape(-1).tolist()]
        if not entries:
            raise ValueError(f"layer {self.name!r}: vocabulary: expected at least one token, got none")
        count = len(self._special)
        whole = entries[:count] == self._special
        tokens = entries[count:] if whole else entries
        self._check(tokens)
        self._replace(tokens)
        if idf_weights is not None:
            weights = np.asarray(idf_weights)
            if weights.shape != (len(entries),):
                raise ValueError(
                    f"layer {self.name!r}: idf_weights: got shape {weights.shape}, expected {(len(entries),)}: "
                    "one for each entry of the vocabulary"
                )
            self._weigh(weights, 0 if whole else count)

    def _read(self, file: str | Path) -> list[Any]:
        if not Path(file).is_file():
            raise ValueError(f"layer {self.name!r}: vocabulary: the file {str(file)!r} does not exist")
        return read_vocabulary(Path(file))

    def _check(self, tokens: Sequence[Any]) -> None:
        if twice := [token for token, count in Counter(tokens).items() if count > 1]:
            raise ValueError(f"layer {self.name!r}: vocabulary: {twice[:5]} occur more than once")
        for role, token in (("mask_token", self.mask_token), ("oov_token", self.oov_token if self.invert else None)):
            if token is not None and token in tokens:
                raise ValueError(
                    f"layer {self.name!r}: vocabulary: {token!r}, the {role}, stands among the tokens; leave it out, "
                    f"or begin with all of {self._special}"
                )
        size = len(self._special) + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(f"layer {self.name!r}: vocabulary: {size} places, expected max_tokens={self.max_tokens}")

    def _replace(self, tokens: list[Any]) -> None:
        size = len(self._special) + len(tokens)
        if self.output_mode != "int" and not self.pad_to_max_tokens and self._size not in (None, size):
            raise RuntimeError(
                f"layer {self.name!r}: the vocabulary had {self._size} places and would have {size}; vectors of "
                "another size need a new layer, or pad_to_max_tokens=True"
            )
        first = len(self._special)
        self._tokens, self._size = tokens, size
        self._places = {self.key(token): i for i, token in enumerate(tokens, first)} | self._place_of_mask()

    def _weigh(self, weights: np.ndarray, before: int) -> None:
        """Keep the weights of the tokens, with their mean `before` times in front, and zeros behind."""
        behind = max(self._depth - before - len(weights), 0) if self.pad_to_max_tokens else 0
        mean = np.full(before, weights.mean() if before else 0.0)
        self.idf_weights = np.concatenate([mean, weights, np.zeros(behind)]).astype(config.floatx())

    # Adapting -----------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the vocabulary from data.

        Args:
            data: an array or a list, or batches such as a `Dataset` gives (inputs come first).
            steps: how many batches to look at.
        """
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what `update_state` was given."""
        self._counts: Counter[Any] = Counter()
        self._documents: Counter[Any] = Counter()
        self._rows = 0

    def update_state(self, data: Any) -> None:
        """Count the tokens in a batch, whose rows are documents."""
        rows = host_array(data)
        self.count(map(self.keys, rows.reshape(1, -1) if rows.ndim < 2 else rows))

    def count(self, documents: Iterable[list[Any]]) -> None:
        """Count the keys in these documents."""
        if self._given:
            raise ValueError(f"layer {self.name!r}: adapt: the layer was given its vocabulary")
        for keys in documents:
            self._counts.update(keys)
            if self.output_mode == "tf_idf":
                self._documents.update(set(keys))
                self._rows += 1

    def finalize_state(self) -> None:
        """Make what was counted the vocabulary."""
        for token in (self.mask_token, self.oov_token):
            if token is not None:
                self._counts.pop(self.key(token), None)
        if not self._counts:
            return
        ranked = sorted(((count, key) for key, count in self._counts.items()), reverse=True)
        most = None if self.max_tokens is None else self.max_tokens - len(self._special)
        keys = [key for _, key in ranked[:most]]
        self._replace([self.token(key) for key in keys])
        if self.output_mode == "tf_idf":
            documents = np.array([self._documents[key] for key in keys])
            self._weigh(np.log(1 + self._rows / (1 + documents)), len(self._special))
        self.reset_state()

    # Calling ------------------------------------------------------------------------------------------------------

    @property
    def _depth(self) -> Any:
        """The number of places in vectors."""
        size = self.max_tokens if self.pad_to_max_tokens else self._size
        if size is None and self.output_mode != "int":
            raise RuntimeError(
                f"layer {self.name!r} has no vocabulary yet: call adapt on data, give it a vocabulary, or "
                "set pad_to_max_tokens"
            )
        return size

    def keys(self, inputs: np.ndarray) -> list[Any]:
        """The entries of an array, as a list of what they are looked up by."""
        raise NotImplementedError

    def bytes_of(self, key: Any) -> bytes:
        """What a key's hash is made of."""
        raise NotImplementedError

    def compute(self, inputs: np.ndarray) -> np.ndarray:
        if self.invert:
            return self._tokens_at(inputs)
        places = self.places(self.keys(inputs)).reshape(inputs.shape)
        return places if self.output_mode == "int" else self.vectors(places)

    def vectors(self, places: np.ndarray) -> np.ndarray:
        """Vectors for places, where -2 counts nowhere."""
        vectors = encoded(places, "count" if self.output_mode == "tf_idf" else self.output_mode, self._depth)
        vectors = vectors.astype(config.floatx())
        return vectors * self.idf_weights if self.output_mode == "tf_idf" else vectors

    def places(self, keys: Sequence[Any]) -> np.ndarray:
        """The place of each key."""
        table, first = self._places, int(self._masks)
        missing = first if self.num_oov_indices == 1 else -1
        places = np.array([table.get(key, missing) for key in keys], np.int64)
        if self.num_oov_indices != 1 and (unknown := np.flatnonzero(places == -1)).size:
            strangers = [keys[i] for i in unknown.tolist()]
            if self.num_oov_indices == 0:
                raise ValueError(
                    f"layer {self.name!r}: {self.token(strangers[0])!r} is not in the vocabulary, and "
                    "num_oov_indices=0 has no place for it"
                )
            places[unknown] = first + self._buckets(strangers)
        return places

    def _buckets(self, keys: Sequence[Any]) -> np.ndarray:
        """The place of each key among those for what is not in the vocabulary."""
        if self.kind != "string" and self.oov_method == "floormod":
            return np.array(keys, np.int64) % self.num_oov_indices
        return buckets([self.bytes_of(key) for key in keys], self.num_oov_indices, self.salt)

    def _tokens_at(self, places: np.ndarray) -> np.ndarray:
        table = [*self._special, *self._tokens]
        inside = (places >= 0) & (places < len(table))
        found = np.array([*table, self.oov_token, None], object)[:-1]
        tokens = found[np.where(inside, places, len(table)).astype(np.int64)]
        return tokens if self.kind == "string" else tokens.astype(self.kind)

    def outline(self, inputs: Spec) -> Spec:
        if self.invert:
            return Spec(inputs.shape, self.kind if self.kind == "string" else whole_dtype())
        shape = outline_of(inputs.shape, self.output_mode, self._depth)
        return Spec(shape, whole_dtype() if self.output_mode == "int" else config.floatx())

    # Files --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        given = {"vocabulary": self.input_vocabulary, "idf_weights": self.input_idf_weights}
        more = {name: None if value is None else host_array(value).tolist() for name, value in given.items()}
        own = {"oov_method": self.oov_method, "salt": self.salt, "vocabulary_size": self._size}
        return super().get_config() | serialize(more | own)

    @classmethod
    def check_config(cls, config: dict[str, Any]) -> None:
        """Refuse a configuration that names a file, where it may come from anyone."""
        file = config.get("vocabulary")
        if isinstance(file, str) and not is_trusting():
            raise ValueError(
                f"{cls.__name__}: vocabulary: the configuration names a file of its own, {file!r}; "
                "load_model(..., safe_mode=False) allows that"
            )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        cls.check_config(config)
        return super().from_config(config)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        if self.output_mode == "tf_idf" and len(store):
            self.idf_weights = np.asarray(store["idf_weights"], config.floatx())

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary to a file in this folder, unless the configuration holds it."""
        if self.input_vocabulary is None:
            lines = "\n".join(str(token) for token in self.get_vocabulary())
            (Path(dir_path) / FILE).write_text(lines, "utf-8", newline="\n")

    def load_assets(self, dir_path: str) -> None:
        """Read what `save_assets` wrote."""
        if self.input_vocabulary is not None or not (Path(dir_path) / FILE).is_file():
            return
        entries = [self.token(line) for line in read_vocabulary(Path(dir_path) / FILE)]
        count = len(self._special)
        tokens = entries[count:] if entries[:count] == self._special else entries
        self._check(tokens)
        self._replace(tokens)


def read_vocabulary(file: Path) -> list[str]:
    """The lines of a file, without empty ones at its end."""
    lines = file.read_text("utf-8").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]

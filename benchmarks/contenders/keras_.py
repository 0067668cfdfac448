"""Keras on TensorFlow or on JAX, through `fit` and `predict`."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import work as bench


def setup(flavour: str, threads: int) -> None:
    os.environ.update(KERAS_BACKEND=flavour, TF_CPP_MIN_LOG_LEVEL="3")
    if flavour == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    global keras, keras_words
    import keras
    import keras_words


def versions() -> dict[str, str]:
    engine = keras.backend.backend()
    names = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",)}[engine]
    return {"keras": version("keras"), engine: _first_version(names)}


def _first_version(names: tuple[str, ...]) -> str:
    from importlib.metadata import PackageNotFoundError

    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "?"


def _ways(make: Callable[..., Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """TensorFlow runs a step with its own kernels or compiles it by XLA; JAX always compiles."""
    if keras.backend.backend() == "jax":
        return {"jit": make()}
    return {"graph": make(jit_compile=False), "XLA": make(jit_compile=True)}


def train(work: bench.Work) -> dict[str, Callable[[], Any]]:
    return _ways(lambda **compiling: keras_words.train(keras, work, **compiling))


def predict(work: bench.Work) -> dict[str, Callable[[], Any]]:
    def finish(tensor: Any) -> Any:
        return tensor.block_until_ready() if hasattr(tensor, "block_until_ready") else tensor

    if work.call == "model":
        return {"model(x)": keras_words.predict(keras, work, finish)}
    return _ways(lambda **compiling: keras_words.predict(keras, work, finish, **compiling))


def to_numpy(result: Any) -> Any:
    return keras.ops.convert_to_numpy(result) if keras.ops.is_tensor(result) else result


def reach(folder: str, work: bench.Work, seed: int) -> tuple[int, float]:
    return keras_words.reach(keras, bench.mnist(folder, work.examples), work, seed)

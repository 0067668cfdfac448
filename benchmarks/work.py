"""What is measured: a table of works, each the same arithmetic for every contender, and the data they share.

A work names the function of a contender that does it (`kind`) and that function's arguments; `amount` is how many of
`unit` one call brings, `flops` and `bytes` what it costs at least, from which the share of the machine's peak follows.
Operations count as executed by the plain algorithm: a multiplication and an addition are two, padded zeros included.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

MB16 = 1 << 22  # float32 numbers in 16 MB

# Kernels of the guide's networks, in Keras' order and layout; every one is followed by its bias.
KERNELS = {
    "cnn": [(3, 3, 1, 32), (3, 3, 32, 64), (3, 3, 64, 64), (576, 64), (64, 10)],
    "mlp": [(784, 128), (128, 64), (64, 10)],
}
INPUTS = {"cnn": (28, 28, 1), "mlp": (784,), "resnet20": (32, 32, 3)}


@dataclass(frozen=True)
class Work:
    name: str
    group: str
    kind: str
    unit: str
    amount: float = 1.0
    flops: float = 0.0
    bytes: float = 0.0
    threads: int | None = None  # where they are part of the work; otherwise those of the run
    goals: dict[str, float] = field(default_factory=dict)  # {peer, or "best": how many times as fast}
    share: float = 0.0  # of the peak: another goal
    arguments: dict[str, Any] = field(default_factory=dict)
    backend: str = ""  # Layerwise's, where it is part of the work

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["arguments"][name]
        except KeyError:
            raise AttributeError(f"work {self.__dict__.get('name')!r} has no {name!r}") from None


# The table ------------------------------------------------------------------------------------------------------------


def works(quick: bool = False) -> list[Work]:
    """Every work, in the order of the table; `quick` ones do so little that their figures mean nothing."""
    return [
        *(_train("cnn", batch, 512 if quick else 12_800, {"best": goal}) for batch, goal in ((128, 2.5), (32, 3.5))),
        *(_train("mlp", batch, 512 if quick else 25_600, {"best": 1.6}) for batch in (32, 128)),
        *(_train("mlp", batch, 512 if quick else 25_600, noise=True) for batch in (32, 128)),
        _train("resnet20", 128, 128 if quick else 1_280, {"best": 1.3}),
        *_predictions(256 if quick else 5_120),
        *_convolutions(),
        *_products(),
        *_memory_bound(),
        *(_train("cnn", 128, 512 if quick else 12_800, group="threads", threads=threads) for threads in (1, 2)),
        *(_on_xla("mlp", batch, 512 if quick else 57_600) for batch in (32, 128)),
        *(_on_xla("cnn", batch, 512 if quick else 2_560) for batch in (32, 128)),
        _mnist(0.5, 2_000) if quick else _mnist(0.99, 60_000),
    ]  # fmt: skip


def _train(
    model: str, batch: int, examples: int, goals: dict | None = None, group: str = "train", threads: int | None = None,
    noise: bool = False,
) -> Work:
    """`noise` has no zeros, and nothing to learn."""
    name = f"train {model}{' on noise' if noise else ''}, batch {batch}" + (f", threads {threads}" if threads else "")
    arguments = {"model": model, "batch": batch, "examples": examples}
    if model in KERNELS and not noise and (folder := mnist_folder()):
        arguments["folder"] = str(folder)
    flops = 2 * training_products(model) * examples
    return Work(name, group, "train", "examples/s", examples, flops, 0, threads, goals or {}, 0, arguments)


def _on_xla(model: str, batch: int, examples: int) -> Work:
    """`fit` on the XLA backend beside JAX's own functions, compiled for a step, or an epoch if that is faster."""
    work = _train(model, batch, examples, {"JAX, step by step": 0.91}, group="xla")
    return replace(work, name=f"train {model} on XLA, batch {batch}", backend="xla")


def _mnist(target: float, examples: int) -> Work:
    arguments = {"target": target, "examples": examples, "epochs": 20}
    name = f"process start to {target:.0%} on MNIST"
    return Work(name, "mnist", "reach", "s", goals={"best": 2}, arguments=arguments)


def _predictions(examples: int) -> list[Work]:
    def predict(name: str, unit: str, call: str, batch: int, count: int, goals: dict[str, float]) -> Work:
        arguments = {"model": "cnn", "call": call, "batch": batch, "examples": count}
        flops = 2 * sum(products("cnn")) * count
        return Work(name, "predict", "predict", unit, count, flops, goals=goals, arguments=arguments)

    return [
        predict("cnn model(x), batch 1", "µs", "model", 1, 1, {"PyTorch": 3}),
        predict("cnn predict(x), batch 1", "µs", "predict", 1, 1, {"PyTorch": 3}),
        predict("cnn predict, batch 256", "examples/s", "predict", 256, examples, {"PyTorch": 3, "ONNX Runtime": 1}),
    ]


def _convolutions() -> list[Work]:
    found = []
    for size, inner, outer, batch, padding, share in (
        (13, 32, 64, 128, "valid", 0.7),
        (5, 64, 64, 128, "valid", 0.7),
        (56, 64, 64, 32, "same", 0),
        (28, 128, 128, 16, "same", 0),
        (14, 256, 256, 16, "same", 0),
    ):
        out = size if padding == "same" else size - 2
        flops = 2 * batch * out**2 * 9 * inner * outer
        for what in ("forward", "kernel gradient", "input gradient"):
            arguments = {
                "what": what, "x": (batch, size, size, inner), "w": (3, 3, inner, outer), "y": (batch, out, out, outer),
                "padding": padding,
            }  # fmt: skip
            found.append(
                Work(
                    f"conv {size}x{size} {inner}->{outer}, batch {batch}: {what}", "conv", "conv", "GFLOP/s",
                    flops / 1e9, flops, goals={"PyTorch": 1}, share=share, arguments=arguments,
                )
            )  # fmt: skip
    return found


def _products() -> list[Work]:
    return [
        Work(
            f"matmul {m}x{k}x{n} {'T' if a else 'N'}{'T' if b else 'N'}", "matmul", "matmul", "GFLOP/s",
            2e-9 * m * k * n, 2 * m * k * n, goals={"NumPy": 1, "PyTorch": 1},
            arguments={"a": (k, m) if a else (m, k), "b": (n, k) if b else (k, n), "transposed": (a, b)},
        )
        for m, k, n in ((512,) * 3, (1024,) * 3, (2048,) * 3, (4096, 784, 128))
        for a in (False, True)
        for b in (False, True)
    ]  # fmt: skip


def _memory_bound() -> list[Work]:
    """Forward and backward; the bytes are each tensor's once: x, y; then g, x or y, dx. A pooled one has a quarter."""
    image, rows = (128, 32, 32, 32), (8192, 512)
    return [
        Work(
            f"{name}, 16 MB, forward and backward", "memory", "operation", "GB/s", tensors * MB16 * 4e-9,
            bytes=tensors * MB16 * 4, goals={"PyTorch": 1.5}, arguments={"operation": name, "x": x, "y": y},
        )
        for name, x, y, tensors in (
            ("batch_norm", image, image, 5),
            ("layer_norm", rows, rows, 5),
            ("softmax", rows, rows, 5),
            ("gelu", rows, rows, 5),
            ("max_pool", image, (128, 16, 16, 32), 2.5),
        )
    ]  # fmt: skip


# What the networks cost -----------------------------------------------------------------------------------------------


def products(model: str) -> list[int]:
    """Multiplications of one example on its way forward, layer by layer."""
    if model == "mlp":
        return [math.prod(shape) for shape in KERNELS["mlp"]]
    if model == "cnn":
        positions = [26 * 26, 11 * 11, 3 * 3, 1, 1]
        return [n * math.prod(shape) for n, shape in zip(positions, KERNELS["cnn"])]
    found, inner = [32 * 32 * 9 * 3 * 16], 16
    for size, channels in ((32, 16), (16, 32), (8, 64)):
        found += [size**2 * 9 * inner * channels] + [size**2 * 9 * channels**2] * 5
        if inner != channels:
            found.append(size**2 * inner * channels)  # the shortcut's projection
        inner = channels
    return [*found, 640]


def training_products(model: str) -> int:
    """Forward, gradient by the kernels, gradient by the inputs; the last is not wanted for the data itself."""
    forward = products(model)
    return 3 * sum(forward) - forward[0]


# Data -----------------------------------------------------------------------------------------------------------------


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape, "float32")


def examples(work: Work) -> tuple[np.ndarray, np.ndarray]:
    """Inputs in 0..1 (channels last) and labels: MNIST's where the work names its folder, otherwise noise."""
    if folder := work.arguments.get("folder"):
        (x, y), _ = mnist(folder, work.examples)
        return x.reshape(-1, *INPUTS[work.model]).astype("float32") / 255, y
    rng = np.random.default_rng(0)
    x = rng.random((work.examples, *INPUTS[work.model]), "float32")
    return x, rng.integers(0, 10, work.examples, dtype="int32")


def weights(model: str, seed: int = 0) -> list[np.ndarray]:
    """Kernels and biases, in Keras' order and layout, for every contender the same."""
    rng, found = np.random.default_rng(seed), []
    for shape in KERNELS[model]:
        limit = math.sqrt(6 / (math.prod(shape[:-1]) + math.prod(shape[:-2]) * shape[-1]))
        found += [rng.uniform(-limit, limit, shape).astype("float32"), np.zeros(shape[-1], "float32")]
    return found


def weights_channels_first(model: str) -> list[np.ndarray]:
    """The same numbers as (out, in, height, width) and (out, in) kernels, for flattened images with channels first."""
    found = weights(model)
    for i in range(0, len(found), 2):
        if found[i].ndim == 4:
            found[i] = found[i].transpose(3, 2, 0, 1)
        elif i and found[i - 2].ndim == 4:
            channels = len(found[i - 1])
            found[i] = found[i].reshape(-1, channels, found[i].shape[1]).transpose(2, 1, 0).reshape(-1, len(found[i]))
        else:
            found[i] = found[i].T
    return [np.ascontiguousarray(w) for w in found]


def mnist_folder() -> Path | None:
    """The folder with MNIST's IDX files, where there is one."""
    for folder in (os.environ.get("LAYERWISE_TEST_DATA"), Path(__file__).resolve().parents[2] / "shared" / "data"):
        if folder and (Path(folder) / "mnist" / "train-images-idx3-ubyte.gz").exists():
            return Path(folder).resolve() / "mnist"
    return None


def mnist(folder: str, examples: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """(images of uint8, labels) for training, the first `examples` of them, and for the test."""

    def read(name: str) -> np.ndarray:
        data = gzip.decompress((Path(folder) / f"{name}.gz").read_bytes())
        start = 4 + 4 * data[3]
        return np.frombuffer(data, np.uint8, offset=start).reshape(struct.unpack(f">{data[3]}I", data[4:start]))

    def pair(name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        images = read(f"{name}-images-idx3-ubyte")[:count, ..., None]
        return images, read(f"{name}-labels-idx1-ubyte")[:count].astype("int32")

    return pair("train", examples), pair("t10k", 10_000)

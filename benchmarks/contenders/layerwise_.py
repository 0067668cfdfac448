"""Layerwise through its public functions; single convolutions and products through its backend's."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import keras_words
import work as bench

import layerwise as lw
from layerwise import config
from layerwise.backends import Window, backend
from layerwise.variables import StepFunction


def setup(flavour: str, threads: int) -> None:
    if flavour:
        config.set_backend(flavour)
    config.set_num_threads(threads)


def versions() -> dict[str, str]:
    return {"layerwise": f"{lw.__version__} ({config.backend()} backend)", "numpy": version("numpy")}


def to_numpy(result: Any) -> Any:
    return result.numpy() if hasattr(result, "numpy") else result


def train(work: bench.Work) -> dict[str, Callable[[], Any]]:
    return {"fit": keras_words.train(lw, work, lw.ops.array)}


def predict(work: bench.Work) -> dict[str, Callable[[], Any]]:
    return {work.call: keras_words.predict(lw, work, finish=lambda tensor: tensor)}


def conv(work: bench.Work) -> dict[str, Callable[[], Any]]:
    machine = backend()
    x, w, g = (machine.array(bench.normal(*shape)) for shape in (work.x, work.w, work.y))
    window = Window.of(w.shape[:2], (1, 1), work.padding, (1, 1), spatial=x.shape[1:3])
    ways = {
        "forward": lambda: machine.numpy(machine.conv(x, w, None, window, None)),
        "kernel gradient": lambda: machine.numpy(machine.conv_grad_w(x, g, w.shape, window)),
        "input gradient": lambda: machine.numpy(machine.conv_grad_x(g, w, x.shape, window)),
    }
    return {"backend": ways[work.what]}


def matmul(work: bench.Work) -> dict[str, Callable[[], Any]]:
    machine = backend()
    a, b = (machine.array(bench.normal(*shape)) for shape in (work.a, work.b))
    a, b = a.T if work.transposed[0] else a, b.T if work.transposed[1] else b
    return {"backend": lambda: machine.numpy(machine.matmul(a, b))}


def operation(work: bench.Work) -> dict[str, Callable[[], Any]]:
    function = {
        "batch_norm": lambda: lw.layers.BatchNormalization(epsilon=1e-3),
        "layer_norm": lambda: lw.layers.LayerNormalization(epsilon=1e-3),
        "softmax": lambda: lw.ops.softmax,
        "gelu": lambda: lambda x: lw.ops.gelu(x, approximate=False),
        "max_pool": lambda: lambda x: lw.ops.max_pool(x, 2),
    }[work.operation]()
    arguments = {"training": True} if work.operation == "batch_norm" else {}
    x, g = lw.Variable(bench.normal(*work.x)), lw.ops.array(bench.normal(*work.y))
    function(x, **arguments)  # layers build

    def differentiate(x: Any, g: Any) -> Any:
        with lw.GradientTape() as tape:
            tape.watch(x)
            y = function(x, **arguments)
        return tape.gradient(y, [x, *getattr(function, "trainable_variables", [])], output_gradients=g)[0]

    step = StepFunction(differentiate, getattr(function, "variables", []))
    return {"tape": lambda: differentiate(x, g), "step": lambda: step(x.value, g)}


def reach(folder: str, work: bench.Work, seed: int) -> tuple[int, float]:
    train, test = lw.datasets.mnist.load_data(folder)

    def ready(images: Any, labels: Any) -> tuple[Any, Any]:
        return images[: work.examples, ..., None], labels[: work.examples]

    return keras_words.reach(lw, (ready(*train), ready(*test)), work, seed)

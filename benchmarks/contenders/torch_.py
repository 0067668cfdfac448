"""PyTorch, eager or compiled, plain or with channels last: the training loop of its tutorials, without waste."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
import work as bench
from torch import nn
from torch.nn import functional as F

compiled = False
LAYOUTS = {"plain": torch.contiguous_format, "channels last": torch.channels_last}


def setup(flavour: str, threads: int) -> None:
    global compiled
    compiled = flavour == "compile"
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # no compiler processes that stay
    torch.set_num_threads(threads)
    torch.manual_seed(0)


def versions() -> dict[str, str]:
    return {"torch": version("torch")}


def to_numpy(result: Any) -> Any:
    return result.detach().numpy() if isinstance(result, torch.Tensor) else result


# Networks -------------------------------------------------------------------------------------------------------------


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10),
    )  # fmt: skip


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


class Block(nn.Module):
    def __init__(self, inner: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(inner, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels))
        self.conv2 = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))
        self.shortcut = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inner, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.shortcut(x))


def resnet20() -> nn.Module:
    shapes = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *(Block(*shape) for shape in shapes),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def build(name: str, layout: torch.memory_format) -> nn.Module:
    model = {"cnn": cnn, "mlp": mlp, "resnet20": resnet20}[name]()
    if name in bench.KERNELS:
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), bench.weights_channels_first(name), strict=True):
                parameter.copy_(torch.from_numpy(value))
    return model if name == "mlp" else model.to(memory_format=layout)


def channels_first(x: np.ndarray, layout: torch.memory_format) -> torch.Tensor:
    tensor = torch.from_numpy(x)
    return tensor.permute(0, 3, 1, 2).contiguous(memory_format=layout) if x.ndim == 4 else tensor


def in_floats(x: torch.Tensor) -> torch.Tensor:
    return x.float().div_(255) if x.dtype == torch.uint8 else x


def layouts(model: str) -> Iterator[tuple[str, torch.memory_format]]:
    yield from LAYOUTS.items() if model != "mlp" else [("plain", torch.contiguous_format)]


def optimizer(model: nn.Module, name: str) -> torch.optim.Optimizer:
    if name == "resnet20":
        return torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, fused=True)
    return torch.optim.Adam(model.parameters(), fused=True)


# Works ----------------------------------------------------------------------------------------------------------------


def train(work: bench.Work) -> dict[str, Callable[[], Any]]:
    images, labels = bench.examples(work)
    return {
        name: trainer(build(work.model, layout), work.model, images, labels, work.batch, layout)
        for name, layout in layouts(work.model)
    }


def trainer(
    model: nn.Module, name: str, images: np.ndarray, labels: np.ndarray, batch: int, layout: torch.memory_format
) -> Callable[[], Any]:
    """One epoch: a new order, batches gathered, and the loss and accuracy of what was seen."""
    y, descent = torch.from_numpy(labels).long(), optimizer(model, name)
    last = images.ndim == 4 and layout is torch.channels_last  # gathered as it is, then permuted
    x = torch.from_numpy(images) if last else channels_first(images, layout)

    def forward(xs: torch.Tensor, ys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits = model(xs)
        return F.cross_entropy(logits, ys), (logits.argmax(1) == ys).sum()

    step = torch.compile(forward) if compiled else forward

    def epoch() -> tuple[float, float]:
        model.train()
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for indices in torch.randperm(len(y)).split(batch):
            xs = in_floats(x.index_select(0, indices))
            loss, right = step(xs.permute(0, 3, 1, 2) if last else xs, y[indices])
            descent.zero_grad()
            loss.backward()
            descent.step()
            total += loss.detach() * len(indices)
            correct += right
        return total.item() / len(y), correct.item() / len(y)

    return epoch


def predict(work: bench.Work) -> dict[str, Callable[[], Any]]:
    x, _ = bench.examples(work)
    return {name: predictor(work, x, layout) for name, layout in layouts(work.model)}


def predictor(work: bench.Work, x: np.ndarray, layout: torch.memory_format) -> Callable[[], Any]:
    model = nn.Sequential(build(work.model, layout), nn.Softmax(-1)).eval()
    model = torch.compile(model) if compiled else model
    tensor = channels_first(x, layout)

    @torch.inference_mode()
    def call() -> torch.Tensor:
        return model(tensor)

    @torch.inference_mode()
    def arrays() -> np.ndarray:
        parts = [model(channels_first(x[i : i + work.batch], layout)) for i in range(0, len(x), work.batch)]
        return torch.cat(parts).numpy()

    return call if work.call == "model" else arrays


def conv(work: bench.Work) -> dict[str, Callable[[], Any]]:
    return {} if compiled else {name: convolution(work, layout) for name, layout in LAYOUTS.items()}


def convolution(work: bench.Work, layout: torch.memory_format) -> Callable[[], Any]:
    x, g = channels_first(bench.normal(*work.x), layout), channels_first(bench.normal(*work.y), layout)
    w = torch.from_numpy(bench.normal(*work.w).transpose(3, 2, 0, 1)).contiguous(memory_format=layout)
    padding = 1 if work.padding == "same" else 0
    if work.what == "forward":
        return lambda: F.conv2d(x, w, None, 1, padding)
    by_kernel = work.what == "kernel gradient"
    wanted = [not by_kernel, by_kernel, False]
    backward = torch.ops.aten.convolution_backward
    geometry = ([1, 1], [padding] * 2, [1, 1], False, [0, 0], 1)
    return lambda: backward(g, x, w, None, *geometry, wanted)[1 if by_kernel else 0]


def matmul(work: bench.Work) -> dict[str, Callable[[], Any]]:
    if compiled:
        return {}
    a, b = (torch.from_numpy(bench.normal(*shape)) for shape in (work.a, work.b))
    a, b = a.T if work.transposed[0] else a, b.T if work.transposed[1] else b
    return {"matmul": lambda: a @ b}


def operation(work: bench.Work) -> dict[str, Callable[[], Any]]:
    image = len(work.x) == 4
    return {name: forward_backward(work, layout) for name, layout in layouts("cnn" if image else "mlp")}


def forward_backward(work: bench.Work, layout: torch.memory_format) -> Callable[[], Any]:
    x, g = channels_first(bench.normal(*work.x), layout), channels_first(bench.normal(*work.y), layout)
    channels = work.x[-1]
    gamma, beta = torch.ones(channels, requires_grad=True), torch.zeros(channels, requires_grad=True)
    mean, variance = torch.zeros(channels), torch.ones(channels)
    function, sources = {
        "batch_norm": (lambda: F.batch_norm(x, mean, variance, gamma, beta, True, 0.01, 1e-3), [x, gamma, beta]),
        "layer_norm": (lambda: F.layer_norm(x, (channels,), gamma, beta, 1e-3), [x, gamma, beta]),
        "softmax": (lambda: F.softmax(x, -1), [x]),
        "gelu": (lambda: F.gelu(x), [x]),
        "max_pool": (lambda: F.max_pool2d(x, 2), [x]),
    }[work.operation]
    x.requires_grad_()
    function = torch.compile(function) if compiled else function
    return lambda: torch.autograd.grad(function(), sources, g)[0]


def reach(folder: str, work: bench.Work, seed: int) -> tuple[int, float]:
    torch.manual_seed(seed)
    train_data, test_data = bench.mnist(folder, work.examples)
    model = cnn()
    epoch_of = trainer(model, "cnn", *train_data, 128, torch.contiguous_format)
    x, y = channels_first(test_data[0], torch.contiguous_format), torch.from_numpy(test_data[1]).long()
    accuracy, epoch = 0.0, 0
    while accuracy < work.target and epoch < work.epochs:
        epoch += 1
        epoch_of()
        model.eval()
        with torch.inference_mode():
            right = [(model(in_floats(xs)).argmax(1) == ys).sum().item() for xs, ys in zip(x.split(256), y.split(256))]
        accuracy = sum(right) / len(y)
    return epoch, accuracy

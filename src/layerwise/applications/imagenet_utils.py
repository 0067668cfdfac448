"""What the networks trained on ImageNet share: their inputs, their heads, their weights, and what outputs mean."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import config, layers, ops, tree
from ..autograd import Tensor
from ..datasets.sources import obtain
from ..layers.core import InputLayer
from ..lazy import public_only
from ..models import Model
from ..naming import expect, one_of
from ..variables import deferred_initializers

__all__ = ["decode_predictions", "preprocess_input"]
public_only(__name__)

CLASSES = 1000
SMALLEST, USUAL = 32, 224  # pixels along each side of an image
CLASS_INDEX = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
CLASS_INDEX_MD5 = "c2c37ea517e94d9795004a39431a14cb"
MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet's pixels, 0 to 255: blue, green, red
MEAN_RGB, DEVIATION_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of its pixels from 0 to 1

Weights = dict[bool, tuple[str, str]]  # with its head or without: (address, MD5)


def application(
    network: Callable[[Tensor], Tensor],
    pretrained: Weights,
    *,
    include_top: bool,
    weights: str | os.PathLike[str] | None,
    input_tensor: Tensor | None,
    input_shape: tuple[int | None, ...] | None,
    classes: int,
    name: str,
) -> Model:
    """The model of `network`, a function of the image; the other arguments are those of every application."""
    kind = network.__qualname__.partition(".")[0]
    if weights not in (None, "imagenet") and not os.path.exists(weights):
        raise ValueError(f"{kind}: weights: got {weights!r}, expected None, 'imagenet' or the path of a file")
    if weights == "imagenet" and include_top and classes != CLASSES:
        raise ValueError(f"{kind}: classes: got {classes} with weights='imagenet', whose head knows {CLASSES}")
    shape = _input_shape(kind, input_shape, include_top, weights)
    x = layers.Input(shape) if input_tensor is None else input_tensor
    with deferred_initializers() if weights is not None else contextlib.nullcontext():
        model = Model(source_inputs(x), network(x), name=name)
        if weights == "imagenet":
            url, md5 = pretrained[include_top]
            weights = obtain(url.rpartition("/")[2], url, md5=md5, kind="models")
        if weights is not None:
            model.load_weights(weights)
    return model


def _input_shape(kind: str, shape: Any, include_top: bool, weights: Any) -> tuple[int | None, ...]:
    """The shape of an image, channels last or first as configured."""
    first = config.image_data_format() == "channels_first"
    usual = (3, USUAL, USUAL) if first else (USUAL, USUAL, 3)
    anything = (3, None, None) if first else (None, None, 3)
    if shape is None:
        return usual if include_top else anything
    expect(f"{kind}: input_shape", shape, len(shape) == 3, f"three numbers such as {usual}")
    if weights == "imagenet" and include_top and tuple(shape) != usual:
        raise ValueError(f"{kind}: input_shape: got {tuple(shape)} with weights='imagenet', whose head needs {usual}")
    sides, channels = (shape[1:], shape[0]) if first else (shape[:2], shape[2])
    if weights == "imagenet" and channels != 3:
        raise ValueError(f"{kind}: input_shape: got {channels} channels with weights='imagenet', which need 3")
    large = all(n is None or n >= SMALLEST for n in sides)
    expect(f"{kind}: input_shape", tuple(shape), large, f"images of at least {SMALLEST} x {SMALLEST}")
    if include_top and None in sides:
        raise ValueError(f"{kind}: input_shape: got {tuple(shape)}, expected known sizes with include_top=True")
    return tuple(shape)


def source_inputs(x: Tensor) -> Any:
    """The inputs that a symbolic Tensor is computed from."""
    found: dict[int, Tensor] = {}
    waiting = [x]
    while waiting:
        tensor = waiting.pop()
        call = tensor.history
        if call is None or isinstance(call.operation, InputLayer):
            found[id(tensor)] = tensor
        else:
            waiting += [t for t in tree.flatten((call.args, call.kwargs)) if type(t) is Tensor and t.symbolic]
    inputs = list(found.values())
    return inputs[0] if len(inputs) == 1 else inputs


def pooled(x: Tensor, pooling: str | None, names: dict[str, str] | None = None) -> Tensor:
    """Features without a head: as they are, or one number a channel, their mean ("avg") or the largest ("max")."""
    one_of("pooling", pooling, None, "avg", "max")
    if pooling is None:
        return x
    kind = layers.GlobalAveragePooling2D if pooling == "avg" else layers.GlobalMaxPooling2D
    return kind(name=(names or {}).get(pooling))(x)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """y = what a network was trained on, from RGB pixels of 0 to 255; an array or a Tensor, never changed in place

    Args:
        x: one image or a batch of them.
        data_format: "channels_last" or "channels_first", by default as configured.
        mode: "caffe": BGR minus the mean of ImageNet; "tf": [-1, 1]; "torch": [0, 1], then normalised a channel.

    >>> preprocess_input(np.array([[[255.0, 0.0, 127.5]]]), mode="tf")
    array([[[ 1., -1.,  0.]]])
    """
    one_of("preprocess_input: mode", mode, "caffe", "tf", "torch")
    data_format = config.checked_data_format(data_format or None, "preprocess_input: data_format")
    if type(x) is Tensor:
        x = x if "float" in x.dtype else ops.cast(x, config.floatx())
    else:
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(config.floatx())
    dtype = str(x.dtype)
    axis = -1 if data_format == "channels_last" else -3

    def channels(values: tuple[float, ...]) -> np.ndarray:
        return np.asarray(values, dtype).reshape((3,) + (1,) * (-axis - 1))

    if mode == "tf":
        return x / 127.5 - 1.0
    if mode == "torch":
        return (x / 255.0 - channels(MEAN_RGB)) / channels(DEVIATION_RGB)
    backwards = (..., slice(None, None, -1), *(slice(None),) * (-axis - 1))
    return x[backwards] - channels(MEAN_BGR)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """For each row of probabilities (n, 1000) the `top` best classes: (WordNet's id, name, probability).

    The names are downloaded once (35 KB).

    >>> decode_predictions(np.zeros((1, 10)))
    Traceback (most recent call last):
    ValueError: decode_predictions: got shape (1, 10), expected (n, 1000), the output of a network with ImageNet's head
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != CLASSES:
        raise ValueError(
            f"decode_predictions: got shape {preds.shape}, expected (n, {CLASSES}), "
            "the output of a network with ImageNet's head"
        )
    path = obtain("imagenet_class_index.json", CLASS_INDEX, md5=CLASS_INDEX_MD5, kind="models")
    index = json.loads(Path(path).read_text("utf-8"))
    best = np.argsort(preds, axis=1)[:, : -top - 1 : -1]
    return [[(*index[str(i)], row[i]) for i in chosen] for row, chosen in zip(preds, best, strict=True)]

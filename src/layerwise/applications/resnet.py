"""ResNet50: stacks of bottleneck blocks, each adding to what it was given."""

import os
from typing import Any

from .. import config, layers
from ..autograd import Tensor
from ..lazy import public_only
from ..models import Model
from .imagenet_utils import application, decode_predictions, pooled, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
public_only(__name__)

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
_WEIGHTS = {
    True: (f"{_URL}resnet50_weights_tf_dim_ordering_tf_kernels.h5", "2cb95161c43110f7111970584f804107"),
    False: (f"{_URL}resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"),
}
_STACKS = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # filters, blocks, stride of the first


def ResNet50(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Tensor | None = None,
    input_shape: tuple[int | None, ...] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Model:
    """ResNet50 for images of 0 to 255 that `preprocess_input` has prepared: 25,636,712 parameters.

    Args:
        include_top: whether to end with the classes, or with the features of the last block.
        weights: "imagenet" (98 MB, without the top 90 MB, downloaded once), the path of a weights file, or None for
            random ones.
        input_tensor: a symbolic Tensor to use as the image.
        input_shape: of an image; (224, 224, 3) with the top and ImageNet's weights, else at least 32 x 32.
        pooling: without the top: None, "avg" or "max", over all positions.
        classes, classifier_activation: of the top's last layer.
        name: of the model.

    Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", 2015, arXiv:1512.03385.

    >>> from layerwise.applications import ResNet50
    >>> ResNet50(weights=None, include_top=False, pooling="avg").output_shape
    (None, 2048)
    """

    def network(x: Tensor) -> Tensor:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = _normalized(x, 64, 7, "conv1", strides=2)
        x = layers.Activation("relu", name="conv1_relu")(x)
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
        for number, (filters, blocks, stride) in enumerate(_STACKS, 2):
            x = _bottleneck(x, filters, f"conv{number}_block1", stride, project=True)
            for i in range(2, blocks + 1):
                x = _bottleneck(x, filters, f"conv{number}_block{i}")
        if not include_top:
            return pooled(x, pooling, {"avg": "avg_pool", "max": "max_pool"})
        x = pooled(x, "avg", {"avg": "avg_pool"})
        return layers.Dense(classes, activation=classifier_activation, name="predictions")(x)

    return application(
        network, _WEIGHTS, include_top=include_top, weights=weights, input_tensor=input_tensor,
        input_shape=input_shape, classes=classes, name=name,
    )  # fmt: skip


def _bottleneck(x: Tensor, filters: int, name: str, stride: int = 1, project: bool = False) -> Tensor:
    """relu(x + f(x)), where f narrows to `filters` channels, looks around 3 x 3, and widens to four times as many.

    With `project` a 1 x 1 convolution brings x to the shape of f(x).
    """
    shortcut = _normalized(x, 4 * filters, 1, f"{name}_0", strides=stride) if project else x
    x = _normalized(x, filters, 1, f"{name}_1", strides=stride)
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = _normalized(x, filters, 3, f"{name}_2", padding="same")
    x = layers.Activation("relu", name=f"{name}_2_relu")(x)
    x = _normalized(x, 4 * filters, 1, f"{name}_3")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def _normalized(x: Tensor, filters: int, size: int, name: str, **options: Any) -> Tensor:
    """A convolution and its batch normalisation."""
    axis = 1 if config.image_data_format() == "channels_first" else 3
    x = layers.Conv2D(filters, size, name=f"{name}_conv", **options)(x)
    return layers.BatchNormalization(axis=axis, epsilon=1.001e-5, name=f"{name}_bn")(x)

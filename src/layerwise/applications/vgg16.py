"""VGG16: five blocks of 3 x 3 convolutions, then three dense layers."""

import os
from typing import Any

from .. import layers
from ..autograd import Tensor
from ..lazy import public_only
from ..models import Model
from .imagenet_utils import application, decode_predictions, pooled, preprocess_input

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
public_only(__name__)

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
_WEIGHTS = {
    True: (f"{_URL}vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b"),
    False: (f"{_URL}vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
}
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # filters, convolutions


def VGG16(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Tensor | None = None,
    input_shape: tuple[int | None, ...] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Model:
    """VGG16 for images of 0 to 255 that `preprocess_input` has prepared: 138,357,544 parameters.

    Args:
        include_top: whether to end with the dense layers, or with the features of the last block.
        weights: "imagenet" (528 MB, without the top 56 MB, downloaded once), the path of a weights file, or None for
            random ones.
        input_tensor: a symbolic Tensor to use as the image.
        input_shape: of an image; (224, 224, 3) with the top and ImageNet's weights, else at least 32 x 32.
        pooling: without the top: None, "avg" or "max", over all positions.
        classes, classifier_activation: of the top's last layer.
        name: of the model.

    Source: K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015,
    arXiv:1409.1556.

    >>> model = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    >>> model.output_shape, model.count_params()
    ((None, 1, 1, 512), 14714688)
    """

    def network(x: Tensor) -> Tensor:
        for number, (filters, convolutions) in enumerate(_BLOCKS, 1):
            x = _block(x, number, filters, convolutions)
        if not include_top:
            return pooled(x, pooling)
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        return layers.Dense(classes, activation=classifier_activation, name="predictions")(x)

    return application(
        network, _WEIGHTS, include_top=include_top, weights=weights, input_tensor=input_tensor,
        input_shape=input_shape, classes=classes, name=name,
    )  # fmt: skip


def _block(x: Tensor, number: int, filters: int, convolutions: int) -> Tensor:
    for i in range(1, convolutions + 1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{number}_conv{i}")(x)
    return layers.MaxPooling2D(2, strides=2, name=f"block{number}_pool")(x)

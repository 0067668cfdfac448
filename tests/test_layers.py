"""Every layer against Keras on JAX with the same weights: output, gradients, state, configuration, names, shapes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise import GradientTape, layers, ops, random, tree
from layerwise.autograd import Spec, Tensor

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras

pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype", "ignore:You passed `rms_scaling")
RNG = np.random.default_rng(11)


@dataclass
class Case:
    """A layer with arguments, the shape (or list of shapes) that it is called on, and how."""

    layer: str
    shape: Any
    arguments: dict[str, Any] = field(default_factory=dict)
    training: bool | None = None
    mask: Any = None
    tolerance: float = 1e-5

    def __str__(self) -> str:
        options = [f"{k}={v}" for k, v in self.arguments.items()]
        options += [f"training={self.training}"] * (self.training is not None) + ["mask"] * (self.mask is not None)
        return "-".join([self.layer, *options]).replace(" ", "")[:90]


CASES: list[Case] = []


def case(layer: str, shape: Any, *, training: Any = None, mask: Any = None, tolerance: float = 1e-5, **args: Any):
    CASES.append(Case(layer, shape, args, training, mask, tolerance))


# Dense and what only rearranges

case("Dense", (2, 3), units=4)
case("Dense", (2, 3, 2), units=3, activation="relu", use_bias=False)
case("Dense", (3, 2), units=2, activation="softmax", kernel_regularizer="l2", bias_regularizer="l1")
case("Dense", (3, 2), units=2, activation="tanh", kernel_constraint="max_norm", bias_constraint="non_neg")
case("Dense", (3, 2), units=2, activation="sigmoid", activity_regularizer="l2", kernel_initializer="he_normal")
case("Dense", (3, 2), units=2, dtype="float64", bias_initializer="ones")
case("Dense", (3, 2), units=2, dtype="float16", tolerance=5e-3)
case("Dense", (3, 2), units=2, dtype="mixed_float16", tolerance=5e-3)
case("Dense", (3, 2), units=2, trainable=False)
case("EinsumDense", (2, 3), equation="ab,bc->ac", output_shape=4, bias_axes="c", activation="relu")
case("EinsumDense", (2, 5, 3), equation="abc,cde->abde", output_shape=(5, 2, 4), bias_axes="de")
case("EinsumDense", (2, 5, 2, 3), equation="abcd,cde->abe", output_shape=(5, 4), bias_axes="e", bias_regularizer="l2")
case("EinsumDense", (2, 5, 3), equation="...x,xy->...y", output_shape=4, kernel_constraint="non_neg")
case("EinsumDense", (2, 5, 3), equation="ab...,bc->ac...", output_shape=4, bias_axes="c", kernel_regularizer="l1")
case("EinsumDense", (2, 5, 3), equation="abc,cde->abde", output_shape=(5, 2, 4), bias_axes="be", dtype="float64")
case("EinsumDense", (2, 5, 3), equation="...bx,bxy->...by", output_shape=(5, 2), bias_axes="b")
case("Activation", (2, 3), activation="tanh")
case("Activation", (2, 3), activation="gelu")
case("Activation", (2, 3), activation="linear")
case("Identity", (2, 3))
case("Flatten", (2, 3, 2))
case("Flatten", (2, 3, 2, 2), data_format="channels_first")
case("Flatten", (2,))
case("Reshape", (2, 6), target_shape=(3, 2))
case("Reshape", (2, 3, 4), target_shape=(-1, 2))
case("Permute", (2, 3, 4, 2), dims=(2, 3, 1))
case("RepeatVector", (2, 3), n=4)

# Convolution

case("Conv1D", (2, 7, 3), filters=4, kernel_size=3)
case("Conv1D", (2, 7, 2), filters=4, kernel_size=3, padding="causal", dilation_rate=2, activation="relu")
case("Conv1D", (2, 8, 4), filters=6, kernel_size=2, strides=3, padding="same", groups=2, use_bias=False)
case("Conv1D", (2, 3, 7), filters=2, kernel_size=3, data_format="channels_first")
case("Conv2D", (2, 6, 5, 3), filters=4, kernel_size=3)
case("Conv2D", (2, 6, 5, 3), filters=4, kernel_size=(3, 2), strides=2, padding="same", activation="relu")
case("Conv2D", (2, 6, 5, 4), filters=4, kernel_size=(1, 2), strides=(2, 1), groups=2, activation="tanh")
case("Conv2D", (2, 7, 6, 2), filters=3, kernel_size=3, dilation_rate=(2, 1), padding="same", use_bias=False)
case("Conv2D", (2, 3, 6, 5), filters=4, kernel_size=3, data_format="channels_first", padding="same")
case("Conv2D", (2, 5, 5, 2), filters=2, kernel_size=2, kernel_regularizer="l1", kernel_constraint="unit_norm")
case("Conv2D", (2, 5, 5, 2), filters=2, kernel_size=2, activation="sigmoid", activity_regularizer="l1")
case("Conv2D", (2, 5, 5, 2), filters=2, kernel_size=2, dtype="float16", tolerance=2e-2)
case("Conv3D", (1, 4, 4, 3, 2), filters=3, kernel_size=2)
case("Conv3D", (1, 2, 4, 4, 3), filters=2, kernel_size=2, strides=2, padding="same", data_format="channels_first")

case("Conv1DTranspose", (2, 4, 3), filters=2, kernel_size=3, strides=2)
case("Conv1DTranspose", (2, 4, 3), filters=2, kernel_size=3, dilation_rate=2, padding="same", activation="relu")
case("Conv1DTranspose", (2, 3, 4), filters=2, kernel_size=2, strides=3, data_format="channels_first", use_bias=False)
case("Conv2DTranspose", (2, 4, 3, 3), filters=2, kernel_size=3, strides=2, padding="same", activation="sigmoid")
case("Conv2DTranspose", (2, 3, 2, 3), filters=2, kernel_size=(2, 3), strides=(3, 2), output_padding=(2, 0))
case("Conv2DTranspose", (2, 2, 3, 3), filters=3, kernel_size=3, strides=2, padding="same", output_padding=1)
case("Conv2DTranspose", (2, 3, 4, 2), filters=2, kernel_size=2, data_format="channels_first", bias_regularizer="l2")
case("Conv2DTranspose", (1, 3, 3, 2), filters=2, kernel_size=2, dtype="float16", tolerance=2e-2)
case("Conv3DTranspose", (1, 2, 3, 2, 2), filters=2, kernel_size=2, strides=2, kernel_regularizer="l1")
case("DepthwiseConv1D", (2, 7, 3), kernel_size=3, strides=2, padding="same", depth_multiplier=2)
case("DepthwiseConv1D", (2, 3, 7), kernel_size=3, dilation_rate=2, data_format="channels_first", activation="relu")
case("DepthwiseConv2D", (2, 6, 5, 3), kernel_size=3, depthwise_regularizer="l2", activation="tanh")
case("DepthwiseConv2D", (2, 6, 5, 2), kernel_size=(3, 2), strides=2, padding="same", depth_multiplier=3, use_bias=False)
case("DepthwiseConv2D", (2, 5, 5, 2), kernel_size=2, dilation_rate=2, depthwise_constraint="non_neg")
case("SeparableConv1D", (2, 7, 3), filters=4, kernel_size=3, strides=2, padding="same", activation="relu")
case("SeparableConv2D", (2, 6, 5, 3), filters=4, kernel_size=3, depth_multiplier=2, pointwise_regularizer="l2")
case("SeparableConv2D", (2, 3, 6, 5), filters=2, kernel_size=2, data_format="channels_first", use_bias=False)
case("SeparableConv2D", (2, 5, 5, 2), filters=2, kernel_size=2, activity_regularizer="l1", bias_constraint="non_neg")

# Pooling

for kind in ("MaxPooling", "AveragePooling"):
    case(f"{kind}1D", (2, 7, 2), pool_size=2)
    case(f"{kind}1D", (2, 7, 2), pool_size=3, strides=2, padding="same")
    case(f"{kind}2D", (2, 6, 5, 2), pool_size=2)
    case(f"{kind}2D", (2, 6, 5, 2), pool_size=(3, 2), strides=(2, 1), padding="same")
    case(f"{kind}2D", (2, 2, 5, 6), pool_size=3, strides=1, data_format="channels_first")
    case(f"{kind}2D", (2, 2, 5, 6), pool_size=2, padding="same", data_format="channels_first")
    case(f"{kind}3D", (1, 4, 4, 5, 2), pool_size=2, padding="same")
for kind in ("AdaptiveMaxPooling", "AdaptiveAveragePooling"):
    case(f"{kind}1D", (2, 7, 2), output_size=3)
    case(f"{kind}1D", (2, 2, 6), output_size=3, data_format="channels_first")
    case(f"{kind}2D", (2, 5, 6, 2), output_size=(2, 4))
    case(f"{kind}2D", (2, 2, 6, 4), output_size=2, data_format="channels_first")
    case(f"{kind}3D", (1, 3, 5, 4, 2), output_size=(1, 2, 3))
for kind in ("GlobalMaxPooling", "GlobalAveragePooling"):
    case(f"{kind}1D", (2, 4, 3))
    case(f"{kind}1D", (2, 4, 3), data_format="channels_first", keepdims=True)
    case(f"{kind}2D", (2, 4, 3, 2), keepdims=True)
    case(f"{kind}2D", (2, 4, 3, 2), data_format="channels_first")
    case(f"{kind}3D", (2, 2, 3, 2, 2))
STEPS = np.array([[True, True, False, True], [False, False, True, False]])
case("GlobalAveragePooling1D", (2, 4, 3), mask=STEPS)
case("GlobalAveragePooling1D", (2, 3, 4), mask=STEPS, data_format="channels_first", keepdims=True)

# Normalisation

for training in (False, True):
    case("BatchNormalization", (4, 3), training=training)
    case("BatchNormalization", (2, 3, 4, 2), training=training, momentum=0.5, epsilon=0.01)
    case("BatchNormalization", (2, 3, 4, 4), training=training, axis=1, center=False)
    case("BatchNormalization", (4, 3), training=training, scale=False, beta_regularizer="l2")
    case("BatchNormalization", (4, 3), training=training, gamma_regularizer="l2", gamma_constraint="non_neg")
case("BatchNormalization", (2, 4, 3), training=True, mask=STEPS)
case("BatchNormalization", (2, 4, 3), training=True, renorm=True, renorm_momentum=0.8)
case("BatchNormalization", (4, 3), training=True, renorm=True, scale=False, renorm_clipping={"rmax": 1.2, "dmax": 0.1})
case("BatchNormalization", (2, 4, 3), training=True, renorm=True, mask=STEPS, renorm_clipping={"rmin": 0.9})
case("BatchNormalization", (4, 3), training=True, trainable=False)
case("BatchNormalization", (4, 3), training=True, dtype="mixed_float16", tolerance=1e-2)
case("BatchNormalization", (4, 3), training=True, dtype="float64")
case("LayerNormalization", (3, 4))
case("LayerNormalization", (2, 3, 4), axis=[1, 2], epsilon=0.01, gamma_regularizer="l2")
case("LayerNormalization", (2, 3, 4), axis=1, scale=False)
case("LayerNormalization", (2, 3, 4), axis=-2, center=False, gamma_initializer="zeros")
case("LayerNormalization", (3, 4), rms_scaling=True)
case("LayerNormalization", (3, 4), dtype="float16", tolerance=1e-2)
case("GroupNormalization", (2, 3, 4, 6), groups=3)
case("GroupNormalization", (3, 4), groups=-1, center=False, epsilon=0.1)
case("GroupNormalization", (2, 4, 3), groups=2, axis=1, scale=False, beta_regularizer="l2")
case("GroupNormalization", (2, 3, 4), groups=1, gamma_constraint="non_neg", gamma_regularizer="l1")
case("GroupNormalization", (2, 3, 4), groups=2, dtype="mixed_float16", tolerance=1e-2)
case("RMSNormalization", (3, 4))
case("RMSNormalization", (2, 3, 4), axis=[1, 2], epsilon=0.1)
case("RMSNormalization", (3, 4), dtype="float16", tolerance=1e-2)
case("UnitNormalization", (3, 4))
case("UnitNormalization", (2, 3, 4), axis=[1, 2])

# Merging

for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
    case(kind, [(2, 3), (2, 3), (2, 3)])
    case(kind, [(2, 3), (2, 4, 3)])
case("Subtract", [(2, 3), (2, 3)])
case("Subtract", [(2, 1, 3), (2, 4, 1)])
case("Dot", [(2, 3), (2, 3)], axes=1)
case("Dot", [(2, 3), (2, 3)], axes=-1, normalize=True)
case("Dot", [(2, 3), (2, 4, 3)], axes=(1, 2))
case("Dot", [(2, 4, 3), (2, 4)], axes=1)
case("Dot", [(2, 4, 3), (2, 3, 5)], axes=(2, 1), normalize=True)
case("Dot", [(2, 3, 2, 4), (2, 5, 3, 2)], axes=(-3, 2))
case("Concatenate", [(2, 3), (2, 1)])
case("Concatenate", [(2, 3, 2), (2, 1, 2), (2, 2, 2)], axis=1)
case("Concatenate", [(2, 3, 2), (2, 3, 4)], axis=2)

# What acts in training only

case("Dropout", (2, 3), rate=0.5, training=False)
case("Dropout", (2, 3), rate=0, training=True)
case("Dropout", (2, 3), rate=0.5, noise_shape=(None, 1), seed=3)
case("GaussianNoise", (2, 3), stddev=0.5)
case("GaussianNoise", (2, 3), stddev=0.0, training=True, seed=1)
case("GaussianDropout", (2, 3), rate=0.5)
case("GaussianDropout", (2, 3), rate=0.0, training=True, seed=1)
case("AlphaDropout", (2, 3), rate=0.5, noise_shape=(None, 1), seed=3)
case("AlphaDropout", (2, 3), rate=0, training=True)
case("SpatialDropout1D", (2, 3, 2), rate=0.5, seed=2)
case("SpatialDropout2D", (2, 3, 2, 2), rate=0.5, data_format="channels_first")
case("SpatialDropout3D", (2, 3, 2, 2, 1), rate=0, training=True)
case("ActivityRegularization", (2, 3), l1=0.1, l2=0.2)

# Activations with options

case("ReLU", (3, 4))
case("ReLU", (3, 4), max_value=1.0, negative_slope=0.1, threshold=0.2)
case("LeakyReLU", (3, 4))
case("LeakyReLU", (3, 4), negative_slope=0.1)
case("ELU", (3, 4), alpha=0.7)
case("PReLU", (2, 3, 4), alpha_initializer="ones")
case("PReLU", (2, 3, 4), shared_axes=[1], alpha_regularizer="l2", alpha_constraint="non_neg")
case("Softmax", (3, 4))
case("Softmax", (2, 3, 4), axis=1)
case("Softmax", (2, 3, 4), axis=[1, 2])
case("Softmax", (2, 4), mask=STEPS)
case("Softmax", (2, 4), mask=STEPS, dtype="float16", tolerance=5e-3)

# Padding, cropping, repeating

case("ZeroPadding1D", (2, 3, 2))
case("ZeroPadding1D", (2, 3, 2), padding=(0, 2))
case("ZeroPadding1D", (2, 3, 2), padding=(0, 2), data_format="channels_first")
case("ZeroPadding2D", (2, 3, 4, 2), padding=2)
case("ZeroPadding2D", (2, 3, 4, 2), padding=((1, 0), (2, 3)))
case("ZeroPadding2D", (2, 3, 4, 2), padding=(1, 2), data_format="channels_first")
case("ZeroPadding3D", (1, 2, 3, 2, 2), padding=((1, 0), (0, 1), (2, 0)))
case("Cropping1D", (2, 5, 2), cropping=(1, 2))
case("Cropping2D", (2, 5, 6, 2), cropping=((1, 0), (2, 1)))
case("Cropping2D", (2, 2, 5, 6), cropping=2, data_format="channels_first")
case("Cropping3D", (1, 4, 5, 4, 2), cropping=(1, 2, 1))
case("UpSampling1D", (2, 3, 2), size=3)
case("UpSampling2D", (2, 3, 4, 2), size=(2, 3))
case("UpSampling2D", (2, 2, 3, 4), size=2, data_format="channels_first")
case("UpSampling2D", (2, 3, 4, 2), size=(2, 3), interpolation="bilinear")
case("UpSampling3D", (1, 2, 3, 2, 2), size=(1, 3, 2))
case("UpSampling3D", (1, 2, 3, 2, 2), data_format="channels_first")


def is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple)


def inputs_of(shape: Any) -> Any:
    """Numbers of both signs, none near 0, no two equal: away from every kink."""
    if not is_shape(shape):
        return [inputs_of(s) for s in shape]
    n = int(np.prod(shape))
    return ((RNG.permutation(n) - n / 2 + 0.45) * (3 / n)).reshape(shape).astype("float32")


def weights_for(keras_layer: Any) -> list[np.ndarray]:
    """Random weights, positive ones for variances."""
    values = []
    for w in keras_layer.weights:
        low = 0.1 if w.name.endswith(("variance", "stddev")) else -1
        values.append(RNG.uniform(low, 1, w.shape).astype("float32"))
    return values


def without_names(config: Any) -> Any:
    """A configuration without names of layers, and without Keras' own bookkeeping that no argument stands for."""
    if isinstance(config, dict):
        of_layer = "trainable" in config or {"seed", "name"} <= set(config)
        ignored = ("shared_object_id", *(("name", "quantization_config") if of_layer else ()))
        return {k: without_names(v) for k, v in config.items() if k not in ignored}
    if isinstance(config, float):
        return pytest.approx(config, rel=1e-6)  # some of Keras' numbers went through float32
    return [without_names(v) for v in config] if isinstance(config, list | tuple) else config


def pair(case: Case) -> tuple[Any, Any]:
    """Our layer and Keras', built for the case's shapes and with the same random weights."""
    theirs = getattr(keras.layers, case.layer)(**case.arguments)
    ours = getattr(layers, case.layer)(**case.arguments)
    shape = case.shape if is_shape(case.shape) else list(case.shape)
    theirs(tree.map_structure(lambda s: s, _keras_symbols(shape)))
    ours(_symbols(shape, lambda s: (None, *s[1:])))
    values = weights_for(theirs)
    theirs.set_weights(values)
    ours.set_weights([v.astype(w.dtype) for v, w in zip(values, ours.weights, strict=True)])
    return ours, theirs


def _symbols(shape: Any, change: Any) -> Any:
    return Tensor(Spec(change(shape))) if is_shape(shape) else [_symbols(s, change) for s in shape]


def _keras_symbols(shape: Any) -> Any:
    if is_shape(shape):
        return keras.KerasTensor((None, *shape[1:]))
    return [_keras_symbols(s) for s in shape]


def arguments_of(case: Case) -> dict[str, Any]:
    given = {} if case.mask is None else {"mask": case.mask}
    return given if case.training is None else given | {"training": case.training}


def reference(layer: Any, case: Case, x: Any, weight: Any) -> tuple[Any, ...]:
    """Keras' output, losses, new state, and the gradients of sum(weight * output) + losses by weights and inputs."""
    fixed = [v.value for v in layer.non_trainable_variables]

    def total(trained: Any, x: Any) -> Any:
        variables = [*layer.trainable_variables, *layer.non_trainable_variables]
        with keras.StatelessScope(
            state_mapping=list(zip(variables, [*trained, *fixed], strict=True)), collect_losses=True
        ) as scope:
            y = layer(x, **arguments_of(case))
            losses = layer.losses
        state = [scope.get_current_value(v) for v in layer.non_trainable_variables]
        return (weight * y).astype("float32").sum() + sum(losses), (y, losses, state)

    trained = [v.value for v in layer.trainable_variables]
    quickly = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    compiled = jax.jit(jax.grad(total, (0, 1), has_aux=True)).lower(trained, x).compile(quickly)
    (by_weights, by_inputs), (y, losses, state) = compiled(trained, x)
    return y, losses, state, by_weights, by_inputs


def close(ours: Any, theirs: Any, tolerance: float) -> None:
    ours, theirs = np.asarray(ours, "float64"), np.asarray(theirs, "float64")
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * max(1.0, abs(theirs).max(initial=0)))


MARKED = [pytest.param(c, marks=pytest.mark.float64) if c.arguments.get("dtype") == "float64" else c for c in CASES]
# The tests of a case run one after the other: what was compiled for one serves the other.
every_case = pytest.mark.parametrize("case", MARKED, ids=str, scope="module")


@every_case
def test_against_keras(case: Case) -> None:
    ours, theirs = pair(case)
    x = inputs_of(case.shape)
    weight = RNG.uniform(-1, 1, theirs.compute_output_shape(case.shape)).astype("float32")
    y0, losses0, state0, by_weights0, by_inputs0 = reference(theirs, case, x, weight)

    tensors = tree.map_structure(ops.array, x)
    state_before = [v.numpy() for v in ours.non_trainable_variables]
    with GradientTape() as tape:
        tape.watch(tensors)
        y = ours(tensors, **arguments_of(case))
        found = [y, *ours.losses]
    of_each = [weight.astype(y.dtype), *(np.ones((), loss.dtype) for loss in ours.losses)]
    by_weights, by_inputs = tape.gradient(found, (ours.trainable_variables, tensors), of_each, "zero")

    close(y, y0, case.tolerance)
    assert y.dtype == ours.compute_dtype
    assert y.shape == tuple(y0.shape)
    assert len(ours.losses) == len(losses0)
    close(sum(map(float, ours.losses)), sum(map(float, losses0)), case.tolerance)
    close_all = zip(tree.flatten([by_weights, by_inputs]), jax.tree.leaves([by_weights0, by_inputs0]), strict=True)
    for g, g0 in close_all:
        assert g.shape == tuple(g0.shape)
        close(g, g0, case.tolerance)
    if not any(isinstance(v, random.SeedGenerator) for v in vars(ours).values()):
        for v, v0 in zip(ours.non_trainable_variables, state0, strict=True):
            close(v, v0, case.tolerance)
        changed = [not np.array_equal(v, before) for v, before in zip(ours.non_trainable_variables, state_before)]
        assert any(changed) == (case.training is True and case.layer == "BatchNormalization" and ours.trainable)


@every_case
def test_configuration_variables_and_shapes(case: Case) -> None:
    ours, theirs = pair(case)
    config, config0 = ours.get_config(), theirs.get_config()
    assert without_names(config) == without_names(config0)
    again = type(ours).from_config(config)
    assert again.get_config() == config
    assert [(v.name, v.shape, v.trainable) for v in ours.weights] == [
        (v.name, tuple(v.shape), v.trainable) for v in theirs.weights
    ]
    assert [v.name for v in ours.trainable_weights] == [v.name for v in theirs.trainable_weights]
    assert [v.dtype for v in ours.weights] == [
        "float64" if case.arguments.get("dtype") == "float64" else v.dtype for v in theirs.weights
    ]
    assert ours.count_params() == theirs.count_params()
    shape0 = tuple(theirs.compute_output_shape(case.shape))
    assert ours.compute_output_shape(case.shape) == shape0
    y = ours(tree.map_structure(ops.array, inputs_of(case.shape)), **arguments_of(case))
    assert y.shape == shape0
    unknown_batch = ours(_symbols(case.shape, lambda s: (None, *s[1:])))
    assert unknown_batch.shape == (None, *shape0[1:])
    assert unknown_batch.dtype == y.dtype


# Masks


FRONT = np.array([[True, True, False], [True, False, False]])
BACK = np.array([[True, False, True], [False, False, True]])


@pytest.mark.parametrize("masks", [(FRONT, BACK), (FRONT, None), (None, BACK), (None, None)])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Concatenate", {"axis": 1}), ("Concatenate", {"axis": -1}), ("Add", {}), ("Subtract", {}), ("Average", {})],
)
def test_masks_of_merged_inputs(name: str, arguments: dict[str, Any], masks: Any) -> None:
    xs = inputs_of([(2, 3, 2), (2, 3, 2)])
    theirs = getattr(keras.layers, name)(**arguments).compute_mask([keras.ops.array(x) for x in xs], list(masks))
    given = [ops.array(x) for x in xs]
    for x, mask in zip(given, masks, strict=True):
        if mask is not None:
            x.note("mask", ops.array(mask))
    notes = getattr(layers, name)(**arguments)(given).notes or {}
    if theirs is None:
        assert "mask" not in notes
    else:
        np.testing.assert_array_equal(notes["mask"], theirs)


def test_groups_of_numbers_beyond_float16_are_normalized() -> None:
    layer = layers.GroupNormalization(2, dtype="mixed_float16")
    y = layer(1e6 * inputs_of((2, 5, 4)))
    assert y.dtype == "float16"
    assert np.isfinite(y.numpy()).all()


def test_a_mask_travels_to_where_it_is_used() -> None:
    x = ops.array(inputs_of((2, 4, 3))).note("mask", ops.array(STEPS))
    hidden = layers.Dropout(0.5)(layers.Dense(3)(x))
    np.testing.assert_array_equal(hidden.notes["mask"], STEPS)
    pooled = layers.GlobalAveragePooling1D()(hidden)
    np.testing.assert_allclose(pooled, layers.GlobalAveragePooling1D()(hidden.numpy(), mask=STEPS), rtol=1e-6)
    assert not (pooled.notes or {}).get("mask")
    assert not (layers.Conv1D(2, 1)(x).notes or {}).get("mask")  # which does not support masks


# Shapes


@pytest.mark.parametrize(
    ("name", "arguments", "shape", "sizes"),
    [
        ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}, (None, None, None, 3), (2, 7, 6, 3)),
        ("Conv2D", {"filters": 4, "kernel_size": 3, "strides": 2}, (None, 7, None, 3), (2, 7, 6, 3)),
        ("Conv1D", {"filters": 4, "kernel_size": 3, "dilation_rate": 2}, (None, None, 3), (2, 9, 3)),
        ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same"}, (None, None, None, 3), (2, 7, 6, 3)),
        ("SeparableConv2D", {"filters": 4, "kernel_size": 3, "strides": 2}, (None, 7, None, 3), (2, 7, 6, 3)),
        ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}, (None, 7, None, 3), (2, 7, 6, 3)),
        ("Conv1DTranspose", {"filters": 4, "kernel_size": 3, "padding": "same"}, (None, None, 3), (2, 9, 3)),
        ("MaxPooling2D", {"pool_size": 2}, (None, None, 6, 3), (2, 7, 6, 3)),
        ("AveragePooling2D", {"pool_size": 3, "padding": "same"}, (None, 3, None, None), (2, 3, 7, 6)),
        ("GlobalAveragePooling2D", {}, (None, None, None, 3), (2, 7, 6, 3)),
        ("AdaptiveAveragePooling2D", {"output_size": (2, 3)}, (None, None, None, 3), (2, 7, 6, 3)),
        ("GroupNormalization", {"groups": 3}, (None, None, None, 3), (2, 7, 6, 3)),
        ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 5}, (None, None, 3), (2, 4, 3)),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 5)}, (None, None, 3), (2, 4, 3)),
        ("ZeroPadding2D", {"padding": 1}, (None, None, 6, 3), (2, 7, 6, 3)),
        ("Cropping2D", {"cropping": 1}, (None, None, 6, 3), (2, 7, 6, 3)),
        ("UpSampling2D", {"interpolation": "bilinear"}, (None, None, None, 3), (2, 7, 6, 3)),
        ("BatchNormalization", {}, (None, None, 3), (2, 4, 3)),
        ("LayerNormalization", {}, (None, None, 3), (2, 4, 3)),
        ("Flatten", {}, (None, None, 3), (2, 4, 3)),
        ("Reshape", {"target_shape": (-1, 2)}, (None, 4, 3), (2, 4, 3)),
        ("Dense", {"units": 5}, (None, None, 3), (2, 4, 3)),
    ],
)
def test_unknown_sizes(name: str, arguments: dict[str, Any], shape: Any, sizes: Any) -> None:
    expected = tuple(getattr(keras.layers, name)(**arguments).compute_output_shape(shape))
    layer = getattr(layers, name)(**arguments)
    assert layer(Tensor(Spec(shape))).shape == expected
    assert layer.compute_output_shape(shape) == expected
    concrete = layer(np.zeros(sizes, "float32")).shape
    assert all(n in (None, m) for n, m in zip(expected, concrete, strict=True))


# Mistakes


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: layers.Dense(0), ValueError, "Dense: units: got 0"),
        (lambda: layers.Dense(2.5), ValueError, "Dense: units: got 2.5"),
        (lambda: layers.Dense(2, activation="rely"), ValueError, "did you mean 'relu'"),
        (lambda: layers.Dense(2, kernel_initializer="glorot"), ValueError, "unknown initializer 'glorot'"),
        (lambda: layers.Dense(2, kernel_regularizer="l3"), ValueError, "unknown regularizer 'l3'"),
        (lambda: layers.Dense(2, kernel_constraint="maxnrm"), ValueError, "unknown constraint 'maxnrm'"),
        (lambda: layers.Dense(2, activaton="relu"), TypeError, "Dense: unknown argument 'activaton'.*'activation'"),
        (lambda: layers.Dense(2, name=3), TypeError, "Dense: name: got 3"),
        (lambda: layers.Dense(2, dtype="float31"), ValueError, "float31"),
        (lambda: layers.Dense(2, name="d")(np.zeros(3, "float32")), ValueError, "layer 'd' .*at least 2 dimensions"),
        (lambda: layers.Dense(2, name="d").count_params(), ValueError, "layer 'd' has no weights yet"),
        (lambda: layers.Conv2D(0, 3), ValueError, "Conv2D: filters: got 0"),
        (lambda: layers.Conv2D(4, 3, groups=3), ValueError, "Conv2D: groups: got 3.*filters=4"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), ValueError, r"Conv2D: kernel_size: got \(3, 3, 3\)"),
        (lambda: layers.Conv2D(4, 3, strides=0), ValueError, "Conv2D: strides: got 0"),
        (lambda: layers.Conv2D(4, 3, padding="full"), ValueError, "Conv2D: padding: got 'full'"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), ValueError, "Conv2D: padding: got 'causal'"),
        (lambda: layers.Conv2DTranspose(4, 3, output_padding=1), ValueError, "Conv2DTranspose: output_padding: got 1"),
        (lambda: layers.Conv1DTranspose(4, 3, 2, dilation_rate=2), ValueError, r"got strides=\(2,\) and dilation_rate"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), ValueError, "DepthwiseConv2D: depth_multiplier: got 0"),
        (lambda: layers.Conv2D(4, 3, data_format="last"), ValueError, "data_format: got 'last'"),
        (
            lambda: layers.Conv2D(4, 3, name="c")(np.zeros((5, 5, 3), "float32")),
            ValueError,
            r"layer 'c' \(Conv2D\): input of shape \(5, 5, 3\); expected at least 4 dimensions",
        ),
        (
            lambda: layers.Conv2D(4, 3, groups=2, name="c")(np.zeros((1, 5, 5, 3), "float32")),
            ValueError,
            "layer 'c': groups=2 does not divide the input's 3 channels",
        ),
        (lambda: layers.Conv2D(4, 3)(Tensor(Spec((None, 5, 5, None)))), ValueError, "number of channels must be known"),
        (lambda: layers.MaxPooling2D(0), ValueError, "MaxPooling2D: pool_size: got 0"),
        (lambda: layers.MaxPooling2D(2)(np.zeros((4, 4, 3), "float32")), ValueError, "MaxPooling2D.*expected 4 dim"),
        (lambda: layers.Dropout(1.5), ValueError, "Dropout: rate: got 1.5, expected a number from 0 to 1"),
        (lambda: layers.GaussianNoise(-1), ValueError, "GaussianNoise: stddev: got -1"),
        (lambda: layers.ReLU(negative_slope=-1), ValueError, "ReLU: negative_slope: got -1"),
        (lambda: layers.LeakyReLU(-0.1), ValueError, "LeakyReLU: negative_slope: got -0.1"),
        (lambda: layers.Reshape((4, 2))(np.zeros((1, 6), "float32")), ValueError, r"cannot arrange \(6,\)"),
        (lambda: layers.GroupNormalization(3)(np.zeros((1, 4))), ValueError, "groups=3 does not divide 4 channels"),
        (lambda: layers.Dot((1, 2, 3)), ValueError, r"Dot: axes: got \(1, 2, 3\)"),
        (lambda: layers.Dot(0)([np.zeros((2, 2))] * 2), ValueError, "axes=0.*none the batch's"),
        (lambda: layers.Dot(1)([np.zeros((2, 2)), np.zeros((2, 3))]), ValueError, "of one size"),
        (lambda: layers.EinsumDense("ab,bc", 3), ValueError, "EinsumDense: equation: got 'ab,bc'"),
        (lambda: layers.EinsumDense("ab,bc->ac", (2, 3))(np.zeros((1, 2))), ValueError, "expected sizes for 'c'"),
        (lambda: layers.EinsumDense("ab,cd->ad", 3)(np.zeros((1, 2))), ValueError, r"the size of \['c'\]"),
        (lambda: layers.GaussianDropout(1.0), ValueError, "GaussianDropout: rate: got 1.0"),
        (lambda: layers.AlphaDropout(1), ValueError, "AlphaDropout: rate: got 1"),
        (lambda: layers.Permute((0, 1)), ValueError, r"Permute: dims: got \(0, 1\)"),
        (lambda: layers.RepeatVector(1.5), TypeError, "RepeatVector: n: got 1.5"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), ValueError, "ZeroPadding2D: padding: got"),
        (lambda: layers.Cropping1D(3)(np.zeros((1, 5, 2), "float32")), ValueError, "leaves nothing of axis 1"),
        (lambda: layers.Add()(np.zeros((1, 2), "float32")), ValueError, r"\(Add\): got one input, expected a list"),
        (lambda: layers.Subtract()([np.zeros((1, 2))] * 3), ValueError, r"\(Subtract\): got 3 inputs, expected 2"),
        (lambda: layers.Concatenate()(np.zeros((1, 2))), ValueError, r"\(Concatenate\): got one input"),
        (
            lambda: layers.Concatenate()([np.zeros((1, 2)), np.zeros((2, 2))]),
            ValueError,
            "may differ along axis -1 only",
        ),
        (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1}), ValueError, "renorm_clipping"),
        (
            lambda: layers.BatchNormalization()(Tensor(Spec((2, None)))),
            ValueError,
            "the size along axis -1 must be known",
        ),
        (lambda: layers.Dense(2)(Tensor(Spec((2, None)))), ValueError, "unknown size"),
        (lambda: layers.Input(), ValueError, "either shape .* or batch_shape"),
        (lambda: layers.Input(3), TypeError, r"Input: shape: got 3, expected a tuple such as \(3,\)"),
        (lambda: layers.Input((2.5,)), ValueError, "Input: shape: got"),
        (lambda: layers.Dens, AttributeError, "nearest: 'Dense'"),
    ],
)
def test_mistakes(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_other_sizes_after_building_are_refused_by_name() -> None:
    layer = layers.Dense(2, name="head")
    layer(np.zeros((2, 3), "float32"))
    with pytest.raises(ValueError, match=r"layer 'head' \(Dense\): input of shape \(2, 4\); expected size 3"):
        layer(np.zeros((2, 4), "float32"))
    with pytest.raises(ValueError, match=r"head/kernel: got shape \(2, 2\), expected \(3, 2\)"):
        layer.set_weights([np.zeros((2, 2)), np.zeros(2)])
    with pytest.raises(ValueError, match="got 1 arrays, expected 2"):
        layer.set_weights([np.zeros((3, 2))])


def test_symbolic_inputs_and_their_layers() -> None:
    x = layers.Input((4,), batch_size=2, name="entry")
    assert x.shape == (2, 4)
    assert layers.Input(batch_shape=(3, 4)).shape == (3, 4)
    dense = layers.Dense(3)
    y = dense(x)
    assert dense.input is x
    assert dense.output is y
    dense(y[:, :1] * np.ones((1, 4), "float32"))
    with pytest.raises(AttributeError, match="called 2 times"):
        _ = dense.output
    config = layers.InputLayer(shape=(4,), dtype="int32", name="i").get_config()
    theirs = keras.layers.InputLayer(shape=(4,), dtype="int32", name="i").get_config()
    assert config == {**theirs, "batch_shape": list(theirs["batch_shape"])}
    assert layers.InputLayer.from_config(config).get_config() == config


# Noise, and what else has no counterpart to compare with number by number


def test_dropout_keeps_the_mean_and_its_noise_shape() -> None:
    x = np.ones((200, 50), "float32")
    layer = layers.Dropout(0.3, seed=1)
    y = layer(x, training=True).numpy()
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7], rtol=1e-6)
    np.testing.assert_allclose((y == 0).mean(), 0.3, atol=0.025)  # 5 standard deviations
    assert not np.array_equal(y, layer(x, training=True))
    np.testing.assert_array_equal(layers.Dropout(0.3, seed=1)(x, training=True), y)
    rows = layers.Dropout(0.5, noise_shape=(None, 1), seed=1)(x, training=True).numpy()
    assert set(np.unique(rows.mean(1))) == {0.0, 2.0}
    np.testing.assert_array_equal(layers.Dropout(1.0)(x, training=True), np.zeros_like(x))
    gradient = layers.Dropout(0.3, seed=1)
    tensor = ops.array(x)
    with GradientTape() as tape:
        tape.watch(tensor)
        y = gradient(tensor, training=True)
    np.testing.assert_array_equal(tape.gradient(y, tensor), y)  # the same mask and factor


def test_gaussian_noise() -> None:
    x = np.full((100, 100), 3.0, "float32")
    noise = layers.GaussianNoise(0.5, seed=1)(x, training=True).numpy() - x
    np.testing.assert_allclose(noise.mean(), 0, atol=0.025)
    np.testing.assert_allclose(noise.std(), 0.5, rtol=0.04)
    np.testing.assert_array_equal(layers.GaussianNoise(0.5)(x), x)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"])
def test_functions_that_merge(name: str) -> None:
    xs = inputs_of([(2, 3), (2, 3)])
    y = getattr(layers, name)(xs)
    np.testing.assert_allclose(y, getattr(keras.layers, name)(xs), rtol=1e-6)
    assert (
        getattr(layers, name)([layers.Input((3,)), layers.Input((3,))], name="merged").history.operation.name
        == "merged"
    )


def test_input_spec() -> None:
    spec = layers.InputSpec(shape=(None, 3), max_ndim=2)
    assert spec.complaint((5, 3)) is None
    assert spec.complaint((5, 4)) == "expected shape (None, 3)"
    assert layers.InputSpec(max_ndim=2).complaint((1, 2, 3)) == "expected at most 2 dimensions"
    assert layers.InputSpec(axes={-1: 3, 7: 2}).complaint((None, None)) is None
    assert layers.InputSpec(axes={1: None}).complaint((2, 3)) is None

    class Two(layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="two")
            self.input_spec = [layers.InputSpec(ndim=2), None]

        def call(self, xs: Any) -> Any:
            return xs[0]

    Two()([np.zeros((1, 2)), np.zeros(3)])
    with pytest.raises(ValueError, match=r"layer 'two' .*got 1 inputs, expected 2"):
        Two()([np.zeros((1, 2))])
    with pytest.raises(ValueError, match="expected 2 dimensions"):
        Two()([np.zeros(2), np.zeros(3)])


def test_a_lambda_layer_computes_what_keras_computes():
    x = RNG.normal(size=(2, 3)).astype("float32")
    ours = layers.Lambda(lambda x, scale: ops.square(x) * scale, arguments={"scale": 3.0})
    theirs = keras.layers.Lambda(lambda x, scale: keras.ops.square(x) * scale, arguments={"scale": 3.0})
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2,), (2, 5)])
@pytest.mark.parametrize(
    "spec", [{"ndim": 2}, {"min_ndim": 2}, {"max_ndim": 2}, {"axes": {-1: 3}}, {"shape": (None, 3)}]
)
def test_input_specs_accept_what_keras_accepts(spec, shape):
    accepted = []
    for space in (layers, keras.layers):
        layer = space.Identity()
        layer.input_spec = space.InputSpec(**spec)
        try:
            layer(np.zeros(shape, "float32"))
            accepted.append(True)
        except ValueError:
            accepted.append(False)
    assert accepted[0] == accepted[1]


def test_every_public_layer_is_compared_with_keras():
    """Aliases are the very classes; those that prepare data have files of their own, and Keras needs TensorFlow for
    those that take texts, on the host."""
    compared = {getattr(layers, case.layer) for case in CASES} | {layers.Lambda, layers.InputSpec, layers.Pipeline}
    elsewhere = """
        Embedding ReversibleEmbedding Masking GRUCell LSTMCell SimpleRNNCell StackedRNNCells RNN GRU LSTM SimpleRNN
        Bidirectional TimeDistributed Wrapper ConvLSTM1D ConvLSTM2D ConvLSTM3D
        SpectralNormalization
    """  # in test_attention.py, test_recurrent.py and test_spectral.py
    compared |= {getattr(layers, name) for name in elsewhere.split()}
    for name in ("attention", "augmentation", "preprocessing_layers", "category_layers", "spectrogram"):
        text = Path(__file__).with_name(f"test_{name}.py").read_text("utf-8")
        compared |= {getattr(layers, layer) for layer in re.findall(r'^ +\("(\w+)", [{A-Z]', text, re.MULTILINE)}
    on_host = {getattr(layers, name) for name in layers.__all__ if getattr(getattr(layers, name), "on_host", False)}
    made = {layers.Layer, layers.Weight, layers.InputLayer}  # what others are made of; models in files have the entry
    classes = {getattr(layers, name) for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    assert classes - made - on_host == compared

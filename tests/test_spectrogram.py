"""Spectrograms against Keras on JAX: values, gradients, shapes, configurations, weights."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from layerwise import GradientTape, Input, Sequential, config, layers, ops

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras

SOUND = np.random.default_rng(0).normal(size=(2, 60, 2)).astype("float32")
SHORT = {"frame_length": 16}


def gradient(layer: Any, x: Any) -> Any:
    with GradientTape() as tape:
        x = ops.array(x)
        tape.watch(x)
        y = ops.sum(ops.sin(layer(x)))
    return tape.gradient(y, x)


def value_and_gradient(layer: Any, x: Any) -> Any:
    """The same of Keras' layer, with its value, in one program."""

    def weighed(x: Any) -> Any:
        y = layer(x)
        return jax.numpy.sum(jax.numpy.sin(y)), y

    (_, y), slope = jax.jit(jax.value_and_grad(weighed, has_aux=True))(x)
    return np.asarray(y), slope


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
@pytest.mark.parametrize(
    ("name", "arguments", "channels"),
    [
        ("STFTSpectrogram", {"mode": "log"} | SHORT, 2),
        ("STFTSpectrogram", {"mode": "magnitude", "window": None, "scaling": None} | SHORT, 2),
        ("STFTSpectrogram", {"mode": "psd", "scaling": "spectrum", "frame_step": 5} | SHORT, 2),
        ("STFTSpectrogram", {"mode": "real", "window": "hamming", "periodic": True, "fft_length": 32} | SHORT, 1),
        ("STFTSpectrogram", {"mode": "imag", "padding": "same"} | SHORT, 2),
        ("STFTSpectrogram", {"mode": "stft", "expand_dims": True} | SHORT, 2),
        ("STFTSpectrogram", {"mode": "psd", "data_format": "channels_first"} | SHORT, 2),
        ("STFTSpectrogram", {"mode": "stft", "data_format": "channels_first", "expand_dims": True} | SHORT, 2),
        ("STFTSpectrogram", {"mode": "psd", "dtype": "float64", "trainable": False} | SHORT, 1),
        ("MelSpectrogram", {"fft_length": 16, "sequence_stride": 5, "num_mel_bins": 4}, 0),
        ("MelSpectrogram", {"fft_length": 16, "sequence_stride": 5, "num_mel_bins": 4, "power_to_db": False}, 0),
        (
            "MelSpectrogram",
            {"fft_length": 16, "sequence_length": 12, "sequence_stride": 7, "window": "hamming", "num_mel_bins": 5,
             "sampling_rate": 8000, "min_freq": 200.0, "max_freq": 3e3, "top_db": 20.0, "mag_exp": 1, "ref_power": 2},
            0,
        ),
    ],
)  # fmt: skip
def test_against_keras(name: str, arguments: dict[str, Any], channels: int) -> None:
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    x = SOUND[..., :channels] if channels else SOUND[..., 0]
    x = np.swapaxes(x, 1, 2) if arguments.get("data_format") == "channels_first" else x
    theirs.build(x.shape)
    expected, slope = value_and_gradient(theirs, x)
    y = ours(x)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradient(ours, x), slope, rtol=2e-3, atol=2e-3)
    told = ours(Input(x.shape[1:]))
    assert (told.shape, told.dtype) == ((None, *expected.shape[1:]), y.dtype)
    assert {**ours.get_config(), "name": ""} == {**theirs.get_config(), "name": ""}
    assert type(ours).from_config(theirs.get_config()).get_config() == theirs.get_config()
    found = [[(v.name, tuple(v.shape), v.dtype, v.trainable) for v in layer.weights] for layer in (ours, theirs)]
    assert found[0] == found[1]


def test_angles() -> None:
    """Where one is half a turn, it may be minus half a turn, too."""
    made = [np.asarray(lib.STFTSpectrogram("angle", 16)(SOUND)) for lib in (layers, keras.layers)]
    np.testing.assert_allclose(np.cos(made[0]), np.cos(made[1]), atol=1e-3)


def test_lengths_that_are_not_known() -> None:
    assert layers.STFTSpectrogram(frame_length=256)(Input((None, 3))).shape == (None, None, 387)
    assert layers.MelSpectrogram()(Input((None,))).shape == (None, 128, None)
    assert layers.MelSpectrogram(num_mel_bins=3)(SOUND[0, :, 0].repeat(40)).shape == (3, 5)


@pytest.mark.parametrize("backend", ["numpy", "native", "xla"])
def test_kernels_are_trained(backend: str) -> None:
    with config.override(backend=backend):
        model = Sequential([Input((60, 2)), layers.STFTSpectrogram("log", 16), layers.Dense(1)])
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(SOUND, np.ones((2, 6, 1)), verbose=0)
        assert all(np.any(w != b) for w, b in zip(model.get_weights(), before, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "power"}, "mode: got 'power'"),
        ({"frame_length": 8, "frame_step": 9}, "frame_step: got 9, expected 1 ... 8"),
        ({"frame_length": 8, "fft_length": 4}, "fft_length: got 4, expected at least 8"),
        ({"scaling": "power"}, "scaling: got 'power'"),
        ({"padding": "causal"}, "padding: got 'causal'"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.STFTSpectrogram(**arguments)


def test_other_refusals() -> None:
    with pytest.warns(UserWarning, match="powers of two are faster"):
        layers.STFTSpectrogram(frame_length=8, fft_length=12)
    with pytest.raises(TypeError, match="got int32, expected floats"):
        layers.STFTSpectrogram(frame_length=8)(np.ones((1, 20, 1), "int32"))
    with pytest.raises(ValueError, match="sequence_length: got 9, expected at most fft_length = 8"):
        layers.MelSpectrogram(8, sequence_length=9)

"""ONNX: what its checker accepts and its reference evaluator computes is what the model predicts."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from layerwise import Input, Model, Sequential, layers, ops
from layerwise.saving import export_onnx
from layerwise.saving.onnx.activations import ACTIVATIONS
from layerwise.saving.onnx.builder import RULES
from layerwise.saving.onnx.export import OPSET
from layerwise.saving.onnx.merging import OPERATORS

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)


def values(*shape: int, dtype: str = "float32") -> np.ndarray:
    return (RNG.normal(size=shape) * (1 if dtype == "float32" else 5)).astype(dtype)


def filled(model: Any) -> Any:
    """The model with weights that are no zeros and ones."""
    for weight in model.weights:
        positive = "variance" in weight.name
        weight.assign(RNG.uniform(0.5, 1.5, weight.shape) if positive else 0.5 * RNG.normal(size=weight.shape))
    return model


def assert_same(model: Any, inputs: list[np.ndarray], path: Path) -> Any:
    model.export(path)
    made = onnx.load(path)
    onnx.checker.check_model(made, full_check=True)
    results = ReferenceEvaluator(made).run(None, dict(zip(model.input_names, inputs, strict=True)))
    expected = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    expected = expected if isinstance(expected, list) else [expected]
    for got, want in zip(results, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    return made


IMAGE, ROWS = (5, 4, 3), (5, 4)
STATISTICS = {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 2.0, 0.5]}
SPATIAL = {1: (7,), 2: (7, 6), 3: (5, 4, 3)}


def of_any_rank() -> Any:
    """Convolutions and pools: (layer, shape of an input)."""
    for rank, spatial in SPATIAL.items():
        shape, size = (*spatial, 4), min(3, spatial[-1] - 1)
        conv = getattr(layers, f"Conv{rank}D")
        yield conv(6, size, activation="tanh"), shape
        yield conv(6, size, padding="same", strides=2), shape
        yield conv(6, 2, padding="same", dilation_rate=2, groups=2, use_bias=False), shape
        yield conv(6, 2, padding="same", data_format="channels_first"), shape
        transposed = getattr(layers, f"Conv{rank}DTranspose")
        yield transposed(3, size, activation="relu"), shape
        yield transposed(3, 2, strides=3, use_bias=False), shape
        yield transposed(3, size, strides=2, padding="same"), shape
        yield transposed(3, 3, strides=2, padding="same", output_padding=1, data_format="channels_first"), shape
        if rank < 3:
            depthwise, separable = (getattr(layers, f"{kind}Conv{rank}D") for kind in ("Depthwise", "Separable"))
            yield depthwise(size, depth_multiplier=2, activation="relu"), shape
            yield depthwise(2, padding="same", strides=2, use_bias=False, data_format="channels_first"), shape
            yield separable(3, size, padding="same", depth_multiplier=2), shape
        yield getattr(layers, f"SpatialDropout{rank}D")(0.5), shape
        for kind in ("Max", "Average"):
            yield getattr(layers, f"Adaptive{kind}Pooling{rank}D")(tuple(n if n % 2 else 2 for n in spatial)), shape
            yield getattr(layers, f"{kind}Pooling{rank}D")(2), shape
            yield getattr(layers, f"{kind}Pooling{rank}D")(size, strides=2, padding="same"), shape
            yield getattr(layers, f"Global{kind}Pooling{rank}D")(keepdims=rank == 2), shape
            if rank == 2:
                yield getattr(layers, f"Global{kind}Pooling{rank}D")(data_format="channels_first"), shape


def others() -> Any:
    yield from ((layers.Dense(3, activation=name), (4,)) for name in ACTIVATIONS)
    yield layers.Dense(3, use_bias=False), ROWS
    yield layers.Activation("gelu"), ROWS
    yield layers.ReLU(), ROWS
    yield layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.5), ROWS
    yield layers.LeakyReLU(0.2), ROWS
    yield layers.ELU(0.5), ROWS
    yield layers.PReLU(shared_axes=[1]), ROWS
    yield layers.Softmax(axis=1), ROWS
    yield layers.Conv1D(6, 3, padding="causal", dilation_rate=2), (7, 4)
    yield layers.BatchNormalization(), IMAGE
    yield layers.BatchNormalization(axis=1, scale=False), IMAGE
    yield layers.BatchNormalization(center=False), IMAGE
    yield layers.LayerNormalization(), ROWS
    yield layers.LayerNormalization(axis=(1, 2), center=False), ROWS
    yield layers.LayerNormalization(scale=False), ROWS
    yield layers.GroupNormalization(3), IMAGE
    yield layers.GroupNormalization(5, axis=1, scale=False), IMAGE
    yield layers.GroupNormalization(2, center=False), (4,)
    yield layers.RMSNormalization(), ROWS
    yield layers.RMSNormalization(axis=[1, 2]), IMAGE
    yield layers.UnitNormalization(), ROWS
    yield layers.UnitNormalization([1, 2]), ROWS
    yield layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", activation="relu"), ROWS
    yield layers.EinsumDense("...x,xy->...y", 3), ROWS
    yield layers.AutoContrast(), IMAGE
    yield layers.AutoContrast((0, 1), data_format="channels_first"), IMAGE
    yield layers.MaxNumBoundingBoxes(3), IMAGE
    yield layers.UpSampling3D((1, 3, 2)), (2, 3, 2, 1)
    yield layers.UpSampling3D(data_format="channels_first"), (2, 3, 2, 1)
    yield layers.Normalization(**STATISTICS), IMAGE
    yield layers.Normalization(**STATISTICS, invert=True), IMAGE
    yield layers.Rescaling([1.0, 2.0, 3.0], 0.5), IMAGE
    yield layers.Flatten(), IMAGE
    yield layers.Flatten(data_format="channels_first"), IMAGE
    yield layers.Reshape((2, -1)), ROWS
    yield layers.Permute((2, 1)), ROWS
    yield layers.RepeatVector(3), (4,)
    yield layers.ZeroPadding1D(2), ROWS
    yield layers.ZeroPadding2D(((1, 0), (2, 3))), IMAGE
    yield layers.ZeroPadding2D(1, data_format="channels_first"), IMAGE
    yield layers.ZeroPadding3D(1), (2, 3, 2, 1)
    yield layers.Cropping1D((1, 2)), ROWS
    yield layers.Cropping2D(((1, 0), (2, 1))), IMAGE
    yield layers.Cropping3D(1), (3, 4, 3, 1)
    yield layers.CenterCrop(3, 2), IMAGE
    yield layers.RandomCrop(3, 2), IMAGE
    yield layers.UpSampling1D(3), ROWS
    yield layers.UpSampling2D((2, 3)), IMAGE
    yield layers.UpSampling2D(2, data_format="channels_first"), IMAGE
    yield layers.UpSampling2D((2, 3), interpolation="bilinear"), IMAGE
    yield layers.Resizing(7, 3), IMAGE
    yield layers.Resizing(7, 3, interpolation="nearest"), IMAGE
    for mode in ("one_hot", "multi_hot", "count"):
        yield layers.CategoryEncoding(4, mode), ROWS
        yield layers.Discretization([-0.5, 0.5], output_mode=mode), ROWS
    yield layers.Discretization([-0.5, 0.5]), ROWS
    yield layers.CategoryEncoding(4, "one_hot"), (5, 1)
    for mode in ("log", "magnitude", "psd", "real", "imag", "stft"):
        yield layers.STFTSpectrogram(mode, frame_length=8, frame_step=3), (30, 2)
    yield layers.STFTSpectrogram("psd", 8, padding="same", expand_dims=True), (30, 2)
    yield layers.STFTSpectrogram("psd", 8, expand_dims=True, data_format="channels_first"), (2, 30)
    yield layers.STFTSpectrogram("psd", 8, data_format="channels_first"), (2, 30)
    yield layers.MelSpectrogram(16, 5, num_mel_bins=3), (40,)
    yield layers.MelSpectrogram(16, 5, 12, num_mel_bins=3, power_to_db=False), (40,)
    for layer in (
        layers.Identity(),
        layers.Dropout(0.5),
        layers.AlphaDropout(0.5),
        layers.GaussianDropout(0.5),
        layers.GaussianNoise(0.5),
        layers.ActivityRegularization(0.1),
    ):
        yield layer, ROWS
    for name in layers.__all__:
        if name.startswith("Random") and name != "RandomCrop":
            arguments = {"Flip": (), "Translation": (0.1, 0.1), "Posterization": (4,), "ColorJitter": ((0, 1), 0.2)}
            yield getattr(layers, name)(*arguments.get(name.removeprefix("Random"), (0.1,))), IMAGE
    for name in ("Solarization", "Equalization", "MixUp", "CutMix", "RandAugment", "AugMix"):
        yield getattr(layers, name)(), IMAGE
    yield layers.SpectralNormalization(layers.Dense(3)), ROWS


def several() -> Any:
    """Layers that take a list: (layer, shapes)."""
    for name in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Concatenate"):
        yield getattr(layers, name)(), [(4,), (4,), (4,)]
    yield layers.Dot(1), [(4,), (4,)]
    yield layers.Dot((2, 1), normalize=True), [(3, 4), (4, 2)]
    yield layers.Subtract(), [(4,), (3, 4)]
    yield layers.Add(), [(4,), (3, 4)]
    yield layers.Concatenate(axis=1), [(2, 4), (3, 4)]


@pytest.mark.parametrize(("layer", "shape"), [*of_any_rank(), *others()], ids=lambda x: getattr(x, "name", str(x)))
def test_layers_compute_the_same(layer, shape, tmp_path):
    model = filled(Sequential([Input(shape), layer]))
    assert_same(model, [values(2, *shape)], tmp_path / "m.onnx")


@pytest.mark.parametrize(("layer", "shapes"), several())
def test_layers_of_several_inputs(layer, shapes, tmp_path):
    inputs = [Input(shape) for shape in shapes]
    assert_same(Model(inputs, layer(inputs)), [values(2, *shape) for shape in shapes], tmp_path / "m.onnx")


def test_every_layer_has_a_rule_and_every_rule_was_tried():
    public = {getattr(layers, name) for name in layers.__all__}
    kinds = {kind for kind in public if isinstance(kind, type) and issubclass(kind, layers.Layer)}
    on_host = {kind for kind in kinds if kind.on_host}  # which have no part in a graph of numbers
    without = {layers.Lambda, layers.Pipeline, layers.ContrastLimitedAdaptiveHistogramEqualization}
    without |= {layers.Masking, layers.ReversibleEmbedding, layers.Wrapper}
    without |= {kind for kind in kinds if kind.__module__.rpartition(".")[2] in ("attention", "cells", "convlstm")}
    without |= {kind for kind in kinds if kind.__module__.rpartition(".")[2] in ("recurrent", "wrappers")}
    assert kinds - {layers.Layer, layers.InputLayer} - without - on_host == set(RULES)
    tried = {type(layer) for layer, _ in [*of_any_rank(), *others(), *several()]} | {layers.Embedding}
    assert set(RULES) == tried


def test_words_have_vectors(tmp_path):
    model = filled(Sequential([Input((3,), dtype="int32"), layers.Embedding(5, 2), layers.Flatten(), layers.Dense(2)]))
    assert_same(model, [np.int32([[0, 4, 1], [2, 2, 3]])], tmp_path / "m.onnx")


def test_a_graph_with_everything(tmp_path):
    a, b, whole = Input((4,), name="a"), Input((3, 4), name="b"), Input((4,), dtype="int32", name="whole")
    inner = Sequential([Input((4,)), layers.Dense(4, activation="relu"), Sequential([layers.Dense(4)])])
    once = inner(a)
    twice = inner(once)
    y = layers.Add(name="y")([once, b])
    z = layers.Concatenate(name="z")([layers.Multiply()([twice, whole]), a])
    model = filled(Model([a, b, whole], [y, z, ops.relu(once * 2.0 + a) - 1.0, y]))
    made = assert_same(model, [values(2, 4), values(2, 3, 4), values(2, 4, dtype="int32")], tmp_path / "m.onnx")
    assert [i.name for i in made.graph.input] == ["a", "b", "whole"]
    assert [o.name for o in made.graph.output] == ["y", "z", "subtract", "y_output_3"]
    assert [(o.domain, o.version) for o in made.opset_import] == [("", OPSET)]


@pytest.mark.parametrize("name", OPERATORS)
def test_operations(name, tmp_path):
    if not hasattr(ops, name):
        pytest.skip("another name of one that is tried")
    x = Input((3, 3))
    operation, positive = getattr(ops, name), ops.sigmoid(x) + 0.5
    binary = name in ("add", "subtract", "multiply", "divide", "true_divide", "power", "maximum", "minimum", "matmul")
    y = operation(positive, x) if binary else operation(positive)
    assert_same(Model(x, y), [values(2, 3, 3)], tmp_path / "m.onnx")


def test_a_model_in_a_model_with_named_inputs(tmp_path):
    inner_inputs = {"q": Input((2,), name="q"), "p": Input((3,), name="p")}
    inner = Model(inner_inputs, layers.Concatenate()([layers.Dense(2)(inner_inputs["p"]), inner_inputs["q"]]))
    a, b = Input((3,), name="a"), Input((2,), name="b")
    model = filled(Model([a, b], inner({"p": a, "q": b})))
    assert_same(model, [values(4, 3), values(4, 2)], tmp_path / "m.onnx")


def test_sizes_stay_open(tmp_path):
    x = Input((None, None, 3), name="image")
    y = layers.MaxPooling2D(padding="same")(layers.Conv2D(4, 3, padding="same", strides=2)(x))
    model = filled(Model(x, layers.GlobalMaxPooling2D(name="top")(layers.ZeroPadding2D()(y))))
    for shape in ((1, 7, 6, 3), (3, 8, 9, 3)):
        made = assert_same(model, [values(*shape)], tmp_path / "m.onnx")
    dimensions = made.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dimensions] == ["batch", "image_1", "image_2", 3]


# What cannot be written


class Mine(layers.Layer):
    def call(self, x):
        return x + 1.0


def test_what_has_no_counterpart_is_named_before_anything_is_written(tmp_path):
    x = Input((4, 4))
    inner = Sequential([Input((4, 4)), Mine(name="deep")], name="inner")
    y = layers.Activation("sparsemax", name="act")(Mine(name="mine")(inner(x)))
    y = ops.cumsum(layers.Softmax(axis=[1, 2], name="both")(y), axis=1)
    with pytest.raises(ValueError, match="without a counterpart in ONNX") as raised:
        Model(x, y).export(tmp_path / "m.onnx")
    for name in (
        "inner/deep (Mine)",
        "mine (Mine)",
        "act (Activation): activation 'sparsemax'",
        "both (Softmax)",
        "cumsum",
    ):
        assert name in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_functions_of_lambda_layers_have_none(tmp_path):
    with pytest.raises(ValueError, match=r"without a counterpart in ONNX: free \(Lambda\)"):
        export_onnx(Sequential([Input((4,)), layers.Lambda(ops.absolute, name="free")]), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "layer",
    [
        layers.LayerNormalization(axis=1),
        layers.CenterCrop(9, 9),
        layers.UpSampling2D(2, interpolation="bicubic"),
        layers.Resizing(2, 2, interpolation="bicubic"),
        layers.Resizing(2, 2, crop_to_aspect_ratio=True),
        layers.Conv2D(2, 2, dtype="mixed_float16"),
    ],
)
def test_options_without_a_counterpart(layer, tmp_path):
    with pytest.raises(ValueError, match=rf"{layer.name} \({type(layer).__name__}\): "):
        export_onnx(Sequential([Input((4, 4, 3)), layer]), tmp_path / "m.onnx")


def test_models_without_a_graph(tmp_path):
    with pytest.raises(ValueError, match="has no graph: build it"):
        Sequential([layers.Dense(2)]).export(tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="format: got 'tf_saved_model', expected 'onnx'"):
        Sequential([Input((2,)), layers.Dense(2)]).export(tmp_path / "m", format="tf_saved_model")


def test_without_the_extra():
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from layerwise import Input, Sequential, layers\n"
        "try: Sequential([Input((2,)), layers.Dense(2)]).export('m.onnx')\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT / "src")
    assert "pip install 'layerwise[onnx]'" in run.stdout

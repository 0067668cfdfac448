"""safetensors: the same bytes as the format's own library, models by name, PyTorch's weights, and damaged files."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import layerwise
from layerwise import layers, saving
from layerwise.saving import (
    FileFormatError,
    load_safetensors,
    load_torch_state_dict,
    save_safetensors,
    torch_state_dict,
)
from layerwise.saving.named_weights import weights_by_name
from layerwise.saving.safetensors import DTYPES, header_of

GOLDEN = Path(__file__).parent / "golden"
DTYPE_NAMES = [dtype for dtype in DTYPES.values() if dtype != "bfloat16"]


def arrays(draw_names: list[str]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shapes = [(), (3,), (2, 0), (2, 3, 4), (1,)]
    return {
        name: np.asarray(random.normal(size=shapes[i % 5]) * 10).astype(DTYPE_NAMES[i % len(DTYPE_NAMES)])
        for i, name in enumerate(draw_names)
    }


def assert_same(got: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set(got) == set(expected)
    for name, array in expected.items():
        assert (got[name].dtype, got[name].shape) == (array.dtype, array.shape), name
        np.testing.assert_array_equal(got[name], array)


# Arrays by name


def test_both_ways_with_the_formats_own_library(tmp_path):
    tensors = arrays([f"array {i}" for i in range(13)])
    save_safetensors(tensors, tmp_path / "ours.safetensors", {"made": "here"})
    assert_same(safetensors.numpy.load_file(tmp_path / "ours.safetensors"), tensors)
    safetensors.numpy.save_file(tensors, tmp_path / "theirs.safetensors", {"made": "here"})
    assert_same(load_safetensors(tmp_path / "theirs.safetensors"), tensors)
    for name in ("ours", "theirs"):
        assert header_of(tmp_path / f"{name}.safetensors")[1] == {"made": "here"}


def test_bfloat16(tmp_path):
    import ml_dtypes

    values = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    save_safetensors({"w": values}, tmp_path / "w.safetensors")
    loaded = load_safetensors(tmp_path / "w.safetensors")["w"]
    assert loaded.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(loaded, values)


def test_arrays_of_other_orders(tmp_path):
    tensors = {"t": np.arange(6.0).reshape(2, 3).T, "big": np.arange(3, dtype=">i4"), "v": layerwise.Variable([1.0])}
    save_safetensors(tensors, tmp_path / "a.safetensors")
    loaded = load_safetensors(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(loaded["t"], tensors["t"])
    assert loaded["big"].tolist() == [0, 1, 2]
    loaded["t"][0] = 7  # the arrays are the caller's own
    save_safetensors({}, tmp_path / "none.safetensors")
    assert load_safetensors(tmp_path / "none.safetensors") == {}


@pytest.mark.parametrize(
    ("tensors", "metadata", "message"),
    [
        ({"c": np.zeros(2, complex)}, None, "c: the format has no dtype complex128"),
        ({"o": np.array([None])}, None, "o: the format has no dtype object"),
        ({"__metadata__": np.zeros(2)}, None, "cannot be named '__metadata__'"),
        ({}, {"a": 1}, "metadata: expected texts"),
    ],
)
def test_what_the_format_cannot_hold(tensors, metadata, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        save_safetensors(tensors, tmp_path / "x.safetensors", metadata)
    assert not (tmp_path / "x.safetensors").exists()


# Damaged and hostile files


def entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes


def content(header: Any, data: bytes = bytes(8), size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text + data


DAMAGED = {
    "empty": (b"", "it has 0 bytes"),
    "short": (b"1234567", "it has 7 bytes"),
    "header longer than the file": (content({}, size=2**63), "header: says 9223372036854775808 bytes"),
    "header that is cut": (content({"a": entry()})[:30], "header: says"),
    "no object": (content(b"[]"), "expected it to start with {"),
    "spaces first": (content(b" {}"), "expected it to start with {"),
    "no JSON": (content(b"{a"), "header: "),
    "no UTF-8": (content(b'{"\xff":1}'), "not UTF-8"),
    "deep": (content(b'{"a":' + b"[" * 200_000), "nested too deeply"),
    "a name twice": (content(b'{"a":1,"a":1}'), "'a' is there twice"),
    "metadata of numbers": (content({"__metadata__": {"a": 1}}, b""), "expected texts by name"),
    "metadata that is a list": (content({"__metadata__": []}, b""), "expected texts by name"),
    "no entry": (content({"a": 3}), "a: expected dtype, shape and data_offsets, got 3"),
    "a key too many": (content({"a": entry(code="x")}), "expected dtype, shape and data_offsets"),
    "a key too few": (content({"a": {"dtype": "F32", "shape": [2]}}), "expected dtype, shape and data_offsets"),
    "a dtype that is not there": (content({"a": entry(dtype="F99")}), "dtype: got 'F99'"),
    "a dtype that is a list": (content({"a": entry(dtype=[])}), r"dtype: got \[\]"),
    "a negative size": (content({"a": entry(shape=[-2])}), r"shape: got \[-2\]"),
    "a size with a fraction": (content({"a": entry(shape=[2.0])}), r"shape: got \[2.0\]"),
    "a size that is true": (content({"a": entry(shape=[True, 2])}), "shape: got"),
    "a huge size": (content({"a": entry(shape=[2**70, 0], data_offsets=[0, 0])}), "shape: got"),
    "many dimensions": (content({"a": entry(shape=[1] * 99 + [2])}), "at most 64"),
    "one offset": (content({"a": entry(data_offsets=[0])}), "expected two whole numbers"),
    "a negative offset": (content({"a": entry(data_offsets=[-8, 0])}), "data_offsets: got"),
    "offsets that lie": (content({"a": entry(shape=[3])}), r"F32 \[3\] takes 12 bytes"),
    "offsets backwards": (content({"a": entry(data_offsets=[8, 0])}), "say otherwise"),
    "beyond the end": (content({"a": entry(shape=[4], data_offsets=[0, 16])}), "take 16 bytes, the file has 8"),
    "more at the end": (content({"a": entry()}, bytes(9)), "the arrays take 8 bytes, the file has 9"),
    "a hole": (content({"a": entry(data_offsets=[4, 12])}, bytes(12)), "leaves bytes before it out, 0 expected"),
    "an overlap": (
        content({"a": entry(), "b": entry(data_offsets=[4, 12])}, bytes(12)),
        "b: data_offsets .* overlaps the one before, 8 expected",
    ),
    "the same bytes twice": (content({"a": entry(), "b": entry()}), "overlaps"),
    "a boolean of two": (
        content({"a": {"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]}}, b"\2"),
        "a: a boolean that is neither",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_refused(name, tmp_path):
    data, message = DAMAGED[name]
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(FileFormatError, match=message) as raised:
        load_safetensors(tmp_path / "x.safetensors")
    assert str(raised.value).startswith(str(tmp_path / "x.safetensors"))


def test_valid_files_are_not(tmp_path):
    for data in (content({"a": entry()}), content(b'{"a":' + json.dumps(entry()).encode() + b"}   "), content({}, b"")):
        (tmp_path / "x.safetensors").write_bytes(data)
        load_safetensors(tmp_path / "x.safetensors")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused_or_harmless(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flips")
    tensors = {"a": np.arange(4, dtype="float32"), "b": np.arange(3, dtype="int8")}
    save_safetensors(tensors, folder / "x.safetensors")
    raw = bytearray((folder / "x.safetensors").read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "x.safetensors").write_bytes(raw)
    try:
        loaded = load_safetensors(folder / "x.safetensors")
    except FileFormatError:
        return
    assert sum(array.nbytes for array in loaded.values()) == 19


# Models


def model(units: int = 3) -> Any:
    inner = layerwise.Sequential([layers.Input((4,)), layers.Dense(4), layers.BatchNormalization()])
    x = layers.Input((4,))
    return layerwise.Model(x, layers.Dense(units)(layers.Add()([inner(x), layers.Dense(4)(x)])))


def test_weights_of_a_model(tmp_path):
    first, second = model(), model()
    assert list(weights_by_name(first))[:3] == [
        "layers.sequential.layers.dense.kernel",
        "layers.sequential.layers.dense.bias",
        "layers.sequential.layers.batch_normalization.gamma",
    ]
    first.save_weights(tmp_path / "w.safetensors")
    second.load_weights(tmp_path / "w.safetensors")
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="by_name"):
        second.load_weights(tmp_path / "w.safetensors", by_name=True)


def test_weights_with_equal_names_are_numbered():
    class Twice(layers.Layer):
        def build(self, input_shape):
            self.a, self.b = self.add_weight(shape=(2,), name="w"), self.add_weight(shape=(2,), name="w")

        def call(self, x):
            return x * self.a * self.b

    x = layers.Input((2,))
    assert list(weights_by_name(layerwise.Model(x, Twice()(x)))) == ["layers.twice.w", "layers.twice.w_1"]


def test_weights_that_do_not_fit(tmp_path):
    other = model(2)
    before = other.get_weights()
    model().save_weights(tmp_path / "w.safetensors")
    message = r"w\.safetensors: layers\.dense_1\.bias: got shape \(3,\), expected \(2,\) \(and 1 more\)"
    with pytest.raises(FileFormatError, match=message):
        other.load_weights(tmp_path / "w.safetensors")
    for a, b in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="skipped"):
        other.load_weights(tmp_path / "w.safetensors", skip_mismatch=True)
    assert not np.array_equal(other.get_weights()[0], before[0])
    values = {name: variable.numpy() for name, variable in weights_by_name(other).items()}
    values["extra"] = values.pop("layers.dense.bias")
    values["layers.dense.kernel"] = values["layers.dense.kernel"].astype("int8")
    save_safetensors(values, tmp_path / "w.safetensors")
    with pytest.raises(FileFormatError, match=r"layers\.dense\.bias: it is not there \(and 1 more\)"):
        other.load_weights(tmp_path / "w.safetensors")
    save_safetensors({"layers.dense.kernel": np.zeros((2, 2), "bool")}, tmp_path / "w.safetensors")
    with pytest.raises(FileFormatError, match=re.escape(str(tmp_path))):
        other.load_weights(tmp_path / "w.safetensors")


# PyTorch

NAMES = {"conv": "features.0", "bn": "features.1", "prelu": "features.2", "grouped": "features.4"}


def twin() -> Any:
    """The network of tests/golden/torch_cnn.py, channels last."""
    return layerwise.Sequential(
        [
            layers.Input((8, 6, 2)),
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.BatchNormalization(epsilon=1e-5, name="bn"),
            layers.PReLU(shared_axes=[1, 2], name="prelu"),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, groups=2, name="grouped"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(5, activation="relu", name="hidden"),
            layers.LayerNormalization(epsilon=1e-5, name="norm"),
            layers.Dense(3, name="head"),
        ]
    )


@pytest.fixture
def golden() -> dict[str, np.ndarray]:
    return load_safetensors(GOLDEN / "torch_cnn.safetensors")


def test_a_pytorch_network_runs_here(golden):
    x, y = golden.pop("input"), golden.pop("output")
    net = twin()
    load_torch_state_dict(net, golden, NAMES)
    np.testing.assert_allclose(net.predict(np.moveaxis(x, 1, -1), verbose=0), y, rtol=1e-5, atol=1e-5)
    state = torch_state_dict(net, NAMES)  # and back, to the same state dict
    golden["features.1.num_batches_tracked"] = np.zeros((), "int64")
    assert_same(state, golden)


def test_names_and_shapes_that_do_not_fit(golden):
    x, y = golden.pop("input"), golden.pop("output")
    net = twin()
    before = net.get_weights()
    for change, names, message in (
        ({}, {}, "conv.weight is not in the state dict, whose names are"),
        ({}, {**NAMES, "nope": "x"}, "the model has no layer 'nope'"),
        ({"more.weight": x}, NAMES, r"the model has no layer for more\.weight"),
        ({"head.bias": y}, NAMES, r"layer 'head': head\.bias: got shape \(4, 3\), expected \(3,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            load_torch_state_dict(net, golden | change, names)
        for a, b in zip(net.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_layers_that_pytorch_has_otherwise():
    x = layers.Input((4, 4, 3))
    for layer in (layers.PReLU(), layers.Normalization(), layers.BatchNormalization(renorm=True)):
        with pytest.raises(ValueError, match="has no counterpart in PyTorch"):
            torch_state_dict(layerwise.Model(x, layer(x)))
    half = layers.BatchNormalization(scale=False, name="bn")
    state = torch_state_dict(layerwise.Model(x, half(x)))
    assert state["bn.weight"].tolist() == [1.0, 1.0, 1.0]


def test_nested_models_and_channels_first():
    inner = layerwise.Sequential([layers.Input((3, 4, 4)), layers.Flatten(data_format="channels_first")], name="flat")
    outer = layerwise.Sequential([layers.Input((3, 4, 4)), inner, layers.Dense(2, name="fc")])
    assert set(torch_state_dict(outer)) == {"fc.weight", "fc.bias"}
    body = layerwise.Sequential([layers.Input((4,)), layers.Dense(2, name="fc")], name="body")
    whole = layerwise.Sequential([layers.Input((4,)), body, layers.Dense(2, name="head")])
    assert set(torch_state_dict(whole)) == {"body.fc.weight", "body.fc.bias", "head.weight", "head.bias"}
    first = layerwise.Sequential(
        [layers.Input((2, 3, 2)), layers.Flatten(data_format="channels_first"), layers.Dense(1, name="fc")]
    )
    kernel = np.arange(12, dtype="float32")
    first.layers[-1].kernel.assign(kernel[:, None])
    flattened = first.layers[0](np.arange(12, dtype="float32").reshape(1, 2, 3, 2)).numpy()[0]
    weight = torch_state_dict(first)["fc.weight"][0]
    assert weight @ np.arange(12, dtype="float32") == flattened @ kernel  # PyTorch flattens in the order of memory


FORWARD, CHANNELS_FIRST = np.arange(24), np.moveaxis(np.arange(24).reshape(2, 3, 4), -1, 0).ravel()
BETWEEN = {  # what lies between images (2, 3, 4) and a Dense layer, and where PyTorch has the rows of its kernel
    "flatten": (lambda x: layers.Flatten()(x), CHANNELS_FIRST),
    "relu": (lambda x: layers.ReLU()(layers.Flatten()(x)), CHANNELS_FIRST),
    "softmax": (lambda x: layers.Softmax()(layers.Dropout(0.5)(layers.Flatten()(x))), CHANNELS_FIRST),
    "normalization": (lambda x: layers.BatchNormalization()(layers.Flatten()(x)), CHANNELS_FIRST),
    "reshape": (lambda x: layers.Reshape((24,))(x), CHANNELS_FIRST),
    "operations": (lambda x: layerwise.ops.relu(layerwise.ops.reshape(x, (-1, 24)) * 2.0), CHANNELS_FIRST),
    "function": (lambda x: layers.Flatten()(layers.Lambda(layerwise.ops.relu)(x)), CHANNELS_FIRST),
    "residual": (lambda x: layers.Flatten()(layers.Add()([x, layers.ReLU()(x)])), CHANNELS_FIRST),
    "excited": (lambda x: layers.Flatten()(x * 1.0 + layers.Conv2D(4, 1)(x)), CHANNELS_FIRST),
    "padded": (lambda x: layers.Flatten()(layers.Cropping2D(1)(layers.ZeroPadding2D(1)(x))), CHANNELS_FIRST),
    "inside": (lambda x: layerwise.Sequential([layers.Input((2, 3, 4)), layers.Flatten()])(x), CHANNELS_FIRST),
    "concatenated": (
        lambda x: layers.Concatenate()([layers.Flatten()(x), layers.Flatten()(x)]),
        np.concatenate([CHANNELS_FIRST, 24 + CHANNELS_FIRST]),
    ),
    "channels": (
        lambda x: layers.Flatten()(layers.Concatenate()([x, x])),
        np.moveaxis(np.arange(48).reshape(2, 3, 8), -1, 0).ravel(),
    ),
    "pooled": (lambda x: layers.GlobalAveragePooling2D()(x), np.arange(4)),
    "hidden": (lambda x: layers.Lambda(lambda h: h[:, ::-1])(layers.Dense(24)(layers.Flatten()(x))), FORWARD),
}


@pytest.mark.parametrize("between", BETWEEN)
def test_rows_stand_where_pytorch_has_their_features(between):
    x, head = layers.Input((2, 3, 4)), layers.Dense(5, name="head")
    hidden, rows = BETWEEN[between][0](x), BETWEEN[between][1]
    inner = layerwise.Sequential([layers.Input(hidden.shape[1:]), head], name="inner")
    for model, prefix in ((layerwise.Model(x, head(hidden)), ""), (layerwise.Model(x, inner(hidden)), "inner.")):
        state = torch_state_dict(model)
        np.testing.assert_array_equal(state[f"{prefix}head.weight"], head.kernel.numpy()[rows].T)
        before = model.get_weights()
        model.set_weights([0 * w for w in before])
        load_torch_state_dict(model, state)
        assert_same(dict(enumerate(model.get_weights())), dict(enumerate(before)))


def test_vectors_of_flattened_features_are_put_in_order_too():
    norm = layers.BatchNormalization(name="norm")
    model = layerwise.Sequential([layers.Input((2, 3, 4)), layers.Flatten(), norm])
    norm.gamma.assign(FORWARD)
    assert torch_state_dict(model)["norm.weight"].tolist() == CHANNELS_FIRST.tolist()


def test_rows_of_tables_stay_where_they_are():
    for shape, first, rows in (
        ((4, 6), [], FORWARD),  # no layer knows of channels: PyTorch flattens the same rows
        ((4, 6), [layers.MaxPooling1D(1)], np.arange(24).reshape(4, 6).T.ravel()),
        ((4, 2, 3), [layers.MaxPooling2D(1, data_format="channels_first")], FORWARD),
    ):
        model = layerwise.Sequential([layers.Input(shape), *first, layers.Flatten(), layers.Dense(2, name="head")])
        weight = torch_state_dict(model)["head.weight"]
        np.testing.assert_array_equal(weight, model.layers[-1].kernel.numpy()[rows].T)


def test_a_subclassed_model_is_followed_through_its_call():
    class Net(layerwise.Model):
        def __init__(self, reads=False):
            super().__init__()
            self.flat, self.head, self.reads = layers.Flatten(), layers.Dense(2, name="head"), reads

        def call(self, x):
            return self.head(layerwise.ops.relu(self.flat(x if not self.reads else x.numpy())))

    net, stubborn = Net(), Net(reads=True)
    for model in (net, stubborn):
        model(np.ones((1, 2, 3, 4), "float32"))
    rows = net.head.kernel.numpy()[CHANNELS_FIRST].T
    np.testing.assert_array_equal(torch_state_dict(net)["head.weight"], rows)
    assert net.head.calls == []
    x = layers.Input((2, 3, 4))
    np.testing.assert_array_equal(torch_state_dict(layerwise.Model(x, net(x)))["net.head.weight"], rows)
    with pytest.raises(ValueError, match=r"model 'net_1' \(Net\): its call cannot be followed to PyTorch"):
        torch_state_dict(stubborn)


@pytest.mark.parametrize(
    ("between", "culprit"),
    [
        (lambda x: layers.Flatten()(layers.Permute((2, 1, 3), name="turn")(x)), "'turn'"),
        (lambda x: layers.Lambda(lambda h: h[:, ::-1], name="mirror")(layers.Flatten()(x)), "'mirror'"),
        (lambda x: layers.Flatten()(layers.Concatenate(axis=1, name="beside")([x, x])), "'beside'"),
        (lambda x: layers.Flatten()(x) + layers.Dense(24, name="other")(layers.Flatten()(x)), "'add'"),
        (lambda x: layers.Flatten()(layers.Dense(4, name="each")(x)), "'each'"),
        (
            lambda x: layers.Conv2D(4, 1, name="head")(layers.Reshape((2, 1, 2))(layers.GlobalMaxPooling2D()(x))),
            "what makes images of vectors",
        ),
    ],
)
def test_an_order_that_cannot_be_followed_is_refused_by_name(between, culprit):
    x = layers.Input((2, 3, 4))
    y = between(x)
    model = layerwise.Model(x, y if culprit[0] != "'" else layers.Dense(5, name="head")(y))
    given = {"other.weight": np.zeros((24, 24)), "other.bias": np.zeros(24)}
    given |= {"each.weight": np.zeros((4, 4)), "each.bias": np.zeros(4)}
    for use in (torch_state_dict, lambda model: load_torch_state_dict(model, given)):
        with pytest.raises(ValueError, match=rf"layer 'head' \(\w+\): behind {culprit} it cannot be told"):
            use(model)
    f = layers.Flatten()(x)
    head = layers.Dense(24, name="head")
    with pytest.raises(ValueError, match=r"layer 'head' .* behind inputs of several orders"):
        torch_state_dict(layerwise.Model(x, head(head(f))))


def test_names_are_public():
    assert {"load_safetensors", "save_safetensors", "torch_state_dict", "load_torch_state_dict"} <= set(dir(saving))

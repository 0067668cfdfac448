"""Attention and embedding, against Keras on JAX with the same weights, and against the written-out formula."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np
import pytest

from layerwise import GradientTape, Input, Model, config, layers, ops, saving, tree
from layerwise.autograd import Spec, Tensor

pytestmark = pytest.mark.filterwarnings("ignore:Layer '.*' .of type EinsumDense. was passed an input with a mask")
RNG = np.random.default_rng(5)
QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype("float32")


def same_weights(ours: Any, theirs: Any) -> None:
    values = [numbers(*v.shape) for v in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)


SEEN = RNG.random((2, 4, 5)) < 0.6
SEEN[..., 0] = True
STEPS, OTHERS = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool), np.array([[1, 1, 1, 1, 0], [0, 1, 1, 0, 1]], bool)
QUERY, VALUE = (2, 4, 6), (2, 5, 3)
SCORES = {"return_attention_scores": True}
HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}

# A layer, its arguments, the shapes of what it is called on, and how it is called.
CASES: list[tuple[str, dict[str, Any], list[Any], dict[str, Any]]] = [
    ("MultiHeadAttention", HEADS, [QUERY, VALUE], {}),
    ("MultiHeadAttention", {**HEADS, "use_bias": False, "output_shape": 7}, [QUERY, VALUE, (2, 5, 4)], {}),
    ("MultiHeadAttention", {**HEADS, "value_dim": 5, "use_gate": True}, [QUERY, VALUE], SCORES),
    ("MultiHeadAttention", {**HEADS, "use_gate": True}, [QUERY, VALUE], {"attention_mask": SEEN}),
    ("MultiHeadAttention", HEADS, [QUERY, QUERY], {"use_causal_mask": True}),
    ("MultiHeadAttention", HEADS, [QUERY, QUERY], {"use_causal_mask": True, "return_attention_scores": True}),
    ("MultiHeadAttention", HEADS, [QUERY, VALUE], {"attention_mask": SEEN, "return_attention_scores": True}),
    ("MultiHeadAttention", {**HEADS, "sliding_window": 2}, [QUERY, QUERY], {}),
    ("MultiHeadAttention", {**HEADS, "dropout": 0.3, "kernel_regularizer": "l2"}, [QUERY, VALUE], {}),
    ("MultiHeadAttention", {**HEADS, "attention_axes": (2,)}, [(2, 3, 4, 6), (2, 3, 5, 6)], {}),
    ("MultiHeadAttention", HEADS, [(2, 3, 2, 6), (2, 2, 2, 6)], {"return_attention_scores": True}),
    ("MultiHeadAttention", {**HEADS, "output_shape": (2, 3), "activity_regularizer": "l2"}, [QUERY, VALUE], {}),
    ("GroupQueryAttention", GROUPS, [QUERY, (2, 5, 6)], {}),
    ("GroupQueryAttention", {**GROUPS, "use_bias": False}, [QUERY, (2, 5, 6)], {"attention_mask": SEEN}),
    ("GroupQueryAttention", {**GROUPS, "use_gate": True}, [QUERY, (2, 5, 6)], {}),
    ("GroupQueryAttention", GROUPS, [QUERY, QUERY], {"use_causal_mask": True, "return_attention_scores": True}),
    ("GroupQueryAttention", {**GROUPS, "sliding_window": 2, "dropout": 0.2}, [QUERY, QUERY], {}),
    ("Attention", {}, [[(2, 4, 3), VALUE]], {}),
    ("Attention", {"use_scale": True}, [[(2, 4, 3), VALUE, VALUE]], {"use_causal_mask": True}),
    ("Attention", {"score_mode": "concat"}, [[(2, 4, 3), VALUE]], {"return_attention_scores": True}),
    ("Attention", {"score_mode": "concat", "use_scale": True}, [[(2, 4, 3), VALUE]], {"mask": [STEPS, OTHERS]}),
    ("Attention", {"dropout": 0.5, "seed": 1}, [[(2, 4, 3), VALUE]], {"mask": [None, OTHERS], "use_causal_mask": True}),
    ("AdditiveAttention", {}, [[(2, 4, 3), VALUE]], {"mask": [STEPS, OTHERS]}),
    ("AdditiveAttention", {"use_scale": False}, [[(2, 4, 3), VALUE]], {"return_attention_scores": True}),
]
IDS = [f"{layer}-{'-'.join([*arguments, *how])}-{i}" for i, (layer, arguments, _, how) in enumerate(CASES)]
every_case = pytest.mark.parametrize(("layer", "arguments", "shapes", "how"), CASES, ids=IDS)


def pair(layer: str, arguments: dict[str, Any], xs: list[Any]) -> tuple[Any, Any]:
    ours, theirs = getattr(layers, layer)(**arguments), getattr(keras.layers, layer)(**arguments)
    theirs(*tree.map_structure(lambda x: keras.KerasTensor((None, *x.shape[1:])), xs))
    ours(*tree.map_structure(lambda x: Tensor(Spec((None, *x.shape[1:]))), xs))
    same_weights(ours, theirs)
    return ours, theirs


@every_case
def test_values_and_gradients(layer: str, arguments: Any, shapes: Any, how: Any) -> None:
    xs = tree.map_shape_structure(lambda shape: numbers(*shape), shapes)
    ours, theirs = pair(layer, arguments, xs)

    def total(trained: Any, xs: Any) -> Any:
        with keras.StatelessScope(list(zip(theirs.trainable_variables, trained, strict=True)), collect_losses=True):
            y = theirs(*xs, **how)
            losses = theirs.losses
        flat = jax.tree.leaves(y)
        return sum((keras.ops.cos(1.0 + i) * out * out).sum() for i, out in enumerate(flat)) + sum(losses), y

    trained = [v.value for v in theirs.trainable_variables]
    run = jax.jit(jax.grad(total, (0, 1), has_aux=True)).lower(trained, xs).compile(QUICKLY)
    (by_weights0, by_inputs0), y0 = run(trained, xs)

    tensors = tree.map_structure(ops.array, xs)
    with GradientTape() as tape:
        tape.watch(tensors)
        y = ours(*tensors, **how)
        loss = sum(ops.sum(float(np.cos(1.0 + i)) * out * out) for i, out in enumerate(tree.flatten(y)))
        loss = sum(ours.losses, loss)
    by_weights, by_inputs = tape.gradient(loss, (ours.trainable_variables, tensors))
    expected = jax.tree.leaves([y0, by_weights0, by_inputs0])
    largest = max(float(abs(b).max()) for b in expected)  # of terms that cancel in the gradient by the key's bias
    for a, b in zip(tree.flatten([y, by_weights, by_inputs]), expected, strict=True):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * largest)


@every_case
def test_configurations_names_and_shapes(layer: str, arguments: Any, shapes: Any, how: Any) -> None:
    xs = tree.map_shape_structure(lambda shape: numbers(*shape), shapes)
    ours, theirs = pair(layer, arguments, xs)
    config0 = {k: v for k, v in theirs.get_config().items() if k not in ("name", "dtype")}
    config1 = {k: v for k, v in ours.get_config().items() if k not in ("name", "dtype")}
    assert repr(tree.lists_to_tuples(config1)) == repr(tree.lists_to_tuples({k: config0[k] for k in config1}))
    assert config1.keys() == config0.keys()
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
    assert [(v.path.partition("/")[2], v.shape) for v in ours.weights] == [
        (v.path.partition("/")[2], tuple(v.shape)) for v in theirs.weights
    ]
    symbols = tree.map_structure(lambda x: Tensor(Spec((None, *x.shape[1:]))), xs)
    keras_symbols = tree.map_structure(lambda x: keras.KerasTensor((None, *x.shape[1:])), xs)
    if "use_causal_mask" not in how or layer == "MultiHeadAttention":
        made = tree.map_structure(lambda t: t.shape[1:], ours(*symbols))
        assert made == tree.map_structure(lambda t: tuple(t.shape)[1:], theirs(*keras_symbols))


@pytest.mark.parametrize("layer", ["MultiHeadAttention", "GroupQueryAttention"])
@pytest.mark.parametrize("masked", [(True, False), (False, True), (True, True)])
def test_masks_that_the_inputs_bring(layer: str, masked: tuple[bool, bool]) -> None:
    xs = [numbers(*QUERY), numbers(2, 5, 6)]
    ours, theirs = pair(layer, HEADS if layer == "MultiHeadAttention" else GROUPS, xs)
    masks = [mask if on else None for mask, on in zip((STEPS, OTHERS), masked, strict=True)]
    tensors = [x if mask is None else x.note("mask", ops.array(mask)) for x, mask in zip(map(ops.array, xs), masks)]
    theirs_in = [keras.ops.array(x) for x in xs]
    for x, mask in zip(theirs_in, masks, strict=True):
        if mask is not None:
            x._keras_mask = keras.ops.array(mask)
    y = ours(*tensors)
    np.testing.assert_allclose(y, theirs(*theirs_in), rtol=1e-4, atol=1e-5)
    assert ("mask" in (y.notes or {})) == masked[0]


@pytest.mark.float64
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [(2, 2), (4, 2), (3, 1)])
def test_the_formula_written_out(causal: bool, heads: tuple[int, int]) -> None:
    query, key, value = (RNG.standard_normal((2, t, n, 3)) for t, n in zip((4, 5, 5), (heads[0], heads[1], heads[1])))
    bias, mask = RNG.standard_normal((1, heads[0], 4, 5)), RNG.random((2, 1, 4, 5)) < 0.7
    expected = np.zeros_like(query)
    for b in range(2):
        for h in range(heads[0]):
            shared = h * heads[1] // heads[0]
            for t in range(4):
                seen = [s for s in range(5) if mask[b, 0, t, s] and (s <= t or not causal)]
                seen = seen or [0, 1, 2, 3, 4]  # nothing is attended to: all alike
                scores = np.array([0.3 * query[b, t, h] @ key[b, s, shared] + bias[0, h, t, s] for s in seen])
                scores = scores if any(mask[b, 0, t, : t + 1 if causal else 5]) else np.zeros(5)
                weights = np.exp(scores - scores.max())
                expected[b, t, h] = weights @ value[b, seen, shared] / weights.sum()
    y = ops.dot_product_attention(query, key, value, bias, mask, scale=0.3, is_causal=causal)
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_what_attention_refuses() -> None:
    x = numbers(*QUERY)
    wrong = [
        (lambda: layers.MultiHeadAttention(0, 2), "num_heads: got 0, expected a whole number >= 1"),
        (lambda: layers.MultiHeadAttention(2, 2, dropout=0.1, flash_attention=True), "dropout: got 0.1, expected 0"),
        (lambda: layers.MultiHeadAttention(2, 2, sliding_window=0), "sliding_window: got 0"),
        (lambda: layers.MultiHeadAttention(2, 2)(x, x, x[:, :2]), "expected them to differ in the last dimension only"),
        (lambda: layers.GroupQueryAttention(2, 3, 2), "num_query_heads: got 3, expected a multiple"),
        (lambda: layers.Attention()([x]), r"got 1 inputs, expected \[query, value\]"),
        (lambda: layers.Attention(score_mode="sum"), "score_mode: got 'sum'"),
        (lambda: ops.dot_product_attention(x, x, x), r"expected \(batch, positions, heads, features\)"),
        (lambda: ops.dot_product_attention(x[None], x[None, :, :, :1], x[None]), "Layerwise|expected|shapes"),
        (lambda: ops.dot_product_attention(x[None], x[None], x[None], attn_logits_soft_cap=1.0), "soft_cap: got 1.0"),
    ]
    for do, message in wrong:
        with pytest.raises(ValueError, match=message):
            do()


# Embedding


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_embedding_against_keras(dtype: str) -> None:
    arguments = {"input_dim": 7, "output_dim": 3, "embeddings_regularizer": "l2", "dtype": dtype}
    ours, theirs = layers.Embedding(**arguments), keras.layers.Embedding(**arguments)
    ours.build(), theirs.build()
    same_weights(ours, theirs)
    x = np.array([[0, 3, 3], [6, 1, 0]])
    for given in (x, x.astype("int8"), x.astype("float32"), x[0]):
        y, y0 = ours(given), theirs(given)
        assert y.dtype == y0.dtype
        np.testing.assert_array_equal(y, y0)
    with GradientTape() as tape:
        loss = ops.sum(ours(x) * np.arange(18).reshape(2, 3, 3))
    expected = np.zeros((7, 3))
    np.add.at(expected, x, np.arange(18).reshape(2, 3, 3))
    np.testing.assert_array_equal(tape.gradient(loss, ours.embeddings), expected)
    assert ours(np.zeros((2, 0), int)).shape == (2, 0, 3)
    assert ours.get_config().keys() <= theirs.get_config().keys()


def test_zeros_are_masked_where_they_are_to_be() -> None:
    x = np.array([[1, 0, 2]])
    np.testing.assert_array_equal(layers.Embedding(3, 2, mask_zero=True)(x).notes["mask"], x != 0)
    assert "mask" not in (layers.Embedding(3, 2)(x).notes or {})
    y = layers.Masking(mask_value=1.0)(np.float32([[[1, 1], [1, 2]]]))
    np.testing.assert_array_equal(y, [[[0, 0], [1, 2]]])
    np.testing.assert_array_equal(y.notes["mask"], [[False, True]])


@pytest.mark.parametrize("arguments", [{}, {"tie_weights": False, "logit_soft_cap": 2.0}, {"mask_zero": True}])
def test_reversible_embedding_against_keras(arguments: dict[str, Any]) -> None:
    ours, theirs = layers.ReversibleEmbedding(7, 3, **arguments), keras.layers.ReversibleEmbedding(7, 3, **arguments)
    ours.build(), theirs.build()
    same_weights(ours, theirs)
    x = np.array([[0, 3, 3], [6, 1, 0]])
    np.testing.assert_array_equal(ours(x), theirs(x))
    h = numbers(2, 3, 3)
    np.testing.assert_allclose(ours(h, reverse=True), theirs(h, reverse=True), rtol=1e-5, atol=1e-6)
    assert ("mask" in (ours(x).notes or {})) == bool(arguments.get("mask_zero"))
    assert "mask" not in (ours(h, reverse=True).notes or {})
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]


@pytest.mark.parametrize("name", ["numpy", "native"])
def test_numbers_without_a_vector_are_refused(name: str) -> None:
    if name == "native":
        pytest.importorskip("layerwise.backends._native", exc_type=ImportError)
    with config.override(backend=name):
        layer = layers.Embedding(3, 2)
        with pytest.raises((IndexError, ValueError), match="3"):
            layer(np.array([[3]])).numpy()


def classifier(library: Any) -> Any:
    x = library.Input((6,), dtype="int32")
    h = library.layers.Embedding(20, 8, mask_zero=True, name="e")(x)
    h = library.layers.MultiHeadAttention(2, 4, name="a")(h, h)
    h = library.layers.GlobalAveragePooling1D()(h)
    return library.Model(x, library.layers.Dense(1, activation="sigmoid", name="d")(h), name="m")


def test_files_both_ways(tmp_path: Any) -> None:
    import layerwise

    x = RNG.integers(0, 20, (5, 6))
    ours, theirs = classifier(layerwise), classifier(keras)
    same_weights(ours, theirs)
    y = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), y, rtol=1e-5)
    theirs.save(tmp_path / "k.keras")
    np.testing.assert_allclose(saving.load_model(tmp_path / "k.keras").predict(x, verbose=0), y, rtol=1e-5)
    ours.save(tmp_path / "o.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "o.keras").predict(x, verbose=0), y, rtol=1e-5)
    theirs.save_weights(tmp_path / "w.weights.h5")
    fresh = classifier(layerwise)
    fresh.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(fresh.predict(x, verbose=0), y, rtol=1e-5)


def test_a_classifier_of_sequences_learns() -> None:
    x = RNG.integers(1, 20, (256, 6))
    y = (x == 7).any(axis=1).astype("float32")
    inputs = Input((6,), dtype="int32")
    h = layers.Embedding(20, 8)(inputs)
    h = layers.Add()([h, layers.MultiHeadAttention(2, 4)(h, h)])
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalMaxPooling1D()(h)))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.01
    history = model.fit(x, y, epochs=12, batch_size=32, verbose=0)
    assert history.history["accuracy"][-1] > 0.95

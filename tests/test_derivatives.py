"""Jacobians, Hessians, derivatives in a direction, and functions mapped over an axis."""

import numpy as np
import pytest

import layerwise
from layerwise import GradientTape, Variable, ops
from layerwise.autograd import GraphError

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
W = np.random.default_rng(1).normal(size=(3, 2)).astype("float32")


def test_jacobian_of_a_tape():
    w, unused = Variable(W), Variable(1.0)
    with GradientTape() as tape:
        y = ops.tanh(X @ w)
    j, none = tape.jacobian(y, [w, unused])
    assert none is None
    expected = np.einsum("nk,ni,kl->nkil", 1 - np.tanh(X @ W) ** 2, X, np.eye(2))
    np.testing.assert_allclose(j, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(GraphError, match="jacobian: a tape that is not persistent can be asked once"):
        tape.jacobian(y, w)


def test_batch_jacobian():
    x = layerwise.ops.array(X)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = ops.stack([x[:, :2] ** 2, x[:, 1:]], axis=1)
    whole, each = tape.jacobian(y, x), tape.batch_jacobian(y, x)
    assert (whole.shape, each.shape) == ((4, 2, 2, 4, 3), (4, 2, 2, 3))
    np.testing.assert_array_equal(each, [whole[n, :, :, n] for n in range(4)])


def test_functions():
    def f(p, x):
        return ops.tanh(x @ p["w"]) * p["s"]

    p = {"w": W, "s": np.float32(3)}
    j = layerwise.jacobian(f)(p, X)
    assert (j["w"].shape, j["s"].shape) == ((4, 2, 3, 2), (4, 2))
    np.testing.assert_allclose(j["s"], np.tanh(X @ W), rtol=1e-5)
    by_both = layerwise.jacobian(lambda a, b: a * b, argnums=(0, 1))([1.0, 2.0], [3.0, 4.0])
    np.testing.assert_array_equal(by_both, [np.diag([3.0, 4.0]), np.diag([1.0, 2.0])])
    h = layerwise.hessian(lambda x: ops.sum(x**3) + x[0] * x[1])([1.0, 2.0])
    np.testing.assert_allclose(h, [[6.0, 1.0], [1.0, 12.0]])
    y, pull = layerwise.vjp(lambda x: x * x, 3.0)
    assert (y.item(), pull([2.0])[0].item()) == (9.0, 12.0)


def test_jvp():
    t = np.random.default_rng(2).normal(size=X.shape).astype("float32")
    y, dy = layerwise.jvp(lambda x, w: {"p": ops.sin(x @ w), "q": x[0]}, (X, W), (t, np.zeros_like(W)))
    np.testing.assert_allclose(dy["p"], np.cos(X @ W) * (t @ W), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(dy["q"], t[0])
    np.testing.assert_allclose(y["p"], np.sin(X @ W), rtol=1e-5)
    assert layerwise.grad(lambda x: layerwise.jvp(ops.sin, (x,), (1.0,))[1])(0.5).item() == pytest.approx(-np.sin(0.5))


def test_vmap():
    row = layerwise.vmap(lambda x, w: {"y": x @ w}, in_axes=(0, None), out_axes=1)(X, W)["y"]
    np.testing.assert_allclose(row, (X @ W).T, rtol=1e-5)
    columns = layerwise.vmap(ops.sum, in_axes=1)(X)
    np.testing.assert_allclose(columns, X.sum(0), rtol=1e-5)
    per_example = layerwise.vmap(layerwise.grad(lambda x: ops.sum(x**3)))(X)
    np.testing.assert_allclose(per_example, 3 * X**2, rtol=1e-5)


# Tensors' methods


def test_methods_are_the_operations():
    t, v = ops.array(X), Variable(X)
    for name in "all any argmax argmin cumsum cumprod max mean min prod ravel round sort squeeze std sum var".split():
        np.testing.assert_allclose(getattr(t, name)(), getattr(ops, name)(X), err_msg=name)
        np.testing.assert_allclose(getattr(v, name)(), getattr(ops, name)(X), err_msg=name)
    np.testing.assert_allclose(t.mean(axis=1, keepdims=True), X.mean(1, keepdims=True), rtol=1e-5)
    assert t.transpose().shape == t.transpose(1, 0).shape == t.transpose((1, 0)).shape == (3, 4)
    assert (t.astype("int32").dtype, t.flatten().shape, t.tolist()) == ("int32", (12,), X.tolist())
    np.testing.assert_array_equal(t.clip(0, 1).swapaxes(0, 1), np.clip(X, 0, 1).T)
    np.testing.assert_allclose(t.dot(W), X @ W, rtol=1e-5)
    assert layerwise.grad(lambda x: x.sum())(X).shape == X.shape
    assert layerwise.Input((3,)).mean(axis=-1).name == "mean"


def test_numpy_functions_give_arrays():
    t = ops.array(X)
    results = (
        np.mean(t, axis=0), np.sum(t), np.squeeze(t), np.transpose(t), np.reshape(t, (3, 4)), np.clip(t, 0, 1),
        np.argmax(t, axis=1), np.std(t), np.concatenate([t, t]), np.round(t, 1), np.repeat(t, 2), np.dot(t, W),
    )  # fmt: skip
    assert all(isinstance(y, np.ndarray | np.generic) for y in results)
    assert np.mean(t) == X.mean()

"""The chain rule by hand, in NumPy, for a network of two layers: the tape finds the same gradients.

Run: python examples/04_backpropagation_by_hand.py
"""

import numpy as np

from layerwise import GradientTape, Variable, config, grad, ops
from layerwise.autograd import gradcheck
from layerwise.fundamentals import relu, softmax


def by_hand(x, y, w1, b1, w2, b2):
    """The loss, and dL/dw for each of the four parameters, one line a factor of the chain rule."""
    n = len(x)
    z1 = x @ w1 + b1
    h = relu(z1)
    p = softmax(h @ w2 + b2)
    loss = -np.mean(np.log(p[y == 1]))

    dz2 = (p - y) / n  # softmax and cross-entropy together: dL/dz2
    dw2, db2 = h.T @ dz2, dz2.sum(axis=0)  # dz2/dw2 = h, dz2/db2 = 1
    dh = dz2 @ w2.T  # dz2/dh = w2
    dz1 = dh * (z1 > 0)  # dh/dz1: relu's slope
    dw1, db1 = x.T @ dz1, dz1.sum(axis=0)
    return loss, (dw1, db1, dw2, db2)


def network_loss(w1, b1, w2, b2, x, y):
    """The same loss, forward only: the tape does the rest."""
    h = ops.relu(ops.matmul(x, w1) + b1)
    logits = ops.matmul(h, w2) + b2
    return ops.mean(-ops.sum(y * ops.log_softmax(logits), axis=-1))


def main():
    config.set_floatx("float64")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 5)), np.eye(3)[rng.integers(0, 3, 20)]
    parameters = [rng.normal(size=shape) for shape in [(5, 8), (8,), (8, 3), (3,)]]
    loss, exact = by_hand(x, y, *parameters)

    functional = grad(network_loss, argnums=(0, 1, 2, 3))(*parameters, x, y)
    variables = [Variable(p) for p in parameters]
    with GradientTape() as tape:
        taped = network_loss(*variables, x, y)
    by_tape = tape.gradient(taped, variables)

    print(f"loss by hand {loss:.12f}, on the tape {taped.item():.12f}\n")
    print("gradient   norm by hand     difference to grad()  to GradientTape")
    for name, g, a, b in zip(["w1", "b1", "w2", "b2"], exact, functional, by_tape):
        off = [np.abs(g - other.numpy()).max() for other in (a, b)]
        print(f"{name:8} {np.linalg.norm(g):14.10f} {off[0]:24.1e} {off[1]:16.1e}")
        assert max(off) < 1e-10

    print("\nThe same gradients from differences, the loss moved a little along a random direction:")
    print("     agree:", gradcheck(lambda *p: network_loss(*p, x, y), *parameters))

    step = 0.5
    moved = [p - step * g for p, g in zip(parameters, exact)]
    expected = loss - step * sum(np.sum(g * g) for g in exact)
    print(f"\nOne step of gradient descent, learning rate {step}: loss {loss:.4f} -> {by_hand(x, y, *moved)[0]:.4f}")
    print(f"     a straight line would have led to {expected:.4f}: the slope holds for small steps only")


if __name__ == "__main__":
    main()

"""JAX with jit, written by hand: one compiled function gathers a batch, trains on it and counts what was right."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jax
import numpy as np
import work as bench
from jax import lax
from jax import numpy as jnp

whole_epochs = True  # whether to compile these, too


def setup(flavour: str, threads: int) -> None:
    """XLA takes its number of threads from the CPUs that the process may use."""
    global whole_epochs
    whole_epochs = flavour != "step"


def versions() -> dict[str, str]:
    return {"jax": version("jax")}


def to_numpy(result: Any) -> Any:
    return np.asarray(result) if isinstance(result, jax.Array) else result


# Networks -------------------------------------------------------------------------------------------------------------


def convolve(x: jax.Array, w: jax.Array, padding: str = "VALID") -> jax.Array:
    return lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool_windows(x: jax.Array) -> jax.Array:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def pool_reshaped(x: jax.Array) -> jax.Array:
    """The same for windows that do not overlap, without the slow gradient of `reduce_window`."""
    n, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


POOLS = {"reduce_window": pool_windows, "reshaped pool": pool_reshaped}


def cnn(weights: list[jax.Array], x: jax.Array, pool: Callable[..., jax.Array], key: jax.Array | None) -> jax.Array:
    """Logits; with dropout where a key is given."""
    k1, b1, k2, b2, k3, b3, k4, b4, k5, b5 = weights
    x = pool(jax.nn.relu(convolve(x, k1) + b1))
    x = pool(jax.nn.relu(convolve(x, k2) + b2))
    x = jax.nn.relu(convolve(x, k3) + b3)
    x = jax.nn.relu(x.reshape(len(x), -1) @ k4 + b4)
    if key is not None:
        x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x * 2, 0)
    return x @ k5 + b5


def mlp(weights: list[jax.Array], x: jax.Array, pool: Any, key: Any) -> jax.Array:
    k1, b1, k2, b2, k3, b3 = weights
    return jax.nn.relu(jax.nn.relu(x @ k1 + b1) @ k2 + b2) @ k3 + b3


NETWORKS = {"cnn": cnn, "mlp": mlp}


# Works ----------------------------------------------------------------------------------------------------------------


def adam(w: Any, g: Any, m: Any, v: Any, t: jax.Array) -> tuple[Any, Any, Any]:
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    rate = 0.001 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), w, m, v), m, v


def train(work: bench.Work) -> dict[str, Callable[[], Any]]:
    if work.model not in NETWORKS:
        return {}
    data = bench.examples(work)
    common = work.model, bench.weights(work.model), *data, work.batch
    if work.model == "cnn":
        return {name: trainer(*common, pool)[0] for name, pool in POOLS.items()}
    ways = {"step by step": trainer(*common)[0]}
    return {**ways, "scan": trainer(*common, scan=True)[0]} if whole_epochs else ways


def trainer(
    name: str,
    weights: list[np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    batch: int,
    pool: Any = None,
    scan: bool = False,
    seed: int = 0,
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """(one epoch, what the weights are now); `scan` compiles all steps of an epoch into one function."""
    network = NETWORKS[name]
    x, y = jnp.asarray(x), jnp.asarray(y)
    rng = np.random.default_rng(seed)
    w = [jnp.asarray(value) for value in weights]
    state = (w, [jnp.zeros_like(a) for a in w], [jnp.zeros_like(a) for a in w], jnp.int32(0), jax.random.key(seed))

    def step(state: Any, seen: Any, x: jax.Array, y: jax.Array, indices: jax.Array) -> tuple[Any, Any]:
        w, m, v, t, key = state
        key, dropping = jax.random.split(key)
        xs, ys = in_floats(x[indices]), y[indices]

        def loss_of(w: Any) -> tuple[jax.Array, jax.Array]:
            logits = network(w, xs, pool, dropping)
            rows = jnp.arange(len(ys))
            return -jax.nn.log_softmax(logits)[rows, ys].mean(), (logits.argmax(1) == ys).sum()

        (loss, right), g = jax.value_and_grad(loss_of, has_aux=True)(w)
        return (*adam(w, g, m, v, t + 1), t + 1, key), (seen[0] + loss * len(ys), seen[1] + right)

    def whole(state: Any, seen: Any, x: jax.Array, y: jax.Array, order: jax.Array) -> tuple[Any, Any]:
        return lax.scan(lambda carry, indices: (step(*carry, x, y, indices), None), (state, seen), order)[0]

    compiled = jax.jit(whole if scan else step, donate_argnums=(0, 1))

    def epoch() -> tuple[float, float]:
        nonlocal state
        order, seen = rng.permutation(len(y)), (jnp.float32(0), jnp.int32(0))
        batches = [order.reshape(-1, batch)] if scan else (order[i : i + batch] for i in range(0, len(y), batch))
        for indices in batches:
            state, seen = compiled(state, seen, x, y, indices)
        return float(seen[0]) / len(y), float(seen[1]) / len(y)

    return epoch, lambda: state[0]


def in_floats(x: jax.Array) -> jax.Array:
    return x / 255 if x.dtype == jnp.uint8 else x


def predict(work: bench.Work) -> dict[str, Callable[[], Any]]:
    weights = [jnp.asarray(w) for w in bench.weights(work.model)]
    x, _ = bench.examples(work)
    network = jax.jit(lambda w, x: jax.nn.softmax(NETWORKS[work.model](w, x, pool_windows, None)))
    if work.call == "model":
        tensor = jnp.asarray(x)
        return {"jit": lambda: network(weights, tensor).block_until_ready()}
    batches = range(0, len(x), work.batch)
    return {"jit": lambda: np.concatenate([np.asarray(network(weights, x[i : i + work.batch])) for i in batches])}


def conv(work: bench.Work) -> dict[str, Callable[[], Any]]:
    x, w, g = (jnp.asarray(bench.normal(*shape)) for shape in (work.x, work.w, work.y))
    padding = work.padding.upper()

    def by_kernel(x: jax.Array, g: jax.Array) -> jax.Array:
        return jax.linear_transpose(lambda w: convolve(x, w, padding), w)(g)[0]

    def by_input(w: jax.Array, g: jax.Array) -> jax.Array:
        return jax.linear_transpose(lambda x: convolve(x, w, padding), x)(g)[0]

    function, arguments = {
        "forward": (lambda x, w: convolve(x, w, padding), (x, w)),
        "kernel gradient": (by_kernel, (x, g)),
        "input gradient": (by_input, (w, g)),
    }[work.what]
    compiled = jax.jit(function)
    return {"jit": lambda: compiled(*arguments).block_until_ready()}


def matmul(work: bench.Work) -> dict[str, Callable[[], Any]]:
    a, b = (jnp.asarray(bench.normal(*shape)) for shape in (work.a, work.b))
    first, second = work.transposed
    compiled = jax.jit(lambda a, b: (a.T if first else a) @ (b.T if second else b))
    return {"jit": lambda: compiled(a, b).block_until_ready()}


def standardize(x: jax.Array, gamma: jax.Array, beta: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    mean = x.mean(axes, keepdims=True)
    return (x - mean) * lax.rsqrt(x.var(axes, keepdims=True) + 1e-3) * gamma + beta


def operation(work: bench.Work) -> dict[str, Callable[[], Any]]:
    x, g = jnp.asarray(bench.normal(*work.x)), jnp.asarray(bench.normal(*work.y))
    gamma, beta = jnp.ones(work.x[-1]), jnp.zeros(work.x[-1])
    ways, arguments = {
        "batch_norm": ({"jit": lambda x, c, b: standardize(x, c, b, (0, 1, 2))}, (x, gamma, beta)),
        "layer_norm": ({"jit": lambda x, c, b: standardize(x, c, b, (1,))}, (x, gamma, beta)),
        "softmax": ({"jit": jax.nn.softmax}, (x,)),
        "gelu": ({"jit": lambda x: jax.nn.gelu(x, approximate=False)}, (x,)),
        "max_pool": (POOLS, (x,)),
    }[work.operation]

    def timed(function: Callable[..., jax.Array]) -> Callable[[], Any]:
        compiled = jax.jit(lambda g, *arguments: jax.vjp(function, *arguments)[1](g))
        return lambda: jax.block_until_ready(compiled(g, *arguments))[0]

    return {name: timed(function) for name, function in ways.items()}


def reach(folder: str, work: bench.Work, seed: int) -> tuple[int, float]:
    train_data, (x, y) = bench.mnist(folder, work.examples)
    epoch_of, weights = trainer("cnn", bench.weights("cnn", seed), *train_data, 128, pool_reshaped, seed=seed)
    classify = jax.jit(lambda w, x: cnn(w, in_floats(x), pool_reshaped, None).argmax(1))
    accuracy, epoch = 0.0, 0
    while accuracy < work.target and epoch < work.epochs:
        epoch += 1
        epoch_of()
        found = [np.asarray(classify(weights(), x[i : i + 250])) for i in range(0, len(x), 250)]
        accuracy = float((np.concatenate(found) == y).mean())
    return epoch, accuracy

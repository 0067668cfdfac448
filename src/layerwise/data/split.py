"""Reproducible orders and splits."""

import numpy as np


def permutation(n: int, seed: int, key: tuple[int, ...] = ()) -> np.ndarray:
    """The numbers 0..n-1 in a random order, (n,) int64: a pure function of (n, seed, key).

    Sorts n Philox words (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), so the order is the same
    on every machine and with every release of NumPy, whose own `permutation` promises neither.

    >>> permutation(5, seed=1), permutation(5, seed=1, key=(1,))
    (array([2, 0, 1, 4, 3]), array([2, 1, 0, 3, 4]))
    """
    return np.argsort(random_words(n, seed, key), kind="stable")


def random_words(n: int, seed: int, key: tuple[int, ...] = ()) -> np.ndarray:
    """n random 64-bit words, (n,) uint64: a pure function of (n, seed, key); fewer words are a prefix of more.

    >>> random_words(2, seed=0).dtype
    dtype('uint64')
    """
    return np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)).random_raw(n)


def stratified_split(labels: np.ndarray, fraction: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Indices `(rest, chosen)`, both ascending, where `chosen` holds `round(fraction * count)` examples of each class.

    A class with two or more examples has at least one on each side; a single example stays in `rest`.
    labels: (n,), of any type that sorts; seed: of the choice.
    For a split that is not stratified pass labels that are all equal.
    Raises `ValueError` for a fraction outside (0, 1).

    >>> rest, chosen = stratified_split(np.array([0, 0, 0, 0, 1, 1]), 0.5)
    >>> len(rest), len(chosen)
    (3, 3)
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: expected a number between 0 and 1, got {fraction}")
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"labels: expected one label an example, shape (n,), got shape {labels.shape}")
    is_chosen = np.zeros(len(labels), bool)
    for k, label in enumerate(np.unique(labels)):
        members = np.flatnonzero(labels == label)
        count = min(max(round(fraction * len(members)), 1), len(members) - 1)
        is_chosen[members[permutation(len(members), seed, (k,))[:count]]] = True
    return np.flatnonzero(~is_chosen), np.flatnonzero(is_chosen)

"""scikit-learn's multilayer perceptron: `partial_fit` is one epoch, shuffled; it keeps no accuracy."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import work as bench
from sklearn.neural_network import MLPClassifier


def setup(flavour: str, threads: int) -> None:
    """Its products are BLAS', whose threads the environment sets."""


def versions() -> dict[str, str]:
    return {"scikit-learn": version("scikit-learn")}


def train(work: bench.Work) -> dict[str, Callable[[], Any]]:
    if work.model != "mlp":
        return {}
    x, y = bench.examples(work)
    model = MLPClassifier((128, 64), batch_size=work.batch, alpha=0.0, random_state=0)
    return {"partial_fit": lambda: model.partial_fit(x, y, classes=range(10))}

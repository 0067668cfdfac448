"""NumPy's matrix product: its wheels' OpenBLAS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import work as bench


def setup(flavour: str, threads: int) -> None:
    """OpenBLAS takes its threads from the environment."""


def versions() -> dict[str, str]:
    return {"numpy": np.__version__}


def matmul(work: bench.Work) -> dict[str, Callable[[], Any]]:
    a, b = (bench.normal(*shape) for shape in (work.a, work.b))
    a, b = a.T if work.transposed[0] else a, b.T if work.transposed[1] else b
    return {"@": lambda: a @ b}

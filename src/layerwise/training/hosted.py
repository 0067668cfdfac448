"""Steps of models that begin on NumPy arrays: with layers that take texts, or look things up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tree
from ..backends import backend
from ..dtypes import is_text
from ..variables import StepFunction, Variable

if TYPE_CHECKING:
    from .trainer import Trainer


class HostedStep(StepFunction):
    """A step of a model whose first part computes on the host: that part, and then the rest, compiled.

    The step gets whole numbers in the place of texts.
    """

    def __init__(self, model: Trainer, part: Any, step: Callable[..., Any], variables: list[Variable], **options: Any):
        def rest(data: Any, values: list[Any]) -> Any:
            with part.done(values):
                return step(data)

        super().__init__(rest, variables, **options)
        self._inputs, self._values = model._graph_inputs, part.values  # type: ignore[attr-defined]

    def __call__(self, data: Any) -> Any:
        x, *labels = data if isinstance(data, tuple) else (data,)
        values = self._values(self._inputs(x))
        x = tree.map_given(lambda a: np.zeros(a.shape, "int8") if is_text(a) else a, x)
        return super().__call__((x, *labels) if isinstance(data, tuple) else x, values)

    def for_each(self, rows: np.ndarray, data: Any) -> Any:
        for line in rows:
            outputs = self(tree.map_given(lambda a: backend().batch(a, line), data))  # noqa: B023
        return outputs

"""What callbacks that watch one quantity share: its value, which way is better, what to say where it is missing."""

import warnings
from typing import Any

from ..naming import expect, suggest
from .base import Callback


class Monitor(Callback):
    """Watches `logs[monitor]`.

    Args:
        monitor: a name in the logs of an epoch: "loss", "val_loss", a metric's name.
        mode: "min" or "max", whichever is better; "auto" asks the model's metric of that name.
        min_delta: the least change that counts as better.
        best: the value to surpass at first, if any.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0, best: float | None = None) -> None:
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode: got {mode!r}, expected 'auto', 'min' or 'max'; going on with 'auto'",
                stacklevel=3,
            )
            mode = "auto"
        expect(f"{type(self).__name__}: min_delta", min_delta, lambda delta: abs(delta) >= 0, "a number")
        self.monitor, self.mode, self.min_delta, self.best = monitor, mode, abs(min_delta), best
        self._warned = False

    def _current(self, logs: dict[str, Any]) -> float | None:
        """The monitored value; None, with a warning once, where the logs lack it."""
        value = logs.get(self.monitor)
        if value is None and not self._warned:
            self._warned = True
            warnings.warn(
                f"{type(self).__name__}: monitor: {self.monitor!r} is not in the logs, which have "
                f"{', '.join(map(repr, sorted(logs))) or 'nothing'}; {suggest(self.monitor, logs)}",
                stacklevel=2,
            )
        return value

    def _is_better(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` by `min_delta`; anything is better than None."""
        if self.mode == "auto":
            self.mode = self._direction()
        if reference is None:
            return True
        if self.mode == "min":
            return value + self.min_delta < reference
        return value - self.min_delta > reference

    def _direction(self) -> str:
        """Which way is better for the model's metric that is monitored."""
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return "min"
        for said, metric in _metrics(self.model):
            direction = getattr(metric, "_direction", None)
            if direction and (name == said or name.endswith(f"_{metric.name}")):
                return {"up": "max", "down": "min"}[direction]
        raise ValueError(
            f"{type(self).__name__}: mode: no metric of the model tells whether {self.monitor!r} should be high or "
            "low; pass mode='max' or mode='min'"
        )


def _metrics(model: Any) -> list[tuple[str, Any]]:
    """The model's metrics with their names in logs, those inside others too."""
    metrics = [(m.name, m) for m in getattr(model, "metrics", None) or []]
    for _, metric in metrics:  # grows
        inner = {m.name: m for m in getattr(metric, "metrics", None) or []}
        metrics += getattr(metric, "by_name", inner).items()
    return metrics

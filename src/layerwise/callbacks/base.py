"""What a callback can react to."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, ValuesView
from typing import Any, Self

from ..dtypes import number
from ..naming import expect, suggest
from ..serialization import check_argument_names

HOOKS = tuple(
    f"on_{what}_{when}"
    for what in "train test predict epoch batch train_batch test_batch predict_batch".split()
    for when in ("begin", "end")
)


def check_frequency(callback: Callback, argument: str, value: Any, *words: str) -> None:
    """Refuse what is neither one of these words nor a number of batches."""
    fits = value in words or (isinstance(value, int) and value >= 1)
    known = ", ".join(map(repr, words))
    expect(f"{type(callback).__name__}: {argument}", value, fits, f"{known} or a number of batches")


class Logs(dict[str, Any]):
    """Loss and metrics by name. A value that the backend may still be computing becomes a number when it is read.

    >>> from layerwise import ops
    >>> Logs(loss=ops.array(0.5))["loss"]
    0.5
    """

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if hasattr(value, "shape"):
            value = self[name] = number(value)
        return value

    def __iter__(self) -> Iterator[str]:  # without it dict(logs) would copy past __getitem__
        return super().__iter__()

    def __repr__(self) -> str:
        return repr(self.copy())

    def get(self, name: str, default: Any = None) -> Any:
        return number(super().get(name, default))

    def pop(self, name: str, *default: Any) -> Any:
        return number(super().pop(name, *default))

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        return self.copy().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return self.copy().values()

    def copy(self) -> dict[str, Any]:
        return {name: self[name] for name in self}


class Callback:
    """What is to happen at certain moments of `fit`, `evaluate` and `predict`. Override the hooks you need.

    `self.model` is the model; setting `self.model.stop_training = True` ends `fit` after the running epoch.
    `self.params` holds "verbose", "epochs" and "steps" (None where unknown). Logs map names to numbers: during an epoch
    the running mean of loss and metrics, at its end those of the validation too, under "val_..."; what a callback adds
    at the end of an epoch is seen by those after it and recorded in the history.

    >>> class Report(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: loss {logs['loss']:.2f}")
    >>> Report().on_epoch_end(3, {"loss": 0.25})
    epoch 3: loss 0.25
    """

    model: Any = None
    params: dict[str, Any] | None = None
    _memory: tuple[str, ...] = ()  # the attributes that `get_state` returns
    _every_batch = True  # whether the batch hooks have to be called for each, or once after several is enough
    _rank = 0  # callbacks of a higher rank are told later: those that save what the others remember

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        check_argument_names(cls, kwargs)
        return super().__new__(cls)

    def set_model(self, model: Any) -> None:
        """Called once before anything else: the model that is trained, evaluated or used."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before the first hook: "verbose", "epochs" and "steps"."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What the callback remembers of the training so far: numbers, texts, arrays, and lists and dicts of them."""
        return {name: getattr(self, name) for name in self._memory}

    def set_state(self, state: dict[str, Any]) -> None:
        """Remember what `get_state` returned in a training that this one continues; after `on_train_begin`."""
        if lacking := [name for name in self._memory if name not in state]:
            raise ValueError(f"{type(self).__name__}: set_state: a state without {', '.join(lacking)}")
        for name in self._memory:
            setattr(self, name, state[name])

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch and its validation."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a training step, counted from 0 within its epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a training step. Reading a value of `logs` waits until the backend has computed it."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation, be it `evaluate` or the validation in `fit`."""

    def on_test_end(self, logs: Any = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of `predict`, with the batch's results as `logs["outputs"]`."""


Hook = Callable[..., Any] | None


class LambdaCallback(Callback):
    """`LambdaCallback(on_epoch_end=f)` calls f(epoch, logs) after each epoch; any hook of `Callback` can be given.

    Args:
        on_epoch_begin, on_epoch_end, on_train_batch_begin, on_train_batch_end: called with (number, logs).
        on_train_begin, on_train_end: called with (logs).
        kwargs: other hooks, those of evaluation and prediction likewise; other names become attributes.

    >>> report = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> report.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Hook = None,
        on_epoch_end: Hook = None,
        on_train_begin: Hook = None,
        on_train_end: Hook = None,
        on_train_batch_begin: Hook = None,
        on_train_batch_end: Hook = None,
        **kwargs: Hook,
    ) -> None:
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, function in (named | kwargs).items():
            if name.startswith("on_") and name not in HOOKS:
                raise TypeError(f"LambdaCallback: {name!r} is not a hook; {suggest(name, HOOKS)}")
            if function is not None:
                setattr(self, name, function)

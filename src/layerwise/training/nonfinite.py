"""Where NaN and infinity come from: training steps that check what they computed, for `config.debug_nans()`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import config, observe, ops, tree
from ..autograd import Primitive, Tensor, as_tensor, raw
from ..backends import backend
from ..dtypes import is_float
from ..layers.base import Layer
from ..losses import Loss
from ..metrics import Metric
from ..observe import Place
from ..optimizers import Optimizer
from ..variables import StepFunction, Transaction, Variable, transaction
from .own_steps import step_on_a_batch
from .sources import gathered

_KINDS = {Loss: "loss", Metric: "metric", Optimizer: "optimizer"}


class NonFiniteError(FloatingPointError):
    """A training step gave NaN or infinity.

    Attributes:
        op: the name of the first operation that did so from finite numbers; None where it was no operation.
        place: where it is: a layer, loss, metric or optimizer, and whether it is in its gradient.
        layer: the path of the layer; None where it is in none.
        epoch, batch: counted from 0; None outside of `fit`, and on a batch of its own.
    """

    def __init__(self, text: str, **facts: Any) -> None:
        super().__init__(text)
        self.op, self.place, self.layer = (facts.get(name) for name in ("op", "place", "layer"))
        self.epoch, self.batch = facts.get("epoch"), facts.get("batch")


class CheckedStep(StepFunction):
    """A step that raises `NonFiniteError` where it leaves NaN or infinity that was not there before.

    A training step also adds up the squares of every new weight, of every gradient and of the loss: sums are finite
    only if all is. Of other steps the results are looked at. If something is not finite, the step is gone through
    again, from the state before it, operation by operation. Steps that are taken together are checked together, and
    then repeated one by one.

    Args:
        model: the one that is trained, evaluated or used.
        kind: "train", "test" or "predict", whose step it is.
        variables: what the step changes.
        compiled: whether the backend may compile it.
    """

    def __init__(self, model: Any, kind: str, variables: Sequence[Variable], compiled: bool) -> None:
        self.model, self.kind, self.step = model, kind, step_on_a_batch(model, kind)
        training = kind == "train"
        weights = {id(v) for v in model.weights}
        own = [i for i, v in enumerate(variables) if id(v) in weights]
        self._floats = [i for i in own if training and is_float(variables[i].dtype)]
        self._constant = frozenset(() if training else own)
        self._sums = Variable(np.zeros(len(self._floats) + 1, "float32"), trainable=False, name="sums_of_squares")
        self._before: list[Any] = [None] * (len(variables) + 1)
        self.begin()
        super().__init__(self._summed if training else self.step, [*variables, self._sums], compiled)

    def _summed(self, *batch: Any) -> Any:
        logs, others = self._watched(*batch)
        arrays = [*(self.variables[i].value for i in self._floats), *others]
        squares = Tensor(backend().squares([raw(a) for a in arrays]))
        count = len(self._floats)
        self._sums.assign_add(ops.concatenate([squares[:count], ops.sum(squares[count:], keepdims=True)]))
        return logs

    def _watched(self, *batch: Any) -> tuple[Any, list[Tensor]]:
        """What the step returns; what of it must be finite, and the gradients."""
        noted: list[Tensor] = []

        def note(optimizer: Any, gradients: Sequence[Any]) -> None:
            if optimizer is self.model.optimizer:
                noted.extend(as_tensor(g) for g in gradients if g is not None)

        with observe.observing(gradients=note), observe.entering(Place(self.model, f"{self.kind}_step")):
            logs = self.step(*batch)
        return logs, [*self._results(logs), *noted]

    def _results(self, logs: Any) -> list[Tensor]:
        """The loss, or the predictions."""
        if self.kind != "predict":
            return [as_tensor(logs["loss"])] if isinstance(logs, dict) and "loss" in logs else []
        return [as_tensor(y) for y in tree.flatten(logs)]

    def begin(self) -> None:
        """Count batches from 0 again."""
        self._done = self._left = 0

    def __call__(self, *batch: Any) -> Any:
        self._done, self._left = self._done + 1, max(self._left - 1, 0)
        before = self._copied()
        logs = super().__call__(*batch)
        if self._is_wrong(before, logs):
            after = [v._value for v in self.variables]
            self._set(before)
            self._explain(before, batch)
            self._set(after)  # the sums overflowed, nothing else
            self._sums.assign(np.zeros(self._sums.shape))
        return logs

    def for_each(self, rows: np.ndarray, *data: Any) -> Any:
        before, self._left = self._copied(), len(rows)
        together = self.kind == "train" or not self.model._has_own_step(self.kind)  # the library's losses are means
        logs = super().for_each(rows, *data) if together else None
        if not together or (self._left and self._is_wrong(before, logs)):  # not one by one
            self._set(before)
            for line in rows:
                logs = self(*gathered(data, line))
        self._done, self._left = self._done + self._left, 0
        return logs

    def _is_wrong(self, before: Sequence[Any], logs: Any) -> bool:
        """Whether something is not finite, apart from weights that were not before: no one's doing now."""
        if self.kind != "train":
            return not all(_is_finite(raw(result)) for result in self._results(logs))
        sums = self._sums._value
        if math.isfinite(sums.sum()):
            return False
        wrong = ~np.isfinite(np.asarray(sums))
        return bool(wrong[-1]) or any(wrong[place] and _is_finite(before[i]) for place, i in enumerate(self._floats))

    def _copied(self) -> list[Any]:
        """The variables' values, safe from being overwritten by the step."""
        for i, variable in enumerate(self.variables):
            value, copy = variable._value, self._before[i]
            if i in self._constant or not isinstance(value, np.ndarray):
                self._before[i] = value  # other backends' arrays never change
            elif not isinstance(copy, np.ndarray):
                self._before[i] = value.copy()
            else:
                np.copyto(copy, value)
        return self._before

    def _set(self, values: Sequence[Any]) -> None:
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)

    def _explain(self, before: list[Any], batch: tuple[Any, ...]) -> None:
        """Raise the error, unless all is finite."""
        names = {id(value): f"variable {v.path!r}" for v, value in zip(self.variables, before, strict=True)}
        inputs = tree.map_given(as_tensor, batch)
        names |= {id(raw(a)): "the data" for a in tree.flatten(inputs) if a is not None}
        origins = _Origins(self.model, names)
        with (
            config.override(fusion=False),  # so that every layer is gone through by itself
            np.errstate(all="ignore"),
            transaction(Transaction(self.variables, before)) as state,
            observe.observing(called=origins.called),
        ):
            _, targets = self._watched(*inputs)
            after = state.result()
        bad = [a for a in map(raw, targets) if not _is_finite(a)]
        changed = [i for i in self._floats if _is_finite(before[i]) and not _is_finite(after[i])]
        if not bad and not changed:
            return
        run = self.model._run
        if self.kind != "train":
            place = {"batch": self._done - 1}
            where = f"{'evaluate' if self.kind == 'test' else 'predict'}, batch {place['batch']} (counted from 0): "
        elif run is None:
            place, where = {}, ""
        else:
            place = {"epoch": run.epoch, "batch": run.stream.done - 1 - self._left}
            where = f"epoch {place['epoch']}, batch {place['batch']} (counted from 0): "
        kept = "; the model is as it was before this batch" if self.kind == "train" else ""
        birth = origins.first([*bad, *(after[i] for i in changed)])
        if birth is None:
            paths = ", ".join(self.variables[i].path for i in changed) or "the loss or a gradient"
            name = type(self.model.optimizer).__name__
            raise NonFiniteError(
                f"{where}the update by {name} gave NaN or infinity in {paths}{kept}", place=name, **place
            )
        raise NonFiniteError(f"{where}{birth.text()}{kept}", op=birth.op, place=birth.place, layer=birth.layer, **place)


@dataclass
class _Call:
    """A call of an operation that gave NaN or infinity."""

    op: str
    place: str
    layer: str | None
    outputs: list[Any]
    given: list[Any]  # the arguments that are not finite
    arguments: str
    source: str | None = None  # what is not finite among what the step was given

    def text(self) -> str:
        array = np.asarray(next(a for a in self.outputs if not _is_finite(a)))
        wrong = ~np.isfinite(array)
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        kind = "NaN" if np.isnan(array[first]) else "infinity"
        cause = f"from {self.source or 'an argument'}, which is not finite" if self.given else "from finite arguments"
        return (
            f"{self.op} in {self.place} gave {kind} in {wrong.sum()} of {array.size} values, the first at {first}, "
            f"{cause} ({self.arguments})"
        )


class _Origins:
    """Remembers the calls that gave NaN or infinity, and which of them began it."""

    def __init__(self, model: Any, names: dict[int, str]) -> None:
        self.model, self.names = model, names
        self.calls: list[_Call] = []
        self._made: dict[int, int] = {}  # the number of the call by its outputs' ids

    def called(self, primitive: Primitive, arrays: Sequence[Any], result: Any) -> None:
        """After the rule of a primitive has run."""
        outputs = [a for a in (result if type(result) is tuple else (result,)) if not _is_finite(a)]
        given = [a for a in arrays if not _is_finite(a)]
        fresh = [a for a in outputs if id(a) not in self._made and all(a is not b for b in given)]
        if not fresh:
            return
        place, layer = self._described(observe.place())
        arguments = ", ".join("None" if a is None else f"{a.dtype} {tuple(a.shape)}" for a in arrays)
        self.calls.append(_Call(primitive.__name__, place, layer, fresh, given, arguments))
        for a in fresh:
            self._made[id(a)] = len(self.calls) - 1

    def _described(self, place: Place) -> tuple[str, str | None]:
        """A place in words, and the layer's path if it is in one."""
        owner, layer = place.owner, None
        if owner is None:
            where = "the step"
        elif owner is self.model:
            where = f"{place.method} of model {owner.name!r}"
        elif isinstance(owner, Layer):
            layer = place.path.removeprefix(f"{self.model.name}/")
            where = f"layer {layer!r} ({type(owner).__name__})"
        else:
            where = f"{next(name for kind, name in _KINDS.items() if isinstance(owner, kind))} {owner.name!r}"
        return (where if place.gradient_of is None else f"the gradient of {place.gradient_of} in {where}"), layer

    def first(self, arrays: Sequence[Any]) -> _Call | None:
        """The first of the calls that what is in these arrays came from."""
        waiting, seen = [self._made[id(a)] for a in arrays if id(a) in self._made], set()
        births = []
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            call = self.calls[number]
            waiting += [self._made[id(a)] for a in call.given if id(a) in self._made]
            outside = [a for a in call.given if id(a) not in self._made]
            if outside or not call.given:
                call.source = next((self.names[id(a)] for a in outside if id(a) in self.names), None)
                births.append(number)
        return self.calls[min(births)] if births else None


def _is_finite(a: Any) -> bool:
    if a is None or not is_float(a.dtype.name):
        return True
    return bool(np.isfinite(np.asarray(a)).all())

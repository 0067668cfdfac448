"""Inference as one compiled call: `model(x)` without Python for each layer, where the backend replays what it has seen.

It takes the place of a call only while nothing could tell the difference: a model made of the library's own layers,
none of them changed or observed since, called on plain arrays outside of tapes, steps and other layers.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import catalog, config, observe, tree
from ..autograd import Tensor, differentiating
from ..backends import backend
from ..layers.base import Layer
from ..layers.calling import is_calling
from ..variables import StepFunction, Variable, computing
from .graph import graph_of

if TYPE_CHECKING:
    from .model import Model


@cache
def _is_ours(kind: type) -> bool:
    """Whether a class is the library's; a subclass of a user's may do anything."""
    return catalog.home(kind) is not None


class Inference:
    """What `model(x)` computes, as a function of x compiled for each mode and form of x."""

    def __init__(self, model: Model) -> None:
        layers = model._flatten_layers()
        self.graph, self.layers = graph_of(model), layers[1:]
        self.circumstances = _circumstances()
        self.changes = [layer._changes for layer in self.layers]
        self.possible = graph_of(model) is not None and all(map(_repeats, layers)) and not _masked(model)
        variables = list({id(v): v for layer in layers for v in layer._own_variables()}.values())
        self._functions = {mode: _compiled(model, mode, variables) for mode in (None, False)}

    def holds(self, model: Model) -> bool:
        """Whether it still is what the model's layers compute."""
        return (
            self.graph is graph_of(model)
            and self.circumstances == _circumstances()
            and self.changes == [layer._changes for layer in self.layers]
            and not ("call" in vars(model) or model._losses)
        )

    def __call__(self, x: Any, training: bool | None) -> Any:
        outputs, logits, kinds = self._functions[training](x)
        for output, before, kind in zip(tree.flatten(outputs), logits, kinds, strict=True):
            if kind is not None:
                output.note("logits", (kind, before))
        return outputs


def inference(model: Model) -> Inference | None:
    """The model's inference as it is now, or None where it has to be computed layer by layer."""
    if (
        not backend().replays
        or observe.is_watching_layers()
        or not _is_ours(type(model))  # type: ignore[arg-type]
        or differentiating()
        or computing()
        or is_calling()
    ):
        return None
    known = vars(model).get("_inference")
    if known is None or not known.holds(model):
        known = vars(model)["_inference"] = Inference(model)
    return known if known.possible else None


def plain(x: Any) -> bool:
    """Whether x is arrays and nothing else."""
    if type(x) is np.ndarray:
        return backend().owns(x)
    if type(x) is Tensor:
        return x.tape is None and x.notes is None and not x.symbolic
    return tree.is_nested(x) and all(map(plain, tree.flatten(x)))


def _circumstances() -> tuple[Any, ...]:
    return backend(), config.fusion(), config.floatx(), config.epsilon()


def _compiled(model: Model, training: bool | None, variables: list[Variable]) -> Any:
    """x -> (outputs, the logits of each, what each is of them)"""
    kinds: list[str | None] = []

    def step(x: Any) -> Any:
        outputs = model(x) if training is None else model(x, training=training)
        notes = [output.logits for output in tree.flatten(outputs)]
        kinds[:] = [note and note[0] for note in notes]
        return outputs, [note and note[1] for note in notes]

    function = StepFunction(step, variables)
    return lambda x: (*function(x), kinds)


def _repeats(layer: Layer) -> bool:
    """Whether all that the layer's call does is to compute its result: no code but the library's, no losses."""
    used = () if graph_of(layer) is not None else vars(layer).values()  # a model uses its graph only
    return (
        _is_ours(type(layer))  # type: ignore[arg-type]
        and layer.built
        and not layer.on_host
        and layer.activity_regularizer is None
        and not ("call" in vars(layer) or layer._losses)
        and all(_computes_ours(value) for value in used if callable(value))
    )


def _computes_ours(function: Any) -> bool:
    """Whether a function is the library's, or an object of a class that is."""
    return _is_ours(type(function)) or catalog.home(function, catalog.TRUSTED) is not None  # type: ignore[arg-type]


def _masked(model: Model) -> bool:
    return any("mask" in (output.notes or ()) for output in model.outputs)

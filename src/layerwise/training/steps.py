"""A model's training, test and prediction steps, as functions of batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import config, tree
from ..autograd import Spec, Tensor, as_given
from ..backends import backend
from ..dtypes import dtype_name, is_text
from ..variables import StepFunction, rehearsal
from .arrays import unpack_x_y_sample_weight
from .hosted import HostedStep
from .nonfinite import CheckedStep
from .own_steps import step_on_a_batch, takes_state
from .sources import ArrayBatches, IterableBatches

if TYPE_CHECKING:
    from .trainer import Trainer


@dataclass
class Step:
    """A step, and the forms of the batches that it has been rehearsed with."""

    function: StepFunction
    rehearsed: dict[str, list[int | None]] = field(default_factory=dict)  # with `_rehearse`'s result


def step_of(model: Trainer, kind: str) -> Step:
    """The model's "train", "test" or "predict" step, made anew when what it depends on has changed."""
    variables = model._state()
    eager = bool(getattr(model, "run_eagerly", False))
    checked = config.debug_nans()
    settings = config.backend(), config.fusion(), eager, checked, backend().distribution
    graph = getattr(model, "_graph", None)
    key = (kind, settings, graph, tuple((id(v), v.trainable) for v in variables), id(model.optimizer))
    steps: dict[Any, Step] = model.__dict__.setdefault("_steps", {})
    if key not in steps:
        for old in [k for k in steps if k[0] == kind]:
            del steps[old]
        on_host = works_on_host(model)
        part = model._host_part() if on_host and not (eager or checked or model._has_own_step(kind)) else None
        eager = eager or (on_host and part is None)
        if checked:
            function: StepFunction = CheckedStep(model, kind, variables, compiled=not eager)
        else:
            step = step_on_a_batch(model, kind)
            options: dict[str, Any] = {"compiled": not eager, "donate": kind == "train"}
            if part is None:
                function = StepFunction(step, variables, **options)
            else:
                function = HostedStep(model, part, step, variables, **options)
        steps[key] = Step(function)
    if checked:
        steps[key].function.begin()  # type: ignore[attr-defined]
    return steps[key]


def prepared(model: Trainer, kind: str, source: ArrayBatches | IterableBatches, batch: Any) -> StepFunction:
    """The step of this kind for batches like this one, with everything created that it creates.

    Labels and weights that cannot be taken are refused: those of arrays now, those of other sources as they come.
    """
    if any(map(is_text, tree.flatten(unpack_x_y_sample_weight(batch)[0]))) and not works_on_host(model):
        raise ValueError(
            "x: got an array of text, expected numbers; a model that takes text has a layer such as TextVectorization "
            "or StringLookup"
        )
    form = repr(tree.map_given(lambda a: (a.shape, a.dtype.str), batch))
    step = step_of(model, kind)
    if form not in step.rehearsed:
        classes = _rehearse(model, kind, batch)
        step = step_of(model, kind)  # another one, if there are new variables
        step.rehearsed[form] = classes
    if kind != "predict":
        check = partial(_check, model, step.rehearsed[form])
        if isinstance(source, ArrayBatches):
            batch = source.data
        else:
            source.check = check
        check(*unpack_x_y_sample_weight(batch)[1:])
    return step.function


def _check(model: Trainer, classes: list[int | None], y: Any, sample_weight: Any) -> None:
    """Refuse labels and weights that losses or metrics cannot take, before a step changes anything."""
    y = model._labels(y)
    if model._compiled_loss is not None and any(classes):
        model._compiled_loss.check_labels(y, classes)
    if model._compiled_metrics is not None:
        model._compiled_metrics.check(y, sample_weight)


def _rehearse(model: Trainer, kind: str, batch: Any) -> list[int | None]:
    """Go through a step for what it creates: layers, metrics, optimizers' slots; nothing is computed for keeps.

    Returns the number of classes of each output with a sparse loss. A step of the user's own sees the data, and so
    does one that is to run eagerly: its Python may ask for values.
    """
    if model._has_own_step(kind):
        if takes_state(getattr(model, f"{kind}_step")):  # of all variables, which have to be there
            _rehearse_ours(model, kind, batch)
        with rehearsal():
            step_on_a_batch(model, kind)(tree.map_given(as_given, batch))
        model._clear_losses()
        return []
    return _rehearse_ours(model, kind, batch)


def _rehearse_ours(model: Trainer, kind: str, batch: Any) -> list[int | None]:
    """`_rehearse` of the library's step."""
    with rehearsal():
        given = tree.map_given(as_given if getattr(model, "run_eagerly", False) else _symbolic, batch)
        x, y, weight = unpack_x_y_sample_weight(given)
        y_pred = model(x, training=kind == "train")
        if kind != "predict":
            loss = model._loss_of(x, y, y_pred, weight, training=kind == "train")
            if loss.shape != ():
                raise ValueError(
                    f"the loss has shape {loss.shape}, expected one number; "
                    "its reduction must not be None, or override compute_loss"
                )
            model.compute_metrics(x, y, y_pred, weight)
    model._clear_losses()
    if kind == "train" and model.trainable_variables:
        model.optimizer.build(model.trainable_variables)
    return [] if kind == "predict" or model._compiled_loss is None else model._compiled_loss.label_classes(y_pred)


def flat_logs(logs: Any) -> Any:
    """What a step returned, the values of nested dicts under their own names: {"loss": 1, "compiled": {"mae": 2}}."""
    if not isinstance(logs, dict):
        return logs
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat |= flat_logs(value) if isinstance(value, dict) else {name: value}
    return flat


def works_on_host(model: Trainer) -> bool:
    """Whether a layer of the model computes on NumPy arrays, so that its steps cannot be compiled."""
    return any(layer.on_host for layer in model._flatten_layers())


def _symbolic(a: Any) -> Tensor:
    return Tensor(Spec(tuple(a.shape), dtype_name(a.dtype)))

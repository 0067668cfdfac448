"""Knowledge distillation: a small model learns from a large one's outputs as well as from labels.

Source: Hinton, Vinyals, Dean 2015, Distilling the Knowledge in a Neural Network.
"""

from __future__ import annotations

from typing import Any

from . import losses, ops, tree
from .autograd import Tensor
from .lazy import public_only
from .metrics import Mean
from .models import Model
from .serialization import Configurable

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
public_only(__name__)


class DistillationLoss(Configurable):
    """How far a student is from its teacher: subclasses compute it in `compute_loss`, as a number."""

    teacher_layer_name: str | None = None
    student_layer_name: str | None = None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """The loss of a batch, for what the two layers (or models) return; to be defined by the subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no compute_loss; define it")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raise ValueError where the outputs are not structured alike."""
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Model, student: Model) -> None:
        """Raise ValueError where the loss cannot compare these models."""


class _OfEachOutput(DistillationLoss):
    """A loss of each output, None where one does not count, summed."""

    def __init__(self, loss: Any) -> None:
        self.loss = tree.map_structure(losses.get, loss)
        if not any(one is not None for one in tree.flatten(self.loss)):
            raise ValueError(f"{type(self).__name__}: loss: got {loss!r}, expected at least one that is not None")

    def _sum(self, teacher_outputs: Any, student_outputs: Any, scale: float = 1.0) -> Tensor:
        each = tree.map_structure(self._of_one, self.loss, teacher_outputs, student_outputs)
        return sum((value for value in tree.flatten(each) if value is not None), ops.zeros(())) * scale

    def _of_one(self, loss: Any, teacher: Tensor, student: Tensor) -> Tensor | None:
        return None if loss is None else ops.mean(loss(teacher, student))


class LogitsDistillation(_OfEachOutput):
    """L = T^2 KL(softmax(teacher / T) || softmax(student / T))

    Args:
        temperature: T > 0: the larger, the more the teacher's small probabilities count.
        loss: another loss than `"kl_divergence"` is given both logits divided by T, and its value is not multiplied;
            a structure of losses for several outputs, with None for those that do not count.

    >>> teacher, student = [[4.0, 0.0]], [[0.0, 4.0]]
    >>> round(LogitsDistillation(temperature=2.0).compute_loss(ops.array(teacher), ops.array(student)).item(), 3)
    6.093
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        if isinstance(temperature, bool) or not isinstance(temperature, int | float) or temperature <= 0:
            raise ValueError(f"LogitsDistillation: temperature: got {temperature!r}, expected a number > 0")
        self.temperature = temperature
        super().__init__(loss)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """The loss of the teacher's and the student's logits."""
        soft = tree.map_structure(lambda x: x / self.temperature, (teacher_outputs, student_outputs))
        return self._sum(*soft)

    def _of_one(self, loss: Any, teacher: Tensor, student: Tensor) -> Tensor | None:
        if loss is losses.kl_divergence or isinstance(loss, losses.KLDivergence):
            return ops.mean(loss(ops.softmax(teacher), ops.softmax(student))) * self.temperature**2
        return super()._of_one(loss, teacher, student)


class FeatureDistillation(_OfEachOutput):
    """L = mean(loss(teacher's features, student's features))

    Args:
        loss: of the features; a structure of losses where a layer has several outputs.
        teacher_layer_name: the teacher's layer whose output counts; None: the model's.
        student_layer_name: the student's, likewise.

    Both outputs must have one shape.
    """

    def __init__(
        self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None
    ) -> None:
        self.teacher_layer_name, self.student_layer_name = teacher_layer_name, student_layer_name
        super().__init__(loss)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """The loss of the two layers' outputs."""
        return self._sum(teacher_outputs, student_outputs)

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        super().validate_outputs(teacher_outputs, student_outputs)
        tree.assert_same_structure(self.loss, teacher_outputs)

    def validate_model_compatibility(self, teacher: Model, student: Model) -> None:
        """Raise ValueError where a model has no layer of that name, or no graph to find it in."""
        for role, model, name in (
            ("teacher", teacher, self.teacher_layer_name),
            ("student", student, self.student_layer_name),
        ):
            if name is None:
                continue
            if model.graph is None:
                raise ValueError(
                    f"FeatureDistillation: {role}_layer_name: the {role} is a subclassed model, whose layers' outputs "
                    "cannot be found; use a functional or sequential one, or leave the name out"
                )
            model.get_layer(name)


class Distiller(Model):
    """L = a L_student(y, student(x)) + (1 - a) sum_i w_i L_i(teacher(x), student(x))

    Args:
        teacher: a trained model; it is frozen.
        student: the model that learns, with outputs of the same shapes.
        distillation_losses: a `DistillationLoss`, or several.
        distillation_loss_weights: w; all 1 by default.
        student_loss_weight: a, from 0 to 1.
        name: of the model.

    `compile(loss=...)` says L_student; calls and predictions are the student's.

    >>> from layerwise import Sequential, layers
    >>> teacher, student = (Sequential([layers.Input((4,)), layers.Dense(3)]) for _ in range(2))
    >>> distiller = Distiller(teacher, student, LogitsDistillation())
    >>> distiller.compile("adam", "mse")
    >>> sorted(distiller.fit(ops.ones((8, 4)).numpy(), ops.ones((8, 3)).numpy(), verbose=0).history)
    ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    _untracked = Model._untracked | {"_extractors"}

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: Any,
        distillation_loss_weights: Any = None,
        student_loss_weight: float = 0.5,
        name: str | None = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        for role, model in (("teacher", teacher), ("student", student)):
            if not isinstance(model, Model):
                raise ValueError(f"Distiller: {role}: got a {type(model).__name__}, expected a Model")
        if isinstance(student_loss_weight, bool) or not isinstance(student_loss_weight, int | float):
            raise ValueError(f"Distiller: student_loss_weight: got {student_loss_weight!r}, expected a number")
        if not 0 <= student_loss_weight <= 1:
            raise ValueError(f"Distiller: student_loss_weight: got {student_loss_weight}, expected 0 ... 1")
        if distillation_losses is None:
            raise ValueError("Distiller: distillation_losses: got None, expected a DistillationLoss or a list of them")
        if not isinstance(distillation_losses, list | tuple):
            distillation_losses, distillation_loss_weights = [distillation_losses], None
        weights = [1.0] * len(distillation_losses) if distillation_loss_weights is None else distillation_loss_weights
        if len(weights) != len(distillation_losses):
            raise ValueError(
                f"Distiller: distillation_loss_weights: got {len(weights)}, expected {len(distillation_losses)}, "
                "one for each of the distillation_losses"
            )
        _check_alike(teacher, student)
        self.teacher, self.student = teacher, student
        self.distillation_losses, self.distillation_loss_weights = list(distillation_losses), list(weights)
        self.student_loss_weight = student_loss_weight
        for loss in distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        self._extractors = {
            "teacher": _extractor(teacher, {loss.teacher_layer_name for loss in distillation_losses} - {None}),
            "student": _extractor(student, {loss.student_layer_name for loss in distillation_losses} - {None}),
        }
        teacher.trainable = False
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """What the student says."""
        return self.student(inputs, training=training, mask=mask, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The sum above, of which the trackers keep the parts."""
        if y_pred is None:
            y_pred = self(x, training=training)
        zero = ops.zeros(())
        of_student = zero
        if self.student_loss_weight > 0 and y is not None:
            of_student = super().compute_loss(x, y, y_pred, sample_weight, training)
        distilled = zero
        if self.student_loss_weight < 1:
            teacher = self._features("teacher", x, False, None)
            student = self._features("student", x, training, y_pred)
            for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
                outputs = teacher[loss.teacher_layer_name], student[loss.student_layer_name]
                loss.validate_outputs(*outputs)
                value = loss.compute_loss(*outputs)
                if value.ndim:
                    raise ValueError(
                        f"{type(loss).__name__}: compute_loss returned an array of shape {value.shape}, "
                        "expected one number"
                    )
                distilled = distilled + weight * value
        total = self.student_loss_weight * of_student + (1 - self.student_loss_weight) * distilled
        self.student_loss_tracker.update_state(of_student)
        self.distillation_loss_tracker.update_state(distilled)
        self.total_loss_tracker.update_state(total)
        return total

    def _features(self, role: str, x: Any, training: bool, outputs: Any) -> dict[str | None, Any]:
        """The outputs of the layers that the losses name, and under None those of the model."""
        extractor = self._extractors[role]
        if extractor is not None:
            named = extractor(x, training=training)
            return {**named, None: named[""] if outputs is None else outputs}
        return {None: getattr(self, role)(x, training=training) if outputs is None else outputs}


def _check_alike(teacher: Model, student: Model) -> None:
    """Both models take and return the same shapes and dtypes, as far as these are known."""
    if teacher.graph is None or student.graph is None:
        return
    for what in ("inputs", "outputs"):
        theirs, ours = (tree.flatten(getattr(model.graph, what)) for model in (teacher, student))
        fit = len(theirs) == len(ours) and all(
            a.dtype == b.dtype
            and a.ndim == b.ndim
            and all(None in sizes or sizes[0] == sizes[1] for sizes in zip(a.shape, b.shape, strict=True))
            for a, b in zip(theirs, ours, strict=True)
        )
        if not fit:
            said = [[(t.shape, t.dtype) for t in tensors] for tensors in (theirs, ours)]
            raise ValueError(f"Distiller: {what}: the teacher has {said[0]}, the student {said[1]}; expected the same")


def _extractor(model: Model, names: set[str]) -> Model | None:
    """The model with the outputs of these layers, and its own under ""."""
    if not names:
        return None
    assert model.graph is not None  # the losses have looked
    return Model(model.graph.inputs, {"": model.graph.outputs, **{n: model.get_layer(n).output for n in names}})

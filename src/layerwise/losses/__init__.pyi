# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from typing import Any
from . import margin as _margin
from . import overlap as _overlap
from . import probabilistic as _probabilistic
from . import regression as _regression
from . import sequence as _sequence
from .base import FunctionLoss as FunctionLoss
from .base import Loss as Loss
from .base import Reduction as Reduction
from .margin import categorical_hinge as categorical_hinge
from .margin import hinge as hinge
from .margin import squared_hinge as squared_hinge
from .matching import check_labels as check_labels
from .overlap import circle as circle
from .overlap import dice as dice
from .overlap import tversky as tversky
from .probabilistic import CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy
from .probabilistic import binary_crossentropy as binary_crossentropy
from .probabilistic import binary_focal_crossentropy as binary_focal_crossentropy
from .probabilistic import categorical_crossentropy as categorical_crossentropy
from .probabilistic import categorical_focal_crossentropy as categorical_focal_crossentropy
from .probabilistic import categorical_generalized_cross_entropy as categorical_generalized_cross_entropy
from .probabilistic import kl_divergence as kl_divergence
from .probabilistic import poisson as poisson
from .probabilistic import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from .regression import cosine_similarity as cosine_similarity
from .regression import huber as huber
from .regression import log_cosh as log_cosh
from .regression import mean_absolute_error as mean_absolute_error
from .regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from .regression import mean_squared_error as mean_squared_error
from .regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from .sequence import ctc as ctc

class CosineSimilarity(_regression.CosineSimilarity):
    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'cosine_similarity',
        dtype: Any = None,
    ) -> None: ...

class Huber(_regression.Huber):
    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'huber_loss',
        dtype: Any = None,
    ) -> None: ...

class LogCosh(_regression.LogCosh):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'log_cosh',
        dtype: Any = None,
    ) -> None: ...

class MeanAbsoluteError(_regression.MeanAbsoluteError):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'mean_absolute_error',
        dtype: Any = None,
    ) -> None: ...

class MeanAbsolutePercentageError(_regression.MeanAbsolutePercentageError):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'mean_absolute_percentage_error',
        dtype: Any = None,
    ) -> None: ...

class MeanSquaredError(_regression.MeanSquaredError):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'mean_squared_error',
        dtype: Any = None,
    ) -> None: ...

class MeanSquaredLogarithmicError(_regression.MeanSquaredLogarithmicError):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'mean_squared_logarithmic_error',
        dtype: Any = None,
    ) -> None: ...

class BinaryCrossentropy(_probabilistic.BinaryCrossentropy):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'binary_crossentropy',
        dtype: Any = None,
    ) -> None: ...

class BinaryFocalCrossentropy(_probabilistic.BinaryFocalCrossentropy):
    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'binary_focal_crossentropy',
        dtype: Any = None,
    ) -> None: ...

class CategoricalCrossentropy(_probabilistic.CategoricalCrossentropy):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'categorical_crossentropy',
        dtype: Any = None,
    ) -> None: ...

class CategoricalFocalCrossentropy(_probabilistic.CategoricalFocalCrossentropy):
    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'categorical_focal_crossentropy',
        dtype: Any = None,
    ) -> None: ...

class KLDivergence(_probabilistic.KLDivergence):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'kl_divergence',
        dtype: Any = None,
    ) -> None: ...

class Poisson(_probabilistic.Poisson):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'poisson',
        dtype: Any = None,
    ) -> None: ...

class SparseCategoricalCrossentropy(_probabilistic.SparseCategoricalCrossentropy):
    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = 'sum_over_batch_size',
        axis: int = -1,
        name: str = 'sparse_categorical_crossentropy',
        dtype: Any = None,
    ) -> None: ...

class CTC(_sequence.CTC):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'ctc',
        dtype: Any = None,
    ) -> None: ...

class Circle(_overlap.Circle):
    def __init__(
        self,
        gamma: float = 80,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'circle',
        dtype: Any = None,
    ) -> None: ...

class Dice(_overlap.Dice):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'dice',
        axis: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Tversky(_overlap.Tversky):
    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'tversky',
        axis: Any = None,
        dtype: Any = None,
    ) -> None: ...

class CategoricalHinge(_margin.CategoricalHinge):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'categorical_hinge',
        dtype: Any = None,
    ) -> None: ...

class Hinge(_margin.Hinge):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'hinge',
        dtype: Any = None,
    ) -> None: ...

class SquaredHinge(_margin.SquaredHinge):
    def __init__(
        self,
        reduction: str | None = 'sum_over_batch_size',
        name: str = 'squared_hinge',
        dtype: Any = None,
    ) -> None: ...

def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any: ...
def get(identifier: Any) -> Any: ...
def serialize(loss: Any) -> Any: ...

# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from typing import Any
from . import correct as _correct
from . import correlation as _correlation
from . import curve as _curve
from . import error as _error
from .base import Mean as Mean
from .base import MeanMetricWrapper as MeanMetricWrapper
from .base import Metric as Metric
from .base import Sum as Sum
from .confusion import FalseNegatives as FalseNegatives
from .confusion import FalsePositives as FalsePositives
from .confusion import Precision as Precision
from .confusion import Recall as Recall
from .confusion import TrueNegatives as TrueNegatives
from .confusion import TruePositives as TruePositives
from .correct import accuracy_for as accuracy_for
from .correct import binary_accuracy as binary_accuracy
from .correct import categorical_accuracy as categorical_accuracy
from .correct import sparse_categorical_accuracy as sparse_categorical_accuracy
from .correct import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
from .correct import top_k_categorical_accuracy as top_k_categorical_accuracy
from .correlation import concordance_correlation as concordance_correlation
from .correlation import pearson_correlation as pearson_correlation
from .curve import AUC as AUC
from .error import crossentropy_for as crossentropy_for
from .overlap import BinaryIoU as BinaryIoU
from .overlap import IoU as IoU
from .overlap import MeanIoU as MeanIoU
from .overlap import OneHotIoU as OneHotIoU
from .overlap import OneHotMeanIoU as OneHotMeanIoU
from .score import F1Score as F1Score
from .score import FBetaScore as FBetaScore
from .score import R2Score as R2Score
from layerwise.losses import binary_crossentropy as binary_crossentropy
from layerwise.losses import binary_focal_crossentropy as binary_focal_crossentropy
from layerwise.losses import categorical_crossentropy as categorical_crossentropy
from layerwise.losses import categorical_focal_crossentropy as categorical_focal_crossentropy
from layerwise.losses import categorical_hinge as categorical_hinge
from layerwise.losses import hinge as hinge
from layerwise.losses import huber as huber
from layerwise.losses import kl_divergence as kl_divergence
from layerwise.losses import log_cosh as log_cosh
from layerwise.losses import mean_absolute_error as mean_absolute_error
from layerwise.losses import mean_absolute_percentage_error as mean_absolute_percentage_error
from layerwise.losses import mean_squared_error as mean_squared_error
from layerwise.losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from layerwise.losses import poisson as poisson
from layerwise.losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from layerwise.losses import squared_hinge as squared_hinge

class Accuracy(_correct.Accuracy):
    def __init__(
        self,
        name: str = 'accuracy',
        dtype: Any = None,
    ) -> None: ...

class BinaryAccuracy(_correct.BinaryAccuracy):
    def __init__(
        self,
        name: str = 'binary_accuracy',
        dtype: Any = None,
        threshold: float = 0.5,
    ) -> None: ...

class CategoricalAccuracy(_correct.CategoricalAccuracy):
    def __init__(
        self,
        name: str = 'categorical_accuracy',
        dtype: Any = None,
    ) -> None: ...

class SparseCategoricalAccuracy(_correct.SparseCategoricalAccuracy):
    def __init__(
        self,
        name: str = 'sparse_categorical_accuracy',
        dtype: Any = None,
    ) -> None: ...

class SparseTopKCategoricalAccuracy(_correct.SparseTopKCategoricalAccuracy):
    def __init__(
        self,
        k: int = 5,
        name: str = 'sparse_top_k_categorical_accuracy',
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None: ...

class TopKCategoricalAccuracy(_correct.TopKCategoricalAccuracy):
    def __init__(
        self,
        k: int = 5,
        name: str = 'top_k_categorical_accuracy',
        dtype: Any = None,
    ) -> None: ...

class BinaryCrossentropy(_error.BinaryCrossentropy):
    def __init__(
        self,
        name: str = 'binary_crossentropy',
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None: ...

class CategoricalCrossentropy(_error.CategoricalCrossentropy):
    def __init__(
        self,
        name: str = 'categorical_crossentropy',
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None: ...

class CategoricalHinge(_error.CategoricalHinge):
    def __init__(
        self,
        name: str = 'categorical_hinge',
        dtype: Any = None,
    ) -> None: ...

class CosineSimilarity(_error.CosineSimilarity):
    def __init__(
        self,
        name: str = 'cosine_similarity',
        dtype: Any = None,
        axis: int = -1,
    ) -> None: ...

class Hinge(_error.Hinge):
    def __init__(
        self,
        name: str = 'hinge',
        dtype: Any = None,
    ) -> None: ...

class KLDivergence(_error.KLDivergence):
    def __init__(
        self,
        name: str = 'kl_divergence',
        dtype: Any = None,
    ) -> None: ...

class LogCoshError(_error.LogCoshError):
    def __init__(
        self,
        name: str = 'logcosh',
        dtype: Any = None,
    ) -> None: ...

class MeanAbsoluteError(_error.MeanAbsoluteError):
    def __init__(
        self,
        name: str = 'mean_absolute_error',
        dtype: Any = None,
    ) -> None: ...

class MeanAbsolutePercentageError(_error.MeanAbsolutePercentageError):
    def __init__(
        self,
        name: str = 'mean_absolute_percentage_error',
        dtype: Any = None,
    ) -> None: ...

class MeanSquaredError(_error.MeanSquaredError):
    def __init__(
        self,
        name: str = 'mean_squared_error',
        dtype: Any = None,
    ) -> None: ...

class MeanSquaredLogarithmicError(_error.MeanSquaredLogarithmicError):
    def __init__(
        self,
        name: str = 'mean_squared_logarithmic_error',
        dtype: Any = None,
    ) -> None: ...

class Poisson(_error.Poisson):
    def __init__(
        self,
        name: str = 'poisson',
        dtype: Any = None,
    ) -> None: ...

class RootMeanSquaredError(_error.RootMeanSquaredError):
    def __init__(
        self,
        name: str = 'root_mean_squared_error',
        dtype: Any = None,
    ) -> None: ...

class SparseCategoricalCrossentropy(_error.SparseCategoricalCrossentropy):
    def __init__(
        self,
        name: str = 'sparse_categorical_crossentropy',
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None: ...

class SquaredHinge(_error.SquaredHinge):
    def __init__(
        self,
        name: str = 'squared_hinge',
        dtype: Any = None,
    ) -> None: ...

class PrecisionAtRecall(_curve.PrecisionAtRecall):
    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...

class RecallAtPrecision(_curve.RecallAtPrecision):
    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...

class SensitivityAtSpecificity(_curve.SensitivityAtSpecificity):
    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...

class SpecificityAtSensitivity(_curve.SpecificityAtSensitivity):
    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...

class ConcordanceCorrelation(_correlation.ConcordanceCorrelation):
    def __init__(
        self,
        name: str = 'concordance_correlation',
        dtype: Any = None,
        axis: Any = -1,
    ) -> None: ...

class PearsonCorrelation(_correlation.PearsonCorrelation):
    def __init__(
        self,
        name: str = 'pearson_correlation',
        dtype: Any = None,
        axis: Any = -1,
    ) -> None: ...

def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any: ...
def get(identifier: Any) -> Any: ...
def serialize(metric: Any) -> Any: ...

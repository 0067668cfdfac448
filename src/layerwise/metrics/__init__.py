"""What is measured while a model learns: objects that take in batches (`update_state`) and tell a `result`."""

from ..catalog import ERRORS, OLDER, Names
from ..lazy import lazy
from ..serialization import lookups

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".base": "Mean MeanMetricWrapper Metric Sum",
        ".correct": """
            Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy SparseTopKCategoricalAccuracy
            TopKCategoricalAccuracy accuracy_for binary_accuracy categorical_accuracy
            sparse_categorical_accuracy sparse_top_k_categorical_accuracy top_k_categorical_accuracy
        """,
        ".error": """
            BinaryCrossentropy CategoricalCrossentropy CategoricalHinge CosineSimilarity Hinge KLDivergence LogCoshError
            MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
            RootMeanSquaredError SparseCategoricalCrossentropy SquaredHinge crossentropy_for
        """,
        ".confusion": "FalseNegatives FalsePositives Precision Recall TrueNegatives TruePositives",
        ".curve": "AUC PrecisionAtRecall RecallAtPrecision SensitivityAtSpecificity SpecificityAtSensitivity",
        ".overlap": "BinaryIoU IoU MeanIoU OneHotIoU OneHotMeanIoU",
        ".score": "F1Score FBetaScore R2Score",
        ".correlation": "ConcordanceCorrelation PearsonCorrelation concordance_correlation pearson_correlation",
        "layerwise.losses": """
            binary_crossentropy binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy
            categorical_hinge hinge huber kl_divergence log_cosh mean_absolute_error mean_absolute_percentage_error
            mean_squared_error mean_squared_logarithmic_error poisson sparse_categorical_crossentropy squared_hinge
        """,
        ".": "deserialize get serialize",
    },
    spellings=ERRORS | OLDER,
)
get, serialize, deserialize = lookups(
    "metric",
    Names("metrics", functions=True, class_first=True, but="accuracy_for crossentropy_for", short=ERRORS),
    example="mse",
)

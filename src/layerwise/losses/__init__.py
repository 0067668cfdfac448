"""What training makes small: each loss as a function (one value per sample) and as a class (weighted and reduced)."""

from ..catalog import ERRORS, OLDER, Names
from ..lazy import lazy
from ..serialization import lookups

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".base": "FunctionLoss Loss Reduction",
        ".matching": "check_labels",
        ".regression": """
            CosineSimilarity Huber LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError
            MeanSquaredLogarithmicError cosine_similarity huber log_cosh mean_absolute_error
            mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error
        """,
        ".probabilistic": """
            BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy
            CategoricalGeneralizedCrossEntropy KLDivergence Poisson SparseCategoricalCrossentropy binary_crossentropy
            binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy
            categorical_generalized_cross_entropy kl_divergence poisson sparse_categorical_crossentropy
        """,
        ".sequence": "CTC ctc",
        ".overlap": "Circle Dice Tversky circle dice tversky",
        ".margin": "CategoricalHinge Hinge SquaredHinge categorical_hinge hinge squared_hinge",
        ".": "deserialize get serialize",
    },
    spellings=ERRORS | OLDER,
)
get, serialize, deserialize = lookups(
    "loss",
    Names("losses", functions=True, but="FunctionLoss Loss Reduction check_labels", short=ERRORS),
    example="mse",
    takes="name",
)

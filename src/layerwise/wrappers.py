"""Models as scikit-learn's estimators: in its pipelines, cross-validation and searches for hyperparameters.

The one module that imports an optional package when it is imported, since its classes derive from that package's.
"""

from __future__ import annotations

import copy
from typing import Any

from .lazy import need, public_only
from .models import Model, clone_model

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
except ImportError:  # `__init__` says so
    BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin = (type("Absent", (), {}) for _ in range(4))

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
public_only(__name__)


class _Estimator(BaseEstimator):
    """A model that scikit-learn fits and asks."""

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        need(type(self).__name__, "sklearn", "sklearn")
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Any:
        model = copy.deepcopy(self.model) if isinstance(self.model, Model) else self.model
        return type(self)(model, self.warm_start, self.model_kwargs, self.fit_kwargs)

    def _new_model(self, X: Any, y: Any) -> Model:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            model = clone_model(self.model)
            if self.model.compiled and not model.compiled:
                model.compile_from_config(self.model.get_compile_config())
        else:
            model = self.model(X=X, y=y, **(self.model_kwargs or {}))
        if not getattr(model, "compiled", False) or model.loss is None:
            raise RuntimeError(f"{type(self).__name__}: model: call its compile(optimizer=..., loss=...) first")
        return model

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train a model on the examples X (n, features) with the targets y (n,) or (n, outputs)."""
        from sklearn.utils.validation import validate_data

        X, y = validate_data(self, X, y, multi_output=True)
        y = self._encoded(y)
        self.model_ = self._new_model(X, y)
        self.history_ = self.model_.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        return self

    def _outputs(self, X: Any) -> Any:
        from sklearn.utils.validation import check_is_fitted, validate_data

        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False), verbose=0)

    def _encoded(self, y: Any) -> Any:
        """Targets as the model takes them."""
        self._is_flat = y.ndim == 1
        return y.reshape(-1, 1) if self._is_flat else y

    def predict(self, X: Any) -> Any:
        """What the model says of the examples X, in the form of the targets."""
        outputs = self._outputs(X)
        return outputs.reshape(len(outputs)) if self._is_flat and outputs[0].size == 1 else outputs


class SKLearnClassifier(ClassifierMixin, _Estimator):
    """A model as a classifier, which is trained on one-hot targets.

    Args:
        model: a compiled Model, which is copied for each `fit`, or a function of X, y and `model_kwargs` that
            returns one.
        warm_start: whether `fit` goes on from the model of the one before.
        model_kwargs: what the function `model` is given besides X and y.
        fit_kwargs: what `Model.fit` is given; arguments of `fit` go before these.

    After `fit`, `model_` is the fitted model and `history_` its History.
    """

    def _encoded(self, y: Any) -> Any:
        from sklearn.preprocessing import OneHotEncoder
        from sklearn.utils.multiclass import type_of_target

        kind = type_of_target(y, raise_unknown=True)
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Only binary and multiclass target types are supported. SKLearnClassifier: y: got {kind}")
        y = super()._encoded(y)
        self._encoder = OneHotEncoder(sparse_output=False).fit(y)
        self.classes_ = self._encoder.categories_[0]
        if len(self.classes_) < 2:
            raise ValueError("SKLearnClassifier: y: Classifier can't train when only one class is present.")
        return self._encoder.transform(y)

    def decision_function(self, X: Any) -> Any:
        """What the model says of each class."""
        return self._outputs(X)

    def predict_proba(self, X: Any) -> Any:
        """What the model says of each class: probabilities, where it ends with softmax."""
        return self._outputs(X)

    def predict(self, X: Any) -> Any:
        """The likeliest class of each example."""
        classes = self._encoder.inverse_transform(self._outputs(X))
        return classes[:, 0] if self._is_flat else classes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, _Estimator):
    """A model as a regressor.

    Takes `model`, `warm_start`, `model_kwargs` and `fit_kwargs` as `SKLearnClassifier` does.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, _Estimator):
    """A model that makes features, as a step of a pipeline.

    Takes `model`, `warm_start`, `model_kwargs` and `fit_kwargs` as `SKLearnClassifier` does.
    """

    def transform(self, X: Any) -> Any:
        """The model's outputs for the examples X."""
        return self._outputs(X)

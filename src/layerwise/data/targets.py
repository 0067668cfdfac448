"""What a target asks for: classes or numbers."""

import numpy as np

_MOST_CLASSES = 20


def check_task(task: str | None) -> None:
    """Refuse what is no task; None leaves the choice to the target."""
    if task not in (None, "classification", "regression"):
        raise ValueError(f"task: expected 'classification' or 'regression', got {task!r}")


def task_of(target: np.ndarray) -> str:
    """'classification' or 'regression'.

    Text and booleans name classes; floats are to be predicted as numbers. Integers are classes if there are few: at
    most 20 different ones, each on average at least twice; otherwise numbers.

    >>> task_of(np.array(["cat", "dog"])), task_of(np.array([0, 1, 1, 0])), task_of(np.array([0.5, 1.0]))
    ('classification', 'classification', 'regression')
    """
    if target.dtype.kind == "f":
        return "regression"
    if target.dtype.kind in "iu":
        different = len(np.unique(target))
        return "classification" if different <= min(_MOST_CLASSES, len(target) / 2) else "regression"
    return "classification"


def encode_classes(target: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels (n,) int64 in 0..k-1 and the k class names, in ascending order.

    >>> encode_classes(np.array(["b", "a", "b"]))
    (array([1, 0, 1]), ('a', 'b'))
    """
    names, labels = np.unique(target, return_inverse=True)
    texts = (name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names.tolist())
    return labels.astype(np.int64), tuple(texts)

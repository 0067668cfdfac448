"""One thread at a time trains or evaluates a model, whose weights and metrics it changes; others may predict."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])
_looking = threading.Lock()
_TRAINING = ("fit", "train_on_batch")


def alone(method: Method) -> Method:
    """A method that is refused while another thread is in one of this kind, with the same model."""

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _looking:
            running = _elsewhere(self)
            if running is not None:
                raise _refusal(self, method, running)
            turn = vars(self).get("_turn")
            vars(self)["_turn"] = turn or (threading.get_ident(), method.__name__)
        try:
            return method(self, *args, **kwargs)
        finally:
            vars(self)["_turn"] = turn

    return called  # type: ignore[return-value]


def with_weights_that_stay(method: Method) -> Method:
    """A method that is refused while another thread trains the same model, half of whose new weights it could see."""

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        if (running := _elsewhere(self)) in _TRAINING:
            raise _refusal(self, method, running)
        return method(self, *args, **kwargs)

    return called  # type: ignore[return-value]


def _elsewhere(model: Any) -> str | None:
    """The method in whose turn another thread is."""
    thread, name = vars(model).get("_turn") or (None, None)
    return None if thread == threading.get_ident() else name


def _refusal(model: Any, method: Callable[..., Any], running: str | None) -> RuntimeError:
    return RuntimeError(
        f"model {model.name!r}: {method.__name__} was called while another thread is in {running}, which changes what "
        "it uses; let them take turns, or give each thread a model of its own: models.clone_model(model), then "
        "set_weights(model.get_weights())"
    )

"""Where arithmetic happens. `backend()` is the active one, `xp()` its array namespace."""

from __future__ import annotations

import importlib
from typing import Any

from .. import config
from .base import Backend, TracedValueError, Window

__all__ = ["Backend", "TracedValueError", "Window", "backend", "load", "xp"]

_loaded: dict[str, Backend] = {}


def load(name: str) -> Backend:
    """The backend of this name, made on first use."""
    if name not in _loaded:
        _loaded[name] = importlib.import_module(f"{__name__}.{name}").BACKEND
    return _loaded[name]


def backend() -> Backend:
    """The active backend."""
    name = config.backend()
    return _loaded.get(name) or load(name)


def xp() -> Any:
    """The active backend's array namespace, which is NumPy's or a look-alike."""
    return backend().xp

"""Where arithmetic happens. `backend()` is the active one, `xp()` its array namespace."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from .. import config
from ..lazy import public_only
from .base import Backend, TracedValueError
from .window import Window

__all__ = ["Backend", "TracedValueError", "Window", "backend", "load", "missing_kernels", "xp"]
public_only(__name__)

_loaded: dict[str, Backend] = {}


def load(name: str) -> Backend:
    """The backend of this name, made on first use."""
    if name not in _loaded:
        config.num_threads()  # what is wrong with it is said here, not by the extension
        try:
            _loaded[name] = importlib.import_module(f"{__name__}.{name}").BACKEND
        except ImportError as error:
            if reason := missing_kernels():
                error.add_note(f"the C++ kernels were not built: {reason}")
            raise
    return _loaded[name]


def missing_kernels() -> str | None:
    """Why there are no C++ kernels, or None where there are."""
    if importlib.util.find_spec(f"{__name__}._native") is not None:
        return None
    note = Path(__file__).parent / "_native.txt"
    return note.read_text().strip() if note.exists() else "Layerwise was not installed, or for another Python"


def backend() -> Backend:
    """The active backend."""
    name = config.backend()
    return _loaded.get(name) or load(name)


def xp() -> Any:
    """The active backend's array namespace, which is NumPy's or a look-alike."""
    return backend().xp

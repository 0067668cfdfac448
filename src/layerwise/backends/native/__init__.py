"""The native backend: NumPy's arrays, C++ kernels for the heavy functions, and recorded steps replayed in one call."""

from .backend import BACKEND

__all__ = ["BACKEND"]

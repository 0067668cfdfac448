"""Other libraries' names for what is here, for programs that were written for them."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {}, submodules="tensorflow")

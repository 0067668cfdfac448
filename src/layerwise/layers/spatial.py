"""What layers on spatial dimensions share: how many there are, and where they stand."""

from typing import Any

from ..config import checked_data_format
from ..naming import one_of
from .base import Layer
from .input_spec import InputSpec


def checked_padding(value: str, kind: str, causal: bool = False) -> str:
    """`value` in lower case, if a layer of this kind knows it."""
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    return one_of(f"{kind}: padding", value.lower() if isinstance(value, str) else value, *known)


class Spatial(Layer):
    """The common part of layers on `rank` spatial dimensions: (N, spatial..., C), or channels second.

    Args:
        data_format: "channels_last" or "channels_first"; None: as configured.
    """

    rank: int

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def first_axis(self) -> int:
        """The first of the spatial axes."""
        return 2 if self.data_format == "channels_first" else 1

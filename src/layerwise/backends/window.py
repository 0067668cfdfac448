"""The geometry of convolutions and pooling."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Window:
    """The geometry of a convolution or pooling over any number of spatial dimensions.

    An output position o sees input positions o * stride + tap * dilation - pad[0], for tap = 0 ... size - 1.

    >>> window = Window.of((3, 3), (2, 2), "same", (1, 1), spatial=(28, 28))
    >>> window.pad, window.out((28, 28))
    (((0, 1), (0, 1)), (14, 14))
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.dilation:
            object.__setattr__(self, "dilation", (1,) * len(self.size))

    @classmethod
    def of(
        cls, size: Sequence[int], stride: Sequence[int], padding: str, dilation: Sequence[int], spatial: Sequence[int]
    ) -> Window:
        """The window with "valid" (none), "same" (output = ceil(input / stride)) or "causal" (all in front) padding."""
        padding = padding.lower()
        if padding not in ("valid", "same", "causal"):
            raise ValueError(f"padding: got {padding!r}, expected 'valid', 'same' or 'causal'")
        pads = []
        for k, s, d, n in zip(size, stride, dilation, spatial, strict=True):
            extent = (k - 1) * d + 1
            if padding == "same":
                total = max((-(-n // s) - 1) * s + extent - n, 0)
                pads.append((total // 2, total - total // 2))
            elif padding == "causal":
                pads.append((extent - 1, 0))
            else:
                pads.append((0, 0))
        return cls(tuple(size), tuple(stride), tuple(pads), tuple(dilation))

    @property
    def extent(self) -> tuple[int, ...]:
        """How many input positions the dilated window spans."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.size, self.dilation, strict=True))

    def out(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """The output's spatial shape."""
        out = tuple(
            (n + low + high - extent) // s + 1
            for n, (low, high), extent, s in zip(spatial, self.pad, self.extent, self.stride, strict=True)
        )
        if min(out) < 1:
            raise ValueError(
                f"a window of {self.extent} is larger than the input's {tuple(spatial)} with padding {self.pad}; "
                'use padding="same", a smaller window, or fewer layers that shrink the input'
            )
        return out

    def taps(self, out: Sequence[int]) -> Iterator[tuple[slice, ...]]:
        """For each tap, in row-major order, the index of the (N, spatial..., C) padded input that it meets."""
        for tap in itertools.product(*map(range, self.size)):
            yield (
                slice(None),
                *(
                    slice(t * d, t * d + (o - 1) * s + 1, s)
                    for t, d, s, o in zip(tap, self.dilation, self.stride, out, strict=True)
                ),
            )

    def counts(self, spatial: Sequence[int]) -> np.ndarray:
        """How many taps of each output position meet the input rather than padding: shape (1, out..., 1)."""
        out = self.out(spatial)
        inside = np.pad(np.ones((1, *spatial, 1), "int32"), ((0, 0), *self.pad, (0, 0)))
        return np.sum([inside[tap] for tap in self.taps(out)], axis=0)

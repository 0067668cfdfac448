"""Sequences of different lengths as arrays, and pairs of neighbours in them."""

from ..lazy import public_only
from ..utils.sequences import make_sampling_table, pad_sequences, skipgrams

__all__ = ["make_sampling_table", "pad_sequences", "skipgrams"]
public_only(__name__)

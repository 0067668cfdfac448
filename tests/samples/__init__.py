"""One list of samples, SAMPLES, that drives every check of every operation in tests/test_ops.py.

A sample names an operation (a public one as in `layerwise.ops`, a private primitive by its rule's name, `_matmul`),
gives its arguments in float64, and a reference: NumPy, mpmath, or the formula written out in loops. Chapters draw
their arguments one after another, in this order.
"""

from importlib import import_module

from .sample import SAMPLES, Sample

CHAPTERS = """
    elementwise reductions linear shapes positions neural making control functions statistics arranging linalg
    fft activations
""".split()
for chapter in CHAPTERS:
    import_module(f".{chapter}", __name__)
__all__ = ["SAMPLES", "Sample"]

"""`tf.linalg`."""

from .renaming import PREFIX, namespace

ROWS = """
    cholesky: cholesky input
    cross: cross a b
    det: det input
    diag: diag diagonal
    diag_part: diagonal input offset=0 axis1=-2 axis2=-1
    eigh: eigh tensor
    inv: inv input
    lstsq: lstsq matrix rhs
    matrix_transpose: swapaxes a axis1=-2 axis2=-1
    qr: qr input
    solve: solve matrix rhs
    tensordot: tensordot a b axes
    trace: trace x offset=0 axis1=-2 axis2=-1
    triangular_solve: solve_triangular matrix rhs lower=True
"""

__getattr__, __dir__, __all__ = namespace(
    __name__,
    ROWS,
    {
        "layerwise.ops": "einsum",
        f"{PREFIX}.arrays": "band_part eye matmul matvec",
        f"{PREFIX}.functions": "global_norm l2_normalize norm svd",
    },
)

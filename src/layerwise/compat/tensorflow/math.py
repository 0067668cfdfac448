"""`tf.math`."""

from .renaming import PREFIX, namespace

ROWS = """
    abs: abs x
    acos: arccos x
    acosh: arccosh x
    add: add x y
    asin: arcsin x
    asinh: arcsinh x
    atan: arctan x
    atan2: arctan2 y x
    atanh: arctanh x
    bincount: bincount arr weights minlength
    ceil: ceil x
    cos: cos x
    cosh: cosh x
    count_nonzero: count_nonzero input axis
    divide: divide x y
    divide_no_nan: divide_no_nan x y
    equal: equal x y
    erf: erf x
    erfinv: erfinv x
    exp: exp x
    expm1: expm1 x
    floor: floor x
    floordiv: floor_divide x y
    floormod: mod x y
    greater: greater x y
    greater_equal: greater_equal x y
    in_top_k: in_top_k targets predictions k
    is_finite: isfinite x
    is_inf: isinf x
    is_nan: isnan x
    less: less x y
    less_equal: less_equal x y
    log: log x
    log1p: log1p x
    log_sigmoid: log_sigmoid x
    log_softmax: log_softmax logits axis
    logical_and: logical_and x y
    logical_not: logical_not x
    logical_or: logical_or x y
    logical_xor: logical_xor x y
    maximum: maximum x y
    minimum: minimum x y
    mod: mod x y
    multiply: multiply x y
    negative: negative x
    not_equal: not_equal x y
    pow: power x y
    reciprocal: reciprocal x
    reduce_all: all input_tensor axis keepdims
    reduce_any: any input_tensor axis keepdims
    reduce_logsumexp: logsumexp input_tensor axis keepdims
    reduce_max: max input_tensor axis keepdims
    reduce_mean: mean input_tensor axis keepdims
    reduce_min: min input_tensor axis keepdims
    reduce_prod: prod input_tensor axis keepdims
    reduce_std: std input_tensor axis keepdims
    reduce_sum: sum input_tensor axis keepdims
    reduce_variance: var input_tensor axis keepdims
    round: round x
    rsqrt: rsqrt x
    segment_max: segment_max data segment_ids
    segment_sum: segment_sum data segment_ids
    sigmoid: sigmoid x
    sign: sign x
    sin: sin x
    sinh: sinh x
    softmax: softmax logits axis
    softplus: softplus features
    softsign: softsign features
    sqrt: sqrt x
    square: square x
    subtract: subtract x y
    tan: tan x
    tanh: tanh x
    top_k: top_k input k sorted
    truediv: true_divide x y
    unsorted_segment_max: segment_max data segment_ids num_segments
    unsorted_segment_sum: segment_sum data segment_ids num_segments
"""

__getattr__, __dir__, __all__ = namespace(
    __name__,
    ROWS,
    {
        f"{PREFIX}.functions": "add_n argmax argmin confusion_matrix cumsum l2_normalize squared_difference",
    },
)

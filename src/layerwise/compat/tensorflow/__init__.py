"""What programs written for TensorFlow's Keras use beside it, under TensorFlow's names and with its arguments.

`import layerwise.compat.tensorflow as tf`. Everything here is a row of a table, an operation of ours with TensorFlow's
names for its arguments, or a few lines that say it with several. `tf.keras` is Layerwise. What needs TensorFlow's
runtime, such as SavedModel or sessions, is not here and says what to do instead.

>>> import layerwise.compat.tensorflow as tf
>>> x = tf.Variable(3.0)
>>> with tf.GradientTape() as tape:
...     y = tf.reduce_sum(tf.square(x))
>>> tape.gradient(y, x)
Tensor(6., shape=(), dtype=float32)
"""

from .renaming import PREFIX, namespace

__version__ = "2.18.0+layerwise"  # the TensorFlow whose names these are

ROWS = """
    broadcast_to: broadcast_to input shape
    clip_by_value: clip t clip_value_min clip_value_max
    cond: cond pred true_fn false_fn
    expand_dims: expand_dims input axis
    fill: full dims value
    is_tensor: is_tensor x
    linspace: linspace start stop num
    ones: ones shape dtype
    ones_like: ones_like input dtype
    repeat: repeat input repeats axis
    reshape: reshape tensor shape
    reverse: flip tensor axis
    roll: roll input shift axis
    scatter_nd: scatter indices updates shape
    searchsorted: searchsorted sorted_sequence values side
    squeeze: squeeze input axis
    switch_case: switch branch_index branch_fns
    tensor_scatter_nd_update: scatter_update tensor indices updates
    tensordot: tensordot a b axes
    tile: tile input multiples
    transpose: transpose a perm
    unstack: unstack value num axis
    vectorized_map: vectorized_map fn elems
    while_loop: while_loop cond body loop_vars maximum_iterations
    zeros: zeros shape dtype
    zeros_like: zeros_like input dtype
"""
_sessions = "it is TensorFlow 1's; models are called, trained by fit, or in a loop with tf.GradientTape"
_saved_models = "save models with model.save('m.keras') and load them with tf.keras.models.load_model"

__getattr__, __dir__, __all__ = namespace(
    __name__,
    ROWS,
    {
        "layerwise": "initializers keras losses metrics optimizers",
        "layerwise.autograd": "GradientTape Tensor custom_gradient stop_gradient",
        "layerwise.ops": "einsum meshgrid",
        f"{PREFIX}.dtypes": """
            DType as_dtype bfloat16 bool cast double float16 float32 float64 half int16 int32 int64 int8 string uint16
            uint32 uint64 uint8
        """,
        f"{PREFIX}.math": """
            abs acos acosh add add_n argmax argmin asin asinh atan atan2 atanh cos cosh cumsum divide equal exp floor
            greater greater_equal less less_equal logical_and logical_not logical_or maximum minimum multiply negative
            not_equal pow reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod
            reduce_sum round sigmoid sign sin sinh sqrt square subtract tan tanh truediv
        """,
        f"{PREFIX}.arrays": """
            argsort boolean_mask concat constant convert_to_tensor ensure_shape eye gather gather_nd identity matmul
            newaxis one_hot pad range rank sequence_mask shape size slice sort split tensor_scatter_nd_add
            unique where
        """,
        f"{PREFIX}.functions": "clip_by_global_norm clip_by_norm norm",
        f"{PREFIX}.control": "TensorArray function map_fn numpy_function print py_function stack",
        f"{PREFIX}.state": "Module TensorShape TensorSpec Variable",
        f"{PREFIX}.ragged": "RaggedTensor SparseTensor",
        f"{PREFIX}.machine": "device executing_eagerly get_logger name_scope",
    },
    submodules="""
        audio config data debugging distribute dtypes errors experimental gfile image io linalg math nest nn ragged
        random sparse strings summary train
    """,
    absent={
        "saved_model": _saved_models,
        "lite": "export with layerwise.saving.save_onnx for other runtimes",
        "Session": _sessions,
        "placeholder": _sessions,
        "global_variables_initializer": _sessions,
        "get_variable": "it is TensorFlow 1's; use tf.Variable",
        "contrib": "it is TensorFlow 1's",
        "estimator": "TensorFlow has given it up; use tf.keras",
        "feature_column": "TensorFlow has given it up; use the preprocessing layers of tf.keras.layers",
    },
)

"""`tf.nn`."""

from .renaming import PREFIX, namespace

ROWS = """
    elu: elu features
    gelu: gelu features approximate=False
    in_top_k: in_top_k targets predictions k
    leaky_relu: leaky_relu features alpha=0.2
    log_softmax: log_softmax logits axis
    relu: relu features
    relu6: relu6 features
    selu: selu features
    sigmoid: sigmoid x
    silu: silu features
    softmax: softmax logits axis
    softplus: softplus features
    softsign: softsign features
    swish: silu features
    tanh: tanh x
    top_k: top_k input k sorted
"""

__getattr__, __dir__, __all__ = namespace(
    __name__,
    ROWS,
    {
        f"{PREFIX}.spatial": """
            avg_pool avg_pool1d avg_pool2d conv1d conv2d depthwise_conv2d max_pool max_pool1d max_pool2d
        """,
        f"{PREFIX}.objectives": """
            batch_normalization bias_add compute_average_loss dropout embedding_lookup moments
            scale_regularization_loss sigmoid_cross_entropy_with_logits softmax_cross_entropy_with_logits
            sparse_softmax_cross_entropy_with_logits
        """,
        f"{PREFIX}.functions": "l2_loss l2_normalize",
    },
)

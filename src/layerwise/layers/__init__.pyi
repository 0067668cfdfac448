# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from collections.abc import Callable, Sequence
from typing import Any
from . import activation as _activation
from . import attention as _attention
from . import categories as _categories
from . import cells as _cells
from . import convlstm as _convlstm
from . import convolution as _convolution
from . import core as _core
from . import einsum_dense as _einsum_dense
from . import embedding as _embedding
from . import lookup as _lookup
from . import merging as _merging
from . import normalization as _normalization
from . import pipeline as _pipeline
from . import pooling as _pooling
from . import preprocessing as _preprocessing
from . import recurrent as _recurrent
from . import regularization as _regularization
from . import reshaping as _reshaping
from . import spectral as _spectral
from . import spectrogram as _spectrogram
from . import text as _text
from . import wrappers as _wrappers
from .augmentation import colours as _augmentation_colours
from .augmentation import histograms as _augmentation_histograms
from .augmentation import places as _augmentation_places
from .augmentation import policies as _augmentation_policies
from .augmentation import regions as _augmentation_regions
from .base import Layer as Layer
from .categories import Discretization as Discretization
from .core import Input as Input
from .input_spec import InputSpec as InputSpec
from .merging import add as add
from .merging import average as average
from .merging import concatenate as concatenate
from .merging import dot as dot
from .merging import maximum as maximum
from .merging import minimum as minimum
from .merging import multiply as multiply
from .merging import subtract as subtract
from .weights import Weight as Weight

def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any: ...
def serialize(layer: Any) -> Any: ...

class Activation(_core.Activation):
    def __init__(
        self,
        activation: Any,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Dense(_core.Dense):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Flatten(_core.Flatten):
    def __init__(
        self,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Identity(_core.Identity):
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class InputLayer(_core.InputLayer):
    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        *,
        batch_size: Any = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: _core.Tensor | None = None,
        optional: bool = False,
        name: str | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Lambda(_core.Lambda):
    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Permute(_core.Permute):
    def __init__(
        self,
        dims: Sequence[int],
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RepeatVector(_core.RepeatVector):
    def __init__(
        self,
        n: int,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Reshape(_core.Reshape):
    def __init__(
        self,
        target_shape: Sequence[int],
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class EinsumDense(_einsum_dense.EinsumDense):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Embedding(_embedding.Embedding):
    embeddings_constraint: Any
    embeddings_initializer: Any
    embeddings_regularizer: Any
    def __init__(
        self,
        *,
        input_dim: Any = None,
        output_dim: int,
        embeddings_initializer: Any = 'uniform',
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
    ) -> None: ...

class Masking(_embedding.Masking):
    def __init__(
        self,
        mask_value: float = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ReversibleEmbedding(_embedding.ReversibleEmbedding):
    embeddings_constraint: Any
    embeddings_initializer: Any
    embeddings_regularizer: Any
    def __init__(
        self,
        *,
        input_dim: Any = None,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = 'uniform',
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
    ) -> None: ...

class AdditiveAttention(_attention.AdditiveAttention):
    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        *,
        score_mode: str = 'dot',
        seed: int | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Attention(_attention.Attention):
    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = 'dot',
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GroupQueryAttention(_attention.GroupQueryAttention):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class MultiHeadAttention(_attention.MultiHeadAttention):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GRUCell(_cells.GRUCell):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    recurrent_constraint: Any
    recurrent_initializer: Any
    recurrent_regularizer: Any
    def __init__(
        self,
        units: int,
        activation: Any = 'tanh',
        recurrent_activation: Any = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class LSTMCell(_cells.LSTMCell):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    recurrent_constraint: Any
    recurrent_initializer: Any
    recurrent_regularizer: Any
    def __init__(
        self,
        units: int,
        activation: Any = 'tanh',
        recurrent_activation: Any = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SimpleRNNCell(_cells.SimpleRNNCell):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    recurrent_constraint: Any
    recurrent_initializer: Any
    recurrent_regularizer: Any
    def __init__(
        self,
        units: int,
        activation: Any = 'tanh',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class StackedRNNCells(_cells.StackedRNNCells):
    cells: Any
    def __init__(
        self,
        cells: Sequence[Any],
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GRU(_recurrent.GRU):
    cell: Any
    def __init__(
        self,
        units: int,
        activation: Any = 'tanh',
        recurrent_activation: Any = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = 'auto',
        *,
        zero_output_for_mask: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class LSTM(_recurrent.LSTM):
    cell: Any
    def __init__(
        self,
        units: int,
        activation: Any = 'tanh',
        recurrent_activation: Any = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = 'auto',
        *,
        zero_output_for_mask: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RNN(_recurrent.RNN):
    cell: Any
    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SimpleRNN(_recurrent.SimpleRNN):
    cell: Any
    def __init__(
        self,
        units: int,
        activation: Any = 'tanh',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        zero_output_for_mask: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ConvLSTM1D(_convlstm.ConvLSTM1D):
    cell: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = 'tanh',
        recurrent_activation: Any = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ConvLSTM2D(_convlstm.ConvLSTM2D):
    cell: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = 'tanh',
        recurrent_activation: Any = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ConvLSTM3D(_convlstm.ConvLSTM3D):
    cell: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = 'tanh',
        recurrent_activation: Any = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        recurrent_initializer: Any = 'orthogonal',
        bias_initializer: Any = 'zeros',
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Bidirectional(_wrappers.Bidirectional):
    backward_layer: Any
    def __init__(
        self,
        layer: _wrappers.Layer,
        merge_mode: str | None = 'concat',
        weights: Any = None,
        backward_layer: _wrappers.Layer | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class TimeDistributed(_wrappers.TimeDistributed):
    layer: Any
    def __init__(
        self,
        layer: _wrappers.Layer,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Wrapper(_wrappers.Wrapper):
    layer: Any
    def __init__(
        self,
        layer: _wrappers.Layer,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Conv1D(_convolution.Conv1D):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Conv1DTranspose(_convolution.Conv1DTranspose):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Conv2D(_convolution.Conv2D):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Conv2DTranspose(_convolution.Conv2DTranspose):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Conv3D(_convolution.Conv3D):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Conv3DTranspose(_convolution.Conv3DTranspose):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class DepthwiseConv1D(_convolution.DepthwiseConv1D):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    depthwise_constraint: Any
    depthwise_initializer: Any
    depthwise_regularizer: Any
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class DepthwiseConv2D(_convolution.DepthwiseConv2D):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    depthwise_constraint: Any
    depthwise_initializer: Any
    depthwise_regularizer: Any
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SeparableConv1D(_convolution.SeparableConv1D):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    depthwise_constraint: Any
    depthwise_initializer: Any
    depthwise_regularizer: Any
    pointwise_constraint: Any
    pointwise_initializer: Any
    pointwise_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = 'glorot_uniform',
        pointwise_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SeparableConv2D(_convolution.SeparableConv2D):
    bias_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    depthwise_constraint: Any
    depthwise_initializer: Any
    depthwise_regularizer: Any
    pointwise_constraint: Any
    pointwise_initializer: Any
    pointwise_regularizer: Any
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = 'glorot_uniform',
        pointwise_initializer: Any = 'glorot_uniform',
        bias_initializer: Any = 'zeros',
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        causal: bool = False,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AdaptiveAveragePooling1D(_pooling.AdaptiveAveragePooling1D):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AdaptiveAveragePooling2D(_pooling.AdaptiveAveragePooling2D):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AdaptiveAveragePooling3D(_pooling.AdaptiveAveragePooling3D):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AdaptiveMaxPooling1D(_pooling.AdaptiveMaxPooling1D):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AdaptiveMaxPooling2D(_pooling.AdaptiveMaxPooling2D):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AdaptiveMaxPooling3D(_pooling.AdaptiveMaxPooling3D):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AveragePooling1D(_pooling.AveragePooling1D):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AveragePooling2D(_pooling.AveragePooling2D):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AveragePooling3D(_pooling.AveragePooling3D):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GlobalAveragePooling1D(_pooling.GlobalAveragePooling1D):
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GlobalAveragePooling2D(_pooling.GlobalAveragePooling2D):
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GlobalAveragePooling3D(_pooling.GlobalAveragePooling3D):
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GlobalMaxPooling1D(_pooling.GlobalMaxPooling1D):
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GlobalMaxPooling2D(_pooling.GlobalMaxPooling2D):
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GlobalMaxPooling3D(_pooling.GlobalMaxPooling3D):
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class MaxPooling1D(_pooling.MaxPooling1D):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class MaxPooling2D(_pooling.MaxPooling2D):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class MaxPooling3D(_pooling.MaxPooling3D):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class BatchNormalization(_normalization.BatchNormalization):
    beta_constraint: Any
    beta_initializer: Any
    beta_regularizer: Any
    gamma_constraint: Any
    gamma_initializer: Any
    gamma_regularizer: Any
    moving_mean_initializer: Any
    moving_variance_initializer: Any
    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = 'zeros',
        gamma_initializer: Any = 'ones',
        moving_mean_initializer: Any = 'zeros',
        moving_variance_initializer: Any = 'ones',
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GroupNormalization(_normalization.GroupNormalization):
    beta_constraint: Any
    beta_initializer: Any
    beta_regularizer: Any
    gamma_constraint: Any
    gamma_initializer: Any
    gamma_regularizer: Any
    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = 'zeros',
        gamma_initializer: Any = 'ones',
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class LayerNormalization(_normalization.LayerNormalization):
    beta_constraint: Any
    beta_initializer: Any
    beta_regularizer: Any
    gamma_constraint: Any
    gamma_initializer: Any
    gamma_regularizer: Any
    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = 'zeros',
        gamma_initializer: Any = 'ones',
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RMSNormalization(_normalization.RMSNormalization):
    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-06,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class UnitNormalization(_normalization.UnitNormalization):
    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Add(_merging.Add):
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Average(_merging.Average):
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Concatenate(_merging.Concatenate):
    def __init__(
        self,
        axis: int = -1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Dot(_merging.Dot):
    def __init__(
        self,
        axes: int | Sequence[int],
        normalize: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Maximum(_merging.Maximum):
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Minimum(_merging.Minimum):
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Multiply(_merging.Multiply):
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Subtract(_merging.Subtract):
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ActivityRegularization(_regularization.ActivityRegularization):
    def __init__(
        self,
        l1: float = 0.0,
        l2: float = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AlphaDropout(_regularization.AlphaDropout):
    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Dropout(_regularization.Dropout):
    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GaussianDropout(_regularization.GaussianDropout):
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class GaussianNoise(_regularization.GaussianNoise):
    def __init__(
        self,
        stddev: float,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SpatialDropout1D(_regularization.SpatialDropout1D):
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        dtype: Any = None,
        *,
        noise_shape: Sequence[int | None] | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SpatialDropout2D(_regularization.SpatialDropout2D):
    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        dtype: Any = None,
        *,
        noise_shape: Sequence[int | None] | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SpatialDropout3D(_regularization.SpatialDropout3D):
    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        dtype: Any = None,
        *,
        noise_shape: Sequence[int | None] | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ELU(_activation.ELU):
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class LeakyReLU(_activation.LeakyReLU):
    def __init__(
        self,
        negative_slope: float = 0.3,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class PReLU(_activation.PReLU):
    alpha_constraint: Any
    alpha_initializer: Any
    alpha_regularizer: Any
    def __init__(
        self,
        alpha_initializer: Any = 'Zeros',
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ReLU(_activation.ReLU):
    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Softmax(_activation.Softmax):
    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Normalization(_preprocessing.Normalization):
    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Rescaling(_preprocessing.Rescaling):
    def __init__(
        self,
        scale: float | Sequence[float],
        offset: float | Sequence[float] = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class IntegerLookup(_lookup.IntegerLookup):
    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = 'int64',
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = 'int',
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = 'floormod',
        salt: Any = None,
        name: str | None = None,
        *,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class StringLookup(_lookup.StringLookup):
    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = '[UNK]',
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = 'int',
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = 'utf-8',
        name: str | None = None,
        salt: Any = None,
        *,
        oov_method: str = 'floormod',
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class MelSpectrogram(_spectrogram.MelSpectrogram):
    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = 'hann',
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class STFTSpectrogram(_spectrogram.STFTSpectrogram):
    def __init__(
        self,
        mode: str = 'log',
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = 'hann',
        periodic: bool = False,
        scaling: str | None = 'density',
        padding: str = 'valid',
        expand_dims: bool = False,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class TextVectorization(_text.TextVectorization):
    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = 'lower_and_strip_punctuation',
        split: Any = 'whitespace',
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = 'int',
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = 'utf-8',
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class CategoryEncoding(_categories.CategoryEncoding):
    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = 'multi_hot',
        sparse: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class HashedCrossing(_categories.HashedCrossing):
    def __init__(
        self,
        num_bins: int,
        output_mode: str = 'int',
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Hashing(_categories.Hashing):
    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = 'int',
        sparse: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomElasticTransform(_augmentation_places.RandomElasticTransform):
    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float | Sequence[float] = 1.0,
        interpolation: str = 'bilinear',
        fill_mode: str = 'reflect',
        fill_value: float = 0.0,
        value_range: tuple[float, float] = ...,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomFlip(_augmentation_places.RandomFlip):
    def __init__(
        self,
        mode: str = 'horizontal_and_vertical',
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomPerspective(_augmentation_places.RandomPerspective):
    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float = 1.0,
        interpolation: str = 'bilinear',
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        fill_mode: str = 'reflect',
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomRotation(_augmentation_places.RandomRotation):
    def __init__(
        self,
        factor: float | Sequence[float],
        fill_mode: str = 'reflect',
        interpolation: str = 'bilinear',
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomShear(_augmentation_places.RandomShear):
    def __init__(
        self,
        x_factor: float | Sequence[float] = 0.0,
        y_factor: float | Sequence[float] = 0.0,
        interpolation: str = 'bilinear',
        fill_mode: str = 'reflect',
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomTranslation(_augmentation_places.RandomTranslation):
    def __init__(
        self,
        height_factor: float | Sequence[float],
        width_factor: float | Sequence[float],
        fill_mode: str = 'reflect',
        interpolation: str = 'bilinear',
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomZoom(_augmentation_places.RandomZoom):
    def __init__(
        self,
        height_factor: float | Sequence[float],
        width_factor: float | Sequence[float] | None = None,
        fill_mode: str = 'reflect',
        interpolation: str = 'bilinear',
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AutoContrast(_augmentation_colours.AutoContrast):
    def __init__(
        self,
        value_range: Sequence[float] = ...,
        *,
        data_format: str | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomBrightness(_augmentation_colours.RandomBrightness):
    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = ...,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomColorDegeneration(_augmentation_colours.RandomColorDegeneration):
    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomColorJitter(_augmentation_colours.RandomColorJitter):
    def __init__(
        self,
        value_range: Sequence[float] = ...,
        brightness_factor: float | Sequence[float] | None = None,
        contrast_factor: float | Sequence[float] | None = None,
        saturation_factor: float | Sequence[float] | None = None,
        hue_factor: float | Sequence[float] | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomContrast(_augmentation_colours.RandomContrast):
    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = ...,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomGaussianBlur(_augmentation_colours.RandomGaussianBlur):
    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        kernel_size: int | Sequence[int] = 3,
        sigma: float | Sequence[float] = 1.0,
        value_range: Sequence[float] = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomGrayscale(_augmentation_colours.RandomGrayscale):
    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomHue(_augmentation_colours.RandomHue):
    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomInvert(_augmentation_colours.RandomInvert):
    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        value_range: Sequence[float] = ...,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomPosterization(_augmentation_colours.RandomPosterization):
    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomSaturation(_augmentation_colours.RandomSaturation):
    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomSharpness(_augmentation_colours.RandomSharpness):
    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Solarization(_augmentation_colours.Solarization):
    def __init__(
        self,
        addition_factor: float | Sequence[float] = 0.0,
        threshold_factor: float | Sequence[float] = 0.0,
        value_range: Sequence[float] = ...,
        seed: int | None = None,
        *,
        data_format: str | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ContrastLimitedAdaptiveHistogramEqualization(_augmentation_histograms.ContrastLimitedAdaptiveHistogramEqualization):
    def __init__(
        self,
        value_range: Sequence[float] = ...,
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = ...,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Equalization(_augmentation_histograms.Equalization):
    def __init__(
        self,
        value_range: Sequence[float] = ...,
        bins: int = 256,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class CenterCrop(_augmentation_regions.CenterCrop):
    def __init__(
        self,
        height: int,
        width: int,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class CutMix(_augmentation_regions.CutMix):
    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class MaxNumBoundingBoxes(_augmentation_regions.MaxNumBoundingBoxes):
    def __init__(
        self,
        max_number: int,
        fill_value: int = -1,
        *,
        data_format: str | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class MixUp(_augmentation_regions.MixUp):
    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomCrop(_augmentation_regions.RandomCrop):
    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandomErasing(_augmentation_regions.RandomErasing):
    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float | Sequence[float] = ...,
        fill_value: float | Sequence[float] | None = None,
        value_range: Sequence[float] = ...,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Resizing(_augmentation_regions.Resizing):
    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = 'bilinear',
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = 'constant',
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class AugMix(_augmentation_policies.AugMix):
    def __init__(
        self,
        value_range: Sequence[float] = ...,
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: float | Sequence[float] = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = 'bilinear',
        seed: int | None = None,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class RandAugment(_augmentation_policies.RandAugment):
    def __init__(
        self,
        value_range: Sequence[float] = ...,
        num_ops: int = 2,
        factor: float | Sequence[float] = 0.5,
        interpolation: str = 'bilinear',
        seed: int | None = None,
        data_format: str | None = None,
        *,
        all_ops: bool = True,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Pipeline(_pipeline.Pipeline):
    def __init__(
        self,
        layers: Sequence[_pipeline.Layer],
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class SpectralNormalization(_spectral.SpectralNormalization):
    layer: Any
    def __init__(
        self,
        layer: _spectral.Layer,
        power_iterations: int = 1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Cropping1D(_reshaping.Cropping1D):
    def __init__(
        self,
        cropping: int | Sequence[int] = ...,
        *,
        data_format: str | None = None,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Cropping2D(_reshaping.Cropping2D):
    def __init__(
        self,
        cropping: Any = 1,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class Cropping3D(_reshaping.Cropping3D):
    def __init__(
        self,
        cropping: Any = 1,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class UpSampling1D(_reshaping.UpSampling1D):
    def __init__(
        self,
        size: int = 2,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class UpSampling2D(_reshaping.UpSampling2D):
    def __init__(
        self,
        size: int | Sequence[int] = 2,
        data_format: str | None = None,
        interpolation: str = 'nearest',
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class UpSampling3D(_reshaping.UpSampling3D):
    def __init__(
        self,
        size: int | Sequence[int] = ...,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ZeroPadding1D(_reshaping.ZeroPadding1D):
    def __init__(
        self,
        padding: Any = 1,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ZeroPadding2D(_reshaping.ZeroPadding2D):
    def __init__(
        self,
        padding: Any = 1,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

class ZeroPadding3D(_reshaping.ZeroPadding3D):
    def __init__(
        self,
        padding: Any = 1,
        data_format: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        batch_size: Any = None,
        input_dim: Any = None,
    ) -> None: ...

Convolution1D = Conv1D

Convolution1DTranspose = Conv1DTranspose

Convolution2D = Conv2D

Convolution2DTranspose = Conv2DTranspose

Convolution3D = Conv3D

Convolution3DTranspose = Conv3DTranspose

SeparableConvolution1D = SeparableConv1D

SeparableConvolution2D = SeparableConv2D

AvgPool1D = AveragePooling1D

AvgPool2D = AveragePooling2D

AvgPool3D = AveragePooling3D

GlobalAvgPool1D = GlobalAveragePooling1D

GlobalAvgPool2D = GlobalAveragePooling2D

GlobalAvgPool3D = GlobalAveragePooling3D

GlobalMaxPool1D = GlobalMaxPooling1D

GlobalMaxPool2D = GlobalMaxPooling2D

GlobalMaxPool3D = GlobalMaxPooling3D

MaxPool1D = MaxPooling1D

MaxPool2D = MaxPooling2D

MaxPool3D = MaxPooling3D

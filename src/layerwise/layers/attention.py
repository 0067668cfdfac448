"""Attention: a sequence takes from another what is like it."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from .. import ops, random
from ..autograd import Tensor
from ..naming import one_of, whole_number
from ..serialization import serialize
from .activation import Softmax
from .base import Layer
from .einsum_dense import EinsumDense
from .regularization import Dropout
from .weights import Weight


class Attention(Layer):
    """y = softmax(query key^T) value

    Called on `[query, value]` or `[query, value, key]`, query (batch, T, n), value and key (batch, S, n) -> (batch, T,
    n). Its masks are those of the query and the value; `use_causal_mask=True` in the call lets position t see those up
    to t only, and `return_attention_scores=True` returns the softmax as well. (Luong et al. 2015)

    Args:
        use_scale: whether the scores are multiplied by a weight.
        score_mode: "dot", or "concat" for scores w sum(tanh(query + key)) over the features.
        dropout: the share of the softmax that is dropped in training.
        seed: of the dropout.

    >>> from layerwise import layers, ops
    >>> x = ops.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> layers.Attention()([x, x], use_causal_mask=True)[0, 0]
    Tensor([1., 0.], shape=(2,), dtype=float32)
    """

    supports_masking = True
    score_mode = "dot"

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale, self.dropout, self.seed = use_scale, dropout, seed
        self.score_mode = one_of("Attention: score_mode", score_mode, "dot", "concat")
        self.seed_generator = random.SeedGenerator(seed) if dropout > 0 else None

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        concat = self.score_mode == "concat"
        self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight") if concat else None

    def _check(self, inputs: Any) -> None:
        if not isinstance(inputs, list | tuple) or len(inputs) not in (2, 3):
            got = f"{len(inputs)} inputs" if isinstance(inputs, list | tuple) else f"a {type(inputs).__name__}"
            raise ValueError(f"layer {self.name!r}: got {got}, expected [query, value] or [query, value, key]")

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """(batch, T, S): how much each position of the query takes from each of the key."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else scores * self.scale
        together = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        together = together if self.scale is None else self.scale * together
        return self.concat_score_weight * ops.sum(ops.tanh(together), axis=-1)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check(inputs)
        query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
        query_mask, value_mask = mask[:2] if mask else (None, None)
        scores = self._scores(query, key)
        seen = None if value_mask is None else ops.expand_dims(value_mask, -2)
        if use_causal_mask:
            causal = ops.tri(scores.shape[-2], scores.shape[-1], dtype="bool")[None]
            seen = causal if seen is None else ops.logical_and(seen, causal)
        if seen is not None:
            scores = ops.where(seen, scores, scores - (65504.0 if scores.dtype == "float16" else 1e9))
        weights = ops.softmax(scores)
        if training and self.seed_generator is not None:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            outputs = ops.where(ops.expand_dims(query_mask, -1), outputs, 0)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask[0] if mask else None


class AdditiveAttention(Attention):
    """y = softmax(sum(scale tanh(query + key))) value, summed over the features

    Called as `Attention`. (Bahdanau et al. 2015)

    Args:
        use_scale: whether each feature has a weight in the sum.
        dropout: the share of the softmax that is dropped in training.

    >>> from layerwise import layers, ops
    >>> layers.AdditiveAttention()([ops.ones((1, 2, 3)), ops.ones((1, 5, 3))]).shape
    (1, 2, 3)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        features = (input_shape[0][-1],)
        self.scale = self.add_weight(features, "glorot_uniform", name="scale") if self.use_scale else None

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        together = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(together if self.scale is None else self.scale * together, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


class _Heads(Layer):
    """Attention of several heads, each on projections of its own, which have the options of the slots below."""

    supports_masking = True
    _left_out = frozenset({"flash_attention"})
    kernel_initializer: Any
    bias_initializer: Any
    use_bias: bool
    use_gate: bool
    dropout: float
    attention_axes: Any = (1,)
    _groups = 1  # how many heads share a key and a value
    _gate_dense: EinsumDense
    _softmax: Softmax
    _dropout_layer: Dropout

    def _set(self, sliding_window: int | None, flash_attention: bool | None) -> None:
        self._of_projections, self.activity_regularizer = self.activity_regularizer, None
        if sliding_window is not None:
            whole_number(f"{type(self).__name__}: sliding_window", sliding_window)
        if flash_attention and self.dropout > 0:
            raise ValueError(f"{type(self).__name__}: dropout: got {self.dropout}, expected 0 with flash_attention")
        self.sliding_window, self.flash_attention = sliding_window, flash_attention

    def _project(
        self, name: str, shape: Sequence[int | None], sizes: Sequence[int], bound: int = 1, activation: Any = None
    ) -> EinsumDense:
        """y = x W + b over the last `bound` axes of x, which has this shape, to axes of these sizes."""
        axes = len(shape)
        letters = string.ascii_lowercase
        free, summed = letters[: axes - bound], letters[axes - bound : axes]
        made = letters[axes : axes + len(sizes)]
        options = {f"{of}_{kind}": getattr(self, f"{of}_{kind}") for of in ("kernel", "bias") for kind in _KINDS}
        options["kernel_initializer"], options["bias_initializer"] = map(
            _again, (self.kernel_initializer, self.bias_initializer)
        )
        dense = EinsumDense(
            f"{free}{summed},{summed}{made}->{free}{made}",
            (*(None,) * (len(free) - 1), *sizes),
            activation=activation,
            bias_axes=made if self.use_bias else None,
            activity_regularizer=self._of_projections,
            dtype=self.dtype_policy,
            name=name,
            **options,
        )
        dense.build(tuple(shape))
        return dense

    def _projections(self) -> Sequence[EinsumDense]:
        """Those of the query, the key, the value and the outputs."""
        raise NotImplementedError

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        lengths = (query.shape[1], value.shape[1])
        seen = self._seen(lengths, (query_mask, value_mask, key_mask), attention_mask, use_causal_mask)
        of_query, of_key, of_value, of_outputs = self._projections()
        keys, values = (
            ops.repeat(x, self._groups, axis=2) if self._groups > 1 else x for x in (of_key(key), of_value(value))
        )
        axes = self.attention_axes
        outputs, scores = self._attend(of_query(query), keys, values, seen, axes, training, return_attention_scores)
        outputs = of_outputs(outputs * self._gate_dense(query) if self.use_gate else outputs)
        return (outputs, scores) if return_attention_scores else outputs

    def _seen(self, lengths: tuple[int, int], masks: Sequence[Any], attention_mask: Any, causal: bool) -> Any:
        """(batch or 1, T, S): what each position of the query may attend to; None: everything."""
        query_mask, *others = masks
        parts = [] if query_mask is None else [ops.expand_dims(ops.cast(query_mask, "bool"), -1)]
        parts += [ops.expand_dims(ops.cast(mask, "bool"), -2) for mask in others if mask is not None]
        parts += [] if attention_mask is None else [ops.cast(attention_mask, "bool")]
        if causal:
            parts.append(ops.tri(*lengths, dtype="bool")[None])
        if self.sliding_window is not None:
            here, there = map(ops.arange, lengths)
            parts.append((ops.abs(here[:, None] - there) < self.sliding_window)[None])
        seen = parts[0] if parts else None
        for part in parts[1:]:
            seen = ops.logical_and(seen, part)
        return seen

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, seen: Any, axes: Sequence[int], training: Any, scores: bool
    ) -> tuple[Tensor, Tensor | None]:
        """The heads' outputs, and their softmax if it is asked for; positions lie along `axes`."""
        if scores and self.flash_attention:
            raise ValueError(f"layer {self.name!r}: return_attention_scores: got True, expected False: flash_attention")
        if seen is not None:
            for _ in range(query.ndim - 1 + len(axes) - seen.ndim):
                seen = ops.expand_dims(seen, -2 * len(axes) - 1)
        if not scores and self.dropout == 0 and query.ndim == 4:
            return ops.dot_product_attention(query, key, value, mask=seen), None
        target, source, product = _letters(query.ndim, axes)
        query = query * query.shape[-1] ** -0.5
        weights = self._softmax(ops.einsum(f"{source},{target}->{product}", key, query), mask=seen)
        kept = self._dropout_layer(weights, training=training)
        return ops.einsum(f"{product},{source}->{target}", kept, value), weights

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activity_regularizer": serialize(self._of_projections)}


_KINDS = ("initializer", "regularizer", "constraint")


def _again(initializer: Any) -> Any:
    """Another one like it, which draws numbers of its own."""
    is_object = hasattr(initializer, "get_config")
    return type(initializer).from_config(initializer.get_config()) if is_object else initializer


def _letters(ndim: int, axes: Sequence[int]) -> tuple[str, str, str]:
    """The axes of projected queries, of projected keys, and of scores: batch, heads, positions of both."""
    target = string.ascii_lowercase[:ndim]
    source = "".join(letter.upper() if i in axes else letter for i, letter in enumerate(target))
    batch = "".join(letter for i, letter in enumerate(target[:-1]) if i not in axes)
    places = [target[i] for i in axes]
    return target, source, f"{batch}{''.join(places)}{''.join(places).upper()}"


class MultiHeadAttention(_Heads, after={"activity_regularizer": "bias_regularizer"}):
    """y = concat(head_1, ..., head_n) W + b, head_i = softmax(Q_i K_i^T / sqrt(key_dim)) V_i

    Q, K and V are projections of the query (batch, T, ...), the key and the value (batch, S, ...); the key is the value
    where it is not given. The call takes `query_mask`, `value_mask`, `key_mask`, `attention_mask` (batch, T, S),
    `use_causal_mask`, and `return_attention_scores`, with which the softmax (batch, heads, T, S) is returned, too.
    (Vaswani et al. 2017)

    Args:
        num_heads: how many heads.
        key_dim: the width of each head's query and key.
        value_dim: that of its value, by default key_dim.
        dropout: the share of the softmax that is dropped in training.
        use_bias: whether projections add one.
        output_shape: the sizes of y's features, by default those of the query.
        attention_axes: the axes of positions, by default all between the batch and the features.
        sliding_window: how many positions each one sees to either side, itself included.
        flash_attention: Keras' argument: with it neither dropout nor scores can be had.
        use_gate: whether heads are multiplied by a sigmoid of the query.
        seed: of the dropout.

    >>> from layerwise import layers, ops
    >>> layer = layers.MultiHeadAttention(num_heads=2, key_dim=4)
    >>> y, scores = layer(ops.ones((1, 3, 8)), ops.ones((1, 5, 8)), return_attention_scores=True)
    >>> y.shape, scores.shape
    ((1, 3, 8), (1, 2, 3, 5))
    """

    kernel = Weight("glorot_uniform")
    bias = Weight("zeros")

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
        *,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.num_heads = whole_number("MultiHeadAttention: num_heads", num_heads)
        self.key_dim = whole_number("MultiHeadAttention: key_dim", key_dim)
        self.value_dim = whole_number("MultiHeadAttention: value_dim", key_dim if value_dim is None else value_dim)
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape and tuple(output_shape)
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self._set(sliding_window, flash_attention)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                f"layer {self.name!r}: got a value of shape {tuple(value_shape)} and a key of {tuple(key_shape)}, "
                "expected them to differ in the last dimension only"
            )
        axes = len(query_shape)
        queries, values = (self.num_heads, self.key_dim), (self.num_heads, self.value_dim)
        self.query_dense = self._project("query", query_shape, queries)
        self.key_dense = self._project("key", key_shape, queries)
        if self.use_gate:
            self._gate_dense = self._project("gate", query_shape, values, activation="sigmoid")
        self.value_dense = self._project("value", value_shape, values)
        given = range(1, axes - 1) if self.attention_axes is None else self.attention_axes
        self.attention_axes = tuple(axis if axis >= 0 else axis + axes for axis in given)
        self._softmax = Softmax([-n - 1 for n in reversed(range(len(self.attention_axes)))], dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        heads = (*query_shape[:-1], *values)
        self.output_dense = self._project("attention_output", heads, self.output_shape or query_shape[-1:], bound=2)

    def _projections(self) -> Sequence[EinsumDense]:
        return self.query_dense, self.key_dense, self.value_dense, self.output_dense


class GroupQueryAttention(_Heads, after={"activity_regularizer": "bias_regularizer"}):
    """`MultiHeadAttention` whose heads share keys and values in groups

    Query (batch, T, n), value and key (batch, S, n) -> (batch, T, n); the call takes what that of `MultiHeadAttention`
    takes. (Ainslie et al. 2023)

    Args:
        head_dim: the width of each head.
        num_query_heads: how many heads, a multiple of the next.
        num_key_value_heads: how many keys and values.
        dropout: the share of the softmax that is dropped in training.
        use_bias: whether projections add one.
        sliding_window: how many positions each one sees to either side, itself included.
        flash_attention: Keras' argument: with it neither dropout nor scores can be had.
        use_gate: whether heads are multiplied by a sigmoid of the query.
        seed: of the dropout.

    >>> from layerwise import layers, ops
    >>> x = ops.ones((1, 3, 8))
    >>> layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    (1, 3, 8)
    """

    kernel = Weight("glorot_uniform")
    bias = Weight("zeros")

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        *,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.head_dim = whole_number("GroupQueryAttention: head_dim", head_dim)
        self.num_query_heads = whole_number("GroupQueryAttention: num_query_heads", num_query_heads)
        self.num_key_value_heads = whole_number("GroupQueryAttention: num_key_value_heads", num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                f"GroupQueryAttention: num_query_heads: got {num_query_heads}, expected a multiple of "
                f"num_key_value_heads, {num_key_value_heads}"
            )
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self._groups = num_query_heads // num_key_value_heads
        self._set(sliding_window, flash_attention)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        queries, keys = ((n, self.head_dim) for n in (self.num_query_heads, self.num_key_value_heads))
        self._query_dense = self._project("query", query_shape, queries)
        self._key_dense = self._project("key", value_shape if key_shape is None else key_shape, keys)
        if self.use_gate:
            self._gate_dense = self._project("gate", query_shape, queries, activation="sigmoid")
        self._value_dense = self._project("value", value_shape, keys)
        self._softmax = Softmax(dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        heads = (*query_shape[:-1], *queries)
        self._output_dense = self._project("attention_output", heads, query_shape[-1:], bound=2)

    def _projections(self) -> Sequence[EinsumDense]:
        return self._query_dense, self._key_dense, self._value_dense, self._output_dense

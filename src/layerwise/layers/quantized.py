"""What layers with one large weight have in common: low-rank adapters beside it, and few bits for each number in it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, ClassVar

import numpy as np

from .. import dtype_policies, initializers, ops, quantizers
from ..autograd import Tensor, as_tensor, stop_gradient
from ..naming import expect, whole_number
from ..serialization import serialize
from .base import Layer

_ADAPTERS = ("lora_rank", "lora_alpha", "quantization_config")


class Adaptable(Layer):
    """A layer whose weight W may be W + (alpha / rank) A B, and may be held as whole numbers and their scales.

    While either is so the attribute of the weight's name is computed from what is stored: `call` need not know. A class
    says which weight it is, along which axes a scale reaches, and how scales lie in files.

    Args:
        lora_rank: the rank of the adapters that `build` adds, as `enable_lora` does; None: none.
        lora_alpha: A B counts lora_alpha / lora_rank times; None: once.
        quantization_config: how the layer is quantised, a `quantizers.QuantizationConfig`.
    """

    large: ClassVar[str] = "kernel"  # the weight
    quantized_transposed: ClassVar[bool] = False  # whether scales reach along its last axis
    lora_enabled = False
    inputs_quantizer: Any = None

    def __init__(
        self,
        *,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.lora_rank: Any = (
            None if lora_rank is None else whole_number(f"{type(self).__name__}: lora_rank", lora_rank)
        )
        self.lora_alpha: Any = lora_rank if lora_alpha is None else lora_alpha
        self.quantization_config = quantization_config

    @property
    def quantization_mode(self) -> str | None:
        """ "int8" or "int4" where the weight is quantised."""
        return self.dtype_policy.of(self.name).quantization_mode

    # What is stored -----------------------------------------------------------------------------------------------

    def make_large(self, shape: Sequence[int | None], **options: Any) -> None:
        """Make the weight, as `make` does, or what stands for it by the layer's policy and arguments."""
        self._full_shape: tuple[Any, ...] = tuple(shape)
        if self.quantization_mode is None:
            super().make(self.large, shape, **options)
        else:
            self._make_quantized(self._config())

    def adapt(self) -> None:
        """Add the adapters that the layer was told of, at the end of `build`."""
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def _config(self) -> Any:
        """How the layer is quantised: as it was told, else as its policy says."""
        if self.quantization_config is not None:
            return self.quantization_config
        policy = self.dtype_policy.of(self.name)
        if policy.quantization_mode != "int4":
            return quantizers.resolved(policy.quantization_mode, None)
        return quantizers.Int4QuantizationConfig(block_size=getattr(policy, "block_size", None))

    def _make_quantized(self, config: Any) -> None:
        """The whole numbers with their scales, made of zeros."""
        zeros = ops.zeros(self._full_shape, self.variable_dtype)
        self.inputs_quantizer = config.activation_quantizer
        self._hold(None)
        for name, value in self._quantized(zeros, config).items():
            self._add_fixed(name, value)

    def _add_fixed(self, name: str, value: Tensor) -> None:
        variable = self.add_weight(value.shape, "zeros", value.dtype, trainable=False, autocast=False, name=name)
        variable.assign(value)
        if name == self.large:
            self._hold(variable)
        else:
            setattr(self, name, variable)

    def _hold(self, variable: Any) -> None:
        """Keep what stands for the weight; the attribute of its name is computed from now on."""
        vars(self).pop(self.large, None)
        vars(self)[f"_{self.large}"] = variable

    def _quantized(self, w: Tensor, config: Any) -> dict[str, Tensor]:
        """What is stored of a weight, by name, in the order of Keras' files."""
        name = self.large
        if config.mode == "int8":
            quantizer = config.weight_quantizer or quantizers.AbsMaxQuantizer(self.summed_axes())
            numbers, scale = quantizer(w)
            return {name: numbers, f"{name}_scale": self.scale_to_file(scale)}
        flat = self._as_matrix(w)
        block = self._block(config)
        if block is None:
            quantizer = config.weight_quantizer or quantizers.AbsMaxQuantizer(0, (-8, 7))
            numbers, scale = quantizer(flat, axis=0)
            parts = {f"{name}_scale": ops.squeeze(scale, 0)}
        else:
            numbers, scale, zero = quantizers.abs_max_quantize_grouped_with_zero_point(flat, block)
            parts = {f"{name}_scale": self._turned(scale), f"{name}_zero": self._turned(zero)}
            parts["g_idx"] = ops.cast(ops.arange(flat.shape[0]) // block, "float32")
        return {name: quantizers.pack_int4(self._turned(numbers), axis=-1)[0], **parts}

    @staticmethod
    def _block(config: Any) -> int | None:
        return None if config.block_size in (None, -1) else int(config.block_size)

    def dequantized(self) -> Tensor:
        """The weight that the whole numbers and their scales stand for."""
        dtype, name = self.compute_dtype, self.large
        numbers, scale = vars(self)[f"_{name}"].value, as_tensor(getattr(self, f"{name}_scale"), dtype)
        if self.quantization_mode == "int8":
            return ops.cast(numbers, dtype) / self.scale_from_file(scale)
        kept = self._as_matrix_shape()
        width = kept[0] if self.quantized_transposed else kept[1]
        flat = ops.cast(self._turned(quantizers.unpack_int4(numbers, width, axis=-1)), dtype)
        if (zero := getattr(self, f"{name}_zero", None)) is None:
            flat = flat / scale
        else:
            groups = ops.cast(vars(self)["g_idx"].value, "int32")
            scale, zero = (ops.take(self._turned(t), groups, axis=0) for t in (scale, as_tensor(zero, dtype)))
            flat = (flat - zero) * scale
        return ops.reshape(self._turned(flat), self._full_shape)

    def _as_matrix_shape(self) -> tuple[int, int]:
        """The sizes of the weight as a matrix: what a sum reaches over, and the rest."""
        summed = self.summed_axes()
        sizes: list[Any] = list(self._full_shape)
        rows = int(np.prod([sizes[i] for i in summed]))
        return rows, int(np.prod(sizes)) // rows

    def _as_matrix(self, w: Tensor) -> Tensor:
        return ops.reshape(self._turned(w), self._as_matrix_shape())

    def _turned(self, matrix: Tensor) -> Tensor:
        return ops.transpose(matrix) if self.quantized_transposed else matrix

    # What a class says --------------------------------------------------------------------------------------------

    def summed_axes(self) -> tuple[int, ...]:
        """The axes of the weight along which one scale reaches."""
        return (1,) if self.quantized_transposed else (0,)

    def scale_to_file(self, scale: Tensor) -> Tensor:
        """A scale with axes of size 1 as it is stored."""
        return ops.squeeze(scale, self.summed_axes()[0])

    def scale_from_file(self, scale: Tensor) -> Tensor:
        """The scale as `scale_to_file` was given it."""
        return ops.expand_dims(scale, self.summed_axes()[0])

    # Computing ----------------------------------------------------------------------------------------------------

    def effective(self) -> Tensor:
        """The weight that the layer computes with."""
        held = vars(self)[f"_{self.large}"]
        w = held if self.quantization_mode is None else self.dequantized()
        return ops.cast(w + self._delta(), self.compute_dtype) if self.lora_enabled else w

    def _delta(self) -> Tensor:
        a, b = (getattr(self, f"lora_{self.large}_{part}") for part in "ab")
        return ops.matmul(a, b) * (self.lora_alpha / self.lora_rank)

    def rounded_inputs(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """x as its whole numbers and their scales have it, where inputs are quantised; gradients pass that by."""
        if self.inputs_quantizer is None:
            return x
        numbers, scale = self.inputs_quantizer(stop_gradient(x), axis=tuple(axes))
        return x + stop_gradient(ops.cast(numbers, x.dtype) / scale - x)

    # What users call ----------------------------------------------------------------------------------------------

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Leave the weight W as it is, and train A and B in W + (lora_alpha / rank) A B.

        Args:
            rank: how many columns A has.
            lora_alpha: by default `rank`.
            a_initializer: what A begins with.
            b_initializer: what B begins with: zeros, so that nothing changes at first.

        Raises:
            ValueError: the layer is not built, has adapters already, or its weight has a constraint.
        """
        what = f"layer {self.name!r} ({type(self).__name__}): enable_lora"
        if not self.built and not hasattr(self, "_full_shape"):
            raise ValueError(f"{what}: the layer is not built yet: call it on data first")
        if self.lora_enabled:
            raise ValueError(f"{what}: it has adapters already")
        if getattr(self, f"{self.large}_constraint") is not None:
            raise ValueError(f"{what}: remove the {self.large}_constraint: it would hold for W without A B")
        shape = self._full_shape
        regularizer = getattr(self, f"{self.large}_regularizer")
        for part, sizes, initializer in (
            ("a", (*shape[:-1], rank), a_initializer),
            ("b", (rank, shape[-1]), b_initializer),
        ):
            name = f"lora_{self.large}_{part}"
            weight = self.add_weight(
                sizes, initializers.get(initializer), "float32", regularizer=regularizer, name=name
            )
            setattr(self, name, weight)
        if self.quantization_mode is None:
            variable = vars(self)[self.large]
            delattr(self, self.large)
            variable.trainable = False
            self._track(variable)
            self._hold(variable)
        self.lora_rank, self.lora_alpha = rank, rank if lora_alpha is None else lora_alpha
        self.lora_enabled = True

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Replace the weight by whole numbers of 8 or 4 bits and their scales; training leaves those alone.

        Args:
            mode: "int8" or "int4".
            type_check: whether subclasses are refused, whose `call` may do anything.
            config: a `quantizers.QuantizationConfig` in place of the mode's own.

        Raises:
            ValueError: the layer is not built, or quantised already.
            NotImplementedError: a subclass.
        """
        what = f"layer {self.name!r} ({type(self).__name__}): quantize"
        if type_check and "large" not in vars(type(self)) and type(self).__base__ is not Adaptable:
            raise NotImplementedError(f"{what}: a subclass may compute otherwise; override quantize, too")
        expect(what, self.built, lambda built: built, "a layer that is built: call it on data first")
        expect(what, self.quantization_mode, self.quantization_mode is None, "a layer that is not quantised yet")
        config = quantizers.resolved(mode, config)
        held = f"_{self.large}" if self.lora_enabled else self.large
        parts = self._quantized(getattr(self, held).value, config)
        delattr(self, held)
        mode = config.mode if config.mode != "int4" else f"int4/{self._block(config) or -1}"
        self.quantization_config, self.inputs_quantizer = config, config.activation_quantizer
        self._hold(None)
        for name, value in parts.items():
            self._add_fixed(name, value)
        self.dtype_policy = dtype_policies.get(f"{mode}_from_{self.dtype_policy.of(self.name).name}")

    # Files --------------------------------------------------------------------------------------------------------

    def _stored(self) -> list[Any]:
        """The variables of a file, in its order: weight, bias, scales."""
        name = self.large
        names = [f"_{name}", "bias", f"{name}_scale", f"{name}_zero", "g_idx"]
        return [v for n in names if (v := vars(self).get(n)) is not None]

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the layer's own variables to a mapping; adapters are added to the weight, as in Keras' files."""
        if f"_{self.large}" not in vars(self):
            super().save_own_variables(store)
            return
        values = [v.numpy() for v in self._stored()]
        if self.lora_enabled and self.quantization_mode is None:
            values[0] = np.asarray(self.effective())
        elif self.lora_enabled:
            parts = self._quantized(self.effective(), self._config())
            names = [v.name for v in self._stored()]
            values = [np.asarray(parts[n]) if n in parts else v for n, v in zip(names, values, strict=True)]
        for i, value in enumerate(values):
            store[str(i)] = value

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote; adapters begin at zero, since the weight has them in it."""
        if f"_{self.large}" not in vars(self):
            super().load_own_variables(store)
            return
        variables = self._stored()
        if len(store) != len(variables):
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): got {len(store)} saved variables, expected "
                f"{len(variables)}: {[v.name for v in variables]}"
            )
        self._assign_all("saved variables", variables, [store[str(i)] for i in range(len(variables))])
        if self.lora_enabled:
            for part in "ab":
                adapter = getattr(self, f"lora_{self.large}_{part}")
                adapter.assign(ops.zeros(adapter.shape, adapter.dtype))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in _ADAPTERS:
            config.pop(name, None)
        config["quantization_config"] = serialize(self.quantization_config)
        if self.lora_rank:
            config |= {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}
        return config

"""Dtype policies: what layers compute in and what their variables are stored in, quantised ones among them.

`DTypePolicy` itself lives in `config`, which needs it; `get` makes a policy of whatever a layer's `dtype` may be.

>>> get("mixed_bfloat16").compute_dtype, get("int8_from_float32").quantization_mode
('bfloat16', 'int8')
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any, ClassVar

from . import serialization
from .config import DTypePolicy, dtype_policy
from .dtypes import ALIASES, standardize_dtype
from .lazy import public_only
from .naming import expect, one_of

__all__ = [
    "AWQDTypePolicy", "DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "GPTQDTypePolicy", "Int4DTypePolicy",
    "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "deserialize", "get", "serialize",
]  # fmt: skip
public_only(__name__)

MODES = ("int8", "float8", "int4", "gptq", "awq")

FloatDTypePolicy = DTypePolicy


class QuantizedDTypePolicy(DTypePolicy):
    """The policy of layers whose weights were quantised, and of which they were made: "int8_from_float32".

    Args:
        mode: "int8", "int4", "float8", "gptq" or "awq"; in the classes below with numbers behind it, "int4/128".
        source_name: the policy before; None: `config.dtype_policy()`.

    >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
    >>> policy.name, policy.compute_dtype, policy.variable_dtype
    ('int8_from_mixed_bfloat16', 'bfloat16', 'float32')
    """

    _form: ClassVar[tuple[str, ...]] = ()  # a mode of its own and the numbers that stand behind it

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        super().__init__(source_name)
        source, kind = self.name, type(self).__name__
        base, *numbers = str(mode).split("/")
        known = self._form[:1] or MODES
        expect(f"{kind}: mode", base, base in known, " or ".join(map(repr, known)))
        if self._form or numbers:
            form = "/".join(["{}", *(f"<{name}>" for name in self._form[1:])]).format(base)
            fits = len(numbers) == len(self._form[1:]) and all(re.fullmatch(r"-?\d+", number) for number in numbers)
            expect(f"{kind}: mode", mode, fits, f"{form!r} with whole numbers")
        for name, number in zip(self._form[1:], numbers, strict=True):
            self._take(name, int(number))
        if base == "int8" and self.compute_dtype == "float16":
            raise ValueError(f"{kind}: int8 products do not fit float16; take 'float32' or 'mixed_bfloat16' as source")
        self.name, self.source_name, self.quantization_mode = f"{mode}_from_{source}", source, base
        self._given = mode

    def _take(self, name: str, number: int) -> None:
        kind = f"{type(self).__name__}: {name}"
        if name == "weight_bits":
            one_of(kind, number, *self._bits)
        else:
            expect(kind, number, number == -1 or number > 0, "-1 (one scale for a channel) or a whole number >= 1")
        setattr(self, name, number)

    _bits: ClassVar[tuple[int, ...]] = ()
    mode = property(lambda self: self.quantization_mode, doc="The mode without the numbers behind it.")

    def get_config(self) -> dict[str, Any]:
        return {"mode": self._given, "source_name": self.source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The policy of layers that compute with numbers of eight bits, scaled by the largest of the last steps.

    Args:
        mode: "float8".
        source_name: the policy before; None: `config.dtype_policy()`.
        amax_history_length: of how many steps the largest numbers are kept.
    """

    default_amax_history_length = 1024

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                f"QuantizedFloat8DTypePolicy: amax_history_length: got {amax_history_length!r}, expected a whole number"
            )
        self.amax_history_length = amax_history_length

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class Int4DTypePolicy(QuantizedDTypePolicy):
    """The policy of layers whose weights have four bits.

    Args:
        mode: "int4/<block_size>": how many rows share a scale, -1 for all of them.
        source_name: the policy before; None: `config.dtype_policy()`.

    >>> Int4DTypePolicy("int4/128", "float32").block_size
    128
    """

    _form = ("int4", "block_size")


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """The policy of layers whose weights were quantised by GPTQ.

    Args:
        mode: "gptq/<weight_bits>/<group_size>": 2, 3, 4 or 8 bits, and how many rows share a scale (-1: all).
        source_name: the policy before; None: `config.dtype_policy()`.
    """

    _form, _bits = ("gptq", "weight_bits", "group_size"), (2, 3, 4, 8)


class AWQDTypePolicy(QuantizedDTypePolicy):
    """The policy of layers whose weights were quantised by AWQ.

    Args:
        mode: "awq/<weight_bits>/<group_size>": 4 bits, and how many rows share a scale (-1: all).
        source_name: the policy before; None: `config.dtype_policy()`.
    """

    _form, _bits = ("awq", "weight_bits", "group_size"), (4,)


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by the paths of layers, or by regular expressions that such a path matches as a whole.

    Args:
        default_policy: of paths that are not in it; None: `config.dtype_policy()`.
        policy_map: a dict of policies to begin with.

    >>> policies = DTypePolicyMap("float32")
    >>> policies["encoder/.*"] = DTypePolicy("bfloat16")
    >>> policies["encoder/dense"], policies["decoder/dense"]
    (<DTypePolicy 'bfloat16'>, <DTypePolicy 'float32'>)
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, DTypePolicy] | None = None) -> None:
        expect("DTypePolicyMap: default_policy", default_policy, not _is_map(default_policy), "one policy for all")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(f"DTypePolicyMap: policy_map: got {type(policy_map).__name__}, expected a dict")
        self._given, self._policies = default_policy, policy_map or {}
        self.default_policy = default = get(default_policy)
        self.name, self.quantization_mode = f"map_{default.name}", default.quantization_mode
        self.compute_dtype, self.variable_dtype = default.compute_dtype, default.variable_dtype

    def of(self, path: str) -> DTypePolicy:
        """The policy of the layer that is called so."""
        return self[path]

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self._policies:
            return self._policies[path]
        found = [pattern for pattern in self._policies if re.fullmatch(pattern, path)]
        if len(found) > 1:
            raise ValueError(f"DTypePolicyMap: path {path!r} matches {found}, expected one pattern at most")
        return self._policies[found[0]] if found else self.default_policy

    def __setitem__(self, path: str, policy: DTypePolicy) -> None:
        expect("DTypePolicyMap: path", path, path not in self._policies, "one that is not there yet; delete it first")
        expect("DTypePolicyMap: policy", policy, isinstance(policy, DTypePolicy) and not _is_map(policy), "one policy")
        self._policies[path] = policy

    def __delitem__(self, path: str) -> None:
        del self._policies[path]

    def __contains__(self, path: object) -> bool:
        return path in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __bool__(self) -> bool:
        return True  # a policy, however many it holds

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __repr__(self) -> str:
        return f"<DTypePolicyMap {self.default_policy.name!r}, {self._policies}>"

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and other.get_config() == self.get_config()

    def get_config(self) -> dict[str, Any]:
        given = None if self._given is None else serialize(self.default_policy)
        return {
            "default_policy": given,
            "policy_map": {path: serialize(policy) for path, policy in self._policies.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicyMap:
        policies = {path: deserialize(policy) for path, policy in config["policy_map"].items()}
        default = config["default_policy"]
        return cls(None if default is None else get(default), policies)


def _is_map(policy: Any) -> bool:
    return isinstance(policy, DTypePolicyMap)


def get(identifier: Any) -> DTypePolicy:
    """The policy that `identifier` stands for: a policy, its name or configuration, a dtype, None for the global one.

    >>> get("int4/32_from_float32")
    <Int4DTypePolicy 'int4/32_from_float32'>
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if not isinstance(identifier, str):
        return DTypePolicy(standardize_dtype(identifier))
    if not identifier.startswith(MODES):
        return DTypePolicy(ALIASES.get(identifier, identifier))
    mode, _, source = identifier.partition("_from_")
    expect("dtype policy", identifier, source, "a mode and what it was made from, such as 'int8_from_float32'")
    base = mode.partition("/")[0]
    by_mode: dict[str, type[QuantizedDTypePolicy]] = {
        "gptq": GPTQDTypePolicy, "awq": AWQDTypePolicy, "float8": QuantizedFloat8DTypePolicy,
    }  # fmt: skip
    return by_mode.get(base, Int4DTypePolicy if "/" in mode else QuantizedDTypePolicy)(mode, source)


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy `dtype_policy` as plain data."""
    return serialization.serialize(dtype_policy)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """The policy of a `config` that `serialize` returned; `custom_objects` are further classes that it may name."""
    return serialization.deserialize(config, custom_objects=custom_objects)

"""Settings of the process: each has a default, an environment variable or a setter, and an override for a block.

>>> from layerwise import config
>>> with config.override(floatx="float64"):
...     config.floatx()
'float64'
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from . import catalog
from .context import setting
from .cores import usable_cores
from .lazy import public_only
from .naming import expect, one_of, whole_number

__all__ = [
    "DTypePolicy", "backend", "debug_nans", "disable_flash_attention", "disable_interactive_logging",
    "disable_traceback_filtering", "dtype_policy", "enable_flash_attention", "enable_interactive_logging",
    "enable_traceback_filtering", "enable_unsafe_deserialization", "epsilon", "floatx", "fusion", "image_data_format",
    "is_flash_attention_enabled", "is_interactive_logging_enabled", "is_nnx_enabled", "is_traceback_filtering_enabled",
    "max_epochs", "max_steps_per_epoch", "memory_stats", "num_threads", "override", "set_backend", "set_debug_nans",
    "set_dtype_policy", "set_epsilon", "set_floatx", "set_fusion", "set_image_data_format", "set_max_epochs",
    "set_max_steps_per_epoch", "set_num_threads",
]  # fmt: skip
public_only(__name__)

BACKENDS = ("native", "numpy", "xla")
REFERENCE = "numpy"  # always there; shapes are worked out on it
DISTRIBUTED = "xla"  # computes in several processes

_defaults: dict[str, Any] = {
    "backend": None,
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "dtype_policy": None,
    "num_threads": None,
    "fusion": None,
    "debug_nans": None,
    "interactive_logging": True,
    "traceback_filtering": False,
    "flash_attention": None,
    "unsafe_deserialization": False,
    "max_epochs": None,
    "max_steps_per_epoch": None,
}
_overrides: ContextVar[dict[str, Any] | None] = ContextVar("layerwise_config", default=None)


def _get(name: str) -> Any:
    overrides = _overrides.get()
    return _defaults[name] if overrides is None else overrides.get(name, _defaults[name])


@contextlib.contextmanager
def override(**settings: Any) -> Iterator[None]:
    """Other settings inside a `with` block, in this thread or task only."""
    unknown = set(settings) - set(_defaults)
    if unknown:
        raise ValueError(f"config.override: unknown setting {sorted(unknown)}; expected some of {sorted(_defaults)}")
    if "backend" in settings:
        _check_backend(settings["backend"])
    with setting(_overrides, {**(_overrides.get() or {}), **settings}):
        yield


def _check_backend(name: str, what: str = "backend") -> str:
    if name not in BACKENDS:
        raise ValueError(f"{what}: got {name!r}, expected one of {', '.join(BACKENDS)}")
    return name


def backend() -> str:
    """The name of the backend in use: an override, `set_backend`, or the environment's LAYERWISE_BACKEND.

    Without any of these, "native" where its C++ kernels were built when Layerwise was installed, and else "numpy".
    """
    name = _get("backend")
    if name is None:
        built = importlib.util.find_spec("layerwise.backends._native") is not None
        name = os.environ.get("LAYERWISE_BACKEND") or ("native" if built else REFERENCE)
        _defaults["backend"] = _check_backend(name, "LAYERWISE_BACKEND, the backend")
    return name


def set_backend(backend: str) -> None:
    """Let this backend compute from here on. Variables stay with the one they were created under."""
    _defaults["backend"] = _check_backend(backend)


def floatx() -> str:
    """The dtype of Python floats and of new variables, "float32" unless set."""
    return _get("floatx")


def set_floatx(value: str) -> None:
    """Set the default float dtype to this `value`: "float16", "bfloat16", "float32" or "float64"."""
    _defaults["floatx"] = one_of("set_floatx", value, "float16", "bfloat16", "float32", "float64")


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless set."""
    return _get("epsilon")


def set_epsilon(value: float) -> None:
    """Set `epsilon()` to this value."""
    expect("set_epsilon", value, lambda value: value > 0, "a number > 0")
    _defaults["epsilon"] = float(value)


def image_data_format() -> str:
    """Where images keep their channels by default: "channels_last" or "channels_first"."""
    return _get("image_data_format")


def set_image_data_format(data_format: str) -> None:
    """Set `image_data_format()`; data_format: "channels_last" or "channels_first"."""
    _defaults["image_data_format"] = checked_data_format(data_format, "set_image_data_format")


def checked_data_format(value: str | None, what: str = "data_format") -> str:
    """`value`, the configured format in place of None, if it is one that there is; `what` names it in the error."""
    return one_of(what, image_data_format() if value is None else value, "channels_last", "channels_first")


class DTypePolicy:
    """What layers compute in and what their variables are stored in.

    "float32", "float64", "float16" and "bfloat16" use one dtype for both; "mixed_float16" and "mixed_bfloat16" compute
    in the short type and keep variables in float32.

    Args:
        name: one of these; None: `dtype_policy()`.

    >>> DTypePolicy("float64").compute_dtype
    'float64'
    """

    name: str
    quantization_mode: str | None = None

    def __init__(self, name: str | None = None) -> None:
        name = dtype_policy().name if name is None else name
        plain = name.removeprefix("mixed_")
        known = ("float16", "bfloat16") if name != plain else ("float16", "bfloat16", "float32", "float64")
        integers = ("int32", "int64", "uint8", "bool", "string")
        expect("DTypePolicy", name, plain in known or name in integers, "a dtype such as 'float32' or 'mixed_float16'")
        self.name = name
        self.compute_dtype = plain
        self.variable_dtype = "float32" if name != plain else name

    def of(self, path: str) -> DTypePolicy:
        """The policy of the layer that is called so: this one, where it is no map of policies."""
        return self

    def convert_input(self, x: Any, autocast: bool, dtype: str) -> Any:
        """An array or Tensor, with `autocast` in this dtype if it is floating-point; anything else as it is."""
        floating = "float" in str(getattr(x, "dtype", "none"))
        return x.astype(dtype) if autocast and floating and x.dtype != dtype else x

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def dtype_policy() -> DTypePolicy:
    """The policy of layers that name none: `set_dtype_policy`, otherwise `floatx()`."""
    policy = _get("dtype_policy") or floatx()
    return policy if isinstance(policy, DTypePolicy) else _policy(policy)


def set_dtype_policy(policy: str | DTypePolicy | None) -> None:
    """Set the policy of layers created from here on; None: that of `floatx()`."""
    _defaults["dtype_policy"] = None if policy is None else _policy(policy)


def _policy(identifier: Any) -> DTypePolicy:
    policy: DTypePolicy = catalog.find("dtype_policies", "get")(identifier)
    return policy


def num_threads() -> int:
    """How many threads kernels may use: `set_num_threads`, the environment's LAYERWISE_NUM_THREADS, or one for each
    physical core that this process may use."""
    count = _get("num_threads")
    if count is None:
        asked = os.environ.get("LAYERWISE_NUM_THREADS") or usable_cores()
        count = int(asked) if str(asked).isdecimal() else asked
        count = _defaults["num_threads"] = whole_number("LAYERWISE_NUM_THREADS", count)
    return count


def set_num_threads(count: int) -> None:
    """Let kernels of Layerwise's own use `count` threads (the reference backend's BLAS follows its own settings)."""
    _defaults["num_threads"] = whole_number("set_num_threads", count)
    if kernels := _loaded_kernels():
        kernels.set_num_threads(count)


def memory_stats() -> dict[str, int]:
    """Bytes that the kernels hold: {"arena": recorded programs, "scratch": threads, "peak": the most that both had}.

    Empty where no kernels are loaded. Arrays are NumPy's and not counted here.
    """
    kernels = _loaded_kernels()
    return kernels.memory_stats() if kernels else {}


def _loaded_kernels() -> Any:
    return sys.modules.get("layerwise.backends._native")


def fusion() -> bool:
    """Whether models compute what they can of several layers at once: `set_fusion`, or unless LAYERWISE_FUSION=0."""
    chosen = _get("fusion")
    if chosen is None:
        chosen = _defaults["fusion"] = os.environ.get("LAYERWISE_FUSION") != "0"
    return chosen


def set_fusion(value: bool) -> None:
    """Set `fusion()` to a value. It changes no result but for rounding; layers that are observed are never fused."""
    _defaults["fusion"] = bool(value)


def debug_nans() -> bool:
    """Whether training stops where NaN or infinity arises: `set_debug_nans`, or if LAYERWISE_DEBUG_NANS=1.

    `fit` and `train_on_batch` then raise a FloatingPointError that names the operation, the layer and the batch, for
    what arises in the loss, the gradients, the weights or the optimizer's slots; the model is as it was before that
    batch. A step takes a copy of the state and a sum over it more. It is asked when `fit` begins.
    """
    chosen = _get("debug_nans")
    if chosen is None:
        chosen = _defaults["debug_nans"] = os.environ.get("LAYERWISE_DEBUG_NANS") == "1"
    return chosen


def set_debug_nans(value: bool) -> None:
    """Set `debug_nans()` to this value."""
    _defaults["debug_nans"] = bool(value)


def is_interactive_logging_enabled() -> bool:
    """Whether progress is a bar and messages are printed; otherwise it is a line an epoch, and they are logged."""
    return _get("interactive_logging")


def enable_interactive_logging() -> None:
    """Let progress be a bar, where the output is a terminal, and print messages: the default."""
    _defaults["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Let progress that nobody has asked for be a line an epoch, and log messages to the logger "layerwise"."""
    _defaults["interactive_logging"] = False


def is_traceback_filtering_enabled() -> bool:
    """What `enable_traceback_filtering` has set. Errors are shown whole either way."""
    return _get("traceback_filtering")


def enable_traceback_filtering() -> None:
    """Keras' switch, kept without effect: tracebacks are never shortened."""
    _defaults["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Show whole tracebacks: the default."""
    _defaults["traceback_filtering"] = False


def is_flash_attention_enabled() -> bool | None:
    """What was set; None: the backend computes attention as it does best, which is the default."""
    return _get("flash_attention")


def enable_flash_attention() -> None:
    """Keras' switch, kept without effect: how attention is computed is up to the backend."""
    _defaults["flash_attention"] = True


def disable_flash_attention() -> None:
    """Keras' switch, kept without effect: how attention is computed is up to the backend."""
    _defaults["flash_attention"] = False


def is_nnx_enabled() -> bool:
    """False: Flax' NNX modules are no part of Layerwise."""
    return False


def enable_unsafe_deserialization() -> None:
    """Let configurations, wherever they are from, hold `Lambda` layers and name functions, as `safe_mode=False` does.

    Code in a file is never run, whatever is set. `load_model` goes by its own argument.
    """
    _defaults["unsafe_deserialization"] = True


def is_unsafe_deserialization_enabled() -> bool:
    """Whether `enable_unsafe_deserialization` was called."""
    return _get("unsafe_deserialization")


def max_epochs() -> int | None:
    """How many epochs `fit` trains at most: `set_max_epochs`, or the environment's LAYERWISE_MAX_EPOCHS."""
    return _limit("max_epochs")


def set_max_epochs(max_epochs: int | None) -> None:
    """Let `fit` train for `max_epochs` epochs at most, to try a program out; None: as many as it is told."""
    _set_limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """How many steps an epoch has at most: as set, or the environment's LAYERWISE_MAX_STEPS_PER_EPOCH."""
    return _limit("max_steps_per_epoch")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Let `fit`, `evaluate` and `predict` take `max_steps_per_epoch` steps an epoch at most; None: all of them."""
    _set_limit("max_steps_per_epoch", max_steps_per_epoch)


def _limit(name: str) -> int | None:
    if (limit := _get(name)) is not None:
        return limit
    variable = f"LAYERWISE_{name.upper()}"
    asked = os.environ.get(variable)
    return whole_number(variable, int(asked) if asked.isdecimal() else asked) if asked else None


def _set_limit(name: str, limit: int | None) -> None:
    _defaults[name] = None if limit is None else whole_number(f"set_{name}", limit)

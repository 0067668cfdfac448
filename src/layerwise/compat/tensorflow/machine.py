"""What TensorFlow's programs say of the machine: there is one device, and what they ask of it has no effect."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ... import ops


@dataclass
class PhysicalDevice:
    """A device by name and type."""

    name: str
    device_type: str


@dataclass
class LogicalDeviceConfiguration:
    """How much of a device to take; without effect."""

    memory_limit: int | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The processor; there is no GPU or TPU among them.

    >>> list_physical_devices("GPU")
    []
    """
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def list_logical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The processor."""
    return [PhysicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


get_visible_devices = list_physical_devices


@dataclass
class TFRecordOptions:
    """How a file of records is packed: as "GZIP" or not."""

    compression_type: str | None = None


class Options:
    """Wishes about how a pipeline runs, at any depth of attributes; without effect."""

    def __getattr__(self, name: str) -> "Options":
        if name.startswith("__"):
            raise AttributeError(name)
        return Options()


def accepted(*args: Any, **kwargs: Any) -> None:
    """Takes any arguments and does nothing."""


set_visible_devices = set_memory_growth = set_logical_device_configuration = set_soft_device_placement = accepted
run_functions_eagerly = set_inter_op_parallelism_threads = set_intra_op_parallelism_threads = accepted
set_log_device_placement = enable_eager_execution = enable_op_determinism = accepted
disable_v2_behavior = enable_v2_behavior = experimental_connect_to_cluster = accepted


def device(device_name: Any = None) -> Any:
    """A `with` block without effect."""
    return contextlib.nullcontext()


def name_scope(name: str) -> Any:
    """A `with` block without effect."""
    return contextlib.nullcontext(name)


def executing_eagerly() -> bool:
    """True."""
    return True


def get_logger() -> logging.Logger:
    """A logger of this name."""
    return logging.getLogger("tensorflow")


class Strategy:
    """How to train on several devices, for one; `layerwise.distribution` trains on several.

    >>> with Strategy().scope():
    ...     pass
    """

    num_replicas_in_sync = 1
    extended = property(lambda self: self)

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def scope(self) -> Any:
        return contextlib.nullcontext(self)

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        return fn(*args, **kwargs or {})

    def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        """The value; along an axis its sum, or its mean for "MEAN"."""
        if axis is None:
            return value
        return (ops.mean if str(reduce_op).upper().endswith("MEAN") else ops.sum)(value, axis)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        return dataset

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        return (value,)


MirroredStrategy = OneDeviceStrategy = MultiWorkerMirroredStrategy = CentralStorageStrategy = Strategy


def get_strategy() -> Strategy:
    """The one that is in use."""
    return Strategy()


class ReduceOp:
    """How values of several devices become one."""

    SUM, MEAN = "SUM", "MEAN"

"""Training on many devices and machines: which of them hold what, under Keras' names.

A program is written for one device. `set_distribution` says how arrays lie on a mesh of devices; compiled steps then
compute the same numbers, each device its part: a mean is that of the whole batch, dropout draws one mask for it, and
an epoch has one order, whose batches are cut into shares. A batch whose size the devices cannot share equally (the
last one of an epoch) is computed whole on each.

Several processes run the same program, begin with `initialize`, draw from the same seed, and are given the same data,
of which each copies its share to its devices. What all of them should do once, the first one does: `is_first()`.

>>> from layerwise import config
>>> with config.override(backend="xla"):
...     print(DataParallel(devices=["cpu:0"]))
DataParallel(DeviceMesh(shape=(1,), axis_names=('batch',)))
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np

from . import random
from .autograd import Tensor, custom_gradient, raw
from .backends import backend
from .lazy import public_only
from .naming import expect
from .variables import Variable

__all__ = [
    "DataParallel", "DeviceMesh", "LayoutMap", "ModelParallel", "TensorLayout", "device", "distribute_tensor",
    "distribution", "gathered", "get_device_count", "initialize", "is_first", "list_devices", "note_checkpoint",
    "set_distribution",
]  # fmt: skip
public_only(__name__)


# ------------------------------------------------------------------------------------------------ devices, processes


def list_devices(device_type: str | None = None) -> list[str]:
    """The names of all devices, those of all processes: "cpu:0", "gpu:1", ...; those of a `device_type` if it is given.

    >>> list_devices("cpu")[0]
    'cpu:0'
    """
    return [name for name in backend().devices() if device_type in (None, name.split(":")[0])]


def get_device_count(device_type: str | None = None) -> int:
    """How many devices there are, all or those of a `device_type`: "cpu", "gpu"."""
    return len(list_devices(device_type))


@contextlib.contextmanager
def device(device_name: str) -> Iterator[None]:
    """Compute inside the `with` block on the device `device_name`, "cpu:0" or "gpu:1" (also as "/GPU:1").

    >>> with device("cpu:0"):
    ...     print(Variable(1.0).value)
    Tensor(1., shape=(), dtype=float32)
    """
    kind, _, number = str(device_name).lower().strip("/").removeprefix("device:").partition(":")
    name = f"{kind}:{number or 0}"
    if name not in list_devices():
        raise ValueError(f"device: device_name: got {device_name!r}, expected one of {list_devices()}")
    with backend().on_device(name):
        yield


def initialize(
    job_addresses: str | None = None, num_processes: int | None = None, process_id: int | None = None, timeout: int = 30
) -> None:
    """Join the processes that compute together; to be called before anything is computed.

    Without any of them the environment is asked: LAYERWISE_JOB_ADDRESSES, LAYERWISE_NUM_PROCESSES and
    LAYERWISE_PROCESS_ID, which `layerwise launch` sets. If it says nothing, there is one process, and nothing happens.

    Args:
        job_addresses: host:port of the first process, where all meet (of a list with commas the first counts).
        num_processes: how many processes there are.
        process_id: which of them this is, counted from 0.
        timeout: seconds after which the others end if one of them is lost.

    All processes then draw from the first one's seed, as if each had called `set_random_seed` with it.
    """
    address = job_addresses or os.environ.get("LAYERWISE_JOB_ADDRESSES")
    count = num_processes if num_processes is not None else _from_environment("LAYERWISE_NUM_PROCESSES")
    number = process_id if process_id is not None else _from_environment("LAYERWISE_PROCESS_ID")
    if address is None and count is None and number is None:
        return
    if address is None or count is None or number is None:
        raise ValueError(
            f"initialize: got job_addresses={address!r}, num_processes={count!r} and process_id={number!r}, expected "
            "all three, as arguments or in the environment: LAYERWISE_JOB_ADDRESSES, _NUM_PROCESSES, _PROCESS_ID"
        )
    expect("initialize: process_id", number, 0 <= number < count, f"0 ... {count - 1}")
    machine = backend()
    machine.connect(address.split(",")[0], count, number, timeout)
    random.set_random_seed(machine.agree(random.process_state()[0]))


def _from_environment(name: str) -> int | None:
    text = os.environ.get(name)
    return None if not text else int(text)


def is_first() -> bool:
    """Whether this process is the one that writes files and talks: the only one, or the first of several."""
    return backend().processes()[0] == 0


def note_checkpoint(path: str | os.PathLike[str]) -> None:
    """Tell `layerwise launch`, if it started this process, that the last checkpoint is at `path`."""
    if note := os.environ.get("LAYERWISE_CHECKPOINT_NOTE"):
        with open(note, "w", encoding="utf-8") as file:
            file.write(os.path.abspath(path))


@contextlib.contextmanager
def gathered(model: Any) -> Iterator[None]:
    """Inside the `with` block every process can read the model and its optimizer by itself; all must come here.

    Variables whose parts lie in several processes are on the host meanwhile.
    """
    machine = backend()
    variables: list[Variable] = model._state() if machine.processes()[1] > 1 else []
    apart = [(v, v._value) for v in variables if not machine.whole(v._value)]
    try:
        for variable, value in apart:
            variable._value = machine.numpy(value)
        yield
    finally:
        for variable, value in apart:
            variable._value = value


# --------------------------------------------------------------------------------------------------- meshes, layouts


class DeviceMesh:
    """Devices in a grid whose axes have names.

    Args:
        shape: of the grid.
        axis_names: one for each of its axes.
        devices: names of the devices, by default all.

    >>> DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"]).devices
    array([['cpu:0']], dtype='<U5')
    """

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str], devices: Any = None) -> None:
        self.shape, self.axis_names = tuple(shape), tuple(axis_names)
        names = np.array(list_devices() if devices is None else devices)
        if len(self.shape) != len(self.axis_names) or len(set(self.axis_names)) != len(self.axis_names):
            raise ValueError(f"DeviceMesh: got axis_names {self.axis_names}, expected a name for each of {self.shape}")
        if names.size != np.prod(self.shape):
            raise ValueError(
                f"DeviceMesh: got {names.size} devices for shape {self.shape}, expected {np.prod(self.shape)}"
            )
        self.devices = names.reshape(self.shape)

    def size(self, axis: str) -> int:
        """How many devices there are along an axis."""
        return self.shape[self.axis_names.index(axis)]

    def __repr__(self) -> str:
        return f"DeviceMesh(shape={self.shape}, axis_names={self.axis_names})"


class TensorLayout:
    """For each dimension of an array the axis of a `device_mesh` along which it is cut, or None.

    >>> TensorLayout([None, "model"]).axes
    (None, 'model')
    """

    def __init__(self, axes: Sequence[str | None], device_mesh: DeviceMesh | None = None) -> None:
        self.axes = tuple(axes)
        self.device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh whose axes are meant; it has them all."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, mesh: DeviceMesh | None) -> None:
        if mesh is not None and (unknown := set(self.axes) - {None, *mesh.axis_names}):
            raise ValueError(f"{self}: got axes {sorted(map(str, unknown))}, expected some of {mesh.axis_names}")
        self._device_mesh = mesh

    @property
    def sharding(self) -> Any:
        """The layout as the backend takes it."""
        mesh = self.device_mesh
        if mesh is None:
            raise ValueError(f"{self}: device_mesh is missing; give it one, or put the layout into a LayoutMap")
        return backend().sharding(mesh.devices, mesh.axis_names, self.axes)

    def __repr__(self) -> str:
        return f"TensorLayout({list(self.axes)})"


class LayoutMap(MutableMapping[str, TensorLayout]):
    """Layouts on a `device_mesh` by the path of variables: a path, or a regular expression that is found in paths.

    An optimizer's slots lie as the variable that they belong to. Variables that nothing fits are whole everywhere.

    >>> layouts = LayoutMap(DeviceMesh((1,), ["model"], ["cpu:0"]))
    >>> layouts["dense.*kernel"] = (None, "model")
    >>> layouts["sequential/dense_1/kernel"]
    TensorLayout([None, 'model'])
    """

    def __init__(self, device_mesh: DeviceMesh) -> None:
        self.device_mesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}

    def __getitem__(self, path: str) -> Any:
        if path in self._layouts:
            return self._layouts[path]
        fitting = [key for key in self._layouts if re.search(key, path)]
        if len(fitting) > 1:
            raise ValueError(f"LayoutMap: {path!r}: got several keys that fit, {fitting}, expected one")
        return self._layouts[fitting[0]] if fitting else None

    def __setitem__(self, key: str, layout: Any) -> None:
        if key in self._layouts:
            raise ValueError(f"LayoutMap: {key!r} is there already; delete it first")
        if isinstance(layout, list | tuple):
            layout = TensorLayout(layout)
        expect(f"LayoutMap: {key!r}", layout, isinstance(layout, TensorLayout), "a TensorLayout or a tuple of axes")
        layout.device_mesh = layout.device_mesh or self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)


# ----------------------------------------------------------------------------------------------------- distributions


class Distribution:
    """What `DataParallel` and `ModelParallel` share: the batch is cut along one axis of the mesh."""

    def __init__(self, device_mesh: DeviceMesh, batch_dim_name: str) -> None:
        self.device_mesh, self.batch_dim_name = device_mesh, batch_dim_name
        self.replicated = TensorLayout((), device_mesh).sharding
        self._by_batch = TensorLayout((batch_dim_name,), device_mesh).sharding

    def data_sharding(self, shape: Sequence[int]) -> Any:
        """Where a batch of this shape lies: cut into equal shares, or whole on every device where it cannot be."""
        even = len(shape) and shape[0] % self.device_mesh.size(self.batch_dim_name) == 0
        return self._by_batch if even else self.replicated

    def variable_sharding(self, path: str) -> Any:
        """Where the variable of this path lies."""
        return self.replicated

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Inside the `with` block this is the distribution."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(before)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.device_mesh})"


class DataParallel(Distribution):
    """Every device holds the whole model and computes its share of each batch; gradients are summed.

    Args:
        device_mesh: with one axis, by default that of `devices`.
        devices: names of devices, by default all.
        auto_shard_dataset: Keras' argument; batches are always those of all processes, cut into shares here.
    """

    def __init__(self, device_mesh: DeviceMesh | None = None, devices: Any = None, auto_shard_dataset: bool = True):
        if device_mesh is None:
            names = list_devices() if devices is None else list(devices)
            device_mesh = DeviceMesh((len(names),), ["batch"], names)
        elif len(device_mesh.shape) != 1:
            raise ValueError(f"DataParallel: device_mesh: got {device_mesh}, expected one axis; see ModelParallel")
        super().__init__(device_mesh, device_mesh.axis_names[0])


class ModelParallel(Distribution):
    """Variables are cut as `layout_map` says, and batches along one axis of its mesh.

    Args:
        layout_map: where variables lie.
        batch_dim_name: the axis along which batches are cut, by default the mesh's first.
        auto_shard_dataset: as in `DataParallel`.

    A variable is created whole and cut when it is first used in a step.
    """

    def __init__(
        self, *, layout_map: LayoutMap, batch_dim_name: str | None = None, auto_shard_dataset: bool = True
    ) -> None:
        mesh = layout_map.device_mesh
        name = batch_dim_name or mesh.axis_names[0]
        expect("ModelParallel: batch_dim_name", name, name in mesh.axis_names, f"one of {mesh.axis_names}")
        super().__init__(mesh, name)
        self.layout_map = layout_map

    def variable_sharding(self, path: str) -> Any:
        layout = self.layout_map[path]
        return self.replicated if layout is None else layout.sharding


def distribution() -> Distribution | None:
    """What `set_distribution` was given last."""
    return backend().distribution


def set_distribution(value: Distribution | None) -> None:
    """Distribute what is computed from here on as `value` says; None: compute on one device."""
    backend().distribution = value


def distribute_tensor(tensor: Any, layout: TensorLayout) -> Tensor:
    """The values of `tensor`, in this `layout`: advice for what is computed from them. Gradients pass through."""
    sharding = layout.sharding

    @custom_gradient
    def put(x: Tensor) -> Any:
        return Tensor(backend().put(raw(x), sharding)), lambda g: g

    return put(tensor)

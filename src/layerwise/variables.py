"""Variables, which a model is made of, and the state of a training step, which is all of them."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from . import catalog, config, observe, tree
from .autograd import Operators, Spec, Tensor, as_tensor, check_count, lifted, note_assignment, raw
from .backends import backend, load
from .context import setting
from .dtypes import dtype_name, is_float, is_text, standardize_dtype
from .lazy import public_only
from .naming import auto_name, scoped

__all__ = [
    "StepFunction", "Transaction", "Variable", "all_or_nothing", "autocast", "computing", "deferred_initializers",
    "for_good", "in_rehearsal", "in_step", "losses_in_scope", "rehearsal", "stop", "transaction", "uninterrupted",
]  # fmt: skip
public_only(__name__)


class Transaction:
    """The state of one step while it is computed: what variables read and assign until it is committed.

    If the step fails, dropping the transaction leaves every variable as it was. A rehearsal accepts every variable,
    lets new ones be created, and is always dropped.

    Args:
        variables: which may be assigned.
        values: theirs at first.
        rehearsal: whether it is one.
    """

    def __init__(self, variables: Sequence[Variable], values: Sequence[Any], rehearsal: bool = False) -> None:
        self.variables, self.rehearsal = variables, rehearsal
        self.values = dict(zip(map(id, variables), values, strict=True))
        self.losses: list[Any] | None = None  # those that layers add, where they are asked for

    def result(self) -> list[Any]:
        """The values that the variables have now, in order."""
        return [self.values[id(v)] for v in self.variables]


_autocast: ContextVar[str | None] = ContextVar("autocast", default=None)


def autocast(dtype: str | None) -> contextlib.AbstractContextManager[str | None]:
    """Inside the `with` block variables of floating-point numbers are read in this dtype; None: in their own."""
    return setting(_autocast, dtype)


_transaction: ContextVar[Transaction | None] = ContextVar("transaction", default=None)


def transaction(current: Transaction | None) -> contextlib.AbstractContextManager[Any]:
    """Inside the `with` block, which is given it, variables read and assign in `current`; None: in no transaction."""
    return setting(_transaction, current)


def rehearsal() -> contextlib.AbstractContextManager[Transaction]:
    """Nothing that is assigned inside the `with` block stays; variables created there do."""
    inside, around = Transaction((), (), rehearsal=True), _transaction.get()
    inside.values = {} if around is None else dict(around.values)
    return transaction(inside)


_deferred: ContextVar[list[tuple[Variable, Any, Callable[[], Any]]] | None] = ContextVar("deferred", default=None)


@contextlib.contextmanager
def deferred_initializers(at_most: float = math.inf) -> Iterator[None]:
    """Variables created inside the `with` block are shapes without values until something is assigned to them.

    The initializers of those that nothing was assigned to run at the end of the block, unless it raises; a ValueError
    if all these variables would take more than `at_most` bytes.
    """
    waiting: list[tuple[Variable, Any, Callable[[], Any]]] = []
    with setting(_deferred, waiting):
        yield
    left = [(variable, initialize) for variable, placeholder, initialize in waiting if variable._value is placeholder]
    if left and (needed := sum(variable.nbytes for variable, *_ in waiting)) > at_most:
        raise ValueError(
            f"{left[0][0].path} has no value; with all others it would take {needed} bytes, over {at_most}"
        )
    for variable, initialize in left:
        variable.assign(initialize())


@contextlib.contextmanager
def all_or_nothing(variables: Sequence[Variable]) -> Iterator[None]:
    """If the `with` block raises, the variables are as they were before it."""
    before = [v._value for v in variables]
    try:
        yield
    except BaseException:
        for variable, value in zip(variables, before, strict=True):
            variable._value = value
        raise


def losses_in_scope() -> list[Any] | None:
    """Where losses are to be collected now; None where nobody asked."""
    current = _transaction.get()
    return None if current is None else current.losses


def in_step() -> bool:
    """Whether a step is being computed (a rehearsal is none)."""
    current = _transaction.get()
    return current is not None and not current.rehearsal


def computing() -> bool:
    """Whether variables are read in another way than outside of everything: in a step, a rehearsal, another dtype."""
    return _transaction.get() is not None or _autocast.get() is not None


def in_rehearsal() -> bool:
    """Whether what is assigned now will be dropped."""
    current = _transaction.get()
    return current is not None and current.rehearsal


def for_good() -> contextlib.AbstractContextManager[Any]:
    """What is done inside the `with` block stays, even in a rehearsal."""
    return transaction(None if in_rehearsal() else _transaction.get())


class Variable(Operators):
    """A named, mutable array: what layers, optimizers, metrics and generators keep between steps.

    Args:
        initializer: the value, or a function (shape, dtype) -> value, or an initialiser's name.
        shape: needed where `initializer` is a function.
        dtype: of the value; by default its own, or `floatx`.
        trainable: whether gradient tapes watch it by themselves and optimizers may change it.
        name: shown in errors and tables.
        constraint: what optimizers apply to the value after each update.
        regularizer: a function of the value, which training adds to the loss.

    >>> v = Variable([1.0, 2.0], name="v")
    >>> _ = v.assign(v * 10)
    >>> v.numpy()
    array([10., 20.], dtype=float32)
    """

    symbolic = False

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        name: str | None = None,
        *,
        constraint: Callable[[Tensor], Tensor] | None = None,
        regularizer: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        if in_step():
            raise RuntimeError(
                f"variable {name or '(without a name)'!r}: variables cannot be created inside a training step; "
                "create them in __init__ or build(), or call the model once before fit"
            )
        self.name = name or auto_name("variable")
        self.path = scoped(self.name)
        self.trainable = trainable
        self.constraint, self.regularizer = constraint, regularizer
        self.grad: Tensor | None = None
        self.overwrite_with_gradient = False
        self.layout_path: str | None = None  # of the variable whose devices it shares, where it is another's slot
        self.autocast = True
        if isinstance(initializer, str):
            initializer = catalog.find("initializers", "get")(initializer)
        self._backend = config.backend()
        if callable(initializer):
            if shape is None or any(n is None for n in shape):
                raise ValueError(
                    f"variable {self.name!r}: shape: got {shape}, expected the sizes an initializer is called with"
                )
            dtype = standardize_dtype(dtype)
            initialize = partial(initializer, tuple(shape), dtype=dtype)
        if callable(initializer) and (waiting := _deferred.get()) is not None:
            zero = backend().numpy(raw(as_tensor(0, dtype)))
            self._value = np.broadcast_to(zero, tuple(shape or ()))  # takes no memory
            waiting.append((self, self._value, initialize))
            check_count("variables", 1)
        else:
            value = initialize() if callable(initializer) else initializer
            tensor = as_tensor(value, standardize_dtype(dtype) if dtype is not None else None)
            if shape is not None and tensor.shape != tuple(shape):
                raise ValueError(
                    f"variable {self.name!r}: the initial value has shape {tensor.shape}, expected {tuple(shape)}"
                )
            self._value = _owned(raw(tensor))
        self.shape = tuple(self._value.shape)
        self.dtype = self._value.dtype.name

    # Reading ------------------------------------------------------------------------------------------------------

    def _raw(self) -> Any:
        current = _transaction.get()
        return self._value if current is None else current.values.get(id(self), self._value)

    def _read(self) -> Tensor:
        if self._backend != config.backend():
            raise RuntimeError(
                f"variable {self.path!r} was created under the backend {self._backend!r}, "
                f"but {config.backend()!r} is active; "
                "rebuild the model under the active backend (from get_config and get_weights), or set the other backend"
            )
        tensor, dtype = lifted(self, self._raw()), _autocast.get()
        if dtype is None or dtype == self.dtype or not self.autocast or not is_float(self.dtype):
            return tensor
        return as_tensor(tensor, dtype)

    def _is_plain(self) -> bool:
        return self._read()._is_plain()

    @property
    def value(self) -> Tensor:
        """The value as a Tensor, on the tapes that watch this variable."""
        return self._read()

    def numpy(self) -> np.ndarray:
        """A copy of the value as a NumPy array."""
        return np.array(load(self._backend).numpy(self._raw()))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """How much memory the value takes."""
        return self.size * self._value.dtype.itemsize

    # Writing ------------------------------------------------------------------------------------------------------

    def assign(self, value: Any) -> Variable:
        """Replace the value by one of the same shape; gradients do not flow through."""
        new = raw(as_tensor(value))
        if tuple(new.shape) != self.shape:
            raise ValueError(f"variable {self.path!r}: assign: got shape {tuple(new.shape)}, expected {self.shape}")
        note_assignment(self, self._raw)
        if type(new) is Spec:
            return self  # a symbolic call looks at shapes and changes nothing
        dtype = dtype_name(new.dtype)
        if converted := dtype != self.dtype:
            if new.dtype.kind not in "biu" and is_float(dtype) != is_float(self.dtype):
                raise ValueError(f"variable {self.path!r}: assign: got dtype {dtype}, expected {self.dtype}")
            new = raw(as_tensor(new, self.dtype))
        current = _transaction.get()
        if current is None:
            self._value = new if converted else _owned(new)
        elif current.rehearsal or id(self) in current.values:
            current.values[id(self)] = new
        else:
            raise RuntimeError(
                f"variable {self.path!r} is assigned in a step of a model that does not hold it; "
                "make it, or the layer or metric that owns it, an attribute of the model"
            )
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the value."""
        return self.assign(stop(self) + value)

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value."""
        return self.assign(stop(self) - value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.numpy()
        return value if dtype is None else value.astype(dtype)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        new = Variable.__new__(Variable)
        memo[id(self)] = new
        new.__dict__.update(self.__dict__)
        new.grad = None
        new._value = load(self._backend).array(self.numpy())
        return new

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_value": self.numpy(), "grad": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._value = load(self._backend).array(state["_value"])

    def __repr__(self) -> str:
        if load(self._backend).traced(self._raw()):
            return f"<Variable {self.path}, shape={self.shape}, dtype={self.dtype}, traced>"
        value = np.array2string(self.numpy(), threshold=8)
        return f"<Variable {self.path}, shape={self.shape}, dtype={self.dtype}, value={value}>"


def stop(variable: Variable) -> Tensor:
    """The variable's value, recorded on no tape."""
    return Tensor(variable._raw())


def _owned(value: Any) -> Any:
    """An array that nobody else can change: a copy, unless the backend's arrays are immutable."""
    return np.array(value) if isinstance(value, np.ndarray | np.generic) else value


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C is put off to the end of the `with` block (in the main thread, the only one that it reaches)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[Any] = []
    previous = signal.signal(signal.SIGINT, lambda *event: pending.append(event))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if pending and callable(previous):
            previous(*pending[0])


class StepFunction:
    """`step(*batch)` as a pure function of (state, batch), compiled by the backend and run on the variables' values.

    All that the step assigns becomes visible at once, when it has returned; if it raises or is interrupted, nothing
    does. Takes nested structures of arrays and None, returns what the step returns, with arrays as Tensors. While
    somebody watches (`layerwise.observe`), it runs in Python.
    With `donate` new values may take the memory of the old: for steps that change most of them, in one thread.
    """

    def __init__(
        self, step: Callable[..., Any], variables: Sequence[Variable], compiled: bool = True, donate: bool = False
    ) -> None:
        def pure(values: list[Any], *batch: Any) -> tuple[list[Any], Any]:
            with transaction(Transaction(variables, values)) as state:
                outputs = step(*tree.map_given(Tensor, batch))
            return state.result(), tree.map_given(lambda t: raw(as_tensor(t)), outputs)

        self.variables, self._machine, self._pure = variables, backend(), pure
        paths = [v.layout_path or v.path for v in variables]
        self._run = self._machine.compile_step(pure, paths, donate) if compiled else pure
        # Between a call and its commit, variables whose memory was given away have no values.
        self._fragile = compiled and donate and self._machine.donates

    def __call__(self, *batch: Any) -> Any:
        if self._fragile:
            with uninterrupted():
                return self._call(batch)
        return self._call(batch)

    def _call(self, batch: Any) -> Any:
        arrays = tree.map_structure(self._array, batch)
        before = [v._value for v in self.variables]
        run = self._pure if observe.watchers else self._run
        return self._committed(before, *run(before, *arrays))

    def for_each(self, rows: np.ndarray, *data: Any) -> Any:
        """Call the step on these rows of the data's arrays, for each line of `rows`; returns what the last returned.

        data: structures of NumPy arrays and None. rows: whole numbers of shape (steps, batch). Where the backend
        replays steps, it goes from one to the next by itself; it is interrupted between two of them.
        """
        if hasattr(self._run, "for_each") and not observe.watchers:
            with uninterrupted() if self._fragile else contextlib.nullcontext():
                before = [v._value for v in self.variables]
                result = self._run.for_each(before, rows, *data)
                if result is not None:
                    return self._committed(before, *result)
                del before
        for line in rows:
            outputs = self(*tree.map_given(lambda a: self._machine.batch(a, line), data))  # noqa: B023
        return outputs

    def _array(self, a: Any) -> Any:
        return a if a is None or self._machine.owns(a) or is_text(a) else raw(as_tensor(a))

    def _committed(self, before: list[Any], values: list[Any], outputs: Any) -> Any:
        if values is not before:
            _commit(self.variables, values)
        return tree.map_given(Tensor, outputs)


def _commit(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """All at once: Python runs no signal handler and no other thread while this loop in C goes on."""
    deque(map(setattr, variables, repeat("_value"), values), maxlen=0)

"""Calling a layer: its arguments as Tensors, what the outer call hands on, masks, losses, the nodes of graphs."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from .. import catalog, observe, ops, tree
from ..autograd import Call, Spec, Tensor, as_given, as_tensor, cast, check_count, merge_specs, with_unknown_sizes
from ..config import DTypePolicy
from ..context import setting
from ..dtypes import is_float
from ..naming import scoped
from ..variables import Variable, autocast, for_good, in_rehearsal, losses_in_scope, rehearsal
from .tracking import Tracked, replaceable

CALL = 4000  # bytes that a layer and a call of it take, about


@dataclass
class CallContext:
    """What the call of an outer layer hands to those inside it."""

    training: bool | None = None
    layer: Called | None = None  # the one being called
    path: str = ""  # the names of the layers being called, from the outermost
    is_built: bool = False  # whether the layer is, so that its `call` runs


_context: ContextVar[CallContext | None] = ContextVar("call_context", default=None)


def is_calling() -> bool:
    """Whether a layer is being called."""
    return _context.get() is not None


@contextlib.contextmanager
def building_graph() -> Iterator[None]:
    """Calls on symbolic Tensors inside the `with` block are noted for a graph that stays.

    So it is in user code, but not while another layer is called, nor in a rehearsal.
    """
    with setting(_context, None), for_good():
        yield


@dataclass(frozen=True)
class CallParameters:
    """What the `call` of a class takes."""

    names: tuple[str, ...]
    training: bool
    anything: bool  # **kwargs
    masks: dict[str, tuple[str, ...]]  # for each argument, the parameters that its mask goes to

    @staticmethod
    def of(call: Callable[..., Any]) -> CallParameters:
        """Argument `x` has its mask in `x_mask`, where there is such a parameter, the first one also in `mask`."""
        parameters = list(inspect.signature(call).parameters.values())[1:]
        names = tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
        masks = {
            name: tuple(m for m in (*(["mask"] if i == 0 else []), f"{name}_mask") if m in names[1:])
            for i, name in enumerate(names)
        }
        return CallParameters(
            names,
            "training" in names,
            any(p.kind is p.VAR_KEYWORD for p in parameters),
            {name: own for name, own in masks.items() if own},
        )

    def is_mask(self, name: str) -> bool:
        """Whether the parameter of this name takes a mask."""
        return name == "mask" or any(name in own for own in self.masks.values())


class _Arguments:
    """One walk over the arguments of a call: arrays become Tensors, of this dtype where they are floating-point."""

    __slots__ = ("args", "dtype", "kwargs", "masked", "symbolic")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], dtype: str | None) -> None:
        self.dtype = dtype
        self.symbolic = self.masked = False  # whether one of the Tensors is symbolic, or has a mask
        self.args = tree.map_structure(self.converted, args)
        self.kwargs = tree.map_structure(self.converted, kwargs) if kwargs else kwargs

    def converted(self, x: Any) -> Any:
        """A leaf as the layer's `call` gets it."""
        if type(x) is not Tensor:
            if not isinstance(x, np.ndarray) and not (hasattr(x, "__array__") and hasattr(x, "dtype")):
                return x
            x = as_tensor(x) if isinstance(x, Variable) else as_given(np.asarray(x))
        mask = x.notes.get("mask") if x.notes else None
        self.masked = self.masked or mask is not None
        self.symbolic = self.symbolic or x.symbolic
        if self.dtype is not None and x.dtype != self.dtype and is_float(x.dtype):
            x = cast(x, dtype=self.dtype)
            return x if mask is None else x.note("mask", mask)
        return x


class Called(Tracked):
    """y = call(x), with what a call needs around it."""

    name: str
    input_spec: Any = None
    supports_masking: bool = False
    autocast: bool
    dtype_policy: DTypePolicy
    activity_regularizer: Any
    call: Callable[..., Any]
    _ensure_built: Callable[[tuple[Any, ...], dict[str, Any]], None]
    _symbolic_output: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
    _losses: list[Tensor]
    _calls: list[Call]
    _untracked = Tracked._untracked | {"_calls", "_losses"}

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls, *args, **kwargs)
        self.__dict__.update(_losses=[], _calls=[])
        return self

    @property
    def compute_dtype(self) -> str:
        """The dtype that floating-point inputs are brought to."""
        return self.dtype_policy.of(self.name).compute_dtype

    @replaceable
    def calls(self) -> list[Call]:
        """The layer's calls on symbolic Tensors, which functional models are made of."""
        return calls_of(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.applied(self.call, *args, **kwargs)

    def applied(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`self(*args)` with `call` in place of the layer's own, which it stands for, maybe with more behind it."""
        self._require_init()
        if not args and (names := self._call_parameters().names) and names[0] in kwargs:
            args = (kwargs.pop(names[0]),)
        given = _Arguments(args, kwargs, self.compute_dtype if self.autocast else None)
        args, kwargs, symbolic = given.args, given.kwargs, given.symbolic
        first = args[0] if args else None
        if isinstance(first, list) and first and all(isinstance(x, int | float) for x in tree.flatten(first)):
            args = (as_tensor(np.asarray(first), self.compute_dtype), *args[1:])
        self._check_inputs(args)
        outer = _context.get()
        context = CallContext(self._hand_on_training(kwargs, outer), self, self._call_path())
        mask = self._hand_on_masks(args, kwargs) if given.masked else None
        if kwargs.get("mask") is not None:
            mask = kwargs["mask"]
        if outer is None:
            self._clear_losses()
        outputs = self._call_in(context, call, args, kwargs, symbolic)
        if self.supports_masking and (mask is not None or type(self).compute_mask is not Called.compute_mask):
            outputs = self._masked(outputs, args, mask)
        if symbolic and outer is None and not in_rehearsal():
            self._note_call(args, kwargs, outputs)
        return outputs

    def _track(self, variable: Variable) -> None:
        context = _context.get()
        if context is not None and context.layer is self and context.is_built and not self._tracks(variable):
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): call makes a variable, {variable.name!r}, and "
                "would make another one each time; make it in __init__ or build"
            )
        super()._track(variable)

    def _call_parameters(self) -> CallParameters:
        cls = type(self)
        if "_call_signature" not in cls.__dict__:
            cls._call_signature = CallParameters.of(cls.call)  # type: ignore[attr-defined]
        return cls._call_signature  # type: ignore[attr-defined]

    def _check_inputs(self, args: tuple[Any, ...]) -> None:
        if self.input_spec is None or not args:
            return
        specs = self.input_spec if isinstance(self.input_spec, list | tuple) else [self.input_spec]
        tensors = tree.flatten(args[0])
        if len(specs) != len(tensors):
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): got {len(tensors)} inputs, expected {len(specs)}"
            )
        for spec, tensor in zip(specs, tensors, strict=True):
            if spec is None or not hasattr(tensor, "shape"):
                continue
            complaint = spec.complaint(tuple(tensor.shape))
            if complaint:
                raise ValueError(
                    f"layer {self.name!r} ({type(self).__name__}): input of shape {tuple(tensor.shape)}; {complaint}"
                )

    def _hand_on_training(self, kwargs: dict[str, Any], outer: CallContext | None) -> bool | None:
        """The mode of this call, its own or the outer call's; in `kwargs` exactly where `call` takes it."""
        training = kwargs.get("training")
        if training is None and outer is not None:
            training = outer.training
        parameters = self._call_parameters()
        if parameters.training and training is not None:
            kwargs["training"] = training
        elif "training" in kwargs and not parameters.training and not parameters.anything:
            del kwargs["training"]
        return training

    def _hand_on_masks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The mask of the first argument; in `kwargs` the mask of each argument where `call` takes it and has none."""
        parameters = self._call_parameters()
        positional = dict(zip(parameters.names, args, strict=False))
        arguments = positional | kwargs
        for name, takers in parameters.masks.items():
            mask = _mask(arguments.get(name))
            if mask is not None:
                kwargs.update({taker: mask for taker in takers if arguments.get(taker) is None})
        return _mask(args[0] if args else arguments.get(parameters.names[0]))

    def _call_path(self) -> str:
        """The names of the layers that are being called around this one, and its own."""
        context = _context.get()
        if context is None or not context.path:
            return scoped(self.name)
        return context.path if context.layer is self else f"{context.path}/{self.name}"

    def _call_in(
        self, context: CallContext, call: Callable[..., Any], args: Any, kwargs: dict[str, Any], symbolic: bool
    ) -> Any:
        """Build if need be, and call; errors say in which layer."""
        token = _context.set(context)
        try:
            self._ensure_built(args, kwargs)
            context.is_built = True
            if symbolic:
                check_count("calls of layers", 1, CALL)
                if call == self.call and type(self).symbolic_call is not Called.symbolic_call:
                    return self.symbolic_call(*args, **kwargs)
                return self._symbolic_output(call, args, kwargs)
            return (self._watched_call if observe.watchers else self._concrete_call)(call, args, kwargs)
        except Exception as error:
            if not getattr(error, "_layer_named", False):
                error._layer_named = True  # type: ignore[attr-defined]
                error.add_note(f"in layer {self.name!r} ({type(self).__name__}), called on {_describe(args)}")
            raise
        finally:
            _context.reset(token)

    def _concrete_call(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with autocast(self.compute_dtype if self.autocast else None):
            outputs = call(*args, **kwargs)
        if self.activity_regularizer is not None:
            for output in tree.flatten(outputs):
                self.add_loss(self.activity_regularizer(output) / max(output.shape[0], 1))
        return outputs

    def _watched_call(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`_concrete_call`, of which those are told who watch."""
        with observe.entering(observe.Place(self, "call", self._call_path())):
            observe.tell("entered", self)
            outputs = self._concrete_call(call, args, kwargs)
            observe.tell("left", self, outputs)
        return outputs

    def _symbolic_call(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The Specs of the outputs, as fresh symbolic Tensors; nothing that the call assigns or adds stays."""
        leaves = tree.flatten((args, kwargs))
        places = [i for i, leaf in enumerate(leaves) if type(leaf) is Tensor and leaf.symbolic]

        def run(specs: list[Spec]) -> Any:
            filled = list(leaves)
            for i, spec in zip(places, specs, strict=True):
                filled[i] = Tensor(spec)
                filled[i].notes = {k: v for k, v in (leaves[i].notes or {}).items() if k == "mask"} or None
            a, k = tree.pack_sequence_as((args, kwargs), filled)
            outputs = self._concrete_call(call, a, k)
            return tree.map_structure(lambda t: Spec(t.shape, t.dtype) if hasattr(t, "shape") else t, outputs)

        with rehearsal():
            given = [leaves[i].value for i in places]
            specs = with_unknown_sizes(run, given)
            if catalog.home(type(self)) is None and any(None in spec.shape for spec in given):
                specs = _with_few(run, given, specs)
        return tree.map_structure(lambda s: Tensor(s) if isinstance(s, Spec) else s, specs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer returns when it is called on symbolic Tensors; a subclass may override it."""
        context = _context.get()
        if context is None or context.layer is not self:
            return self(*args, **kwargs)
        return self._symbolic_output(self.call, args, kwargs)

    def _spec_by_calling(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic output for symbolic inputs, without a place in any graph."""
        with setting(_context, CallContext()):
            self._ensure_built(args, kwargs)
            return self._symbolic_call(self.call, args, kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output: the input's, for layers that support masking."""
        return previous_mask

    def _masked(self, outputs: Any, args: tuple[Any, ...], masks: Any) -> Any:
        """The outputs with the masks that this layer gives them noted."""
        first: Any = args[0] if args else None
        masks = self.compute_mask(first, tree.map_structure(lambda _: None, first) if masks is None else masks)

        def noted(output: Any, mask: Any) -> Any:
            if mask is None or type(output) is not Tensor:
                return output
            if output is first:  # whose own mask stays
                output = Tensor(output.value, output.tape, output.node)
            return output.note("mask", mask)

        if type(outputs) is Tensor:
            return noted(outputs, masks)
        pairs = itertools.zip_longest(leaves := tree.flatten(outputs), tree.flatten(masks)[: len(leaves)])
        return tree.pack_sequence_as(outputs, [noted(*pair) for pair in pairs])

    def _note_call(self, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        """Make this call a node of the graph that its symbolic outputs lead to."""
        if outputs is None:
            raise TypeError(f"layer {self.name!r} ({type(self).__name__}): call returned None; end it with `return`")
        self._clear_losses()
        call = Call(self, args, {k: v for k, v in kwargs.items() if k != "training" or v is not None}, outputs)
        self._calls.append(call)
        for output in tree.flatten(outputs):
            if type(output) is Tensor:
                output.note("history", call)

    def add_loss(self, loss: Any) -> None:
        """Add a number, or several, to what training minimises; call it from `call`.

        Args:
            loss: a Tensor (its sum counts), a function that returns one, or a list of those.
        """
        for term in loss if isinstance(loss, list | tuple) else [loss]:
            if callable(term) and type(term) is not Tensor:
                term = term()
            term = as_tensor(term)
            self._losses.append(term if term.shape == () else ops.sum(term))
            if (collected := losses_in_scope()) is not None:
                collected.append(self._losses[-1])

    @property
    def losses(self) -> list[Tensor]:
        """What was added by the last call, and the regularisation of weights."""
        added = [loss for layer in self._flatten_layers() for loss in layer._losses]
        penalties = [v.regularizer(v.value) for v in self.trainable_weights if v.regularizer is not None]
        return added + penalties

    def _clear_losses(self) -> None:
        if self._losses:
            self._losses.clear()
        if self._is_leaf():
            return
        for layer in self._sublayers():
            layer._clear_losses()


def _with_few(run: Callable[[list[Spec]], Any], given: Sequence[Spec], specs: Any) -> Any:
    """`specs`, and unknown too what is another size where unknown ones are 1: x[:5] has fewer rows than 5 of such."""
    try:
        return merge_specs(specs, run([Spec(tuple(n or 1 for n in s.shape), s.dtype) for s in given]))
    except Exception:  # it takes no such sizes
        return specs


def calls_of(layer: Called) -> list[Call]:
    """The layer's calls on symbolic Tensors, also where a user's attribute has the name `calls`."""
    return layer._calls


def _mask(value: Any) -> Any:
    """The mask of a Tensor, or the masks of a structure of them; None where there is none."""
    masks = tree.map_structure(lambda t: t.notes.get("mask") if type(t) is Tensor and t.notes else None, value)
    return masks if any(m is not None for m in tree.flatten(masks)) else None


def _describe(args: tuple[Any, ...]) -> str:
    return ", ".join(f"{t.dtype} {t.shape}" for t in tree.flatten(args) if type(t) is Tensor) or "no Tensor"

"""`Layer`: owns variables, knows how to build them from an input's shape, and is called on Tensors."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import config, constraints, initializers, observe, ops, regularizers, tree
from ..autograd import Call, Spec, Tensor, as_tensor, cast, with_unknown_sizes
from ..config import DTypePolicy
from ..dtypes import is_float
from ..random import SeedGenerator
from ..serialization import Configurable, deserialize, serialize, suggest
from ..variables import Variable, auto_name, autocast, for_good, in_rehearsal, in_step, rehearsal, snake_case


@dataclass
class CallContext:
    """What the call of an outer layer hands to those inside it."""

    training: bool | None = None
    layer: Layer | None = None  # the one being called
    path: str = ""  # the names of the layers being called, from the outermost


_context: ContextVar[CallContext | None] = ContextVar("call_context", default=None)


class Layer(Configurable):
    """y = call(x), with variables made by `build(input_shape)` when the first input arrives.

    Subclasses override `__init__` (options and sub-layers), `build` (variables, with `add_weight`) and `call` (what to
    compute, with `layerwise.ops`). Layers, variables, metrics and seed generators that are attributes, also inside
    lists and dicts, belong to the layer.

    Args:
        activity_regularizer: a function of the output, whose value joins `losses`.
        trainable: whether training changes the layer's variables.
        dtype: a dtype or `DTypePolicy`; by default `config.dtype_policy()`.
        autocast: whether floating-point inputs are brought to the policy's compute dtype.
        name: by default the class name in snake case, numbered.

    >>> from layerwise import layers, ops
    >>> class Scale(layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()(ops.array([[1.0, 2.0]]))
    Tensor([[1., 2.]], shape=(1, 2), dtype=float32)
    """

    name: str
    built: bool
    input_spec: Any
    supports_masking: bool
    _trainable_own: list[Variable]
    _fixed_own: list[Variable]
    _losses: list[Tensor]
    _calls: list[Call]
    _build_shapes: dict[str, Any] | None
    _changes = 0  # how often an attribute was set or deleted
    _holders: list[str]  # the names of attributes that hold, or held, what may belong to the layer, in their order
    _untracked = frozenset(  # attributes that hold nothing of the layer's own
        {
            "_batch_input_shape", "_build_shapes", "_calls", "_fixed_own", "_holders", "_init_arguments", "_losses",
            "_trainable_own",
        }
    )  # fmt: skip

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _remembering(cls.build)  # type: ignore[method-assign]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls, *args, **kwargs)
        # Here rather than in __init__, so that attributes may be set before super().__init__().
        self.__dict__.update(
            _trainable_own=[], _fixed_own=[], _losses=[], _calls=[], _trainable=True, built=False, input_spec=None,
            supports_masking=False, _build_shapes=None, _holders=[],
        )  # fmt: skip
        return self

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        batch_shape = kwargs.pop("batch_shape", kwargs.pop("batch_input_shape", None))
        if shape is not None:
            batch_shape = (kwargs.pop("batch_size", None), *shape)
        if kwargs:
            unknown = next(iter(kwargs))
            known = [p for cls in type(self).__mro__ for p in inspect.signature(cls.__init__).parameters]  # type: ignore[misc]
            known = sorted(set(known) - {"self", "args", "kwargs"} | {"input_shape"})
            raise TypeError(f"{type(self).__name__}: unknown argument {unknown!r}; {suggest(unknown, known)}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: name: got {name!r}, expected a string")
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.dtype_policy = _policy(dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = trainable
        self._batch_input_shape = None if batch_shape is None else tuple(batch_shape)

    # What belongs to the layer ------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if _role(type(value)) is not None:  # type: ignore[arg-type]
            for leaf in _leaves(value):
                if isinstance(leaf, Variable):
                    self._track(leaf)
            if name not in self._untracked and name not in self._holders and _may_hold(value):
                held = {*self._holders, name}
                self.__dict__["_holders"] = [known for known in self.__dict__ if known in held]
        self.__dict__["_changes"] = self._changes + 1

    def __delattr__(self, name: str) -> None:
        for leaf in _leaves(getattr(self, name)):
            for own in (self._trainable_own, self._fixed_own):
                own[:] = [v for v in own if v is not leaf]
        object.__delattr__(self, name)
        self.__dict__["_holders"] = [known for known in self._holders if known != name]
        self.__dict__["_changes"] = self._changes + 1

    def _track(self, variable: Variable) -> None:
        if not any(v is variable for v in (*self._trainable_own, *self._fixed_own)):
            (self._trainable_own if variable.trainable else self._fixed_own).append(variable)
            if not self._trainable:
                variable.trainable = False

    def _held(self, role: str) -> list[Any]:
        """The objects of this role among the attributes, in their order, also inside lists and dicts."""
        found: dict[int, Any] = {}
        _collect(map(self.__dict__.get, self._holders), role, found)
        return list(found.values())

    def _is_leaf(self) -> bool:
        """Whether nothing among the attributes, but variables, belongs to the layer."""
        return not self._holders

    def _sublayers(self) -> list[Layer]:
        return [layer for layer in self._held("layer") if layer is not self]

    def _flatten_layers(self) -> list[Layer]:
        """This layer and all inside it, each once."""
        found: list[Layer] = []
        seen: set[int] = set()

        def visit(layer: Layer) -> None:
            if id(layer) not in seen:
                seen.add(id(layer))
                found.append(layer)
                for inner in layer._sublayers():
                    visit(inner)

        visit(self)
        return found

    @property
    def path(self) -> str:
        return self.name

    @property
    def weights(self) -> list[Variable]:
        """All variables of the layer and those inside it, without the state of metrics and seed generators."""
        return _unique(
            [*self._trainable_own, *self._fixed_own, *(v for layer in self._sublayers() for v in layer.weights)]
        )

    def _own_variables(self) -> list[Variable]:
        """The variables among the attributes, and the state of seed generators there."""
        if self._is_leaf():
            return [*self._trainable_own, *self._fixed_own]
        return [*self._trainable_own, *self._fixed_own, *(generator.state for generator in self._held("generator"))]

    @property
    def variables(self) -> list[Variable]:
        """`weights` and the state of metrics and seed generators."""
        found = self._own_variables()
        if self._is_leaf():
            return found
        for owner in (*self._sublayers(), *self._held("metric")):
            found += owner.variables
        return _unique(found)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training changes."""
        if not self.trainable:
            return []
        if self._is_leaf():
            return [*self._trainable_own]
        inner = (v for layer in self._sublayers() for v in layer.trainable_weights)
        return _unique([*self._trainable_own, *inner])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that are attributes of this layer and of those inside it."""
        if self._is_leaf():
            return []
        return _unique([*self._held("metric"), *(m for layer in self._sublayers() for m in layer.metrics)])

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._trainable_own:
            variable.trainable = self._trainable
        for layer in self._sublayers():
            layer.trainable = value

    @property
    def dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise ValueError(
                f"layer {self.name!r} has no weights yet: build it, or call it on data, before count_params"
            )
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights' values."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights' values, in the order of `weights`."""
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f"layer {self.name!r}: set_weights: got {len(weights)} arrays, expected {len(variables)}"
                + ("" if self.built else " (it is not built yet: call it on data first)")
            )
        self._assign_all("set_weights", variables, weights)

    def _assign_all(self, what: str, variables: Sequence[Variable], values: Iterable[Any]) -> None:
        """Replace the values of variables by arrays of the same shapes, or of none if one of them does not fit."""
        arrays = [np.asarray(value) for value in values]
        for variable, array in zip(variables, arrays, strict=True):
            if array.shape != variable.shape:
                raise ValueError(
                    f"layer {self.name!r}: {what}: {variable.path}: got shape {array.shape}, expected {variable.shape}"
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the layer's own variables to a mapping, as "0", "1", ...: the trainable ones, then the others.

        Override it, and `load_own_variables`, for a layer that is to lie in files in another way.
        """
        for i, variable in enumerate([*self._trainable_own, *self._fixed_own]):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote.

        Raises ValueError where it does not fit the layer, which is then as it was.
        """
        variables = [*self._trainable_own, *self._fixed_own]
        if len(store) != len(variables):
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): got {len(store)} saved variables, expected "
                f"{len(variables)}: {[v.name for v in variables]}"
                + ("" if self.built else " (it is not built yet: call the model on data first)")
            )
        self._assign_all("saved variables", variables, [store[str(i)] for i in range(len(variables))])

    # Building -----------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        shape: Sequence[int | None] | int | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new variable of this layer, by default Glorot-uniform (zeros where its dtype is not floating-point)."""
        dtype = dtype or self.variable_dtype
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        sizes = tuple(n for n in shape if n is not None)
        if len(sizes) < len(shape):
            raise ValueError(
                f"layer {self.name!r}: add_weight {name!r}: shape {shape} has an unknown size; "
                "give the model an input shape with that size"
            )
        if initializer is None:
            initializer = "glorot_uniform" if is_float(str(dtype)) else "zeros"
        variable = Variable(
            initializers.get(initializer),
            sizes,
            dtype,
            trainable=trainable,
            name=name,
            constraint=constraints.get(constraint),
            regularizer=regularizers.get(regularizer),
        )
        variable.path = f"{self._call_path()}/{variable.name}"
        variable.autocast, variable.overwrite_with_gradient = autocast, overwrite_with_gradient
        self._track(variable)
        return variable

    def _own_weight(self, name: str, shape: Sequence[int | None]) -> Variable:
        """A new variable as the attributes `<name>_initializer`, `<name>_regularizer` and `<name>_constraint` say."""
        initializer, regularizer, constraint = (
            getattr(self, f"{name}_{option}") for option in ("initializer", "regularizer", "constraint")
        )
        return self.add_weight(shape, initializer, regularizer=regularizer, constraint=constraint, name=name)

    def build(self, input_shape: Any) -> None:
        """Make the variables for inputs of this shape (None for sizes that may vary, such as the batch's)."""

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        if in_step():
            raise RuntimeError(
                f"layer {self.name!r} is built inside a training step; create layers in __init__, not in call, "
                "and call the model on data before fit"
            )
        shapes = [_shapes(a) for a in args if _has_tensor(a)]
        shapes += [_shapes(a) for a in kwargs.values() if _has_tensor(a)]
        names = [p.name for p in inspect.signature(self.build).parameters.values() if p.default is p.empty]
        names = [n for n in names if n not in ("args", "kwargs")]
        self._build_with(shapes[: max(len(names), 1)], names)

    def _build_with(self, shapes: list[Any], names: list[str]) -> None:
        if len(shapes) < len(names):
            raise TypeError(
                f"layer {self.name!r} ({type(self).__name__}): called on {len(shapes)} arrays or Tensors, "
                f"expected one for each of build's arguments: {', '.join(names)}"
            )
        self.build(*shapes) if shapes or not names else None
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that `build` was called with, for files; None where there is nothing to build."""
        overridden = type(self).build is not Layer.build
        return serialize(self._build_shapes) if self.built and overridden else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the shapes in what `get_build_config` returned."""
        if self.built or not config:
            return
        if "shapes_dict" in config:
            self._build_with([_as_shape(s) for s in config["shapes_dict"].values()], list(config["shapes_dict"]))
        elif config.get("input_shape") is not None:
            self._build_with([_as_shape(config["input_shape"])], ["input_shape"])

    # Calling ------------------------------------------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes."""
        raise NotImplementedError(
            f"layer {self.name!r} ({type(self).__name__}) has no call method; define call(self, x)"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.applied(self.call, *args, **kwargs)

    def applied(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`self(*args)` with `call` in place of the layer's own, which it stands for, maybe with more behind it."""
        self._require_init()
        args, kwargs = self._with_tensors(args, kwargs)
        self._check_inputs(args)
        outer = _context.get()
        context = CallContext(self._hand_on_training(kwargs, outer), self, self._call_path())
        masks = self._masks(args)
        if masks is not None and kwargs.get("mask") is None and "mask" in self._call_parameters():
            kwargs["mask"] = masks
        symbolic = any(type(leaf) is Tensor and leaf.symbolic for leaf in tree.flatten((args, kwargs)))
        if outer is None:
            self._clear_losses()
        outputs = self._call_in(context, call, args, kwargs, symbolic)
        if masks is not None and self.supports_masking:
            outputs = self._masked(outputs, args, masks)
        if symbolic and outer is None and not in_rehearsal():
            self._note_call(args, kwargs, outputs)
        return outputs

    def _with_tensors(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with arrays, and a list of numbers that comes first, as Tensors."""
        args, kwargs = tree.map_structure(self._converted, args), tree.map_structure(self._converted, kwargs)
        first = args[0] if args else None
        if isinstance(first, list) and first and all(isinstance(x, int | float) for x in tree.flatten(first)):
            args = (as_tensor(np.asarray(first), self.compute_dtype), *args[1:])
        return args, kwargs

    def _hand_on_training(self, kwargs: dict[str, Any], outer: CallContext | None) -> bool | None:
        """The mode of this call, its own or the outer call's; in `kwargs` exactly where `call` takes it."""
        training = kwargs.get("training")
        if training is None and outer is not None:
            training = outer.training
        parameters = self._call_parameters()
        if "training" in parameters and training is not None:
            kwargs["training"] = training
        elif "training" in kwargs and "training" not in parameters and "kwargs" not in parameters:
            del kwargs["training"]
        return training

    def _call_path(self) -> str:
        """The names of the layers that are being called around this one, and its own."""
        context = _context.get()
        if context is None or not context.path:
            return self.name
        return context.path if context.layer is self else f"{context.path}/{self.name}"

    def _call_in(
        self, context: CallContext, call: Callable[..., Any], args: Any, kwargs: dict[str, Any], symbolic: bool
    ) -> Any:
        """Build if need be, and call; errors say in which layer."""
        token = _context.set(context)
        try:
            self._ensure_built(args, kwargs)
            if symbolic:
                return self._symbolic_call(call, args, kwargs)
            return (self._watched_call if observe.watchers else self._concrete_call)(call, args, kwargs)
        except Exception as error:
            if not getattr(error, "_layer_named", False):
                error._layer_named = True  # type: ignore[attr-defined]
                error.add_note(f"in layer {self.name!r} ({type(self).__name__}), called on {_describe(args)}")
            raise
        finally:
            _context.reset(token)

    def _masked(self, outputs: Any, args: tuple[Any, ...], masks: Any) -> Any:
        """The outputs with the mask that this layer gives them noted."""
        mask = self.compute_mask(args[0] if len(args) == 1 else args, masks)
        if mask is None or type(outputs) is not Tensor:
            return outputs
        outputs = Tensor(outputs.value, outputs.tape, outputs.node) if outputs is args[0] else outputs
        return outputs.note("mask", mask)

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

    def _concrete_call(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with autocast(self.compute_dtype if self.autocast else None):
            outputs = call(*args, **kwargs)
        if self.activity_regularizer is not None:
            for output in tree.flatten(outputs):
                self.add_loss(self.activity_regularizer(output) / output.shape[0])
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
            specs = with_unknown_sizes(run, [leaves[i].value for i in places])
        return tree.map_structure(lambda s: Tensor(s) if isinstance(s, Spec) else s, specs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of this shape."""
        outputs = self.compute_output_spec(_map_shapes(lambda s: Tensor(Spec(s, self.compute_dtype)), input_shape))
        return tree.map_structure(lambda t: t.shape, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic output for symbolic inputs, without a place in any graph."""
        token = _context.set(CallContext())
        try:
            self._ensure_built(args, kwargs)
            return self._symbolic_call(self.call, args, kwargs)
        finally:
            _context.reset(token)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output: the input's, for layers that support masking."""
        return previous_mask

    def _masks(self, args: tuple[Any, ...]) -> Any:
        if not args:
            return None
        masks = [t.notes.get("mask") if type(t) is Tensor and t.notes else None for t in tree.flatten(args[0])]
        if all(m is None for m in masks):
            return None
        return masks[0] if not tree.is_nested(args[0]) else masks

    def _converted(self, x: Any) -> Any:
        """An array as a Tensor, of the compute dtype where it is floating-point."""
        if isinstance(x, np.ndarray) or (type(x) is not Tensor and hasattr(x, "__array__") and hasattr(x, "dtype")):
            x = as_tensor(np.asarray(x) if not isinstance(x, Variable) else x)
        if type(x) is Tensor and self.autocast and is_float(x.dtype) and x.dtype != self.compute_dtype:
            return cast(x, dtype=self.compute_dtype)
        return x

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

    def _call_parameters(self) -> dict[str, Any]:
        cls = type(self)
        if "_call_signature" not in cls.__dict__:
            cls._call_signature = dict(inspect.signature(cls.call).parameters)  # type: ignore[attr-defined]
        return cls._call_signature  # type: ignore[attr-defined]

    if not TYPE_CHECKING:  # type checkers are to find unknown attributes themselves

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that raised: let it say why
                return object.__getattribute__(self, name)
            hint = ""
            if "name" not in self.__dict__:
                hint = "; its __init__ must call super().__init__() first"
            elif not self.built:
                hint = "; it is not built yet: call it on data first"
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")

    def _require_init(self) -> None:
        if "name" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}: its __init__ must call super().__init__()")

    # Losses -------------------------------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a number, or several, to what training minimises; call it from `call`."""
        for term in loss if isinstance(loss, list | tuple) else [loss]:
            if callable(term) and type(term) is not Tensor:
                term = term()
            term = as_tensor(term)
            self._losses.append(term if term.shape == () else ops.sum(term))

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

    # Graph and configuration --------------------------------------------------------------------------------------

    @property
    def input(self) -> Any:
        """The symbolic input of the layer's only call in a functional model."""
        return self._only_call().args[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the layer's only call in a functional model."""
        return self._only_call().outputs

    def _only_call(self) -> Call:
        if len(self._calls) != 1:
            called, remedy = (
                (f"was called {len(self._calls)} times", "keep what each call returned")
                if self._calls
                else ("was not called yet", "call it on layers.Input(...), or put it into a model with one")
            )
            raise AttributeError(
                f"layer {self.name!r} {called} on a symbolic input, so it has no one input and output; {remedy}"
            )
        return self._calls[0]

    def get_config(self) -> dict[str, Any]:
        base = {"name": self.name, "trainable": self.trainable, "dtype": serialize(self.dtype_policy)}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = serialize(self.activity_regularizer)
        arguments = {k: serialize(v) for k, v in self._arguments().items() if k not in base}
        return base | arguments

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from what `get_config` returned; arguments that are not known here must be None."""
        known = cls._argument_names()
        return cls(**{k: deserialize(value) for k, value in config.items() if k in known or value is not None})

    @classmethod
    def _argument_names(cls) -> set[str]:
        """The arguments of `__init__`, its own and those handed on to the classes above."""
        makers = [base.__init__ for base in cls.__mro__]  # type: ignore[misc]
        names = {name for maker in makers for name in inspect.signature(maker).parameters}
        return names - {"self", "args", "kwargs"}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _remembering(build: Callable[..., Any]) -> Callable[..., Any]:
    """`build` that notes the shapes it was called with, and that the layer is built."""

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        given = inspect.signature(build).bind(self, *args, **kwargs).arguments
        shapes = {name: shape for name, shape in list(given.items())[1:] if shape is not None}
        if len(shapes) == 1:
            self._build_shapes = {"input_shape": next(iter(shapes.values()))}
        elif shapes:
            self._build_shapes = {"shapes_dict": shapes}
        self.built = bool(shapes) or not (args or kwargs)

    return wrapped


@functools.cache
def _role(kind: type) -> str | None:
    """What an attribute of this type is to the layer that holds it."""
    if issubclass(kind, Layer):
        return "layer"
    if issubclass(kind, Variable):
        return "variable"
    if issubclass(kind, dict | list | tuple | set):
        return "container"
    if issubclass(kind, SeedGenerator):
        return "generator"
    if hasattr(kind, "apply_gradients"):
        return "optimizer"
    return "metric" if all(hasattr(kind, name) for name in ("update_state", "result", "reset_state")) else None


def _collect(values: Iterable[Any], role: str, found: dict[int, Any]) -> None:
    """Add those values that are of this role, also inside lists and dicts, to `found`."""
    for value in values:
        kind = _role(type(value))  # type: ignore[arg-type]
        if kind == role:
            found[id(value)] = value
        elif kind == "container":
            _collect(value.values() if isinstance(value, dict) else value, role, found)


def calling() -> bool:
    """Whether a layer is being called."""
    return _context.get() is not None


def _may_hold(value: Any) -> bool:
    """Whether an attribute's value is, holds, or may come to hold more than a variable that belongs to a layer."""
    role = _role(type(value))  # type: ignore[arg-type]
    return any(map(_may_hold, value)) if isinstance(value, tuple) else role not in (None, "variable")


def _policy(dtype: Any) -> DTypePolicy:
    if dtype is None:
        return config.dtype_policy()
    if isinstance(dtype, DTypePolicy):
        return dtype
    return (
        deserialize(dtype)
        if isinstance(dtype, dict)
        else DTypePolicy(dtype if isinstance(dtype, str) else np.dtype(dtype).name)
    )


def whole_number(value: Any, what: str) -> int:
    """`value` as an int, if it is a whole number >= 1; `what` names it in the error otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{what}: got {value!r}, expected a whole number >= 1")
    return int(value)


def fraction(value: Any, what: str) -> float:
    """`value`, if it is a number from 0 to 1; `what` names it in the error otherwise."""
    if not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise ValueError(f"{what}: got {value!r}, expected a number from 0 to 1")
    return value  # type: ignore[return-value]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple | set):
        yield value
        return
    for item in list(value):
        yield from _leaves(item)


def _unique(items: Iterable[Any]) -> list[Any]:
    return list({id(item): item for item in items}.values())


def _has_tensor(structure: Any) -> bool:
    return any(type(leaf) is Tensor for leaf in tree.flatten(structure))


def _shapes(structure: Any) -> Any:
    return tree.map_structure(lambda t: t.shape if type(t) is Tensor else None, structure)


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(n is None or isinstance(n, int | np.integer) for n in value)


def _map_shapes(fn: Callable[[tuple[Any, ...]], Any], shapes: Any) -> Any:
    """fn applied to each shape in a nested structure of shapes."""
    if _is_shape(shapes):
        return fn(tuple(shapes))
    if isinstance(shapes, dict):
        return {key: _map_shapes(fn, shape) for key, shape in shapes.items()}
    return type(shapes)(_map_shapes(fn, shape) for shape in shapes)


def _as_shape(value: Any) -> Any:
    return _map_shapes(lambda shape: shape, value) if value is not None else None


def _describe(args: tuple[Any, ...]) -> str:
    return ", ".join(f"{t.dtype} {t.shape}" for t in tree.flatten(args) if type(t) is Tensor) or "no Tensor"


@contextlib.contextmanager
def graph_scope() -> Iterator[None]:
    """Calls on symbolic Tensors inside the `with` block are noted for a graph that stays.

    So it is in user code, but not while another layer is called, nor in a rehearsal.
    """
    token = _context.set(None)
    try:
        with for_good():
            yield
    finally:
        _context.reset(token)

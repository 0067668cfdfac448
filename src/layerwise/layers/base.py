"""`Layer`: owns variables, knows how to build them from an input's shape, and is called on Tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .. import catalog, dtype_policies, regularizers, tree
from ..autograd import Call, Spec, Tensor
from ..config import DTypePolicy
from ..naming import chosen_name, suggest
from ..serialization import deserialize, serialize
from ..stateless import stateless
from ..variables import in_step
from .calling import calls_of
from .signatures import compose, describe
from .tracking import is_trainable, own_weights
from .weights import Weighted


class Layer(Weighted):
    """y = call(x), with variables made by `build(input_shape)` when the first input arrives.

    Subclasses override `__init__` (options and sub-layers), `build` (variables, with `add_weight`, or with `make` where
    the class declares them as `layers.Weight`) and `call` (what to compute, with `layerwise.ops`). Layers, variables,
    metrics and seed generators that are attributes, also inside lists and dicts, belong to the layer.

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

    on_host: bool = False  # whether `call` computes on NumPy arrays, so that no step with it can be compiled
    stage: str | None = None  # what part `call` can be of several layers' computation at once; see `stage_of`
    _left_out: frozenset[str] = frozenset()  # arguments that a configuration leaves out where they are None
    _build_shapes: dict[str, Any] | None = None
    _untracked = Weighted._untracked | {"_batch_input_shape", "_build_shapes", "_init_arguments"}

    def __init_subclass__(cls, after: Mapping[str, str] | None = None, options_of: Any = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        compose(cls, after or {}, options_of)
        if cls.__init__ is not Layer.__init__:
            describe(cls)
        if "build" in cls.__dict__:
            cls.build = _remembering(cls.build)  # type: ignore[method-assign]
            if "built" not in cls.__dict__:
                cls.built = False  # also where the class above has nothing to build

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
        self._take_options(kwargs)
        if kwargs:
            unknown = next(iter(kwargs))
            known = [p for cls in type(self).__mro__ for p in inspect.signature(cls.__init__).parameters]  # type: ignore[misc]
            known = sorted(set(known) - {"self", "args", "kwargs"} | {"input_shape"})
            raise TypeError(f"{type(self).__name__}: unknown argument {unknown!r}; {suggest(unknown, known)}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: name: got {name!r}, expected a string")
        self.name = chosen_name(self, name)
        self.dtype_policy = dtype
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = is_trainable(self, trainable)
        self._batch_input_shape = None if batch_shape is None else tuple(batch_shape)

    @property
    def path(self) -> str:
        """The layer's name."""
        return self.name

    @property
    def dtype_policy(self) -> DTypePolicy:
        """What the layer computes in, and what its weights are stored in."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = dtype_policies.get(value)

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.of(self.name).variable_dtype

    # Building -----------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the variables for inputs of this shape (None for sizes that may vary, such as the batch's)."""
        self.built = True

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        if in_step():
            raise RuntimeError(
                f"layer {self.name!r} is built inside a training step; create layers in __init__, not in call, "
                "and call the model on data before fit"
            )
        shapes, required = self._shapes_for(self.build, args, kwargs)
        self.build(**shapes) if shapes or not required else None
        self.built = True

    def _shapes_for(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        """The shapes of a call's arguments for a function of shapes, and which of its arguments it cannot do without.

        Of several arguments `x_shape` is the shape of `x`, which those of `build` have to be; one alone is the first.
        """
        call = self._call_parameters()
        arguments = dict(zip(call.names, args, strict=False)) | kwargs
        named = {f"{n}_shape": _shapes(a) for n, a in arguments.items() if _has_tensor(a)}
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        parameters = [p for p in inspect.signature(function).parameters.values() if p.kind not in kinds]
        required = [p.name for p in parameters if p.default is p.empty]
        if len(parameters) > 1 and required and all(name in named for name in required):
            return {p.name: named[p.name] for p in parameters if p.name in named}, required
        inputs = [*args, *(a for name, a in kwargs.items() if not call.is_mask(name))]
        shapes = [_shapes(a) for a in inputs if _has_tensor(a)]
        if len(shapes) < len(required):
            raise TypeError(
                f"layer {self.name!r} ({type(self).__name__}): called on {len(shapes)} arrays or Tensors, "
                f"expected one for each of {function.__name__}'s arguments: {', '.join(required)}"
            )
        if len(required) > 1 and function.__name__ == "build":
            other = next(name for name in required if name not in named)
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): build: got an argument {other!r}, expected the shapes "
                f"of what call was given: {', '.join(named)}"
            )
        count = max(len(required), 1)
        by_order = dict(zip([p.name for p in parameters[:count]], shapes, strict=False))
        return by_order | {p.name: named[p.name] for p in parameters[count:] if p.name in named}, required

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that `build` was called with, for files; None where there is nothing to build."""
        overridden = type(self).build is not Layer.build
        return serialize(self._build_shapes) if self.built and overridden else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the shapes in what `get_build_config` returned."""
        if self.built or not config:
            return
        if "shapes_dict" in config:
            self.build(**{name: _as_shape(shape) for name, shape in config["shapes_dict"].items()})
            self.built = True
        elif config.get("input_shape") is not None:
            self.build(_as_shape(config["input_shape"]))
            self.built = True
        elif "input_shape" in config and all(p.default is not p.empty for p in _parameters(self.build)):
            self.build(None)

    # Calling ------------------------------------------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes."""
        raise NotImplementedError(
            f"layer {self.name!r} ({type(self).__name__}) has no call method; define call(self, x)"
        )

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """(outputs, new non-trainable values) of a call with the variables at these values; none is assigned.

        Gradients flow to `trainable_variables`. With `return_losses` the values of `losses` come third.
        """

        def called() -> tuple[Any, list[Tensor]]:
            outputs = self(*args, **kwargs)
            return outputs, self.losses if return_losses else []

        trained = self.trainable_variables
        variables, given = [*trained, *self.non_trainable_variables], [*trainable_variables, *non_trainable_variables]
        (outputs, losses), values = stateless(variables, given, called)
        return (outputs, values[len(trained) :], *([losses] if return_losses else []))

    def _symbolic_output(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The symbolic output: as the class says it, if it does; layers inside that are not built yet `call` builds."""
        cls = type(self)
        says_spec = cls.compute_output_spec is not Layer.compute_output_spec
        says_shape = cls.compute_output_shape is not Layer.compute_output_shape
        if call != self.call or not (says_spec or says_shape):
            return self._symbolic_call(call, args, kwargs)
        if not all(layer.built for layer in self._sublayers()):
            self._symbolic_call(call, args, kwargs)
        if not says_spec:
            return self.compute_output_spec(*args, **kwargs)
        names = inspect.signature(self.compute_output_spec).parameters
        taken = kwargs if "kwargs" in names else {name: a for name, a in kwargs.items() if name in names}
        outputs = self.compute_output_spec(*args, **taken)
        return tree.map_structure(lambda t: Tensor(Spec(tuple(t.shape), t.dtype)), outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic output for symbolic inputs, without a place in any graph."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return self._spec_by_calling(*args, **kwargs)
        shapes = self.compute_output_shape(**self._shapes_for(self.compute_output_shape, args, kwargs)[0])
        return tree.map_shape_structure(self._spec_of, shapes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of this shape."""
        own = type(self).compute_output_spec is not Layer.compute_output_spec
        spec = self.compute_output_spec if own else self._spec_by_calling
        outputs = spec(tree.map_shape_structure(self._spec_of, input_shape))
        return tree.map_structure(lambda t: t.shape, outputs)

    def _spec_of(self, shape: Sequence[int | None]) -> Tensor:
        return Tensor(Spec(tuple(shape), self.compute_dtype))

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
        if len(calls_of(self)) != 1:
            called, remedy = (
                (f"was called {len(calls_of(self))} times", "keep what each call returned")
                if calls_of(self)
                else ("was not called yet", "call it on layers.Input(...), or put it into a model with one")
            )
            raise AttributeError(
                f"layer {self.name!r} {called} on a symbolic input, so it has no one input and output; {remedy}"
            )
        return calls_of(self)[0]

    def get_config(self) -> dict[str, Any]:
        base = {"name": self.name, "trainable": self.trainable, "dtype": serialize(self.dtype_policy)}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = serialize(self.activity_regularizer)
        own = {k: v for k, v in self._arguments().items() if k not in base}
        arguments = {k: serialize(v) for k, v in own.items() if v is not None or k not in self._left_out}
        return base | arguments

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from what `get_config` returned; arguments that are not known here must be None."""
        known = cls._argument_names()
        return cls(**{k: deserialize(value) for k, value in config.items() if k in known or value is not None})

    @classmethod
    @functools.cache
    def _argument_names(cls) -> set[str]:
        """The arguments of `__init__`, its own and those handed on to the classes above."""
        makers = [base.__init__ for base in cls.__mro__]  # type: ignore[misc]
        names = {name for maker in makers for name in inspect.signature(maker).parameters}
        return names - {"self", "args", "kwargs"}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


Operation = Layer  # an operation of one's own is a layer without weights


class Elementwise(Layer):
    """The common part of layers with a number in the output for each in the input: masks stay, nothing is built."""

    supports_masking = True
    built = True


@functools.cache
def stage_of(cls: type[Layer]) -> str | None:
    """The `stage` of the library's own layers, where `call` is that of the class that says it: others may do anything.

    >>> from layerwise import layers
    >>> class Own(layers.Dense): ...
    >>> stage_of(layers.Dense), stage_of(Own)
    ('linear', None)
    """
    says, calls = (next(base for base in cls.__mro__ if name in vars(base)) for name in ("stage", "call"))
    return cls.stage if says is calls and catalog.home(cls, ("layers",)) else None


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
        elif own_weights(self):  # which need no shape of an input
            self._build_shapes = {"input_shape": None}
        self.built = bool(self._build_shapes) or not (args or kwargs)

    return wrapped


def _parameters(function: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    return inspect.signature(function).parameters.values()


def _has_tensor(structure: Any) -> bool:
    return any(type(leaf) is Tensor for leaf in tree.flatten(structure))


def _shapes(structure: Any) -> Any:
    return tree.map_structure(lambda t: t.shape if type(t) is Tensor else None, structure)


def _as_shape(value: Any) -> Any:
    return tree.map_shape_structure(tuple, value) if value is not None else None

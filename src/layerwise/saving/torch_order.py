"""Where PyTorch has the elements of what a model's layers take.

PyTorch's images are (channels, spatial...), those here (spatial..., channels) or, with `channels_first`, as there. So
once they are flattened, features stand in different orders, and with them the rows of a Dense layer's kernel. The
*order* of a Tensor is an array of its shape, without the batch: for each element the place that it has in PyTorch's
Tensor, counted in the order of memory. Where it cannot be told, the order is a text that names what hides it.
"""

import math
from typing import Any

import numpy as np

from .. import layers, ops, tree
from ..autograd import Call, Tensor, as_tensor
from ..layers.base import Layer
from ..layers.calling import building_graph, calls_of
from ..layers.merging import Merge
from ..layers.spatial import Spatial
from ..models.graph import Graph, graph_of
from ..models.model import Model

Order = np.ndarray | str
MOVES = (ops.reshape, ops.ravel, ops.concatenate)
IN_PLACE = (layers.BatchNormalization, layers.LayerNormalization, layers.PReLU)  # those with weights


def orders_of_inputs(model: Model) -> dict[int, Order]:
    """For every layer that the model calls, by its id, the order of the first Tensor that it takes."""
    taken: dict[int, Order] = {}
    if model.weights:
        shapes = (getattr(model, "_build_shapes", None) or {}).get("input_shape")
        args = () if graph_of(model) or shapes is None else (layers.Input(batch_shape=shapes),)
        graph = _graph(model, args)
        _follow(graph, [_of_input(t.shape[1:], model) for t in graph.input_tensors], taken)
    return taken


def _graph(model: Model, args: tuple[Any, ...]) -> Graph:
    """The model's graph; for a subclass the one that its `call` leaves."""
    graph = graph_of(model)
    if graph is not None:
        return graph
    try:
        with building_graph():
            graph = Graph(args, model.call(*args))
    except Exception as error:
        raise ValueError(
            f"model {model.name!r} ({type(model).__name__}): its call cannot be followed to PyTorch; "
            "make the model of layers.Input and calls of layers"
        ) from error
    for call in graph.calls:
        if isinstance(call.operation, Layer):
            calls_of(call.operation).remove(call)
    return graph


def _follow(graph: Graph, given: list[Order], taken: dict[int, Order]) -> list[Order]:
    """The orders of the graph's outputs, where the inputs have the `given` ones; what layers take is noted."""
    known = dict(zip(map(id, graph.input_tensors), given, strict=True))
    for call in graph.calls:
        orders = [known[id(t)] for t in graph.sources(call)]
        outputs, layer = tree.flatten(call.outputs), call.operation
        if isinstance(layer, Model):
            made = _follow(_graph(layer, call.args), orders, taken)
        else:
            first = orders[0]
            if isinstance(layer, Spatial) and not np.array_equal(first, _images(np.shape(first), layer.data_format)):
                first = first if isinstance(first, str) else "what makes images of vectors"
            if not np.array_equal(taken.setdefault(id(layer), first), first):
                taken[id(layer)] = "inputs of several orders"
            made = [_made(call, [first, *orders[1:]], tuple(n or 1 for n in t.shape[1:])) for t in outputs]
        known.update(zip(map(id, outputs), made, strict=True))
    return [known[id(t)] for t in graph.output_tensors]


def _made(call: Call, orders: list[Order], shape: tuple[int, ...]) -> Order:
    """The order of what a call returns, which has this shape."""
    operation = call.operation
    found = [order for order in orders if isinstance(order, np.ndarray)]
    if len(found) < len(orders):
        return next(order for order in orders if isinstance(order, str))
    first = found[0]
    match operation:
        case Spatial():
            return _images(shape, operation.data_format)
        case layers.UpSampling1D() if np.array_equal(first, _images(first.shape)):
            return _images(shape)
        case layers.Dense() if first.ndim == 1:
            return _as_here(shape)
        case layers.Flatten() | layers.Reshape() | layers.Concatenate():
            return _moved(call, found)
        case _ if operation in MOVES:
            return _moved(call, found)
        case _ if isinstance(operation, IN_PLACE):
            return first
        case _ if _same(found):
            return _as_here(shape)
        case _ if not isinstance(operation, layers.Dense) and _keeps_places(call, found):
            return max(found, key=np.size)
        case Merge() if all(np.array_equal(o, _images(o.shape)) for o in (*found, _images(shape)) if o.ndim > 1):
            return _images(shape)
    return _name(operation)


def _name(operation: Any) -> str:
    return repr(operation.name if isinstance(operation, Layer) else operation.__name__)


def _of_input(shape: tuple[int | None, ...], model: Model) -> np.ndarray:
    """Images are what has three dimensions, and sequences, what a layer takes that knows of channels."""
    inside = model._flatten_layers()
    spatial = any(isinstance(layer, Spatial | layers.UpSampling1D) for layer in inside)
    first = any(getattr(layer, "data_format", None) == "channels_first" for layer in inside)
    sizes = tuple(n or 1 for n in shape)
    return _images(sizes) if not first and (spatial or len(sizes) > 2) else _as_here(sizes)


def _as_here(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(math.prod(shape)).reshape(shape)


def _images(shape: tuple[int, ...], data_format: str = "channels_last") -> np.ndarray:
    """The order of images of this shape, and of vectors."""
    if data_format == "channels_first":
        return _as_here(shape)
    return np.moveaxis(_as_here(shape[-1:] + shape[:-1]), 0, -1) if shape else _as_here(shape)


def _same(orders: list[np.ndarray]) -> bool:
    """Whether all elements lie as they do here."""
    return all(np.array_equal(order, _as_here(order.shape)) for order in orders)


def _called(call: Call, arrays: list[np.ndarray]) -> np.ndarray:
    """What the call gives for these examples in place of its Tensors."""
    remaining = iter(arrays)

    def filled(leaf: Any) -> Any:
        symbolic = type(leaf) is Tensor and leaf.symbolic
        return as_tensor(next(remaining)[None]) if symbolic else leaf

    args, kwargs = tree.map_structure(filled, (call.args, call.kwargs))
    operation = call.operation.call if isinstance(call.operation, Layer) else call.operation
    return operation(*args, **kwargs).numpy()[0]


def _moved(call: Call, orders: list[np.ndarray]) -> Order:
    """Elements that are moved take their places with them; several Tensors stand in memory one after the other."""
    starts = np.cumsum([0, *map(np.size, orders)])
    order = _called(call, [o + start for o, start in zip(orders, starts, strict=False)])
    joined = len(orders) == 1 or order.ndim == 1 or _same([order]) or np.array_equal(order, _images(order.shape))
    return order if joined else _name(call.operation)


def _keeps_places(call: Call, orders: list[np.ndarray]) -> bool:
    """Whether the call gives for shuffled elements its results for those that are not, shuffled alike."""
    shapes = {order.shape for order in orders if order.size > 1}
    if len(shapes) != 1 or any(not np.array_equal(orders[0], o) for o in orders if o.size > 1):
        return False
    random = np.random.default_rng(0)
    values = [random.uniform(0.1, 0.9, order.shape).astype("float32") for order in orders]
    turn = random.permutation(max(order.size for order in orders))

    def shuffled(array: np.ndarray) -> np.ndarray:
        return array.ravel()[turn].reshape(array.shape) if array.size > 1 else array

    try:
        plain, mixed = (_called(call, arrays) for arrays in (values, list(map(shuffled, values))))
    except Exception:  # it takes other examples
        return False
    return plain.size == turn.size and np.allclose(shuffled(plain), mixed, rtol=1e-4)

"""The configuration of a functional model, in Keras' form: layers with their calls, which name each other's outputs."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from .. import catalog, ops, tree
from .. import config as settings
from ..autograd import Call, Tensor
from ..layers.base import Layer
from ..layers.calling import calls_of
from ..naming import numbered
from ..serialization import as_node, deserialize, get_registered_object, serialize
from .graph import Graph, graph_of

# The operations that Keras' files know, by Keras' module.
OPERATIONS = {
    "keras.src.ops.numpy": """
        absolute add all allclose angle any append arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
        argpartition argsort array_split average bitwise_and bitwise_not bitwise_or bitwise_xor broadcast_to cbrt ceil
        clip concatenate conjugate copy corrcoef correlate cos cosh count_nonzero cross cumprod cumsum deg2rad diag
        diagflat diagonal diff digitize divide divide_no_nan dot dsplit dstack einsum empty_like equal exp exp2
        expand_dims expm1 fabs flip fliplr flipud floor floor_divide fmax fmin fmod full_like gcd get_item greater
        greater_equal heaviside histogram hsplit hstack hypot i0 imag inner isclose isfinite isin isinf isnan isneginf
        isposinf isreal kron lcm ldexp left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and
        logical_not logical_or logical_xor matmul max maximum mean median meshgrid min minimum mod moveaxis multiply
        nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod
        nanquantile nanstd nansum nanvar negative nextafter not_equal ones_like outer pad percentile power prod ptp
        quantile rad2deg ravel real reciprocal repeat reshape right_shift roll rot90 round searchsorted select sign
        signbit sin sinc sinh slogdet sort split sqrt square squeeze stack std subtract sum swapaxes take
        take_along_axis tan tanh tensordot tile trace transpose trapezoid tril triu trunc unravel_index vander var vdot
        view vsplit vstack where zeros_like
    """,
    "keras.src.ops.nn": """
        adaptive_average_pool adaptive_max_pool average_pool binary_crossentropy categorical_crossentropy celu conv
        conv_transpose ctc_decode ctc_loss depth_to_space depthwise_conv dot_product_attention elu fold gelu glu
        hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid log_softmax max_pool moments multi_hot
        normalize one_hot psnr relu relu6 selu separable_conv sigmoid silu soft_shrink softmax softplus softsign
        space_to_depth sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink
        threshold unfold
    """,
    "keras.src.ops.math": """
        cdist erf erfc erfinv extract_sequences fft fft2 ifft2 in_top_k irfft istft logdet logsumexp rfft rsqrt
        segment_max segment_min segment_prod segment_sum stft top_k
    """,
    "keras.src.ops.linalg": """
        cholesky cholesky_inverse det eigh inv lstsq lu_factor matrix_rank norm pinv qr solve solve_triangular
        svd
    """,
    "keras.src.ops.core": """
        cast convert_to_tensor saturate_cast scatter scatter_update slice slice_update stop_gradient unstack
    """,
    "keras.src.ops.image": """
        affine_transform crop_images extract_patches gaussian_blur hsv_to_rgb map_coordinates pad_images
        perspective_transform resize rgb_to_grayscale rgb_to_hsv scale_and_translate sobel_edges ssim
    """,
    "keras.src.ops.einops": "rearrange",
}
MODULE_OF = {name: module for module, names in OPERATIONS.items() for name in names.split()}
ALIASES = "abs amax amin array true_divide".split()  # have classes of their own in Keras
# Every public operation by the name of Keras' class, in small letters: files may name more than Keras writes.
NAME_OF = {name.replace("_", ""): name for name in (*ops.__all__, *MODULE_OF, *ALIASES)}

CLASSES = {  # `take_along_axis` is TakeAlongAxis
    "allclose": "AllClose", "cdist": "CDist", "ctc_decode": "CTCDecode", "ctc_loss": "CTCLoss", "fft": "FFT",
    "fft2": "FFT2", "hsv_to_rgb": "HSVToRGB", "ifft2": "IFFT2", "irfft": "IRFFT", "isin": "IsIn", "istft": "ISTFT",
    "psnr": "PSNR", "rfft": "RFFT", "rgb_to_grayscale": "RGBToGrayscale", "rgb_to_hsv": "RGBToHSV",
    "searchsorted": "SearchSorted", "ssim": "SSIM", "stft": "STFT", "svd": "SVD",
}  # fmt: skip

# An operation of Keras is called with these of its arguments, and made with all others.
DATA = set(
    """
    a array b bins choicelist condition condlist constant_values coordinates data default depthwise_kernel end_points
    image1 image2 images indices inputs kernel key operands output output_length pointwise_kernel predictions q
    segment_ids sequence_lengths sorted_sequence start_indices start_points target target_length targets tensor
    transform updates values variable weights x x1 x2 xs y
    """.split()
)
IRREGULAR = {
    "dot_product_attention": {"query", "key", "value", "bias", "mask", "scale"},
    "full_like": {"x", "fill_value"},
    "histogram": {"x"},
    "isclose": {"x1", "x2", "rtol", "atol"},
    "rearrange": {"tensor", "pattern"},
    "scale_and_translate": {"images", "output_shape", "scale", "translation"},
    "squareplus": {"x"},
    "trapezoid": {"y"},
}
BY_NAME = {"dot_product_attention": {"bias", "mask", "scale"}}  # of the arguments of calls


def graph_config(model: Any) -> dict[str, Any]:
    """What `model_from_graph_config` makes the same graph from."""
    graph = graph_of(model)
    assert graph is not None
    names = _names(graph)
    calls: dict[int, list[Call]] = {id(op): [] for op in graph.operations}  # of each operation, in order of time
    for call in sorted(graph.calls, key=lambda c: c.time):
        calls[id(call.operation if isinstance(call.operation, Layer) else call)].append(call)
    places: dict[int, tuple[str, int, int]] = {}  # of each symbolic Tensor: (layer, which call, which output)
    for op in graph.operations:
        for index, call in enumerate(calls[id(op)]):
            for i, tensor in enumerate(tree.flatten(call.outputs)):
                places[id(tensor)] = (names[id(op)], index, i)
    for tensor, layer in zip(graph.input_tensors, graph.input_layers, strict=True):
        places[id(tensor)] = places[id(layer.output)] = (layer.name, 0, 0)

    def argument(value: Any) -> Any:
        if type(value) is Tensor and value.symbolic:
            return {
                "class_name": "__keras_tensor__",
                "config": {"shape": list(value.shape), "dtype": value.dtype, "keras_history": list(places[id(value)])},
            }
        if isinstance(value, list | tuple):
            return [argument(v) for v in value]
        if isinstance(value, dict):
            return {k: argument(v) for k, v in value.items()}
        return serialize(value)

    layers = []
    for op in graph.operations:
        if isinstance(op, Layer):
            node = serialize(op)
            nodes = [{"args": [argument(a) for a in c.args], "kwargs": argument(c.kwargs)} for c in calls[id(op)]]
        else:
            node, args, kwargs = _operation_node(op, names[id(op)])
            nodes = [{"args": argument(args), "kwargs": argument(kwargs)}]
        layers.append({**node, "name": names[id(op)], "inbound_nodes": nodes})

    def ends(structure: Any) -> Any:
        leaves = [list(places[id(t)]) for t in tree.flatten(structure)]
        return leaves[0] if type(structure) is Tensor else tree.pack_sequence_as(structure, leaves)

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": ends(graph.inputs),
        "output_layers": ends(graph.outputs),
    }


def _names(graph: Graph) -> dict[int, str]:
    """A name for every operation: layers have theirs, calls of primitives are numbered."""
    taken = {op.name for op in graph.operations if isinstance(op, Layer)}
    names = {}
    for op in graph.operations:
        if isinstance(op, Layer):
            names[id(op)] = op.name
            continue
        names[id(op)] = numbered(op.operation.__name__, taken)
        taken.add(names[id(op)])
    return names


def _operation_named(name: str) -> Any:
    """The public operation of this name, None where there is none."""
    return getattr(ops.image if MODULE_OF.get(name) == "keras.src.ops.image" else ops, name, None)


def _operation_node(call: Call, name: str) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """The node of an operation, as Keras' class (`multiply` is `Multiply`), and the arguments of its call."""
    operation = call.operation.__name__
    if operation not in MODULE_OF or call.operation is not _operation_named(operation):
        raise ValueError(
            f"the operation {operation!r} of the functional model has no form in files; "
            "call it in a layer of yours, and the layer in the model"
        )
    bound = inspect.signature(call.operation).bind(*call.args, **call.kwargs)
    bound.apply_defaults()
    data = IRREGULAR.get(operation, DATA)
    args: list[Any] = []
    kwargs, config = {}, {}
    for parameter, value in bound.arguments.items():
        kind = bound.signature.parameters[parameter].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            args += value
        elif kind is inspect.Parameter.VAR_KEYWORD:
            kwargs.update(value)
        elif parameter not in data:
            config[parameter] = value
        elif config or parameter in BY_NAME.get(operation, ()):  # so is what stands behind something else
            kwargs[parameter] = value
        else:
            args.append(value)
    if MODULE_OF[operation] == "keras.src.ops.nn" and config.get("data_format", "") is None:
        config["data_format"] = settings.image_data_format()
    class_name = CLASSES.get(operation) or "".join(part.capitalize() for part in operation.split("_"))
    node = as_node(MODULE_OF[operation], class_name, {"name": name, **serialize(config)}, class_name)
    return node, args, kwargs


def is_operation(node: dict[str, Any]) -> bool:
    """Whether a node of a configuration is an operation; older `.h5` files name no module, but for layers either."""
    module, kind = node.get("module"), node.get("class_name", "")
    if module is None:
        return kind.lower() in NAME_OF and catalog.find("layers", kind) is None and get_registered_object(kind) is None
    return module.startswith("keras.src.ops.")


def _operation_from(node: dict[str, Any]) -> Callable[..., Any]:
    """The operation that a node names, with its configuration."""
    name = NAME_OF.get(node["class_name"].lower(), "")
    if (operation := _operation_named(name)) is None:
        raise ValueError(f"operation {node['class_name']!r} of the functional model is not known here")
    if name == "get_item":
        return lambda x, key: ops.get_item(x, tuple(key) if isinstance(key, list) else key)
    if name == "einsum":
        return partial(ops.einsum, node["config"]["subscripts"])
    known = inspect.signature(operation).parameters
    config = {k: deserialize(v) for k, v in node["config"].items() if k != "name"}
    return partial(operation, **{k: v for k, v in config.items() if k in known or v is not None})


def model_from_graph_config(cls: Any, config: dict[str, Any]) -> Any:
    """A model of class `cls` with the layers and calls of `config`."""
    entries = {entry["name"] if "name" in entry else entry["config"]["name"]: entry for entry in config["layers"]}
    operations: dict[str, Any] = {}
    made: dict[tuple[str, int, int], Tensor] = {}
    for name, entry in entries.items():
        node = {k: v for k, v in entry.items() if k not in ("inbound_nodes", "name")}
        if is_operation(node):
            operations[name] = _operation_from(node)
        else:
            layer = operations[name] = deserialize(node)
            if not entry["inbound_nodes"] and calls_of(layer):
                made[name, 0, 0] = layer.output

    calls = {(name, i): call for name, entry in entries.items() for i, call in enumerate(entry["inbound_nodes"])}
    for name, index in _in_order(calls, {place[:2] for place in made}):
        args, kwargs = _with_tensors(_call_arguments(calls[name, index]), made)
        for i, tensor in enumerate(tree.flatten(operations[name](*args, **kwargs))):
            made[name, index, i] = tensor

    def ends(structure: Any) -> Any:
        if isinstance(structure, dict):
            return {key: ends(value) for key, value in structure.items()}
        if len(structure) == 3 and isinstance(structure[0], str):
            return _output(structure, made)
        made_of = [ends(value) for value in structure]
        return tuple(made_of) if isinstance(structure, tuple) else made_of

    inputs, outputs = ends(config["input_layers"]), ends(config["output_layers"])
    if isinstance(inputs, list) and len(inputs) == 1 and not isinstance(config["input_layers"][0], list):
        inputs = inputs[0]
    model = cls(inputs, outputs, name=config.get("name"))
    if config.get("trainable") is False:
        model.trainable = False
    return model


def _in_order(calls: dict[tuple[str, int], Any], given: set[tuple[str, int]]) -> list[tuple[str, int]]:
    """The places (layer, which call) of calls, each behind the one before it and those whose outputs it takes."""
    lacking = {}
    followers = defaultdict(list)
    for place, call in calls.items():
        sources = {key[:2] for key in _history_keys(_call_arguments(call))} - given
        if place[1]:
            sources.add((place[0], place[1] - 1))
        lacking[place] = len(sources)
        for source in sources:
            followers[source].append(place)
    order = [place for place, count in lacking.items() if not count]
    for place in order:
        for follower in followers[place]:
            lacking[follower] -= 1
            if not lacking[follower]:
                order.append(follower)
    if len(order) < len(calls):
        names = sorted({name for name, _ in lacking.keys() - set(order)})
        raise ValueError(f"the functional model's calls of {names} depend on outputs that do not exist")
    return order


def _call_arguments(call: Any) -> tuple[Any, Any]:
    """(args, kwargs) of an entry of inbound_nodes, also in the older form [[layer, call, output, kwargs], ...]."""
    if isinstance(call, dict):
        return call["args"], call["kwargs"]
    parts = [call] if call and isinstance(call[0], str) else call
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": list(p[:3])}} for p in parts]
    kwargs = parts[0][3] if parts and len(parts[0]) > 3 else {}
    return [tensors[0] if len(tensors) == 1 else tensors], kwargs


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _history_keys(structure: Any) -> list[tuple[str, int, int]]:
    if _is_reference(structure):
        return [tuple(structure["config"]["keras_history"])]
    if isinstance(structure, dict):
        structure = structure.values()
    elif not isinstance(structure, list | tuple):
        return []
    return [key for item in structure for key in _history_keys(item)]


def _output(key: Any, made: dict[tuple[str, int, int], Tensor]) -> Tensor:
    if tuple(key) not in made:
        raise ValueError(f"the functional model names the output {key}, which does not exist")
    return made[tuple(key)]


def _with_tensors(structure: Any, made: dict[tuple[str, int, int], Tensor]) -> Any:
    if _is_reference(structure):
        return _output(structure["config"]["keras_history"], made)
    if isinstance(structure, list | tuple):
        return tree.sequence_like(structure, [_with_tensors(item, made) for item in structure])
    if isinstance(structure, dict):
        if "class_name" in structure and "config" in structure:
            return deserialize(structure)
        return {key: _with_tensors(item, made) for key, item in structure.items()}
    return structure

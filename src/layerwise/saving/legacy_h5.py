"""Keras' legacy `.h5`: a group for each layer by name, and for whole models the configuration as attributes.

    /                    model_config, training_config (JSON), keras_version, backend
    /model_weights       layer_names
        /<layer>         weight_names, with a dataset for each
        /top_level_model_weights        those of the model's own
    /optimizer_weights   weight_names, with a dataset for each

A file of weights alone has at its root what is in `model_weights`. Keras 1 to 3 and TF-Keras read both.
"""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .. import losses, tree
from ..autograd import outlining
from ..layers.base import Layer
from ..layers.tracking import own_weights
from ..models.graph import graph_of
from ..models.graph_config import is_operation
from ..models.model import Model
from ..serialization import custom_object_scope, deserialize, get_registered_object, serialize
from ..variables import Variable, all_or_nothing, deferred_initializers
from .files import GRAPH, FileFormatError, check_widening, locating, most_values, parse_json
from .hdf5 import Store, new_group, text, texts, write_array, write_texts
from .hdf5_objects import Group
from .hdf5_reader import read
from .keras_v3 import FORMAT, assets_of
from .keras_weights import report
from .walk import saveables

OWN = "top_level_model_weights"
COMPILE = "loss loss_weights metrics weighted_metrics run_eagerly steps_per_execution jit_compile".split()
OWN_FUNCTIONS = "own_functions"  # losses and metrics that are the user's, whatever else has their names
FORGOTTEN = {"decay", "jit_compile", "is_legacy_optimizer"}  # options of Keras 2's optimizers that mean nothing now


# Writing


def write_model(model: Model, file: BinaryIO, include_optimizer: bool = True) -> None:
    """Write configuration, weights and optimizer to an open file."""
    import h5py

    if layers := [owner.name for _, owner in saveables(model) if any(assets_of(owner))]:
        raise ValueError(f"layers {layers} have files of their own (vocabularies), which .h5 cannot hold; use .keras")
    node = serialize(model)
    config = _legacy(node)
    if graph_of(model) is None:
        config["build_config"] = node.get("build_config")  # layers without a graph say nothing of their inputs
    with h5py.File(file, "w") as archive:
        archive.attrs.update({"keras_version": FORMAT, "backend": "jax", "model_config": json.dumps(config)})
        _write_layers(model, archive.create_group("model_weights"))
        training = node.get("compile_config")
        if include_optimizer and training:
            training["loss"] = _full_names(training.get("loss"))
            arguments = {name: _legacy(training.get(name)) for name in COMPILE}
            if own := sorted(set(_functions(training))):
                arguments[OWN_FUNCTIONS] = own
            arguments["optimizer_config"] = _legacy(training["optimizer"])
            archive.attrs["training_config"] = json.dumps(arguments)
            if model.optimizer.built:
                _write_variables(archive.create_group("optimizer_weights"), model.optimizer.variables)


def write_weights(model: Model, file: BinaryIO) -> None:
    """Write the weights alone to an open file."""
    import h5py

    with h5py.File(file, "w") as archive:
        _write_layers(model, archive)


def _legacy(node: Any) -> Any:
    """Nodes as the format has them: layers, losses, metrics by class alone, functions by name; operations are kept."""
    if not isinstance(node, dict) or "class_name" not in node:
        return tree.map_items(_legacy, node)
    if is_operation(node):
        return node
    if node["class_name"] == "function":
        return node["registered_name"]
    name = node["registered_name"] if ">" in (node["registered_name"] or "") else node["class_name"]
    config = {key: _legacy(item) if key == "layers" else item for key, item in node["config"].items()}
    kept = {key: node[key] for key in ("name", "inbound_nodes") if key in node}
    if node["registered_name"] and not (node["module"] or "").startswith("keras"):
        kept["registered_name"] = name  # it is not the library's class of this name
    return {"class_name": name, "config": config, **kept}


def _functions(node: Any) -> Iterator[str]:
    """The names of the user's functions in a configuration."""
    if isinstance(node, dict) and node.get("class_name") == "function":
        yield node["registered_name"]
    elif isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from _functions(item)


def _full_names(loss: Any) -> Any:
    """Names of losses in full: Keras opens no `.h5` whose loss is "mse"."""
    if isinstance(loss, str) and loss not in ("crossentropy", "ce"):
        return losses.get(loss).__name__
    return loss if isinstance(loss, dict) and "class_name" in loss else tree.map_items(_full_names, loss)


def _write_layers(model: Model, group: Any) -> None:
    layers = [layer for layer in dict.fromkeys(model.layers) if layer is not model]
    write_texts(group, "layer_names", [layer.name for layer in layers])
    group.attrs.update({"keras_version": FORMAT, "backend": "jax"})
    for layer in layers:
        _write_variables(new_group(group, layer.name), ordered(layer))
    _write_variables(group.create_group(OWN), own_weights(model))


def _write_variables(group: Any, variables: Sequence[Variable]) -> None:
    names: list[str] = []
    for variable in variables:
        names.append(_distinct(variable.path, names))
        write_array(group, names[-1], variable.numpy())
    write_texts(group, "weight_names", names)


def _distinct(path: str, taken: Sequence[str]) -> str:
    """`path`, numbered if it is taken, or if a dataset would have to be inside another one."""
    name, count = path, 0
    while any(f"{name}/".startswith(f"{other}/") or f"{other}/".startswith(f"{name}/") for other in taken):
        count += 1
        name = f"{path.replace('/', '_')}_{count}"
    return name


def ordered(layer: Layer) -> list[Variable]:
    """A layer's weights as the format has them: those that are trained, then the others."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


# Reading


def is_legacy(archive: Group) -> bool:
    """Whether an open HDF5 file has this layout."""
    return "model_weights" in archive or any(name in archive.attrs for name in ("layer_names", "layer_names0"))


def read_model(
    path: Path, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Model:
    """The model that `write_model`, Keras or TF-Keras wrote. No initializer runs for values that come from the file."""
    scope = custom_object_scope(custom_objects or {})
    size = path.stat().st_size
    with open(path, "rb") as file, scope, locating(path, "training_config"), deferred_initializers(most_values(size)):
        archive = read(file, str(path))
        with locating(path, "model_config"), outlining(size + GRAPH):
            config = _attribute(archive, "model_config")
            if config is None:
                raise ValueError("it is missing; a file of weights alone is for model.load_weights")
            if (text(archive, "keras_version") or "2").startswith("2"):
                config = _graphs_of_now(config)
            model = deserialize(_modern(config), safe_mode=safe_mode)
            if not isinstance(model, Model):
                raise ValueError(f"expected a model, got {type(model).__name__}")
        with locating(path, "training_config"), outlining(size + GRAPH):
            training = _attribute(archive, "training_config") if compile else None
            if training is not None:
                model.compile_from_config(_compile_config(training))
        with locating(path, "model_weights"):
            _read_layers(model, _group(archive, "model_weights"), f"{path}: model_weights")
        with locating(path, "optimizer_weights"):
            if training is not None and "optimizer_weights" in archive:
                _read_optimizer(model, _group(archive, "optimizer_weights"), f"{path}: optimizer_weights")
    return model


def read_weights(model: Model, archive: Group, where: str, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """Assign to the model's weights those of an open file, a whole model's or weights alone.

    The k-th layer with weights gets those of the k-th in the file; with `by_name` each layer gets those of its name,
    if the file has them.
    """
    with locating(Path(where), "model_weights"):
        group = archive if "model_weights" not in archive else _group(archive, "model_weights")
        _read_layers(model, group, where, by_name, skip_mismatch)


def _group(archive: Group, name: str) -> Group:
    group = archive.get(name)
    if not isinstance(group, Group):
        raise FileFormatError(f"{name}: the group is missing")
    return group


def _attribute(archive: Group, name: str) -> dict[str, Any] | None:
    value = text(archive, name)
    return None if value is None else parse_json(value)


def _modern(node: Any) -> Any:
    """The configuration without what only Keras 2 had."""
    if isinstance(node, dict) and node.get("class_name") == "Policy":
        node = {**node, "class_name": "DTypePolicy"}
    return tree.map_items(_modern, node)


def _graphs_of_now(node: Any) -> Any:
    """The configuration with Keras 2's graphs as Keras 3 has them.

    There the calls of a model count from 1, since 0 is the model itself, and one input or output is a list of one.
    """
    node = tree.map_items(_graphs_of_now, node)
    if not isinstance(node, dict) or "input_layers" not in node:
        return node
    models = {layer["config"]["name"] for layer in node["layers"] if _has_inputs(layer["config"].get("layers"))}

    def counted(value: Any) -> Any:
        match value:
            case [str(name), number, _, *_] if name in models and type(number) is int:
                return [name, number - 1, *counted(value[2:])]
        return tree.map_items(counted, value)

    layers = [{**layer, "inbound_nodes": counted(layer["inbound_nodes"])} for layer in node["layers"]]
    inputs, outputs = (ends[0] if len(ends) == 1 else ends for ends in (node["input_layers"], node["output_layers"]))
    return {**node, "layers": layers, "input_layers": inputs, "output_layers": counted(outputs)}


def _has_inputs(layers: Any) -> bool:
    return isinstance(layers, list) and bool(layers) and layers[0]["class_name"] == "InputLayer"


def _compile_config(training: dict[str, Any]) -> dict[str, Any]:
    """What `compile_from_config` takes, from the legacy form, which has no modules."""
    for name in training.get(OWN_FUNCTIONS, []):  # known while the file is read, or refused
        deserialize({"module": None, "class_name": "function", "config": name, "registered_name": name})
    optimizer = _modern(training["optimizer_config"])
    optimizer = {
        **optimizer,
        "class_name": optimizer["class_name"].removeprefix("Custom>"),  # as TF-Keras calls its own
        "module": "keras.optimizers",
        "config": {k: v for k, v in optimizer["config"].items() if k not in FORGOTTEN},
    }
    homes = {"loss": "keras.losses", "metrics": "keras.metrics", "weighted_metrics": "keras.metrics"}
    arguments = {name: _at_home(training.get(name), homes.get(name)) for name in COMPILE if name in training}
    for name in ("metrics", "weighted_metrics"):
        match arguments.get(name):
            case [list(metrics)]:  # of the only output
                arguments[name] = metrics
    return {"optimizer": optimizer, **arguments}


def _at_home(value: Any, module: str | None) -> Any:
    if isinstance(value, str) and module is not None:
        return get_registered_object(value) or value  # a function of the user's, known while the file is read
    if isinstance(value, dict) and "class_name" in value:
        known = {} if "registered_name" in value else {"module": module}
        return known | {**value, "config": _own_arguments(value["config"])}
    return tree.map_items(lambda item: _at_home(item, module), value)


def _own_arguments(config: Any) -> Any:
    """The configuration of a loss or metric without what Keras 2 adds: a loss says its function too."""
    if not isinstance(config, dict):
        return config
    config = dict(config)
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    if isinstance(fn := config.pop("fn", None), str) and "reduction" not in config:
        config["fn"] = {"module": "builtins", "class_name": "function", "config": fn, "registered_name": "function"}
    return config


Stored = tuple[str, Store, list[str]]  # a layer's name, its datasets, and their names in order


def _stored(group: Any, names: Sequence[str]) -> Iterator[Stored]:
    """The layers of a file that have weights."""
    for name in names:
        layer = _group(group, name)
        weights = texts(layer, "weight_names")
        if weights:
            yield name, Store(layer), weights


def _read_layers(model: Model, group: Group, where: str, by_name: bool = False, skip_mismatch: bool = False) -> None:
    names = texts(group, "layer_names")
    if names is None:
        raise FileFormatError(f"{where}: attribute 'layer_names' is missing: not a legacy file of weights")
    stored = list(_stored(group, names))
    layers = [layer for layer in dict.fromkeys(model.layers) if layer is not model]
    pairs: list[tuple[str, list[Variable], Stored]]
    if by_name:
        saved = {entry[0]: entry for entry in stored}
        pairs = [(x.name, ordered(x), saved[x.name]) for x in layers if x.name in saved and x.weights]
    else:
        layers = [layer for layer in layers if layer.weights]
        if len(layers) != len(stored):
            raise FileFormatError(
                f"{where}: got weights of {len(stored)} layers ({', '.join(name for name, *_ in stored)}), the model "
                f"has {len(layers)} layers with weights ({', '.join(x.name for x in layers)})"
                + ("" if model.built else "; it is not built yet: call it on data first")
                + "; load_weights(..., by_name=True) goes by the layers' names"
            )
        pairs = [(layer.name, ordered(layer), entry) for layer, entry in zip(layers, stored)]
    if OWN in group:
        pairs += [(model.name, own_weights(model), entry) for entry in _stored(group, [OWN])]
    problems: list[str] = []
    values = ((store.count(keys), variables) for _, variables, (_, store, keys) in pairs)
    check_widening(values, group.size, where)
    with all_or_nothing(model.weights):
        for name, variables, entry in pairs:
            problems += [f"{where}: layer {name!r}: {reason}" for reason in _fill(variables, *entry)]
        report(problems, skip_mismatch)


def _fill(variables: Sequence[Variable], name: str, store: Store, keys: Sequence[str]) -> Iterator[str]:
    """Assign the datasets to the variables in turn; yields what does not fit."""
    if len(keys) != len(variables):
        yield f"got {len(keys)} saved weights (of {name!r}), expected {len(variables)}: {[v.name for v in variables]}"
        return
    for key, variable in zip(keys, variables):
        if (shape := store.shape(key)) != variable.shape:
            yield f"{variable.path}: got shape {shape} (of {key!r}), expected {variable.shape}"
        else:
            variable.assign(store[key])


def _read_optimizer(model: Model, group: Group, where: str) -> None:
    """Assign the optimizer's state; one that does not fit is left aside with a warning, as Keras does."""
    variables = model.optimizer.variables
    store, keys = Store(group), texts(group, "weight_names") or []
    if keys and keys[0].endswith(("iteration:0", "/iter:0")):  # Keras 2's
        variables = [v for v in variables if v.name != "learning_rate"]
        keys = _slots_together(keys)
    check_widening([(store.count(keys), variables)], group.size, where)
    try:
        with all_or_nothing(variables):
            for reason in _fill(variables, "the optimizer", store, keys):
                raise FileFormatError(reason)
    except FileFormatError as error:
        warnings.warn(f"{where}: {error}; the optimizer starts afresh", stacklevel=5)


def _slots_together(keys: list[str]) -> list[str]:
    """Names of an optimizer's arrays, weight after weight. Keras up to 2.10 has them slot after slot: "Adam/w/m:0"."""
    if keys[0].endswith("iteration:0"):
        return keys
    slots: dict[str, list[str]] = {}
    for key in keys[1:]:
        slots.setdefault(key.rpartition("/")[2], []).append(key)
    return [keys[0], *itertools.chain(*zip(*slots.values()))]

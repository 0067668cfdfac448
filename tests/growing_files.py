"""Files of 1, 2 and 4 MB, each of one kind that once took memory or time out of all proportion to its size."""

from __future__ import annotations

import inspect
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import layerwise
from hostile_files import CONFIG, HUGE, METADATA, READ, REFUSED, Case, chunk, members, network, picture, zipped

SIZES = (1 << 20, 2 << 20, 4 << 20)
SHORT = 1 << 10  # for what one file of a kind is the same as another


def growing(folder: Path) -> Iterator[Case]:
    """Each kind in three sizes, "KIND-of-BYTES.ending", and files that are decoded to far more than their size."""
    x = layerwise.Input((4,), name="x")
    layerwise.Model(x, x + 1.0, name="m").save(folder / "base.keras")
    parts = members((folder / "base.keras").read_bytes())
    parts[METADATA] = b"{}"
    for kind, make in {**configurations(), **cards()}.items():
        for size in SIZES:
            ending = ".card.keras" if kind.startswith("card") else ".keras"
            yield Case(f"{kind}-of-{size}{ending}", zipped({**parts, **make(parts, size)}), EXPECTED[kind])
    for kind, (ending, make_file) in FILES.items():
        for size in SIZES:
            yield Case(f"{kind}-of-{size}{ending}", make_file(size), EXPECTED[kind])
    yield from decoded()


# What is expected, whatever the size; None: read if it is small enough.
EXPECTED: dict[str, Any] = {
    "long-name": REFUSED, "escaped-name": None, "wide-name": None, "strings": REFUSED, "members": None,
    "stored": READ, "layers": None, "chain": None, "backwards": None, "twice": None, "nested": None, "metrics": None,
    "card-classes": None, "card-name": REFUSED, "card-columns": REFUSED,
    "digits": REFUSED, "fractions": READ, "labels": READ, "many-labels": READ, "columns": None, "one-label": READ,
    "header-name": READ, "header-entries": None, "header-shape": REFUSED,
    "wide-text": READ, "noise": READ, "words": READ,
}  # fmt: skip


def configurations() -> dict[str, Callable[[dict[str, bytes], int], dict[str, bytes]]]:
    """What stands in the place of the configuration of a model of one addition."""

    def edited(parts: dict[str, bytes], change: Callable[[dict[str, Any]], Any]) -> dict[str, bytes]:
        config = json.loads(parts[CONFIG])
        change(config)
        return {CONFIG: json.dumps(config, ensure_ascii=False).encode()}

    def named(text: Callable[[int], str]) -> Callable[[dict[str, bytes], int], dict[str, bytes]]:
        return lambda parts, size: edited(parts, lambda c: c["config"].update(name=text(size)))

    def chain(parts: dict[str, bytes], size: int, backwards: bool = False, twice: bool = False) -> dict[str, bytes]:
        """Additions one after another, to themselves if `twice`: 2^n paths lead through n of them."""

        def change(config: dict[str, Any]) -> None:
            begin, addition = config["config"]["layers"]
            tensor = addition["inbound_nodes"][0]["args"][0]
            if twice:
                addition["inbound_nodes"][0]["args"] = [tensor, tensor]
            text, last = json.dumps(addition), "x"
            calls = []
            for i in range(size // len(text)):
                calls.append(json.loads(text.replace('"x"', f'"{last}"')))
                last = calls[-1]["name"] = calls[-1]["config"]["name"] = f"n{i}"
            config["config"].update(layers=[begin, *(reversed(calls) if backwards else calls)])
            config["config"].update(output_layers=[last, 0, 0])

        return edited(parts, change)

    def stack(parts: dict[str, bytes], size: int) -> dict[str, bytes]:
        kind = {"module": "keras.layers", "class_name": "Activation", "registered_name": None}
        inner = [{**kind, "config": {"name": f"a{i}", "activation": "relu"}} for i in range(size // 150)]
        first = json.loads(parts[CONFIG])["config"]["layers"][0]
        first = {k: v for k, v in first.items() if k not in ("name", "inbound_nodes")}
        model = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [first, *inner]}}
        return {CONFIG: json.dumps(model).encode()}

    def nested(parts: dict[str, bytes], size: int) -> dict[str, bytes]:
        """Models thirty deep, each called twice by the one around it, side by side in a stack."""
        x = layerwise.Input((4,), name="x")
        model = layerwise.Model(x, x + 1.0, name="inner")
        twice = layerwise.Model(x, model(model(x)), name="inner")
        config = inner = layerwise.saving.serialize_keras_object(model)
        shell = json.dumps(layerwise.saving.serialize_keras_object(twice))
        for _ in range(30):
            config = json.loads(shell)
            place = config["config"]["layers"][-1]
            place["config"] = inner["config"]
            inner = config
        count = size // len(json.dumps(config))
        texts = [{**config, "config": {**config["config"], "name": f"m{i}"}} for i in range(count)]
        kind = {"module": "keras", "class_name": "Sequential", "registered_name": None}
        return {CONFIG: json.dumps({**kind, "config": {"name": "s", "layers": texts}}).encode()}

    def metrics(parts: dict[str, bytes], size: int) -> dict[str, bytes]:
        kind = {"module": "keras.metrics", "class_name": "AUC", "registered_name": None}
        many = [{**kind, "config": {"num_thresholds": 2000, "name": f"a{i}"}} for i in range(size // 120)]
        return edited(parts, lambda c: c.update(compile_config={"optimizer": "sgd", "loss": "mse", "metrics": many}))

    return {
        "long-name": named(lambda size: "a" * size),
        "escaped-name": named(lambda size: "\n" * (size // 2)),
        "wide-name": named(lambda size: "a" * size + "\U0001f600"),
        "strings": lambda parts, size: {CONFIG: b'""' * (size // 2)},
        "members": lambda parts, size: {CONFIG: json.dumps({f"{i:x}": 1.5 for i in range(size // 14)}).encode()},
        "stored": lambda parts, size: {"assets/words.txt": b"a" * size},
        "layers": stack,
        "chain": chain,
        "backwards": lambda parts, size: chain(parts, size, backwards=True),
        "twice": lambda parts, size: chain(parts, size, twice=True),
        "nested": nested,
        "metrics": metrics,
    }


def counts(folder: Path) -> Iterator[Case]:
    """Each number and shape in the configuration of each class here, one at a time a billion; read or refused."""
    network().save(folder / "base.keras")
    parts = {**members((folder / "base.keras").read_bytes()), METADATA: b"{}"}
    config = json.loads(parts[CONFIG])
    for namespace in ("layers", "metrics", "losses", "optimizers", "initializers", "regularizers", "constraints"):
        module = import_module(f"layerwise.{namespace}")
        for name in module.__all__:
            arguments = configuration(getattr(module, name))
            for argument, value in arguments.items():
                if argument in ("name", "dtype", "trainable", "seed") or not is_size(value):
                    continue
                huge = [HUGE] * len(value) if isinstance(value, list) else HUGE
                node = {"module": f"keras.{namespace}", "class_name": name, "registered_name": None}
                node["config"] = {**arguments, argument: huge}
                for i, changed in enumerate(placed(config, namespace, node)):
                    content = zipped({**parts, CONFIG: json.dumps(changed).encode()})
                    yield Case(f"{namespace}-{name}-{argument}-{i}.keras", content, None)


def configuration(kind: Any) -> dict[str, Any]:
    """The configuration of an object of a class, as JSON has it; empty where these arguments make none."""
    try:
        names = inspect.signature(kind).parameters.values()
        needed = {p.name: ARGUMENTS[p.name] for p in names if p.default is p.empty and p.kind not in VARIABLE}
        return json.loads(json.dumps(kind(**needed).get_config()))
    except (TypeError, ValueError, KeyError, AttributeError, NotImplementedError):
        return {}


VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
ARGUMENTS = {
    "units": 3, "filters": 2, "kernel_size": 2, "rate": 0.5, "n": 2, "num_classes": 3, "target_shape": [-1],
    "dims": [1], "input_dim": 5, "output_dim": 3, "activation": "relu", "target_class_ids": [0], "sensitivity": 0.5,
    "specificity": 0.5, "precision": 0.5, "recall": 0.5, "height": 4, "width": 4, "factor": 0.1, "stddev": 0.5,
    "height_factor": 0.1, "width_factor": 0.1, "scale": 2.0,
}  # fmt: skip


def is_size(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(n, int) for n in value)
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def placed(config: dict[str, Any], namespace: str, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Configurations of models that have this node, layers on inputs of several ranks."""
    changed = json.loads(json.dumps(config))
    if namespace == "layers":
        del changed["compile_config"], changed["build_config"]
        for shape in ([4], [8, 4], [8, 8, 3], [6, 6, 6, 2]):
            entry = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, *shape]}}
            changed["config"]["layers"] = [entry, node]
            yield changed
        return
    hidden = changed["config"]["layers"][1]["config"]
    compiled = {"metrics": {"metrics": [node]}, "losses": {"loss": node}, "optimizers": {"optimizer": node}}
    changed["compile_config"].update(compiled.get(namespace, {}))
    hidden.update({f"kernel_{namespace[:-1]}": node} if namespace not in compiled else {})
    yield changed


def cards() -> dict[str, Callable[[dict[str, bytes], int], dict[str, bytes]]]:
    """What the command `predict` reads beside a model."""

    def card(**fields: Any) -> dict[str, bytes]:
        return {METADATA: json.dumps({"layerwise_notes": {"card": fields}}).encode()}

    return {
        "card-classes": lambda parts, size: card(class_names=["a" * (size // 4)] * 4),
        "card-name": lambda parts, size: card(class_names="a" * size),
        "card-columns": lambda parts, size: card(columns=[["x"] * 10] * (size // 50)),
    }


# Other formats


def _csv(header: str, rows: Callable[[int], Iterator[str]]) -> Callable[[int], bytes]:
    return lambda size: "\n".join([header, *rows(size)]).encode()


def _safetensors(header: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _entries(size: int) -> bytes:
    entry = {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}
    count = size // 90
    places = ([4 * i, 4 * i + 4] for i in range(count))
    return _safetensors({f"n{i:06}": {**entry, "data_offsets": p} for i, p in enumerate(places)}, b"\0" * 4 * count)


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


_EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
FILES: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "digits": (".csv", _csv("a,kind", lambda size: ("1" * 100_000 + "x,1" for _ in range(size // 100_000)))),
    "fractions": (".csv", _csv("a,kind", lambda size: ("0." + "1" * 100_000 + ",1" for _ in range(size // 100_000)))),
    "labels": (".csv", _csv("a,kind", lambda size: (f"{1 / 7},{'ab'[i % 2]}" for i in range(size // 22)))),
    "many-labels": (".csv", _csv("a,kind", lambda size: (f"1,{i:15x}y" for i in range(size // 19)))),
    "columns": (".csv", lambda size: b"\n".join(
        [b",".join([*(b"%22x" % i for i in range(size // 26)), b"kind"]), b"11," * (size // 26) + b"1"])),
    "one-label": (".csv", _csv("a,kind", lambda size: (
        f"{1 / 7},{'b' * 100_000 if i == 7 else 'a'}" for i in range(size // 22)))),
    "header-name": (".safetensors", lambda size: _safetensors({"a" * size: _EMPTY})),
    "header-entries": (".safetensors", _entries),
    "header-shape": (".safetensors", lambda size: _safetensors({"a": {**_EMPTY, "shape": [1] * (size // 3)}})),
    "wide-text": (".npz", lambda size: _npz(x=np.array(["a" * (size // 16)] * 4))),
    "words": (".npz", lambda size: _npz(x=np.array(["ab"] * (size // 8)))),
    "noise": (".png", lambda size: picture(1024, size // 1024, np.random.default_rng(0).bytes(size))),
}  # fmt: skip


def decoded() -> Iterator[Case]:
    """Compressed files, and in their names how many bytes their headers say they are decoded to."""
    side = 4096
    for colour, channels in ((0, 1), (2, 3), (6, 4)):
        size = side * side * channels
        yield Case(f"plain-{colour}-decoding-{size}.png", picture(side, side, b"\0" * size, colour), READ)
    yield Case(f"deep-decoding-{2 * side * side}.png", picture(side, side, b"\0" * 2 * side * side, 0, bits=16), READ)
    yield Case("too-many-pixels.png", picture(8193, 8192, b"", body=b""), REFUSED)
    turned = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    upright = picture(side, side, b"\0" * side * side * 3, 2)
    yield Case(f"turned-decoding-{side * side * 3}.png", upright[:33] + chunk(b"eXIf", turned) + upright[33:], READ)
    for name, array, expected in (
        ("zeros", np.zeros(4 << 20), READ), ("turned", np.zeros((2048, 2048)).T, READ),
        ("big-endian", np.zeros(4 << 20, ">f8"), READ), ("text", np.array(["a" * 1024] * 8192), READ),
        ("too-many", np.zeros((256 << 20) + 1, "u1"), REFUSED),
    ):  # fmt: skip
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            member = io.BytesIO()
            np.save(member, array)
            archive.writestr("x.npy", member.getvalue())
        size = SHORT if expected == REFUSED else array.nbytes
        yield Case(f"{name}-decoding-{size}.npz", file.getvalue(), expected)

"""Hostile and damaged files of every format that is read here, each with what is expected of its reader.

    python tests/hostile_files.py FOLDER     writes them, and a list of what is expected

Files are made from valid ones, which are in the corpus too, by taking them apart where the format has its joints.
"""

from __future__ import annotations

import gzip
import io
import json
import stat
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

import layerwise
from layerwise import layers
from layerwise.data.records import masked

READ, REFUSED = "read", "refused"
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
HUGE = 10**9


class Case(NamedTuple):
    name: str  # its ending says which reader it is for
    content: bytes
    expected: str | None  # None: read or refused


def corpus(folder: Path) -> Iterator[Case]:
    """All files; `folder` is for what is made on the way."""
    model = network()
    model.save(folder / "base.keras")
    model.save(folder / "base.h5")
    model.save_weights(folder / "base.weights.h5")
    model.save_weights(folder / "base.safetensors")
    base = {name: (folder / f"base{name}").read_bytes() for name in (".keras", ".h5", ".weights.h5", ".safetensors")}
    yield from archives(base[".keras"])
    yield from configurations(base[".keras"])
    yield from cards(base[".keras"])
    yield from stored_weights(base[".keras"], base[".weights.h5"], base[".h5"])
    yield from hdf5_structures(base[".h5"])
    yield from safetensors(base[".safetensors"])
    yield from idx()
    yield from npz()
    yield from lists()
    yield from wav()
    yield from tfrecord()
    yield from csv()
    yield from png()
    yield from cifar()


def network() -> layerwise.Model:
    """The model whose files are taken apart."""
    layerwise.random.set_random_seed(0)
    hidden = layers.Dense(3, activation="relu", name="hidden")
    model = layerwise.Sequential([layers.Input((4,)), hidden, layers.Dense(2, name="last")], name="base")
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    return model


def cut(name: str, ending: str, content: bytes, times: int) -> Iterator[Case]:
    """The file cut short in as many places."""
    for i in range(times):
        end = len(content) * i // times
        yield Case(f"{name}-cut-at-{end}{ending}", content[:end], REFUSED)


def patched(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def patches(name: str, ending: str, content: bytes, anchors: dict[str, int], table: str) -> Iterator[Case]:
    """Files in which some bytes are others. An entry of the table is "what: anchor+offset bytes", and ends with ";"."""
    for entry in table.split(";"):
        what, place, new = entry.split()
        anchor, offset = place.split("+")
        changed = patched(content, anchors[anchor] + int(offset), bytes.fromhex(new))
        yield Case(f"{name}-{what.rstrip(':')}{ending}", changed, REFUSED)


# .keras: the archive


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: Any, method: int = zipfile.ZIP_STORED, comment: bytes = b"", large: bool = False) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            info = zipfile.ZipInfo(name) if method == 0 and isinstance(name, str) else name
            with archive.open(info, "w", force_zip64=large) as member:
                member.write(content)
        archive.comment = comment
    return file.getvalue()


def archives(base: bytes) -> Iterator[Case]:
    parts = members(base)
    yield Case("control.keras", base, READ)
    yield Case("control-deflated.keras", zipped(parts, zipfile.ZIP_DEFLATED), READ)
    yield Case("control-large-sizes.keras", zipped(parts, large=True), READ)
    yield Case("control-other-order.keras", zipped(dict(reversed(parts.items()))), READ)
    yield Case("control-assets.keras", zipped({**parts, "assets/words/vocabulary.txt": b"a\nb\n"}), READ)
    yield from cut("archive", ".keras", base, 20)
    yield Case("prefix.keras", b"#!/bin/sh\n" + base, REFUSED)
    yield Case("trailing.keras", base + b"\0", REFUSED)
    yield Case("trailing-archive.keras", base + base, REFUSED)
    yield Case("comment.keras", zipped(parts, comment=b"hello"), REFUSED)
    yield Case("text.keras", b"PK, or not", REFUSED)
    yield Case("many-members.keras", zipped({**parts, **{f"assets/{i}": b"" for i in range(20_000)}}), REFUSED)
    yield Case("pickle.keras", b"\x80\4cos\nsystem\n(S'true'\ntR.", REFUSED)
    yield Case("hdf5.keras", parts[WEIGHTS], REFUSED)
    for name in parts:
        yield Case(f"without-{name}.keras", zipped({k: v for k, v in parts.items() if k != name}), REFUSED)
        yield Case(f"empty-{name}.keras", zipped({**parts, name: b""}), REFUSED)
        yield Case(f"twice-{name}.keras", zipped([*parts.items(), (name, parts[name])]), REFUSED)
        yield Case(f"half-{name}.keras", zipped({**parts, name: parts[name][: len(parts[name]) // 2]}), REFUSED)
    for name in parts:
        for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR):
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o777) << 16
            others = [(other if other != name else info, content) for other, content in parts.items()]
            yield Case(f"kind-{kind}-{name}.keras", zipped(others), REFUSED)
    strange = (
        "../evil", "/tmp/evil", "evil.py", "assets/../evil", "assets\\..\\evil", "assets/a\nb", "assets//a",
        "config.json/", "Config.json", "__init__.py", "C:\\evil", "model.weights.h5.bak",
    )  # fmt: skip
    for i, name in enumerate(strange):
        yield Case(f"member-{i}.keras", zipped({**parts, name: b"x"}), REFUSED)
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        yield Case(f"{name}.keras", zipped(parts, method), REFUSED)
    for name in parts:
        bomb = zipped({**parts, name: b" " * (64 << 20)}, zipfile.ZIP_DEFLATED)
        yield Case(f"bomb-{name}.keras", bomb, REFUSED)
    first, last = base.index(b"PK\1\2"), base.rindex(b"PK\1\2")  # entries of the directory
    local, end = base.rindex(b"PK\3\4"), base.rindex(b"PK\5\6")
    anchors = {"first": first, "last": last, "local": local, "end": end}
    yield from patches("lie", ".keras", base, anchors, """
        flags: last+8 0100; stream: last+8 0800; method: last+10 0800; crc: last+16 00000000;
        packed-size: last+20 01000000; size: last+24 0000007f; name: last+46 78; offset: last+42 00000000;
        far: last+42 ffffff7f; first-offset: first+42 01000000; local-flags: local+6 0100;
        local-crc: local+14 00000000; local-method: local+8 0800; local-packed-size: local+18 01000000;
        local-size: local+22 0000007f; local-name: local+30 78; local-signature: local+0 504b0000;
        local-extra: local+28 1000; count: end+10 0100; disk: end+4 0100; directory-size: end+12 00000000;
        directory-place: end+16 00000000; comment-size: end+20 0700; end: end+0 504b0000""")  # fmt: skip
    for i in range(20):  # a flipped bit in the members' contents
        name = list(parts)[i % 3]
        place = base.index(parts[name]) + (i * 7919) % len(parts[name])
        yield Case(f"flip-{i}.keras", patched(base, place, bytes([base[place] ^ 1 << i % 8])), REFUSED)
    gap = base[:local] + b"\0" * 8 + base[local:end] + patched(base[end:], 16, struct.pack("<I", first + 8))
    yield Case("gap.keras", patched(gap, last + 8 + 42, struct.pack("<I", local + 8)), REFUSED)


# .keras: what the configuration asks for


def configurations(base: bytes) -> Iterator[Case]:
    parts = members(base)
    config = parts[CONFIG].decode()

    def case(name: str, text: str | bytes, expected: str = REFUSED) -> Case:
        content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return Case(f"config-{name}.keras", zipped({**parts, CONFIG: content}), expected)

    for name, text in {
        "list": "[]", "null": "null", "number": "7", "empty-object": "{}", "text": "hello", "open": config[:-1],
        "twice": config[:-1] + ',"class_name":"Sequential"}', "deep": "[" * 300 + "]" * 300,
        "deeper": '{"a":' * 100_000, "many": '{"a":[' + "0," * 400_000 + "0]}",
        "latin": config.replace("base", "b\xe9").encode("latin-1"), "long-number": '{"a":' + "9" * 5000 + "}",
        "two": config + config, "utf-16": config.encode("utf-16"), "zero-byte": config + "\0",
    }.items():  # fmt: skip
        yield case(name, text)

    def edited(change: Callable[[dict[str, Any]], None]) -> str:
        copy = json.loads(config)
        change(copy)
        return json.dumps(copy)

    def hidden(**arguments: Any) -> str:
        return edited(lambda c: c["config"]["layers"][1]["config"].update(arguments))

    for name, units in {
        "billion": HUGE, "beyond-64-bits": 10**30, "negative": -1, "zero": 0, "fraction": 1.5, "word": "many",
        "none": None, "nan": float("nan"), "infinity": float("inf"), "list": [3], "other": 4,
    }.items():  # fmt: skip
        yield case(f"units-{name}", hidden(units=units))
    here = {"module": "keras.layers", "registered_name": None}
    nodes = {
        "popen": {
            "module": "subprocess",
            "class_name": "Popen",
            "config": {"args": ["true"]},
            "registered_name": "Popen",
        },
        "system": {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        "eval": {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
        "lambda": {"class_name": "__lambda__", "config": {"value": "4wAAAA=="}},
        "load": {"module": "keras.models", "class_name": "function", "config": "load_model", "registered_name": None},
        "get-file": {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": None},
        "module": {**here, "class_name": "core", "config": {}},
        "dunder": {**here, "class_name": "__import__", "config": {"name": "os"}},
        "path": {"module": "keras.layers.core", "class_name": "math", "config": {}, "registered_name": None},
        "numpy-object": {"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}},
        "tensor-text": {"class_name": "__tensor__", "config": {"value": ["a"], "dtype": "U10"}},
        "complex": {"class_name": "__numpy__", "config": {"value": [1], "dtype": "complex64"}},
        "wide-text": {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "U500000000"}},
        "wide-bytes": {"class_name": "__tensor__", "config": {"value": [1], "dtype": "V900000000"}},
    }
    for name, node in nodes.items():
        yield case(f"{name}-as-activation", hidden(activation=node))
        yield case(f"{name}-as-initializer", hidden(kernel_initializer=node))
        yield case(f"{name}-as-layer", edited(lambda c, node=node: c["config"]["layers"].append(node)))
        yield case(f"{name}-as-model", json.dumps(node))
        yield case(f"{name}-as-loss", edited(lambda c, node=node: c["compile_config"].update(loss=node)))
        yield case(f"{name}-as-optimizer", edited(lambda c, node=node: c["compile_config"].update(optimizer=node)))
    auc = {"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": HUGE}, "registered_name": None}
    iou = {**auc, "class_name": "MeanIoU", "config": {"num_classes": 100_000}}
    for name in ("SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"):
        goal = name.partition("At")[2].lower()
        at = {**auc, "class_name": name, "config": {"num_thresholds": HUGE, goal: 0.5}}
        yield case(f"many-{name}", edited(lambda c, at=at: c["compile_config"].update(metrics=[at])))
    less = {**auc, "class_name": "MeanIoU", "config": {"num_classes": -HUGE}}
    yield case("negative-classes", edited(lambda c: c["compile_config"].update(metrics=[less, iou])))
    for name, text in {
        "long-string": b'{"a":"' + b"a" * (8 << 20) + b'"}', "long-open": b'{"a":"' + b"\\\\" * (4 << 20),
        "long-escapes": b'{"a":"' + b"\\ud83d\\ude00" * (1 << 19) + b'"}', "closing": b"]" * (8 << 20),
    }.items():  # fmt: skip
        yield Case(f"config-{name}.keras", zipped({**parts, CONFIG: text}, zipfile.ZIP_DEFLATED), REFUSED)
    yield case("many-thresholds", edited(lambda c: c["compile_config"].update(metrics=[auc])))
    yield case("many-classes", edited(lambda c: c["compile_config"].update(metrics=[iou])))

    def stack(*added: dict[str, Any]) -> str:
        return edited(lambda c: c["config"]["layers"].extend(added))

    for name, inner in {
        "Dense": {"units": HUGE}, "Embedding": {"input_dim": HUGE, "output_dim": HUGE},
        "Conv1D": {"filters": HUGE, "kernel_size": 3},
        "Lambda": {"function": {"class_name": "__lambda__", "config": {"code": "4wAAAA=="}}},
        "TFSMLayer": {"filepath": "/etc/passwd"}, "Reshape": {"target_shape": [HUGE, HUGE]}, "Nothing": {},
        "Input": {"batch_shape": [None, 4]},
    }.items():  # fmt: skip
        yield case(
            f"more-{name}",
            stack({**here, "class_name": name, "config": inner, "build_config": {"input_shape": [None, 2]}}),
        )
    same = json.loads(config)["config"]["layers"][1]
    yield case("one-name-twice", stack(same))
    yield case("input", edited(lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[HUGE, HUGE])))
    yield case("input-words", edited(lambda c: c["config"]["layers"][0]["config"].update(batch_shape=["a", "b"])))
    yield case("build", edited(lambda c: c["config"]["layers"][1].update(build_config={"input_shape": [None, HUGE]})))
    yield case("build-words", edited(lambda c: c["config"]["layers"][1].update(build_config={"input_shape": "all"})))
    yield case("unknown-option", hidden(future=3))
    yield case("inert-option", hidden(future=None), READ)
    yield case("dtype", hidden(dtype="float31"))
    yield case("name", edited(lambda c: c["config"]["layers"][1]["config"].update(name=[1])))
    x = layerwise.Input((4,), name="x")
    graph = layerwise.Model(x, layers.Dense(2, name="d")(layers.Dense(3, name="e")(x)), name="graph")
    node = layerwise.saving.serialize_keras_object(graph)

    def wired(change: Callable[[dict[str, Any]], None]) -> str:
        copy = json.loads(json.dumps(node))
        change(copy["config"])
        return json.dumps(copy)

    def call_of(config: dict[str, Any], i: int) -> dict[str, Any]:
        return config["layers"][i]["inbound_nodes"][0]["args"][0]["config"]

    yield case("graph-circle", wired(lambda c: call_of(c, 1).update(keras_history=["d", 0, 0])))
    yield case("graph-nobody", wired(lambda c: call_of(c, 1).update(keras_history=["nobody", 0, 0])))
    yield case("graph-far-call", wired(lambda c: call_of(c, 2).update(keras_history=["e", HUGE, 0])))
    yield case("graph-negative-call", wired(lambda c: call_of(c, 2).update(keras_history=["e", -1, 0])))
    yield case("graph-words", wired(lambda c: call_of(c, 2).update(keras_history="e")))
    yield case("graph-no-output", wired(lambda c: c.update(output_layers=["nobody", 0, 0])))
    yield case("graph-no-layers", wired(lambda c: c.update(layers=[])))
    yield case("graph-number", wired(lambda c: c.update(layers=7)))

    def operation(kind: str, *args: Any, **kwargs: Any) -> str:
        home = {"module": "keras.src.ops.numpy", "class_name": kind, "registered_name": kind, "config": {"name": "s"}}
        added = {**home, "name": "s", "inbound_nodes": [{"args": args, "kwargs": kwargs}]}
        return wired(lambda c: c["layers"].append(added))

    yield case("graph-operation", operation("System", "true"))
    # Sizes without weights: what is computed of constants while a graph is built must stay small.
    tensor = node["config"]["layers"][1]["inbound_nodes"][0]["args"][0]
    one = {"class_name": "__numpy__", "config": {"value": [1.0], "dtype": "float32"}}
    for name, text in {
        "zeros": operation("Zeros", [HUGE]), "arange": operation("Arange", HUGE), "eye": operation("Eye", HUGE),
        "tile": operation("Tile", tensor, [HUGE, HUGE]), "tile-one": operation("Tile", one, [HUGE]),
        "repeat": operation("Repeat", tensor, HUGE, axis=1), "one-hot": operation("OneHot", tensor, HUGE),
        "outer": operation("Multiply", {**one, "config": {**one["config"], "value": [[1.0]] * 30_000}},
                           {**one, "config": {**one["config"], "value": [1.0] * 30_000}}),
    }.items():  # fmt: skip
        yield case(f"asks-{name}", text, READ)
    yield case("asks-pieces", operation("Tensordot", tensor, tensor, axes=HUGE))
    for name, shape, inner in (
        ("BatchNormalization", [HUGE], {}), ("Normalization", [HUGE], {}),
        ("Normalization", [HUGE, 1], {"mean": 0.0, "variance": 1.0, "axis": 1}), ("RepeatVector", [4], {"n": HUGE}),
        ("Resizing", [8, 8, 1], {"height": HUGE, "width": HUGE}), ("UpSampling2D", [8, 8, 1], {"size": HUGE}),
        ("CenterCrop", [8, 8, 1], {"height": HUGE, "width": 9}),
        ("RandomRotation", [30_000, 30_000, 1], {"factor": 0.5}),
        ("RandomCrop", [30_000, 30_000, 1], {"height": HUGE, "width": 9}),
    ):  # fmt: skip
        layer = {**here, "class_name": name, "config": inner}
        entry = {**here, "class_name": "InputLayer", "config": {"batch_shape": [None, *shape]}}
        yield case(
            f"asks-{name}-{len(shape)}", edited(lambda c, e=entry, layer=layer: c["config"].update(layers=[e, layer]))
        )


def cards(base: bytes) -> Iterator[Case]:
    """What `layerwise train` keeps beside a model of two outputs."""
    parts = members(base)
    good = {"class_names": ["a", "b"], "drawing": {"fill": 0.5, "light_on_dark": True}, "pixels": [0.0, 255.0]}
    for name, changed in {
        "control": {}, "control-escapes": {"class_names": ["\x1b[2Ja", "\u202eb"]},
        "fill": {"drawing": {"fill": 1e6}}, "fill-text": {"drawing": {"fill": "all"}}, "drawing": {"drawing": [0.5]},
        "drawing-more": {"drawing": {"page": 1.0}}, "names": {"class_names": "ab"}, "fewer": {"class_names": ["a"]},
        "more": {"class_names": ["a", "b", "c"]}, "number": {"class_names": [1, 2]}, "pixels": {"pixels": [0.0]},
        "huge": {"pixels": [0.0, 10**400]}, "target": {"target": 7}, "kind": {"kind": {}}, "columns": {"columns": 7},
    }.items():  # fmt: skip
        metadata = {**json.loads(parts[METADATA]), "layerwise_notes": {"card": {**good, **changed}}}
        expected = READ if name.startswith("control") else REFUSED
        yield Case(f"{name}.card.keras", zipped({**parts, METADATA: json.dumps(metadata).encode()}), expected)


# Weights in HDF5, written by its own library


def edit_hdf5(content: bytes, change: Callable[[h5py.File], None], **options: Any) -> bytes:
    file = io.BytesIO(content)
    with h5py.File(file, "r+", **options) as archive:
        change(archive)
    return file.getvalue()


def changes(kernel: str) -> dict[str, Callable[[h5py.File], None]]:
    """What may be wrong with one dataset, of shape (4, 3)."""

    def put(**arguments: Any) -> Callable[[h5py.File], None]:
        def change(archive: h5py.File) -> None:
            del archive[kernel]
            archive.create_dataset(kernel, **arguments)

        return change

    def link(target: Any) -> Callable[[h5py.File], None]:
        def change(archive: h5py.File) -> None:
            del archive[kernel]
            archive[kernel] = target

        return change

    def virtual(archive: h5py.File) -> None:
        layout = h5py.VirtualLayout((4, 3), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4, 3))
        del archive[kernel]
        archive.create_virtual_dataset(kernel, layout)

    def again(archive: h5py.File) -> None:
        archive["again"] = archive[kernel]

    def circle(archive: h5py.File) -> None:
        archive[f"{kernel.rpartition('/')[0]}/circle"] = archive["/"]

    def shared_type(archive: h5py.File) -> None:
        archive["type"] = np.dtype("f4")
        del archive[kernel]
        archive.create_dataset(kernel, (4, 3), archive["type"])

    def deep(archive: h5py.File) -> None:
        archive.create_group("/".join("a" * 100))

    def newer(archive: h5py.File) -> None:
        archive.create_group("newer", track_order=True)

    ones = np.ones((4, 3), "f4")
    return {
        "soft-link": link(h5py.SoftLink("/elsewhere")),
        "external-link": link(h5py.ExternalLink("/etc/passwd", "/x")),
        "virtual": virtual,
        "external": put(shape=(4, 3), dtype="f4", external=[("/etc/passwd", 0, 48)]),
        "two-names": again,
        "circle": circle,
        "shared-type": shared_type,
        "deep": deep,
        "newer": newer,
        "link-beyond-ascii": lambda archive: archive.__setitem__("é", h5py.SoftLink("/elsewhere")),
        "missing": lambda archive: archive.__delitem__(kernel),
        "group": lambda a: (a.__delitem__(kernel), a.create_group(kernel)),
        "texts": put(data=[b"text"] * 12),
        "strings": put(data=["text"] * 12),
        "compound": put(data=np.zeros(3, "f4,i4")),
        "complex": put(data=ones.astype("c8")),
        "references": put(shape=(4, 3), dtype=h5py.ref_dtype),
        "lists": put(shape=(4,), dtype=h5py.vlen_dtype("f4")),
        "raw": put(data=np.zeros((4, 3), "V4")),
        "other-shape": put(data=ones.T),
        "flat": put(data=ones.ravel()),
        "scalar": put(data=np.float32(1)),
        "nothing": put(data=h5py.Empty("f4")),
        "huge": put(shape=(HUGE, 3), dtype="f4"),
        "huge-chunks": put(shape=(10**6, 10**6), dtype="f4", chunks=(10, 10)),
        "bomb": put(data=np.zeros((4096, 8192), "f4"), compression="gzip", chunks=(4096, 8192)),
        "big-chunk": put(data=ones, maxshape=(None, None), chunks=(8192, 4096), compression="gzip"),
        "lzf": put(data=ones, compression="lzf"),
        "scale": put(data=ones, scaleoffset=2),
        "checksum": put(data=ones, fletcher32=True),
        "user-filter": put(data=ones, chunks=(4, 3), compression=32001, allow_unknown_filter=True),
    }


def stored_weights(keras: bytes, weights: bytes, legacy: bytes) -> Iterator[Case]:
    parts = members(keras)
    places = {"layers/dense/vars/0": (weights, ".weights.h5"), "model_weights/hidden/hidden/kernel": (legacy, ".h5")}
    for kernel, (content, ending) in places.items():
        for name, change in changes(kernel).items():
            try:
                yield Case(f"weights-{name}{ending}", edit_hdf5(content, change), REFUSED)
            except (ValueError, OSError, TypeError):  # what this version of the library cannot write
                continue
        for options in (
            {"compression": "gzip"},
            {"compression": "gzip", "shuffle": True},
            {"chunks": (3, 2)},
            {"dtype": ">f4"},
        ):
            name = "-".join(map(str, options))

            def change(archive: h5py.File, kernel: str = kernel, options: dict[str, Any] = options) -> None:
                value = archive[kernel][()]
                del archive[kernel]
                archive.create_dataset(kernel, data=value, **options)

            ending_name = str(options.get("dtype", "")).strip(">")
            yield Case(f"control-{name}{ending_name}{ending}", edit_hdf5(content, change), READ)
        yield Case(f"control{ending}", content, READ)
        yield from cut("hdf5", ending, content, 10)
    chunked = edit_hdf5(weights, lambda archive: archive.create_dataset("chunked", data=np.ones((4, 3)), chunks=(2, 2)))
    rank = chunked.rindex(b"\3\2\3") + 2  # in the layout: version, class, rank
    yield Case("weights-chunks-without-rank.weights.h5", patched(chunked, rank, b"\0"), REFUSED)

    def in_archive(name: str, change: Callable[[h5py.File], None]) -> Case:
        return Case(f"sha-{name}.keras", zipped({**parts, WEIGHTS: edit_hdf5(parts[WEIGHTS], change)}), REFUSED)

    def write(path: str, value: Any) -> Callable[[h5py.File], None]:
        return lambda archive: archive.__getitem__(path).__setitem__((), value)

    yield in_archive("value", write("layers/dense/vars/1", 7.0))
    yield in_archive("slot", write("optimizer/vars/2", 7.0))
    yield in_archive("missing", lambda archive: archive.__delitem__("optimizer"))
    yield in_archive("more", lambda archive: archive.create_dataset("layers/dense/vars/2", data=1.0))
    metadata = json.loads(parts[METADATA])
    for name, table in {"list": [], "empty": {}, "number": {"a": 1}}.items():
        text = json.dumps({**metadata, "layerwise_sha256": table}).encode()
        yield Case(f"sha-table-{name}.keras", zipped({**parts, METADATA: text}), REFUSED)


def hdf5_structures(base: bytes) -> Iterator[Case]:
    """Bytes of HDF5's structures changed one by one."""
    (root,) = struct.unpack_from("<Q", base, 64)
    tree, heap, table, strings = (base.index(mark) for mark in (b"TREE", b"HEAP", b"SNOD", b"GCOL"))
    anchors = {"start": 0, "root": root, "tree": tree, "heap": heap, "table": table, "strings": strings}
    here = {name: struct.pack("<Q", place).hex() for name, place in anchors.items()}
    far, nowhere = struct.pack("<Q", 2**40).hex(), "ff" * 8
    yield from patches("structure", ".h5", base, anchors, f"""
        signature: start+1 58; version-1: start+8 01; version-2: start+8 02; version-3: start+8 03;
        version-9: start+8 09; offsets: start+13 04; base: start+24 01; longer: start+40 {far};
        driver: start+48 {here["start"]}; root-far: start+64 {far}; root-nowhere: start+64 {nowhere};
        root-zero: start+64 {here["start"]}; root-odd: start+64 01; header-version: root+0 02;
        header-new: root+0 4f484452; header-count: root+2 ffff; header-size: root+8 ffffffff;
        message-kind: root+16 eeee; message-size: root+18 ffff; message-shared: root+20 02; tree: tree+0 45455254;
        tree-kind: tree+4 01; tree-level: tree+5 07; tree-count: tree+6 ffff; tree-child: tree+32 {far};
        tree-circle: tree+32 {here["tree"]}; heap: heap+0 50414548; heap-size: heap+8 {far};
        heap-place: heap+24 {far}; heap-itself: heap+24 {here["heap"]}; table: table+0 444f4e53;
        table-count: table+6 ffff; name-far: table+8 {far}; name-empty: table+8 {here["start"]};
        object-far: table+16 {far}; object-root: table+16 {here["root"]}; object-itself: table+16 {here["table"]};
        link: table+24 02; strings: strings+0 4c4f4347; strings-size: strings+8 {far};
        string-size: strings+24 {far}""")  # fmt: skip
    yield Case("structure-prefix.h5", b"\0" * 512 + base, REFUSED)
    yield Case("structure-latest.h5", latest(), REFUSED)


def latest() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as archive:
        archive.create_dataset("x", data=np.ones(3))
    return file.getvalue()


# safetensors


def safetensors(base: bytes) -> Iterator[Case]:
    (size,) = struct.unpack_from("<Q", base)
    header, data = json.loads(base[8 : 8 + size]), base[8 + size :]
    name = next(key for key in header if key.endswith("hidden.kernel") or key.endswith("dense.kernel"))

    def made(text: str | bytes, body: bytes = data) -> bytes:
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return struct.pack("<Q", len(raw)) + raw + body

    def case(what: str, content: bytes, expected: str = REFUSED) -> Case:
        return Case(f"{what}.safetensors", content, expected)

    def entry(**changed: Any) -> bytes:
        return made(json.dumps({**header, name: {**header[name], **changed}}))

    start, end = header[name]["data_offsets"]
    yield case("control", base, READ)
    yield case("control-spaces", made(json.dumps(header) + "  "), READ)
    yield case("control-empty", made("{}", b""), READ)
    yield from cut("tensors", ".safetensors", base, 10)
    for what, size in (("zero", 0), ("huge", 2**63), ("all", 2**64 - 1), ("long", len(base)), ("short", 5)):
        yield case(f"header-{what}", struct.pack("<Q", size) + base[8:])
    for what, text in (
        ("list", "[]"), ("space", " {}"), ("open", "{"), ("null", "null"), ("twice", '{"a":1,"a":1}'),
        ("latin", b'{"\xe9":1}'), ("deep", '{"a":' * 300 + "1" + "}" * 300),
    ):  # fmt: skip
        yield case(f"json-{what}", made(text))
    yield case("trailing", base + b"\0")
    yield case("metadata", made(json.dumps({**header, "__metadata__": {"a": 1}})))
    yield case("metadata-list", made(json.dumps({**header, "__metadata__": []})))
    for what, changed in {
        "dtype": {"dtype": "F33"}, "dtype-number": {"dtype": 1}, "object": {"dtype": "O"},
        "complex": {"dtype": "C64"}, "shape-text": {"shape": "4"}, "shape-negative": {"shape": [-4, -3]},
        "shape-fraction": {"shape": [4.0, 3]}, "shape-true": {"shape": [True, 12]},
        "shape-large": {"shape": [2**40, 2**40]},
        "shape-nothing": {"shape": [0, 2**62, 2**62], "data_offsets": [start, start]}, "shape-other": {"shape": [3, 5]},
        "shape-deep": {"shape": [1] * 70 + [12]}, "offsets-back": {"data_offsets": [end, start]},
        "offsets-negative": {"data_offsets": [-end, start]},
        "offsets-far": {"data_offsets": [start + 2**40, end + 2**40]}, "offsets-one": {"data_offsets": [start]},
        "offsets-overlap": {"data_offsets": [start - 4, end - 4]}, "more": {"more": 1},
    }.items():  # fmt: skip
        yield case(f"entry-{what}", entry(**changed))
    yield case("entry-missing", made(json.dumps({k: v for k, v in header.items() if k != name})))
    yield case("entry-number", made(json.dumps({**header, name: 7})))
    boolean = made('{"b":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}', b"\1\2")
    yield case("boolean", boolean)
    yield case("control-boolean", boolean[:-1] + b"\0", READ)


def wide(folder: Path) -> Iterator[Case]:
    """Models of 36 MiB whose weights are narrower in the file, or compressed: too large for the corpus."""
    model = layerwise.Sequential([layers.Input((3,)), layers.Dense(3, use_bias=False, name="wide")])

    def wider(text: str) -> str:
        return text.replace("[null, 3]", "[null, 3072]").replace('"units": 3', '"units": 3072')

    for ending, kernel in ((".keras", "layers/dense/vars/0"), (".h5", "model_weights/wide/wide/kernel")):
        model.save(folder / f"base{ending}")
        content = (folder / f"base{ending}").read_bytes()
        parts = members(content) if ending == ".keras" else {}
        if parts:
            parts[METADATA] = b"{}"  # without the hashes
            parts[CONFIG] = wider(parts[CONFIG].decode()).encode()
        for name, expected, options in (
            ("f4", READ, {}), ("f2", READ, {"dtype": "f2"}), ("f8", READ, {"dtype": "f8"}),
            ("i1", REFUSED, {"dtype": "i1"}), ("gzip", REFUSED, {"compression": "gzip", "chunks": (3072, 3072)}),
        ):  # fmt: skip

            def change(archive: h5py.File, kernel: str = kernel, options: dict[str, Any] = options) -> None:
                del archive[kernel]
                archive.create_dataset(kernel, data=np.ones((3072, 3072)), **{"dtype": "f4", **options})
                if "model_config" in archive.attrs:
                    archive.attrs["model_config"] = wider(archive.attrs["model_config"])

            made = edit_hdf5(parts.get(WEIGHTS, content), change)
            yield Case(f"wide-{name}{ending}", zipped({**parts, WEIGHTS: made}) if parts else made, expected)


# Data sets


def idx() -> Iterator[Case]:
    body = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 3, 4) + bytes(range(24))
    yield Case("control.idx", body, READ)
    yield Case("control.idx.gz", gzip.compress(body), READ)
    for kind, width in ((9, 1), (11, 2), (12, 4), (13, 4), (14, 8)):
        yield Case(f"control-{kind}.idx", bytes([0, 0, kind, 1, 0, 0, 0, 2]) + b"\0" * 2 * width, READ)
    yield from cut("idx", ".idx", body, 12)
    yield from cut("idx", ".idx.gz", gzip.compress(body), 8)
    yield from patches("idx", ".idx", body, {"start": 0}, """
        magic: start+0 01; type: start+2 0a; rank-0: start+3 00; rank-255: start+3 ff; rank-2: start+3 02;
        size: start+4 ff; sizes: start+4 ffffffffffffffffffffffff; smaller: start+7 01""")  # fmt: skip
    yield Case("idx-trailing.idx", body + b"\0", REFUSED)
    yield Case("idx-sizes.idx.gz", gzip.compress(patched(body, 4, b"\xff" * 12)), REFUSED)
    zipped_body = bytearray(gzip.compress(body))
    zipped_body[-6] ^= 1
    yield Case("idx-crc.idx.gz", bytes(zipped_body), REFUSED)
    yield Case("idx-trailing.idx.gz", gzip.compress(body + b"\0"), REFUSED)


def lists() -> Iterator[Case]:
    """Archives with pickled lists of numbers, as those of IMDB and Reuters."""

    def archive(rows: Any) -> bytes:
        file = io.BytesIO()
        np.savez_compressed(file, x=np.array([*rows, []], object)[:-1], y=np.arange(len(rows)))
        return file.getvalue()

    rows = [list(range(i, 300 * i, 7)) for i in range(1, 6)]
    base = archive(rows)
    yield Case("control.lists.npz", base, READ)
    yield from cut("lists", ".lists.npz", base, 8)
    yield Case("lists-code.lists.npz", archive([[print]]), REFUSED)
    yield Case("lists-text.lists.npz", archive([["a"]]), REFUSED)
    yield Case("lists-nested.lists.npz", archive([[[1]]]), REFUSED)
    yield Case("lists-large.lists.npz", archive([[1 << 40]]), REFUSED)
    yield Case("lists-again.lists.npz", archive([list(range(1000))] * 20_000), REFUSED)
    npy = io.BytesIO()
    np.save(npy, np.array([[1, 2, 3, 4], []], object), allow_pickle=True)
    content = npy.getvalue()
    start = content.index(b"\x80", 10)
    for name, pickled in {
        "memo": b"\x80\x02]r\xff\xff\xff\x7f.", "deep": b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b".",
        "marks": b"\x80\x02" + b"(" * 10**5 + b".", "numbers": b"\x80\x02" + b"K\1" * 10**6 + b".", "empty": b"",
        "bytes": b"\x80\x04\x8e" + b"\xff" * 8 + b".", "long": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    }.items():  # fmt: skip
        yield Case(f"lists-{name}.lists.npz", zipped({"x.npy": content[:start] + pickled}), REFUSED)


def wav() -> Iterator[Case]:
    samples = struct.pack("<8h", *range(8))
    base = b"RIFF" + struct.pack("<I", 52) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 8000, 32000, 4, 16)
    base += b"data" + struct.pack("<I", 16) + samples
    yield Case("control.wav", base, READ)
    yield from cut("wav", ".wav", base, 10)
    yield from patches("wav", ".wav", base, {"start": 0}, """
        magic: start+0 00; kind: start+8 00; format: start+20 02; channels: start+22 0000; rate: start+24 00000000;
        bits: start+34 09; frame: start+32 05; size: start+40 ffffffff; odd: start+40 0f;
        chunk: start+16 ffffffff""")  # fmt: skip
    yield Case("wav-chunks.wav", base[:12] + b"junk\0\0\0\0" * 10**6, REFUSED)


def tfrecord() -> Iterator[Case]:
    file = io.BytesIO()
    for record in (b"first", b"", bytes(range(256)) * 8):
        for part in (struct.pack("<Q", len(record)), record):
            file.write(part + masked(part))
    base = file.getvalue()
    yield Case("control.tfrecord", base, READ)
    yield Case("control.tfrecord.gz", gzip.compress(base), READ)
    for i in (5, 14, 30, len(base) - 1):
        yield Case(f"tfrecord-cut-at-{i}.tfrecord", base[:i], REFUSED)
        yield Case(f"tfrecord-bit-{i}.tfrecord", patched(base, i, bytes([base[i] ^ 1])), REFUSED)
    packed = gzip.compress(base)
    for i in (5, 20, len(packed) // 2, len(packed) - 1):
        yield Case(f"tfrecord-cut-at-{i}.tfrecord.gz", packed[:i], REFUSED)
    for name, size in (("large", 2**63), ("larger", 2**64 - 1), ("gigabytes", 2**32), ("fits", 200 << 20)):
        head = struct.pack("<Q", size)
        yield Case(f"tfrecord-{name}.tfrecord", head + masked(head) + b"x" * 50, REFUSED)


def npz() -> Iterator[Case]:
    def array(text: str, body: bytes, magic: bytes = b"\x93NUMPY\1\0") -> bytes:
        raw = text.encode() + b"\n"
        return magic + struct.pack("<H", len(raw)) + raw + body

    file = io.BytesIO()
    np.savez(file, x=np.arange(12.0).reshape(3, 4), y=np.array(["a", "b"]), flag=np.array(True))
    base = file.getvalue()
    good = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
    yield Case("control.npz", base, READ)
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros(100), f=np.asfortranarray(np.ones((2, 3))))
    yield Case("control-compressed.npz", file.getvalue(), READ)
    yield Case("control-by-hand.npz", zipped({"x.npy": array(good, b"\0" * 16)}), READ)
    yield from cut("npz", ".npz", base, 12)
    file = io.BytesIO()
    np.savez(file, x=np.array([{}, print], dtype=object))
    yield Case("npz-objects.npz", file.getvalue(), REFUSED)
    for name, text in {
        "object": good.replace("<f8", "|O"), "complex": good.replace("<f8", "<c16"),
        "date": good.replace("<f8", "<M8"), "fields": good.replace("'<f8'", "[('a', '<f8')]"),
        "long": good.replace("2,", "9" * 15 + ","), "negative": good.replace("2,", "-2,"),
        "code": good.replace("(2,)", "(__import__('os').getpid(),)"), "more": good.replace("}", "'a': 1}"),
        "power": good.replace("2,", "9**9,"), "other": good.replace("2,", "3,"), "deep": "[" * 5000,
        "zero-width": good.replace("<f8", "|S0"), "ranks": good.replace("2,", "1," * 40 + "2,"),
        "true": good.replace("False", "None"), "empty": "",
    }.items():  # fmt: skip
        yield Case(f"npz-{name}.npz", zipped({"x.npy": array(text, b"\0" * 16)}), REFUSED)
    beyond = array(good.replace("<f8", "<U1"), b"\xff" * 8)
    yield Case("npz-beyond-unicode.npz", zipped({"x.npy": beyond}), REFUSED)
    yield Case("npz-magic.npz", zipped({"x.npy": array(good, b"\0" * 16, b"\x93NUMPZ\1\0")}), REFUSED)
    yield Case("npz-version.npz", zipped({"x.npy": array(good, b"\0" * 16, b"\x93NUMPY\7\0")}), REFUSED)
    yield Case("npz-member.npz", zipped({"../x": b"a"}), REFUSED)
    yield Case("npz-twice.npz", zipped([("x.npy", array(good, b"\0" * 16))] * 2), REFUSED)
    yield Case("npz-bzip2.npz", zipped({"x.npy": array(good, b"\0" * 16)}, zipfile.ZIP_BZIP2), REFUSED)
    flipped = bytearray(base)
    flipped[base.index(b"\x93NUMPY") + 140] ^= 1
    yield Case("npz-crc.npz", bytes(flipped), REFUSED)
    size = base.index(b"PK\1\2") + 24
    yield Case("npz-size.npz", patched(base, size, b"\xff\xff\xff\x7f"), REFUSED)
    yield Case("npz-pickle.npz", b"\x80\4cos\nsystem\n(S'true'\ntR.", REFUSED)


def csv() -> Iterator[Case]:
    yield Case("control.csv", b"a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n", READ)
    yield Case("control-bom.csv", b"\xef\xbb\xbfa,kind\r\n1,x\r\n2,y\r\n", READ)
    for name, text in {
        "empty": b"", "line": b"\n", "names": b"a,kind\n", "numbers": b"1,2\n3,4\n", "twice": b"a,a\n1,2\n",
        "nameless": b"a,\n1,2\n", "short": b"a,b,kind\n1,2\n", "long": b"a,kind\n1,x,3\n", "missing": b"a,kind\n,x\n",
        "nan": b"a,kind\nnan,x\n", "inf": b"a,kind\n1e999,x\n", "word": b"a,kind\nhello,x\n",
        "formula": b"a,kind\n=1+1,x\n", "hex": b"a,kind\n0x10,x\n", "under": b"a,kind\n1_0,x\n",
        "latin": b"a,kind\n1,\xe9\n", "quote": b'a,kind\n1,"x\n', "utf-16": "a,kind\n1,x\n".encode("utf-16"),
        "zero": b"a,kind\n1\0,x\n", "arabic": "a,kind\n\u0661\u066b,x\n".encode(),
        "field": b"a,kind\n" + b"1" * 200_000 + b",x\n", "no-target": b"a,b\n1,2\n", "png": b"\x89PNG\r\n\x1a\n",
        "many": b"a," * 3 + b"kind\n1,1,1,x\n",
    }.items():  # fmt: skip
        yield Case(f"csv-{name}.csv", text, REFUSED)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(width: int, height: int, pixels: bytes, colour: int = 0, bits: int = 8, body: bytes | None = None) -> bytes:
    """A PNG file of these pixels, or with `body` in the place of what is packed."""
    if body is None:
        row = len(pixels) // height
        body = zlib.compress(b"".join(b"\0" + pixels[i * row : i * row + row] for i in range(height)), 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png() -> Iterator[Case]:
    def made(width: int = 4, height: int = 3, bits: int = 8, colour: int = 0, body: bytes | None = None) -> bytes:
        packed = zlib.compress(b"\0\1\2\3\4" * 3) if body is None else body
        return picture(width, height, b"", colour, bits, packed)

    base = made()
    yield Case("control.png", base, READ)
    yield Case("control-text.png", base[:33] + chunk(b"tEXt", b"a\0b") + base[33:], READ)
    yield from cut("png", ".png", base[:-16], 10)
    for name, content in {
        "signature": b"X" + base[1:], "wide": made(2**31 - 1, 2**31 - 1), "large": made(50_000, 50_000),
        "empty": made(0, 0), "bits": made(bits=7), "colour": made(colour=5), "crc": patched(base, 30, b"\0"),
        "data": made(body=b"no zlib"), "nothing": made(body=b""), "text": b"hello", "html": b"<svg xmlns='x'/>",
        "palette": made(colour=3, bits=1, width=2**30),
        "bomb": made(40_000, 40_000, body=zlib.compress(b"\0" * (1 << 20))),
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        "icon": b"\0\0\1\0\1\0" + b"\0" * 16,
        "text-bomb": base[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b" " * (200 << 20))) + base[33:],
    }.items():  # fmt: skip
        yield Case(f"png-{name}.png", content, REFUSED)


def cifar() -> Iterator[Case]:
    folder = "cifar-10-batches-py"
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]

    def batch(rows: int = 1, labels: str = "(lp0\nI7\na", dtype: str = "u1", size: int = 3072) -> bytes:
        pixels = "\\x00" * size
        array = (
            "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n"
            f"(I{rows}\nI3072\ntcnumpy\ndtype\n(S'{dtype}'\nI0\nI1\ntR"
            f"(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'{pixels}'\ntb"
        )
        return f"(dS'data'\n{array}sS'labels'\n{labels}s.".encode()

    def packed(
        parts: dict[str, bytes], kind: bytes = tarfile.REGTYPE, prefix: str = f"{folder}/", size: int | None = None
    ) -> bytes:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, content in parts.items():
                info = tarfile.TarInfo(prefix + name)
                info.type, info.linkname = kind, "/etc/passwd"
                info.size = len(content) if kind == tarfile.REGTYPE else 0
                archive.addfile(info, io.BytesIO(content))
        return file.getvalue()

    good = dict.fromkeys(names, batch())
    base = packed(good)
    yield Case("control.tar.gz", base, READ)
    yield Case("control-climbing-names.tar.gz", packed(good, prefix="../../../"), READ)  # nothing is written anywhere
    yield from cut("cifar", ".tar.gz", base, 8)
    for name, kind in (
        ("symbolic", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE),
        ("fifo", tarfile.FIFOTYPE), ("folder", tarfile.DIRTYPE),
    ):  # fmt: skip
        yield Case(f"cifar-{name}.tar.gz", packed(good, kind), REFUSED)
    for name, content in {
        "system": b"cos\nsystem\n(S'touch evil'\ntR.", "eval": b"c__builtin__\neval\n(S'1'\ntR.",
        "reduce": b"\x80\2cbuiltins\nexec\nU\x01aR.", "instance": b"(S'true'\nios\nsystem\n.",
        "persistent": b"Pevil\n.", "extension": b"\x82\1.", "stack": b"R.", "empty": b"", "text": b"hello",
        "numbers": b"I1\n.", "rows": batch(rows=2), "size": batch(size=3071), "dtype": batch(dtype="O8"),
        "label": batch(labels="(lp0\nI10\na"), "labels": batch(labels="(lp0\nI1\naI2\na"),
        "long": b"\x8a\xff" + b"\0" * 10 + b".", "memo": b"h\7.", "cut": batch()[:-20],
        "large-text": b"T\xff\xff\xff\x7f.", "unicode": b"(dVdata\nI1\ns.",
    }.items():  # fmt: skip
        yield Case(f"cifar-{name}.tar.gz", packed({**good, "data_batch_3": content}), REFUSED)
    yield Case("cifar-missing.tar.gz", packed({k: v for k, v in good.items() if k != "test_batch"}), REFUSED)
    yield Case("cifar-too-large.tar.gz", packed({**good, "data_batch_1": b"\0" * (65 << 20)}), REFUSED)


def write(folder: Path, cases: Callable[[Path], Iterator[Case]] = corpus) -> dict[str, str]:
    """Write files into an empty folder; returns what is expected of each."""
    expected = {}
    for case in cases(folder):
        if case.name in expected:
            raise ValueError(f"two files of the name {case.name}")
        (folder / case.name).write_bytes(case.content)
        expected[case.name] = case.expected
    return expected


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True)
    listed = write(target)
    (target / "expected.json").write_text(json.dumps(listed, indent=1))
    print(f"{len(listed)} files, {list(listed.values()).count(READ)} of them valid")

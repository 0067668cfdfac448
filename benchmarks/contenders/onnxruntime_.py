"""ONNX Runtime on the guide's convolutional network, written down node by node."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import onnxruntime
import work as bench
from onnx import TensorProto, helper, numpy_helper

options = onnxruntime.SessionOptions()


def setup(flavour: str, threads: int) -> None:
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1


def versions() -> dict[str, str]:
    return {"onnxruntime": version("onnxruntime")}


def session() -> onnxruntime.InferenceSession:
    weights = [numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(bench.weights_channels_first("cnn"))]
    nodes, last = [], "x"

    def add(kind: str, *inputs: str, **attributes: Any) -> None:
        nonlocal last
        nodes.append(helper.make_node(kind, [last, *inputs], [f"{kind}{len(nodes)}"], **attributes))
        last = nodes[-1].output[0]

    for i in range(3):
        add("Conv", f"w{2 * i}", f"w{2 * i + 1}")
        add("Relu")
        if i < 2:
            add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    add("Flatten")
    add("Gemm", "w6", "w7", transB=1)
    add("Relu")
    add("Gemm", "w8", "w9", transB=1)
    add("Softmax")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])
    y = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph(nodes, "cnn", [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def predict(work: bench.Work) -> dict[str, Callable[[], Any]]:
    x = bench.examples(work)[0].reshape(-1, 1, 28, 28)  # one channel: first or last is the same
    run = session().run
    if len(x) == work.batch:
        return {"session.run": lambda: run(None, {"x": x})[0]}
    batches = range(0, len(x), work.batch)
    return {"session.run": lambda: np.concatenate([run(None, {"x": x[i : i + work.batch]})[0] for i in batches])}

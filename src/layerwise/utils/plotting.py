"""`plot_model` and `model_to_dot`: a model as a picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from ..naming import expect, one_of
from .drawing.contents import HEADER, PLAIN, Diagram, Options, Rows, diagram_of
from .drawing.layout import picture_of
from .drawing.painting import SPLINES, pixels, svg

_PIXELS = ("png", "jpg", "jpeg", "pdf", "gif", "bmp", "tiff", "webp")


class Dot:
    """A model as a text in Graphviz' language DOT, and as a picture, which needs no Graphviz

    It has the methods of pydot's class of this name that programs use; `model_to_dot` makes it.

    Args:
        diagram: what it shows.
        rankdir, dpi, splines, subgraph: as in `model_to_dot`.
    """

    def __init__(self, diagram: Diagram, rankdir: str, dpi: float, splines: str, subgraph: bool) -> None:
        self.diagram, self.rankdir, self.dpi, self.splines, self.subgraph = diagram, rankdir, dpi, splines, subgraph

    def to_string(self) -> str:
        """The text in DOT."""
        if self.subgraph:
            return "\n".join(_statements(self.diagram, "sub", ""))
        head = f"digraph G {{\nrankdir={self.rankdir}; dpi={self.dpi:g}; splines={self.splines}; concentrate=true;"
        font = 'node [shape=plaintext, fontname="Helvetica", margin=0];'
        return "\n".join([head, font, *_statements(self.diagram, "", ""), "}\n"])

    def create(self, prog: Any = None, format: str = "png") -> bytes:
        """The content of a file of this `format`: svg, png, jpg, pdf, gif, bmp, tiff, webp, or dot

        `prog`, the program of Graphviz' that pydot would call, is without effect.
        """
        form = one_of("plot_model: format", format.lower(), "svg", "dot", "raw", *_PIXELS)
        if form in ("dot", "raw"):
            return self.to_string().encode()
        picture = picture_of(self.diagram, self.rankdir)
        return svg(picture, self.splines).encode() if form == "svg" else pixels(picture, self.splines, self.dpi, form)

    def write(self, path: str | os.PathLike[str], prog: Any = None, format: str = "raw") -> bool:
        """Write what `create(prog, format)` gives to the file at `path`."""
        Path(path).write_bytes(self.create(prog, format))
        return True

    def _repr_svg_(self) -> str:
        """How notebooks show it."""
        return self.create(format="svg").decode()

    __str__ = to_string


def _statements(diagram: Diagram, name: str, indent: str) -> Iterator[str]:
    """DOT's text of a diagram's boxes and lines; a nested one is a cluster. `name` makes its boxes' names unique."""
    inner = indent + "  " if name else indent
    if name:
        yield f'{indent}subgraph cluster_{name} {{ style=dashed; labeljust=l; label="{_quoted(diagram.name)}";'
    for i, part in enumerate(diagram.parts.values()):
        if isinstance(part, Diagram):
            yield from _statements(part, f"{name}_{i}", inner)
        else:
            yield f"{inner}n{name}_{i} [label=<{_table(part)}>];"
    for source, target in diagram.lines:
        yield f"{inner}{_node(diagram, source, name, True)} -> {_node(diagram, target, name, False)};"
    if name:
        yield f"{indent}}}"


def _node(diagram: Diagram, end: Any, name: str, is_output: bool) -> str:
    """The name of the box that a line's end means, inside a nested diagram if need be."""
    i = list(diagram.parts).index(end.key)
    part = diagram.parts[end.key]
    if not isinstance(part, Diagram):
        return f"n{name}_{i}"
    ends = part.outputs if is_output else part.inputs
    return _node(part, ends[min(end.port, len(ends) - 1)], f"{name}_{i}", is_output)


def _table(rows: Rows) -> str:
    """A box as a table in Graphviz' HTML."""
    widest = max(map(len, rows))
    text = '<table border="0" cellborder="1" cellspacing="0" cellpadding="6">'
    for row in rows:
        text += "<tr>"
        for cell in row:
            plain, bold = escape(cell.text), f"<b>{escape(cell.bold)}</b>"
            label = bold + plain if cell.ground == HEADER else plain + bold
            ink = "black" if cell.ground == PLAIN else "white"
            span = widest if len(row) == 1 else 1
            text += f'<td colspan="{span}" bgcolor="{cell.ground}"><font color="{ink}">{label}</font></td>'
        text += "</tr>"
    return text + "</table>"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Dot:
    """A model as a `Dot`: a text in Graphviz' language, and a picture that needs no Graphviz

    As in `plot_model`: model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
    show_layer_activations, show_trainable, splines.

    Args:
        subgraph: its text is that of a cluster, to be put into another graph.

    >>> from layerwise import Input, Sequential, layers
    >>> dot = model_to_dot(Sequential([Input((2,)), layers.Dense(3, name="a"), layers.Dense(1, name="b")]))
    >>> dot.to_string().splitlines()[-2]
    'n_0 -> n_1;'
    """
    one_of("plot_model: rankdir", rankdir, "TB", "BT", "LR", "RL")
    one_of("plot_model: splines", splines, *SPLINES)
    expect("plot_model: dpi", dpi, dpi > 0, "a number > 0")
    if not model.built:
        raise ValueError(
            f"plot_model: {model.name!r} is not built: call it on a batch of data, or build(input_shape), first"
        )
    options = Options(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    return Dot(diagram_of(model, options), rankdir, dpi, splines, subgraph)


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """A picture of a model in a file: a box for each layer, a line for each result that another one takes

    Args:
        model: a functional or `Sequential` model; of any other one there is a single box.
        to_file: the file: SVG, DOT, or pixels (PNG, JPEG, PDF, ... by Pillow), by what its name ends in.
        show_shapes, show_dtype: say the shapes of what a layer takes and gives, and the dtype of what it gives.
        show_layer_names: say the names of layers besides their classes.
        rankdir: lines lead down, "TB", up, "BT", to the right, "LR", or to the left, "RL".
        expand_nested: show the layers of models in the model, in a frame.
        dpi: pixels an inch, which has 72 points; fewer where the picture would have more than 64 megapixels.
        show_layer_activations: say the activations of layers that have one.
        show_trainable: say whether the weights of a layer are trained.
        splines: how lines run: "ortho", "curved" or "spline", "polyline" or "line".

    Returns the picture as notebooks show it, inside of one, and else None.
    """
    dot = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False,
        show_layer_activations, show_trainable, splines,
    )  # fmt: skip
    form = Path(to_file).suffix[1:].lower() or "png"
    dot.write(to_file, format=form)
    if "IPython" not in sys.modules or form in ("pdf", "dot", "raw"):
        return None
    display = import_module("IPython.display")
    return display.SVG(filename=str(to_file)) if form == "svg" else display.Image(filename=str(to_file))

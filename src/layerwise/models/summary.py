"""A model as a table: layers, output shapes, parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import tree
from ..autograd import Tensor
from ..layers.base import Layer
from ..layers.calling import calls_of
from ..layers.core import InputLayer
from ..terminal import printable
from ..variables import Variable
from .graph import graph_of

if TYPE_CHECKING:
    from rich.table import Table

UNITS = ("B", "KB", "MB", "GB", "TB")


def rows(model: Any, expand_nested: bool = False, depth: int = 0) -> Iterator[tuple[str, Layer]]:
    """(indented name, layer) for every layer; a functional model's inputs included."""
    for layer in model.layers:
        yield "  " * depth + printable(layer.name), layer
        if expand_nested and getattr(layer, "layers", None):
            yield from rows(layer, expand_nested, depth + 1)


def output_shape(layer: Layer) -> str:
    """The shapes of the layer's outputs, "?" before it is built."""
    if not calls_of(layer):
        graph = graph_of(layer)
        if graph is None:
            return "?"
        shapes = [t.shape for t in graph.output_tensors]
    else:
        shapes = [t.shape for t in tree.flatten(calls_of(layer)[-1].outputs)]
    texts = ["(" + ", ".join(str(n) for n in shape) + ")" for shape in shapes]
    return texts[0] if len(texts) == 1 else ", ".join(texts)


def size(variables: Sequence[Variable]) -> str:
    """ "1,234 (4.82 KB)": how many numbers the variables hold, and the memory they take."""
    return amount(sum(v.size for v in variables), sum(v.nbytes for v in variables))


def amount(numbers: int, nbytes: float) -> str:
    """So many numbers, and the memory they take.

    >>> amount(1234, 4936)
    '1,234 (4.82 KB)'
    """
    unit = 0
    while nbytes >= 1024 and unit < len(UNITS) - 1:
        nbytes, unit = nbytes / 1024, unit + 1
    return f"{numbers:,} ({nbytes:.2f} {UNITS[unit]})"


def connected_to(layer: Layer) -> str:
    """The names of the layers whose outputs this one takes."""
    names = []
    for call in calls_of(layer):
        for leaf in tree.flatten((call.args, call.kwargs)):
            if type(leaf) is Tensor and leaf.history is not None:
                names.append(printable(leaf.history.name))
    return ", ".join(names) or "-"


def table(model: Any, expand_nested: bool = False, show_trainable: bool = False) -> Table:
    """A row for every layer; with the layers before it where the model is more than a chain."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    branching = (graph := graph_of(model)) is not None and any(
        len(graph.sources(call)) > 1 or len(calls_of(call.operation)) > 1
        for call in graph.calls
        if isinstance(call.operation, Layer)
    )
    title = escape(f'Model: "{printable(model.name)}"')
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("Layer (type)", overflow="fold")
    table.add_column("Output shape", overflow="fold")
    table.add_column("Parameters", justify="right")
    if branching:
        table.add_column("Connected to", overflow="fold")
    if show_trainable:
        table.add_column("Trainable", justify="center")
    for name, layer in rows(model, expand_nested):
        if isinstance(layer, InputLayer) and not branching:
            continue
        parameters = f"{layer.count_params():,}" if layer.built else "0 (not built)"
        cells = [escape(f"{name} ({type(layer).__name__})"), output_shape(layer), parameters]
        if branching:
            cells.append(escape(connected_to(layer)))
        if show_trainable:
            cells.append("yes" if layer.trainable else "no")
        table.add_row(*cells)
    return table


def totals(model: Any) -> list[str]:
    """A line for each kind of parameters: how many there are, and the memory they take."""
    lines = [
        f"Total parameters: {size(model.weights)}",
        f"Trainable: {size(model.trainable_weights)}",
        f"Not trainable: {size(model.non_trainable_weights)}",
    ]
    if variables := getattr(model.optimizer, "variables", None):
        lines.append(f"Optimizer: {size(variables)}")
    return lines


def summary(
    model: Any,
    line_length: int | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> None:
    """Print the table to the terminal, or give its lines to `print_fn`."""
    from rich.console import Console

    layers, lines = table(model, expand_nested, show_trainable), totals(model)
    if print_fn is None:
        console = Console(width=line_length)
        for part in (layers, *lines):
            console.print(part, highlight=False)
        return
    console = Console(width=line_length or 100, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(layers, highlight=False)
    for line in [*capture.get().rstrip().splitlines(), *lines]:
        print_fn(line.rstrip())

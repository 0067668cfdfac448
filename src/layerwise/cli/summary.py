"""`layerwise summary`."""

from argparse import Namespace
from typing import TYPE_CHECKING

from ..data.cells import NUMBER
from ..data.columns import Column
from ..models.summary import amount
from ..saving.contents import Array, Contents, describe
from ..terminal import printable
from . import card

if TYPE_CHECKING:
    from rich.table import Table


def run(options: Namespace) -> None:
    """Show what is in a model file, without making the model."""
    from rich.console import Console

    contents = describe(options.model)
    console = Console()
    console.print(_table(options.model, contents), highlight=False)
    for line in _lines(options.model, contents):
        print(printable(line, 2000))


def _table(path: str, contents: Contents) -> "Table":
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    title = escape(f"{path}: {contents.format}")
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("Layer (type)" if any(part.kind for part in contents.parts) else "Name", overflow="fold")
    table.add_column("Weights", overflow="fold")
    table.add_column("Parameters", justify="right")
    for part in contents.parts:
        name = printable(f"{part.name} ({part.kind})" if part.kind else part.name)
        shapes = " ".join("x".join(map(str, array.shape)) or "scalar" for array in part.arrays)
        table.add_row(escape(name), shapes, f"{sum(array.size for array in part.arrays):,}")
    return table


def _lines(path: str, contents: Contents) -> list[str]:
    lines = [f"Total parameters: {_amount([array for part in contents.parts for array in part.arrays])}"]
    if contents.optimizer:
        lines.append(f"Optimizer's state: {_amount(contents.optimizer)}")
    lines += [f"{name}: {fact}" for name, fact in contents.facts.items()]
    kept = card.read(contents.notes, path)
    if kept is not None:
        lines += [f"Columns: {', '.join(map(_column, kept.columns.columns))}"] if kept.columns else []
        classes = f"Classes: {', '.join(kept.class_names)}" if kept.class_names else None
        lines.append(classes or f"Predicts: {kept.target or 'a number'}")
    return lines


def _column(column: Column) -> str:
    return column.name if column.kind == NUMBER else f"{column.name} ({column.kind})"


def _amount(arrays: list[Array]) -> str:
    return amount(sum(array.size for array in arrays), sum(array.nbytes for array in arrays))

"""Tables on the terminal, however narrow."""

from collections.abc import Sequence

from ..terminal import printable

_GAP = 3  # columns between two


def show_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under titles; a line each `title: value` where the terminal is too narrow for that."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    rows = [[printable(text) for text in row] for row in rows]
    columns = list(zip(titles, *rows))
    if sum(max(map(len, column)) + _GAP for column in columns) > console.width:
        for row in rows:
            print()
            for title, text in zip(titles, row):
                print(f"{title}: {text}")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, *texts in columns:
        is_number = all(text[:1].isdigit() or text in ("", "-") for text in texts)
        table.add_column(title, justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table, highlight=False)

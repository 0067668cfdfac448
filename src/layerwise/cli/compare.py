"""`layerwise compare`."""

import csv
import json
import math
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..terminal import printable
from . import say
from .evaluate import result
from .results import HISTORY, RECORD
from .tables import show_table

_BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588", "_.-=+*%#"  # from low to high; where there is only ASCII
_CURVE = 10  # signs


@dataclass
class Run:
    """A training's record and history.

    settings: everything that was chosen, and what else the result may depend on.
    history: the numbers of each column, an epoch each; NaN where one is missing.
    """

    name: str
    settings: dict[str, Any]
    facts: dict[str, Any]
    history: dict[str, list[float]]

    @property
    def curve(self) -> list[float]:
        """The loss that tells most: of validation, where there is one."""
        return [v for v in self.history.get("val_loss") or self.history.get("loss", []) if math.isfinite(v)]


def run(options: Namespace) -> None:
    """Set trainings side by side: how good they became, how they learned, what was different."""
    folders = [path.parent if path.is_file() else path for path in map(Path, options.runs)]
    recorded = [folder for folder in folders if (folder / RECORD).is_file()]
    if others := [str(folder) for folder in folders if folder not in recorded]:
        say([f"no {RECORD} of `layerwise train`, left out: {', '.join(others)}"])
    if not recorded:
        raise ValueError(f"compare: none of these is a folder that `layerwise train` wrote: {' '.join(options.runs)}")
    runs = [_read(folder) for folder in recorded]
    rows = [
        [
            run.name,
            _text(run.facts.get("result")),
            _lowest(run.curve),
            _drawn(run.curve),
            _text(run.facts.get("seconds")),
        ]
        for run in sorted(runs, key=_rank)
    ]
    show_table(["run", "test", "lowest loss", "by epoch", "seconds"], rows)
    _tell_differences(runs)
    if options.picture:
        _draw(runs, options.picture)
        print(f"curves: {options.picture}")


def _read(folder: Path) -> Run:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        settings, facts = dict(record["settings"]), dict(record["facts"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{folder / RECORD}: not a record of `layerwise train` ({type(error).__name__})") from None
    history: dict[str, list[float]] = {}
    if (folder / HISTORY).is_file():
        with open(folder / HISTORY, encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                for name, text in row.items():
                    history.setdefault(str(name), []).append(_number(text))
    return Run(str(folder), settings, facts, history)


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def _rank(run: Run) -> tuple[bool, float]:
    """The best first: the most accurate, or with the smallest error; those without a result last."""
    found = run.facts.get("result")
    if not isinstance(found, dict) or not found:
        return True, 0.0
    accuracy = found.get("test accuracy")
    return False, _number(next(iter(found.values()))) if accuracy is None else -_number(accuracy)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        try:
            return result(value).removeprefix("test ").split(" (")[0]
        except (TypeError, ValueError):
            return "?"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _lowest(curve: list[float]) -> str:
    return f"{min(curve):.4f} ({curve.index(min(curve)) + 1})" if curve else "-"


def _drawn(curve: list[float]) -> str:
    """A line of blocks, as high as the values."""
    if not curve:
        return ""
    try:
        _BLOCKS[0].encode(sys.stdout.encoding or "ascii")
        blocks = _BLOCKS[0]
    except UnicodeEncodeError:
        blocks = _BLOCKS[1]
    shown = [curve[i * len(curve) // min(_CURVE, len(curve))] for i in range(min(_CURVE, len(curve)))]
    low, high = min(shown), max(shown)
    return "".join(blocks[round((value - low) / ((high - low) or 1) * (len(blocks) - 1))] for value in shown)


def _tell_differences(runs: list[Run]) -> None:
    if len(runs) < 2:
        return
    names = dict.fromkeys(name for run in runs for name in run.settings)
    print("What differed:")
    is_same = True
    for name in names:
        by_value: dict[str, list[str]] = {}
        for run in runs:
            by_value.setdefault(_text(run.settings.get(name)), []).append(run.name)
        if len(by_value) > 1:
            is_same = False
            found = "; ".join(f"{value} in {', '.join(where)}" for value, where in by_value.items())
            print(printable(f"  {name}: {found}", 2000))
    if is_same:
        print("  nothing that was recorded")


def _draw(runs: list[Run], path: str) -> None:
    """The loss of all runs in one picture: training and, dashed, validation."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError("--picture: matplotlib is not installed; pip install 'layerwise[plot]'") from None
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    for i, run in enumerate(runs):
        for name, style in (("loss", "-"), ("val_loss", "--")):
            if values := run.history.get(name):
                label = run.name if name == "loss" else None
                axes.plot(range(1, len(values) + 1), values, style, color=f"C{i % 10}", label=label)
    axes.set(xlabel="epoch", ylabel="loss (dashed: of validation)")
    axes.legend()
    figure.savefig(path)

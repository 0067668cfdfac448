"""results.json, and the table and the plot made of it."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from typing import Any

from peers import OURS, PEERS

MARK = "<!-- measured: everything below is written by run.py -->"
TITLES = {
    "train": "Training through `fit`, examples/s",
    "predict": "Predicting with the guide's CNN",
    "conv": "Single 3x3 convolutions, GFLOP/s",
    "matmul": "Matrix products, GFLOP/s",
    "memory": "Bound by memory, GB/s",
    "threads": "Threads, the guide's CNN, examples/s",
    "xla": "Training through `fit` on the XLA backend, examples/s",
    "mnist": "From a cold process to 99 % on MNIST",
}
Row = dict[str, Any]


def median(row: Row, name: str) -> float:
    return statistics.median(row["seconds"][name])


def ratio(row: Row, against: str = "best") -> float | None:
    """How many times as fast as a peer, or the best of them, Layerwise is."""
    peers = [name for name in row["seconds"] if name != OURS and against in ("best", name)]
    if OURS not in row["seconds"] or not peers:
        return None
    return min(median(row, name) for name in peers) / median(row, OURS)


def paired_ratio(before: list[float], after: list[float]) -> float:
    """The median, over the rounds, of how many times as fast the second is as the first."""
    return statistics.median(old / new for old, new in zip(before, after))


def share(row: Row, name: str = OURS) -> float | None:
    """Of the machine's peak: of its arithmetic, or of its copy bandwidth where bytes are what counts."""
    if name not in row["seconds"]:
        return None
    cost, peak = (row["flops"], row["peak_flops"]) if row["flops"] else (row["bytes"], row["peak_bytes"])
    return cost / median(row, name) / peak if cost else None


def figure(row: Row, name: str) -> str:
    """The median in the row's unit."""
    if name not in row["seconds"]:
        return ""
    seconds = median(row, name)
    if row["unit"] == "µs":
        return _digits(seconds * 1e6)
    return _digits(seconds if row["unit"] == "s" else row["amount"] / seconds)


def _digits(value: float) -> str:
    """Three significant digits, whole numbers in full."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def goals(row: Row) -> str:
    """Each goal, and whether it is met."""
    said = []
    for peer, wanted in row["goals"].items():
        got = ratio(row, peer)
        if got is not None:
            said.append(f"{wanted:g}x {'the best' if peer == 'best' else peer}: {_met(got >= wanted, f'{got:.2f}x')}")
    got = share(row)
    if row["share"] and got is not None:
        said.append(f"{row['share']:.0%} of peak: {_met(got >= row['share'], f'{got:.0%}')}")
    return "; ".join(said)


def _met(met: bool, value: str) -> str:
    return f"{value} {'✓' if met else '✗'}"


def table(rows: list[Row]) -> list[str]:
    """A group's rows in Markdown, with the contenders that any of them has."""
    names = [name for name in (OURS, *PEERS) if any(name in row["seconds"] for row in rows)]
    head = ["work", *names, "ratio to the best peer", "share of peak", "goals"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 2) + ["---"]]
    for row in rows:
        unit = f", {row['unit']}" if row["group"] in ("predict", "mnist") else ""
        against, of_peak = ratio(row), share(row)
        lines.append(
            [
                row["name"] + unit,
                *(figure(row, name) for name in names),
                "" if against is None else f"{against:.2f}",
                "" if of_peak is None else f"{of_peak:.0%}",
                goals(row),
            ]
        )
    return ["| " + " | ".join(line) + " |" for line in lines]


def remarks(group: str, rows: list[Row]) -> list[str]:
    """What a group's table cannot hold: memory of cold runs, speed-up by threads."""
    if group == "threads" and len(rows) == 2:
        one, two = rows
        both = [name for name in one["seconds"] if name in two["seconds"]]
        gains = ", ".join(f"{name} {median(one, name) / median(two, name):.2f}" for name in both)
        return ["", f"Speed-up from 1 to 2 threads: {gains}. Goal: 1.8."]
    if group == "mnist":
        return ["", *(line for row in rows for line in _cold_remarks(row))]
    return []


def _cold_remarks(row: Row) -> list[str]:
    def of(name: str, key: str) -> float:
        return statistics.median(run[key] for run in row["runs"][name])

    said = [
        f"{name} {of(name, 'megabytes'):,.0f} MB, {of(name, 'epochs'):.0f} epochs, {of(name, 'accuracy'):.2%}"
        for name in row["runs"]
    ]
    lines = ["Peak memory, epochs that it took, and test accuracy reached: " + "; ".join(said) + "."]
    others = [of(name, "megabytes") for name in row["runs"] if name != OURS]
    if OURS in row["runs"] and others:
        used = of(OURS, "megabytes") / min(others)
        lines.append(f"Memory of Layerwise: {used:.2f} of the thriftiest peer's. Goal: 0.5.")
    return lines


def markdown(results: dict[str, Any]) -> str:
    """Everything below the mark."""
    rows, threads = results["rows"], results["threads"]
    days = sorted({row["date"] for row in rows})
    peaks = {row["threads"]: (row["peak_flops"], row["peak_bytes"]) for row in rows}
    said = [
        f"with {n} thread{'s' * (n > 1)} {flops / 1e9:,.0f} GFLOP/s and {copied / 1e9:,.0f} GB/s"
        for n, (flops, copied) in sorted(peaks.items())
    ]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results["versions"].items()))
    lines = [
        "",
        f"Measured {' to '.join(dict.fromkeys([days[0], days[-1]]))} on {results['cpu']}, {threads} threads, in "
        f"{min(row['rounds'] for row in rows)} rounds or more.",
        f"Peak ({results['peak_source']}; copies): {', '.join(said)}.",
        f"Versions: {versions}.",
    ]
    if any(ratio(row) is not None for row in rows):
        lines += ["", "![Speed of each contender, as a multiple of the best peer's](results.png)"]
    for group, title in TITLES.items():
        found = [row for row in rows if row["group"] == group]
        if found:
            lines += ["", f"## {title}", "", *table(found), *remarks(group, found)]
    return "\n".join(lines) + "\n"


def plot(results: dict[str, Any], path: Path) -> None:
    """Each row's contenders as multiples of its best peer."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [row for row in results["rows"] if ratio(row) is not None]
    if not rows:
        return
    figure, axes = plt.subplots(figsize=(9, 1 + 0.24 * len(rows)), layout="constrained")
    for name, marker in zip((OURS, *PEERS), "Dosv^<>PX"):
        points = [
            (min(median(row, peer) for peer in row["seconds"] if peer != OURS) / median(row, name), height)
            for height, row in enumerate(rows)
            if name in row["seconds"]
        ]
        if points:
            ours = name == OURS
            axes.scatter(*zip(*points), marker=marker, s=46 if ours else 22, label=name, zorder=3 if ours else 2)
    axes.axvline(1, color="grey", linewidth=1)
    axes.set(xscale="log", xlabel="speed, as a multiple of the best peer's", ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
    figure.savefig(path, dpi=110)


def merged(new: dict[str, Any], path: Path) -> dict[str, Any]:
    """The results with rows of earlier runs on the same machine that were not measured again."""
    if not path.exists():
        return new
    old = json.loads(path.read_text("utf-8"))
    if (old["cpu"], old["threads"]) != (new["cpu"], new["threads"]):
        return new
    again = {row["name"] for row in new["rows"]}
    rows = [row for row in old["rows"] if row["name"] not in again] + new["rows"]
    order = {name: i for i, name in enumerate(new["order"])}
    rows = sorted((row for row in rows if row["name"] in order), key=lambda row: order[row["name"]])
    return {**new, "versions": {**old["versions"], **new["versions"]}, "rows": rows}


def write(results: dict[str, Any], folder: Path) -> None:
    """results.json, README.md and results.png."""
    folder.mkdir(parents=True, exist_ok=True)
    results = merged(results, folder / "results.json")
    (folder / "results.json").write_text(_compact(results), "utf-8")
    page = folder / "README.md"
    introduction = page.read_text("utf-8").split(MARK)[0] if page.exists() else ""
    page.write_text(f"{introduction}{MARK}\n{markdown(results)}", "utf-8")
    try:
        plot(results, folder / "results.png")
    except ImportError:
        print("No plot: matplotlib is not installed.")


def _compact(results: dict[str, Any]) -> str:
    """JSON whose differences can be read: lists of numbers on one line."""
    text = json.dumps(results, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda numbers: " ".join(numbers[0].split()), text) + "\n"

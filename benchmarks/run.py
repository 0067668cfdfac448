"""Measure Layerwise and its peers, in turns, on the same work.

    python benchmarks/run.py                  everything: half an hour or more, then README.md and its plot
    python benchmarks/run.py train conv       some groups, or works whose names contain a word; the other rows stay
    python benchmarks/run.py train --contenders Layerwise PyTorch
    python benchmarks/run.py --against DIR    another checkout, compiled in its .venv, in place of the peers; fails if
                                              the median of the rounds' ratios is below 0.97, and writes nothing
    python benchmarks/run.py --quick          does every work briefly: its figures mean nothing and are not written

Each round asks every contender for one repetition of the work; the medians of the rounds count. Networks train on
MNIST, from the folder that LAYERWISE_TEST_DATA names, or ../shared/data, with the four IDX files (.gz) in its mnist/;
on noise where it is not there.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import machine
import report
from peers import BEFORE, KINDS, OURS, PEERS, ContenderError, Worker, checkouts, cold_run
from work import Work, mnist_folder, works

HERE = Path(__file__).parent
COLD_ROUNDS = 3  # of some minutes each
SLOWEST = 0.97  # of the other checkout's speed
TOLERANCE = 1e-3  # between the results of contenders, relative to their magnitude


class Run:
    """The contenders' processes, the machine's peaks, and the rows measured so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.workers: dict[tuple[str, int, str], Worker] = {}
        self.peaks: dict[int, tuple[float, float]] = {}
        self.versions: dict[str, str] = {}
        self.failures: list[str] = []
        self.rows: list[report.Row] = []

    def measure(self, together: Sequence[Work]) -> None:
        """Rows for some works whose rounds alternate; no two of them for the same number of threads."""
        ready = [(work, worker, answer) for work in together for worker, answer in self._prepare(work)]
        rows = {work.name: self._row(work) for work in together}
        for work, worker, answer in ready:
            rows[work.name]["ways"][worker.name] = answer["way"]
        self._compare(ready)
        for turn in range(self.options.rounds):
            for work in together:
                self._measure_peak(self._threads(work))
            start = turn % max(1, len(ready))
            for work, worker, _ in ready[start:] + ready[:start]:
                try:
                    rows[work.name]["seconds"].setdefault(worker.name, []).append(worker.ask()["seconds"])
                except ContenderError as error:
                    self._fail(work, worker, error)
                    ready = [entry for entry in ready if entry[1] is not worker]
        self._add(rows.values())

    def measure_cold(self, work: Work, folder: Path) -> None:
        """A row of new processes."""
        row = {**self._row(work), "runs": {}}
        self._measure_peak(self._threads(work))
        for seed in range(min(self.options.rounds, COLD_ROUNDS)):
            for name in self._names(work):
                try:
                    run = cold_run(name, work, self._threads(work), self.options.backend, folder, seed)
                except ContenderError as error:
                    self.failures.append(f"{work.name}: {error}")
                    continue
                if run["accuracy"] < work.target:
                    self.failures.append(f"{work.name}: {name} reached {run['accuracy']:.2%} in {run['epochs']} epochs")
                row["runs"].setdefault(name, []).append(run)
                row["seconds"].setdefault(name, []).append(run["seconds"])
        self._add([row])

    def _names(self, work: Work) -> list[str]:
        if self.options.against:
            return [OURS, BEFORE]
        return [name for name in (KINDS.get(work.group) or KINDS[work.kind]) if name in self.options.contenders]

    def _threads(self, work: Work) -> int:
        return work.threads or self.options.threads

    def _prepare(self, work: Work) -> list[tuple[Worker, dict[str, Any]]]:
        """The workers that do this work, started where they are not there yet, and what each says about it."""
        found = []
        for name in self._names(work):
            key = name, self._threads(work), (work.backend or self.options.backend) if name in checkouts else ""
            worker = self.workers.get(key)
            try:
                if worker is None:
                    worker = self.workers[key] = Worker(*key)
                    self.versions |= worker.versions if name != "NumPy" and not work.backend else {}
                answer = worker.ask(prepare=dataclasses.asdict(work), seconds=0.005 if self.options.quick else 0.2)
            except ContenderError as error:
                self._fail(work, worker, error)
                continue
            if answer:
                found.append((worker, answer))
        return found

    def _fail(self, work: Work, worker: Worker | None, error: ContenderError) -> None:
        self.failures.append(f"{work.name}: {error}")
        if worker is not None:
            worker.close()
            self.workers = {key: other for key, other in self.workers.items() if other is not worker}

    def _compare(self, ready: Sequence[tuple[Work, Worker, dict[str, Any]]]) -> None:
        """Contenders whose results differ do not do the same work."""
        for work in {id(work): work for work, *_ in ready}.values():
            digests = {worker.name: answer["digest"] for w, worker, answer in ready if w is work and answer["digest"]}
            for name, (mean, magnitude) in digests.items():
                first = next(iter(digests))
                expected_mean, expected = digests[first]
                if max(abs(mean - expected_mean), abs(magnitude - expected)) > TOLERANCE * expected:
                    self.failures.append(
                        f"{work.name}: {name} computes something else than {first}: mean and mean magnitude are "
                        f"{mean:.6g} and {magnitude:.6g}, not {expected_mean:.6g} and {expected:.6g}"
                    )

    def _measure_peak(self, threads: int) -> None:
        """The highest that the run saw counts."""
        measured = machine.peak(threads)
        self.peaks[threads] = tuple(map(max, measured, self.peaks.get(threads, measured)))

    def _row(self, work: Work) -> report.Row:
        kept = ("name", "group", "unit", "amount", "flops", "bytes", "goals", "share")
        return {
            **{name: getattr(work, name) for name in kept},
            "threads": self._threads(work), "date": datetime.date.today().isoformat(), "rounds": self.options.rounds,
            "seconds": {}, "ways": {},
        }  # fmt: skip

    def _add(self, rows: Any) -> None:
        for row in rows:
            if not row["seconds"]:
                continue
            self.rows.append(row)
            figures = ", ".join(f"{name} {report.figure(row, name)}" for name in row["seconds"])
            print(f"{row['name']} ({row['unit']}): {figures}{self._against(row)}", flush=True)

    def _against(self, row: report.Row) -> str:
        """The median of the rounds' ratios to the other checkout, where there is one; too low a one is a failure."""
        if BEFORE not in row["seconds"] or OURS not in row["seconds"]:
            return ""
        ratio = report.paired_ratio(row["seconds"][BEFORE], row["seconds"][OURS])
        if ratio < SLOWEST:
            self.failures.append(f"{row['name']}: {ratio:.3f} of the speed of {self.options.against}")
        return f", ratio {ratio:.3f}"

    def close(self) -> None:
        for worker in self.workers.values():
            worker.close()

    def results(self) -> dict[str, Any]:
        for row in self.rows:
            row["peak_flops"], row["peak_bytes"] = self.peaks[row["threads"]]
        return {
            "cpu": machine.cpu(), "threads": self.options.threads, "peak_source": machine.peak_source(),
            "versions": self.versions, "order": [work.name for work in works()], "rows": self.rows,
        }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everyone = [OURS, *PEERS]
    groups = ", ".join(report.TITLES)
    parser.add_argument("names", nargs="*", help=f"groups ({groups}) or parts of works' names")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="little work; files only with --out")
    parser.add_argument("--backend", default="", metavar="NAME", help="Layerwise's backend (default: its own default)")
    parser.add_argument("--contenders", nargs="+", choices=everyone, default=everyone, metavar="NAME",
                        help=f"some of: {', '.join(everyone)}")  # fmt: skip
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout, in place of the peers")
    parser.add_argument("--out", type=Path, help="folder for what is written (default: benchmarks/)")
    options = parser.parse_args()

    wanted = [
        work for work in works(options.quick)
        if not options.names or any(name == work.group or name in work.name for name in options.names)
    ]  # fmt: skip
    if not wanted:
        parser.error(f"no work is called {' or '.join(options.names)}; " + "; ".join(work.name for work in works()))
    if options.against:
        checkouts[BEFORE] = options.against.resolve()
    run = Run(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of `finally`: no stopped process stays behind
    try:
        for work in wanted:
            if work.group not in ("threads", "mnist"):
                run.measure([work])
        if scaling := [work for work in wanted if work.group == "threads"]:
            run.measure(scaling)
        run.close()
        for work in wanted:
            if work.group == "mnist":
                if folder := mnist_folder():
                    run.measure_cold(work, folder)
                else:
                    print(f"{work.name}: skipped, MNIST is not there; LAYERWISE_TEST_DATA names its folder")
    finally:  # what was measured until an interruption is kept
        run.close()
        if run.rows and not options.against and (options.out or not options.quick):
            report.write(run.results(), options.out or HERE)
    for failure in run.failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())

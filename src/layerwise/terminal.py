"""Progress on one line of the terminal: a bar that redraws itself, plain lines where the output goes elsewhere."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any

import numpy as np

from .config import is_interactive_logging_enabled
from .dtypes import number
from .naming import one_of

_SHORTEST_BAR = 5
_ENDLESS = 1 << 30  # columns of what is not a terminal
_on_screen: Progbar | None = None  # whose unfinished line the cursor stands on


class Progbar:
    """`12/50 ━━━━━──────── 0:03 left 80ms/step - loss: 0.3210`: how far a loop is, how fast, and its values.

    Args:
        target: the number of steps, None where unknown.
        width: of the bar, at most; the line never gets wider than the terminal.
        verbose: 0 shows nothing, 1 a bar in a terminal, 2 one line at the end, "auto" what suits the output.
        interval: seconds between redraws, at least.
        stateful_metrics: names of values shown as they come; the others are averaged over the steps.
        stateless_metrics: the opposite: names of the values to average; all others are shown as they come.
        unit_name: what is counted.
        title: stands at the beginning of the line.

    >>> bar = Progbar(2, verbose=2, title="half")
    >>> bar.update(1, [("loss", 0.5)])
    >>> bar.update(2, [("loss", 0.3)])
    half - 2/2 - 0:00 - .../step - loss: 0.4000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int | str = 1,
        interval: float = 0.1,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
        title: str = "",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Progbar: got stateful_metrics and stateless_metrics, expected one of them")
        self.target, self.width, self.interval, self.unit_name, self.title = target, width, interval, unit_name, title
        self.verbose = display_mode(verbose)
        self.seen = 0
        self._stateful = None if stateful_metrics is None else set(stateful_metrics)
        self._stateless = None if stateless_metrics is None else set(stateless_metrics)
        self._values: Mapping[str, Any] = {}
        self._sums: dict[str, tuple[float, int]] = {}
        self._start = perf_counter()
        self._after_first: tuple[float, int] | None = None  # time and count: the first step may compile
        self._due = self._start + interval
        self._finished = False

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Say that `current` steps are done, with pairs (name, value) or a mapping; the last step completes the line.

        Values that are not averaged are read when they are shown, and no sooner.
        """
        if self.verbose == 0 or self._finished:
            return
        now = perf_counter()
        if values:
            self._record(values, current - self.seen)
        self.seen = current
        if self._after_first is None and current:
            self._after_first = now, current
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if finalize:
            self._finish(now)
        elif self.verbose == 1 and now >= self._due:
            self._due = now + self.interval
            self._draw(now)

    def add(self, n: int, values: Any = None) -> None:
        """Say that `n` more steps are done."""
        self.update(self.seen + n, values)

    def _is_averaged(self, name: str) -> bool:
        if self._stateless is not None:
            return name in self._stateless
        return self._stateful is None or name not in self._stateful

    def _record(self, values: Any, steps: int) -> None:
        if isinstance(values, Mapping):
            if self._stateless == set():
                self._values = values  # nothing to average, nothing to read
                return
            values = values.items()
        shown = dict(self._values)
        for name, value in values:
            if self._is_averaged(name):
                total, count = self._sums.get(name, (0.0, 0))
                weight = max(steps, 1)
                value = float(np.mean(value) if isinstance(value, list | tuple) else value)
                self._sums[name] = total, count = total + value * weight, count + weight
                value = total / count
            shown[name] = value
        self._values = shown

    # What the line says

    def _count(self) -> str:
        if self._is_known:
            return f"{self.seen:>{len(str(self.target))}}/{self.target}"
        return f"{self.seen} {self.unit_name}{'' if self.seen == 1 else 's'}"

    def _head(self) -> list[str]:
        return [self.title, self._count()] if self.title else [self._count()]

    def _rate(self, seconds: float) -> str:
        """How fast, given the seconds a step takes."""
        unit, factor = ("s", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
        return f"{seconds * factor:.0f}{unit}/{self.unit_name}"

    @property
    def _is_known(self) -> bool:
        """Whether it is known how many steps there are; one that is surpassed was wrong."""
        return self.target is not None and self.seen <= self.target

    def _timing(self, now: float, done: bool) -> list[str]:
        """Time (left or taken) and rate."""
        start, count = self._start, 0
        if self._after_first is not None and self.seen > self._after_first[1]:
            start, count = self._after_first
        if self.seen <= count:
            return [_clock(now - self._start)]
        seconds = (now - start) / (self.seen - count)
        if done or not self._is_known:
            return [_clock(now - self._start), self._rate(seconds)]
        return [f"{_clock(seconds * ((self.target or 0) - self.seen))} left", self._rate(seconds)]

    def _metrics(self, columns: int = _ENDLESS) -> list[str]:
        """Each with its value; where that is too wide, the name is cut rather than the number."""
        pairs = [(printable(name), f": {_text(value)}") for name, value in self._values.items()]
        return [_cut(name, max(columns - _columns(value), 2)) + value for name, value in pairs]

    def _bar(self, width: int) -> str:
        full, empty = "━─" if _encodable("━─") == "━─" else "=."
        filled = int(width * self.seen / self.target) if self.target else width
        return full * filled + empty * (width - filled)

    def _line(self, now: float, columns: int) -> str:
        """All of it if there is room; otherwise the bar shrinks, then the rate goes, then values from the last on."""
        head, timing, metrics = self._head(), self._timing(now, done=False), self._metrics()
        while True:
            tail = " ".join(timing) + "".join(f" - {metric}" for metric in metrics)
            room = columns - _columns(" ".join([*head, tail]))
            if not self._is_known and room >= 0:
                return " ".join([*head, tail])
            if self._is_known and room > _SHORTEST_BAR:
                return " ".join([*head, self._bar(min(self.width, room - 1)), tail])
            if len(timing) > 1:
                timing.pop()
            elif metrics:
                metrics.pop()
            else:
                return _cut(" ".join([*head, tail]), columns)

    def _last_rows(self, now: float, columns: int) -> list[str]:
        """The completed line, continued in further rows where the terminal is too narrow for it."""
        parts = [*self._head(), *self._timing(now, done=True)]
        if self.verbose == 1:
            bar = [self._bar(self.width)] if self._is_known else []
            full = " ".join([*self._head(), *bar, *self._timing(now, done=True)])
            parts = [full if _columns(full) <= columns else " ".join(parts)]
        rows = parts[:1]
        for part in [*parts[1:], *self._metrics(columns - 2)]:
            if _columns(rows[-1]) + 3 + _columns(part) <= columns:
                rows[-1] += f" - {part}"
            else:
                rows.append(f"  {part}")
        return [_cut(row, columns) for row in rows]

    # How it gets on the screen

    def _draw(self, now: float) -> None:
        global _on_screen
        if _on_screen is not self:
            end_line()
            _on_screen = self
        columns = _terminal_columns() - 1  # the cursor needs one, too
        _rewrite(self._line(now, columns), columns)

    def _finish(self, now: float) -> None:
        self._finished = True
        columns = _terminal_columns() - 1 if is_interactive() else _ENDLESS
        rows = self._last_rows(now, columns)
        if _on_screen is self:
            _rewrite(rows.pop(0), columns)
        end_line()
        _write("".join(row + "\n" for row in rows))


class DownloadBar(Progbar):
    """`mnist.npz 3.1/11.5 MB ━━━━━──────── 0:04 left 2.1 MB/s`: call it with the bytes done and in all.

    As a context manager it completes its line at the end, where anything was downloaded.

    >>> bar = DownloadBar("mnist.npz", verbose=2)
    >>> bar(4_000_000, 11_490_434)
    >>> bar(11_490_434, 11_490_434)
    mnist.npz - 11.5/11.5 MB - 0:00 - ... MB/s
    """

    def __init__(self, title: str, verbose: int | str = "auto") -> None:
        super().__init__(None, verbose=verbose, unit_name="B", title=title)

    def __call__(self, done: int, total: int | None = None) -> None:
        self.target = total
        self.update(done)

    def __enter__(self) -> DownloadBar:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.seen:
            self.close()

    def close(self) -> None:
        """Complete the line of a download whose size was not known, or that came to an end too early."""
        self.update(self.seen, finalize=True)

    def _count(self) -> str:
        total = f"/{(self.target or 0) / 1e6:.1f}" if self._is_known else ""
        return f"{self.seen / 1e6:.1f}{total} MB"

    def _rate(self, seconds: float) -> str:
        return f"{1e-6 / max(seconds, 1e-12):.1f} MB/s"


def say(message: str) -> None:
    """Print a line, or log it where logging is not interactive.

    A bar that is being drawn makes room and comes back below with its next update.
    """
    global _on_screen
    if not is_interactive_logging_enabled():
        logging.getLogger("layerwise").info(message)
        return
    if _on_screen is not None:
        _rewrite("", _terminal_columns() - 1)
        _write("\r")
        _on_screen = None
    _write(message + "\n")


def end_line() -> None:
    """Leave what is being drawn on the screen and go on below; for a loop that another one, or an error, interrupts."""
    global _on_screen
    if _on_screen is not None:
        _write("\n")
        _on_screen = None


def is_interactive() -> bool:
    """Whether the output goes to a terminal or a notebook, where a line can be written over."""
    notebook = sys.modules.get("ipykernel.iostream")
    return _is_terminal() or (notebook is not None and isinstance(sys.stdout, notebook.OutStream))


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def display_mode(verbose: int | str) -> int:
    """`verbose` as 0 (nothing), 1 (bar) or 2 (lines); a bar needs a terminal.

    >>> display_mode(0), display_mode(2)
    (0, 2)
    """
    if one_of("verbose", verbose, "auto", 0, 1, 2) == "auto" and not is_interactive_logging_enabled():
        return 2
    if verbose in ("auto", 1):
        return 1 if is_interactive() else 2
    return int(verbose)


def _write(text: str) -> None:
    print(_encodable(text), end="", flush=True)


def _rewrite(line: str, columns: int) -> None:
    """Write over the line that the cursor stands on. Notebooks erase nothing by themselves."""
    _write("\r" + line + ("\x1b[K" if _is_terminal() else " " * (columns - _columns(line))))


def counted(n: int, what: str) -> str:
    """How many there are of what, in words.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def printable(text: str, most: int = 200) -> str:
    r"""Text from elsewhere as a terminal can show it: no character commands it, or reorders what is around it.

    Args:
        text: anything, such as a name in a file.
        most: characters; of what is longer the middle is left out.

    >>> print(printable("\x1b[2Jreu\u202e"), printable(200 * "a", most=10))
    \x1b[2Jreu\u202e aaaa...aaa
    """
    if len(text) > most:
        text = f"{text[: most // 2 - 1]}...{text[len(text) - (most - most // 2 - 2) :]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or _is_harmless(c) else c.encode("unicode_escape").decode() for c in text)


def _is_harmless(character: str) -> bool:
    """Whether it is a space of some writing, or joins letters, for Python does not call these printable."""
    return unicodedata.category(character) == "Zs" or character in "\u200c\u200d"


def _encodable(text: str) -> str:
    """`text` with what the output cannot encode replaced."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _terminal_columns() -> int:
    """How wide the terminal is now: its own word, where it gives one, before the environment's."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        columns = 0
    return max(columns or shutil.get_terminal_size().columns, 2)


def _columns(text: str) -> int:
    """How many columns a text takes: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, columns: int) -> str:
    """As much of `text` as these columns have room for, with a mark where something is missing.

    >>> _cut("accuracy", 6), _cut("loss", 6)
    ('accur…', 'loss')
    """
    if _columns(text) <= columns:
        return text
    while text and _columns(text) >= columns:
        text = text[:-1]
    return text + ("…" if _encodable("…") == "…" else "~")


def _clock(seconds: float) -> str:
    """0:07, 12:34, 1:02:03"""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"


def _text(value: Any) -> str:
    value = number(value)
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, separator=", ", max_line_width=10**6, threshold=8)
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.4e}"

"""From a diagram to places: boxes in ranks, lines between the ranks, and nested diagrams inside boxes of their own.

All is computed in two directions, across the ranks and along the lines, and turned into x and y at the end.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from .contents import Cell, Diagram, End, Rows
from .placing import order, positions, ranks

FONT = 11.0  # points
_ROW = 24.0  # the height of a box's row
_PADDING = 10.0  # beside the text
_GAP = 20.0  # between boxes of a rank
_BETWEEN = 22.0  # ranks, and more where many lines bend
_TRACK = 7.0  # between lines that bend in one such place
_FRAME = 20.0  # around a nested diagram; its name stands there
_MARGIN = 12.0
_NARROW, _WIDE = set("fijlrtI.,:;'|()[] -"), set("mwMW@%")

Point = tuple[float, float]


class Line(NamedTuple):
    """From one rank to the next: points, between the middle two of which it may bend; which ends have an arrow."""

    points: tuple[Point, ...]
    arrow: bool
    arrow_back: bool = False


@dataclass
class Arrangement:
    """Where things are: boxes (across, along, width, height, rows), frames (..., name), lines; and the size of all."""

    across: float = 0.0
    along: float = 0.0
    boxes: list[tuple[float, float, float, float, Rows]] = field(default_factory=list)
    frames: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    inputs: list[float] = field(default_factory=list)  # where lines from outside come in, across
    outputs: list[float] = field(default_factory=list)


def text_width(text: str, bold: bool = False) -> float:
    """About how wide a text is in a font like Helvetica."""
    width = sum(0.32 if c in _NARROW else 0.9 if c in _WIDE else 0.69 if c.isupper() else 0.56 for c in text)
    return FONT * width * (1.07 if bold else 1.0)


def cell_width(cell: Cell) -> float:
    return text_width(cell.text) + text_width(cell.bold, bold=True) + 2 * _PADDING


def box_size(rows: Rows) -> tuple[float, float]:
    """(width, height)"""
    return max(sum(map(cell_width, row)) for row in rows), _ROW * len(rows)


def arrange(diagram: Diagram, is_vertical: bool) -> Arrangement:
    """Where everything in a diagram stands whose ranks follow one another downwards, or to the right."""
    return _Layout(diagram, is_vertical, is_nested=False).arranged()


class _Layout:
    """The work of `arrange` on one diagram; nested ones are arranged first and then stand like boxes."""

    def __init__(self, diagram: Diagram, is_vertical: bool, is_nested: bool) -> None:
        self.diagram, self.is_vertical, self.is_nested = diagram, is_vertical, is_nested
        self.nested = {
            key: _Layout(part, is_vertical, is_nested=True).arranged()
            for key, part in diagram.parts.items()
            if isinstance(part, Diagram)
        }
        self.breadth: dict[Hashable, float] = {}
        self.depth: dict[Hashable, float] = {}
        for key, part in diagram.parts.items():
            if isinstance(part, Diagram):
                size = self.nested[key].across + 2 * _FRAME, self.nested[key].along + 2 * _FRAME
            else:
                width, height = box_size(part)
                size = (width, height) if is_vertical else (height, width)
            self.breadth[key], self.depth[key] = size
        self.exits = [("exit", i) for i in range(len(diagram.outputs) if is_nested else 0)]
        for key in self.exits:
            self.breadth[key] = self.depth[key] = 0.0
        self.links: dict[tuple[End, End], None] = {}  # from one rank to the next, each once
        self.flipped: set[tuple[Hashable, Hashable]] = set()  # that lead backwards
        self.loops: set[Hashable] = set()

    def arranged(self) -> Arrangement:
        layers = self._layers()
        before: dict[Hashable, list[Hashable]] = {key: [] for layer in layers for key in layer}
        after: dict[Hashable, list[Hashable]] = {key: [] for key in before}
        for source, target in self.links:
            after[source.key].append(target.key)
            before[target.key].append(source.key)
        layers = order(layers, before, after)
        x = positions(layers, self.breadth, _GAP, before, after)
        left = min((x[key] - self.breadth[key] / 2 for key in x), default=0.0)
        self.x = {key: place - left for key, place in x.items()}
        return self._drawn(layers)

    def _layers(self) -> list[list[Hashable]]:
        """The keys of each rank, with points through which lines pass that go further than one."""
        keys = [*self.diagram.parts, *self.exits]
        number = {key: i for i, key in enumerate(keys)}
        lines = [*self.diagram.lines, *((source, End(key)) for source, key in zip(self.diagram.outputs, self.exits))]
        self.loops = {source.key for source, target in lines if source.key == target.key}
        for i, (source, target) in enumerate(lines):
            if number[source.key] > number[target.key]:
                lines[i] = target, source
                self.flipped.add((target.key, source.key))
        lines = [(source, target) for source, target in lines if source.key != target.key]
        first = {end.key for end in self.diagram.inputs} if self.is_nested else set()
        pairs = [(source.key, target.key) for source, target in lines]
        rank = ranks(keys, pairs, first, set(self.exits))
        layers: list[list[Hashable]] = [[] for _ in range(1 + max(rank.values(), default=0))]
        for key in keys:
            layers[rank[key]].append(key)
        for source, target in lines:
            here = source
            for r in range(rank[source.key] + 1, rank[target.key]):
                via = End(("via", source, r, (source.key, target.key) in self.flipped))
                if via.key not in self.breadth:
                    self.breadth[via.key] = self.depth[via.key] = 0.0
                    layers[r].append(via.key)
                self.links[here, via] = None
                here = via
            self.links[here, target] = None
        return layers

    def _drawn(self, layers: list[list[Hashable]]) -> Arrangement:
        picture = Arrangement()
        top: dict[Hashable, float] = {}
        bands: list[tuple[float, float]] = []  # where each rank begins and ends
        tracks = [self._tracks(layer) for layer in layers]
        along = 0.0
        for layer, bends in zip(layers, tracks):
            deepest = max((self.depth[key] for key in layer), default=0.0)
            for key in layer:
                top[key] = along + (deepest - self.depth[key]) / 2
            bands.append((along, along + deepest))
            along += deepest + max(_BETWEEN, 2 * _TRACK + _TRACK * len(set(bends.values())))
        picture.along = bands[-1][1]
        picture.across = max((self.x[key] + self.breadth[key] / 2 for key in self.x), default=0.0)
        for key, part in self.diagram.parts.items():
            self._put(picture, key, part, top[key])
        for band, following, layer, bends in zip(bands, bands[1:], layers, tracks):
            for source, target in self._links_of(layer):
                self._connect(picture, source, target, top, band[1], following[0], bends.get(source, 0))
        for layer, band in zip(layers, bands):
            for key in layer:
                if key not in self.diagram.parts and key not in self.exits:
                    ends = (self.x[key], band[0]), (self.x[key], band[1])
                    picture.lines.append(Line(ends, arrow=False))
        for key in self.loops:
            self._loop(picture, key, top[key])
        picture.inputs = [self._port(end, is_output=False) for end in self.diagram.inputs] if self.is_nested else []
        picture.outputs = [self.x[key] for key in self.exits]
        if self.is_nested:
            self._connect_frame(picture, top)
        return picture

    def _links_of(self, layer: Iterable[Hashable]) -> list[tuple[End, End]]:
        members = set(layer)
        return [link for link in self.links if link[0].key in members]

    def _tracks(self, layer: list[Hashable]) -> dict[End, int]:
        """Which of the tracks below a rank the bends of each source's lines take: those that would touch differ."""
        spans: dict[End, list[float]] = {}
        for source, target in self._links_of(layer):
            start, end = self._port(source, is_output=True), self._port(target, is_output=False)
            if abs(start - end) > 0.5:
                spans.setdefault(source, []).extend((start, end))
        ends: list[float] = []  # of each track
        taken = {}
        for source, span in sorted(spans.items(), key=lambda item: min(item[1])):
            free = next((i for i, end in enumerate(ends) if end + _TRACK < min(span)), len(ends))
            ends[free : free + 1] = [max(span)]
            taken[source] = free
        return taken

    def _port(self, end: End, is_output: bool) -> float:
        """Where on a box's edge a line begins or ends, across."""
        part = self.nested.get(end.key)
        if part is None:
            return self.x[end.key]
        ports = part.outputs if is_output else part.inputs
        return self.x[end.key] - part.across / 2 + ports[min(end.port, len(ports) - 1)]

    def _put(self, picture: Arrangement, key: Hashable, part: Rows | Diagram, along: float) -> None:
        """The box or the nested diagram of this key, in its place."""
        across = self.x[key] - self.breadth[key] / 2
        if not isinstance(part, Diagram):
            picture.boxes.append((across, along, self.breadth[key], self.depth[key], part))
            return
        inner, a, b = self.nested[key], across + _FRAME, along + _FRAME
        picture.frames.append((across, along, self.breadth[key], self.depth[key], part.name))
        picture.frames += [(x + a, y + b, w, h, name) for x, y, w, h, name in inner.frames]
        picture.boxes += [(x + a, y + b, w, h, rows) for x, y, w, h, rows in inner.boxes]
        for line in inner.lines:
            picture.lines.append(line._replace(points=tuple((x + a, y + b) for x, y in line.points)))

    def _connect(
        self, picture: Arrangement, source: End, target: End, top: dict[Hashable, float],
        leaving: float, arriving: float, track: int,
    ) -> None:  # fmt: skip
        """A line between two ranks, which bends between `leaving` and `arriving` at most."""
        start, end = self._port(source, is_output=True), self._port(target, is_output=False)
        if abs(start - end) < _TRACK:  # not worth a bend where a box is wide enough
            if target.key in self.diagram.parts:
                end = start
            elif source.key in self.diagram.parts:
                start = end
        begin = top[source.key] + self.depth[source.key]
        if source.key not in self.diagram.parts:
            begin = leaving
        finish = top[target.key] if target.key in self.diagram.parts else arriving
        bend = leaving + _TRACK * (1 + track)
        leads, leads_back = self._directions(source.key, target.key)
        points = (start, begin), (start, leaving), (start, bend), (end, bend), (end, arriving), (end, finish)
        boxes = self.diagram.parts.keys() - self.nested
        picture.lines.append(Line(points, leads and target.key in boxes, leads_back and source.key in boxes))

    def _directions(self, source: Hashable, target: Hashable) -> tuple[bool, bool]:
        """Whether lines between these two lead forwards, and whether they lead backwards."""
        for key in source, target:
            if isinstance(key, tuple) and key[0] == "via":
                return not key[3], key[3]
        is_flipped = (source, target) in self.flipped
        return not is_flipped or any((a.key, b.key) == (source, target) for a, b in self.diagram.lines), is_flipped

    def _connect_frame(self, picture: Arrangement, top: dict[Hashable, float]) -> None:
        """Lines from the frame around a nested diagram to where it begins, and from where it ends."""
        for end, x in zip(self.diagram.inputs, picture.inputs, strict=True):
            is_box = end.key not in self.nested
            picture.lines.append(Line(((x, -_FRAME), (x, top[end.key])), arrow=is_box))
        for key in self.exits:
            x = self.x[key]
            picture.lines.append(Line(((x, top[key]), (x, picture.along + _FRAME)), arrow=False))

    def _loop(self, picture: Arrangement, key: Hashable, along: float) -> None:
        """The line of a layer that takes its own result."""
        edge, out = self.x[key] + self.breadth[key] / 2, self.x[key] + self.breadth[key] / 2 + _TRACK
        low, high = along + 0.75 * self.depth[key], along + 0.25 * self.depth[key]
        picture.lines.append(Line(((edge, low), (out, low), (out, high), (edge, high)), arrow=True))
        picture.across = max(picture.across, out)


@dataclass
class Picture:
    """The same in x and y, with a margin, as it is painted."""

    width: float
    height: float
    boxes: list[tuple[float, float, float, float, Rows]]
    frames: list[tuple[float, float, float, float, str]]
    lines: list[Line]


def picture_of(diagram: Diagram, rankdir: str) -> Picture:
    """A diagram whose lines lead down ("TB"), up ("BT"), to the right ("LR") or to the left ("RL")."""
    is_vertical, is_reverse = rankdir in ("TB", "BT"), rankdir in ("BT", "RL")
    plan = arrange(diagram, is_vertical)

    def point(across: float, along: float) -> Point:
        along = plan.along - along if is_reverse else along
        a, b = across + _MARGIN, along + _MARGIN
        return (a, b) if is_vertical else (b, a)

    def area(across: float, along: float, breadth: float, depth: float) -> tuple[float, float, float, float]:
        x, y = point(across, along + depth if is_reverse else along)
        return (x, y, breadth, depth) if is_vertical else (x, y, depth, breadth)

    size = (plan.across, plan.along)[:: 1 if is_vertical else -1]
    return Picture(
        size[0] + 2 * _MARGIN,
        size[1] + 2 * _MARGIN,
        [(*area(*place), rows) for *place, rows in plan.boxes],
        [(*area(*place), name) for *place, name in plan.frames],
        [line._replace(points=tuple(point(*p) for p in line.points)) for line in plan.lines],
    )

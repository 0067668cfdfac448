"""A picture as SVG, written by hand, and as pixels, by Pillow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, Protocol

from ...data.images import pillow
from .contents import HEADER, PLAIN
from .layout import FONT, Line, Picture, Point, cell_width, text_width

_INK, _LINE, _FRAME = "#222222", "#555555", "#999999"
_POINTS_PER_INCH = 72
_MOST_PIXELS, _LONGEST_SIDE = 64 << 20, 32_000
_ARROW = 3.5  # half of an arrow's width
_SHAPES = {"ortho": "bent", "curved": "curve", "spline": "curve", "polyline": "straight", "line": "straight"}
SPLINES = tuple(_SHAPES)


class Canvas(Protocol):
    """What a picture is painted on, in points."""

    def area(self, x: float, y: float, width: float, height: float, fill: str | None, edge: str) -> None: ...

    def path(self, points: list[Point], colour: str) -> None: ...

    def shape(self, points: list[Point], colour: str) -> None: ...

    def text(self, x: float, y: float, text: str, colour: str, bold: bool) -> None: ...

    def text_width(self, text: str, bold: bool) -> float: ...


def paint(picture: Picture, canvas: Canvas, splines: str) -> None:
    """Frames, then lines, then boxes, each over what was before."""
    for x, y, width, height, name in picture.frames:
        canvas.area(x, y, width, height, None, _FRAME)
        canvas.text(x + 4, y + 13, name, _LINE, False)
    for line in picture.lines:
        canvas.path(_path(line, _SHAPES[splines]), _LINE)
        if line.arrow:
            canvas.shape(_arrow(line.points[::-1]), _LINE)
        if line.arrow_back:
            canvas.shape(_arrow(line.points), _LINE)
    for x, y, width, height, rows in picture.boxes:
        row_height = height / len(rows)
        for i, row in enumerate(rows):
            wanted = [cell_width(cell) for cell in row]
            left = x
            for cell, share in zip(row, wanted, strict=True):
                cell_size = width * share / sum(wanted)
                canvas.area(left, y + i * row_height, cell_size, row_height, cell.ground, _INK)
                bold, plain = canvas.text_width(cell.bold, True), canvas.text_width(cell.text, False)
                ink = _INK if cell.ground == PLAIN else PLAIN
                start, base = left + (cell_size - bold - plain) / 2, y + (i + 0.5) * row_height + 0.36 * FONT
                bold_first = cell.ground == HEADER  # "name (Class)", but "Output shape: (None, 3)"
                canvas.text(start if bold_first else start + plain, base, cell.bold, ink, True)
                canvas.text(start + bold if bold_first else start, base, cell.text, ink, False)
                left += cell_size


def _path(line: Line, shape: str) -> list[Point]:
    """The points that a line goes through."""
    points = list(line.points)
    if shape == "bent" or len(points) < 6:
        return points
    first, begin, _, _, end, last = points
    if shape == "straight":
        return [first, begin, end, last]
    middle = ((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2)
    is_vertical = line.points[1][0] == line.points[2][0]
    knees = (
        ((begin[0], middle[1]), (end[0], middle[1])) if is_vertical else ((middle[0], begin[1]), (middle[0], end[1]))
    )
    return [first, *(_bezier(begin, *knees, end, i / 12) for i in range(13)), last]


def _bezier(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    """(1-t)^3 a + 3 (1-t)^2 t b + 3 (1-t) t^2 c + t^3 d"""
    weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3
    x, y = (sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1))
    return x, y


def _arrow(points: Sequence[Point]) -> list[Point]:
    """The triangle at the beginning of a line that starts along an axis."""
    tip = points[0]
    before = next((point for point in points if point != tip), tip)
    dx, dy = ((tip[axis] > before[axis]) - (tip[axis] < before[axis]) for axis in (0, 1))
    x, y = tip[0] - 2 * _ARROW * dx, tip[1] - 2 * _ARROW * dy
    return [tip, (x + _ARROW * dy, y + _ARROW * dx), (x - _ARROW * dy, y - _ARROW * dx)]


class Svg:
    """A canvas that writes SVG."""

    def __init__(self, width: float, height: float) -> None:
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}pt" height="{height:.0f}pt" '
            f'viewBox="0 0 {width:.1f} {height:.1f}" font-family="Helvetica, Arial, sans-serif" font-size="{FONT:g}">',
            f'<rect width="100%" height="100%" fill="{PLAIN}"/>',
        ]

    def area(self, x: float, y: float, width: float, height: float, fill: str | None, edge: str) -> None:
        dashes = "" if fill else ' stroke-dasharray="4 3"'
        self.lines.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill or "none"}" '
            f'stroke="{edge}"{dashes}/>'
        )

    def path(self, points: list[Point], colour: str) -> None:
        self.lines.append(f'<polyline points="{self._said(points)}" fill="none" stroke="{colour}"/>')

    def shape(self, points: list[Point], colour: str) -> None:
        self.lines.append(f'<polygon points="{self._said(points)}" fill="{colour}"/>')

    def text(self, x: float, y: float, text: str, colour: str, bold: bool) -> None:
        if text.strip():
            weight = ' font-weight="bold"' if bold else ""
            width = f' textLength="{text_width(text, bold):.1f}" lengthAdjust="spacingAndGlyphs"'
            self.lines.append(
                f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{weight}{width} xml:space="preserve">'
                f"{escape(text)}</text>"
            )

    def text_width(self, text: str, bold: bool) -> float:
        return text_width(text, bold)

    @staticmethod
    def _said(points: list[Point]) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

    def content(self) -> str:
        return "\n".join([*self.lines, "</svg>\n"])


class Pixels:
    """A canvas of pixels."""

    def __init__(self, width: float, height: float, dpi: float) -> None:
        most = min(
            (_MOST_PIXELS / (width * height)) ** 0.5, _LONGEST_SIDE / max(width, height)
        )  # pixels a point, so that viewers can open it
        self.scale = min(dpi / _POINTS_PER_INCH, most)
        self.image = pillow().new("RGB", (round(width * self.scale), round(height * self.scale)), PLAIN)
        from PIL import ImageDraw, ImageFont

        self.draw = ImageDraw.Draw(self.image)
        self.font = ImageFont.load_default(FONT * self.scale)
        self.line_width = max(1, round(self.scale * 0.8))

    def area(self, x: float, y: float, width: float, height: float, fill: str | None, edge: str) -> None:
        corners = [round(v * self.scale) for v in (x, y, x + width, y + height)]
        if fill:
            self.draw.rectangle(corners, fill, edge, self.line_width)
            return
        left, top, right, bottom = corners
        ring = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        step = max(2, round(4 * self.scale))
        for (a, b), (c, d) in pairwise(ring):
            length = abs(c - a) + abs(d - b)
            sx, sy = (c > a) - (c < a), (d > b) - (d < b)
            for start in range(0, length, 2 * step):
                end = min(start + step, length)
                ends = [(a + sx * start, b + sy * start), (a + sx * end, b + sy * end)]
                self.draw.line(ends, edge, self.line_width)

    def path(self, points: list[Point], colour: str) -> None:
        self.draw.line(self._scaled(points), colour, self.line_width, joint="curve")

    def shape(self, points: list[Point], colour: str) -> None:
        self.draw.polygon(self._scaled(points), colour)

    def text(self, x: float, y: float, text: str, colour: str, bold: bool) -> None:
        if text.strip():
            stroke = self.scale / 8 if bold else 0  # the font has one weight
            place = x * self.scale, y * self.scale
            self.draw.text(place, text, colour, self.font, anchor="ls", stroke_width=stroke)

    def text_width(self, text: str, bold: bool) -> float:
        return self.font.getlength(text) / self.scale

    def _scaled(self, points: list[Point]) -> list[tuple[int, int]]:
        return [(round(x * self.scale), round(y * self.scale)) for x, y in points]


def svg(picture: Picture, splines: str) -> str:
    """The picture as the text of an SVG file."""
    canvas = Svg(picture.width, picture.height)
    paint(picture, canvas, splines)
    return canvas.content()


def pixels(picture: Picture, splines: str, dpi: float, form: str) -> bytes:
    """The picture as a file of pixels in a format that Pillow writes.

    Where it would have more than 64 megapixels, or 32,000 in one direction, it has fewer an inch.
    """
    canvas = Pixels(picture.width, picture.height, dpi)
    paint(picture, canvas, splines)
    file = io.BytesIO()
    options: dict[str, Any] = {} if form == "pdf" else {"dpi": (dpi, dpi)}
    canvas.image.save(file, "JPEG" if form in ("jpg", "jpeg") else form.upper(), **options)
    return file.getvalue()

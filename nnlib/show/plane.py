"""A rectangle in a drawing that stands for a part of the plane: axes, curves, regions, marks.

Also what the instruments with such a plane share: how they say a number and check their points.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nnlib.show import svg
from nnlib.show.text import minus, need, say

Box = tuple[float, float, float, float]  # left, top, width and height, in pixels
FAR = 1e4  # pixels; whatever lies farther out is out of sight anyway


@dataclass(frozen=True)
class Plane:
    """Where numbers are drawn: x over `xlim` to the right, y over `ylim` upwards.

    Args:
        box: where it is in the drawing.
        log: let y grow by factors of ten.

    Example:
        >>> plane = Plane((100, 0, 50, 200), xlim=(0, 1), ylim=(-1, 1))
        >>> plane.place(0.5, 1)
        (125.0, 0.0)
        >>> plane.number(125, 200)
        (0.5, -1.0)
    """

    box: Box
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    log: bool = False

    @classmethod
    def around(cls, box: Box, points: np.ndarray, share: float) -> "Plane":
        """The plane around points (n, 2), with so much of their longer side as a margin."""
        low, high = points.min(axis=0), points.max(axis=0)
        margin = share * (high - low).max() or 1.0
        return cls(box, *np.stack([low - margin, high + margin], axis=1).tolist())

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point; of one far outside, some pixel outside."""
        left, top, width, height = self.box
        low, high, y = map(_power, (*self.ylim, y)) if self.log else (*self.ylim, y)
        right = (x - self.xlim[0]) / (self.xlim[1] - self.xlim[0])
        up = (y - low) / (high - low)
        return _near(left + width * right), _near(top + height * (1 - up))

    def number(self, right: float, down: float) -> tuple[float, float]:
        """The point at a pixel, on axes that are not `log`."""
        left, top, width, height = self.box
        (x0, x1), (y0, y1) = self.xlim, self.ylim
        return x0 + (right - left) / width * (x1 - x0), y1 - (down - top) / height * (y1 - y0)

    def path(self, points: Iterable[tuple[float, float]]) -> str:
        """The path of a curve through points."""
        return polyline(self.place(x, y) for x, y in points)

    def holds(self, x: float, y: float) -> bool:
        """Whether a pixel lies within the frame."""
        left, top, width, height = self.box
        return left <= x <= left + width and top <= y <= top + height

    def axes(self, xlabel: str, ylabel: str) -> str:
        """Frame, grid, numbers along the edges, and what they are."""
        left, top, width, height = self.box
        right, bottom = left + width, top + height
        parts = []
        for x in ticks(*self.xlim):
            at = self.place(x, self.ylim[0])[0]
            parts.append(path("grid", polyline([(at, top), (at, bottom)])))
            parts.append(svg.write(at, bottom + 11, say(x), 11, 60, "quiet", anchor="middle"))
        for y in powers(*self.ylim) if self.log else ticks(*self.ylim):
            at = self.place(self.xlim[0], y)[1]
            parts.append(path("grid", polyline([(left, at), (right, at)])))
            parts.append(svg.write(left - 5, at, say(y), 11, 40, "quiet", anchor="end"))
        parts.append(svg.box(*self.box, 0, "axes"))
        parts.append(svg.write(left + width / 2, bottom + 26, xlabel, 12, width, anchor="middle"))
        parts.append(svg.write(left - 34, top - 9, ylabel, 12, width))
        return "".join(parts)

    def inside(self, content: str) -> str:
        """Content that is cut off at the frame."""
        view = " ".join(f"{number:g}" for number in self.box)
        return window(self.box, view, content) if content else ""

    def above(self, heights: np.ndarray, level: float) -> str:
        """The path around the region where a surface is higher than `level`.

        `heights` (rows, columns) are equally spaced from the lower left corner to the upper right.
        """
        regions = zip(*self._contours(heights).filled(level, np.inf), strict=True)
        edges = (outlines[a:b] for outlines, ends in regions for a, b in pairwise(ends))
        return "".join(self.path(edge) + "Z" for edge in edges)

    def level(self, heights: np.ndarray, level: float) -> str:
        """The path of the line on which a surface has the height `level`."""
        return "".join(self.path(line) for line in self._contours(heights).lines(level))

    def _contours(self, heights: np.ndarray) -> Any:
        from contourpy import contour_generator

        rows, columns = heights.shape
        x, y = np.linspace(*self.xlim, columns), np.linspace(*self.ylim, rows)
        return contour_generator(x, y, heights, fill_type="OuterOffset")


def polyline(pixels: Iterable[tuple[float, float]]) -> str:
    """The path through pixels; "" if there are none.

    Example:
        >>> polyline([(0, 0), (10, 2.25)])
        'M0.0 0.0L10.0 2.2'
    """
    places = [f"{x:.1f} {y:.1f}" for x, y in pixels]
    return "M" + "L".join(places) if places else ""


def mark(x: float, y: float, shape: int, role: str, size: float = 5) -> str:
    """A mark around a pixel: a disc, a square, a triangle or a diamond."""
    s, far = size, round(1.3 * size, 1)
    paths = (
        f"m{-s:g} 0a{s:g} {s:g} 0 1 0 {2 * s:g} 0a{s:g} {s:g} 0 1 0 {-2 * s:g} 0z",
        f"m{-s:g} {-s:g}h{2 * s:g}v{2 * s:g}h{-2 * s:g}z",
        f"m0 {-far:g}l{1.2 * s:g} {2.2 * s:g}h{-2.4 * s:g}z",
        f"m0 {-far:g}l{far:g} {far:g}l{-far:g} {far:g}l{-far:g} {-far:g}z",
    )
    return path(f"mark {role}", f"M{x:.1f} {y:.1f}{paths[shape]}")


def path(role: str, d: str, **more: object) -> str:
    """A line, or a region, of a role."""
    return svg.element("path", class_=role, d=d, **more)


def window(box: Box, view: str, content: str, **more: object) -> str:
    """Content with a `viewBox` of its own, cut off at a box of the drawing."""
    place = dict(zip(("x", "y", "width", "height"), box, strict=True))
    return svg.element("svg", content, **place, viewBox=view, **more)


def value(x: float, y: float, n: float, text: str, size: float, room: float, **look: Any) -> str:
    """The number `n` in the words `text`, up to x if `look` says nothing else, and exactly."""
    look = {"role": "value", "anchor": "end", "exact": repr(n), **look}
    return svg.write(x, y, minus(text), size, room, **look)


def spot(x: float, y: float) -> str:
    """A point in a sentence."""
    return f"({say(x)}, {say(y)})"


def need_points(where: str, points: np.ndarray, most: int) -> None:
    """Say what was needed, unless these are 1 to `most` points (n, 2)."""
    good = points.ndim == 2 and points.shape[1] == 2 and 0 < len(points) <= most
    need(good, where, f"1 to {most} points (n, 2)", f"shape {points.shape}")
    need(np.isfinite(points).all(), where, "finite points", "nan or inf")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from low to high, at most so many.

    Example:
        >>> ticks(-0.3, 1.3)
        [0.0, 0.5, 1.0]
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def powers(low: float, high: float, most: int = 6) -> list[float]:
    """Powers of ten from low to high, at most so many.

    Example:
        >>> powers(2e-3, 150)
        [0.01, 0.1, 1.0, 10.0, 100.0]
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = -(-(last - first + 1) // most)
    return [10.0**n for n in range(first, last + 1, max(every, 1))]


def _power(y: float) -> float:
    return math.log10(y) if y > 0 else -math.inf


def _near(pixel: float) -> float:
    return max(-FAR, min(FAR, pixel))  # nan is far: it is not below FAR

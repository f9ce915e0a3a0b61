"""Grids of numbers: each in a cell that is green above zero and purple below, fuller further away.

The sign is printed as well; colour alone never says anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np

from nnlib.graph import Node
from nnlib.show import svg
from nnlib.show.text import minus, tiny

FULLEST = 0.5  # how much of its colour the largest number's cell has: text must stand out from it
STEPS = 12  # of colour: so few that the still picture, which has few colours, has these
SMALL, ROOMY = 22, 34  # pixels: no number is written in a smaller cell, two decimals in a larger
Names = tuple[Sequence[Any], Sequence[Any]]  # of rows, and of columns


@dataclass(frozen=True)
class Grid:
    """Where the cells of a grid are drawn: `rows` × `columns` of them from a corner on."""

    left: float
    top: float
    rows: int
    columns: int
    wide: float
    tall: float
    padding: tuple[int, int] = (0, 0)  # rows and columns on each side that are not counted

    @property
    def right(self) -> float:
        return self.left + self.columns * self.wide

    @property
    def bottom(self) -> float:
        return self.top + self.rows * self.tall

    def corner(self, row: float, column: float) -> tuple[float, float]:
        p, q = self.padding
        return self.left + (q + column) * self.wide, self.top + (p + row) * self.tall

    def row(self, n: int) -> "Grid":
        """One of its rows, as a grid."""
        return replace(self, top=self.corner(n, 0)[1], rows=1)

    def cell(self, row: int, column: int, number: Any, most: float = 0, role: str = "") -> str:
        """One cell, with its number as `data-v`; `most` is the number with the fullest colour.

        `role` gives all numbers of a grid one colour, where there is no sign. With None for its
        number the cell waits for one.
        """
        x, y = self.corner(row, column)
        if number is None:
            return svg.box(x, y, self.wide, self.tall, 3, "cell waiting")
        number = float(number)
        colour = role or ("plus" if number > 0 else "minus" if number < 0 else "zero")
        colour = "padding" if number == -np.inf else colour
        part = min(abs(number) / most, 1.0) if most and np.isfinite(number) else 0.0
        drawn = svg.element(
            "rect", class_=f"cell {colour}", x=x, y=y, width=self.wide, height=self.tall,
            rx=min(3, self.wide / 8),
            fill_opacity=round(FULLEST * ceil(STEPS * part) / STEPS, 3), data_v=repr(number),
        )  # fmt: skip
        if min(self.wide, self.tall) < SMALL:
            return drawn
        (x, y), text = self.corner(row + 0.5, column + 0.5), _brief(number, self.wide)
        return drawn + svg.write(x, y, text, 11.5, self.wide - 4, anchor="middle")

    def cells(self, numbers: Any, most: float = 0, role: str = "", known: bool = True) -> str:
        """A cell for each number of an array (rows, columns); if not `known` yet, they wait."""
        each = np.ndenumerate(numbers)
        return "".join(self.cell(r, c, x if known else None, most, role) for (r, c), x in each)

    def outline(self, rows: Sequence[int], columns: Sequence[int], role: str = "here value") -> str:
        """A frame around the cells from the first to the last row and column."""
        x, y = self.corner(rows[0], columns[0])
        right, bottom = self.corner(rows[-1] + 1, columns[-1] + 1)
        return svg.box(x, y, right - x, bottom - y, 4, role)

    def head(self, text: str, room: float = 0, above: float = 30) -> str:
        """What the grid is, above it and above its indices."""
        room = max(room, self.right - self.left)
        return svg.write(self.left, self.top - above, text, 12.5, room, "strong")

    def names(self, names: Names, size: float) -> str:
        """The names of its rows, to the left, and of its columns, above."""
        parts, away = [], size - 4.5  # a larger text stands further away
        for n, name in enumerate(names[0]):
            x, y = self.left - away, self.corner(n + 0.5, 0)[1]
            parts.append(svg.write(x, y, f"{name}", size, 70, "quiet", anchor="end"))
        for n, name in enumerate(names[1]):
            x, y, room = self.corner(0, n + 0.5)[0], self.top - away - 3, self.wide - 2
            parts.append(svg.write(x, y, f"{name}", size, room, "quiet", anchor="middle"))
        return "".join(parts)


def _brief(x: float, room: float) -> str:
    """A number in a cell: in a small one without the zero before the point, and no power of ten."""
    if room >= ROOMY or abs(x) >= 1 or x == 0 or not np.isfinite(x):
        signs = 5 if room >= 48 else 4 if room >= ROOMY else 3
        return minus(tiny(x, signs + (x < 0)))
    return minus(f"{x:.2f}".replace("0.", ".", 1))


def floats(what: str, *given: Any) -> list[np.ndarray]:
    """Arrays of one float type, from tensors, arrays and lists; lists and whole numbers in float64.

    Example:
        >>> floats("show.conv", [[1, 2]], np.zeros(2, np.float32))[1].dtype
        dtype('float64')
    """
    arrays = [np.asarray(x.data if isinstance(x, Node) else x) for x in given]
    for x in arrays:
        if x.dtype.kind not in "biuf" or not x.size:
            raise TypeError(f"{what} needs arrays of numbers; got {x.dtype} of shape {x.shape}.")
    dtypes = [array.dtype if array.dtype.kind == "f" else np.dtype(float) for array in arrays]
    return [array.astype(np.result_type(*dtypes)) for array in arrays]


def farthest(numbers: Any) -> float:
    """The largest distance from 0 of the numbers that are finite: where the colour is fullest."""
    return float(np.abs(numbers)[np.isfinite(numbers)].max(initial=0.0))


def plain(numbers: Any, write: Callable[[Any], str], names: Names = ((), ())) -> str:
    """An array (rows, columns) as text, with names for its rows and columns if there are any.

    Example:
        >>> print(plain([[1.0, -0.5]], "{:.3f}".format, names=(["a"], ["a", "cat"])))
               a     cat
        a  1.000  -0.500
    """
    texts, (rows, columns) = [[write(x) for x in row] for row in numbers], names
    if rows:
        left = [name.ljust(max(map(len, rows))) for name in rows]
        texts = [["", *columns], *([name, *row] for name, row in zip(left, texts, strict=True))]
    wide = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join("  ".join(map(str.rjust, row, wide)).rstrip() for row in texts)


def times(shape: Iterable[int]) -> str:
    """A size in words.

    Example:
        >>> times((3, 4))
        '3 × 4'
    """
    return " × ".join(map(str, shape))


def unusual(**settings: tuple[int, int]) -> list[str]:
    """The settings of a window that are worth a word: not a padding of 0, nor another of 1.

    Example:
        >>> unusual(stride=(2, 2), padding=(0, 0), dilation=(1, 3))
        ['stride 2', 'dilation (1, 3)']
    """
    said = []
    for name, (along, across) in settings.items():
        if {along, across} != {int(name != "padding")}:
            said.append(f"{name} {along if along == across else (along, across)}")
    return said

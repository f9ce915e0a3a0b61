"""Grids of numbers: each in a cell that is green above zero and purple below, fuller further away.

The sign is printed as well; colour alone never says anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from nnlib.graph import Node
from nnlib.show import svg
from nnlib.show.text import minus, tiny

FULLEST = 0.5  # how much of its colour the largest number's cell has: text must stand out from it
STEPS = 12  # of colour: so few that the still picture, which has few colours, has these
SMALL, ROOMY = 22, 34  # pixels: no number is written in a smaller cell, two decimals in a larger


@dataclass(frozen=True)
class Grid:
    """Where the cells of a grid are drawn: `rows` × `columns` of them from a corner on."""

    left: float
    top: float
    rows: int
    columns: int
    wide: float = 38
    tall: float = 38

    @property
    def right(self) -> float:
        return self.left + self.columns * self.wide

    @property
    def bottom(self) -> float:
        return self.top + self.rows * self.tall

    def corner(self, row: float, column: float) -> tuple[float, float]:
        return self.left + column * self.wide, self.top + row * self.tall

    def cell(
        self, row: int, column: int, number: Any = None, most: float = 0, role: str = ""
    ) -> str:
        """One cell, with its number as `data-v`; `most` is the number with the fullest colour.

        `role` gives all numbers of a grid one colour, where there is no sign. Without a number the
        cell waits for one.
        """
        x, y = self.corner(row, column)
        if number is None:
            return svg.box(x, y, self.wide, self.tall, 3, f"cell {role or 'waiting'}")
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
        return drawn + svg.write(
            x + self.wide / 2, y + self.tall / 2, _brief(number, self.wide), 11.5,
            self.wide - 4,
            anchor="middle",
        )  # fmt: skip

    def cells(self, numbers: Any, most: float = 0, role: str = "") -> str:
        """A cell for each number of an array (rows, columns)."""
        return "".join(self.cell(r, c, x, most, role) for (r, c), x in np.ndenumerate(numbers))

    def outline(
        self, rows: tuple[int, int], columns: tuple[int, int], role: str = "here value"
    ) -> str:
        """A frame around the cells from the first to the last row and column."""
        x, y = self.corner(rows[0], columns[0])
        right, bottom = self.corner(rows[1] + 1, columns[1] + 1)
        return svg.box(x, y, right - x, bottom - y, 4, role)

    def head(self, text: str, room: float = 0, above: float = 30) -> str:
        """What the grid is, above it and above its indices."""
        room = max(room, self.right - self.left)
        return svg.write(self.left, self.top - above, text, 12.5, room, "strong")

    def indices(self, padding: tuple[int, int] = (0, 0)) -> str:
        """The numbers of the rows, to the left, and of the columns, above; padding has none."""
        p, q = padding
        parts = []
        for n in range(self.rows - 2 * p):
            x, y = self.corner(p + n + 0.5, 0)
            parts.append(svg.write(x - 5, y, f"{n}", 9.5, 20, "quiet", anchor="end"))
        for n in range(self.columns - 2 * q):
            x, y = self.corner(0, q + n + 0.5)
            parts.append(svg.write(x, y - 8, f"{n}", 9.5, 20, "quiet", anchor="middle"))
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
    for array in arrays:
        if array.dtype.kind not in "biuf" or not array.size:
            raise TypeError(
                f"{what} needs arrays of numbers; got {array.dtype} of shape {array.shape}."
            )
    dtypes = [array.dtype if array.dtype.kind == "f" else np.dtype(float) for array in arrays]
    return [array.astype(np.result_type(*dtypes)) for array in arrays]


def farthest(numbers: Any) -> float:
    """The largest distance from 0 of the numbers that are finite: where the colour is fullest."""
    finite = np.abs(numbers)[np.isfinite(numbers)]
    return float(finite.max(initial=0.0))


def plain(
    numbers: Any, write: Callable[[Any], str], rows: Sequence[str] = (), columns: Sequence[str] = ()
) -> str:
    """An array (rows, columns) as text, with names for its rows and columns if there are any.

    Example:
        >>> print(plain([[1.0, -0.5]], "{:.3f}".format, rows=["a"], columns=["a", "cat"]))
               a     cat
        a  1.000  -0.500
    """
    texts = [[write(x) for x in row] for row in numbers]
    if columns:
        texts = [list(columns), *texts]
    if rows:
        texts = [
            [name, *row] for name, row in zip([*[""] * bool(columns), *rows], texts, strict=True)
        ]
    wide = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = (
        "  ".join(
            text.ljust(w) if rows and n == 0 else text.rjust(w)
            for n, (text, w) in enumerate(zip(row, wide, strict=True))
        )
        for row in texts
    )
    return "\n".join(line.rstrip() for line in lines)

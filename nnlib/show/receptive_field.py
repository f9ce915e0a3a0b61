"""The receptive field: which pixels one output of a stack of layers sees, found by a gradient."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlib import functional, nn
from nnlib.check import Size, pair
from nnlib.show import svg
from nnlib.show.grid import Grid, times, unusual
from nnlib.show.text import need, table
from nnlib.show.trace import Drawing, Frame, Stage, titled
from nnlib.tensor import Tensor

LAYERS, SIDE, ACROSS = 6, 40, 100  # the most that is drawn; ACROSS: cells of all maps in a row
WIDE, LARGEST, LEAST, GAP = 820, 30, 7, 30  # pixels: the picture, a cell at most and at least
HEAD, INDEX = 44, 6  # above the maps, and to their left
WINDOWS = {nn.Conv2d: "conv", nn.MaxPool2d: "max pool", nn.AvgPool2d: "avg pool"}
Field = tuple[range, range]  # the rows and the columns that are seen
# These work number by number: what goes in at a place comes out there.
POINTWISE = (nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softmax, nn.Dropout, nn.BatchNorm2d)


@dataclass(frozen=True)
class Window:
    """How a layer looks at the map before it, whatever its weights are."""

    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]

    def __str__(self) -> str:
        settings = unusual(stride=self.stride, dilation=self.dilation, padding=self.padding)
        return ", ".join([f"{self.name} {times(self.kernel)}", *settings])

    def needs(self, places: tuple[int, int]) -> tuple[int, int]:
        """How large a map has to be for so many places of the window."""
        along = zip(places, self.stride, self.dilation, self.kernel, self.padding, strict=True)
        height, width = (max(1, (n - 1) * s + d * (k - 1) + 1 - 2 * p) for n, s, d, k, p in along)
        return height, width


def receptive_field(
    layers: Any, at: tuple[int, int] | None = None, size: Size | None = None, title: str = ""
) -> Stage:
    """Go back through layers from one output, and see which cells of each map it depends on.

    A cell depends on those to which a gradient flows from it. So all weights are set to 1, and the
    library walks back: a cell's gradient is then the number of paths that lead from it to the
    output. The middle of the field has more of them than its edge (Luo et al., 2016, "Understanding
    the effective receptive field").

    The stage's `data` holds `size` (rows, columns), `rows` and `columns` (first and last of the
    input) and `paths`, one array for each map from the input to the output.

    Args:
        layers: a Sequential of Conv2d, MaxPool2d and AvgPool2d and layers that work number by
            number, or for each layer (kernel, stride, dilation); at most 6 of them.
        at: row and column of the output; its middle if not given.
        size: of the input, at most 40 × 40. If not given, as large as an output of 3 × 3 needs.
        title: stands above the picture.

    Example:
        >>> receptive_field([(3, 1, 1), (3, 2, 1)], at=(0, 1))
        map                      size   sees   rows  columns
        input                    9 × 9  5 × 5  0-4   2-6
        1: conv 3 × 3            7 × 7  3 × 3  0-2   2-4
        2: conv 3 × 3, stride 2  3 × 3  1 × 1  0-0   1-1
        Cell (0, 1) of the output, through 2 layers, sees 5 × 5 of 9 × 9 cells of the input: ...
    """
    stack = _stack(layers)
    maps = _maps(stack, at, size)
    n, fields = len(stack), [_field(paths) for paths in maps]
    names = ["the input", *(f"map {k}" for k in range(1, n)), "the output"]
    frames = [Frame(names[k], _sentence(stack, maps, k), k, at=f"map{k}") for k in range(n, -1, -1)]
    jumps = {frame.where: step for step, frame in enumerate(frames)}
    clicks = {f"map{k}": [n - k] for k in range(n + 1)}
    sizes, seen = [paths.shape for paths in maps], [tuple(map(len, field)) for field in fields]
    # The first and the last, for each map.
    rows, columns = ([(at[0], at[-1]) for at in along] for along in zip(*fields, strict=True))
    alt = f"Cell {rows[n][0], columns[n][0]} of the output, through {_layers(n)}, sees "
    alt += f"{times(seen[0])} of {times(sizes[0])} cells of the input: {_place(fields[0])}."
    shown = {"map": ["input", *(f"{k}: {window}" for k, window in enumerate(stack, start=1))]}
    shown |= {"size": [*map(times, sizes)], "sees": [*map(times, seen)]}
    shown |= {"rows": [f"{a}-{b}" for a, b in rows], "columns": [f"{a}-{b}" for a, b in columns]}
    data = {"size": seen[0], "rows": rows[0], "columns": columns[0], "paths": maps}
    usual, drawing = f"What an output sees through {_layers(n)}", _drawing(maps, fields)
    text = table(shown)
    return titled(
        title, usual, drawing, alt, frames=frames, jumps=jumps, clicks=clicks, text=text, data=data
    ).on_stage()


def _stack(layers: Any) -> list[Window]:
    """What each layer looks at."""
    stack, owner = [], "show.receptive_field"
    least = {"kernel_size": 1, "stride": 1, "dilation": 1, "padding": 0}
    for layer in layers:
        if isinstance(layer, POINTWISE):
            continue
        if isinstance(layer, tuple) and len(layer) == 3:
            name, sizes = "conv", (*layer, 0)
        elif type(layer) in WINDOWS:
            name, sizes = WINDOWS[type(layer)], [getattr(layer, each, 1) for each in least]
        else:
            kinds = "Conv2d, MaxPool2d, AvgPool2d and layers that work number by number"
            wanted = f"(kernel, stride, dilation) for each layer, or {kinds}"
            fix = "Take the part of the network before it, such as model[:4]."
            raise TypeError(f"{owner} takes {wanted}; got {layer}. {fix}")
        each = zip(least, sizes, least.values(), strict=True)
        stack.append(Window(name, *(pair(owner, *setting) for setting in each)))
    need(1 <= len(stack) <= LAYERS, owner, f"1 to {LAYERS} layers with a window", len(stack))
    return stack


def _maps(stack: list[Window], at: tuple[int, int] | None, size: Size | None) -> list[np.ndarray]:
    """The number of paths from each cell of each map to the output, by the library's gradient."""
    owner = "show.receptive_field"
    shape = (3, 3) if at is None else (max(3, at[0] + 1), max(3, at[1] + 1))
    for window in reversed(stack):
        shape = window.needs(shape)
    shape = shape if size is None else pair(owner, "size", size)
    wanted = f"an input of up to {SIDE} × {SIDE}: fewer layers, an output near (0, 0), or size="
    got = times(shape) + " for these layers" * (size is None)
    need(max(shape) <= SIDE, owner, wanted, got)
    x = Tensor(np.ones((1, *shape)), requires_grad=True)
    maps = [x]
    for window in stack:
        ones = Tensor(np.ones((1, 1, *window.kernel)))
        x = functional.conv2d(x, ones, None, window.stride, window.padding, window.dilation)
        x.retain_grad()
        maps.append(x)
    H, W = x.shape[1:]
    row, column = (H // 2, W // 2) if at is None else at
    wanted = f"at= from (0, 0) to {(H - 1, W - 1)}, or a larger size="
    need(0 <= row < H and 0 <= column < W, owner, wanted, at)
    widths = [m.shape[2] for m in maps]
    wanted = f"maps of up to {ACROSS} cells side by side: fewer layers, or a smaller size="
    need(sum(widths) <= ACROSS, owner, wanted, f"widths {widths}")
    x[0, row, column].backward()
    return [np.asarray(m.grad)[0] for m in maps]


# ---- what is said


def _sentence(stack: Sequence[Window], maps: Sequence[np.ndarray], k: int) -> str:
    n, field = len(stack), _field(maps[k])
    if k == n:
        at = tuple(seen[0] for seen in field)
        return f"One cell of the output, {at}. What does it see? Go back through {_layers(n)}."
    paths, around = maps[k][maps[k] > 0], math.prod(map(len, field))
    of = "the input" if k == 0 else f"map {k}"
    before = "It" if k == n - 1 else f"What it saw of map {k + 1}"
    said = f"{before} looks through layer {k + 1}, {stack[k]}, and so sees "
    said += f"{times(map(len, field))} cells of {of}: {_place(field)}."
    if paths.size < around:
        said += f" There are gaps between: it sees {paths.size} of these {around}."
    least, most = paths.min(), paths.max()
    if least < most:
        said += f" From one of them {most:.0f} paths lead to the output, from another {least:.0f}."
    return said


def _field(paths: np.ndarray) -> Field:
    """The rows and the columns from the first to the last that is seen."""
    rows, columns = (range(seen.min(), seen.max() + 1) for seen in np.nonzero(paths))
    return rows, columns


def _place(field: Field) -> str:
    return ", ".join(
        f"{name} {at[0]}" if len(at) == 1 else f"{name}s {at[0]} to {at[-1]}"
        for name, at in zip(("row", "column"), field, strict=True)
    )


def _layers(n: int) -> str:
    return "one layer" if n == 1 else f"{n} layers"


# ---- how it is drawn


def _drawing(maps: Sequence[np.ndarray], fields: Sequence[Field]) -> Drawing:
    """The maps side by side, the input first; seen cells are orange, for a gradient found them."""
    across = sum(m.shape[1] for m in maps)
    side = max(LEAST, min(LARGEST, int((WIDE - (len(maps) - 1) * GAP) / across)))
    tall = max(map(len, maps)) * side
    grids, sheets, around, heads, left = [], [], [], "", INDEX
    for k, m in enumerate(maps):
        grid = Grid(left, HEAD + (tall - len(m) * side) / 2, len(m), m.shape[1], side, side)
        heads += svg.write(left, 12, f"map {k}" if k else "input", 12.5, 100, "strong")
        heads += svg.write(left, 30, times(m.shape), 10.5, 100, "quiet")
        cells = [grid.cell(r, c, x, m.max(), "grad") for (r, c), x in np.ndenumerate(m) if x]
        sheets.append((_blank(grid), "".join(cells)))
        around.append(grid.outline(*fields[k], "here grad"))
        grids.append(grid)
        left = max(grid.right, left + 64) + GAP
    for k in range(len(maps) - 1):
        around[k] += _cone(grids[k], grids[k + 1], fields[k], fields[k + 1])

    def draw(frame: Frame) -> dict[str, str]:
        k = frame.event  # the maps from here on are known
        drawn = {f"map{n}": blank + seen * (n >= k) for n, (blank, seen) in enumerate(sheets)}
        return {"heads": heads} | drawn | {f"field{n}": a * (n >= k) for n, a in enumerate(around)}

    return draw, (0, 0, left - GAP + 6, HEAD + tall + 6)


def _blank(grid: Grid) -> str:
    """A sheet of squared paper: one box and its lines, for there may be many cells."""
    left, top = grid.left, grid.top
    lines = [f"M{left:g} {grid.corner(n, 0)[1]:g}H{grid.right:g}" for n in range(1, grid.rows)]
    lines += [f"M{grid.corner(0, n)[0]:g} {top:g}V{grid.bottom:g}" for n in range(1, grid.columns)]
    box = svg.box(left, top, grid.right - left, grid.bottom - top, 2, "cell")
    ruled = svg.element("path", class_="link", d="".join(lines), stroke_width=0.5)
    return box + ruled if lines else box


def _cone(grid: Grid, onto: Grid, field: Field, seen: Field) -> str:
    """From the corners of the field in one map to those in the next."""
    (rows, columns), (to_rows, to_columns), paths = field, seen, []
    for row, to_row in ((rows.start, to_rows.start), (rows.stop, to_rows.stop)):
        d = svg.curve([grid.corner(row, columns.stop), onto.corner(to_row, to_columns.start)])
        paths.append(svg.element("path", class_="link grad", d=d, stroke_width=1.2))
    return "".join(paths)

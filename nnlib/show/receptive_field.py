"""The receptive field: which pixels one output of a stack of layers sees, found by a gradient."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import functional as F
from nnlib import nn
from nnlib.check import Size, pair
from nnlib.show import svg
from nnlib.show.grid import Grid
from nnlib.show.text import one_line, table, under
from nnlib.show.trace import Frame, Trace
from nnlib.tensor import Tensor

if TYPE_CHECKING:
    from nnlib.show.stage import Stage

LAYERS, SIDE, ACROSS = 6, 40, 100  # the most that is drawn; ACROSS: cells of all maps in a row
WIDE, LARGEST, LEAST, GAP = 820, 30, 7, 30  # pixels: the picture, a cell at most and at least
HEAD, INDEX = 44, 6  # above the maps, and to their left
WINDOWS = {nn.Conv2d: "conv", nn.MaxPool2d: "max pool", nn.AvgPool2d: "avg pool"}
Field = tuple[tuple[int, int], tuple[int, int]]  # first and last row, first and last column
# These work number by number: what goes in at a place comes out there.
POINTWISE = (
    nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softmax, nn.Dropout, nn.BatchNorm2d
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """How a layer looks at the map before it, whatever its weights are."""

    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        said = [f"{self.name} {_times(self.kernel)}"]
        for what, size, usual in (
            ("stride", self.stride, 1),
            ("dilation", self.dilation, 1),
            ("padding", self.padding, 0),
        ):
            if size != (usual, usual):
                said.append(f"{what} {size[0] if size[0] == size[1] else size}")
        return ", ".join(said)

    def needs(self, places: tuple[int, int]) -> tuple[int, int]:
        """How large a map has to be for so many places of the window."""
        along = zip(places, self.stride, self.dilation, self.kernel, self.padding, strict=True)
        height, width = (max(1, (n - 1) * s + d * (k - 1) + 1 - 2 * p) for n, s, d, k, p in along)
        return height, width


def receptive_field(
    layers: Any, at: tuple[int, int] | None = None, size: Size | None = None, title: str = ""
) -> "Stage":
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
    from nnlib.show.stage import Stage

    return Stage(trace(layers, at, size, title))


def trace(
    layers: Any, at: tuple[int, int] | None = None, size: Size | None = None, title: str = ""
) -> Trace:
    """One frame for the output, then one for each map before it."""
    stack = _stack(layers)
    maps = _maps(stack, at, size)
    n = len(stack)
    fields = [_field(paths) for paths in maps]
    draw, view = _drawing(maps, fields)
    names = ["the input", *(f"map {k}" for k in range(1, n)), "the output"]
    frames = [
        Frame(names[k], _sentence(stack, maps, fields, k), k, at=f"map{k}")
        for k in reversed(range(n + 1))
    ]
    title = one_line(title or "", limit=80)
    wide = [_times(map(_count, field)) for field in fields]
    alt = (
        f"Cell {fields[n][0][0], fields[n][1][0]} of the output, through {_layers(n)}, sees "
        f"{wide[0]} of {_times(maps[0].shape)} cells of the input: {_place(fields[0])}."
    )

    return Trace(
        title=title or f"What an output sees through {_layers(n)}",
        frames=frames,
        draw=draw,
        view=view,
        jumps={frame.where: step for step, frame in enumerate(frames)},
        clicks={f"map{k}": [n - k] for k in range(n + 1)},
        alt=under(title, alt),
        text=table(
            {
                "map": ["input", *(f"{k}: {window}" for k, window in enumerate(stack, start=1))],
                "size": [_times(paths.shape) for paths in maps],
                "sees": wide,
                "rows": ["-".join(map(str, rows)) for rows, _ in fields],
                "columns": ["-".join(map(str, columns)) for _, columns in fields],
            }
        ),
        data={
            "size": tuple(map(_count, fields[0])),
            "rows": fields[0][0],
            "columns": fields[0][1],
            "paths": maps,
        },
    )


def _stack(layers: Any) -> list[Window]:
    """What each layer looks at."""
    stack, owner = [], "show.receptive_field"
    for layer in layers:
        if isinstance(layer, POINTWISE):
            continue
        if isinstance(layer, tuple) and len(layer) == 3:
            names = ("kernel", "stride", "dilation")
            pairs = [pair(owner, name, x) for name, x in zip(names, layer, strict=True)]
            stack.append(Window("conv", *pairs))
        elif isinstance(layer, tuple(WINDOWS)):
            pairs = [
                pair(owner, name, getattr(layer, name, 1), least=int(name != "padding"))
                for name in ("kernel_size", "stride", "dilation", "padding")
            ]
            stack.append(Window(WINDOWS[type(layer)], *pairs))
        else:
            raise TypeError(
                f"{owner} takes (kernel, stride, dilation) for each layer, or Conv2d, MaxPool2d, "
                f"AvgPool2d and layers that work number by number; got {layer}. Take the part of "
                "the network before it, such as model[:4]."
            )
    if not 1 <= len(stack) <= LAYERS:
        raise ValueError(f"{owner} draws 1 to {LAYERS} layers with a window; got {len(stack)}.")
    return stack


def _maps(
    stack: Sequence[Window], at: tuple[int, int] | None, size: Size | None
) -> list[np.ndarray]:
    """The number of paths from each cell of each map to the output, by the library's gradient."""
    owner = "show.receptive_field"
    shape = (3, 3) if at is None else (max(3, at[0] + 1), max(3, at[1] + 1))
    for window in reversed(stack):
        shape = window.needs(shape)
    shape = shape if size is None else pair(owner, "size", size)
    if max(shape) > SIDE:
        raise ValueError(
            f"{owner} draws an input of up to {SIDE} × {SIDE}; these layers "
            f"{'need' if size is None else 'got'} {_times(shape)}. Show fewer layers, or an output "
            "nearer to (0, 0), or choose size=."
        )
    x = Tensor(np.ones((1, *shape)), requires_grad=True)
    maps = [x]
    for window in stack:
        ones = Tensor(np.ones((1, 1, *window.kernel)))
        settings = window.stride, window.padding, window.dilation
        maps.append(F.conv2d(maps[-1], ones, None, *settings))
        maps[-1].retain_grad()
    H, W = maps[-1].shape[1:]
    row, column = (H // 2, W // 2) if at is None else at
    if not (0 <= row < H and 0 <= column < W):
        raise ValueError(
            f"{owner}: the output has {H} rows and {W} columns, so at= cannot be {at}. Choose at= "
            f"from (0, 0) to {(H - 1, W - 1)}, or a larger size=."
        )
    if sum(m.shape[2] for m in maps) > ACROSS:
        widths = ", ".join(str(m.shape[2]) for m in maps)
        raise ValueError(
            f"{owner} draws maps of up to {ACROSS} cells side by side; these are {widths} wide. "
            "Show fewer layers, or choose a smaller size=."
        )
    maps[-1][0, row, column].backward()
    return [np.asarray(m.grad)[0] for m in maps]


# ---- what is said


def _sentence(
    stack: Sequence[Window], maps: Sequence[np.ndarray], fields: Sequence[Field], k: int
) -> str:
    n = len(stack)
    if k == n:
        at = fields[n][0][0], fields[n][1][0]
        return f"One cell of the output, {at}. What does it see? Go back through {_layers(n)}."
    seen, extent = int((maps[k] > 0).sum()), [_count(ends) for ends in fields[k]]
    of = "the input" if k == 0 else f"map {k}"
    before = "It" if k == n - 1 else f"What it saw of map {k + 1}"
    said = f"{before} looks through layer {k + 1}, {stack[k]}, and so sees {_times(extent)} cells "
    said += f"of {of}: {_place(fields[k])}."
    if seen < extent[0] * extent[1]:
        said += f" There are gaps between: it sees {seen} of these {extent[0] * extent[1]}."
    least, most = maps[k][maps[k] > 0].min(), maps[k].max()
    if least < most:
        said += f" From one of them {most:.0f} paths lead to the output, from another {least:.0f}."
    return said


def _field(paths: np.ndarray) -> Field:
    """The first and the last row, the first and the last column that are seen."""
    rows, columns = np.nonzero(paths)
    return (int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max()))


def _count(ends: tuple[int, int]) -> int:
    return ends[1] - ends[0] + 1


def _place(field: Field) -> str:
    return ", ".join(
        f"{name} {first}" if first == last else f"{name}s {first} to {last}"
        for name, (first, last) in zip(("row", "column"), field, strict=True)
    )


def _layers(n: int) -> str:
    return "one layer" if n == 1 else f"{n} layers"


def _times(shape: Any) -> str:
    return " × ".join(map(str, shape))


# ---- how it is drawn


def _drawing(
    maps: Sequence[np.ndarray], fields: Sequence[Field]
) -> tuple[Callable[[Frame], dict[str, str]], tuple[float, float, float, float]]:
    """The maps side by side, the input first; seen cells are orange, for a gradient found them."""
    across = sum(paths.shape[1] for paths in maps)
    side = max(LEAST, min(LARGEST, int((WIDE - (len(maps) - 1) * GAP) / across)))
    tall = max(paths.shape[0] for paths in maps) * side
    grids, left = [], float(INDEX)
    for paths in maps:
        rows, columns = paths.shape
        grids.append(Grid(left, HEAD + (tall - rows * side) / 2, rows, columns, side, side))
        left = max(grids[-1].right, left + 64) + GAP
    blank = [_blank(grid) for grid in grids]
    seen = [
        "".join(grid.cell(*at, m[at], m.max(), "grad") for at in zip(*np.nonzero(m), strict=True))
        for grid, m in zip(grids, maps, strict=True)
    ]
    around = [
        grid.outline(*fields[k], "here grad") + _cone(grids, fields, k)
        for k, grid in enumerate(grids)
    ]
    heads = "".join(
        svg.write(grid.left, 12, "input" if k == 0 else f"map {k}", 12.5, 100, "strong")
        + svg.write(grid.left, 30, f"{_times(m.shape)}", 10.5, 100, "quiet")
        for k, (grid, m) in enumerate(zip(grids, maps, strict=True))
    )

    def draw(frame: Frame) -> dict[str, str]:
        pieces = {"heads": heads}
        for k in range(len(grids)):
            pieces[f"map{k}"] = blank[k] + seen[k] * (k >= frame.event)
        return pieces | {f"field{k}": around[k] * (k >= frame.event) for k in range(len(grids))}

    return draw, (0, 0, left - GAP + 6, HEAD + tall + 6)


def _blank(grid: Grid) -> str:
    """A sheet of squared paper: one box and its lines, for there may be many cells."""
    left, top = grid.left, grid.top
    lines = [f"M{left:g} {grid.corner(n, 0)[1]:g}H{grid.right:g}" for n in range(1, grid.rows)]
    lines += [f"M{grid.corner(0, n)[0]:g} {top:g}V{grid.bottom:g}" for n in range(1, grid.columns)]
    box = svg.box(left, top, grid.right - left, grid.bottom - top, 2, "cell")
    ruled = svg.element("path", class_="link", d="".join(lines), stroke_width=0.5)
    return box + ruled if lines else box


def _cone(grids: Sequence[Grid], fields: Sequence[Field], k: int) -> str:
    """From the corners of the field in one map to those in the next."""
    paths = []
    for end in (0, 1) if k + 1 < len(grids) else ():
        (rows, columns), (to_rows, to_columns) = fields[k : k + 2]
        start = grids[k].corner(rows[end] + end, columns[1] + 1)
        d = svg.curve([start, grids[k + 1].corner(to_rows[end] + end, to_columns[0])])
        paths.append(svg.element("path", class_="link grad", d=d, stroke_width=1.2))
    return "".join(paths)

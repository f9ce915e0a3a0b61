"""The convolution stepper: a window slides over an image, and each place gives one number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import functional as F
from nnlib.check import Size, pair
from nnlib.ops.window import padded, windows
from nnlib.show import svg
from nnlib.show.grid import Grid, farthest, floats, plain
from nnlib.show.text import minus, num, one_line, short, under
from nnlib.show.trace import Frame, Trace
from nnlib.tensor import Tensor

if TYPE_CHECKING:
    from nnlib.show.stage import Stage

SIDE, ACROSS, PRODUCTS = 12, 24, 3500  # the most that is drawn: cells of an image, of all, products
SAID = 9  # products that a sentence names
WIDE, LARGEST, LEAST = 820, 40, 30  # pixels: the picture, and a cell at most and at least
GAP, HEAD, INDEX = 34, 44, 20  # between grids; above them and beside them
UNDER = 28  # above a grid without indices
SUM, LINE = 112, 24  # the width and the height of a line of the sum


@dataclass(frozen=True)
class Convolution:
    """What is convolved with what, and all that comes of it."""

    image: np.ndarray  # (C, H, W)
    kernel: np.ndarray  # (C, K, K')
    bias: float
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    products: np.ndarray  # (C, K, K', H', W')
    outside: np.ndarray  # (H', W'), how many cells of the window lie in the padding
    sums: np.ndarray  # (H', W'), without the bias
    output: np.ndarray  # (H', W')

    def seen(self, row: int, column: int) -> tuple[list[int], list[int]]:
        """The rows and the columns of the image that one place sees; padding has none."""
        (p, q), (s, t), (d, e) = self.padding, self.stride, self.dilation
        rows, columns = (range(n) for n in self.kernel.shape[1:])
        return [row * s - p + d * i for i in rows], [column * t - q + e * j for j in columns]


def conv(
    image: Any,
    kernel: Any,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    bias: float = 0.0,
    title: str = "",
) -> "Stage":
    """Step through a convolution: one place of the window, and so one output, at a time.

    At each place the kernel is multiplied with what the window sees, number by number; the sum of
    the products, plus the bias, is the output there. Green is above zero and purple below.

    Click a cell of the output to go to it, or a pixel to go to the next place that sees it. The
    stage's `data` holds `output` (H', W') and `products` (C, K, K', H', W').

    Args:
        image: (H, W) or (C, H, W), with padding at most 12 × 12, or 8 × 8 with 3 channels.
        kernel: (K, K') or (C, K, K'): one kernel. Of a layer it is `layer.weight[0]`.
        stride, padding, dilation: as in `nnlib.functional.conv2d`.
        bias: is added to each sum.
        title: stands above the picture.

    Example:
        >>> conv([[0, 0, 1, 1], [0, 0, 1, 1]], [[-1, 1], [-1, 1]], title="An edge")
        0  2.0000  0
        An edge. A 2 × 2 kernel over an image of 2 × 4: the output is 1 × 3, from 0 to 2.
    """
    from nnlib.show.stage import Stage

    return Stage(trace(image, kernel, stride, padding, dilation, bias, title))


def trace(
    image: Any,
    kernel: Any,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    bias: float = 0.0,
    title: str = "",
) -> Trace:
    """The places of the window in reading order, one frame for each after an empty one."""
    c = convolve(image, kernel, stride, padding, dilation, bias)
    places = list(np.ndindex(c.output.shape))
    frames = [Frame("before", _given(c), None), *(_frame(c, *place) for place in places)]
    steps = {place: step for step, place in enumerate(places, start=1)}
    clicks = {f"out{row}_{column}": [step] for (row, column), step in steps.items()}
    for (row, column), step in steps.items():
        rows, columns = c.seen(row, column)
        for channel, r, s in np.ndindex(c.kernel.shape):
            clicks.setdefault(f"x{channel}_{rows[r]}_{columns[s]}", []).append(step)
    plan = _plan(c)
    draw = _drawing(c, plan)
    title = one_line(title or "", limit=80)
    size, shape = _times(c.kernel.shape[1:]), c.image.shape[len(c.image) == 1 :]
    alt = f"A {size} kernel over an image of {_times(shape)}: the output is "
    alt += f"{_times(c.output.shape)}, from {short(c.output.min())} to {short(c.output.max())}."

    keys = draw(frames[0])
    return Trace(
        title=title or f"A convolution with a {size} kernel",
        frames=frames,
        draw=draw,
        view=plan.view,
        jumps={f"row {row}": steps[row, 0] for row in range(len(c.output))},
        clicks={key: at for key, at in clicks.items() if key in keys},  # not in the padding
        alt=under(title, alt),
        text=plain(c.output, num),
        data={"output": c.output, "products": c.products},
    )


def convolve(
    image: Any, kernel: Any, stride: Size, padding: Size, dilation: Size, bias: float
) -> Convolution:
    """The convolution, by the library, if it is small enough to be drawn."""
    image, kernel = floats("show.conv", image, kernel)
    shapes = f"image {image.shape} and kernel {kernel.shape}"
    x, w = (array[None] if array.ndim == 2 else array for array in (image, kernel))
    if x.ndim != 3 or w.ndim != 3 or len(x) != len(w):
        raise ValueError(
            f"show.conv needs an image (C, H, W) and one kernel (C, K, K'), or both without C; got "
            f"{shapes}. Of a batch take one: images[0]; of a layer one kernel: layer.weight[0]."
        )
    stride, dilation = pair("show.conv", "stride", stride), pair("show.conv", "dilation", dilation)
    padding = pair("show.conv", "padding", padding, least=0)
    drawn = tuple(n + 2 * p for n, p in zip(x.shape[1:], padding, strict=True))
    z = F.conv2d(Tensor(x), Tensor(w[None]), None, stride, padding, dilation)
    if max(drawn) > SIDE or len(x) * drawn[1] > ACROSS or w.size * z.numel() > PRODUCTS:
        raise ValueError(
            f"show.conv draws an image of up to {SIDE} × {SIDE} cells, padding included, its "
            f"channels side by side in {ACROSS}, and {PRODUCTS} products; got {shapes}, with "
            f"padding {_times(drawn)}, and {w.size * z.numel()} products. "
            "Cut a piece out: image[..., :8, :8]."
        )
    b = Tensor(np.array([bias], x.dtype))
    output = F.conv2d(Tensor(x), Tensor(w[None]), b, stride, padding, dilation)
    window = w.shape[1:], stride, dilation
    seen = windows(padded(x[None], padding, 0), *window)[..., 0]  # (C, K, K', H', W')
    inside = windows(padded(np.ones_like(x[None]), padding, 0), *window)[0, ..., 0]
    return Convolution(
        x, w, float(b.data[0]), stride, padding, dilation,
        products=seen * w[..., None, None],
        outside=(inside == 0).sum((0, 1)),
        sums=z.data[0],
        output=output.data[0],
    )  # fmt: skip


# ---- what is said


def _given(c: Convolution) -> str:
    (H, W), (rows, columns) = c.image.shape[1:], c.output.shape
    said = [f"A {_times(c.kernel.shape[1:])} kernel slides over an image of {H} × {W}"]
    if len(c.image) > 1:
        said.append(f"with {len(c.image)} channels")
    for name, (along, across), usual in (
        ("stride", c.stride, 1),
        ("padding", c.padding, 0),
        ("dilation", c.dilation, 1),
    ):
        if (along, across) != (usual, usual):
            said.append(f"{name} {along if along == across else (along, across)}")
    places = f"The window fits at {rows} places downwards and {columns} across"
    return f"{', '.join(said)}. {places}, so the output is {rows} × {columns}."


def _frame(c: Convolution, row: int, column: int) -> Frame:
    where = f"row {row}, column {column}"
    numbers = [float(x) for x in c.products[..., row, column].flat]
    if len(numbers) <= SAID:
        said = _signed(numbers[0])
        said += "".join(f" {'−' if x < 0 else '+'} {_signed(abs(x))}" for x in numbers[1:])
        said = f"the sum of the products is {said} = {_signed(c.sums[row, column])}"
    else:
        said = f"the sum of the {len(numbers)} products is {_signed(c.sums[row, column])}"
    if c.bias:
        said += f"; plus the bias {_signed(c.bias)} it is {_signed(c.output[row, column])}"
    outside = c.outside[row, column]
    lie = "cell lies" if outside == 1 else "cells lie"
    aside = f" Of the window {outside} {lie} in the padding, as 0." if outside else ""
    return Frame(where, f"Output at {where}: {said}.{aside}", (row, column), at="window")


def _signed(x: Any) -> str:
    return minus(short(x))


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


# ---- how it is drawn


@dataclass(frozen=True)
class Plan:
    """Where the grids are, a list of them with one for each channel, and the sum."""

    images: list[Grid]
    kernels: list[Grid]
    products: list[Grid]
    output: Grid
    foot: tuple[float, float]
    view: tuple[float, float, float, float]


def _plan(c: Convolution) -> Plan:
    """One channel in a row if there is room; else kernels and products below their images."""
    channels, K, M = c.kernel.shape
    (p, q), (H, W), (rows, columns) = c.padding, c.image.shape[1:], c.output.shape
    H, W = H + 2 * p, W + 2 * q
    room = WIDE - INDEX - 3 * GAP
    in_a_row = channels == 1 and (W + 2 * M + columns) * LEAST <= room
    across = W + 2 * M + columns if in_a_row else channels * W + columns * (channels == 1)
    side = max(LEAST, min(LARGEST, room // across))
    images, kernels, products = [], [], []
    left, below = INDEX, HEAD + H * side + UNDER
    for _ in range(channels):
        images.append(Grid(left, HEAD, H, W, side, side))
        right = left + max(W, M) * side + GAP
        kernels.append(Grid(*((right, HEAD) if in_a_row else (left, below)), K, M, side, side))
        x, y = kernels[-1].right + GAP, kernels[-1].top
        if channels > 1:
            x, y = left, kernels[-1].bottom + UNDER
        products.append(Grid(x, y, K, M, side, side))
        left = right
    x, y = products[-1].left + max(M * side, SUM) + GAP, products[-1].top
    foot = x, y
    if in_a_row:
        foot = products[-1].left, products[-1].bottom
    elif channels == 1:
        x, y = images[-1].right + GAP, HEAD
    else:
        x, y = products[-1].right + GAP, below + INDEX
        foot = x, y + rows * side
    output = Grid(x, y, rows, columns, side, side)
    grids = [*images, *kernels, *products, output]
    width = max(*(grid.right for grid in grids), foot[0] + SUM) + 6
    height = max(*(grid.bottom for grid in grids), foot[1] + (3.5 if c.bias else 1.5) * LINE) + 6
    return Plan(images, kernels, products, output, foot, (0, 0, width, height))


def _drawing(c: Convolution, plan: Plan) -> Callable[[Frame], dict[str, str]]:
    """What draws a frame. Each pixel is a piece of its own, to be clicked; so is each output."""
    rows, columns = c.output.shape
    fixed, pixels = _fixed(c, plan)
    most, most_out = farthest(c.products), farthest(c.output)

    def draw(frame: Frame) -> dict[str, str]:
        at = frame.event
        now = -1 if at is None else at[0] * columns + at[1]
        pieces = {"fixed": fixed} | pixels
        products_here = c.products[..., at[0], at[1]] if at else np.full(c.kernel.shape, None)
        both = zip(plan.products, products_here, strict=True)
        pieces["products"] = "".join(grid.cells(products, most) for grid, products in both)
        pieces["sum"] = _sum(c, *plan.foot, at) if at else ""
        for n, (row, column) in enumerate(np.ndindex(rows, columns)):
            number = c.output[row, column] if n <= now else None
            pieces[f"out{row}_{column}"] = plan.output.cell(row, column, number, most_out)
        pieces["window"] = _window(c, plan.images, *at) if at else ""
        pieces["here"] = plan.output.outline((at[0],) * 2, (at[1],) * 2) if at else ""
        return pieces

    return draw


def _fixed(c: Convolution, plan: Plan) -> tuple[str, dict[str, str]]:
    """The headings, kernels and padding; and the pixels, by key."""
    (p, q), (H, W) = c.padding, c.image.shape[1:]
    most, pixels = farthest(c.image), {}
    parts = [plan.output.head("output", room=60), plan.output.indices()]
    grids = zip(plan.images, plan.kernels, plan.products, strict=True)
    for n, (image, kernel, product) in enumerate(grids):
        of = f" {n}" if len(c.image) > 1 else ""
        parts += [image.head(f"image{of}"), image.indices(c.padding)]
        above = 30 if kernel.top == image.top else 12
        parts += [kernel.head(f"× kernel{of}", 90, above), product.head("= products", 90, above)]
        parts += [kernel.cells(c.kernel[n], farthest(c.kernel))]
        for row, column in np.ndindex(image.rows, image.columns):
            r, s = row - p, column - q
            if 0 <= r < H and 0 <= s < W:
                pixels[f"x{n}_{r}_{s}"] = image.cell(row, column, c.image[n, r, s], most)
            else:
                parts.append(image.cell(row, column, 0, role="padding"))
    return "".join(parts), pixels


def _sum(c: Convolution, left: float, top: float, at: tuple[int, int]) -> str:
    """What the products add up to, below or beside them."""
    lines = [("sum", c.sums[at], "value")]
    if c.bias:
        lines += [("+ bias", c.bias, ""), ("output", c.output[at], "value")]
    drawn = ""
    for n, (name, number, role) in enumerate(lines):
        y, exact = top + (n + 0.75) * LINE, repr(float(number))
        drawn += svg.write(left, y, name, 12.5, 60, "quiet")
        role = f"{role} strong"
        drawn += svg.write(left + SUM, y, _signed(number), 15, 80, role, anchor="end", exact=exact)
    return drawn


def _window(c: Convolution, images: list[Grid], row: int, column: int) -> str:
    """A frame around what the window sees: one, or one for each cell if they lie apart."""
    rows, columns = (
        [at + p for at in places] for places, p in zip(c.seen(row, column), c.padding, strict=True)
    )
    frames = [((r, r), (s, s)) for r in rows for s in columns]
    if c.dilation == (1, 1):
        frames = [((rows[0], rows[-1]), (columns[0], columns[-1]))]
    return "".join(grid.outline(*frame) for grid in images for frame in frames)

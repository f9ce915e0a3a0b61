"""The convolution stepper: a window slides over an image, and each place gives one number."""

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from nnlib import functional as F
from nnlib.check import Size, pair
from nnlib.ops.window import padded, windows
from nnlib.show import svg
from nnlib.show.grid import Grid, farthest, floats, plain, times, unusual
from nnlib.show.text import need, num, say, short
from nnlib.show.trace import Drawing, Frame, Stage, titled
from nnlib.tensor import Tensor

SIDE, ACROSS, PRODUCTS = 12, 24, 3500  # the most that is drawn: cells of an image, of all, products
SAID = 9  # products that a sentence names
WIDE, LARGEST, LEAST = 820, 40, 30  # pixels: the picture, and a cell at most and at least
GAP, HEAD, INDEX = 34, 44, 20  # between grids; above them and beside them
UNDER = 28  # above a grid without indices
SUM, LINE = 112, 24  # the width and the height of a line of the sum
Channel = tuple[Grid, Grid, Grid]  # image, kernel, products
Point = tuple[float, float]


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
    sums: np.ndarray  # (H', W'), without the bias
    output: np.ndarray  # (H', W')

    def seen(self, row: int, column: int) -> tuple[range, range]:
        """The rows and the columns of the image that one place sees, or would if it were larger."""
        (s, t), (d, e), (_, k, m) = self.stride, self.dilation, self.kernel.shape
        top, left = row * s - self.padding[0], column * t - self.padding[1]
        return range(top, top + d * k, d), range(left, left + e * m, e)

    def pixels(self, row: int, column: int) -> list[tuple[int, int]]:
        """Those cells of what one place sees that are in the image, not in the padding."""
        (_, H, W), seen = self.image.shape, self.seen(row, column)
        return [(r, s) for r, s in product(*seen) if r in range(H) and s in range(W)]


def conv(
    image: Any,
    kernel: Any,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    bias: float = 0.0,
    title: str = "",
) -> Stage:
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
    c = _convolved(image, kernel, stride, padding, dilation, bias)
    places = list(np.ndindex(c.output.shape))
    frames = [Frame("before", _given(c), None), *(_frame(c, *place) for place in places)]
    clicks = {f"out{row}_{column}": [n] for n, (row, column) in enumerate(places, start=1)}
    for n, place in enumerate(places, start=1):
        for channel, (row, column) in product(range(len(c.image)), c.pixels(*place)):
            clicks.setdefault(f"x{channel}_{row}_{column}", []).append(n)
    size, shape = times(c.kernel.shape[1:]), c.image.shape[len(c.image) == 1 :]
    alt = f"A {size} kernel over an image of {times(shape)}: the output is "
    alt += f"{times(c.output.shape)}, from {short(c.output.min())} to {short(c.output.max())}."
    usual, drawing = f"A convolution with a {size} kernel", _drawing(c)
    jumps = {f"row {row}": 1 + row * len(line) for row, line in enumerate(c.output)}
    text, data = plain(c.output, num), {"output": c.output, "products": c.products}
    return titled(
        title, usual, drawing, alt, frames=frames, jumps=jumps, clicks=clicks, text=text, data=data
    ).on_stage()


def _convolved(image, kernel, stride, padding, dilation, bias) -> Convolution:
    """The convolution, by the library, if it is small enough to be drawn."""
    owner = "show.conv"
    image, kernel = floats(owner, image, kernel)
    got = f"image {image.shape} and kernel {kernel.shape}"
    x, w = (array[None] if array.ndim == 2 else array for array in (image, kernel))
    wanted = "an image (C, H, W), such as images[0], and one kernel (C, K, K'), such as "
    wanted += "layer.weight[0], or both without C"
    need(x.ndim == w.ndim == 3 and len(x) == len(w), owner, wanted, got)
    given = ("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1)
    stride, padding, dilation = (pair(owner, *each) for each in given)
    both, b = (Tensor(x), Tensor(w[None])), Tensor(np.array([bias], x.dtype))
    sums = F.conv2d(*both, None, stride, padding, dilation).data[0]
    output = F.conv2d(*both, b, stride, padding, dilation).data[0]
    H, W = (s + 2 * p for s, p in zip(x.shape[1:], padding, strict=True))
    n = w.size * sums.size
    small = max(H, W) <= SIDE and len(x) * W <= ACROSS and n <= PRODUCTS
    wanted = f"at most {SIDE} × {SIDE} cells, {ACROSS} with all channels side by side, and "
    wanted += f"{PRODUCTS} products, such as image[..., :8, :8]"
    got += f", with padding {H} × {W} cells (channels: {len(x)}), and {n} products"
    need(small, owner, wanted, got)
    seen = windows(padded(x[None], padding, 0), w.shape[1:], stride, dilation)
    products = seen[..., 0] * w[..., None, None]  # (C, K, K', H', W')
    return Convolution(x, w, float(b.data[0]), stride, padding, dilation, products, sums, output)


# ---- what is said


def _given(c: Convolution) -> str:
    (H, W), (rows, columns) = c.image.shape[1:], c.output.shape
    said = [f"A {times(c.kernel.shape[1:])} kernel slides over an image of {H} × {W}"]
    said += [f"with {len(c.image)} channels"] if len(c.image) > 1 else []
    said += unusual(stride=c.stride, padding=c.padding, dilation=c.dilation)
    places = f"The window fits at {rows} places downwards and {columns} across"
    return f"{', '.join(said)}. {places}, so the output is {rows} × {columns}."


def _frame(c: Convolution, row: int, column: int) -> Frame:
    where = f"row {row}, column {column}"
    numbers, total = c.products[..., row, column].ravel().tolist(), say(c.sums[row, column])
    said = f"the sum of the {len(numbers)} products is {total}"
    if len(numbers) <= SAID:
        more = "".join(f" {'−' if x < 0 else '+'} {say(abs(x))}" for x in numbers[1:])
        said = f"the sum of the products is {say(numbers[0])}{more} = {total}"
    if c.bias:
        said += f"; plus the bias {say(c.bias)} it is {say(c.output[row, column])}"
    outside = c.kernel[0].size - len(c.pixels(row, column))
    lie = "cell lies" if outside == 1 else "cells lie"
    aside = f" Of the window {outside} {lie} in the padding, as 0." if outside else ""
    return Frame(where, f"Output at {where}: {said}.{aside}", (row, column), at="window")


# ---- how it is drawn


def _plan(c: Convolution) -> tuple[list[Channel], Grid, Point, Point]:
    """Where each channel is, the output, and the sum; and how wide and high all of it is.

    One channel stands in a row if there is room; else kernels and products below their images.
    """
    C, K, M = c.kernel.shape
    (p, q), (H, W), (rows, columns) = c.padding, c.image.shape[1:], c.output.shape
    H, W = H + 2 * p, W + 2 * q
    room = WIDE - INDEX - 3 * GAP
    in_a_row = C == 1 and (W + 2 * M + columns) * LEAST <= room
    across = W + 2 * M + columns if in_a_row else C * W + columns * (C == 1)
    side = max(LEAST, min(LARGEST, room // across))
    grid = partial(Grid, wide=side, tall=side)
    step, below = max(W, M) * side + GAP, HEAD + H * side + UNDER
    channels = []
    for left in range(INDEX, INDEX + C * step, step):
        kernel = grid(left + step, HEAD, K, M) if in_a_row else grid(left, below, K, M)
        corner = (kernel.right + GAP, kernel.top) if C == 1 else (left, kernel.bottom + UNDER)
        products = grid(*corner, K, M)
        channels.append((grid(left, HEAD, H, W, padding=c.padding), kernel, products))
    image, kernel, products = channels[-1]
    beside = products.left + max(M * side, SUM) + GAP, products.top
    if in_a_row:
        output, foot = grid(*beside, rows, columns), (products.left, products.bottom)
    elif C == 1:
        output, foot = grid(image.right + GAP, HEAD, rows, columns), beside
    else:
        output = grid(products.right + GAP, below + INDEX, rows, columns)
        foot = output.left, output.bottom
    grids = image, kernel, products, output
    width = max(*(grid.right for grid in grids), foot[0] + SUM) + 6
    height = max(*(grid.bottom for grid in grids), foot[1] + (3.5 if c.bias else 1.5) * LINE) + 6
    return channels, output, foot, (width, height)


def _drawing(c: Convolution) -> Drawing:
    """Each pixel is a piece of its own, to be clicked; so is each output."""
    (channels, output, foot, size), (p, q), (H, W) = _plan(c), c.padding, c.image.shape[1:]
    most, most_made, most_out = farthest(c.image), farthest(c.products), farthest(c.output)
    rows, columns = map(range, c.output.shape)
    fixed = output.head("output", room=60) + output.names((rows, columns), 9.5)
    pixels = {}
    for n, (image, kernel, products) in enumerate(channels):
        of = f" {n}" if len(c.image) > 1 else ""
        above = 30 if kernel.top == image.top else 12
        fixed += image.head(f"image{of}") + image.names((range(H), range(W)), 9.5)
        fixed += kernel.head(f"× kernel{of}", 90, above) + products.head("= products", 90, above)
        fixed += kernel.cells(c.kernel[n], farthest(c.kernel))
        for r, s in product(range(-p, H + p), range(-q, W + q)):
            if r in range(H) and s in range(W):
                pixels[f"x{n}_{r}_{s}"] = image.cell(r, s, c.image[n, r, s], most)
            else:
                fixed += image.cell(r, s, 0, role="padding")

    def draw(frame: Frame) -> dict[str, str]:
        at = frame.event
        row, column = at or (0, 0)
        pieces = {"fixed": fixed, **pixels, "products": ""}
        for n, (_, _, products) in enumerate(channels):
            numbers = c.products[n, ..., row, column]
            pieces["products"] += products.cells(numbers, most_made, known=bool(at))
        pieces["sum"] = _sum(c, *foot, at) if at else ""
        for (r, s), x in np.ndenumerate(c.output):
            pieces[f"out{r}_{s}"] = output.cell(r, s, x if at and (r, s) <= at else None, most_out)
        pieces["window"] = _window(c, channels, *at) if at else ""
        pieces["here"] = output.outline([row], [column]) if at else ""
        return pieces

    return draw, (0, 0, *size)


def _sum(c: Convolution, left: float, top: float, at: tuple[int, int]) -> str:
    """What the products add up to, below or beside them."""
    lines = [("sum", c.sums[at], "value strong")]
    if c.bias:
        lines += [("+ bias", c.bias, " strong"), ("output", c.output[at], "value strong")]
    drawn = ""
    for n, (name, x, role) in enumerate(lines):
        y, exact = top + (n + 0.75) * LINE, repr(float(x))
        drawn += svg.write(left, y, name, 12.5, 60, "quiet")
        drawn += svg.write(left + SUM, y, say(x), 15, 80, role, anchor="end", exact=exact)
    return drawn


def _window(c: Convolution, channels: list[Channel], row: int, column: int) -> str:
    """A frame around what the window sees: one, or one for each cell if they lie apart."""
    seen = c.seen(row, column)
    frames = [seen] if c.dilation == (1, 1) else [([r], [s]) for r, s in product(*seen)]
    return "".join(image.outline(*frame) for image, _, _ in channels for frame in frames)

"""The convolution stepper: a window slides over an image, and each place gives one number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import functional as F
from nnlib.check import Size, pair
from nnlib.ops.window import padded, windows
from nnlib.show import png, svg
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
        return tuple(
            [at * s - p + d * i for i in range(k)]
            for at, s, p, d, k in zip(
                (row, column), self.stride, self.padding, self.dilation, self.kernel.shape[1:],
                strict=True,
            )
        )  # fmt: skip


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
    draw, view = _drawing(c)
    title = one_line(title or "", limit=80)
    size, shape = _times(c.kernel.shape[1:]), c.image.shape[len(c.image) == 1 :]
    alt = f"A {size} kernel over an image of {_times(shape)}: the output is "
    alt += f"{_times(c.output.shape)}, from {short(c.output.min())} to {short(c.output.max())}."

    keys = draw(frames[0])
    return Trace(
        title=title or f"A convolution with a {size} kernel",
        frames=frames,
        draw=draw,
        view=view,
        jumps={f"row {row}": steps[row, 0] for row in range(len(c.output))},
        clicks={key: at for key, at in clicks.items() if key in keys},  # not in the padding
        alt=under(title, alt),
        text=plain(c.output, num),
        data={"output": c.output, "products": c.products},
        still=lambda: png.still(draw(frames[-1]), view, title),
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
    outside, aside = c.outside[row, column], ""
    if outside:
        aside = f" In the padding, {outside} of them: it counts as 0."
    return Frame(where, f"Output at {where}: {said}.{aside}", (row, column), at="window")


def _signed(x: Any) -> str:
    return minus(short(x))


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


# ---- how it is drawn


def _drawing(
    c: Convolution,
) -> tuple[Callable[[Frame], dict[str, str]], tuple[float, float, float, float]]:
    """What draws a frame, and the part of the plane that it fills.

    The grids of a channel stand side by side: its image, its kernel, its products. What never
    changes is `fixed`, but each pixel is a piece of its own, to be clicked; so is each output.
    """
    channels, *kernel = c.kernel.shape
    (p, q), (H, W), (rows, columns) = c.padding, c.image.shape[1:], c.output.shape
    stacked = channels > 1
    across = channels * (W + 2 * q) + (0 if stacked else 2 * kernel[1]) + columns
    side = max(LEAST, min(LARGEST, (WIDE - (3 if stacked else 2) * GAP - INDEX) // across))
    images, kernels, products = [], [], []
    left, top = INDEX, HEAD
    for _ in range(channels):
        images.append(Grid(left, top, H + 2 * p, W + 2 * q, side, side))
        if stacked:
            kernels.append(Grid(left, images[-1].bottom + HEAD - 16, *kernel, side, side))
            products.append(Grid(left, kernels[-1].bottom + HEAD - 16, *kernel, side, side))
        else:
            kernels.append(Grid(images[-1].right + GAP, top, *kernel, side, side))
            products.append(Grid(kernels[-1].right + GAP, top, *kernel, side, side))
        left = max(images[-1].right, products[-1].left + SUM, products[-1].right) + GAP
    output = Grid(left, top, rows, columns, side, side)
    foot = (left, output.bottom) if stacked else (products[0].left, products[0].bottom)
    bottom = max(g.bottom for g in (*images, *products, output))
    bottom = max(bottom, foot[1] + (3.5 if c.bias else 1.5) * LINE)
    fixed, pixels = _fixed(c, images, kernels, products, output)
    most, most_out = farthest(c.products), farthest(c.output)

    def draw(frame: Frame) -> dict[str, str]:
        at = frame.event
        now = -1 if at is None else at[0] * columns + at[1]
        pieces = {"fixed": fixed} | pixels
        pieces["products"] = "".join(
            grid.cells(c.products[n][..., at[0], at[1]], most)
            if at
            else "".join(grid.cell(*place) for place in np.ndindex(*kernel))
            for n, grid in enumerate(products)
        )
        pieces["sum"] = _sum(c, *foot, at) if at else ""
        for n, (row, column) in enumerate(np.ndindex(rows, columns)):
            number = c.output[row, column] if n <= now else None
            pieces[f"out{row}_{column}"] = output.cell(row, column, number, most_out)
        pieces["window"] = _window(c, images, *at) if at else ""
        pieces["here"] = output.outline((at[0],) * 2, (at[1],) * 2) if at else ""
        return pieces

    return draw, (0, 0, max(output.right, foot[0] + SUM) + 6, bottom + 6)


def _fixed(
    c: Convolution, images: list[Grid], kernels: list[Grid], products: list[Grid], output: Grid
) -> tuple[str, dict[str, str]]:
    """The headings, kernels and padding; and the pixels, by key."""
    (p, q), (H, W) = c.padding, c.image.shape[1:]
    most, pixels = farthest(c.image), {}
    parts = [output.head("output", room=60), output.indices()]
    for n, (image, kernel, product) in enumerate(zip(images, kernels, products, strict=True)):
        of = f" {n}" if len(images) > 1 else ""
        parts += [image.head(f"image{of}"), image.indices(c.padding)]
        above = 12 if of else 30
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
    parts = []
    for n, (name, number, role) in enumerate(lines):
        y = top + (n + 0.75) * LINE
        parts += [
            svg.write(left, y, name, 12.5, 60, "quiet"),
            svg.write(
                left + SUM, y, _signed(number), 15, 80,
                f"{role} strong".strip(), anchor="end", exact=repr(float(number)),
            ),
        ]  # fmt: skip
    return "".join(parts)


def _window(c: Convolution, images: list[Grid], row: int, column: int) -> str:
    """A frame around what the window sees: one, or one for each cell if they lie apart."""
    rows, columns = (
        [at + p for at in places] for places, p in zip(c.seen(row, column), c.padding, strict=True)
    )
    if c.dilation == (1, 1):
        return "".join(
            grid.outline((rows[0], rows[-1]), (columns[0], columns[-1])) for grid in images
        )
    return "".join(grid.outline((r, r), (s, s)) for grid in images for r in rows for s in columns)

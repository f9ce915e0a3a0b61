"""The course's charts: one style, words for those who cannot see them, and the data drawn.

Each function returns a `Picture`. Its `data` is read back from the drawing: it is what the picture
shows, not what was meant to be shown. Each curve has its own colour, dash and marker; each class
its own colour and marker.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnlib.graph import Node
from nnlib.show.picture import PAPER, Picture, figure, style
from nnlib.show.text import need, say, short

# The same colours for the same things as in stage.css.
INK, QUIET, LINE = "#1F2328", "#59636E", "#C4CBD4"
VALUE, GRAD = "#0072B2", "#B84A00"  # a role each, everywhere
NEGATIVE, POSITIVE = "#762A83", "#1B7837"  # sign, with white between them for zero
RUNNERS = (VALUE, GRAD, "#5200CC", "#593228")  # one colour per curve, each with dash and marker
WIDTH, HEIGHT, PAD = 6.4, 3.6, 0.12  # inches; PAD is the white around a figure
DASHES = ("-", (0, (5, 2)), (0, (1, 1.3)), (0, (6, 2, 1, 2)))
MARKERS = ("o", "s", "^", "D")
CLASSES = ((NEGATIVE, "s"), (POSITIVE, "o"))


@style()
def lines(
    x,
    curves: Mapping[str, Any],
    *,
    title: str = "",
    xlabel: str = "x",
    ylabel: str = "",
    logy: bool = False,
    alt: str = "",
) -> Picture:
    """Draw one to four curves over the same x.

    Args:
        x: n numbers.
        curves: n numbers for each name.
        logy: let the steps of the vertical axis be factors of ten.
        alt: what there is to see. If not given, it says where each curve starts, ends and turns.

    `data` has x under "x", and each curve under its name.

    Example:
        >>> x = np.linspace(-3, 3, 61)
        >>> picture = lines(x, {"tanh": np.tanh(x), "relu": np.maximum(x, 0)})
        >>> picture
        tanh over x from -3 to 3: from -0.995 to 0.995. relu over x from -3 to 3: from 0 to 3.
        >>> picture.data["relu"].max()
        np.float64(3.0)
    """
    from matplotlib.ticker import MaxNLocator

    x = _numbers(x)
    need(x.ndim == 1 and len(x) > 0, "lines", "x to be a list of numbers", x.shape)
    _names("lines", curves, reserved="x", most=len(RUNNERS))
    fig = _figure()
    ax = fig.add_subplot(title=title, xlabel=xlabel, ylabel=ylabel)
    if logy:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    if (x == x.round()).all():
        ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    for rank, (name, y) in enumerate(curves.items()):
        y = _numbers(y)
        need(y.shape == x.shape, f"lines: {name}", f"one number per x, {x.shape}", y.shape)
        every = 1 if len(x) <= 24 else len(x) // 8
        ax.plot(
            x, y, label=name, color=RUNNERS[rank], linestyle=DASHES[rank],
            marker=MARKERS[rank], markersize=5, markevery=(rank * every // 4, every),
        )  # fmt: skip
    data, words = {"x": x}, []
    for line in ax.lines:
        name = str(line.get_label())
        x, y = np.asarray(line.get_xydata()).T
        data |= {"x": x, name: y}
        words.append(f"{name} over {xlabel} from {short(x[0])} to {short(x[-1])}: {_course(y)}.")
    if len(curves) > 1:
        fig.legend(loc="outside right upper")
    return _finish(fig, words, title, alt, data)


def history(history, *, title: str = "", logy: bool = False, alt: str = "") -> Picture:
    """Draw the loss of a training, epoch by epoch, as `nnlib.train.fit` returns it.

    `data` has the epochs under "x", and "loss" and, if it was measured, "val_loss".

    Example:
        >>> from nnlib.train import History, TrainStep
        >>> history(History([TrainStep(1, 1, 0.9, 0.1), TrainStep(2, 1, 0.4, 0.1)]))
        loss over epoch from 1 to 2: from 0.9 to 0.4.
    """
    curves = {"loss": history.loss} | ({"val_loss": history.val_loss} if history.val_loss else {})
    return lines(
        history.epoch, curves, title=title, xlabel="epoch", ylabel="loss", logy=logy, alt=alt
    )


@style()
def scatter(
    points,
    classes,
    *,
    names: Sequence[str] = ("0", "1"),
    boundaries: Mapping[str, tuple[Any, float]] | None = None,
    title: str = "",
    xlabel: str = "x1",
    ylabel: str = "x2",
    alt: str = "",
) -> Picture:
    """Draw the points of two classes in the plane, and where a model draws the line.

    Args:
        points: n points, (n, 2).
        classes: 0 or 1 for each point.
        names: what the two classes are called.
        boundaries: for each name, (w, b) of a neuron: its line is where w[0]·x1 + w[1]·x2 + b = 0.
        alt: what there is to see. If not given, it counts points and places lines.

    `data` has the points of each class and the two ends of each line under their names.

    Example:
        >>> corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
        >>> scatter(corners, [0, 0, 0, 1], names=("no", "yes"), boundaries={"AND": ((1, 1), -1.5)})
        3 points no, 1 point yes. The line AND goes from (-0.08, 1.58) to (1.08, 0.42).
    """
    points, classes = _numbers(points), _numbers(classes)
    wanted = points.ndim == 2 and points.shape[1] == 2 and len(points)
    need(wanted, "scatter", "points (n, 2)", points.shape)
    need(np.isfinite(points).all(), "scatter", "finite numbers", "nan or inf")
    need(classes.shape == points.shape[:1], "scatter", "one class per point", classes.shape)
    need(np.isin(classes, (0, 1)).all(), "scatter", "classes 0 and 1", sorted(set(classes)))
    need(len(names) == 2, "scatter", "two names", len(names))
    boundaries = boundaries or {}
    _names("scatter", [*names, *boundaries], most=2 + len(RUNNERS))
    fig = _figure(height=1.15 * HEIGHT)
    ax = fig.add_subplot(title=title, xlabel=xlabel, ylabel=ylabel)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * np.where(high > low, high - low, 1)
    (left, bottom), (right, top) = low - margin, high + margin
    ax.set(xlim=(left, right), ylim=(bottom, top))
    data: dict[str, Any] = {}
    words = []
    for number, name in enumerate(names):
        colour, marker = CLASSES[number]
        here = points[classes == number]
        drawn = ax.scatter(
            *here.T, label=name, c=colour, marker=marker, s=30, edgecolors=PAPER, linewidths=0.7,
            zorder=3,
        )  # fmt: skip
        data[name] = np.asarray(drawn.get_offsets())
        words.append(f"{len(data[name])} {'point' if len(here) == 1 else 'points'} {name}")
    words = [", ".join(words) + "."]
    for rank, (name, (w, b)) in enumerate(boundaries.items()):
        w1, w2 = _numbers(w)
        need(w1 or w2, f"scatter: {name}", "a weight that is not 0, or there is no line", (w1, w2))
        if abs(w2) >= abs(w1) * (right - left) / (top - bottom):
            x = np.array((left, right))
            y = -(w1 * x + float(b)) / w2
        else:
            y = np.array((top, bottom))
            x = -(w2 * y + float(b)) / w1
        (line,) = ax.plot(x, y, label=name, color=RUNNERS[rank], linestyle=DASHES[rank])
        ends = data[name] = np.asarray(line.get_xydata())
        start, end = (f"({short(x)}, {short(y)})" for x, y in ends)
        words.append(f"The line {name} goes from {start} to {end}.")
    fig.legend(loc="outside right upper")
    return _finish(fig, words, title, alt, data)


@style()
def images(
    images, captions: Sequence[Any] = (), *, columns: int = 8, title: str = "", alt: str = ""
) -> Picture:
    """Draw small grey images side by side, dark where the numbers are large.

    Args:
        images: n images of the same size, (n, height, width).
        captions: what stands below each; none by default.
        alt: what there is to see. If not given, it counts images and repeats the captions.

    `data` has "images" and "captions".

    Example:
        >>> images([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], captions=["slash", "backslash"])
        2 images of 2 x 2: slash; backslash.
    """
    stack = _numbers(images)
    hint = "" if stack.ndim == 3 else "; of rows of pixels, make images: X.reshape(-1, 8, 8)"
    need(stack.ndim == 3 and len(stack), "images", f"(n, height, width){hint}", stack.shape)
    captions = [str(caption) for caption in captions]
    need(len(captions) in (0, len(stack)), "images", "one caption per image", len(captions))
    n, height, width = stack.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    line = 0.2  # of an image's width, for each line of its caption
    below = line * (1.4 + max(caption.count("\n") for caption in captions)) if captions else 0.1
    tall = height / width + below  # an image is one unit wide
    size = min(1, WIDTH / columns)
    head = 0.35 if title else 0
    fig = _figure(width=size * 1.1 * columns + 2 * PAD, height=size * rows * tall + head + 2 * PAD)
    ax = fig.add_subplot(title=title)
    ax.set_axis_off()
    for number, image in enumerate(stack):
        left, top = 1.1 * (number % columns) + 0.05, tall * (number // columns)
        place = (left, left + 1, top + height / width, top)
        ax.imshow(image, cmap="Greys", vmin=stack.min(), vmax=stack.max(), extent=place)
        ax.plot(*np.array(place)[[[0, 1, 1, 0, 0], [2, 2, 3, 3, 2]]], color=LINE, linewidth=1)
        if captions:
            ax.text(left + 0.5, place[2] + 0.06, captions[number], ha="center", va="top", size=9.5)
    ax.set(aspect="equal", xlim=(0, 1.1 * columns), ylim=(rows * tall, 0))
    data = {
        "images": np.stack([np.asarray(drawn.get_array()) for drawn in ax.images]),
        "captions": [text.get_text() for text in ax.texts],
    }
    shown = "; ".join(" ".join(caption.split()) for caption in data["captions"])
    many = "image" if n == 1 else "images"
    words = [f"{n} {many} of {height} x {width}" + (f": {shown}." if shown else ".")]
    return _finish(fig, words, title, alt, data)


@style()
def bars(
    values: Mapping[str, float], *, title: str = "", xlabel: str = "", alt: str = ""
) -> Picture:
    """Draw one bar for each name, from 0 to its number, with the number beside it.

    `data` has each number under its name.

    Example:
        >>> bars({"one neuron": 0.89, "two layers": 0.96})
        one neuron 0.89, two layers 0.96.
    """
    _names("bars", values)
    fig = _figure(height=0.8 + 0.36 * len(values))
    ax = fig.add_subplot(title=title, xlabel=xlabel)
    lengths = [float(v) for v in values.values()]
    drawn = ax.barh(list(values), lengths, color=VALUE, height=0.62)
    ax.bar_label(drawn, [say(v) for v in lengths], padding=4)
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.margins(x=0.12)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    data = dict(zip(values, (float(bar.get_width()) for bar in drawn), strict=True))
    words = [", ".join(f"{name} {short(value)}" for name, value in data.items()) + "."]
    return _finish(fig, words, title, alt, data)


def _figure(width: float = WIDTH, height: float = HEIGHT):
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure((width, height), layout=ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD))


def _numbers(x) -> np.ndarray:
    """Plain floats, from arrays, tensors, lists, and lists of Values."""
    if isinstance(x, Node):
        x = x.data
    elif isinstance(x, list | tuple):
        x = [item.data if isinstance(item, Node) else item for item in x]
    return np.asarray(x, dtype=float)


def _names(where: str, names, reserved: str = "", most: int = 40) -> None:
    need(0 < len(names) <= most, where, f"1 to {most} names", len(names))
    need(reserved not in names, where, f'names other than "{reserved}"', list(names))
    need(len(set(names)) == len(names), where, "names that differ", list(names))


def _course(y: np.ndarray) -> str:
    """Where a curve begins and ends, and how far it goes in between."""
    known, ends = y[np.isfinite(y)], [end for end in (y[0], y[-1]) if np.isfinite(end)]
    text = f"from {short(y[0])} to {short(y[-1])}"
    if len(known) and known.max() > max(ends, default=-np.inf):
        text += f", at most {short(known.max())}"
    if len(known) and known.min() < min(ends, default=np.inf):
        text += f", at least {short(known.min())}"
    return text + (f", {len(y) - len(known)} not finite" if len(known) < len(y) else "")


def _finish(fig, words: list[str], title: str, alt: str, data: dict[str, Any]) -> Picture:
    """The words about the data stand above the alt text, or are it."""
    said = " ".join([f"{title}." if title else "", *words]).strip()
    return figure(fig, alt=alt or said, text=said if alt else "", data=data)

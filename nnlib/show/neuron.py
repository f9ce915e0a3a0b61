"""The neuron dial: what two weights, a bias and an activation do to points in the plane."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib.graph import no_grad
from nnlib.scalar import ACTIVATIONS, Value
from nnlib.show import picture, svg
from nnlib.show.plane import Plane, mark
from nnlib.show.text import minus, num, short, table
from nnlib.show.trace import Frame, Trace, choice, slider

if TYPE_CHECKING:
    from nnlib.show.stage import Stage

MOST = 120  # points
FEW = 12  # points that have room for a number and a button each
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
TURNS = [round(n / 10, 1) for n in range(-30, 31)]  # where the dials stop
SIDE = 41  # points on each side of the plane at which the neuron is asked
VIEW = (0, 0, 820, 412)
BOX = (46, 22, 340, 340)
CURVE = (476, 224, 326, 138)
ROWS = (62, 90, 118, 150)  # heights of the lines of the sum


def step(z: Value) -> Value:
    """1 above 0, else 0: the first activation of all. Its slope is 0, so it learns nothing."""
    return Value(1.0 if z.data > 0 else 0.0)


FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {
    "step": step,
    **{name: f or (lambda z: z) for name, f in ACTIVATIONS.items()},
}


@dataclass(frozen=True)
class Setting:
    """What the dials say, and what they are turned for."""

    w: tuple[float, float]
    b: float
    activation: str
    points: tuple[tuple[float, float], ...]
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Sum:
    """A neuron's work on one point: two products, what they add up to, z = sum + b, out."""

    x: tuple[float, float]
    products: tuple[float, float]
    both: float
    z: float
    out: float

    @property
    def totals(self) -> tuple[float, float, float]:
        """The sum after each of its three terms."""
        return self.products[0], self.both, self.z


@dataclass(frozen=True)
class Term:
    """One frame: how far the sum of point `at` has come; the fourth term is the activation."""

    at: int
    term: int


def neuron(
    w: Sequence[float] = (1.0, 1.0),
    b: float = -1.5,
    activation: str = "sigmoid",
    points: Iterable[Sequence[float]] = CORNERS,
    classes: Iterable[int] = (),
) -> "Stage":
    """Turn the dials of a neuron with two inputs: z = w₁x₁ + w₂x₂ + b, out = activation(z).

    The plane is green where z is above 0 and purple where it is below, the stronger the farther the
    output is from what it is on the line. Each step adds one term to the sum of a point; click a
    point to follow its sum. The stage's `data` holds `w`, `b`, `z` and `out`, and with classes how
    many of them are `right`.

    Args:
        w: two weights.
        b: the bias.
        activation: "step" (1 above 0, else 0), "tanh", "relu", "sigmoid" or "linear".
        points: 1 to 120 points (x1, x2).
        classes: for each point 1 if the neuron is to fire there, z > 0, and 0 if not.

    Example:
        >>> neuron(w=(1, 1), b=-1.5, classes=(0, 0, 0, 1))
              x1      x2        z     out  class
               0       0  -1.5000  0.1824      0
               0  1.0000  -0.5000  0.3775      0
          1.0000       0  -0.5000  0.3775      0
          1.0000  1.0000   0.5000  0.6225      1
        sigmoid(1 x1 + 1 x2 - 1.5) fires for 1 of 4 points, and is right about 4.
    """
    from nnlib.show.stage import Stage

    setting = _setting(w, b, activation, points, classes)

    def turned(values: dict[str, Any]) -> Trace:
        w, b = (values["w1"], values["w2"]), values["b"]
        return _trace(replace(setting, w=w, b=b, activation=values["activation"]), setting)

    return Stage(_trace(setting, setting), turned)


def trace(
    w: Sequence[float] = (1.0, 1.0),
    b: float = -1.5,
    activation: str = "sigmoid",
    points: Iterable[Sequence[float]] = CORNERS,
    classes: Iterable[int] = (),
) -> Trace:
    """All that a neuron does with some points, term by term."""
    setting = _setting(w, b, activation, points, classes)
    return _trace(setting, setting)


def _setting(w, b, activation, points, classes) -> Setting:
    def numbers(name: str, given, length: int) -> tuple[float, ...]:
        row = tuple(map(float, given))
        if len(row) != length or not np.isfinite(row).all():
            raise ValueError(f"show.neuron needs {name} to be {length} numbers; got {given!r}.")
        return row

    if activation not in FUNCTIONS:
        names = ", ".join(FUNCTIONS)
        raise ValueError(f"show.neuron needs an activation out of {names}; got {activation!r}.")
    places = tuple(numbers(f"point {i}", point, 2) for i, point in enumerate(points))
    if not 0 < len(places) <= MOST:
        raise ValueError(f"show.neuron needs 1 to {MOST} points; got {len(places)}.")
    kinds = tuple(map(int, classes))
    if kinds and (len(kinds) != len(places) or not {*kinds} <= {0, 1}):
        raise ValueError(
            f"show.neuron needs a class 0 or 1 for each of {len(places)} points; got {len(kinds)} "
            f"classes: {sorted(set(kinds))}."
        )
    (bias,) = numbers("b", [b], 1)
    return Setting(numbers("w", w, 2), bias, activation, places, kinds)  # type: ignore


def _trace(now: Setting, at_first: Setting) -> Trace:
    sums = [_add(now, x) for x in now.points]
    frames = [
        Frame(f"{_point(s.x)}, {said}", _sentence(now, s, term), Term(i, term), at=f"ring{i}")
        for i, s in enumerate(sums)
        for term, said in enumerate(("w1 · x1", "w2 · x2", "b", "out"))
    ]
    few = len(sums) <= FEW
    data = {"w": now.w, "b": now.b, "z": [s.z for s in sums], "out": [s.out for s in sums]}
    formula = f"{now.activation}({_formula(now)})"
    alt = f"{formula} fires for {sum(s.z > 0 for s in sums)} of {len(sums)} points"
    if now.classes:
        data["right"] = sum((s.z > 0) == c for s, c in zip(sums, now.classes, strict=True))
        alt += f", and is right about {data['right']}"
    return Trace(
        title=f"A neuron: out = {minus(formula)}",
        frames=frames,
        draw=_drawing(now, sums, data),
        view=VIEW,
        jumps={_point(s.x): 4 * i for i, s in enumerate(sums)} if few else {},
        clicks={f"point{i}": [4 * i] for i in range(len(sums))},
        controls=(
            slider("w1", now.w[0], {*TURNS, at_first.w[0]}),
            slider("w2", now.w[1], {*TURNS, at_first.w[1]}),
            slider("b", now.b, {*TURNS, at_first.b}),
            choice("activation", now.activation, FUNCTIONS),
        ),
        alt=alt + ".",
        text=_table(now, sums),
        data=data,
        still=lambda: _still(now, sums),
    )


def _add(now: Setting, x: tuple[float, float]) -> Sum:
    """The engine's numbers for one point."""
    with no_grad():
        first, second = (Value(w) * x for w, x in zip(now.w, x, strict=True))
        both = first + second
        z = both + now.b
        out = FUNCTIONS[now.activation](z)
    return Sum(x, (first.data, second.data), both.data, z.data, out.data)


def _table(now: Setting, sums: Sequence[Sum], most: int = 20) -> str:
    shown = sums[:most]
    columns: dict[str, Sequence] = {
        "x1": [s.x[0] for s in shown],
        "x2": [s.x[1] for s in shown],
        "z": [s.z for s in shown],
        "out": [s.out for s in shown],
    }
    if now.classes:
        columns["class"] = now.classes[:most]
    more = len(sums) - most
    return table(columns) + (f"\nand {more} points more" if more > 0 else "")


def _formula(now: Setting) -> str:
    """The weighted sum with its numbers: 1 x1 + 1 x2 - 1.5."""
    (w1, w2), b = now.w, now.b

    def signed(number: float) -> str:
        return f"{'-' if number < 0 else '+'} {short(abs(number))}"

    return f"{short(w1)} x1 {signed(w2)} x2 {signed(b)}"


def _sentence(now: Setting, s: Sum, term: int) -> str:
    def say(number: float) -> str:
        return minus(short(number))

    def factor(number: float) -> str:
        return f"({say(number)})" if number < 0 else say(number)

    if term == 0:
        product = f"{say(now.w[0])} × {factor(s.x[0])} = {say(s.products[0])}"
        return f"Point {_point(s.x)}: its first input counts w1 = {say(now.w[0])} times, {product}."
    if term == 1:
        product = f"{say(now.w[1])} × {factor(s.x[1])} = {say(s.products[1])}"
        return f"The second counts w2 times: {product}. Together {say(s.both)}."
    if term == 2:
        fires = "above 0: the neuron fires" if s.z > 0 else "not above 0: the neuron stays silent"
        return f"z = {say(s.both)} + {factor(now.b)} = {say(s.z)}, {fires}."
    return f"out = {now.activation}({say(s.z)}) = {say(s.out)}."


def _point(x: tuple[float, float]) -> str:
    return minus(f"({short(x[0])}, {short(x[1])})")


# ---- how it is drawn


def _plane(now: Setting) -> Plane:
    """The part of the plane that shows all points."""
    (left, bottom), (right, top) = np.min(now.points, axis=0), np.max(now.points, axis=0)
    margin = 0.35 * max(right - left, top - bottom) or 1.0
    return Plane(BOX, (left - margin, right + margin), (bottom - margin, top + margin))


def _surface(now: Setting, plane: Plane) -> tuple[np.ndarray, np.ndarray]:
    """z and out at (rows from below, columns) of the plane."""
    xs, ys = np.linspace(*plane.xlim, SIDE), np.linspace(*plane.ylim, SIDE)
    asked = [[_add(now, (float(x), float(y))) for x in xs] for y in ys]
    return np.array([[s.z for s in row] for row in asked]), np.array(
        [[s.out for s in row] for row in asked]
    )


def _curve(now: Setting, sums: Sequence[Sum]) -> tuple[list[tuple[float, float]], Plane]:
    """The activation around 0, as far as the sums go."""
    far = 1.05 * max(6.0, *(abs(total) for s in sums for total in s.totals))
    f = FUNCTIONS[now.activation]
    with no_grad():
        points = [(float(z), f(Value(z)).data) for z in np.linspace(-far, far, 201)]
    low, high = min(y for _, y in points), max(y for _, y in points)
    margin = 0.1 * (high - low)
    return points, Plane(CURVE, (-far, far), (low - margin, high + margin))


def _drawing(now: Setting, sums: Sequence[Sum], data: dict) -> Callable[[Frame], dict[str, str]]:
    plane = _plane(now)
    points, curve = _curve(now, sums)
    fixed = {
        "axes": plane.axes("x1", "x2"),
        "tint": plane.inside(_tint(now, plane)),
        "sides": _sides(now, plane),
        "curve": curve.axes("z", "out")
        + curve.inside(svg.element("path", class_="trail boundary", d=curve.path(points))),
        "right": svg.write(
            802, 18, f"right: {data['right']} of {len(sums)}", 13, 150, "strong", anchor="end",
            exact=repr(data["right"]),
        ) if now.classes else "",
    }  # fmt: skip
    dots = {f"point{i}": _dot(now, s, i, plane, len(sums) <= FEW) for i, s in enumerate(sums)}

    def draw(frame: Frame) -> dict[str, str]:
        event: Term = frame.event
        s = sums[event.at]
        x, y = plane.place(*s.x)
        rings = {
            f"ring{i}": svg.element("circle", class_="ring", cx=x, cy=y, r=11)
            if i == event.at
            else ""
            for i in range(len(sums))
        }
        lines = {
            f"term{n}": _line(now, s, n, n == event.term) if n <= event.term else ""
            for n in range(len(ROWS))
        }
        head = svg.write(440, 18, f"Point {_point(s.x)}", 14, 190, "strong")
        return fixed | rings | dots | {"head": head} | lines | {"place": _place(s, event, curve)}

    return draw


def _tint(now: Setting, plane: Plane) -> str:
    """Five steps of green and of purple, and the line between them."""
    z, out = _surface(now, plane)
    with no_grad():
        middle = FUNCTIONS[now.activation](Value(0.0)).data
    off = out - middle
    far = np.abs(off).max() or 1.0
    parts = [
        svg.element("path", class_=f"tint {role}", d=plane.above(sign * off, far * level))
        for sign, role in ((1, "positive"), (-1, "negative"))
        for level in (0.05, 0.25, 0.45, 0.65, 0.85)
    ]
    return "".join([*parts, svg.element("path", class_="trail boundary", d=plane.level(z, 0))])


def _sides(now: Setting, plane: Plane) -> str:
    """On which side z is above 0, in the corners where it is farthest from 0."""
    left, top, width, height = plane.box
    corners = [
        (_add(now, (x, y)).z, right, down, anchor)
        for x, right, anchor in (
            (plane.xlim[0], left + 8, "start"), (plane.xlim[1], left + width - 8, "end"),
        )
        for y, down in ((plane.ylim[0], top + height - 14), (plane.ylim[1], top + 14))
    ]  # fmt: skip
    parts = []
    for z, right, down, anchor in (max(corners), min(corners)):
        said = "z > 0" if z > 0 else "z < 0" if z < 0 else "z = 0"
        parts.append(svg.write(right, down, said, 13, 60, "strong", anchor=anchor))
    return "".join(dict.fromkeys(parts))


def _dot(now: Setting, s: Sum, i: int, plane: Plane, numbered: bool) -> str:
    """A point: a green disc of class 1, a purple square of class 0, a blue disc without classes."""
    x, y = plane.place(*s.x)
    kind = now.classes[i] if now.classes else None
    shape, role = {None: (0, "runner0"), 0: (1, "negative"), 1: (0, "positive")}[kind]
    dot = mark(x, y, shape, role, 6 if numbered else 4.5)
    if not numbered:
        return dot
    text = minus(num(s.out, 3))
    wide = svg.width(text, 12.5) + 6
    return (
        dot
        + svg.box(x - wide / 2, y - 28, wide, 17, 4, "tag")
        + svg.write(x, y - 19.5, text, 12.5, 70, "value", anchor="middle", exact=repr(s.out))
    )


def _line(now: Setting, s: Sum, term: int, new: bool) -> str:
    """One line of the sum: what is added, and what it adds up to; last, the activation."""
    y = ROWS[term]

    def say(number: float) -> str:
        return minus(num(number, 3))

    first, second = (minus(f"{short(w)} × {short(x)}") for w, x in zip(now.w, s.x, strict=True))
    name, work, amount, total = (
        ("w1 · x1", first, s.products[0], s.products[0]),
        ("+ w2 · x2", second, s.products[1], s.both),
        ("+ b", "", now.b, s.z),
        ("out", f"{now.activation}({say(s.z)})", s.out, None),
    )[term]
    parts = [svg.box(434, y - 14, 372, 28, 6, "card forward")] if new else []
    parts += [
        svg.write(442, y, name, 13.5, 74, "strong"),
        svg.write(640, y, work, 13.5, 116, "quiet", anchor="end"),
        svg.write(708, y, say(amount), 13.5, 64, "value", anchor="end", exact=repr(amount)),
    ]
    if total is not None:
        label = "z" if term == 2 else "sum"
        parts += [
            svg.write(716, y, label, 11.5, 24, "quiet"),
            svg.write(800, y, say(total), 13.5, 60, "value", anchor="end", exact=repr(total)),
        ]
    return "".join(parts)


def _place(s: Sum, event: Term, curve: Plane) -> str:
    """Where the sum stands under the curve; with the last term, what comes out."""
    z = s.totals[min(event.term, 2)]
    x, bottom = curve.place(z, curve.ylim[0])
    if event.term < 3:
        path = f"M{x:.1f} {bottom:.1f}V{curve.box[1]:g}"
        return svg.element("path", class_="guide", d=path) + mark(x, bottom, 2, "runner0")
    y = curve.place(z, s.out)[1]
    path = f"M{x:.1f} {bottom:.1f}V{y:.1f}H{curve.box[0]:g}"
    return svg.element("path", class_="guide", d=path) + mark(x, y, 0, "runner0", 6)


@picture.style()
def _still(now: Setting, sums: Sequence[Sum]):
    """The plane and the curve, as the last frame has them."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    fig = Figure((8.2, 3.6), layout="constrained")
    formula = minus(f"{now.activation}({_formula(now)})")
    left, right = fig.subplots(1, 2)
    plane = _plane(now)
    z, out = _surface(now, plane)
    off = out - out[np.abs(z) == np.abs(z).min()][0]
    far = np.abs(off).max() or 1.0
    colours = (picture.NEGATIVE, picture.PAPER, picture.POSITIVE)
    signs = LinearSegmentedColormap.from_list("sign", colours, N=10)
    left.imshow(
        off, cmap=signs, vmin=-far, vmax=far, alpha=0.55, origin="lower", aspect="auto",
        extent=(*plane.xlim, *plane.ylim), interpolation="bilinear",
    )  # fmt: skip
    left.grid(visible=False)
    if z.min() < 0 < z.max():
        x, y = np.linspace(*plane.xlim, SIDE), np.linspace(*plane.ylim, SIDE)
        left.contour(x, y, z, levels=[0], colors=picture.INK, linewidths=1.5)
    for i, s in enumerate(sums):
        kind = now.classes[i] if now.classes else None
        colour, shape = {
            None: (picture.VALUE, "o"), 0: (picture.NEGATIVE, "s"), 1: (picture.POSITIVE, "o"),
        }[kind]  # fmt: skip
        left.plot(*s.x, shape, color=colour, markeredgecolor=picture.PAPER)
        if len(sums) <= FEW:
            at = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center"}
            left.annotate(minus(num(s.out, 3)), s.x, color=picture.VALUE, **at)
    left.set(title=f"out = {formula}", xlabel="x1", ylabel="x2")
    points, curve = _curve(now, sums)
    right.plot(*zip(*points, strict=True), color=picture.INK)
    right.plot([s.z for s in sums], [s.out for s in sums], "o", color=picture.VALUE)
    right.set(title="activation", xlabel="z", ylabel="out", ylim=curve.ylim)
    return fig

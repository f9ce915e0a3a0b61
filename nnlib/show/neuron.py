"""The neuron dial: what two weights, a bias and an activation do to points in the plane."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib.graph import no_grad
from nnlib.scalar import ACTIVATIONS, Value
from nnlib.show import svg
from nnlib.show.plane import Plane, mark
from nnlib.show.text import minus, need, num, short, table
from nnlib.show.trace import Frame, Trace, choice, slider

if TYPE_CHECKING:
    from nnlib.show.stage import Stage

MOST = 120  # points
FEW = 12  # points that have room for a number and a button each
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
TURNS = [round(n / 10, 1) for n in range(-30, 31)]  # where the dials stop
SIDE = 41  # points on each side of the plane at which the neuron is asked
BOX = (46, 22, 340, 340)
CURVE = (476, 224, 326, 138)
ROWS = (62, 90, 118, 150)  # heights of the lines of the sum


def step(z: Value) -> Value:
    """1 above 0, else 0: the first activation of all."""
    return Value(1.0 if z.data > 0 else 0.0)


FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {
    "step": step,
    **{name: f or (lambda z: z) for name, f in ACTIVATIONS.items()},
}


@dataclass(frozen=True)
class Dials:
    """What the dials say. `add` asks the engine."""

    w1: float
    w2: float
    b: float
    activation: str

    def add(self, x: Sequence[float]) -> "Sum":
        """A neuron's work on one point."""
        with no_grad():
            first, second = Value(self.w1) * x[0], Value(self.w2) * x[1]
            both = first + second
            z = both + self.b
            out = self.fire(z.data)
        amounts = (first.data, second.data, self.b, out)
        return Sum((x[0], x[1]), amounts, (first.data, both.data, z.data), z.data, out)

    def fire(self, z: float) -> float:
        """out = activation(z)."""
        return FUNCTIONS[self.activation](Value(z)).data

    def __str__(self) -> str:
        w2, b = (f"{'-' if n < 0 else '+'} {short(abs(n))}" for n in (self.w2, self.b))
        return f"{self.activation}({short(self.w1)} x1 {w2} x2 {b})"


@dataclass(frozen=True)
class Sum:
    """w1·x1 + w2·x2 + b = z, out = activation(z): what each line adds, and the sum after it."""

    x: tuple[float, float]
    amounts: tuple[float, float, float, float]
    totals: tuple[float, float, float]
    z: float
    out: float


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

    weights, places = np.asarray(w, dtype=float), np.asarray([*points], dtype=float)
    kinds = tuple(map(int, classes))
    numbers = weights.shape == (2,) and np.isfinite([*weights, b]).all()
    need(numbers, "show.neuron", "w to be two numbers, and b one", (w, b))
    several = places.ndim == 2 and places.shape[1] == 2 and len(places) <= MOST
    need(several, "show.neuron", f"1 to {MOST} points (x1, x2)", f"shape {places.shape}")
    need(np.isfinite(places).all(), "show.neuron", "finite points", "nan or inf")
    need(activation in FUNCTIONS, "show.neuron", f"one of {', '.join(FUNCTIONS)}", activation)
    known = {*kinds} <= {0, 1} and len(kinds) in (0, len(places))
    need(known, "show.neuron", f"a class 0 or 1 for each of {len(places)} points", kinds)
    first = Dials(float(weights[0]), float(weights[1]), float(b), activation)
    stops = [{*TURNS, n} for n in (first.w1, first.w2, first.b)]

    def turned(values: dict[str, Any]) -> Trace:
        return trace(Dials(**values), places.tolist(), kinds, stops)

    return Stage(trace(first, places.tolist(), kinds, stops), turned)


def trace(
    dials: Dials,
    points: Sequence[Sequence[float]],
    classes: Sequence[int],
    stops: Sequence[Iterable[float]],
) -> Trace:
    """All that a neuron does with some points, term by term; where its three sliders stop."""
    sums = [dials.add(x) for x in points]
    data: dict[str, Any] = {
        "w": (dials.w1, dials.w2),
        "b": dials.b,
        "z": [s.z for s in sums],
        "out": [s.out for s in sums],
    }
    alt = f"{dials} fires for {sum(s.z > 0 for s in sums)} of {len(sums)} points"
    if classes:
        data["right"] = sum((s.z > 0) == c for s, c in zip(sums, classes, strict=True))
        alt += f", and is right about {data['right']}"

    return Trace(
        title=minus(f"A neuron: out = {dials}"),
        frames=[
            Frame(f"{_point(s)}, {said}", _sentence(dials, s, term), (i, term), at=f"ring{i}")
            for i, s in enumerate(sums)
            for term, said in enumerate(("w1 · x1", "w2 · x2", "b", "out"))
        ],
        draw=_drawing(dials, sums, classes, data.get("right")),
        view=(0, 0, 820, 412),
        jumps={_point(s): 4 * i for i, s in enumerate(sums)} if len(sums) <= FEW else {},
        clicks={f"point{i}": [4 * i] for i in range(len(sums))},
        controls=(
            slider("w1", dials.w1, stops[0]),
            slider("w2", dials.w2, stops[1]),
            slider("b", dials.b, stops[2]),
            choice("activation", dials.activation, FUNCTIONS),
        ),
        alt=alt + ".",
        text=_table(sums, classes),
        data=data,
    )


def _table(sums: Sequence[Sum], classes: Sequence[int], most: int = 20) -> str:
    names, rows = ("x1", "x2", "z", "out"), [(*s.x, s.z, s.out) for s in sums[:most]]
    columns: dict[str, Sequence] = dict(zip(names, zip(*rows, strict=True), strict=True))
    if classes:
        columns["class"] = classes[:most]
    more = len(sums) - most
    return table(columns) + (f"\nand {more} points more" if more > 0 else "")


def _sentence(dials: Dials, s: Sum, term: int) -> str:
    amount = _say(s.amounts[term])
    if term < 2:
        w, x = (dials.w1, dials.w2)[term], s.x[term]
        product = f"{_say(w)} × {_factor(x)} = {amount}"
        if term == 0:
            return f"Point {_point(s)}: w1 says how much x1 counts, {product}."
        return f"w2 says how much x2 counts, {product}. Together {_say(s.totals[1])}."
    if term == 2:
        fires = "above 0: the neuron fires" if s.z > 0 else "not above 0: the neuron stays silent"
        return f"z = {_say(s.totals[1])} + {_factor(dials.b)} = {_say(s.z)}, {fires}."
    return f"out = {dials.activation}({_say(s.z)}) = {amount}."


def _say(number: float) -> str:
    return minus(short(number))


def _factor(number: float) -> str:
    return f"({_say(number)})" if number < 0 else _say(number)


def _point(s: Sum) -> str:
    return f"({_say(s.x[0])}, {_say(s.x[1])})"


# ---- how it is drawn


def _drawing(
    dials: Dials, sums: Sequence[Sum], classes: Sequence[int], right: int | None
) -> Callable[[Frame], dict[str, str]]:
    low, high = np.min([s.x for s in sums], axis=0), np.max([s.x for s in sums], axis=0)
    margin = 0.35 * (high - low).max() or 1.0
    plane = Plane(BOX, *np.stack([low - margin, high + margin], axis=1).tolist())
    far = 1.05 * max(6.0, *(abs(total) for s in sums for total in s.totals))
    points = [(z, dials.fire(z)) for z in np.linspace(-far, far, 201).tolist()]
    floor, roof = (f(y for _, y in points) for f in (min, max))
    margin = 0.1 * (roof - floor)
    curve = Plane(CURVE, (-far, far), (floor - margin, roof + margin))
    line = svg.element("path", class_="trail boundary", d=curve.path(points))
    fixed = {
        "axes": plane.axes("x1", "x2"),
        "tint": plane.inside(_tint(dials, plane)) + _sides(dials, plane),
        "curve": curve.axes("z", "out") + curve.inside(line),
        "right": "",
    }
    if right is not None:
        text = f"right: {right} of {len(sums)}"
        fixed["right"] = svg.write(802, 18, text, 13, 150, "strong", anchor="end", exact=f"{right}")
    dots = {}
    for i, s in enumerate(sums):
        x, y = plane.place(*s.x)
        shape, role = ((1, "negative"), (0, "positive"))[classes[i]] if classes else (0, "runner0")
        near = svg.element("circle", class_="touch", cx=x, cy=y, r=12)
        dots[f"point{i}"] = near + mark(x, y, shape, role)
        if len(sums) <= FEW:
            dots[f"point{i}"] += _tag(x, y - 19.5, s.out)

    def draw(frame: Frame) -> dict[str, str]:
        at, term = frame.event
        s = sums[at]
        x, y = plane.place(*s.x)
        ring = svg.element("circle", class_="ring", cx=x, cy=y, r=11)
        lines = {
            f"term{n}": _line(dials, s, n, n == term) if n <= term else "" for n in range(len(ROWS))
        }
        return (
            fixed
            | {f"ring{i}": ring if i == at else "" for i in range(len(sums))}
            | dots
            | {"head": svg.write(440, 18, f"Point {_point(s)}", 14, 190, "strong")}
            | lines
            | {"place": _place(s, term, curve)}
        )

    return draw


def _tint(dials: Dials, plane: Plane) -> str:
    """Five steps of green and of purple, and the line between them."""
    xs, ys = (np.linspace(*limits, SIDE).tolist() for limits in (plane.xlim, plane.ylim))
    asked = [[dials.add((x, y)) for x in xs] for y in ys]
    z = np.array([[s.z for s in row] for row in asked])
    off = np.array([[s.out for s in row] for row in asked]) - dials.fire(0.0)
    far = np.abs(off).max() or 1.0
    parts = [
        svg.element("path", class_=f"tint {role}", d=plane.above(sign * off, far * level))
        for sign, role in ((1, "positive"), (-1, "negative"))
        for level in (0.05, 0.25, 0.45, 0.65, 0.85)
    ]
    return "".join([*parts, svg.element("path", class_="trail boundary", d=plane.level(z, 0))])


def _sides(dials: Dials, plane: Plane) -> str:
    """On which side z is above 0, and below, in the corners that are farthest from the line."""
    left, top, width, height = plane.box
    parts = []
    for sign in (1, -1):
        right, up = sign * dials.w1 > 0, sign * dials.w2 > 0
        z = dials.add((plane.xlim[right], plane.ylim[up])).z
        said = f"z {'>' if z > 0 else '<' if z < 0 else '='} 0"
        x, anchor = (left + width - 8, "end") if right else (left + 8, "start")
        y = top + 14 if up else top + height - 14
        parts.append(svg.write(x, y, said, 13, 60, "strong", anchor=anchor))
    return "".join(parts)


def _tag(x: float, y: float, number: float) -> str:
    """A number on paper of its own, so that it reads on any tint."""
    text = minus(num(number, 3))
    wide = svg.width(text, 12.5) + 6
    return svg.box(x - wide / 2, y - 8.5, wide, 17, 4, "tag") + svg.write(
        x, y, text, 12.5, wide, "value", anchor="middle", exact=repr(number)
    )


def _line(dials: Dials, s: Sum, term: int, new: bool) -> str:
    """One line of the sum: what is added, and what it adds up to; last, the activation."""
    y, amount = ROWS[term], s.amounts[term]
    name, work = (
        ("w1 · x1", f"{short(dials.w1)} × {_factor(s.x[0])}"),
        ("+ w2 · x2", f"{short(dials.w2)} × {_factor(s.x[1])}"),
        ("+ b", ""),
        ("out", f"{dials.activation}({num(s.z, 3)})"),
    )[term]
    parts = [svg.box(434, y - 14, 372, 28, 6, "card forward")] if new else []
    parts.append(svg.write(442, y, name, 13.5, 74, "strong"))
    parts.append(svg.write(640, y, minus(work), 13.5, 116, "quiet", anchor="end"))
    parts.append(_right(708, y, amount))
    if term < 3:
        parts.append(svg.write(716, y, "z" if term == 2 else "sum", 11.5, 26, "quiet"))
        parts.append(_right(800, y, s.totals[term]))
    return "".join(parts)


def _right(x: float, y: float, number: float) -> str:
    text = minus(num(number, 3))
    return svg.write(x, y, text, 13.5, 60, "value", anchor="end", exact=repr(number))


def _place(s: Sum, term: int, curve: Plane) -> str:
    """Where the sum stands under the curve; with the last line, what comes out."""
    z = s.totals[min(term, 2)]
    x, bottom = curve.place(z, curve.ylim[0])
    y = curve.place(z, s.out)[1] if term == 3 else curve.box[1]
    path = f"M{x:.1f} {bottom:.1f}V{y:.1f}" + (f"H{curve.box[0]}" if term == 3 else "")
    dot = mark(x, y, 0, "runner0", 6) if term == 3 else mark(x, bottom, 2, "runner0")
    return svg.element("path", class_="guide", d=path) + dot

"""The neuron dial: what two weights, a bias and an activation do to points in the plane."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nnlib.graph import no_grad
from nnlib.scalar import ACTIVATIONS, Value
from nnlib.show import svg
from nnlib.show.plane import Plane, mark, need_points, path, spot, value
from nnlib.show.text import factor, minus, need, num, say, short, table
from nnlib.show.trace import Frame, Stage, Trace, choice, slider

Draw = Callable[[Frame], dict[str, str]]  # what draws a frame

MOST = 120  # points
LISTED = 20  # of them in the table
FEW = 12  # points that have room for a number and a button each
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
TURNS = [round(n / 10, 1) for n in range(-30, 31)]  # where the dials stop
SIDE = 41  # points on each side of the plane at which the neuron is asked
BOX = (46, 22, 340, 340)
VIEW = (0, 0, 820, 412)
CURVE = (476, 224, 326, 138)
TERMS = ("w1 · x1", "+ w2 · x2", "+ b", "out")  # the lines of the sum
ROWS = (62, 90, 118, 150)  # and their heights


def step(z: Value) -> Value:
    """1 above 0, else 0: the first activation of all."""
    return Value(1.0 if z.data > 0 else 0.0)


FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {"step": step} | {
    name: f or (lambda z: z) for name, f in ACTIVATIONS.items()
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
        return Sum(x[0], x[1], first.data, second.data, both.data, z.data, self.fire(z.data))

    def fire(self, z: float) -> float:
        """out = activation(z)."""
        return FUNCTIONS[self.activation](Value(z)).data

    def __str__(self) -> str:
        w2, b = (f"{'-' if n < 0 else '+'} {short(abs(n))}" for n in (self.w2, self.b))
        return f"{self.activation}({short(self.w1)} x1 {w2} x2 {b})"


class Sum(NamedTuple):
    """out = activation(z), z = w1·x1 + w2·x2 + b: of a point each product, and each sum."""

    x1: float
    x2: float
    first: float
    second: float
    both: float
    z: float
    out: float


def neuron(
    w: Sequence[float] = (1.0, 1.0),
    b: float = -1.5,
    activation: str = "sigmoid",
    points: Iterable[Sequence[float]] = CORNERS,
    classes: Iterable[int] = (),
) -> Stage:
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
    weights, places = np.asarray(w, dtype=float), np.asarray([*points], dtype=float)
    kinds = tuple(map(int, classes))
    numbers = weights.shape == (2,) and np.isfinite([*weights, b]).all()
    need(numbers, "show.neuron", "w to be two numbers, and b one", (w, b))
    need_points("show.neuron", places, MOST)
    need(activation in FUNCTIONS, "show.neuron", f"one of {', '.join(FUNCTIONS)}", activation)
    known = {*kinds} <= {0, 1} and len(kinds) in (0, len(places))
    need(known, "show.neuron", f"a class 0 or 1 for each of {len(places)} points", kinds)
    first = Dials(float(weights[0]), float(weights[1]), float(b), activation)

    def turned(values: dict[str, Any]) -> Trace:
        return trace(Dials(**values), first, places.tolist(), kinds)

    return turned(vars(first)).on_stage(turned)


def trace(dials: Dials, first: Dials, points: list[list[float]], classes: Sequence[int]) -> Trace:
    """All that a neuron does with some points, term by term; the dials stop at the first, too."""
    sums = [dials.add(x) for x in points]
    numbers = {name: [getattr(s, name) for s in sums] for name in ("x1", "x2", "z", "out")}
    data = {"w": (dials.w1, dials.w2), "b": dials.b, "z": numbers["z"], "out": numbers["out"]}
    fires, right = f"{dials} fires for {sum(s.z > 0 for s in sums)} of {len(sums)} points", ""
    if classes:
        data["right"] = sum((s.z > 0) == c for s, c in zip(sums, classes, strict=True))
        right = f", and is right about {data['right']}"
        numbers["class"] = list(classes)
    text = table({name: column[:LISTED] for name, column in numbers.items()})
    text += f"\nand {len(sums) - LISTED} points more" if len(sums) > LISTED else ""

    labels, frames = [spot(s.x1, s.x2) for s in sums], []
    for i, s in enumerate(sums):
        for term, sentence in enumerate(_sentences(dials, s)):
            where = f"{labels[i]}, {TERMS[term].removeprefix('+ ')}"
            frames.append(Frame(where, sentence, (i, term), at=f"ring{i}"))
    jumps = {label: 4 * i for i, label in enumerate(labels)} if len(sums) <= FEW else {}
    clicks = {f"point{i}": [4 * i] for i in range(len(sums))}
    turns = {dial: {*TURNS, getattr(first, dial)} for dial in ("w1", "w2", "b")}
    controls = [slider(dial, getattr(dials, dial), stops) for dial, stops in turns.items()]
    controls.append(choice("activation", dials.activation, FUNCTIONS))
    title, alt = minus(f"A neuron: out = {dials}"), f"{fires}{right}."
    draw = _drawing(dials, sums, classes, data.get("right"))
    return Trace(title, frames, draw, VIEW, alt, text, jumps, clicks, controls=controls, data=data)


def _sentences(dials: Dials, s: Sum) -> tuple[str, str, str, str]:
    """One for each term."""
    first, second = _products(dials, s)
    both, z = say(s.both), say(s.z)
    fires = "above 0: the neuron fires" if s.z > 0 else "not above 0: the neuron stays silent"
    return (
        f"Point {spot(s.x1, s.x2)}: w1 says how much x1 counts, {first} = {say(s.first)}.",
        f"w2 says how much x2 counts, {second} = {say(s.second)}. Together {both}.",
        f"z = {both} + {factor(say(dials.b))} = {z}, {fires}.",
        f"out = {dials.activation}({z}) = {say(s.out)}.",
    )


def _products(dials: Dials, s: Sum) -> tuple[str, str]:
    return f"{say(dials.w1)} × {factor(say(s.x1))}", f"{say(dials.w2)} × {factor(say(s.x2))}"


# ---- how it is drawn


def _drawing(dials: Dials, sums: list[Sum], classes: Sequence[int], right: int | None) -> Draw:
    plane = Plane.around(BOX, np.array(sums)[:, :2], 0.35)
    far = 1.05 * max(6.0, *(abs(total) for s in sums for total in (s.first, s.both, s.z)))
    points = [(z, dials.fire(z)) for z in np.linspace(-far, far, 201).tolist()]
    floor, roof = (f(out for _, out in points) for f in (min, max))
    margin = 0.1 * (roof - floor)
    curve = Plane(CURVE, (-far, far), (floor - margin, roof + margin))
    told = "" if right is None else f"right: {right} of {len(sums)}"
    fixed = {
        "axes": plane.axes("x1", "x2"),
        "tint": plane.inside(_tint(dials, plane)) + _sides(dials, plane),
        "curve": curve.axes("z", "out") + curve.inside(path("trail boundary", curve.path(points))),
        "right": svg.write(802, 18, told, 13, 150, "strong", anchor="end", exact=f"{right}"),
    }
    dots, rings = {}, []
    for i, s in enumerate(sums):
        x, y = plane.place(s.x1, s.x2)
        shape, role = ((1, "negative"), (0, "positive"))[classes[i]] if classes else (0, "runner0")
        tag = _tag(x, y - 19.5, s.out) if len(sums) <= FEW else ""
        touch = svg.element("circle", class_="touch", cx=x, cy=y, r=12)
        dots[f"point{i}"] = touch + mark(x, y, shape, role) + tag
        rings.append(svg.element("circle", class_="ring", cx=x, cy=y, r=11))

    def draw(frame: Frame) -> dict[str, str]:
        at, term = frame.event
        s = sums[at]
        return {
            **fixed,
            **{f"ring{i}": ring if i == at else "" for i, ring in enumerate(rings)},
            **dots,
            "head": svg.write(440, 18, f"Point {spot(s.x1, s.x2)}", 14, 190, "strong"),
            **{f"term{n}": _line(dials, s, n, term) for n in range(len(TERMS))},
            "place": _place(s, term, curve),
        }

    return draw


def _tint(dials: Dials, plane: Plane) -> str:
    """Five steps of green and of purple, and the line between them."""
    xs, ys = (np.linspace(*limits, SIDE).tolist() for limits in (plane.xlim, plane.ylim))
    asked = np.array([[dials.add((x, y)) for x in xs] for y in ys])  # z and out come last
    z, off = asked[..., -2], asked[..., -1] - dials.fire(0.0)
    far = np.abs(off).max() or 1.0
    tints = ""
    for role, side in (("positive", off), ("negative", -off)):
        for level in (0.05, 0.25, 0.45, 0.65, 0.85):
            tints += path(f"tint {role}", plane.above(side, far * level))
    return tints + path("trail boundary", plane.level(z, 0))


def _sides(dials: Dials, plane: Plane) -> str:
    """On which side z is above 0, and below, in the corners that are farthest from the line."""
    parts = []
    for sign in (1, -1):
        right, up = sign * dials.w1 > 0, sign * dials.w2 > 0
        corner = plane.xlim[right], plane.ylim[up]
        z, (x, y) = dials.add(corner).z, plane.place(*corner)
        said, anchor = f"z {'>' if z > 0 else '<' if z < 0 else '='} 0", "end" if right else "start"
        x, y = x + (-8 if right else 8), y + (14 if up else -14)
        parts.append(svg.write(x, y, said, 13, 60, "strong", anchor=anchor))
    return "".join(parts)


def _tag(x: float, y: float, number: float) -> str:
    """A number on paper of its own, so that it reads on any tint."""
    text = minus(num(number, 3))
    wide = svg.width(text, 12.5) + 6
    tag = svg.box(x - wide / 2, y - 8.5, wide, 17, 4, "tag")
    return tag + value(x, y, number, text, 12.5, wide, anchor="middle")


def _line(dials: Dials, s: Sum, n: int, term: int) -> str:
    """One line of the sum: what is added, and what it adds up to; last, the activation."""
    if n > term:
        return ""
    y, amount = ROWS[n], (s.first, s.second, dials.b, s.out)[n]
    work = (*_products(dials, s), "", minus(f"{dials.activation}({num(s.z, 3)})"))[n]
    parts = [svg.box(434, y - 14, 372, 28, 6, "card forward")] if n == term else []
    parts.append(svg.write(442, y, TERMS[n], 13.5, 74, "strong"))
    parts.append(svg.write(640, y, work, 13.5, 116, "quiet", anchor="end"))
    parts.append(value(708, y, amount, num(amount, 3), 13.5, 60))
    if n < 3:
        total = (s.first, s.both, s.z)[n]
        parts.append(svg.write(716, y, "z" if n == 2 else "sum", 11.5, 26, "quiet"))
        parts.append(value(800, y, total, num(total, 3), 13.5, 60))
    return "".join(parts)


def _place(s: Sum, term: int, curve: Plane) -> str:
    """Where the sum stands under the curve; with the last line, what comes out."""
    x, bottom = curve.place((s.first, s.both, s.z, s.z)[term], curve.ylim[0])
    left, y, *_ = curve.box
    turn, dot = "", mark(x, bottom, 2, "runner0")
    if term == 3:
        y = curve.place(s.z, s.out)[1]
        turn, dot = f"H{left}", mark(x, y, 0, "runner0", 6)
    return path("guide", f"M{x:.1f} {bottom:.1f}V{y:.1f}{turn}") + dot

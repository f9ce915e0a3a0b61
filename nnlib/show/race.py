"""The optimizer race: from one start, down one surface, who gets there first and who flies off?"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib.graph import no_grad
from nnlib.optim import Optimizer
from nnlib.scalar import Value
from nnlib.show import svg
from nnlib.show.plane import Plane, mark, polyline
from nnlib.show.text import minus, narrow, need, one_line, short, table
from nnlib.show.trace import Control, Frame, Trace, choice, slider

if TYPE_CHECKING:
    from nnlib.show.stage import Stage

Height = Callable[[Any, Any], Any]  # of two Values, a Value
Make = Callable[[list[Any]], Optimizer]

SURFACES: Mapping[str, tuple[Height, tuple[float, float]]] = {
    "ravine": (lambda x, y: x * x + 10 * y * y, (-1.8, 1.0)),
    "saddle": (lambda x, y: 1 + x * x - y * y + y * y * y * y / 4, (-1.8, 0.05)),
    "rosenbrock": (lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2, (-1.2, 1.0)),
}
DASHES = (None, "7 3", "2 2.5", "8 3 2 3")  # one for each runner, with its colour and its mark
MOST = 200  # steps
BELOW = 1e-3  # the loss at which a runner has arrived
LOST = 1e6  # a runner has diverged when its loss is so many times what it began with
RATES = [float(f"{m}e{e}") for e in range(-4, 1) for m in (1, 1.5, 2, 3, 5, 7)]  # stops for an lr
SIDE = 61  # points on each side of the plane at which the surface is asked
LEVELS = 12
CHUNK = 10  # steps; a trail is sent in pieces, and a step sends only the last one again
BOX = (46, 22, 360, 360)
LOSSES = (486, 176, 316, 206)
ROW, FIRST = 25, 46  # pixels between the standings, and down to the first


@dataclass(frozen=True)
class Run:
    """One runner: where it was after 0, 1, 2 ... steps, and how high. It stops if it diverges."""

    lr: float
    points: Sequence[tuple[float, float]]
    losses: Sequence[float]
    diverged: int | None

    @property
    def below(self) -> int | None:
        """The first step with a loss below 1e-3."""
        return next((step for step, loss in enumerate(self.losses) if loss < BELOW), None)

    def gone(self, step: int) -> bool:
        """Whether it has diverged by then."""
        return self.diverged is not None and self.diverged <= step

    def loss(self, step: int) -> float:
        """The loss after a step, or the last one."""
        return self.losses[min(step, len(self.losses) - 1)]


@dataclass(frozen=True)
class Course:
    """What is raced on: the surface, where all start, how many steps, and what is drawn of it."""

    name: str
    height: Height
    start: tuple[float, float]
    steps: int
    span: float

    @property
    def plane(self) -> Plane:
        """The part of the plane that is drawn."""
        return Plane(BOX, (-self.span, self.span), (-self.span, self.span))

    def ask(self, x: Value, y: Value) -> Value:
        """The surface at a point; nan where it has no height."""
        try:
            return self.height(x, y)
        except (ArithmeticError, ValueError):  # overflow, or the logarithm of a negative number
            return Value(math.nan)

    def heights(self) -> np.ndarray:
        """The surface at (rows from below, columns) of the plane; its top where it is nowhere."""
        side = np.linspace(-self.span, self.span, SIDE).tolist()
        with no_grad():
            heights = np.array([[self.ask(Value(x), Value(y)).data for x in side] for y in side])
        known = np.isfinite(heights)
        return np.where(known, heights, heights.max(where=known, initial=-LOST))


def race(
    optimizers: Mapping[str, Make],
    surface: str | Height = "ravine",
    start: Sequence[float] | None = None,
    steps: int = 60,
    span: float = 2.0,
) -> "Stage":
    """Let optimizers race down a surface from the same start, one step of each per frame.

    Each is the real thing: `optimizer.steps()` moves two Values by their gradients. Click in the
    plane to start from there. A runner has diverged when its loss is no number any more, or a
    million times what it began with; then it stops. The stage's `data` holds `x`, `y` and `loss` of
    each runner after 0, 1, 2 ... steps, the first step `below` 1e-3, and where it `diverged`.

    Args:
        optimizers: for one to four names, how to make each from its parameters.
        surface: "ravine", x² + 10y²; "saddle", 1 + x² - y² + y⁴/4; "rosenbrock",
            (1 - x)² + 100(y - x²)²; or a function of two Values.
        start: x and y, where all begin.
        steps: how many, from 1 to 200.
        span: the plane is drawn from -span to span both ways.

    Example:
        >>> from nnlib.optim import SGD, Adam
        >>> stage = race(
        ...     {
        ...         "slow": lambda params: SGD(params, lr=0.01),
        ...         "Adam": lambda params: Adam(params, lr=0.1),
        ...         "wild": lambda params: SGD(params, lr=0.2),
        ...     }
        ... )
        >>> print(stage.trace.text)
        runner        x           y        loss  below 0.001 at  diverged at
        slow    -0.5356  1.5325e-06      0.2869            None         None
        Adam    -0.0676     -0.0347      0.0166              49         None
        wild    -0.0504  -2187.0000  4.7830e+07            None            7
    """
    from nnlib.show.stage import Stage

    surfaces, name = dict(SURFACES), surface if isinstance(surface, str) else "your surface"
    if callable(surface):
        surfaces[name] = surface, (-0.9 * span, 0.5 * span)
    wanted = f"a surface out of {', '.join(SURFACES)}, or a function of two Values"
    need(name in surfaces, "show.race", wanted, repr(surface))
    begin = surfaces[name][1] if start is None else start
    finite = len(begin) == 2 and all(map(math.isfinite, begin))
    need(finite, "show.race", "start to be two numbers, x and y", start)
    need(steps in range(1, MOST + 1), "show.race", f"1 to {MOST} steps", steps)
    need(0 < span < math.inf, "show.race", "span to be a number above 0", span)
    several = 0 < len(optimizers) <= len(DASHES)
    need(several, "show.race", f"1 to {len(DASHES)} optimizers", len(optimizers))
    makers = {one_line(runner): make for runner, make in optimizers.items()}
    first = (float(begin[0]), float(begin[1]))
    at_start = surfaces[name][0](Value(first[0]), Value(first[1]))
    if not isinstance(at_start, Value):
        raise TypeError(
            f"show.race needs a surface that makes a Value of two Values; it made {at_start!r}."
        )
    course = Course(name, surfaces[name][0], first, steps, float(span))
    runs = {runner: _run(runner, make, course) for runner, make in makers.items()}
    side = [round(span * n / 40, 10) for n in range(-40, 41)]

    def controls(course: Course, now: Mapping[str, Run]) -> list[Control]:
        """They stop where they stood at first, too."""
        return [
            choice("surface", course.name, surfaces),
            slider("start x", course.start[0], {*side, first[0]}),
            slider("start y", course.start[1], {*side, first[1]}),
            *(slider(f"lr of {r}", now[r].lr, {*RATES, runs[r].lr}) for r in runs),
        ]

    def nearest(at: float) -> float:
        return min(side, key=lambda stop: abs(stop - at))

    def again(values: dict[str, Any]) -> Trace:
        x, y = values["start x"], values["start y"]
        if "point" in values:
            x, y = map(nearest, course.plane.number(*values["point"]))
        name = values["surface"]
        other = replace(course, name=name, height=surfaces[name][0], start=(x, y))
        now = {r: _run(r, make, other, values[f"lr of {r}"]) for r, make in makers.items()}
        return trace(other, now, controls(other, now))

    return Stage(trace(course, runs, controls(course, runs)), again)


def trace(course: Course, runs: Mapping[str, Run], controls: Sequence[Control] = ()) -> Trace:
    """A race that has been run."""
    x, y = map(_say, course.start)
    sentences = [_sentence(course, runs, step) for step in range(course.steps + 1)]
    jumps = {"first below 0.001": "below", "first diverges": "diverged"}
    ends = {what: [getattr(run, what) for run in runs.values()] for what in jumps.values()}
    return Trace(
        title=f"Optimizer race: {course.name}",
        frames=[
            Frame(f"step {step} of {course.steps}", sentence, step)
            for step, sentence in enumerate(sentences)
        ],
        draw=_drawing(course, runs),
        view=(0, 0, 820, 424),
        jumps={
            text: min(filter(None, ends[what])) for text, what in jumps.items() if any(ends[what])
        },
        plane="touch",
        controls=controls,
        alt=f"Optimizer race, {course.name}, {course.steps} steps from ({x}, {y}). {sentences[-1]}",
        text=table(
            {
                "runner": list(runs),
                "x": [run.points[-1][0] for run in runs.values()],
                "y": [run.points[-1][1] for run in runs.values()],
                "loss": [run.losses[-1] for run in runs.values()],
                "below 0.001 at": ends["below"],
                "diverged at": ends["diverged"],
            }
        ),
        data={
            "x": {name: [x for x, _ in run.points] for name, run in runs.items()},
            "y": {name: [y for _, y in run.points] for name, run in runs.items()},
            "loss": {name: list(run.losses) for name, run in runs.items()},
            **{what: dict(zip(runs, steps, strict=True)) for what, steps in ends.items()},
        },
    )


def _run(name: str, make: Make, course: Course, lr: float | None = None) -> Run:
    """One optimizer's way down."""
    x, y = (Value(at) for at in course.start)
    optimizer = make([x, y])
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"show.race: {name} must make an Optimizer from its parameters; it made "
            f"{optimizer!r}. Write lambda params: SGD(params, lr=0.1)."
        )
    optimizer.lr = optimizer.lr if lr is None else lr
    loss = course.ask(x, y)
    points, losses = [course.start], [loss.data]
    most = LOST * max(1.0, abs(loss.data))
    while abs(losses[-1]) <= most and len(losses) <= course.steps:  # nan is not, either
        optimizer.zero_grad()
        loss.backward()
        for _ in optimizer.steps():
            pass
        loss = course.ask(x, y)
        points.append((x.data, y.data))
        losses.append(loss.data)
    diverged = None if abs(losses[-1]) <= most else len(losses) - 1
    return Run(optimizer.lr, points, losses, diverged)


def _order(runs: Mapping[str, Run], step: int) -> list[str]:
    """The names, the lowest first, and last whoever has diverged."""
    return sorted(runs, key=lambda name: (runs[name].gone(step), runs[name].loss(step)))


def _sentence(course: Course, runs: Mapping[str, Run], step: int) -> str:
    order = _order(runs, step)
    if step == 0:
        x, y = map(_say, course.start)
        return f"All start at ({x}, {y}), where the loss is {_say(runs[order[0]].loss(0))}."
    leads = " leads with loss" if len(runs) > 1 else " has the loss"
    return "; ".join(
        f"{name} diverged at step {runs[name].diverged}"
        if runs[name].gone(step)
        else f"{name}{'' if rank else leads} {_say(runs[name].loss(step))}"
        for rank, name in enumerate(order)
    ) + "."  # fmt: skip


def _say(number: float) -> str:
    return minus(short(number))


# ---- how it is drawn


def _levels(heights: np.ndarray) -> list[float]:
    """Heights of contour lines: close together where it is low, since that is where they end."""
    low, high = heights.min(), heights.max()
    return [float(low + (high - low) * (n / LEVELS) ** 3) for n in range(1, LEVELS)]


def _chart(course: Course, runs: Mapping[str, Run]) -> Plane:
    """The loss by step: by factors of ten, unless it falls below 0 (and not by rounding alone)."""
    known = [loss for run in runs.values() for loss in run.losses if math.isfinite(loss)]
    known = known or [1.0]
    low, high = min(known), min(max(known), 10 * max(known[0], 1e-6))
    if low < -1e-9 * max(1.0, high):
        margin = 0.05 * (high - low)
        return Plane(LOSSES, (0, course.steps), (low - margin, high + margin))
    low = max(min(low, BELOW), 1e-9 * high)
    return Plane(LOSSES, (0, course.steps), (low / 2, 2 * high), log=True)


def _drawing(course: Course, runs: Mapping[str, Run]) -> Callable[[Frame], dict[str, str]]:
    plane, chart, heights = course.plane, _chart(course, runs), course.heights()
    contours = [
        svg.element("path", class_="above", d=plane.above(heights, level))
        for level in _levels(heights)
    ]
    start = "M{:.1f} {:.1f}m-6 0h12m-6 -6v12".format(*plane.place(*course.start))
    arrived = chart.path([(0, BELOW), (course.steps, BELOW)])
    heads = [(654, "x"), (724, "y"), (802, "loss")]
    fixed = {
        "surface": plane.axes("x", "y") + plane.inside("".join(contours)),
        "start": plane.inside(svg.element("path", class_="start", d=start)),
        "chart": chart.axes("step", "loss")
        + chart.inside(svg.element("path", class_="guide boundary", d=arrived)),
        "heads": svg.write(450, FIRST - 24, "standings", 11.5, 120, "quiet")
        + "".join(svg.write(x, FIRST - 24, t, 11.5, 90, "quiet", anchor="end") for x, t in heads),
    }
    trails = [_Trail(plane, run.points, n) for n, run in enumerate(runs.values())]
    curves = [_Trail(chart, list(enumerate(run.losses)), n) for n, run in enumerate(runs.values())]

    def draw(frame: Frame) -> dict[str, str]:
        step: int = frame.event
        pieces = dict(fixed)
        for kind, lines in (("trail", trails), ("loss", curves)):
            for n, line in enumerate(lines):
                for begin in range(0, course.steps, CHUNK):
                    pieces[f"{kind}{n}_{begin}"] = line.chunk(begin, step)
            for n, line in enumerate(lines):
                pieces[f"{kind}{n}"] = line.head(step)
        order = _order(runs, step)
        for n, (name, run) in enumerate(runs.items()):
            y = FIRST + ROW * order.index(name)
            named = svg.write(470, y, name, 13.5, 116, "strong")
            pieces[f"name{n}"] = mark(456, y, n, f"runner{n}") + named
            pieces[f"number{n}"] = _numbers(run, step, y)
        return pieces | {"touch": svg.box(*plane.box, 0, "touch")}

    return draw


class _Trail:
    """A runner's line in a plane, in pieces of a few steps each."""

    def __init__(self, plane: Plane, points: Sequence[tuple[float, float]], runner: int) -> None:
        self.plane, self.runner = plane, runner
        self.pixels = [plane.place(*point) for point in points]
        self.far = [0.0, *accumulate(math.dist(a, b) for a, b in pairwise(self.pixels))]

    def chunk(self, begin: int, step: int) -> str:
        """From step `begin` on; its dashes continue those of the piece before."""
        pixels = self.pixels[begin : min(step, begin + CHUNK) + 1]
        if len(pixels) < 2:
            return ""
        path = svg.element(
            "path", class_=f"trail runner{self.runner}", d=polyline(pixels),
            stroke_dasharray=DASHES[self.runner], stroke_dashoffset=round(self.far[begin], 1),
        )  # fmt: skip
        return self.plane.inside(path)

    def head(self, step: int) -> str:
        """Where the runner is, unless it has left the picture."""
        x, y = self.pixels[min(step, len(self.pixels) - 1)]
        if not self.plane.holds(x, y):
            return ""
        return mark(x, y, self.runner, f"runner{self.runner}")


def _numbers(run: Run, step: int, y: float) -> str:
    """x, y and the loss in the standings, or that the runner has gone."""
    if run.gone(step):
        gone = f"diverged at step {run.diverged}"
        return svg.write(802, y, gone, 13, 210, "strong", anchor="end")
    at = (*run.points[step], run.losses[step])
    return "".join(
        svg.write(x, y, minus(narrow(n, 7)), 13, 66, "value", anchor="end", exact=repr(n))
        for x, n in zip((654, 724, 802), at, strict=True)
    )

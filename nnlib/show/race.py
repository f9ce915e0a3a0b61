"""The optimizer race: from one start, down one surface, who gets there first and who flies off?"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from nnlib import graph, optim
from nnlib.scalar import Value
from nnlib.show import svg
from nnlib.show.plane import Plane, mark, path, polyline, spot, value
from nnlib.show.text import narrow, need, one_line, say, table
from nnlib.show.trace import Control, Frame, Stage, Trace, choice, slider

Height = Callable[[Any, Any], Any]  # of two Values, a Value
Make = Callable[[list[Any]], optim.Optimizer]

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
VIEW = (0, 0, 820, 424)
LOSSES = (486, 176, 316, 206)
ROW, FIRST = 25, 46  # pixels between the standings, and down to the first
ENDS = {"x": 654, "y": 724, "loss": 802}  # where their columns end


@dataclass(frozen=True, eq=False)
class Run:
    """One runner: where it was after 0, 1, 2 ... steps, and how high. It stops if it diverges."""

    name: str
    x: list[float]
    y: list[float]
    loss: list[float]
    below: int | None  # the first step with a loss below 1e-3
    diverged: int | None

    def gone(self, step: int) -> str:
        """That it has diverged, if it has by then."""
        gone = self.diverged is not None and self.diverged <= step
        return f"diverged at step {self.diverged}" if gone else ""


@dataclass(frozen=True)
class Course:
    """What is raced on: the surface, where all start, how many steps, and what is drawn of it."""

    name: str
    height: Height
    start: tuple[float, float]
    steps: int
    plane: Plane

    def ask(self, x: Value, y: Value) -> Value:
        """The surface at a point; nan where it has no height."""
        try:
            return self.height(x, y)
        except (ArithmeticError, ValueError):  # overflow, or the logarithm of a negative number
            return Value(math.nan)


def race(
    optimizers: Mapping[str, Make],
    surface: str | Height = "ravine",
    start: Sequence[float] | None = None,
    steps: int = 60,
    span: float = 2.0,
) -> Stage:
    """Let optimizers race down a surface from the same start, one step of each per frame.

    Each is the real thing: `optimizer.step()` moves two Values by their gradients. Click in the
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
    surfaces, name = dict(SURFACES), surface if isinstance(surface, str) else "your surface"
    if callable(surface):
        surfaces[name] = surface, (-0.9 * span, 0.5 * span)
    wanted = f"a surface out of {', '.join(SURFACES)}, or a function of two Values"
    need(name in surfaces, "show.race", wanted, repr(surface))
    height, usual = surfaces[name]
    start = usual if start is None else start
    finite = len(start) == 2 and all(map(math.isfinite, start))
    need(finite, "show.race", "start to be two numbers, x and y", start)
    need(steps in range(1, MOST + 1), "show.race", f"1 to {MOST} steps", steps)
    need(0 < span < math.inf, "show.race", "span to be a number above 0", span)
    need(0 < len(optimizers) <= 4, "show.race", "1 to 4 optimizers", len(optimizers))
    x, y = map(float, start)
    loss = height(Value(x), Value(y))
    if not isinstance(loss, Value):
        raise TypeError(f"show.race needs a surface from two Values to a Value; it made {loss!r}.")
    first: dict[str, Any] = {"start x": x, "start y": y}
    makers = {one_line(runner): make for runner, make in optimizers.items()}
    for runner, make in makers.items():
        made = make([Value(x), Value(y)])
        if not isinstance(made, optim.Optimizer):
            do = "Write lambda params: SGD(params, lr=0.1)."
            raise TypeError(f"show.race: {runner} must make an Optimizer; it made {made!r}. {do}")
        first[f"lr of {runner}"] = made.lr
    plane = Plane(BOX, (-span, span), (-span, span))
    side = [round(span * n / 40, 10) for n in range(-40, 41)]
    stops = dict.fromkeys(first, RATES) | {"start x": side, "start y": side}

    def run(values: dict[str, Any]) -> Trace:
        """With what the controls say; the sliders stop where they stood at first, too."""
        if "point" in values:
            at = dict(zip(("start x", "start y"), plane.number(*values["point"]), strict=True))
            values |= {name: min(side, key=lambda stop: abs(stop - at[name])) for name in at}
        name, start = values["surface"], (values["start x"], values["start y"])
        course = Course(name, surfaces[name][0], start, steps, plane)
        runs = [_run(r, make, course, values[f"lr of {r}"]) for r, make in makers.items()]
        sliders = [slider(dial, values[dial], {*stops[dial], first[dial]}) for dial in first]
        return trace(course, runs, [choice("surface", name, surfaces), *sliders])

    return run({"surface": name, **first}).on_stage(run)


def trace(course: Course, runs: Sequence[Run], controls: Sequence[Control]) -> Trace:
    """A race that has been run."""
    sentences = [_sentence(course, runs, step) for step in range(course.steps + 1)]
    frames = [Frame(f"step {n} of {course.steps}", said, n) for n, said in enumerate(sentences)]
    results = (*ENDS, "below", "diverged")
    data = {what: {run.name: getattr(run, what) for run in runs} for what in results}
    below, diverged = ([*data[what].values()] for what in ("below", "diverged"))
    columns = {"runner": [run.name for run in runs]}
    columns |= {what: [getattr(run, what)[-1] for run in runs] for what in ENDS}
    text = table(columns | {"below 0.001 at": below, "diverged at": diverged})
    named = {"first below 0.001": below, "first diverges": diverged}
    jumps = {name: min(filter(None, when)) for name, when in named.items() if any(when)}
    begun = f"Optimizer race, {course.name}, {course.steps} steps from {spot(*course.start)}."
    title, alt = f"Optimizer race: {course.name}", f"{begun} {sentences[-1]}"
    more: dict[str, Any] = {"jumps": jumps, "plane": "touch", "controls": controls, "data": data}
    return Trace(title, frames, _drawing(course, runs), VIEW, alt, text, **more)


def _run(name: str, make: Make, course: Course, lr: float) -> Run:
    """One optimizer's way down."""
    at = [Value(number) for number in course.start]
    optimizer = make(at)
    optimizer.lr = lr
    loss = course.ask(*at)
    way, most = [(*course.start, loss.data)], LOST * max(1.0, abs(loss.data))
    while abs(loss.data) <= most and len(way) <= course.steps:  # nan is not, either
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss = course.ask(*at)
        way.append((at[0].data, at[1].data, loss.data))
    x, y, losses = map(list, zip(*way, strict=True))
    below = next((step for step, loss in enumerate(losses) if loss < BELOW), None)
    return Run(name, x, y, losses, below, None if abs(losses[-1]) <= most else len(way) - 1)


def _order(runs: Sequence[Run], step: int) -> list[Run]:
    """The lowest first, and last whoever has diverged."""
    return sorted(runs, key=lambda run: (run.gone(step) != "", run.loss[: step + 1][-1]))


def _sentence(course: Course, runs: Sequence[Run], step: int) -> str:
    if step == 0:
        return f"All start at {spot(*course.start)}, where the loss is {say(runs[0].loss[0])}."
    said, parts = "leads with loss " if len(runs) > 1 else "has the loss ", []
    for run in _order(runs, step):
        parts.append(f"{run.name} {run.gone(step) or said + say(run.loss[step])}")
        said = ""
    return "; ".join(parts) + "."


# ---- how it is drawn


def _contours(course: Course) -> str:
    """Lines of one height: close together where it is low, since that is where the race ends."""
    side = np.linspace(*course.plane.xlim, SIDE).tolist()
    with graph.no_grad():
        heights = np.array([[course.ask(Value(x), Value(y)).data for x in side] for y in side])
    known = np.isfinite(heights)
    heights = np.where(known, heights, heights.max(where=known, initial=-LOST))
    levels = heights.min() + np.ptp(heights) * (np.arange(1, LEVELS) / LEVELS) ** 3
    return "".join(path("above", course.plane.above(heights, level)) for level in levels)


def _chart(course: Course, runs: Sequence[Run]) -> Plane:
    """The loss by step: by factors of ten, unless it falls below 0 (and not by rounding alone)."""
    known = [loss for run in runs for loss in run.loss if math.isfinite(loss)] or [1.0]
    low, high = min(known), min(max(known), 10 * max(known[0], 1e-6))
    if low < -1e-9 * max(1.0, high):
        margin = 0.05 * (high - low) or 1.0
        return Plane(LOSSES, (0, course.steps), (low - margin, high + margin))
    high = max(high, BELOW)  # or a race that starts in the lowest place had no height
    low = max(min(low, BELOW), 1e-9 * high)
    return Plane(LOSSES, (0, course.steps), (low / 2, 2 * high), log=True)


def _drawing(course: Course, runs: Sequence[Run]) -> Callable[[Frame], dict[str, str]]:
    plane, chart = course.plane, _chart(course, runs)
    start = path("start", "M{:.1f} {:.1f}m-6 0h12m-6 -6v12".format(*plane.place(*course.start)))
    arrived = path("guide boundary", chart.path([(0, BELOW), (course.steps, BELOW)]))
    heads = svg.write(450, FIRST - 24, "standings", 11.5, 120, "quiet")
    for text, x in ENDS.items():
        heads += svg.write(x, FIRST - 24, text, 11.5, 90, "quiet", anchor="end")
    fixed = {
        "surface": plane.axes("x", "y") + plane.inside(_contours(course)),
        "start": plane.inside(start),
        "chart": chart.axes("step", "loss") + chart.inside(arrived),
        "heads": heads,
    }
    trails = [_Trail(plane, zip(run.x, run.y, strict=True), n) for n, run in enumerate(runs)]
    losses = [_Trail(chart, enumerate(run.loss), n) for n, run in enumerate(runs)]

    def draw(frame: Frame) -> dict[str, str]:
        step: int = frame.event
        pieces = dict(fixed)
        for kind, lines in (("trail", trails), ("loss", losses)):
            for n, line in enumerate(lines):
                for begin in range(0, course.steps, CHUNK):
                    pieces[f"{kind}{n}_{begin}"] = line.chunk(begin, step)
            pieces |= {f"{kind}{n}": line.head(step) for n, line in enumerate(lines)}
        order = _order(runs, step)
        for n, run in enumerate(runs):
            y = FIRST + ROW * order.index(run)
            named = svg.write(470, y, run.name, 13.5, 116, "strong")
            pieces[f"name{n}"] = mark(456, y, n, f"runner{n}") + named
            pieces[f"number{n}"] = _numbers(run, step, y)
        return pieces | {"touch": svg.box(*plane.box, 0, "touch")}

    return draw


class _Trail:
    """A runner's line in a plane, in pieces of a few steps each."""

    def __init__(self, plane: Plane, points: Iterable[tuple[float, float]], runner: int) -> None:
        self.plane, self.runner = plane, runner
        self.pixels = [plane.place(*point) for point in points]
        self.far = [0.0, *accumulate(math.dist(a, b) for a, b in pairwise(self.pixels))]

    def chunk(self, begin: int, step: int) -> str:
        """From step `begin` on; its dashes continue those of the piece before."""
        pixels = self.pixels[begin : min(step, begin + CHUNK) + 1]
        if len(pixels) < 2:
            return ""
        role, far = f"trail runner{self.runner}", round(self.far[begin], 1)
        dash = {"stroke_dasharray": DASHES[self.runner], "stroke_dashoffset": far}
        return self.plane.inside(path(role, polyline(pixels), **dash))

    def head(self, step: int) -> str:
        """Where the runner is, unless it has left the picture."""
        x, y = self.pixels[: step + 1][-1]
        return mark(x, y, self.runner, f"runner{self.runner}") if self.plane.holds(x, y) else ""


def _numbers(run: Run, step: int, y: float) -> str:
    """x, y and the loss in the standings, or that the runner has gone."""
    if gone := run.gone(step):
        return svg.write(802, y, gone, 13, 210, "strong", anchor="end")
    at = zip(ENDS.values(), (run.x[step], run.y[step], run.loss[step]), strict=True)
    return "".join(value(x, y, number, narrow(number, 7), 13, 66) for x, number in at)

"""The optimizer race: from one start, down one surface, who gets there first and who flies off?"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib.graph import no_grad
from nnlib.optim import Optimizer
from nnlib.scalar import Value
from nnlib.show import picture, plots, svg
from nnlib.show.plane import Plane, mark, polyline
from nnlib.show.text import minus, narrow, one_line, short, table
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
RATES = [m * 10.0**e for e in range(-4, 1) for m in (1, 1.5, 2, 3, 5, 7)]  # stops for an lr
SIDE = 61  # points on each side of the plane at which the surface is asked
LEVELS = 12
CHUNK = 20  # steps; a trail is sent in pieces, and a step sends only the last one again
VIEW = (0, 0, 820, 424)
BOX = (46, 22, 360, 360)
LOSSES = (486, 176, 316, 206)
ROW, FIRST = 25, 46  # pixels between the standings, and down to the first


@dataclass(frozen=True)
class Run:
    """One runner: where it was after 0, 1, 2 ... steps, and how high. It stops if it diverges."""

    points: tuple[tuple[float, float], ...]
    losses: tuple[float, ...]
    diverged: int | None
    below: int | None

    def at(self, step: int) -> tuple[tuple[float, float], float]:
        last = min(step, len(self.losses) - 1)
        return self.points[last], self.losses[last]


@dataclass(frozen=True)
class Course:
    """What is raced on: the surface, the part of the plane that is drawn, the start, the steps."""

    name: str
    height: Height
    span: float
    start: tuple[float, float]
    steps: int


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
        >>> race(
        ...     {
        ...         "slow": lambda params: SGD(params, lr=0.01),
        ...         "Adam": lambda params: Adam(params, lr=0.1),
        ...         "wild": lambda params: SGD(params, lr=0.2),
        ...     }
        ... )
        runner          x            y         loss  first below 0.001  diverged
        slow      -0.8023       0.0001       0.6436               None      None
        fast      -0.0006      -0.0001   4.7752e-07                 24      None
        wild  -1.2750e-05  -1.0000e+00          inf               None      None
        Race of slow, fast and wild on the ravine.
    """
    from nnlib.show.stage import Stage

    course = _course(surface, start, steps, span)
    makers = _makers(optimizers)
    first = _trace(makers, course, course, {})
    own = {course.name: course.height}

    def again(values: dict[str, Any]) -> Trace:
        name, begin = values["surface"], (values["start x"], values["start y"])
        if "point" in values:
            stops = _stops(course)
            begin = tuple(
                min(stops, key=lambda stop: abs(stop - at))
                for at in _plane(course).number(*values["point"])
            )
        height = own[name] if name in own else SURFACES[name][0]
        rates = {runner: values[_rate(runner)] for runner in makers}
        return _trace(makers, Course(name, height, span, begin, steps), course, rates)

    return Stage(first, again)


def trace(
    optimizers: Mapping[str, Make],
    surface: str | Height = "ravine",
    start: Sequence[float] | None = None,
    steps: int = 60,
    span: float = 2.0,
) -> Trace:
    """The whole race."""
    course = _course(surface, start, steps, span)
    return _trace(_makers(optimizers), course, course, {})


def _course(surface, start, steps, span) -> Course:
    name = surface if isinstance(surface, str) else "your surface"
    if not callable(surface) and surface not in SURFACES:
        raise ValueError(
            f"show.race needs a surface out of {', '.join(SURFACES)}, or a function of two Values; "
            f"got {surface!r}."
        )
    height, usual = (surface, (-0.9 * span, 0.5 * span)) if callable(surface) else SURFACES[surface]
    begin = usual if start is None else tuple(map(float, start))
    if len(begin) != 2 or not all(map(math.isfinite, begin)):
        raise ValueError(f"show.race needs start to be two numbers, x and y; got {start!r}.")
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST:
        raise ValueError(f"show.race needs steps to be 1 to {MOST}; got {steps!r}.")
    if not 0 < span < math.inf:
        raise ValueError(f"show.race needs span to be a number above 0; got {span!r}.")
    return Course(name, height, float(span), begin, steps)


def _makers(optimizers: Mapping[str, Make]) -> dict[str, Make]:
    makers = {one_line(name): make for name, make in optimizers.items()}
    if not 0 < len(makers) <= len(DASHES):
        raise ValueError(f"show.race needs 1 to {len(DASHES)} optimizers; got {len(makers)}.")
    return makers


# ---- the race itself


def _run(name: str, make: Make, course: Course, rate: float | None) -> tuple[Run, float]:
    """One optimizer's way down, and its learning rate."""
    x, y = Value(course.start[0], label="x"), Value(course.start[1], label="y")
    optimizer = make([x, y])
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"show.race: {name} must make an Optimizer from its parameters; it made "
            f"{optimizer!r}. Write lambda params: SGD(params, lr=0.1)."
        )
    if rate is not None:
        optimizer.lr = rate
    points, losses, diverged = [(x.data, y.data)], [], None
    loss = course.height(x, y)
    if not isinstance(loss, Value):
        raise TypeError(
            f"show.race needs a surface that computes a Value from two Values; it gave {loss!r}."
        )
    losses.append(loss.data)
    most = LOST * max(1.0, abs(loss.data))
    for step in range(1, course.steps + 1):
        optimizer.zero_grad()
        loss.backward()
        for _ in optimizer.steps():
            pass
        points.append((x.data, y.data))
        loss = _ask(course.height, x, y)
        losses.append(loss.data)
        if not abs(loss.data) <= most:  # nor if it is nan
            diverged = step
            break
    below = next((step for step, height in enumerate(losses) if height < BELOW), None)
    return Run(tuple(points), tuple(losses), diverged, below), optimizer.lr


def _ask(height: Height, x: Value, y: Value) -> Value:
    """The surface at a point; nan where it has no height."""
    try:
        return height(x, y)
    except (ArithmeticError, ValueError):  # overflow, or out of the domain of a logarithm
        return Value(math.nan)


def _trace(makers, course: Course, at_first: Course, rates: Mapping[str, float]) -> Trace:
    runs: dict[str, Run] = {}
    used: dict[str, float] = {}
    for name, make in makers.items():
        runs[name], used[name] = _run(name, make, course, rates.get(name))
    frames = [
        Frame(f"step {step} of {course.steps}", _sentence(runs, course, step), step)
        for step in range(course.steps + 1)
    ]
    surfaces = dict.fromkeys([*SURFACES, at_first.name])
    x, y = course.start
    rounds = sorted({*_stops(at_first), *at_first.start})
    return Trace(
        title=f"Optimizer race: {course.name}",
        frames=frames,
        draw=_drawing(runs, course),
        view=VIEW,
        jumps=_jumps(runs),
        plane="touch",
        controls=(
            choice("surface", course.name, surfaces),
            slider("start x", x, rounds),
            slider("start y", y, rounds),
            *(_rate_control(name, rate) for name, rate in used.items()),
        ),
        alt=_alt(runs, course),
        text=_table(runs),
        data={
            "x": {name: [x for x, _ in run.points] for name, run in runs.items()},
            "y": {name: [y for _, y in run.points] for name, run in runs.items()},
            "loss": {name: list(run.losses) for name, run in runs.items()},
            "below": {name: run.below for name, run in runs.items()},
            "diverged": {name: run.diverged for name, run in runs.items()},
        },
        still=lambda: _still(runs, course),
    )


def _stops(course: Course) -> list[float]:
    return [round(course.span * n / 40, 10) for n in range(-40, 41)]


def _rate(runner: str) -> str:
    return f"lr of {runner}"


def _rate_control(runner: str, rate: float) -> Control:
    stops = [round(stop, 10) for stop in RATES]
    return slider(_rate(runner), rate, stops)


# ---- what is said


def _order(runs: Mapping[str, Run], step: int) -> list[str]:
    """The names, the lowest first, and last whoever has diverged."""

    def height(name: str) -> tuple[bool, float]:
        return _lost(runs[name], step), runs[name].at(step)[1]

    return sorted(runs, key=height)


def _lost(run: Run, step: int) -> bool:
    return run.diverged is not None and run.diverged <= step


def _say(number: float) -> str:
    return minus(short(number))


def _sentence(runs: Mapping[str, Run], course: Course, step: int) -> str:
    if step == 0:
        x, y = course.start
        loss = next(iter(runs.values())).losses[0]
        return f"All start at ({_say(x)}, {_say(y)}), where the loss is {_say(loss)}."
    parts = []
    for rank, name in enumerate(_order(runs, step)):
        run = runs[name]
        if _lost(run, step):
            parts.append(f"{name} diverged at step {run.diverged}")
        else:
            leads = " leads with loss" if rank == 0 and len(runs) > 1 else ""
            parts.append(f"{name}{leads} {_say(run.at(step)[1])}")
    return f"{'; '.join(parts)}."


def _jumps(runs: Mapping[str, Run]) -> dict[str, int]:
    """To where the first arrives, and to where the first is lost."""
    ends = {"first below 0.001": "below", "first diverges": "diverged"}
    steps = {
        what: [s for run in runs.values() if (s := getattr(run, attribute)) is not None]
        for what, attribute in ends.items()
    }
    return {what: min(found) for what, found in steps.items() if found}


def _table(runs: Mapping[str, Run]) -> str:
    ends = [(run.points[-1], run.losses[-1], run.below, run.diverged) for run in runs.values()]
    return table(
        {
            "runner": list(runs),
            "x": [end[0][0] for end in ends],
            "y": [end[0][1] for end in ends],
            "loss": [end[1] for end in ends],
            "below 0.001 at": [end[2] for end in ends],
            "diverged at": [end[3] for end in ends],
        }
    )


def _alt(runs: Mapping[str, Run], course: Course) -> str:
    x, y = course.start
    return (
        f"Optimizer race, {course.name}, {course.steps} steps from ({_say(x)}, {_say(y)}). "
        f"{_sentence(runs, course, course.steps)}"
    )


# ---- how it is drawn


def _plane(course: Course) -> Plane:
    return Plane(BOX, (-course.span, course.span), (-course.span, course.span))


def _surface(course: Course) -> np.ndarray:
    """How high it is at (rows from below, columns) of the plane; at its top where it is nowhere."""
    line = np.linspace(-course.span, course.span, SIDE).tolist()
    with no_grad():
        heights = np.array(
            [[_ask(course.height, Value(x), Value(y)).data for x in line] for y in line]
        )
    known = heights[np.isfinite(heights)]
    top = known.max() if known.size else 0.0
    return np.where(np.isfinite(heights), heights, top)


def _levels(heights: np.ndarray) -> list[float]:
    """Heights of contour lines: close together where it is low, since that is where they end."""
    low, high = heights.min(), heights.max()
    return [float(low + (high - low) * (n / LEVELS) ** 3) for n in range(1, LEVELS)]


def _chart(runs: Mapping[str, Run], course: Course) -> Plane:
    """The loss by step: by factors of ten, unless it falls below 0."""
    known = [loss for run in runs.values() for loss in run.losses if math.isfinite(loss)]
    start = next(iter(runs.values())).losses[0]
    high, low = min(max(known), 10 * max(start, 1e-6)), min(known)
    if low < 0:
        margin = 0.05 * (high - low) or 1.0
        return Plane(LOSSES, (0, course.steps), (low - margin, high + margin))
    low = max(min(low, BELOW), 1e-9 * high, 1e-300)
    return Plane(LOSSES, (0, course.steps), (low / 2, 2 * high or 1.0), log=True)


def _drawing(runs: Mapping[str, Run], course: Course) -> Callable[[Frame], dict[str, str]]:
    plane, chart = _plane(course), _chart(runs, course)
    heights = _surface(course)
    contours = [
        svg.element("path", class_="above", d=plane.above(heights, level))
        for level in _levels(heights)
    ]
    start = plane.place(*course.start)
    begin = svg.element("path", class_="start", d="M{:.1f} {:.1f}m-6 0h12m-6 -6v12".format(*start))
    fixed = {
        "surface": plane.axes("x", "y") + plane.inside("".join(contours)),
        "start": plane.inside(begin),
        "chart": chart.axes("step", "loss")
        + chart.inside(
            svg.element("path", class_="guide", d=chart.path([(0, BELOW), (course.steps, BELOW)]))
        ),
        "heads": "".join(
            svg.write(right, FIRST - 24, text, 11.5, 90, "quiet", anchor="end")
            for right, text in ((654, "x"), (724, "y"), (802, "loss"))
        )
        + svg.write(450, FIRST - 24, "standings", 11.5, 120, "quiet"),
    }
    trails = [_Trail(plane, run.points, n) for n, run in enumerate(runs.values())]
    curves = [_Trail(chart, list(enumerate(run.losses)), n) for n, run in enumerate(runs.values())]
    chunks = range(0, course.steps, CHUNK)

    def draw(frame: Frame) -> dict[str, str]:
        step: int = frame.event
        pieces = dict(fixed)
        for kind, lines in (("trail", trails), ("loss", curves)):
            for n, line in enumerate(lines):
                pieces |= {f"{kind}{n}_{begin}": line.chunk(begin, step) for begin in chunks}
            for n, line in enumerate(lines):
                pieces[f"{kind}{n}"] = line.head(step)
        order = _order(runs, step)
        for n, (name, run) in enumerate(runs.items()):
            y = FIRST + ROW * order.index(name)
            pieces[f"name{n}"] = mark(456, y, n, f"runner{n}") + svg.write(
                470, y, name, 13.5, 116, "strong"
            )
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
    if _lost(run, step):
        return svg.write(
            802, y, f"diverged at step {run.diverged}", 13, 210, "strong", anchor="end"
        )
    (at_x, at_y), loss = run.at(step)
    return "".join(
        svg.write(
            right, y, minus(narrow(number)), 13, 68, "value", anchor="end", exact=repr(number)
        )
        for right, number in ((654, at_x), (724, at_y), (802, loss))
    )


@picture.style()
def _still(runs: Mapping[str, Run], course: Course):
    """The trails and the losses, as the last frame has them."""
    from matplotlib.figure import Figure

    fig = Figure((8.2, 3.9), layout="constrained")
    left, right = fig.subplots(1, 2)
    heights, side = _surface(course), np.linspace(-course.span, course.span, SIDE)
    left.contour(side, side, heights, levels=_levels(heights), colors=picture.LINE, linewidths=0.8)
    left.plot(*course.start, "+", color=picture.INK, markersize=10)
    chart = _chart(runs, course)
    for n, (name, run) in enumerate(runs.items()):
        look: dict[str, Any] = {
            "color": picture.RUNNERS[n], "linestyle": plots.DASHES[n], "marker": plots.MARKERS[n],
            "markersize": 4, "markevery": max(1, len(run.points) // 8), "label": name,
        }  # fmt: skip
        left.plot(*zip(*run.points, strict=True), **look)
        right.plot(run.losses, **look)
    limits = (-course.span, course.span)
    left.set(title=course.name, xlabel="x", ylabel="y", xlim=limits, ylim=limits)
    right.set(title="loss", xlabel="step", yscale="log" if chart.log else "linear", ylim=chart.ylim)
    right.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    right.legend()
    return fig

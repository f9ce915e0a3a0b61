"""The decision-boundary painter: what a small model says about the plane, epoch by epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from nnlib import check, functional as F, graph, metrics, nn, ops, optim, train
from nnlib.show import svg
from nnlib.show.plane import Box, Plane, mark, need_points, path, spot, value, window
from nnlib.show.text import need, num, one_line, say, table
from nnlib.show.trace import Control, Frame, Stage, Trace
from nnlib.tensor import Tensor

SIDE = 29  # points on each side of the plane at which the model is asked
FRAMES = 25  # of one training
MOST_FRAMES, MOST_POINTS, MOST_CLASSES = 40, 500, 4
LAYERS, UNITS = 2, 8  # hidden layers, and units of each, that have a map
MORE = (10, 100)  # epochs that a click trains
TINTS = 5  # of each colour
COLUMNS, ROWS = ("epoch", "loss", "accuracy"), 12  # of the table
VIEW = (0, 0, 820, 438)
BOX = (46, 28, 340, 340)
LOSS, RIGHT = (486, 28, 316, 82), (486, 158, 316, 82)
MAPS, MAP, STEP = (452, 300), 38, (44.5, 72)  # the first map, its size, and from one to the next
SIGNS = ("negative", "positive")
QUIET = np.errstate(over="ignore", divide="ignore", invalid="ignore")  # fit_steps says it better


@dataclass(frozen=True, eq=False)
class Look:
    """The model after so many epochs.

    Attributes:
        epoch, loss, accuracy: when, and how well it does on `points` (n, 2) of `classes` (n,).
        guesses: the class it gives each point.
        p: over the plane, the probability of each class (classes, rows from below, columns).
        leads: surfaces over the plane that are 0 where it changes its mind.
        units: of each hidden layer what its first units say, (units, rows, columns).
        said: what happened, if it was not a training.
    """

    epoch: int
    loss: float
    accuracy: float
    points: np.ndarray
    classes: np.ndarray
    guesses: np.ndarray
    p: np.ndarray
    leads: np.ndarray
    units: tuple[np.ndarray, ...]
    said: str = ""

    @property
    def right(self) -> str:
        return f"{(self.guesses == self.classes).sum()} of {len(self.classes)}"


def boundary(
    model: nn.Module,
    X: Any,
    y: Any,
    *,
    loss_fn: Any = None,
    optimizer: optim.Optimizer | None = None,
    epochs: int = 100,
    title: str = "",
) -> Stage:
    """Train a model on points in the plane and watch how it divides the plane, epoch by epoch.

    The plane is tinted by what the model says there, white where it is undecided; the line is where
    it changes its mind, and a point that it gets wrong has a thick rim. The small maps are its
    hidden units, green above 0 and purple below; click one to see it large. A click on the plane
    paints a point of the class that is chosen, and *train* goes on with all points so far.

    **`model` itself is trained**: afterwards it is what `nnlib.train.fit` with the single batch
    (X, y) makes of it, an epoch being one step on all points. `epochs=0` leaves it as it is and
    shows it once; only if you pass an optimizer can it then be trained by clicks.

    The stage's `data` holds of each frame `epoch`, `loss` and `accuracy`, and of the last one the
    `points`, their `classes`, the probability of each class over the plane as `surface` (classes,
    len(x2), len(x1)), and what the hidden `units` of each layer say there.

    Args:
        model: takes points (n, 2); gives one logit each, (n, 1) or (n,), for two classes, or logits
            (n, classes) for up to four. If it ends in a Sigmoid or Softmax: probabilities.
        X, y: 1 to 500 points (n, 2), and for each its class 0, 1 ...
        loss_fn: if not given, BCEWithLogitsLoss for one logit (BCELoss after a Sigmoid), else
            CrossEntropyLoss. One output gets its target in the form of that output.
        optimizer: made from model.parameters(); Adam with lr=0.05 if not given.
        epochs: how long to train now.
        title: stands above the picture.

    Example:
        >>> import nnlib
        >>> from nnlib import nn, optim
        >>> nnlib.manual_seed(0)
        >>> model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
        >>> optimizer = optim.SGD(model.parameters(), lr=1.0)
        >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
        >>> stage = boundary(model, X, y, optimizer=optimizer, epochs=200)
        >>> stage.data["accuracy"][-1], len(stage.data["epoch"])
        (1.0, 26)
    """
    painter = _Painter(model, X, y, loss_fn, optimizer, epochs, title)
    return painter.trace().on_stage(painter.answer)


class _Painter:
    """The model, the points it learns from, and what was seen of it so far."""

    def __init__(self, model, X, y, loss_fn, optimizer, epochs, title):
        where = "show.boundary"
        if not isinstance(model, nn.Module):
            raise TypeError(f"{where} needs an nn.Module; got a {type(model).__name__}.")
        check.whole(where, "epochs", epochs, least=0)
        X, y = (np.asarray(given.data if isinstance(given, Tensor) else given) for given in (X, y))
        need_points(where, X, MOST_POINTS)
        self.model, self.title = model, one_line(title or "", limit=80)
        self.dtype = next((p.data.dtype for p in model.parameters()), np.dtype(np.float32))
        self.points = X.astype(self.dtype)
        self.plane = Plane.around(BOX, X, 0.2)
        self.sides = [np.linspace(*limits, SIDE) for limits in (self.plane.xlim, self.plane.ylim)]

        out = self._ask(self.points)
        self.form = out.shape[1:]  # of the output for one point
        columns = int(np.prod(self.form))
        good = out.ndim < 3 and len(out) == len(X) and 0 < columns <= MOST_CLASSES
        wanted = f"a model that gives (n, 1), one logit, or (n, classes), up to {MOST_CLASSES}"
        need(good, where, wanted, f"{out.shape} for n = {len(X)}")
        self.single, self.kinds = columns == 1, max(2, columns)
        good = y.shape == (len(X),) and np.isin(y, range(self.kinds)).all()
        wanted = f"a class 0 to {self.kinds - 1} for each of {len(X)} points"
        need(good, where, wanted, f"shape {y.shape}, {one_line(np.unique(y))}")
        self.classes = y.astype(np.int64)

        self.likely = isinstance([*model.modules()][-1], nn.Sigmoid | nn.Softmax)  # not logits
        usual = nn.BCELoss if self.likely else nn.BCEWithLogitsLoss
        self.loss_fn = loss_fn or (usual() if self.single else nn.CrossEntropyLoss())
        self.optimizer = optimizer or (optim.Adam(model.parameters(), lr=0.05) if epochs else None)
        self.epoch = 0
        self.course: list[tuple[int, float, float]] = []  # epoch, loss, accuracy
        self.looks = [self._look()]
        self.train(epochs)

    # What is done

    def train(self, until: int) -> None:
        """Train up to this epoch, in the library's own loop, and look now and then."""
        begin, more = self.epoch, until - self.epoch
        if more <= 0 or not self.optimizer:
            return
        chosen = {begin + round(more * (i + 1) / FRAMES) for i in range(FRAMES)}
        batch = (Tensor(self.points), self._target())
        for step in train.fit_steps(self.model, [batch], self.loss_fn, self.optimizer, epochs=more):
            self.epoch = begin + step.epoch
            if self.epoch in chosen:
                self._keep(self._look())
            else:
                self._measure()

    def answer(self, values: dict[str, Any]) -> Trace:
        """What the controls ask for."""
        before = self.looks[-1]
        if "point" in values:
            x, kind = np.array([self.plane.number(*values["point"])], self.dtype), values["paint"]
            self.points = np.concatenate([self.points, x])
            self.classes = np.append(self.classes, kind)
            self._keep(self._look(f"You painted a point of class {kind} at {spot(*x[0])}. "))
        try:
            self.train(values.get("train", 0))
        except RuntimeError as error:  # the loss is nan
            self._keep(replace(self.looks[-1], said=f"{error} "))
        news = self.looks[-1] is not before
        return self.trace(values["show"], values["paint"], len(self.looks) - 1 if news else None)

    def _keep(self, look: Look) -> None:
        self.looks.append(look)
        if len(self.looks) > MOST_FRAMES:  # then the first and every second one will do
            self.looks = [self.looks[0], *self.looks[:0:-2][::-1]]

    # What is seen

    def _ask(self, points: np.ndarray) -> Tensor:
        """The model's output in eval mode; as it requires grad, the graph says how it came."""
        was_training = self.model.training
        out = self.model.eval()(Tensor(points, requires_grad=True))
        self.model.train(was_training)
        return out

    def _target(self) -> Tensor:
        y = self.classes
        return Tensor(y.astype(self.dtype).reshape(-1, *self.form) if self.single else y)

    def _leads(self, out: Tensor) -> np.ndarray:
        """(lines, n): 0 where the model changes its mind; the last class has its lines already."""
        scores = out.data.reshape(len(out), -1).T  # (classes, n)
        if self.single:
            return scores - 0.5 * self.likely
        others = [np.delete(scores, k, axis=0).max(axis=0) for k in range(self.kinds - 1)]
        return scores[:-1] - others

    @QUIET
    def _measure(self) -> np.ndarray:
        """Keep loss and accuracy on the points that are there now; the guesses."""
        out = self._ask(self.points)
        loss = self.loss_fn(out, self._target()).item()
        guesses = (self._leads(out)[0] > 0).astype(int) if self.single else out.data.argmax(axis=1)
        self.course.append((self.epoch, loss, metrics.accuracy(guesses, self.classes)))
        return guesses

    @QUIET
    def _look(self, said: str = "") -> Look:
        guesses = self._measure()
        grid = np.stack(np.meshgrid(*self.sides), axis=-1).reshape(-1, 2).astype(self.dtype)
        out = self._ask(grid)
        p = out.detach()
        if not self.likely:
            p = F.sigmoid(p) if self.single else F.softmax(p, -1)
        p = p.data.reshape(len(grid), -1).T  # (classes, n), or (1, n)
        hidden = _hidden(out)
        self.sizes = [2, *(h.shape[1] for h in hidden), p.shape[0]]
        surfaces = (np.concatenate([1 - p, p]) if self.single else p, self._leads(out))
        units = (h.T[:UNITS] for h in hidden[:LAYERS])
        p, leads, *units = (a.reshape(-1, SIDE, SIDE) for a in (*surfaces, *units))
        known = (*self.course[-1], self.points, self.classes, guesses)
        return Look(*known, p, leads, tuple(units), said)

    # What is shown

    def trace(self, show: int = 0, paint: int = 0, opens: int | None = None) -> Trace:
        """All looks as frames; the plane shows the output, or hidden unit number `show`."""
        looks, first, last = self.looks, self.looks[0], self.looks[-1]
        units = [(n, i) for n, layer in enumerate(first.units) for i in range(len(layer))]
        names = ["the output", *(f"layer {n + 1}, unit {i + 1}" for n, i in units)]
        kinds = [f"class {kind}" for kind in range(self.kinds)]
        shown = Control("show", show, [*range(len(names))], names, menu=True)
        controls = [shown, Control("paint", paint, [*range(self.kinds)], kinds, menu=True)]
        sets = {f"unit{n}": {"show": 0 if n == show else n} for n in range(1, len(names))}
        if self.optimizer:
            goals = [self.epoch, *(self.epoch + more for more in MORE)]
            texts = [f"{'until' if i else 'at'} epoch {goal}" for i, goal in enumerate(goals)]
            controls.append(Control("train", self.epoch, goals, texts, menu=True))
            sets |= {f"more{more}": {"train": self.epoch + more} for more in MORE}
        title = self.title or f"Decision boundary, {'-'.join(map(str, self.sizes))} network"
        shares = np.bincount(last.p.argmax(axis=0).ravel(), minlength=self.kinds) / SIDE**2
        parts = ", ".join(f"{kind} {share:.0%}" for kind, share in zip(kinds, shares, strict=True))
        start = f", at first about {first.right}" if len(looks) > 1 else ""
        right = f"{_when(last)} it is right about {last.right} points{start}; loss {num(last.loss)}"
        wheres = [f"epoch {k.epoch} of {self.epoch}, {len(k.points)} points" for k in looks]
        frames = [Frame(w, _sentence(k), k) for w, k in zip(wheres, looks, strict=True)]
        rows = [*looks[: -1 : -(-len(looks) // ROWS)], last]
        text = table({name: [getattr(k, name) for k in rows] for name in (*COLUMNS, "right")})
        data = {name: [getattr(look, name) for look in looks] for name in COLUMNS}
        data |= {"points": last.points, "classes": last.classes}
        data |= {"x1": self.sides[0], "x2": self.sides[1], "surface": last.p, "units": last.units}
        alt = f"{title}. {right}. Of the plane it gives {parts}."
        draw = _drawing(self, show, names)
        more: dict[str, Any] = {"sets": sets, "controls": controls, "opens": opens, "data": data}
        return Trace(title, frames, draw, VIEW, alt, text, plane="touch", **more)


def _hidden(out: Tensor) -> list[np.ndarray]:
    """What each hidden layer says, (n, units): that which the next layer multiplies."""
    fed = {}
    for node in graph.topological(out):
        if isinstance(getattr(node, "grad_fn", None), ops.Linear | ops.MatMul):
            fed[id(node.inputs[0])] = node.inputs[0]
    hidden = [x.data for x in fed.values() if x.inputs]  # the points themselves have no inputs
    return [h for h in hidden if h.ndim == 2 and len(h) == len(out)]


# ---- in words


def _when(look: Look) -> str:
    n = look.epoch
    return f"After {n} epoch{'s' if n > 1 else ''}" if n else "As it was given"


def _sentence(look: Look) -> str:
    right = f"{_when(look)} the model is right about {look.right} points"
    return f"{look.said}{right}; the loss is {say(look.loss)}."


# ---- how it is drawn


def _drawing(painter: _Painter, show: int, names: Sequence[str]) -> Callable[[Frame], dict]:
    """Pieces that never change, the plane, a map for each hidden unit, and where we are."""
    plane, looks, course = painter.plane, painter.looks, painter.course
    shapes, roles = _shapes(painter.kinds)
    units = {look: [unit for layer in look.units for unit in layer] for look in looks}
    far = [float(np.abs(together).max()) for together in zip(*units.values(), strict=True)]
    times, losses, shares = zip(*course, strict=True)
    epochs = (0.0, float(max(painter.epoch, 1)))
    top = 1.05 * max(filter(np.isfinite, losses), default=0) or 1.0
    loss, right = Plane(LOSS, epochs, (0.0, top)), Plane(RIGHT, epochs, (0.0, 1.1))
    trails = path("trail runner0", loss.path(zip(times, losses, strict=True)))
    trails += path("trail runner0", right.path(zip(times, shares, strict=True)))
    given = len(looks[0].points)
    maps, layers = [], ""
    for row, (layer, size) in enumerate(zip(looks[0].units, painter.sizes[1:], strict=False)):
        left, top = MAPS[0], MAPS[1] + row * STEP[1]
        maps += [(left + column * STEP[0], top) for column in range(len(layer))]
        few = f": {len(layer)} of {size} units" if len(layer) < size else ""
        layers += svg.write(left, top - 10, f"layer {row + 1}{few}", 12, 170)
    hint = "click one to see it large" if maps else ""
    layers += svg.write(802, MAPS[1] - 10, hint, 12, 180, "quiet offer", anchor="end")
    fixed = {
        "axes": plane.axes("x1", "x2") + _key(painter.kinds, names[show], ([0.0, *far])[show]),
        "charts": loss.axes("", "loss") + right.axes("epoch", "accuracy") + trails,
        "layers": layers,
    }
    for left, more in zip((46, 222), MORE, strict=True) if painter.optimizer else ():
        said = f"train {more} epochs more"
        written = svg.write(left + 82, 419, said, 12, 156, "offer", anchor="middle")
        fixed[f"more{more}"] = svg.box(left, 406, 164, 26, 5, "card offer") + written

    def draw(frame: Frame) -> dict[str, str]:
        look: Look = frame.event
        tints = _signed(units[look][show - 1], far[show - 1]) if show else _tinted(look.p)
        line = "".join(plane.level(lead, 0) for lead in look.leads)
        dots, halos = [], ""
        for point, kind, guess in zip(look.points, look.classes, look.guesses, strict=True):
            x, y = plane.place(*point.tolist())
            dots.append(mark(x, y, shapes[kind], roles[kind], 4.5))
            halos += f"M{x:.0f} {y:.0f}h0" if kind != guess else ""
        now = _now(right, look.epoch, look.accuracy, f", {look.right} right")
        pieces = fixed | {
            "tint": _cells(tints, BOX, SIGNS if show else roles),
            "line": plane.inside(path("trail boundary", line)),
            "wrong": path("wrong", halos) if halos else "",
            "points": "".join(dots[:given]),
            "painted": "".join(dots[given:]),
            "now": _now(loss, look.epoch, look.loss, "") + now,
            "touch": svg.box(*BOX, 0, "touch"),
        }
        for n, (unit, most, (left, top)) in enumerate(zip(units[look], far, maps, strict=True)):
            card = svg.box(left, top, MAP, MAP, 2, "card forward" if n + 1 == show else "card")
            inner = (left + 1, top + 1, MAP - 2, MAP - 2)
            pieces[f"unit{n + 1}"] = card + _cells(_signed(unit, most)[::2, ::2], inner, SIGNS)
        return pieces

    return draw


def _shapes(kinds: int) -> tuple[list[int], list[str]]:
    """Of each class its mark and its colour's role."""
    if kinds == 2:
        return [1, 0], [*SIGNS]
    return [*range(kinds)], [f"runner{kind}" for kind in range(kinds)]


def _key(kinds: int, shown: str, far: float) -> str:
    """Above the plane the marks of the classes and what is shown; below it the tints of signs."""
    shapes, roles = _shapes(kinds)
    parts, right, above, below = [], BOX[0] + BOX[2], 12, 394
    for n, name in enumerate([*map(str, range(kinds)), "wrong"]):
        x = BOX[0] + 6 + 32 * n
        rim = path("wrong", f"M{x} {above}h0") if name == "wrong" else ""
        parts.append(rim + mark(x, above, shapes[n % kinds], roles[n % kinds], 4.5))
        parts.append(svg.write(x + 11, above, name, 12, 40))
    said = shown if far else "probability of class 1" if kinds == 2 else "tint: the likeliest class"
    parts.append(svg.write(right, above, said, 12, 200, anchor="end"))
    if far or kinds == 2:
        low, high = (-far, far) if far else (0.0, 1.0)
        bar = (right - 113, below - 5, 66, 10)
        ramp = np.arange(-TINTS, TINTS + 1)[None]
        parts.append(_cells(_signed(ramp, TINTS), bar, SIGNS, edge=0) + svg.box(*bar, 0, "axes"))
        parts.append(value(bar[0] - 5, below, low, say(low), 11, 42, role="quiet"))
        parts.append(value(right - 42, below, high, say(high), 11, 42, role="quiet", anchor=None))
    return "".join(parts)


def _signed(heights: np.ndarray, far: float) -> np.ndarray:
    """Of each number its tint: 1..TINTS below 0, more by TINTS + 1 above, 0 in between."""
    level = np.rint(TINTS * np.nan_to_num(heights / (far or 1.0))).astype(int)
    return np.abs(level) + (TINTS + 1) * (level > 0)


def _tinted(p: np.ndarray) -> np.ndarray:
    """The tint of the likeliest class, none where the model is undecided."""
    sure = (p.max(axis=0) - 1 / len(p)) / (1 - 1 / len(p))
    level = np.rint(TINTS * np.nan_to_num(sure)).astype(int)
    return np.where(level, level + (TINTS + 1) * p.argmax(axis=0), 0)


def _cells(tints: np.ndarray, box: Box, roles: Sequence[str], edge: float = 0.5) -> str:
    """Tinted cells in a box, each around one point of the grid; equal neighbours are one stroke.

    The outermost points are on the box's edge, so that half of their cells is cut off by it.
    """
    rows, columns = tints.shape
    paths: dict[int, str] = {}
    for row, line in enumerate(tints[::-1].tolist()):
        for tint, run in groupby(range(columns), key=line.__getitem__):
            begin, *more = run
            paths[tint] = paths.get(tint, "") + f"M{begin} {row}h{1 + len(more)}"
    paths.pop(0, None)  # without a tint there is nothing to paint
    drawn = ""
    for tint, d in sorted(paths.items()):
        drawn += path(f"cells {roles[tint // (TINTS + 1)]} t{tint % (TINTS + 1)}", d)
    view = f"{edge} {edge - 0.5} {columns - 2 * edge:g} {rows - 2 * edge:g}"
    return window(box, view, drawn, preserveAspectRatio="none")


def _now(chart: Plane, epoch: int, number: float, more: str) -> str:
    """Where this frame is on a curve, and its number."""
    (x, y), (left, top, width, height) = chart.place(epoch, number), chart.box
    guide = path("guide", f"M{x:.1f} {top}v{height}") + mark(x, y, 0, "runner0")
    return guide + value(left + width, top - 11, number, num(number) + more, 13, 220)

"""The boundary painter: it trains as `fit` does, and each frame is the model at that epoch."""

import copy
import json
import re
import xml.etree.ElementTree as ET
from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest

import nnlib
from nnlib import data, functional as F, nn, optim, show
from nnlib.metrics import accuracy
from nnlib.show.stage import _content
from nnlib.tensor import Tensor
from nnlib.train import fit, fit_steps

boundary = import_module("nnlib.show.boundary")


class Own(nn.Module):
    """A learner's own class, with an activation that is no module."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 12), nn.Linear(12, 5)
        self.third = nn.Linear(5, 3)

    def forward(self, x):
        return self.third(self.second(self.first(x).relu()).relu())

    def hidden(self, x):
        h = self.first(x).relu()
        return [h, self.second(h).relu()]


class Flat(nn.Module):
    """One logit per point, without an axis of its own."""

    def __init__(self):
        super().__init__()
        self.w, self.b = (
            nn.Parameter(np.zeros(2, np.float32)),
            nn.Parameter(np.zeros((), np.float32)),
        )

    def forward(self, x):
        return x @ self.w + self.b

    def hidden(self, x):
        return []


def tanh():
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))


def likely():
    return nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 1), nn.Sigmoid())


def hidden(model, x):
    """What the hidden layers say, asked of the modules one by one."""
    if not isinstance(model, nn.Sequential):
        return model.hidden(x)
    said, layers = [], list(model)
    for layer, after in pairwise(layers):
        x = layer(x)
        if isinstance(after, nn.Linear):
            said.append(x)
    return said


# A model, its loss, what makes an optimizer; targets in the form of the output
CASES = {
    "tanh": (tanh, nn.BCEWithLogitsLoss, lambda p: optim.Adam(p, lr=0.05), 2),
    "sigmoid": (likely, nn.BCELoss, lambda p: optim.SGD(p, lr=0.5), 2),
    "own": (Own, nn.CrossEntropyLoss, lambda p: optim.SGD(p, lr=0.2, momentum=0.9), 3),
    "flat": (Flat, nn.BCEWithLogitsLoss, lambda p: optim.SGD(p, lr=1.0), 2),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def task(case, seed=3):
    make, loss, optimizer, classes = case
    nnlib.manual_seed(seed)
    X, y = data.moons(40, 0.2) if classes == 2 else data.spirals(45, classes)
    return make(), loss(), optimizer, X, y


def target(model, X, y):
    """In the form of the output."""
    out = model.eval()(Tensor(X))
    single = out.ndim == 1 or out.shape[1] == 1
    return Tensor(y.astype(np.float32).reshape(out.shape) if single else y)


def plane(trace):
    """The points of the plane at which the model is asked, row by row from below."""
    sides = trace.data["x1"], trace.data["x2"]
    return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2).astype(np.float32)


def small(frames=30):
    nnlib.manual_seed(0)
    X, y = data.moons(30, 0.2)
    return show.boundary(tanh(), X, y, epochs=frames)


def turn(stage, **values):
    stage.values = {**stage.values, **values}


# ---- the training


def test_the_model_ends_as_fit_leaves_it(case):
    model, loss_fn, optimizer, X, y = task(case)
    show.boundary(model, X, y, loss_fn=loss_fn, optimizer=optimizer(model.parameters()), epochs=30)

    other, loss_fn, optimizer, X, y = task(case)
    batch = [(Tensor(X), target(other, X, y))]
    fit(other, batch, loss_fn, optimizer(other.parameters()), epochs=30)
    for name, values in other.state_dict().items():
        assert np.array_equal(values, model.state_dict()[name]), name
    assert model.training
    assert all(module.training for module in model.modules())


def test_each_frame_is_the_model_at_that_epoch(case):
    model, loss_fn, optimizer, X, y = task(case)
    settings = {"loss_fn": loss_fn, "optimizer": optimizer(model.parameters()), "epochs": 40}
    trace = show.boundary(model, X, y, **settings).trace
    looks = {frame.event.epoch: frame.event for frame in trace.frames}
    assert list(looks) == trace.data["epoch"]
    assert [min(looks), max(looks)] == [0, 40]
    assert len(looks) == 26

    model, loss_fn, optimizer, X, y = task(case)
    batch, grid = [(Tensor(X), target(model, X, y))], Tensor(plane(trace))
    steps = fit_steps(model, batch, loss_fn, optimizer(model.parameters()), epochs=40)
    for epoch in range(41):
        if epoch:
            next(steps)
        if epoch not in looks:
            continue
        look = looks[epoch]
        model.eval()
        out = model(Tensor(X))
        assert look.loss == loss_fn(out, batch[0][1]).item()
        raw, side = model(grid), boundary.SIDE
        if len(look.p) == 3:
            guesses, p = out.data.argmax(axis=1), F.softmax(raw, -1).data.T
        else:
            ends = isinstance([*model.modules()][-1], nn.Sigmoid)
            guesses = (out.data.reshape(-1) > (0.5 if ends else 0)).astype(int)
            p = raw.data.reshape(-1) if ends else F.sigmoid(raw).data.reshape(-1)
            p = np.stack([1 - p, p])
        assert look.accuracy == accuracy(guesses, y)
        assert np.array_equal(look.guesses, guesses)
        assert np.array_equal(look.p, p.reshape(-1, side, side))
        layers = hidden(model, grid)
        assert len(look.units) == len(layers)
        for units, layer in zip(look.units, layers, strict=True):
            wanted = layer.data.T[: boundary.UNITS].reshape(-1, side, side)
            assert np.array_equal(units, wanted)


def test_without_dropout_the_loss_is_that_of_the_next_training_step():
    case = CASES["own"]
    model, loss_fn, optimizer, X, y = task(case)
    settings = {"optimizer": optimizer(model.parameters()), "epochs": 20}
    losses = show.boundary(model, X, y, **settings).data["loss"]
    model, loss_fn, optimizer, X, y = task(case)
    history = fit(
        model, [(Tensor(X), Tensor(y))], loss_fn, optimizer(model.parameters()), epochs=21
    )
    assert losses == history.loss


def test_with_0_epochs_the_model_is_left_alone():
    model = likely()
    model.eval()
    before = copy.deepcopy(model.state_dict())
    stage = show.boundary(model, *data.moons(20), epochs=0)
    assert stage.data["epoch"] == [0]
    assert not model.training
    assert all(p.grad is None for p in model.parameters())
    for values in ({"train": 10}, {"point": [100, 100]}, {"show": 1}):
        turn(stage, **values)
    assert all(np.array_equal(values, before[name]) for name, values in model.state_dict().items())
    assert not model.training
    assert "train" not in [control.name for control in stage.trace.controls]
    assert not [key for key in stage.trace.sets if key.startswith("more")]

    stage = show.boundary(
        model, *data.moons(20), epochs=0, optimizer=optim.SGD(model.parameters(), lr=0.1)
    )
    turn(stage, train=10)
    assert stage.data["epoch"] == list(range(11))


def test_the_usual_loss_and_optimizer():
    for make, loss, _, classes in CASES.values():
        case = make, loss, lambda p: optim.Adam(p, lr=0.05), classes
        model, loss_fn, optimizer, X, y = task(case)
        given = show.boundary(model, X, y, loss_fn=loss_fn, optimizer=optimizer(model.parameters()))
        model, _, _, X, y = task(case)
        assert show.boundary(model, X, y).data["loss"] == given.data["loss"]


# ---- painting and training on


def test_a_click_paints_a_point_and_training_goes_on_with_it():
    nnlib.manual_seed(0)
    X, y = data.moons(30, 0.2)
    model = tanh()
    stage = show.boundary(model, X, y, epochs=20)
    left, top, _, height = boundary.BOX
    turn(stage, paint=1)
    assert stage.trace.opens is None
    turn(stage, point=[left, top + height])
    low, high = X.min(axis=0), X.max(axis=0)
    corner = (low - 0.2 * (high - low).max()).astype(np.float32)
    np.testing.assert_allclose(stage.data["points"][-1], corner, rtol=1e-6)
    assert stage.data["classes"].tolist() == [*y, 1]
    assert "point" not in stage.values
    assert stage.trace.opens == len(stage.trace.frames) - 1 == 21
    last = stage.trace.frames[-1]
    assert last.sentence.startswith("You painted a point of class 1 at (−")
    assert "of 31 points" in last.sentence
    assert last.event.loss == nn.BCEWithLogitsLoss()(
        model(Tensor(stage.data["points"])), stage.data["classes"].reshape(-1, 1).astype("f")
    ).item()  # fmt: skip
    tracks = stage.trace.tracks()
    assert [step for step, _ in tracks["painted"]] == [0, 21]
    assert len(tracks["points"]) == 1

    turn(stage, **stage.trace.sets["more10"])
    assert stage.data["epoch"][-1] == 30
    assert stage.trace.opens == len(stage.trace.frames) - 1

    nnlib.manual_seed(0)
    X2, y2 = data.moons(30, 0.2)
    other = tanh()
    optimizer = optim.Adam(other.parameters(), lr=0.05)
    for points, classes, epochs in ((X2, y2, 20), (stage.data["points"], [*y2, 1], 10)):
        column = Tensor(np.array(classes, np.float32).reshape(-1, 1))
        fit(other, [(Tensor(points), column)], nn.BCEWithLogitsLoss(), optimizer, epochs=epochs)
    for name, values in other.state_dict().items():
        assert np.array_equal(values, model.state_dict()[name])


def test_a_hidden_unit_is_shown_large_and_a_second_click_goes_back():
    stage = small()
    before = stage.trace.tracks()
    sets = stage.trace.sets["unit5"]
    assert sets == {"show": 5}
    turn(stage, **sets)
    assert stage.trace.opens is None
    after = stage.trace.tracks()
    far = max(np.abs(frame.event.units[1][0]).max() for frame in stage.trace.frames)
    for frame, cells in zip(stage.trace.frames, each(after["tint"], 31), strict=False):
        assert np.array_equal(
            tints(cells, ["negative", "positive"]), sign(frame.event.units[1][0] / far)
        )
    assert after["line"] == before["line"]
    assert f'data-v="{float(far)!r}"' in after["axes"][0][1]
    assert "layer 2, unit 1" in after["axes"][0][1]
    turn(stage, **stage.trace.sets["unit5"])
    assert stage.trace.tracks() == before


def test_a_loss_that_is_lost_is_said():
    nnlib.manual_seed(0)
    X, y = data.moons(30, 0.2)
    model = nn.Sequential(nn.Linear(2, 1))
    lost = lambda out, y: ((out - y) ** 2).mean()  # noqa: E731
    optimizer = optim.SGD(model.parameters(), lr=1e4)
    stage = show.boundary(model, X, y, loss_fn=lost, optimizer=optimizer, epochs=0)
    turn(stage, train=100)
    assert stage.trace.frames[-1].sentence.startswith("The loss is ")
    assert "learning rate 10000" in stage.trace.frames[-1].sentence
    stage.to_html()
    stage.picture()


def test_many_trainings_keep_the_first_frame_the_last_and_few_in_between():
    stage = small()
    for goal in (130, 230, 330, 430):
        turn(stage, train=goal)
        epochs = stage.data["epoch"]
        assert len(epochs) <= boundary.MOST_FRAMES
        assert epochs == sorted(epochs)
        assert [epochs[0], epochs[-1]] == [0, goal]


# ---- the drawing


def each(track, frames):
    """The piece that is on at each step."""
    return [[piece for begin, piece in track if begin <= step][-1] for step in range(frames)]


def sign(heights):
    """Five strengths of each sign."""
    return np.rint(5 * heights).astype(int)


def tints(svg, roles):
    """The cells of a piece, read back: (rows from below, columns), 0 or ± strength by role."""
    root = ET.fromstring(svg)
    size = round(float(root.get("viewBox").split()[2])) + 1
    cells = np.zeros((size, size), int)
    for path in root:
        _, role, strength = path.get("class").split()
        value = int(strength[1:]) * (1 if len(roles) > 2 or role == roles[1] else -1)
        for x, y, long in re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d")):
            here = cells[int(y), int(x) : int(x) + int(long)]
            assert not here.any()
            here[:] = value + 10 * roles.index(role) * (len(roles) > 2)
    return cells[::-1]


def test_every_cell_has_the_tint_of_what_the_model_says_there():
    stage = small()
    pieces = stage.trace.tracks()
    for step, frame in enumerate(stage.trace.frames):
        p = frame.event.p[1].astype(float)
        shown = tints(each(pieces["tint"], step + 1)[-1], ["negative", "positive"])
        close = np.abs(5 * (2 * p - 1) % 1 - 0.5) < 1e-4  # between two tints
        assert ((shown == sign(2 * p - 1)) | close).all()


def test_of_several_classes_the_likeliest_tints_the_plane():
    model, _, _, X, y = task(CASES["own"])
    trace = show.boundary(model, X, y, epochs=60).trace
    roles = ["runner0", "runner1", "runner2"]
    p = trace.frames[-1].event.p
    shown = tints(trace.tracks()["tint"][-1][1], roles)
    strength = np.rint(5 * (p.max(axis=0) - 1 / 3) * 1.5).astype(int)
    assert np.array_equal(shown, np.where(strength, strength + 10 * p.argmax(axis=0), 0))
    assert len({*p.argmax(axis=0).ravel()}) == 3


def test_the_line_is_where_the_model_changes_its_mind():
    model = Flat()
    model.load_state_dict({"w": [2.0, -1.0], "b": 0.25})
    X = np.array([[-1, -1], [1, 1], [-1, 1]], np.float32)
    trace = show.boundary(model, X, [0, 1, 1], epochs=0).trace
    path = re.search(r'd="([^"]+)"', trace.tracks()["line"][0][1]).group(1)
    pixels = np.array(re.findall(r"([-\d.]+) ([-\d.]+)", path), float)
    left, top, width, height = boundary.BOX
    x = -1.4 + (pixels[:, 0] - left) / width * 2.8
    y = 1.4 - (pixels[:, 1] - top) / height * 2.8
    assert len(x) > 10
    assert np.abs(2 * x - y + 0.25).max() < 0.01
    assert trace.data["accuracy"] == [2 / 3]
    assert trace.tracks()["wrong"][0][1].count("h0") == 1


def test_the_numbers_stand_in_the_drawing_exactly():
    stage = small()
    for frame, now in zip(stage.trace.frames, each(stage.trace.tracks()["now"], 31), strict=False):
        seen = re.findall(r'data-v="([^"]+)"', now)
        assert list(map(float, seen)) == [frame.event.loss, frame.event.accuracy]


def test_it_stays_light_with_as_much_as_it_can_hold():
    nnlib.manual_seed(0)
    X, y = data.spirals(boundary.MOST_POINTS, 4)
    model = nn.Sequential(
        nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16), nn.ReLU(),
        nn.Linear(16, 4),
    )  # fmt: skip
    stage = show.boundary(model, X, y, epochs=24)
    turn(stage, train=39)
    assert len(stage.trace.frames) == boundary.MOST_FRAMES
    assert len(json.dumps(_content(stage.trace))) < 1e6
    assert len([key for key in stage.trace.tracks() if key.startswith("unit")]) == 16
    assert "layer 1: 8 of 16 units" in stage.trace.tracks()["layers"][0][1]


def test_no_class_is_told_by_colour_alone():
    shapes = [boundary._shapes(kinds) for kinds in (2, 3, 4)]
    assert all(len({*marks}) == len({*roles}) == len(marks) for marks, roles in shapes)


# ---- in words


def test_the_table_and_the_words():
    stage = small(200)
    lines = repr(stage).splitlines()
    assert lines[0].split() == ["epoch", "loss", "accuracy", "right"]
    assert len(lines) <= boundary.ROWS + 3
    assert lines[-2].split()[0] == "200"
    last = stage.trace.frames[-1].event
    right = f"{(last.guesses == last.classes).sum()} of 30"
    assert lines[-1].startswith("Decision boundary, 2-4-3-1 network. After 200 epochs it is right")
    assert right in lines[-1]
    share = (last.p[1] > 0.5).mean()
    assert f"class 1 {share:.0%}." in lines[-1]
    assert stage.picture().alt == lines[-1]
    assert stage.trace.frames[0].sentence.startswith("As it was given the model is right about ")
    assert stage.trace.frames[1].sentence.startswith("After 8 epochs the model is right about ")
    assert stage.trace.frames[1].where == "epoch 8 of 200, 30 points"


def test_the_page_needs_nothing_else_and_says_that_controls_need_python():
    page = small().to_html()
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org)|@import|url\(", page)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda X, y: show.boundary(lambda x: x, X, y), "needs an nn.Module; got a function"),
        (lambda X, y: show.boundary(tanh(), X[:, :1], y), r"points \(n, 2\); got shape \(20, 1\)"),
        (lambda X, y: show.boundary(tanh(), X * np.nan, y), "finite points; got nan or inf"),
        (lambda X, y: show.boundary(tanh(), X, y + 1), r"class 0 to 1 for each of 20 points; got"),
        (lambda X, y: show.boundary(tanh(), X, y[:5]), r"each of 20 points; got shape \(5,\)"),
        (lambda X, y: show.boundary(nn.Linear(2, 9), X, y), r"up to 4; got \(20, 9\) for n = 20"),
        (lambda X, y: show.boundary(tanh(), X, y, epochs=-1), "epochs to be a whole number"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises((TypeError, ValueError), match=says):
        call(*data.moons(20))

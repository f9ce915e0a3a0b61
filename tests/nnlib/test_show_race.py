"""The optimizer race as data: each frame is one step of the real optimizers."""

import itertools
import json
import math
import re
import xml.etree.ElementTree as ET

import pytest
import torch

from nnlib import Value, show
from nnlib.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from nnlib.show.plane import Plane
from nnlib.show.race import BOX, CHUNK, MOST, SURFACES
from nnlib.show.text import num

PLANE = Plane(BOX, (-2, 2), (-2, 2))
RUNNERS = {
    "SGD": lambda params: SGD(params, lr=0.02),
    "momentum": lambda params: SGD(params, lr=0.01, momentum=0.9),
    "RMSprop": lambda params: RMSprop(params, lr=0.02),
    "Adam": lambda params: Adam(params, lr=0.1),
}


class SignDescent(Optimizer):
    """A learner's own."""

    def update(self, p, g, state):
        state["last"] = g
        return p - self.lr if g > 0 else p + self.lr


def exact(piece):
    return re.findall('data-v="(.*?)"', piece)


def by_hand(make, surface, start, steps):
    """(x, y, loss) after 0, 1, 2 ... steps."""
    x, y = Value(start[0]), Value(start[1])
    optimizer = make([x, y])
    yield x.data, y.data, surface(x, y).data
    for _ in range(steps):
        optimizer.zero_grad()
        surface(x, y).backward()
        optimizer.step()
        yield x.data, y.data, surface(x, y).data


def own(x, y):
    return (x * y).tanh() + (x * x).exp() * 0.1 + 2


@pytest.mark.parametrize("surface", [*SURFACES, own])
@pytest.mark.parametrize("name", [*RUNNERS, "AdamW", "SignDescent"])
def test_every_frame_is_one_step_of_the_real_optimizer(surface, name):
    more = {
        "AdamW": lambda params: AdamW(params, lr=0.05, weight_decay=0.1),
        "SignDescent": lambda params: SignDescent(params, lr=0.05),
    }
    make, start = (RUNNERS | more)[name], (-1.1, 0.7)
    stage = show.race({name: make, "other": RUNNERS["Adam"]}, surface, start, steps=25)
    function = surface if callable(surface) else SURFACES[surface][0]
    way = by_hand(make, function, start, 25)
    t = stage.trace
    assert len(t.frames) == 26
    for step, frame in enumerate(t.frames):
        if step == stage.data["diverged"][name]:
            assert step > 0
            break
        numbers = next(way)
        assert exact(t.draw(frame)["number0"]) == [repr(n) for n in numbers]
        assert tuple(stage.data[what][name][step] for what in ("x", "y", "loss")) == numbers


def test_torch_goes_the_same_way():
    stage = show.race({"Adam": RUNNERS["Adam"]}, "rosenbrock", steps=100)
    x, y = (torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in (-1.2, 1.0))
    optimizer = torch.optim.Adam([x, y], lr=0.1)
    for step in range(100):
        assert stage.data["x"]["Adam"][step] == pytest.approx(x.item(), rel=1e-6)
        optimizer.zero_grad()
        SURFACES["rosenbrock"][0](x, y).backward()
        optimizer.step()


def test_trails_grow_by_one_place_a_step_and_end_at_the_runner():
    stage = show.race(RUNNERS, steps=45)
    t = stage.trace
    for step, frame in enumerate(t.frames):
        pieces = t.draw(frame)
        for n, name in enumerate(RUNNERS):
            chunks = [pieces[f"trail{n}_{begin}"] for begin in range(0, 45, CHUNK)]
            drawn = [
                re.findall(r"[\d.]+ [\d.]+", re.search(' d="(.*?)"', c)[1]) for c in chunks if c
            ]
            path = [place for place, _ in itertools.groupby(itertools.chain(*drawn))]
            x, y = stage.data["x"][name], stage.data["y"][name]
            places = [PLANE.place(*both) for both in zip(x[: step + 1], y[: step + 1], strict=True)]
            wanted = [f"{right:.1f} {down:.1f}" for right, down in places] if step else []
            assert path == [place for place, _ in itertools.groupby(wanted)]
            right, down = places[-1]
            assert f'd="M{right:.1f} {down:.1f}' in pieces[f"trail{n}"]
        ET.fromstring(f"<svg>{''.join(pieces.values())}</svg>")


def test_who_has_diverged_stops_and_says_so():
    stage = show.race({"wild": lambda p: SGD(p, lr=0.2), "calm": RUNNERS["SGD"]}, steps=30)
    losses, gone = stage.data["loss"]["wild"], stage.data["diverged"]["wild"]
    assert stage.data["diverged"] == {"wild": gone, "calm": None}
    assert len(losses) == gone + 1
    assert losses[-1] > 1e6 * losses[0] >= losses[-2]
    t = stage.trace
    assert t.jumps["first diverges"] == gone
    assert "wild diverged at step" in t.frames[gone].sentence
    assert "diverged" not in t.frames[gone - 1].sentence
    for step in (gone, 30):
        pieces = t.draw(t.frames[step])
        assert f"diverged at step {gone}" in pieces["number0"]
        assert exact(pieces["number0"]) == []
    assert "wild diverged" in t.alt


@pytest.mark.parametrize(
    ("surface", "start"),
    [
        (lambda x, y: (x * x + y * y).exp() ** 2, (3.0, 3.0)),  # overflows
        (lambda x, y: (x + 2).log() + y * y, (0.0, 0.0)),  # walks out of the logarithm
    ],
)
def test_where_the_surface_has_no_height_a_runner_is_lost_and_no_error_comes(surface, start):
    stage = show.race({"wild": lambda p: SGD(p, lr=1.5)}, surface, start, steps=60)
    gone = stage.data["diverged"]["wild"]
    assert not abs(stage.data["loss"]["wild"][gone]) <= 1e6
    stage.trace.tracks()
    assert stage.picture().alt == stage.trace.alt


def test_a_click_where_the_surface_has_no_height_says_so():
    stage = show.race({"SGD": RUNNERS["SGD"]}, lambda x, y: x.log() + y * y, (1.0, 1.0), steps=5)
    stage.values = stage.values | {"point": list(PLANE.place(-1, 1))}
    assert stage.values["start x"] == -1
    assert stage.data["diverged"] == {"SGD": 0}
    assert stage.trace.frames[5].sentence == "SGD diverged at step 0."
    with pytest.raises(ValueError, match="log needs a number above 0"):
        show.race({"SGD": RUNNERS["SGD"]}, lambda x, y: x.log() + y * y, (-1.0, 1.0))


def test_the_table_says_who_arrived_and_when():
    stage = show.race({"Adam": RUNNERS["Adam"], "SGD": RUNNERS["SGD"]}, steps=80)
    losses = stage.data["loss"]["Adam"]
    below = next(step for step, loss in enumerate(losses) if loss < 1e-3)
    assert stage.data["below"] == {"Adam": below, "SGD": stage.data["below"]["SGD"]}
    assert stage.trace.jumps["first below 0.001"] == min(filter(None, stage.data["below"].values()))
    row = repr(stage).splitlines()[1].split()
    assert row[0] == "Adam"
    assert row[3:] == [num(losses[-1]), str(below), "None"]
    assert repr(stage).splitlines()[-1] == stage.trace.alt


def test_the_standings_are_in_order():
    t = show.race(RUNNERS).trace
    data = show.race(RUNNERS).data["loss"]
    for step in (1, 10, 30, 60):
        pieces = t.draw(t.frames[step])
        heights = [float(re.search(r' y="(.*?)"', pieces[f"number{n}"])[1]) for n in range(4)]
        losses = [data[name][step] for name in RUNNERS]
        assert sorted(range(4), key=heights.__getitem__) == sorted(range(4), key=losses.__getitem__)


def test_a_click_sets_the_start_on_the_nearest_stop_and_is_over_then():
    stage = show.race({"SGD": RUNNERS["SGD"]})
    right, down = PLANE.place(0.51, -1.27)
    stage.values = stage.values | {"point": [right, down]}
    assert (stage.values["start x"], stage.values["start y"]) == (0.5, -1.25)
    assert "point" not in stage.values
    assert stage.data == show.race({"SGD": RUNNERS["SGD"]}, start=(0.5, -1.25)).data
    stage.values = stage.values | {"surface": "saddle", "lr of SGD": 0.1}
    again = show.race({"SGD": lambda p: SGD(p, lr=0.1)}, "saddle", (0.5, -1.25))
    assert stage.data == again.data
    for sent in stage.content["controls"]:
        assert sent["values"][sent["at"]] == stage.values[sent["name"]]


def test_your_own_surface_stays_on_the_list():
    stage = show.race({"SGD": RUNNERS["SGD"]}, own)
    before = stage.data
    assert stage.trace.controls[0].values == [*SURFACES, "your surface"]
    stage.values = stage.values | {"surface": "ravine"}
    assert stage.data != before
    stage.values = stage.values | {"surface": "your surface"}
    assert stage.data == before


def test_the_longest_race_fits_into_a_megabyte():
    for surface in SURFACES:
        stage = show.race(RUNNERS, surface, steps=MOST)
        assert len(json.dumps(stage.content, ensure_ascii=False).encode()) <= 1_000_000


def test_a_loss_below_zero_is_drawn_without_logarithms():
    stage = show.race({"SGD": RUNNERS["SGD"]}, lambda x, y: x + y, steps=10)
    assert stage.data["loss"]["SGD"][-1] < stage.data["loss"]["SGD"][0] < 0
    stage.trace.tracks()
    stage.picture()


@pytest.mark.parametrize(
    ("surface", "start"),
    [
        ("ravine", (0, 0)),
        ("rosenbrock", (1, 1)),
        (lambda x, y: 0 * x * y - 3, (1, 1)),  # below 0, where there are no factors of ten
    ],
)
def test_a_race_that_starts_in_the_lowest_place_is_drawn(surface, start):
    stage = show.race({"SGD": RUNNERS["SGD"]}, surface, start, steps=5)
    assert len({*stage.data["loss"]["SGD"]}) == 1
    chart = stage.trace.tracks()["chart"][0][1]
    assert len(re.findall('class="grid"', chart)) >= 6 + 2  # a line for each step, and two heights


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"surface": "hill"}, "a surface out of ravine, saddle, rosenbrock, or a function"),
        ({"start": (1, 2, 3)}, "start to be two numbers"),
        ({"start": (1, math.nan)}, "start to be two numbers"),
        ({"steps": 0}, "1 to 200 steps"),
        ({"steps": 201}, "1 to 200 steps"),
        ({"span": 0}, "span to be a number above 0"),
        ({"optimizers": {}}, "1 to 4 optimizers; got 0"),
        ({"optimizers": dict.fromkeys("abcde", RUNNERS["SGD"])}, "1 to 4 optimizers; got 5"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(ValueError, match=f"show.race needs {said}"):
        show.race(**{"optimizers": {"SGD": RUNNERS["SGD"]}} | wrong)


def test_what_is_no_optimizer_or_no_surface_is_refused():
    with pytest.raises(TypeError, match=r"mine must make an Optimizer.*made 3.*lambda params"):
        show.race({"mine": lambda params: 3})
    with pytest.raises(TypeError, match=r"a surface from two Values to a Value; it made 1\.0"):
        show.race({"SGD": RUNNERS["SGD"]}, lambda x, y: 1.0)
